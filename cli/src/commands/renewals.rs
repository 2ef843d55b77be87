//! `licit renewals`: what the board has to renew, what changed apart from what did not.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Renewal, Renewals};
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::things;
use crate::client::typed;
use crate::collection as c;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{self, style, table};

/// Things a review takes at once.
const AT_ONCE: usize = 100;

/// How far to look, and what to do.
#[derive(Debug, Args)]
#[command(after_help = "What did not change binds the same digests again: one review for all of it.

Examples:
  licit renewals
  licit renewals --until 2027-03-31
  licit renewals --open")]
pub(crate) struct RenewalsArgs {
    /// Approvals that end until then; default: within 60 days
    #[arg(long, value_name = "DATE")]
    until: Option<Timestamp>,
    /// Open the review over all that is unchanged
    #[arg(long, conflicts_with_all = ["known_at", "valid_at"])]
    open: bool,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
    /// Approvals that end after this moment; default: now
    #[arg(long, value_name = "TIME")]
    valid_at: Option<Timestamp>,
}

/// Show, and open.
pub(crate) fn run(context: &Context, args: &RenewalsArgs) -> Result<Exit> {
    let client = context.client()?;
    let until = args.until.map(|until| until.to_string());
    let (known_at, valid_at) = (args.known_at.map(|at| at.to_string()), args.valid_at.map(|at| at.to_string()));
    let query = [("until", until.as_deref()), ("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
    let answer = client.get("/reports/renewals", &query)?;
    let renewals: Renewals = typed(&answer)?;
    if !args.open {
        context.answer(&answer, || text(&renewals));
        return Ok(Exit::Done);
    }
    let mut opened: Vec<Value> = Vec::new();
    for chunk in renewals.unchanged.chunks(AT_ONCE) {
        let subjects: Vec<Value> =
            chunk.iter().map(|r| json!({"ref": r.r#ref, "include_narrower": r.include_narrower})).collect();
        opened.push(client.post(c::REVIEWS.path, &json!({"title": "Renew without change", "subjects": subjects}))?);
    }
    let whole = json!({"renewals": answer, "opened": opened});
    context.answer(&whole, || {
        let lines: Vec<String> = opened.iter().map(things::registered).collect();
        match lines.is_empty() {
            true => style::green("nothing is unchanged and ends: no review was opened"),
            false => lines.join("\n"),
        }
    });
    if !context.json() && !renewals.changed.is_empty() {
        output::warn(&format!("{} changed and are not in it: `licit renewals` shows them", renewals.changed.len()));
    }
    Ok(Exit::Done)
}

fn text(renewals: &Renewals) -> String {
    let day = |at: Timestamp| at.to_string().get(..10).unwrap_or_default().to_owned();
    if renewals.unchanged.is_empty() && renewals.changed.is_empty() {
        return style::green(&format!("no approval ends until {}", day(renewals.until)));
    }
    let mut out = String::new();
    if !renewals.unchanged.is_empty() {
        let row = |renewal: &Renewal| {
            let conditions: Vec<String> = renewal.conditions.iter().map(ToString::to_string).collect();
            vec![day(renewal.end), renewal.r#ref.clone(), conditions.join("; ")]
        };
        out.push_str(&format!("{}\n", style::bold("without change")));
        let rows = renewals.unchanged.iter().map(row).collect();
        out.push_str(&table::table(&["ends", "what", "conditions until now"], rows));
        out.push('\n');
        for command in &renewals.commands {
            out.push_str(&format!("{}\n", style::bold(&format!("$ {command}"))));
        }
    }
    if !renewals.changed.is_empty() {
        let row = |renewal: &Renewal| {
            let why = renewal.changed.clone().unwrap_or_default().replace('`', "");
            vec![day(renewal.end), renewal.r#ref.clone(), why]
        };
        let rows = renewals.changed.iter().map(row).collect();
        let gap = if out.is_empty() { "" } else { "\n" };
        out.push_str(&format!("{gap}{}\n{}", style::bold("changed"), table::table(&["ends", "what", "why"], rows)));
    }
    out
}
