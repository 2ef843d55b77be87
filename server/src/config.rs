//! Configuration: flags or environment, one struct.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::events::Settings;

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
    /// How events are told.
    pub fn events(&self) -> Settings {
        Settings {
            source: self.public_url.trim_end_matches('/').to_owned(),
            allow_private: self.webhooks_allow_private,
            retry: self.webhooks_retry.clone(),
        }
    }
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
