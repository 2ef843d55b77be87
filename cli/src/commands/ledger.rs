//! `licit ledger`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use licit_schemas::ledger::{EntryView, TreeHead};
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::ring::KeyRing;
use licit_schemas::resource::Page;
use serde_json::json;

use crate::client::typed;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::output::private::Lines;
use crate::output::{resource, table};

mod export;
mod monitor;
mod prove;
mod public;
mod served;
mod verify;

/// The ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Size and root hash: keep both elsewhere, to ask for `licit ledger consistency` later
    #[command(after_help = "Example:\n  licit ledger head --json >> heads.jsonl")]
    Head,
    /// What was recorded
    Entries(EntriesArgs),
    /// Recompute everything from the data, of a server or a file, and check who signed it
    Verify(verify::VerifyArgs),
    /// Write the whole ledger into one file that is checked without us
    Export(export::ExportArgs),
    /// Check what came since a checkpoint you kept: for cron
    Monitor(monitor::MonitorArgs),
    /// The ledger as it stands, signed
    Checkpoint(CheckpointArgs),
    /// Name of the ledger, and the keys that sign it or did
    #[command(after_help = "Example:\n  licit ledger keys")]
    Keys,
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

/// Where to write it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  licit ledger checkpoint\n  licit ledger checkpoint -o kept.checkpoint")]
pub(crate) struct CheckpointArgs {
    /// File to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Run a command on the ledger.
pub(crate) fn run(context: &Context, command: Ledger) -> Result<Exit> {
    // A file is checked without any server, and another server with no token of this one.
    if let Ledger::Verify(args) = &command {
        verify::run(context, args)?;
        return Ok(Exit::Done);
    }
    let client = context.client()?;
    match command {
        Ledger::Verify(_) => {}
        Ledger::Export(args) => export::run(context, client, &args)?,
        Ledger::Monitor(args) => monitor::run(context, &client, &args)?,
        Ledger::Checkpoint(args) => {
            let signed = served::checkpoint(&client)?;
            match &args.output {
                Some(path) => keep(path, &signed)?,
                None => {
                    let head = &signed.checkpoint.head;
                    let note = signed.note.to_string();
                    let answer = json!({"size": head.size, "root": head.root, "note": note});
                    context.answer(&answer, || note.trim_end().to_owned());
                }
            }
        }
        Ledger::Keys => {
            let answer = client.get("/ledger/keys", &[])?;
            let ring: KeyRing = typed(&answer)?;
            context.answer(&answer, || {
                let mut rows = vec![("ledger", ring.origin.as_ref().map(ToString::to_string).unwrap_or_default())];
                rows.extend(ring.keys.iter().map(|known| {
                    let until = known.retired.map(|retired| format!(" to {retired}")).unwrap_or_default();
                    ("key", format!("{} (from entry {}{until})", known.key, known.introduced))
                }));
                table::facts(&rows)
            });
        }
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
    }
    Ok(Exit::Done)
}

/// Put a checkpoint into a file, whole or not at all.
fn keep(path: &Path, signed: &SignedCheckpoint) -> Result<()> {
    let mut file = Lines::begin(path)?;
    file.bytes(signed.note.to_string().as_bytes())?;
    file.finish()
}

/// The end of an id: what tells it from others, where a whole one does not fit.
fn short(id: &str) -> String {
    id.rsplit('-').next().map_or_else(String::new, |end| format!("…{end}"))
}
