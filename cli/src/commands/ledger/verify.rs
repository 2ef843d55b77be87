//! The whole ledger recomputed from its data. Nothing the server computed is believed.

use std::io::IsTerminal;

use indicatif::ProgressBar;
use licit_schemas::digest::Digest;
use licit_schemas::json;
use licit_schemas::ledger::{Entry, TreeHead};
use licit_schemas::merkle::{Edge, leaf_hash};
use licit_schemas::resource::Page;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::Client;
use crate::error::{Failure, Result};

/// An entry with its data as the bytes that came: parsed and printed again, a number could come out otherwise.
#[derive(Deserialize)]
pub(super) struct Received {
    entry: Entry,
    leaf_hash: Digest,
    data: Box<RawValue>,
}

/// Verify everything up to the present head.
pub(super) fn run(client: &Client) -> Result<TreeHead> {
    let head: TreeHead = client.get_as("/ledger/head", &[])?;
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(head.size) } else { ProgressBar::hidden() };
    let mut edge = Edge::default();
    while edge.size() < head.size {
        let from = edge.size() + 1;
        let text = client.get_text("/ledger/entries", &[("from", Some(&from.to_string())), ("limit", Some("1000"))])?;
        let page: Page<Received> = serde_json::from_str(&text)
            .map_err(|e| Failure::LedgerBroken(format!("the page from entry {from} is not of entries: {e}")))?;
        if page.items.is_empty() {
            return Err(Failure::LedgerBroken(format!("entry {from} is missing; the head speaks of {}", head.size)));
        }
        for received in &page.items {
            // What was appended since the head was read is for the next verification.
            if edge.size() == head.size {
                break;
            }
            edge.push(one(received, edge.size() + 1)?, |_, _| {});
        }
        bar.set_position(edge.size());
    }
    bar.finish_and_clear();
    if edge.root() != head.root {
        return Err(Failure::LedgerBroken(format!(
            "the root over all {} entries is {}, but the server's head says {}",
            head.size,
            edge.root(),
            head.root
        )));
    }
    Ok(head)
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
