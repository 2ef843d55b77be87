//! `licit drift`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Drift, PurposeDistance, PurposeUse, SourceDrift};
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table, wrap};

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "Purposes agreed are those of collection, and those of bases in force that cover the dataset. Uses are training runs
and running deployments that the people of its sources are in.

Examples:
  licit drift
  licit drift crm/customers --valid-at 2026-06-01"
)]
pub(crate) struct DriftArgs {
    /// Dataset or one version of it; default: every dataset collected from people
    #[arg(value_name = "REF")]
    reference: Option<String>,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// With the purposes and bases that hold at this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show the drift.
pub(crate) fn run(context: &Context, args: &DriftArgs) -> Result<Exit> {
    let reference = args.reference.as_deref().map(|text| c::DATASETS.reference(text)).transpose()?;
    let reference = reference.map(|reference| reference.to_string());
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let query = [("ref", reference.as_deref()), ("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = context.client()?.get("/reports/drift", &query)?;
    let drift: Drift = typed(&answer)?;
    context.answer(&answer, || match drift.items.is_empty() {
        true => "no data collected from people are registered".to_owned(),
        false => drift.items.iter().map(one).collect::<Vec<_>>().join("\n"),
    });
    Ok(Exit::Done)
}

fn one(item: &SourceDrift) -> String {
    let share = |per_mille: u64| format!("{}.{} %", per_mille / 10, per_mille % 10);
    let figures = format!(
        "{} for another purpose than collected, {} for one nobody agreed to",
        share(item.drift_per_mille),
        share(item.outside_per_mille)
    );
    let mut out = format!("{}\n", style::bold(&item.r#ref));
    let agreed: Vec<String> = item.agreed.iter().map(|a| format!("{} ({})", a.purpose, a.by)).collect();
    out.push_str(&wrap::wrapped(
        "  agreed  ",
        &if agreed.is_empty() { "nothing".to_owned() } else { agreed.join(", ") },
    ));
    out.push_str(&wrap::wrapped("  used    ", &figures));
    out.push_str(&table::table(
        &["for", "agreed", "trainings", "deployments", "since"],
        item.uses.iter().map(row).collect(),
    ));
    out
}

fn row(used: &PurposeUse) -> Vec<String> {
    let distance = match used.distance {
        PurposeDistance::AsCollected => style::green("as collected"),
        PurposeDistance::Carried => style::yellow("by a basis"),
        PurposeDistance::Outside => style::red("by nobody"),
    };
    let short = |purpose: &str| purpose.trim_start_matches("purpose:").to_owned();
    let count = |list: &[String]| list.len().to_string();
    let day = resource::minute(&used.since.to_string());
    vec![
        short(&used.purpose),
        distance,
        count(&used.trainings),
        count(&used.deployments),
        day.get(..10).unwrap_or(&day).to_owned(),
    ]
}
