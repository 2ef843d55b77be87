//! `licit debt`.

use clap::Args;
use licit_schemas::classes::Debt;
use licit_schemas::known::KnownAt;
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// As known when, and at which moment.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit debt
  licit debt --valid-at 2027-01-01")]
pub(crate) struct DebtArgs {
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// With the default classes that hold at this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show what default classes answer for.
pub(crate) fn run(context: &Context, args: &DebtArgs) -> Result<Exit> {
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let query = [("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = context.client()?.get("/reports/debt", &query)?;
    let debt: Debt = typed(&answer)?;
    context.answer(&answer, || {
        if debt.items.is_empty() {
            return style::green("no default class is stated: everything is classified, or unknown");
        }
        let day = |at: String| at.get(..10).unwrap_or(&at).to_owned();
        let rows = debt.items.iter().map(|item| {
            let until = day(item.valid_to.to_string());
            let running: Vec<&str> = item.deployments.iter().map(|d| d.trim_start_matches("deployment:")).collect();
            vec![
                item.owner.clone(),
                item.class.trim_start_matches("class:").to_owned(),
                format!("{} in {}", item.fields, item.versions),
                if item.ended { style::red(&format!("{until}, over")) } else { until },
                running.join(", "),
            ]
        });
        let head = ["owner", "default", "fields in versions", "until", "runs on it"];
        table::table(&head, rows.collect())
    });
    Ok(Exit::Done)
}
