//! The whole ledger recomputed from its data. Nothing the server or the file computed is believed.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::digest::Digest;
use licit_schemas::json;
use licit_schemas::ledger::Entry;
use licit_schemas::merkle::leaf_hash;
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::export::ExportFault;
use licit_schemas::proof::export::read::{self, Verified, Wanted};
use licit_schemas::proof::key::Vkey;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::export::Copy;
use super::public;
use super::served::Served;
use crate::context::Context;
use crate::error::{Failure, Result};
use crate::output::progress::progress;
use crate::output::{style, table};

/// What to verify, against what.
#[derive(Debug, Args)]
#[command(
    after_help = "Recomputes, for every entry from the first to the last: the digest of its data, its canonical form (RFC 8785), its leaf \
hash, every tile and the root of the tree (RFC 9162); then the signatures of the checkpoints. Exit code 4 names the first entry, tile or \
checkpoint that does not hold. Without --key the keys that the ledger itself brings are taken at its word: compare one with what you were \
told by other means.

Without a token a server started with --public-log is verified by its entries, tiles and checkpoint, with --key: their data are not public, \
so that these are not looked at.

Examples:
  licit ledger verify
  licit ledger verify ledger.tar --key KEY --checkpoint kept.checkpoint
  licit ledger verify https://licit.example"
)]
pub(crate) struct VerifyArgs {
    /// A file from `licit ledger export`, or the URL of a server; default: the configured server
    from: Option<String>,
    /// A key you trust, as `licit ledger keys` writes it; may be repeated
    #[arg(long, value_name = "KEY")]
    key: Vec<Vkey>,
    /// A checkpoint you kept, which the ledger must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

/// An entry with its data as the bytes that came: parsed and printed again, a number could come out otherwise.
#[derive(Deserialize)]
pub(super) struct Received {
    pub(super) entry: Entry,
    pub(super) leaf_hash: Digest,
    pub(super) data: Box<RawValue>,
}

/// Verify a file or a server.
pub(super) fn run(context: &Context, args: &VerifyArgs) -> Result<()> {
    let older = args.checkpoint.as_deref().map(kept).transpose()?;
    let wanted = Wanted { keys: args.key.clone(), older };
    let client = match args.from.as_deref() {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => Some(context.client_of(url)?),
        Some(_) => None,
        None => Some(context.client()?),
    };
    let verified = match (client, args.from.as_deref()) {
        (Some(client), _) => match Served::newest(client.clone()) {
            // Without a token a public log shows everything but the data.
            Err(Failure::Problem(problem)) if problem.status == 401 => return public::run(context, &client, &wanted),
            found => served(&mut found?, &wanted)?,
        },
        (None, path) => file(Path::new(path.unwrap_or_default()), &wanted)?,
    };
    let answer = summary(&verified, &wanted);
    context.answer(&answer, || format!("{}\n{}", style::green("the ledger holds"), lines(&verified, &wanted)));
    Ok(())
}

/// A checkpoint in a file.
pub(super) fn kept(path: &Path) -> Result<SignedCheckpoint> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file("read", path, &e))?;
    SignedCheckpoint::parse(&bytes).map_err(|e| Failure::plain(format!("`{}`: {e}", path.display())))
}

fn file(path: &Path, wanted: &Wanted) -> Result<Verified> {
    let file = std::fs::File::open(path).map_err(|e| Failure::file("read", path, &e))?;
    checked(BufReader::new(file), wanted)
}

/// What a server answers, checked as it comes.
pub(super) fn served(served: &mut Served, wanted: &Wanted) -> Result<Verified> {
    let outcome = checked(&mut *served, wanted);
    // A server that does not answer broke nothing: what it said is the failure.
    match served.take_failure() {
        Some(failure) => Err(failure),
        None => outcome,
    }
}

/// The same, while it is written down.
pub(super) fn copied(copy: &mut Copy, wanted: &Wanted) -> Result<Verified> {
    let outcome = checked(&mut *copy, wanted);
    match copy.take_failure() {
        Some(failure) => Err(failure),
        None => outcome,
    }
}

