//! Configuration: flags or environment, one struct.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use licit_schemas::proof::key::PublicKey;
use licit_schemas::proof::origin::Origin;

use crate::adapters::mlflow;
use crate::adapters::mlflow::artifacts::depot::Depot;
use crate::adapters::openlineage::retention::Retention;
use crate::db::received::Bound;
use crate::events::Settings;
use crate::ledger::signer::{Secret, Source};

/// AI-governance model registry with data lineage
#[derive(Parser, Debug)]
#[command(
    name = "licit-server",
    version,
    about,
    after_help = "Examples:
  licit-server                                          SQLite in ./licit.db, http://127.0.0.1:8700
  licit-server --database-url postgres://licit@db/licit --listen 127.0.0.1:8700
  licit-server rebuild --check                          fold the ledger anew and compare
  licit-server token create --label lost-admin          replace a lost administrator

The first start creates one administrator token and shows it once on standard error."
)]
pub struct Cli {
    /// What to do; serving is what it does when nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where and how
    #[command(flatten)]
    pub config: Config,
}

/// Settings of the server
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Database: `sqlite://PATH` or `postgres://USER@HOST/DATABASE`
    #[arg(
        long,
        env = "LICIT_DATABASE_URL",
        default_value = "sqlite://licit.db",
        global = true,
        hide_env_values = true
    )]
    pub database_url: String,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "LICIT_LISTEN", default_value = "127.0.0.1:8700", global = true)]
    pub listen: SocketAddr,
    /// A proxy in front speaks TLS: needed to listen beyond this machine
    #[arg(long, env = "LICIT_BEHIND_PROXY", global = true)]
    pub behind_proxy: bool,
    /// Connections for reading
    #[arg(long, env = "LICIT_READERS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256), global = true)]
    pub readers: u32,
    /// Threads that answer requests; 0: one per core
    #[arg(long, env = "LICIT_WORKERS", default_value_t = 0, global = true)]
    pub workers: usize,
    /// Seconds that requests under way may take when the server is told to stop
    #[arg(long, env = "LICIT_DRAIN_SECONDS", default_value_t = 10, global = true)]
    pub drain_seconds: u64,
    /// Seconds between two looks for gaps that opened or closed; 0: only when somebody asks
    #[arg(long, env = "LICIT_LOOK_SECONDS", default_value_t = 1, global = true)]
    pub look_seconds: u64,
    /// Address under which people reach this registry, such as `https://licit.example`: events name it as their source
    #[arg(long, env = "LICIT_PUBLIC_URL", default_value = "urn:licit", global = true)]
    pub public_url: String,
    /// Events may be posted to this machine and to private networks
    #[arg(long, env = "LICIT_WEBHOOKS_ALLOW_PRIVATE", global = true)]
    pub webhooks_allow_private: bool,
    /// Seconds to wait after each failed delivery of an event; after as many and one more it is given up
    #[arg(
        long,
        env = "LICIT_WEBHOOKS_RETRY",
        value_delimiter = ',',
        default_value = "10,30,120,600,1800,3600,7200,14400,43200",
        global = true
    )]
    pub webhooks_retry: Vec<u64>,
    /// File with the Ed25519 key that signs the ledger, of its owner alone: made at the first start if it is not there; default beside an
    /// `SQLite` database, none with `PostgreSQL`
    #[arg(long, env = "LICIT_SIGNING_KEY_FILE", global = true)]
    pub signing_key: Option<PathBuf>,
    /// The key itself, for the environment: a command line is seen by everybody on the machine
    #[arg(long, env = "LICIT_SIGNING_KEY", hide = true, hide_env_values = true, global = true)]
    pub signing_key_text: Option<Secret>,
    /// Command that signs, for keys in a device or service: gets the bytes on standard input and prints the signature in base64, within ten
    /// seconds; words are divided by spaces, no shell
    #[arg(long, env = "LICIT_SIGNING_COMMAND", requires = "signing_public_key", global = true)]
    pub signing_command: Option<String>,
    /// Public key of the signing command: 32 bytes in base64, or PEM
    #[arg(long, env = "LICIT_SIGNING_PUBLIC_KEY", global = true)]
    pub signing_public_key: Option<PublicKey>,
    /// Name of the ledger, such as `registry.example/ledger`: stated at the first start and for good; default a random one
    #[arg(long, env = "LICIT_LEDGER_ORIGIN", global = true)]
    pub ledger_origin: Option<Origin>,
    /// Seconds between two signatures of a ledger that grows; 0: only when somebody asks
    #[arg(long, env = "LICIT_CHECKPOINT_SECONDS", default_value_t = 60, global = true)]
    pub checkpoint_seconds: u64,
    /// Everybody may read checkpoint, tiles and entries (which hold no data, but digests of them) under `/log`, without a token
    #[arg(long, env = "LICIT_PUBLIC_LOG", global = true)]
    pub public_log: bool,
    /// Where artifacts of models are kept: a directory, or `s3://BUCKET/PREFIX`; default beside an `SQLite` database, none with `PostgreSQL`
    #[arg(long, env = "LICIT_ARTIFACTS", global = true)]
    pub artifacts: Option<String>,
    /// Bytes that one artifact may have
    #[arg(long, env = "LICIT_ARTIFACT_BYTES", default_value_t = 16 << 30, global = true)]
    pub artifact_bytes: u64,
    /// Aliases of `MLflow` that stand for deployments: setting one asks the gate; with `production`, so does the stage of that name
    #[arg(
        long,
        env = "LICIT_MLFLOW_GOVERNED",
        value_delimiter = ',',
        default_value = "champion,production",
        global = true
    )]
    pub mlflow_governed: Vec<String>,
    /// Days for which events of `OpenLineage` are kept as they came; then they are erased, and what was derived stays; 0: without end
    #[arg(long, env = "LICIT_LINEAGE_EVENTS_DAYS", default_value_t = 365, global = true)]
    pub lineage_events_days: u32,
    /// Latest events that are kept as they came; 0: all
    #[arg(long, env = "LICIT_LINEAGE_EVENTS_MOST", default_value_t = 0, global = true)]
    pub lineage_events_most: u32,
    /// Days for which events that could not be read wait in quarantine; then they are erased; 0: without end
    #[arg(long, env = "LICIT_LINEAGE_QUARANTINE_DAYS", default_value_t = 90, global = true)]
    pub lineage_quarantine_days: u32,
    /// Events that may wait in quarantine: beyond them none is taken that cannot be read; 0: all
    #[arg(long, env = "LICIT_LINEAGE_QUARANTINE_MOST", default_value_t = 100_000, global = true)]
    pub lineage_quarantine_most: u32,
    /// Form of the log on standard error: text or json
    #[arg(long, env = "LICIT_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// What to log, such as `info` or `licit_server=debug`
    #[arg(long, env = "LICIT_LOG", default_value = "warn", global = true)]
    pub log: String,
    /// First administrator token, instead of a random one: `licit_` and 64 hexadecimal digits, or the digits alone
    #[arg(long, env = "LICIT_BOOTSTRAP_TOKEN", hide_env_values = true, global = true)]
    pub bootstrap_token: Option<String>,
    /// File that holds it
    #[arg(long, env = "LICIT_BOOTSTRAP_TOKEN_FILE", conflicts_with = "bootstrap_token", global = true)]
    pub bootstrap_token_file: Option<PathBuf>,
}

