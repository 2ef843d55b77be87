//! Parties, environments and models: the common commands, and short ways to create.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use licit_schemas::time::Timestamp;
use serde_json::json;

use super::retire::{self, RetireArgs};
use super::things::{self, CreateArgs, ListArgs, ShowArgs, Things};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};

/// Parties.
#[derive(Debug, Subcommand)]
pub(crate) enum Party {
    /// Create from flags or a file
    Create(PartyCreate),
    /// List, newest first
    List(ListArgs),
    /// Show everything that was stated
    Show(ShowArgs),
}

/// A new party.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit party create acme --name \"Acme SA\" --region FR
  licit party create -f party.yaml")]
pub(crate) struct PartyCreate {
    /// Short key, as in `party:acme`
    #[arg(required_unless_present = "file")]
    key: Option<String>,
    /// Registered name
    #[arg(long, required_unless_present = "file")]
    name: Option<String>,
    /// Where it is established, ISO 3166
    #[arg(long)]
    region: Option<String>,
    /// It is a public authority
    #[arg(long)]
    public_authority: bool,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["key", "name", "region", "public_authority"])]
    file: Vec<PathBuf>,
    /// Where other content stands under the same key, replace it
    #[arg(long)]
    replace: bool,
}

/// Run a command on parties.
pub(crate) fn party(context: &Context, command: Party) -> Result<Exit> {
    match command {
        Party::Create(args) if !args.file.is_empty() => {
            things::create(context, &c::PARTIES, &CreateArgs { file: args.file, replace: args.replace })
        }
        Party::Create(args) => {
            let mut party = json!({"key": args.key, "name": args.name, "public_authority": args.public_authority});
            if let Some(region) = args.region {
                party["region"] = region.into();
            }
            things::create_value(context, &c::PARTIES, party, args.replace)
        }
        Party::List(args) => things::list(context, &c::PARTIES, &args),
        Party::Show(args) => things::show(context, &c::PARTIES, &args),
    }
}

/// Environments.
#[derive(Debug, Subcommand)]
pub(crate) enum Environment {
    /// Create from flags or a file
    Create(EnvironmentCreate),
    /// List, newest first
    List(ListArgs),
    /// Show everything that was stated
    Show(ShowArgs),
    /// Propose that it enforces less for a while, for the board to vote on
    Loosen(LoosenArgs),
    /// Proposals to enforce less, newest first
    #[command(after_help = "Example:\n  licit env loosenings --parent environment:production")]
    Loosenings(ListArgs),
    /// One of the proposals to enforce less
    Loosening {
        #[command(subcommand)]
        command: Loosening,
    },
}

/// Commands below `env loosening`.
#[derive(Debug, Subcommand)]
pub(crate) enum Loosening {
    /// Show everything that was proposed
    #[command(after_help = "Example:\n  licit env loosening show production")]
    Show(ShowArgs),
}

/// A looser mode.
#[derive(Debug, Args)]
#[command(
    after_help = "Tightening is free: `licit env create KEY --mode enforce --replace`. The verdict stays what it is.

Example:
  licit env loosen production --mode warn --until 2026-12-15 \\
      --reason \"Migration of the old pipelines\"
  licit review create --title \"Warn for a while\" loosening:production"
)]
pub(crate) struct LoosenArgs {
    /// Environment, such as `production`
    key: String,
    /// The looser mode
    #[arg(long, value_parser = ["observe", "warn"])]
    mode: String,
    /// Until when: a date or a moment, at most a year ahead
    #[arg(long, value_name = "DATE")]
    until: Timestamp,
    /// Why
    #[arg(long)]
    reason: String,
}

/// A new environment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit env create production --mode enforce --class production
  licit env create review-apps --mode warn --class test \\
      --pattern 'pr-*' --time-to-live-hours 72")]
pub(crate) struct EnvironmentCreate {
    /// Short key, as in `environment:production`
    #[arg(required_unless_present = "file")]
    key: Option<String>,
    /// What the doors do with a denial: observe, warn or enforce
    #[arg(long, required_unless_present = "file", value_parser = ["observe", "warn", "enforce"])]
    mode: Option<String>,
    /// Class of data allowed here: production, test, synthetic …
    #[arg(long, required_unless_present = "file")]
    class: Option<String>,
    /// Name pattern it stands for; may be repeated
    #[arg(long = "pattern", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Hours for which a release may run here
    #[arg(long, value_name = "N")]
    time_to_live_hours: Option<u32>,
    /// YAML or JSON file instead; `-` is stdin
    #[arg(short, long, conflicts_with_all = ["key", "mode", "class", "patterns", "time_to_live_hours"])]
    file: Vec<PathBuf>,
    /// Where other content stands under the same key, replace it
    #[arg(long)]
    replace: bool,
}

