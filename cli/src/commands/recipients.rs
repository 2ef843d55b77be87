//! `licit recipients`.

use clap::Args;
use licit_schemas::known::KnownAt;
use licit_schemas::reports::{Recipient, Recipients};
use licit_schemas::time::Timestamp;

use crate::client::typed;
use crate::collection::any_reference;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{style, wrap};

/// Of what.
#[derive(Debug, Args)]
#[command(
    after_help = "For the answer to a person (GDPR Art. 15(1)(c)), and for whom to tell of a correction or an erasure (Art. 19).

Examples:
  licit recipients dataset:crm/customers
  licit recipients dataset:crm/customers@3 --known-at 2026-06-01
  licit recipients model:vote-model --json"
)]
pub(crate) struct RecipientsArgs {
    /// A dataset, model or run; a dataset or model without version stands for all of them
    #[arg(value_name = "REF")]
    reference: String,
    /// As known at a ledger position or a time; default: now
    #[arg(long, value_name = "WHEN")]
    known_at: Option<KnownAt>,
}

/// Show who received what came of it.
pub(crate) fn run(context: &Context, args: &RecipientsArgs) -> Result<Exit> {
    let reference = any_reference(&args.reference)?.to_string();
    let known_at = args.known_at.map(|at| at.to_string());
    let query = [("ref", Some(reference.as_str())), ("known_at", known_at.as_deref())];
    let answer = context.client()?.get("/reports/recipients", &query)?;
    let list: Recipients = typed(&answer)?;
    context.answer(&answer, || {
        if list.items.is_empty() {
            return style::green(&format!("nothing that came of {} was disclosed to anybody", list.r#ref));
        }
        list.items.iter().map(one).collect()
    });
    Ok(Exit::Done)
}

fn one(item: &Recipient) -> String {
    let day = |at: &Timestamp| at.to_string().chars().take(10).collect::<String>();
    let until = item.until.as_ref().map_or_else(|| "goes on".to_owned(), |until| format!("until {}", day(until)));
    let under = item.bases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let head = format!("{} ({}) since {}, {until}\n", style::bold(&item.party), item.name, day(&item.since));
    let by = format!("by {} of {} for {}, under {under}", item.release, item.controller, item.purpose);
    [head, wrap::wrapped("  ", &by), wrap::wrapped("  ", &item.path.join(" > "))].concat()
}
