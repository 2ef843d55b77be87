//! `licit ledger`.

use clap::{Args, Subcommand};
use licit_schemas::ledger::{EntryView, TreeHead};
use licit_schemas::resource::Page;
use serde_json::json;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::{resource, style, table};

mod prove;
mod verify;

/// The ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Size and root hash: keep both elsewhere, to ask for `licit ledger consistency` later
    #[command(after_help = "Example:\n  licit ledger head --json >> heads.jsonl")]
    Head,
    /// What was recorded
    Entries(EntriesArgs),
    /// Recompute every hash from the data, and compare with what the server says
    #[command(
        after_help = "Recomputes, for every entry from the first to the last: the digest of its data, its canonical form \
(RFC 8785), its leaf hash and the root of the tree (RFC 9162). Exit code 4 names the first entry that does not hold.

Example:
  licit ledger verify"
    )]
    Verify,
    /// Prove that an entry is in the tree
    Prove(prove::ProveArgs),
    /// Prove that the tree continues an earlier one
    Consistency(prove::ConsistencyArgs),
}

/// Which entries.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  licit ledger entries\n  licit ledger entries --from 1 --limit 1000 --json")]
pub(crate) struct EntriesArgs {
    /// First position; default: the newest that fill one page
    #[arg(long)]
    from: Option<u64>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Run a command on the ledger.
pub(crate) fn run(context: &Context, command: Ledger) -> Result<Exit> {
    let client = context.client()?;
    match command {
        Ledger::Head => {
            let answer = client.get("/ledger/head", &[])?;
            let head: TreeHead = typed(&answer)?;
            context.answer(&answer, || {
                table::facts(&[("entries", head.size.to_string()), ("root", head.root.to_string())])
            });
        }
        Ledger::Entries(args) => {
            let from = match args.from {
                Some(from) => from,
                None => {
                    let head: TreeHead = client.get_as("/ledger/head", &[])?;
                    head.size.saturating_sub(u64::from(args.limit)) + 1
                }
            };
            let (from, limit) = (from.to_string(), args.limit.to_string());
            let answer = client.get("/ledger/entries", &[("from", Some(&from)), ("limit", Some(&limit))])?;
            let page: Page<EntryView> = typed(&answer)?;
            context.answer(&answer, || {
                let row = |view: &EntryView| {
                    let entry = &view.entry;
                    vec![
                        entry.seq.to_string(),
                        resource::minute(&entry.at.to_string()),
                        format!("{} v{}", entry.kind, entry.v),
                        short(&entry.actor.0.to_string()),
                    ]
                };
                table::table(&["entry", "recorded", "kind", "actor"], page.items.iter().map(row).collect())
            });
        }
        Ledger::Prove(args) => prove::inclusion(context, &client, &args)?,
        Ledger::Consistency(args) => prove::consistency(context, &client, &args)?,
        Ledger::Verify => {
            let verified = verify::run(&client)?;
            let answer = json!({"verified": true, "size": verified.size, "root": verified.root});
            context.answer(&answer, || {
                let holds = style::green("the ledger holds");
                format!(
                    "{holds}\n{}",
                    table::facts(&[("entries", verified.size.to_string()), ("root", verified.root.to_string())])
                )
            });
        }
    }
    Ok(Exit::Done)
}

/// The end of an id: what tells it from others, where a whole one does not fit.
fn short(id: &str) -> String {
    id.rsplit('-').next().map_or_else(String::new, |end| format!("…{end}"))
}
