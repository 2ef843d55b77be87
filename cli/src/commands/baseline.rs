//! `licit baseline`: take over what ran before the gate stood.

use clap::{Args, Subcommand};
use licit_schemas::adoption::{BaselineItem, BaselineProgress};
use licit_schemas::time::Timestamp;
use serde_json::json;

use super::things;
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub(crate) enum Baseline {
    /// Take over today's findings of what runs, for the board to vote on
    Create(CreateArgs),
    /// List, newest first
    List(things::ListArgs),
    /// Show everything that was recorded
    Show(things::ShowArgs),
    /// What of a baseline stands today, and what is cleared
    #[command(after_help = "Example:\n  licit baseline progress before-licit")]
    Progress(things::ShowArgs),
}

/// What to take over.
#[derive(Debug, Args)]
#[command(after_help = "The verdict stays what it is: what a baseline in force took over runs on, though denied. \
Worse findings, other releases, wrong bytes and prohibited practices are not covered.

Examples:
  licit baseline create before-licit --owner ml-team --until 2027-06-30 \\
      --reason \"What ran before the registry stood\"
  licit review create --title \"Take over what runs\" baseline:before-licit
  licit baseline progress before-licit")]
pub(crate) struct CreateArgs {
    /// Short key, such as `before-licit`
    key: String,
    /// Team that clears what is taken over
    #[arg(long)]
    owner: String,
    /// Until when: a date or a moment, at most two years ahead
    #[arg(long, value_name = "DATE")]
    until: Timestamp,
    /// Why it is bearable until then
    #[arg(long)]
    reason: String,
    /// Only what runs in this deployment; may be repeated; default: all
    #[arg(long, value_name = "DEPLOYMENT")]
    deployment: Vec<String>,
}

/// Run the command.
pub(crate) fn run(context: &Context, command: Baseline) -> Result<Exit> {
    match command {
        Baseline::Create(args) => create(context, &args),
        Baseline::List(args) => things::list(context, &c::BASELINES, &args),
        Baseline::Show(args) => things::show(context, &c::BASELINES, &args),
        Baseline::Progress(args) => progress(context, &args),
    }
}

fn create(context: &Context, args: &CreateArgs) -> Result<Exit> {
    let named = args.deployment.iter().map(|name| Ok(c::DEPLOYMENTS.reference(name)?.to_string()));
    let deployments: Vec<String> = named.collect::<Result<_>>()?;
    let document = json!({
        "key": args.key, "owner": args.owner, "reason": args.reason, "valid_to": args.until, "deployments": deployments,
    });
    things::create_value(context, &c::BASELINES, document, false)
}

fn progress(context: &Context, args: &things::ShowArgs) -> Result<Exit> {
    let client = context.client()?;
    let id = c::BASELINES.id(&client, &args.reference)?;
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let clocks = [("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = client.get(&format!("/baselines/{id}/progress"), &clocks)?;
    let progress: BaselineProgress = typed(&answer)?;
    context.answer(&answer, || {
        let until = resource::minute(&progress.valid_to.to_string());
        let head = format!("{} of {} cleared, until {until}", progress.cleared, progress.total);
        if progress.open.is_empty() {
            return style::green(&head);
        }
        let row = |item: &BaselineItem| vec![item.deployment.clone(), item.rule.clone(), item.nodes.join(", ")];
        let rows = progress.open.iter().map(row).collect();
        format!("{head}\n{}", table::table(&["deployment", "rule", "about"], rows))
    });
    Ok(Exit::Done)
}
