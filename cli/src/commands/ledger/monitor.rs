//! `licit ledger monitor`: what came since a checkpoint that was kept. It believes only the keys that signed that one, and those which
//! entries it has verified introduced since.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{ConsistencyProof, InclusionProof, KeyIntroduced};
use licit_schemas::merkle::{Edge, node_hash, verify_inclusion};
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::key::Vkey;
use licit_schemas::proof::ring::{INTRODUCED, KeyRing, KnownKey};
use licit_schemas::proof::tile::{HASH, Tile};
use serde_json::json;

use super::verify::{self, Received};
use super::{keep, served};
use crate::client::Client;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::output::progress::progress;
use crate::output::{style, table};

/// Since when.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads the server's checkpoint and every entry since the one you kept, recomputes them, and checks that the ledger \
continues what you kept and is signed by its keys. Exit code 4 where entries are gone or exchanged, or the signature is none of theirs; 5 \
where the server is not reached.

Examples:
  licit ledger checkpoint -o kept.checkpoint
  licit ledger monitor --since kept.checkpoint --write"
)]
pub(crate) struct MonitorArgs {
    /// The checkpoint you kept
    #[arg(long, value_name = "FILE")]
    since: PathBuf,
    /// Keep the new one in its place, once all holds
    #[arg(long)]
    write: bool,
    /// A key you trust, as `licit ledger keys` writes it, instead of whatever signed the one you kept; may be repeated
    #[arg(long, value_name = "KEY")]
    key: Vec<Vkey>,
}

/// Monitor.
pub(super) fn run(context: &Context, client: &Client, args: &MonitorArgs) -> Result<()> {
    let kept = verify::kept(&args.since)?;
    let now = served::checkpoint(client)?;
    let (old, new) = (kept.checkpoint.head, now.checkpoint.head);
    let path = match (old.size, new.size) {
        (old, new) if 0 < old && old < new => proof(client, old, new)?,
        _ => Vec::new(),
    };
    now.checkpoint.continues(&kept.checkpoint, &path).map_err(|e| broken(&e))?;
    let mut ring = trusted(client, &kept, &args.key)?;
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut edge = edge(client, &kept, new.size)?;
    let bar = progress(new.size - old.size);
    while edge.size() < new.size {
        let from = edge.size() + 1;
        let page = served::entries(client, from, (new.size - edge.size()).min(1000))?;
        if page.is_empty() {
            return Err(Failure::LedgerBroken(format!("entry {from} is missing; the checkpoint is of {}", new.size)));
        }
        for received in &page {
            let seq = edge.size() + 1;
            edge.push(verify::one(received, seq)?, |_, _| {});
            *kinds.entry(received.entry.kind.clone()).or_default() += 1;
            let folded = ring.fold(seq, &received.entry.kind, received.entry.v, received.data.get());
            folded.map_err(|why| Failure::LedgerBroken(format!("entry {seq}: {why}")))?;
        }
        bar.set_position(edge.size() - old.size);
    }
    bar.finish_and_clear();
    if edge.root() != new.root {
        let why = format!("the entries since {} do not make the root of the checkpoint of {}", old.size, new.size);
        return Err(Failure::LedgerBroken(why));
    }
    let others = ring.verify(&now).map_err(|e| broken(&format_args!("the checkpoint of {} entries: {e}", new.size)))?;
    if args.write {
        keep(&args.since, &now)?;
    }
    let answer = json!({
        "verified": true, "since": old.size, "size": new.size, "root": new.root, "kinds": kinds, "witnesses": others, "written": args.write,
    });
    context.answer(&answer, || {
        let holds = style::green(&format!("the ledger of {} entries continues the {} you kept", new.size, old.size));
        let mut rows = vec![("root", new.root.to_string()), ("new entries", (new.size - old.size).to_string())];
        rows.extend(kinds.iter().map(|(kind, count)| (kind.as_str(), count.to_string())));
        format!("{holds}\n{}", table::facts(&rows))
    });
    Ok(())
}