impl Config {
    /// Where the key that signs comes from.
    ///
    /// # Errors
    /// More than one place is named.
    pub fn signing(&self) -> Result<Source, String> {
        let named = [self.signing_key.is_some(), self.signing_key_text.is_some(), self.signing_command.is_some()];
        if named.iter().filter(|named| **named).count() > 1 {
            return Err("the signing key comes from one place: a file, the environment, or a command".to_owned());
        }
        Ok(match (&self.signing_key, &self.signing_key_text, &self.signing_command) {
            (Some(path), _, _) => Source::File(path.clone()),
            (_, Some(text), _) => Source::Text(text.clone()),
            (_, _, Some(line)) => command(line, self.signing_public_key)?,
            _ => match self.database_url.strip_prefix("sqlite://") {
                Some(path) => Source::File(PathBuf::from(format!("{path}.key"))),
                // Several servers share one: where it lies is for a human to say.
                None => Source::None,
            },
        })
    }

    /// How the door for clients of `MLflow` is set.
    ///
    /// # Errors
    /// A place for artifacts that cannot be opened.
    pub fn mlflow(&self) -> Result<mlflow::Settings, String> {
        let beside = self.database_url.strip_prefix("sqlite://").map(|path| format!("{path}.artifacts"));
        let depot = match self.artifacts.clone().or(beside) {
            Some(address) => Some(Arc::new(Depot::open(&address, self.artifact_bytes)?)),
            None => None,
        };
        let governed = self.mlflow_governed.iter().map(|alias| alias.trim().to_lowercase());
        let rules = mlflow::Rules {
            governed: governed.filter(|alias| !alias.is_empty()).collect(),
            address: self.public_url.trim_end_matches('/').to_owned(),
        };
        Ok(mlflow::Settings { rules: Arc::new(rules), depot })
    }

