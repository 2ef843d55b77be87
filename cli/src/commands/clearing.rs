//! `licit clearing`.

use licit_schemas::reports::RuleClearing;
use licit_schemas::resource::Page;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// Show how long refusals stay.
pub(crate) fn run(context: &Context) -> Result<Exit> {
    let answer = context.client()?.get("/reports/clearing", &[])?;
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
