//! Entries, head and proofs, read from the tables.

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{CheckpointView, ConsistencyProof, Entry, EntryView, InclusionProof, TreeHead};
use licit_schemas::merkle::{self, ProveError};
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::tile::{self, Content, Tile, WIDTH};
use licit_schemas::resource::Page;

use crate::db::migrate::{digest, hash_at};
use crate::db::schema::{evidence, ledger_checkpoint, ledger_entry, ledger_head};
use crate::db::{Conn, checkpoint};
use crate::error::{Error, Result};

/// The tree as it stands.
///
/// # Errors
/// What the database said.
pub fn head(conn: &mut Conn) -> Result<TreeHead> {
    kept_head(conn)?.ok_or_else(|| Error::Internal("the ledger's head is missing".to_owned()))
}

/// The tree as it stands; `None` where somebody took its row out.
///
/// # Errors
/// What the database said.
pub fn kept_head(conn: &mut Conn) -> Result<Option<TreeHead>> {
    let kept: Option<(i64, Vec<u8>)> =
        ledger_head::table.find(1).select((ledger_head::size, ledger_head::root)).first(conn).optional()?;
    let Some((size, root)) = kept else { return Ok(None) };
    Ok(Some(TreeHead {
        size: u64::try_from(size).unwrap_or(0),
        root: digest(&root).ok_or_else(|| Error::Internal("the ledger's root is not 32 bytes".to_owned()))?,
    }))
}

/// Entries from a position on.
///
/// # Errors
/// A limit out of range.
pub fn entries(conn: &mut Conn, from: u64, limit: u16) -> Result<Page<EntryView>> {
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid("/limit", format!("`{limit}` is out of range: ask for 1 to 1000 entries a page")));
    }
    let rows: Vec<(i64, String, String)> = ledger_entry::table
        .filter(ledger_entry::seq.ge(i64::try_from(from).unwrap_or(i64::MAX)))
        .order(ledger_entry::seq)
        .limit(i64::from(limit))
        .select((ledger_entry::seq, ledger_entry::entry, ledger_entry::data))
        .load(conn)?;
    let full = rows.len() == usize::from(limit);
    let next = rows.last().filter(|_| full).map(|(seq, _, _)| (seq + 1).to_string());
    let items = rows.into_iter().map(|(seq, entry, data)| view(seq, &entry, &data)).collect::<Result<_>>()?;
    Ok(Page { items, next })
}

fn view(seq: i64, entry: &str, data: &str) -> Result<EntryView> {
    let broken = |e: serde_json::Error| Error::Internal(format!("ledger entry {seq}: {e}"));
    let parsed: Entry = serde_json::from_str(entry).map_err(broken)?;
    Ok(EntryView {
        entry: parsed,
        leaf_hash: merkle::leaf_hash(entry.as_bytes()),
        data: serde_json::from_str(data).map_err(broken)?,
    })
}

/// One entry.
///
/// # Errors
/// No such entry.
pub fn entry(conn: &mut Conn, seq: u64) -> Result<EntryView> {
    let page = entries(conn, seq, 1)?;
    page.items
        .into_iter()
        .find(|e| e.entry.seq == seq)
        .ok_or_else(|| Error::NotFound(format!("there is no ledger entry {seq}")))
}

/// Root of the tree when it had `size` entries.
fn root_at(conn: &mut Conn, size: u64) -> Result<Digest> {
    Ok(edge(conn, size)?.root())
}

/// Right edge of the tree when it had `size` entries.
///
/// # Errors
/// Nodes that are missing.
pub fn edge(conn: &mut Conn, size: u64) -> Result<merkle::Edge> {
    let mut failed = None;
    let edge = merkle::Edge::restore(size, |index| hash_at(conn, index).map_err(|e| failed = Some(e)).ok());
    edge.ok_or_else(|| failed.unwrap_or_else(|| Error::Internal("a Merkle node is missing".to_owned())))
}

/// Every entry from one position to another, without data.
///
/// # Errors
/// Entries that are missing.
pub fn leaves(conn: &mut Conn, first: u64, last: u64) -> Result<Vec<Entry>> {
    let bound = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let rows: Vec<String> = ledger_entry::table
        .filter(ledger_entry::seq.ge(bound(first)))
        .filter(ledger_entry::seq.le(bound(last)))
        .order(ledger_entry::seq)
        .select(ledger_entry::entry)
        .load(conn)?;
    let read = |text: String| serde_json::from_str(&text).map_err(|e| Error::Internal(format!("ledger entry: {e}")));
    let entries: Vec<Entry> = rows.into_iter().map(read).collect::<Result<_>>()?;
    let whole = u64::try_from(entries.len()).is_ok_and(|found| first.checked_add(found) == last.checked_add(1));
    if whole { Ok(entries) } else { Err(Error::Internal("ledger entries are missing".to_owned())) }
}

fn proved<T>(result: std::result::Result<T, ProveError<Error>>, what: &str) -> Result<T> {
    result.map_err(|e| match e {
        ProveError::Read(e) => e,
        ProveError::NoSuch(_) => Error::invalid("", format!("there is no {what}")),
        ProveError::Incomplete { .. } => Error::Internal("Merkle nodes are missing".to_owned()),
    })
}

/// Proof that an entry is in the tree of a size.
///
/// # Errors
/// A position or size beyond the ledger.
pub fn inclusion(conn: &mut Conn, seq: u64, size: Option<u64>) -> Result<InclusionProof> {
    let head = head(conn)?;
    let size = size.unwrap_or(head.size);
    if size > head.size || size == 0 {
        return Err(Error::invalid(
            "/size",
            format!("`{size}` is no size of this ledger: it has {} entries", head.size),
        ));
    }
    if seq == 0 || seq > size {
        return Err(Error::invalid("/seq", format!("`{seq}` is no position in a tree of {size} entries")));
    }
    let path =
        proved(merkle::inclusion_proof(seq - 1, size, |indexes| checkpoint::hashes(conn, indexes)), "such proof")?;
    let leaf_hash = entry(conn, seq)?.leaf_hash;
    Ok(InclusionProof { seq, size, leaf_hash, root: root_at(conn, size)?, path })
}