/// Run a command on environments.
pub(crate) fn environment(context: &Context, command: Environment) -> Result<Exit> {
    match command {
        Environment::Create(args) if !args.file.is_empty() => {
            things::create(context, &c::ENVIRONMENTS, &CreateArgs { file: args.file, replace: args.replace })
        }
        Environment::Create(args) => {
            let mut value = json!({"key": args.key, "mode": args.mode, "class": args.class, "patterns": args.patterns});
            if let Some(hours) = args.time_to_live_hours {
                value["time_to_live_hours"] = hours.into();
            }
            things::create_value(context, &c::ENVIRONMENTS, value, args.replace)
        }
        Environment::List(args) => things::list(context, &c::ENVIRONMENTS, &args),
        Environment::Show(args) => things::show(context, &c::ENVIRONMENTS, &args),
        Environment::Loosen(args) => {
            let environment = c::ENVIRONMENTS.reference(&args.key)?;
            let value = json!({
                "environment": environment, "mode": args.mode, "valid_to": args.until, "reason": args.reason,
            });
            things::create_value(context, &c::LOOSENINGS, value, false)
        }
        Environment::Loosenings(args) => things::list(context, &c::LOOSENINGS, &args),
        Environment::Loosening { command: Loosening::Show(args) } => things::show(context, &c::LOOSENINGS, &args),
    }
}

/// Models.
#[derive(Debug, Subcommand)]
pub(crate) enum Model {
    #[command(flatten)]
    Things(Things),
    /// The versions of a model
    #[command(after_help = "Example:\n  licit model versions vote-model")]
    Versions {
        /// Model, such as `vote-model`
        #[arg(value_name = "REF")]
        reference: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Register a version from a file: an acquired model, an endpoint
    #[command(after_help = "Example:\n  licit model create-version -f mistral.yaml")]
    CreateVersion(CreateArgs),
    /// Record what was observed when an endpoint was called
    Attest(AttestArgs),
    /// What was observed of endpoints, newest first
    #[command(after_help = "Example:\n  licit model attestations --parent model:mistral-7b@1")]
    Attestations(ListArgs),
    /// Retire a version that was registered by mistake
    Retire(RetireArgs),
}

/// What answered.
#[derive(Debug, Args)]
#[command(
    after_help = "An endpoint has no bytes to hash: the gate asks that somebody saw, within the days of the policy, that what answers
is what is pinned. State what the service itself said, not what is registered.

Example:
  licit model attest assistant@3 --snapshot 2026-06-01 --region IE \\
      --configuration-digest sha256:9f86…0a08"
)]
pub(crate) struct AttestArgs {
    /// Model version, such as `assistant@3`
    #[arg(value_name = "REF")]
    reference: String,
    /// Dated snapshot the service said it answers with
    #[arg(long)]
    snapshot: String,
    /// Where it computed, ISO 3166
    #[arg(long)]
    region: String,
    /// Digest of the configuration sent with the call
    #[arg(long, value_name = "DIGEST")]
    configuration_digest: String,
    /// When it was observed; default: now
    #[arg(long, value_name = "WHEN")]
    at: Option<Timestamp>,
}

/// Run a command on models.
pub(crate) fn model(context: &Context, command: Model) -> Result<Exit> {
    match command {
        Model::Things(command) => things::run(context, &c::MODELS, command),
        Model::Versions { reference, list } => versions(context, &c::MODELS, &c::MODEL_VERSIONS, &reference, list),
        Model::CreateVersion(args) => things::create(context, &c::MODEL_VERSIONS, &args),
        Model::Attest(args) => {
            let mut value = json!({
                "model": c::MODEL_VERSIONS.reference(&args.reference)?, "snapshot": args.snapshot, "region": args.region,
                "configuration_digest": args.configuration_digest,
            });
            if let Some(at) = args.at {
                value["at"] = json!(at);
            }
            things::create_value(context, &c::ATTESTATIONS, value, false)
        }
        Model::Attestations(args) => things::list(context, &c::ATTESTATIONS, &args),
        Model::Retire(args) => retire::retire(context, &c::MODEL_VERSIONS, &args),
    }
}

/// List the versions of a dataset or model.
pub(crate) fn versions(
    context: &Context,
    things: &c::Collection,
    versions: &c::Collection,
    reference: &str,
    list: ListArgs,
) -> Result<Exit> {
    if list.parent.is_some() {
        return Err(Failure::Usage("--parent is what the reference says already; leave it out".to_owned()));
    }
    let parent = things.reference(reference)?.base().to_owned();
    things::list(context, versions, &ListArgs { parent: Some(parent), ..list })
}