fn broken(why: &dyn std::fmt::Display) -> Failure {
    Failure::LedgerBroken(why.to_string())
}

fn proof(client: &Client, old: u64, new: u64) -> Result<Vec<Digest>> {
    let (from, to) = (old.to_string(), new.to_string());
    let query = [("from", Some(from.as_str())), ("to", Some(to.as_str()))];
    let proof: ConsistencyProof = client.get_as("/ledger/proofs/consistency", &query)?;
    Ok(proof.path)
}

/// Keys that may have signed since: those that signed what was kept, or were named; and others the ledger introduced before, each
/// with a proof that it did.
fn trusted(client: &Client, kept: &SignedCheckpoint, named: &[Vkey]) -> Result<KeyRing> {
    let size = kept.checkpoint.head.size;
    let said: KeyRing = client.get_as("/ledger/keys", &[])?;
    let candidates: Vec<&Vkey> =
        if named.is_empty() { said.keys.iter().map(|known| &known.key).collect() } else { named.iter().collect() };
    let signers = kept.verify(candidates).map_err(|e| broken(&format_args!("the checkpoint you kept: {e}")))?;
    let mut ring = KeyRing { origin: Some(kept.checkpoint.origin.clone()), keys: Vec::new() };
    // That the server says a key was retired costs nothing to believe: at worst too few are trusted.
    for known in said.keys.iter().filter(|known| known.introduced <= size && known.retired.is_none_or(|at| at > size)) {
        if signers.known.contains(&&known.key) || introduced(client, known, kept)? {
            ring.keys.push(KnownKey { key: known.key.clone(), introduced: known.introduced, retired: None });
        }
    }
    Ok(ring)
}

/// Whether an entry in the tree that was kept introduced this key.
fn introduced(client: &Client, known: &KnownKey, kept: &SignedCheckpoint) -> Result<bool> {
    let head = kept.checkpoint.head;
    let (seq, size) = (known.introduced.to_string(), head.size.to_string());
    let proof: InclusionProof =
        client.get_as("/ledger/proofs/inclusion", &[("seq", Some(&seq)), ("size", Some(&size))])?;
    let received: Received = client.get_as(&format!("/ledger/entries/{seq}"), &[])?;
    let leaf = verify::one(&received, known.introduced)?;
    verify_inclusion(&leaf, known.introduced.saturating_sub(1), head.size, &proof.path, &head.root).map_err(|e| {
        broken(&format_args!("entry {seq}: the proof that it is in the tree you kept does not hold: {e}"))
    })?;
    let told = serde_json::from_str::<KeyIntroduced>(received.data.get());
    Ok(received.entry.kind == INTRODUCED && told.is_ok_and(|told| told.key == known.key))
}

/// The right edge of the tree that was kept, from the tiles of now, with the root that was kept.
fn edge(client: &Client, kept: &SignedCheckpoint, size: u64) -> Result<Edge> {
    let head = kept.checkpoint.head;
    let mut failure = None;
    let restored = Edge::restore(head.size, |index| {
        let (tile, range) = Tile::around(index, size);
        match client.log(&tile.to_string()) {
            Ok(bytes) => {
                let hashes = bytes.chunks_exact(HASH).filter_map(|hash| hash.try_into().ok().map(Digest::from_bytes));
                let mut below: Vec<Digest> = hashes.skip(range.start).take(range.len()).collect();
                while below.len() > 1 {
                    let node = |pair: &[Digest]| pair.get(1).map(|right| node_hash(&pair[0], right));
                    below = below.chunks(2).filter_map(node).collect();
                }
                below.pop()
            }
            Err(e) => {
                failure = Some(e);
                None
            }
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    match restored {
        Some(edge) if edge.root() == head.root => Ok(edge),
        _ => Err(Failure::LedgerBroken(format!("the tiles do not make the root you kept of {} entries", head.size))),
    }
}
