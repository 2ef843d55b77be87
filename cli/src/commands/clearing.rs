//! `licit clearing`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::RuleClearing;
use licit_schemas::resource::Page;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// As known when.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  licit clearing
  licit clearing --known-at 2026-06-01")]
pub(crate) struct ClearingArgs {
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Show how long refusals stay.
pub(crate) fn run(context: &Context, args: &ClearingArgs) -> Result<Exit> {
    let known_at = args.known_at.map(|at| at.to_string());
    let answer = context.client()?.get("/reports/clearing", &[("known_at", known_at.as_deref())])?;
    let page: Page<RuleClearing> = typed(&answer)?;
    context.answer(&answer, || {
        if page.items.is_empty() {
            return style::green("no decision refused anything");
        }
        let hours = |hours: Option<u64>| hours.map_or_else(|| "-".to_owned(), |hours| format!("{hours} h"));
        let rows = page.items.iter().map(|one| {
            vec![
                one.rule.clone(),
                one.addressee.clone(),
                one.open.to_string(),
                one.cleared.to_string(),
                hours(one.median_hours),
                hours(one.p90_hours),
            ]
        });
        table::table(&["rule", "who clears it", "open", "cleared", "half within", "nine of ten"], rows.collect())
    });
    Ok(Exit::Done)
}
