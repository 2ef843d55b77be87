//! `licit gate` and `licit explain`.

use std::path::PathBuf;

use clap::Args;
use licit_schemas::gate::{Decision, GateRequest, Intent};
use licit_schemas::known::KnownAt;
use licit_schemas::lineage::ExposureView;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::affected;
use super::release;
use super::things::{self, ListArgs};
use crate::client::{Client, typed};
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::{decision, exposure, resource, style, table};

/// What to ask.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 it may run, 3 it may not, 5 nobody could be asked: treat as refused.

Examples:
  licit gate vote-forecast --artifact vote-model/
  licit gate vote-forecast --continue        # restart, scale, tonight's batch
  licit gate vote-forecast --release vote-forecast@3 --dry-run
  licit gate vote-forecast --dry-run --known-at 1200 --valid-at 2026-06-01
  licit gate --affected-by origin/main..HEAD --dry-run")]
pub(crate) struct GateArgs {
    /// Deployment, such as `vote-forecast`
    #[arg(required_unless_present = "affected_by")]
    deployment: Option<String>,
    /// Instead of one deployment, all that the changes between two commits reach: those planned by the `licit.yaml` nearest above
    /// a changed file, and those that its datasets and model are behind
    #[arg(long, value_name = "A..B", conflicts_with_all = ["deployment", "release", "artifacts", "valid_at", "known_at"])]
    affected_by: Option<String>,
    /// Release; default: the active one to go on, the latest proposed to start
    #[arg(long, value_name = "REF")]
    release: Option<String>,
    /// File or directory as found where it will run, its files under the names they were registered with; may be repeated
    #[arg(long = "artifact", value_name = "PATH")]
    artifacts: Vec<PathBuf>,
    /// Go on with what was allowed: passes while a grace runs
    #[arg(long = "continue")]
    go_on: bool,
    /// Answer without recording a decision
    #[arg(long)]
    dry_run: bool,
    /// Judge another moment than now; with --dry-run
    #[arg(long, value_name = "TIME", requires = "dry_run")]
    valid_at: Option<Timestamp>,
    /// With what was known then: a ledger position or a time; with --dry-run
    #[arg(long, value_name = "WHEN", requires = "dry_run")]
    known_at: Option<KnownAt>,
}

/// What to explain.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  licit explain vote-forecast")]
pub(crate) struct ExplainArgs {
    /// Deployment, such as `vote-forecast`
    deployment: String,
    /// Release; default: the latest proposed, else the active one
    #[arg(long, value_name = "REF")]
    release: Option<String>,
}

/// Ask the gate.
pub(crate) fn gate(context: &Context, args: &GateArgs) -> Result<Exit> {
    let intent = if args.go_on { Intent::Continue } else { Intent::Start };
    if let Some(range) = &args.affected_by {
        return affected::gate(context, range, intent, args.dry_run);
    }
    let deployment = args.deployment.as_deref().unwrap_or_default();
    let request = c::within_bounds(GateRequest {
        deployment: Some(c::DEPLOYMENTS.reference(deployment)?),
        release: args.release.as_ref().map(|release| c::RELEASES.reference(release)).transpose()?,
        intent,
        artifacts: release::artifacts(&args.artifacts)?,
        dry_run: args.dry_run,
        receipt: false,
        valid_at: args.valid_at,
        known_at: args.known_at,
    })?;
    let client = context.client()?;
    release::decided(context, &client, &client.post("/gate", &request)?)
}

/// A dry run with everything around it.
pub(crate) fn explain(context: &Context, args: &ExplainArgs) -> Result<Exit> {
    let deployment = c::DEPLOYMENTS.reference(&args.deployment)?;
    let client = context.client()?;
    let request = GateRequest {
        deployment: Some(deployment.clone()),
        release: args.release.as_ref().map(|release| c::RELEASES.reference(release)).transpose()?,
        dry_run: true,
        ..GateRequest::default()
    };
    let answer = client.post("/gate", &request)?;
    let decided: Decision = typed(&answer)?;
    let stated = or_none(c::DEPLOYMENTS.find(&client, &deployment.to_string()))?;
    let of = decided.release.clone().unwrap_or_else(|| deployment.to_string());
    // As the gate sees it: with the assessments that hold for the deployment's controller.
    let holder = stated.as_ref().map(|_| deployment.to_string());
    let exposure = or_none(client.get("/exposure", &[("ref", Some(&of)), ("holder", holder.as_deref())]))?;
    let approvals = approvals(&client, stated.as_ref())?;
    let whole = json!({"decision": answer, "deployment": stated, "exposure": exposure, "approvals": approvals});
    let view: Option<ExposureView> = exposure.as_ref().map(typed).transpose()?;
    let teams = context.teams(&client);
    context.answer(&whole, || {
        let mut out = decision::text(&decided, &teams);
        if let Some(stated) = &stated {
            out.push_str(&format!("\n{}\n{}", style::bold("the deployment"), relied_on(&stated["spec"])));
        }
        if let Some(view) = &view {
            out.push_str(&format!("\n{}", exposure::text(view)));
        }
        out.push_str(&format!("\n{}\n{}", style::bold("approvals"), approved(&approvals)));
        out
    });
    Ok(if decided.passes { Exit::Done } else { Exit::Refused })
}

/// What is not there, or not for this token, is left out: the decision itself says what is missing.
fn or_none(found: Result<Value>) -> Result<Option<Value>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Problem(problem)) if matches!(problem.status, 403 | 404) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn relied_on(spec: &Value) -> String {
    let mut rows = Vec::new();
    for name in ["system", "purpose", "environment", "controller"] {
        rows.push((name, resource::text(&spec[name])));
    }
    let bases = spec["bases"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.push(("bases", bases.iter().map(resource::text).collect::<Vec<_>>().join(", ")));
    table::facts(&rows)
}

/// Approvals of the deployment and of what it relies on.
fn approvals(client: &Client, stated: Option<&Value>) -> Result<Vec<Value>> {
    let Some(stated) = stated else { return Ok(Vec::new()) };
    let spec = &stated["spec"];
    let single = [&stated["ref"], &spec["purpose"], &spec["system"]].into_iter();
    let bases = spec["bases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let relevant: Vec<&str> = single.chain(bases).filter_map(Value::as_str).collect();
    let page = or_none(things::pages(client, "/approvals", &ListArgs { all: true, ..ListArgs::default() }))?;
    let items = page.and_then(|page| page["items"].as_array().cloned()).unwrap_or_default();
    let of = |item: &Value| item["spec"]["subject"]["ref"].as_str().is_some_and(|of| relevant.contains(&of));
    Ok(items.into_iter().filter(of).collect())
}

/// What is approved, and for how long.
pub(crate) fn approved(approvals: &[Value]) -> String {
    let row = |item: &Value| {
        let spec = &item["spec"];
        vec![
            resource::text(&spec["subject"]["ref"]),
            resource::text(&item["state"]),
            resource::day(&spec["valid_from"]),
            resource::day(&spec["valid_to"]),
        ]
    };
    table::table(&["approved", "state", "from", "until"], approvals.iter().map(row).collect())
}
