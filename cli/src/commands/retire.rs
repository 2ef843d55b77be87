//! `licit dataset retire`, `licit model retire`, `licit run retire`: a mistaken registration is marked, never removed.

use clap::{Args, Subcommand};
use licit_schemas::reference::Kind;
use licit_schemas::registry::Retirement;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::things::{self, Things};
use crate::collection::{self as c, Collection};
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// What to retire.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is removed: lists and lineage show it as retired, and the gate refuses what rests on it. There is no \
way back; register it right under a new version.

Examples:
  licit dataset retire crm/customers@3 --reason \"this is the test table\"
  licit model retire vote-model@2 --reason \"registered twice\"
  licit run retire ID --reason \"it read another version\""
)]
pub(crate) struct RetireArgs {
    /// Version, such as `crm/customers@3`; for a run, its id
    #[arg(value_name = "REF")]
    reference: String,
    /// Why, without names of persons; kept outside the ledger, which holds a digest
    #[arg(long)]
    reason: String,
    /// Since when nothing may rest on it, where it was right until then; default: it was a mistake from the start
    #[arg(long, value_name = "TIME")]
    valid_from: Option<Timestamp>,
}

/// Runs.
#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    #[command(flatten)]
    Things(Things),
    /// Retire a run that was recorded by mistake
    Retire(RetireArgs),
}

/// Run a command on runs.
pub(crate) fn run(context: &Context, command: Run) -> Result<Exit> {
    match command {
        Run::Things(command) => things::run(context, &c::RUNS, command),
        Run::Retire(args) => retire(context, &c::RUNS, &args),
    }
}

/// Retire one of these.
pub(crate) fn retire(context: &Context, collection: &Collection, args: &RetireArgs) -> Result<Exit> {
    let reason = args.reason.parse().map_err(|e| Failure::Usage(format!("--reason: {e}")))?;
    // A dataset or model without its version is another thing, which cannot be retired.
    let named = Uuid::try_parse(&args.reference).is_err();
    if named && collection.kind != Kind::Run && !collection.reference(&args.reference)?.is_pinned() {
        return Err(Failure::Usage(format!("name the version that is retired, as `{}@VERSION`", args.reference)));
    }
    let client = context.client()?;
    let id = collection.id(&client, &args.reference)?;
    let answer = client
        .post(&format!("{}/{id}/retire", collection.path), &Retirement { reason, valid_from: args.valid_from })?;
    context.answer(&answer, || match answer["outcome"].as_str() {
        Some("unchanged") => format!("{}  {} was retired before", style::dim("unchanged"), args.reference),
        _ => format!("{}  {} is retired", style::green("done"), args.reference),
    });
    Ok(Exit::Done)
}
