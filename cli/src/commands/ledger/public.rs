//! A public log, verified by whoever has no token: entries, tiles and the checkpoint. Data are not public: what entries commit to is not
//! looked at, and the keys, which stand in the data, must be known by other means.

use licit_schemas::merkle::{Edge, leaf_hash};
use licit_schemas::proof::export::ExportFault;
use licit_schemas::proof::export::read::{Wanted, compare, entry};
use licit_schemas::proof::levels::Levels;
use licit_schemas::proof::tile::{Content, Tile, WIDTH, unbundle};
use serde_json::json;

use super::served::{checkpoint, signed_for};
use crate::client::{Client, persistently};
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::output::progress::progress;
use crate::output::{style, table};

fn broken(fault: &ExportFault) -> Failure {
    Failure::LedgerBroken(fault.to_string())
}

/// Verify a public log.
pub(super) fn run(context: &Context, client: &Client, wanted: &Wanted) -> Result<()> {
    let signed = checkpoint(client)?;
    if wanted.keys.is_empty() {
        return Err(Failure::Usage(
            "without a token only the log is read, which does not tell who signs it: name a key you trust with --key"
                .to_owned(),
        ));
    }
    let head = signed.checkpoint.head;
    let said = |e: &dyn std::fmt::Display| Failure::LedgerBroken(format!("`checkpoint`: {e}"));
    signed.verify(wanted.keys.iter()).map_err(|e| said(&e))?;
    let older = wanted.older.as_ref();
    if let Some(older) = older.filter(|older| older.checkpoint.head.size > head.size) {
        let (kept, now) = (older.checkpoint.head.size, head.size);
        return Err(said(&format_args!("entries are gone: it is of {now}, the one you kept of {kept}")));
    }
    if let Some(older) = older {
        older.verify(wanted.keys.iter()).map_err(|e| Failure::LedgerBroken(format!("the checkpoint you kept: {e}")))?;
    }
    let bar = progress(head.size);
    let (mut edge, mut levels) = (Edge::default(), Levels::default());
    while edge.size() < head.size {
        let first = edge.size() + 1;
        let tile =
            Tile { content: Content::Entries, n: edge.size() / WIDTH, width: (head.size - edge.size()).min(WIDTH) };
        let bytes = signed_for(&tile, persistently(|| client.log(&tile.to_string())))?;
        let texts = unbundle(&bytes).filter(|texts| texts.len() as u64 == tile.width);
        let texts = texts.ok_or_else(|| Failure::LedgerBroken(format!("`{tile}`: it does not hold its entries")))?;
        let mut tiles = Vec::new();
        for (text, seq) in texts.into_iter().zip(first..) {
            entry(text, seq).map_err(|e| broken(&e))?;
            let leaf = leaf_hash(text);
            edge.push(leaf, |_, _| {});
            tiles.extend(levels.push(leaf));
            if let Some(older) = older.filter(|older| older.checkpoint.head.size == seq)
                && older.checkpoint.head.root != edge.root()
            {
                let why = format!(
                    "the checkpoint you kept: the ledger was exchanged: its root at {seq} entries is {}",
                    edge.root()
                );
                return Err(Failure::LedgerBroken(why));
            }
        }
        if edge.size() == head.size {
            tiles.extend(levels.partial());
        }
        for (tile, computed) in tiles {
            let found = signed_for(&tile, persistently(|| client.log(&tile.to_string())))?;
            compare(&tile, &found, &computed).map_err(|e| broken(&e))?;
        }
        bar.set_position(edge.size());
    }
    bar.finish_and_clear();
    if edge.root() != head.root {
        return Err(said(&"its root is not the one the entries make"));
    }
    let answer = json!({
        "verified": true, "size": head.size, "root": head.root, "origin": signed.checkpoint.origin, "data": false,
        "keys_named": true, "continues": older.map(|older| older.checkpoint.head.size),
    });
    context.answer(&answer, || {
        let mut rows = vec![("entries", head.size.to_string()), ("root", head.root.to_string())];
        if let Some(older) = older {
            rows.push(("continues", format!("the checkpoint of {} entries you kept", older.checkpoint.head.size)));
        }
        rows.push(("data", "not looked at: without a token the log is public, and the data are not".to_owned()));
        format!("{}\n{}", style::green("the log holds"), table::facts(&rows))
    });
    Ok(())
}
