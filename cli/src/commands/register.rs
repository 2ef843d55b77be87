//! `licit register` and `licit plan`: what a pipeline made, in one call.

use std::path::PathBuf;

use clap::Args;
use licit_schemas::gate::Plan;
use licit_schemas::known::KnownAt;
use licit_schemas::reference::Ref;
use licit_schemas::registration::{PlanRequest, PlannedRelease, RegistrationResult};
use licit_schemas::resource::{Outcome, Registered};
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::manifest::{self, assemble};
use crate::output::decision::{self, Teams};
use crate::output::{self, style, table};

/// What to register.
#[derive(Debug, Args)]
#[command(after_help = "Files are hashed here and never sent. Registering the same again registers nothing new. \
The digest of a directory is SHA-256 over one line per file, sorted by path: path, NUL, `sha256:` and the \
file's digest in hex, line feed.

Examples:
  licit register
  licit register -f training/licit.yaml --dry-run")]
pub(crate) struct RegisterArgs {
    /// The manifest
    #[arg(short, long, default_value = "licit.yaml", value_name = "FILE")]
    file: PathBuf,
    /// Check and hash everything, and show what would be sent
    #[arg(long)]
    dry_run: bool,
}

/// What to plan.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 3 when any of the deployments would be refused.

Examples:
  licit plan
  licit plan vote-forecast vote-forecast-eu -f training/licit.yaml
  licit plan vote-forecast --valid-at 2027-08-02")]
pub(crate) struct PlanArgs {
    /// Deployments to ask the gate for, besides those under `plan:`
    #[arg(value_name = "DEPLOYMENT")]
    deployments: Vec<String>,
    /// The manifest
    #[arg(short, long, default_value = "licit.yaml", value_name = "FILE")]
    file: PathBuf,
    /// As if this were now: a ledger position or a time
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Ask the gate about another moment than now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Register.
pub(crate) fn register(context: &Context, args: &RegisterArgs) -> Result<Exit> {
    let assembled = assemble::assemble(&manifest::read(&args.file)?)?;
    warnings(&assembled.warnings);
    if args.dry_run {
        let registration = &assembled.registration;
        context.answer(registration, || {
            let value = serde_json::to_value(registration).unwrap_or_default();
            format!("{}\n{}", output::resource::block(&value), style::dim("a dry run: nothing was sent"))
        });
        return Ok(Exit::Done);
    }
    let registration = c::within_bounds(assembled.registration)?;
    let answer = context.client()?.post_persistently("/registrations", &registration)?;
    let result: RegistrationResult = typed(&answer)?;
    context.answer(&answer, || registered(&result.items));
    Ok(Exit::Done)
}

/// Plan.
pub(crate) fn plan(context: &Context, args: &PlanArgs) -> Result<Exit> {
    let read = manifest::read(&args.file)?;
    let named = read.manifest.plan.iter().map(|name| Ok(Ref::deployment(name)));
    let asked = args.deployments.iter().map(|name| c::DEPLOYMENTS.reference(name));
    let mut deployments = named.chain(asked).collect::<Result<Vec<Ref>>>()?;
    deployments.sort();
    deployments.dedup();
    let assembled = assemble::assemble(&read)?;
    warnings(&assembled.warnings);
    let models: Vec<Ref> = assembled.model.into_iter().collect();
    let request = c::within_bounds(PlanRequest {
        registration: assembled.registration,
        deployments: deployments
            .into_iter()
            .map(|deployment| PlannedRelease { deployment, models: models.clone() })
            .collect(),
        known_at: args.known_at,
        valid_at: args.valid_at,
    })?;
    let client = context.client()?;
    let answer = client.post("/plans", &request)?;
    let plan: Plan = typed(&answer)?;
    let teams = context.teams(&client);
    context.answer(&answer, || text(&plan, &teams));
    // As with `gate` and `release activate`: what its environment or a baseline lets pass stops no pipeline.
    let refused = plan.decisions.iter().any(|decision| !decision.passes);
    Ok(if refused { Exit::Refused } else { Exit::Done })
}

fn text(plan: &Plan, teams: &Teams) -> String {
    let mut out = format!("{}\n{}\n", style::bold("would be registered"), registered(&plan.registered));
    for planned in &plan.decisions {
        out.push_str(&format!("\n{}", decision::text(planned, teams)));
    }
    if plan.decisions.is_empty() {
        out.push_str(&style::dim("\nno deployment was named: the gate was not asked"));
    }
    out.push_str(&style::dim("\nnothing was written"));
    out
}

fn registered(items: &[Registered]) -> String {
    let outcome = |item: &Registered| {
        let outcome = match item.outcome {
            Outcome::Created => "created",
            Outcome::Unchanged => "unchanged",
        };
        item.state.as_ref().map_or_else(|| outcome.to_owned(), |state| format!("{outcome}, {}", style::yellow(state)))
    };
    let rows = items.iter().map(|item| vec![item.r#ref.to_string(), outcome(item)]).collect();
    table::table(&["reference", "outcome"], rows)
}

fn warnings(warnings: &[String]) {
    warnings.iter().for_each(|warning| output::warn(&format!("{}: {warning}", style::yellow("warning"))));
}