/// Proof that the tree of one size continues that of another.
///
/// # Errors
/// Sizes beyond the ledger or in the wrong order; an older size of 0 proves nothing.
pub fn consistency(conn: &mut Conn, from: u64, to: Option<u64>) -> Result<ConsistencyProof> {
    let head = head(conn)?;
    let to = to.unwrap_or(head.size);
    if to > head.size {
        return Err(Error::invalid("/to", format!("`{to}` is no size of this ledger: it has {} entries", head.size)));
    }
    if from == 0 || from > to {
        return Err(Error::invalid("/from", format!("`{from}` is not between 1 and {to}")));
    }
    let path = proved(merkle::consistency_proof(from, to, |indexes| checkpoint::hashes(conn, indexes)), "such proof")?;
    Ok(ConsistencyProof { from, to, from_root: root_at(conn, from)?, to_root: root_at(conn, to)?, path })
}

/// The newest checkpoint that was signed.
///
/// # Errors
/// One that cannot be read, or what the database said.
pub fn newest_signed(conn: &mut Conn) -> Result<Option<SignedCheckpoint>> {
    let note: Option<Option<String>> = ledger_checkpoint::table
        .filter(ledger_checkpoint::note.is_not_null())
        .order(ledger_checkpoint::size.desc())
        .select(ledger_checkpoint::note)
        .first(conn)
        .optional()?;
    note.flatten().map(|note| read_kept(&note)).transpose()
}

/// A note that was kept.
///
/// # Errors
/// It is none.
pub fn read_kept(note: &str) -> Result<SignedCheckpoint> {
    let read = SignedCheckpoint::parse(note.as_bytes());
    read.map_err(|e| Error::Internal(format!("a kept checkpoint cannot be read: {e}")))
}

/// Checkpoints that were signed, from a size on, smallest first.
///
/// # Errors
/// A limit out of range.
pub fn checkpoints(conn: &mut Conn, from: u64, limit: u16) -> Result<Page<CheckpointView>> {
    if !(1..=1000).contains(&limit) {
        return Err(Error::invalid(
            "/limit",
            format!("`{limit}` is out of range: ask for 1 to 1000 checkpoints a page"),
        ));
    }
    let rows: Vec<(i64, Option<String>)> = ledger_checkpoint::table
        .filter(ledger_checkpoint::size.ge(i64::try_from(from).unwrap_or(i64::MAX)))
        .filter(ledger_checkpoint::note.is_not_null())
        .order(ledger_checkpoint::size)
        .limit(i64::from(limit))
        .select((ledger_checkpoint::size, ledger_checkpoint::note))
        .load(conn)?;
    let full = rows.len() == usize::from(limit);
    let next = rows.last().filter(|_| full).map(|(size, _)| (size + 1).to_string());
    let view = |(size, note): (i64, Option<String>)| CheckpointView {
        size: u64::try_from(size).unwrap_or(0),
        note: note.unwrap_or_default(),
    };
    Ok(Page { items: rows.into_iter().map(view).collect(), next })
}

/// The bytes of a tile, or of a bundle of entries.
///
/// # Errors
/// The ledger is not as long yet.
pub fn tile(conn: &mut Conn, tile: &Tile) -> Result<Vec<u8>> {
    let head = head(conn)?;
    let absent = || Error::NotFound(format!("the ledger of {} entries has no `{tile}` yet", head.size));
    if tile.end().is_none_or(|end| end > head.size) {
        return Err(absent());
    }
    if tile.content != Content::Entries {
        let hashes = checkpoint::hashes(conn, &tile.indexes())?;
        return Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect());
    }
    let first = i64::try_from(tile.n * WIDTH).unwrap_or(i64::MAX);
    let last = first.saturating_add(i64::try_from(tile.width).unwrap_or(0));
    let entries: Vec<String> = ledger_entry::table
        .filter(ledger_entry::seq.gt(first))
        .filter(ledger_entry::seq.le(last))
        .order(ledger_entry::seq)
        .select(ledger_entry::entry)
        .load(conn)?;
    if u64::try_from(entries.len()).ok() != Some(tile.width) {
        return Err(Error::Internal(format!("entries of `{tile}` are missing")));
    }
    tile::bundle(entries.iter().map(String::as_bytes))
        .ok_or_else(|| Error::Internal(format!("an entry of `{tile}` is longer than 65,535 bytes")))
}

/// The kept evidence of a decision, by digest.
///
/// # Errors
/// None kept, or what is kept is not what the digest says.
pub fn kept_evidence(conn: &mut Conn, sum: &Digest) -> Result<String> {
    let body: Option<Vec<u8>> = evidence::table.find(sum.to_string()).select(evidence::body).first(conn).optional()?;
    let body = body.ok_or_else(|| Error::NotFound("the evidence of this decision is not kept".to_owned()))?;
    inflated(&body, sum)
}

/// Canonical evidence as it is kept, read back and held against its digest.
///
/// # Errors
/// Bytes that are not what was recorded.
pub fn inflated(body: &[u8], sum: &Digest) -> Result<String> {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::ZlibDecoder::new(body), &mut text)
        .map_err(|e| Error::Internal(format!("evidence {sum}: {e}")))?;
    if Digest::of(text.as_bytes()) != *sum {
        return Err(Error::Internal(format!("evidence {sum} is not what was recorded")));
    }
    Ok(text)
}