    /// How long foreign events are kept.
    pub fn retention(&self) -> Retention {
        Retention {
            kept: Bound { days: self.lineage_events_days, most: self.lineage_events_most },
            quarantined: Bound { days: self.lineage_quarantine_days, most: self.lineage_quarantine_most },
        }
    }

    /// How events are told.
    pub fn events(&self) -> Settings {
        Settings {
            source: self.public_url.trim_end_matches('/').to_owned(),
            allow_private: self.webhooks_allow_private,
            retry: self.webhooks_retry.clone(),
        }
    }
}

/// A command that signs.
fn command(line: &str, public: Option<PublicKey>) -> Result<Source, String> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let public = public.ok_or("a signing command needs the public key of what it signs")?;
    if words.is_empty() { Err("the signing command is empty".to_owned()) } else { Ok(Source::Command(words, public)) }
}

/// Form of the log
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

/// What the program can do besides serving
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve (what it does when nothing is said)
    Serve,
    /// Bring the database to the present shape and stop
    Migrate,
    /// Check the ledger, then fold it into the tables anew
    ///
    /// Drops what is projected and makes it again from the ledger, in one transaction. Servers go on reading and wait with
    /// writing; one on `SQLite` answers 503 to what waits for more than five seconds. A ledger that does not hold is left alone,
    /// exit code 4.
    Rebuild {
        /// Change nothing: fold into an empty database beside, compare, and say what differs; exit code 4 if anything does
        #[arg(long)]
        check: bool,
    },
    /// Manage tokens on this machine
    #[command(subcommand)]
    Token(TokenCommand),
    /// Manage the keys that sign the ledger
    #[command(subcommand)]
    Key(KeyCommand),
    /// Print the OpenAPI document
    Openapi,
    /// Ask a running server whether it is ready: for container health checks
    Health,
}

/// Manage tokens on this machine
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a new administrator with a token, in place of a lost one: a fact like any other
    Create {
        /// What the token is for
        #[arg(long, default_value = "admin")]
        label: String,
    },
}

/// Manage the keys that sign the ledger
#[derive(Subcommand, Debug)]
pub enum KeyCommand {
    /// List the keys the ledger knows, current and earlier ones
    List,
    /// Sign by another key from now on
    ///
    /// The new key is introduced in the ledger, both sign the ledger as it stands then, and the old one is retired: who trusts the
    /// old one learns the new one from it. A key in a file is replaced in its place, and servers take it up by themselves; keys from elsewhere are given to the
    /// servers by their operator. Interrupted, it goes on when it is run again.
    Rotate(Box<Rotate>),
}

/// To which key
#[derive(Args, Clone, Debug)]
pub struct Rotate {
    /// File of the new key, made if it is not there
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Command that signs by the new key
    #[arg(long, value_name = "COMMAND", requires = "to_public_key", conflicts_with = "to")]
    pub to_command: Option<String>,
    /// Public key of that command
    #[arg(long, value_name = "KEY", requires = "to_command")]
    pub to_public_key: Option<PublicKey>,
    /// The old key is gone: it cannot sign that the new one follows it, and whoever trusts it must be told
    #[arg(long)]
    pub old_key_lost: bool,
}

impl Rotate {
    /// Where the new key comes from; none where it takes the place of the old one in its file.
    ///
    /// # Errors
    /// A command without words.
    pub fn source(&self) -> Result<Option<Source>, String> {
        match (&self.to, &self.to_command) {
            (Some(path), _) => Ok(Some(Source::File(path.clone()))),
            (_, Some(line)) => command(line, self.to_public_key).map(Some),
            _ => Ok(None),
        }
    }
}