fn checked(bytes: impl std::io::Read, wanted: &Wanted) -> Result<Verified> {
    let bar = progress(1);
    let outcome = read::verify(bytes, wanted, |done, whole| {
        bar.set_length(whole);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    outcome.map_err(|fault| match fault {
        ExportFault::Io(e) => Failure::plain(format!("it cannot be read: {e}")),
        broken => Failure::LedgerBroken(broken.to_string()),
    })
}

/// What was found, for machines.
pub(super) fn summary(verified: &Verified, wanted: &Wanted) -> Value {
    json!({
        "verified": true,
        "size": verified.head.size,
        "root": verified.head.root,
        "origin": verified.ring.origin,
        "checkpoints": verified.checkpoints,
        "keys": verified.ring.keys,
        "keys_named": !wanted.keys.is_empty(),
        "continues": wanted.older.as_ref().map(|older| older.checkpoint.head.size),
    })
}

/// The same for people.
pub(super) fn lines(verified: &Verified, wanted: &Wanted) -> String {
    let mut rows = vec![
        ("entries", verified.head.size.to_string()),
        ("root", verified.head.root.to_string()),
        ("checkpoints", verified.checkpoints.to_string()),
    ];
    rows.extend(verified.ring.in_force(verified.head.size).map(|known| ("signed by", known.key.to_string())));
    if let Some(older) = &wanted.older {
        rows.push(("continues", format!("the checkpoint of {} entries you kept", older.checkpoint.head.size)));
    }
    let word = match wanted.keys.is_empty() {
        true => "the ledger's own word: compare a key with what you were told by other means, or name it with --key",
        false => "you named one of them, or one that vouches for them",
    };
    rows.push(("keys", word.to_owned()));
    table::facts(&rows)
}

/// The leaf of an entry, from its data up.
pub(super) fn one(received: &Received, expected: u64) -> Result<Digest> {
    let broken = |what: String| Failure::LedgerBroken(format!("entry {expected}: {what}"));
    let entry = &received.entry;
    if entry.seq != expected {
        return Err(broken(format!("in its place stands entry {}", entry.seq)));
    }
    let raw = Digest::of(received.data.get().as_bytes());
    if raw != entry.data {
        // A server or proxy may have printed the same data otherwise.
        let value = json::parse(received.data.get().as_bytes()).map_err(|e| broken(format!("its data are {e}")))?;
        let canonical = json::canonical(&value).map_err(|e| broken(format!("its data have no canonical form: {e}")))?;
        let digest = Digest::of(canonical.as_bytes());
        if digest != entry.data {
            return Err(broken(format!(
                "its data were changed: their digest is {digest}, the entry says {}",
                entry.data
            )));
        }
    }
    let canonical = json::canonical(entry).map_err(|e| broken(format!("it has no canonical form: {e}")))?;
    let leaf = leaf_hash(canonical.as_bytes());
    if leaf != received.leaf_hash {
        return Err(broken(format!("it was changed: its leaf hash is {leaf}, the server says {}", received.leaf_hash)));
    }
    Ok(leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(data: &str, seq: u64) -> Received {
        let of = Digest::of(br#"{"a":1}"#);
        let entry = format!(
            r#"{{"seq":{seq},"kind":"party.registered","v":1,"at":"2026-11-23T00:00:00Z","actor":"00000000-0000-0000-0000-000000000000","data":"{of}"}}"#
        );
        let parsed: Entry = serde_json::from_str(&entry).unwrap();
        let leaf = leaf_hash(json::canonical(&parsed).unwrap().as_bytes());
        Received { entry: parsed, leaf_hash: leaf, data: RawValue::from_string(data.to_owned()).unwrap() }
    }

    #[test]
    fn an_entry_holds_or_says_what_does_not() {
        assert!(one(&received(r#"{"a":1}"#, 1), 1).is_ok());
        assert!(one(&received(r#"{ "a": 1 }"#, 1), 1).is_ok());
        let changed = one(&received(r#"{"a":2}"#, 1), 1).unwrap_err();
        assert!(changed.to_string().contains("entry 1: its data were changed"), "{changed}");
        assert_eq!(changed.exit(), crate::error::Exit::LedgerBroken);
        assert!(one(&received(r#"{"a":1}"#, 3), 2).unwrap_err().to_string().contains("stands entry 3"));
        let mut forged = received(r#"{"a":1}"#, 1);
        forged.entry.kind = "party.changed".to_owned();
        assert!(one(&forged, 1).unwrap_err().to_string().contains("its leaf hash is"));
    }
}
