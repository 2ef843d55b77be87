//! `licit debt`.

use licit_schemas::classes::Debt;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, table};

/// Show what default classes answer for.
pub(crate) fn run(context: &Context) -> Result<Exit> {
    let answer = context.client()?.get("/reports/debt", &[])?;
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
