//! `licit impact`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::Impact;
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection::any_reference;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// Of what.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit impact dataset:crm/customers
  licit impact basis:research
  licit impact model:vote-model@1 --known-at 2026-06-01")]
pub(crate) struct ImpactArgs {
    /// Anything that has a reference; a dataset or model without version stands for all of them
    #[arg(value_name = "REF")]
    reference: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// With the assessments that hold at this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show what lies downstream.
pub(crate) fn run(context: &Context, args: &ImpactArgs) -> Result<Exit> {
    let reference = any_reference(&args.reference)?.to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let valid_at = args.valid_at.map(|at| at.to_string());
    let query =
        [("ref", Some(reference.as_str())), ("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = context.client()?.get("/impact", &query)?;
    let impact: Impact = typed(&answer)?;
    context.answer(&answer, || {
        if impact.items.is_empty() {
            return style::green(&format!("nothing is downstream of {}", impact.r#ref));
        }
        let rows = impact.items.iter().map(|item| {
            vec![item.r#ref.clone(), item.state.clone(), item.how.join(", "), item.owner.clone().unwrap_or_default()]
        });
        table::table(&["downstream", "state", "how", "owner"], rows.collect())
    });
    Ok(Exit::Done)
}
