//! A server's ledger in the form of an export, read member by member: what is checked of a file is checked of a server, and what is
//! exported is what was checked.

use std::collections::VecDeque;
use std::io::{self, Read};

use licit_schemas::digest::Digest;
use licit_schemas::json;
use licit_schemas::ledger::CheckpointView;
use licit_schemas::proof::checkpoint::SignedCheckpoint;
use licit_schemas::proof::export::{README, data_path, keys_text};
use licit_schemas::proof::ring::KeyRing;
use licit_schemas::proof::tile::{Content, Tile, WIDTH};
use licit_schemas::proof::ustar::{BLOCK, member};
use licit_schemas::resource::Page;

use super::verify::Received;
use crate::client::{Client, persistently};
use crate::error::{Failure, Result};

/// The signed checkpoint of a server.
pub(super) fn checkpoint(client: &Client) -> Result<SignedCheckpoint> {
    let bytes = client.log("checkpoint")?;
    SignedCheckpoint::parse(&bytes).map_err(|e| Failure::LedgerBroken(format!("the checkpoint of the server: {e}")))
}

/// The export of a server, as it is read.
pub(super) struct Served {
    client: Client,
    whole: SignedCheckpoint,
    ring: KeyRing,
    /// Bundles done.
    bundles: u64,
    /// Checkpoints that come next, and where the page after them begins.
    checkpoints: VecDeque<CheckpointView>,
    more: Option<u64>,
    ready: VecDeque<u8>,
    ended: bool,
    failure: Option<Failure>,
}

impl Served {
    /// Of the ledger as it stands.
    pub(super) fn newest(client: Client) -> Result<Self> {
        let whole = checkpoint(&client)?;
        Self::of(client, whole)
    }

    /// Of the largest size that was signed and is not above this one.
    pub(super) fn until(client: Client, size: u64) -> Result<Self> {
        let newest = checkpoint(&client)?;
        if newest.checkpoint.head.size <= size {
            return Self::of(client, newest);
        }
        // Checkpoints are asked for by their smallest size: pages further and further back, until one holds any.
        let (mut from, mut step) = (size, WIDTH);
        loop {
            let mut found = None;
            let mut next = Some(from);
            while let Some(at) = next.filter(|at| *at <= size) {
                let page = page(&client, at)?;
                found = page.items.iter().rfind(|view| view.size <= size).cloned().or(found);
                next = page.next.and_then(|next| next.parse().ok());
            }
            if let Some(view) = found {
                let signed = SignedCheckpoint::parse(view.note.as_bytes());
                let signed =
                    signed.map_err(|e| Failure::LedgerBroken(format!("the checkpoint of {}: {e}", view.size)))?;
                return Self::of(client, signed);
            }
            if from == 0 {
                return Err(Failure::plain(format!("no ledger of {size} entries or fewer was ever signed")));
            }
            from = from.saturating_sub(step);
            step *= 4;
        }
    }

    fn of(client: Client, whole: SignedCheckpoint) -> Result<Self> {
        let ring: KeyRing = client.get_as("/ledger/keys", &[])?;
        let mut served = Self {
            client,
            whole,
            ring,
            bundles: 0,
            checkpoints: VecDeque::new(),
            more: Some(0),
            ready: VecDeque::new(),
            ended: false,
            failure: None,
        };
        served.put("README.txt", README.as_bytes())?;
        let note = served.whole.note.to_string();
        served.put("checkpoint", note.as_bytes())?;
        Ok(served)
    }

    /// What the server said instead of answering.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let whole = member(name, bytes);
        self.ready.extend(whole.ok_or_else(|| Failure::plain(format!("`{name}` is too large for a tar file")))?);
        Ok(())
    }

    /// The next members.
    fn go_on(&mut self) -> Result<()> {
        let size = self.whole.checkpoint.head.size;
        if self.bundles >= size.div_ceil(WIDTH) {
            let keys = keys_text(&self.ring, size);
            self.put("keys.json", keys.as_bytes())?;
            self.ready.extend([0; BLOCK * 2]);
            self.ended = true;
            return Ok(());
        }
        let n = self.bundles;
        let first = n * WIDTH + 1;
        let width = (size - n * WIDTH).min(WIDTH);
        let entries = Tile { content: Content::Entries, n, width };
        let bytes = signed_for(&entries, persistently(|| self.client.log(&entries.to_string())))?;
        self.put(&entries.to_string(), &bytes)?;
        let data = persistently(|| data(&self.client, first, width))?;
        self.put(&data_path(n), data.as_bytes())?;
        for tile in Tile::finished_by(n, size) {
            let bytes = signed_for(&tile, persistently(|| self.client.log(&tile.to_string())))?;
            self.put(&tile.to_string(), &bytes)?;
        }
        let end = first + width - 1;
        while let Some(view) = self.next_checkpoint(end)? {
            self.put(&format!("checkpoints/{}", view.size), view.note.as_bytes())?;
        }
        self.bundles += 1;
        Ok(())
    }

    /// The next earlier checkpoint of this size or a smaller one.
    fn next_checkpoint(&mut self, end: u64) -> Result<Option<CheckpointView>> {
        if self.checkpoints.is_empty()
            && let Some(from) = self.more.filter(|from| *from <= end)
        {
            let page = persistently(|| page(&self.client, from))?;
            self.more = page.next.and_then(|next| next.parse().ok());
            self.checkpoints = page.items.into();
        }
        let due = self.checkpoints.front().is_some_and(|view| view.size <= end);
        Ok(if due { self.checkpoints.pop_front() } else { None })
    }
}

/// What a server signed it must be able to show: that it cannot is a fault of its ledger.
pub(super) fn signed_for(tile: &Tile, answer: Result<Vec<u8>>) -> Result<Vec<u8>> {
    answer.map_err(|failure| match &failure {
        Failure::Problem(problem) if matches!(problem.status, 404 | 500) => {
            Failure::LedgerBroken(format!("the server cannot show `{tile}` of the ledger it signed: {failure}"))
        }
        _ => failure,
    })
}

fn page(client: &Client, from: u64) -> Result<Page<CheckpointView>> {
    client.get_as("/ledger/checkpoints", &[("from", Some(&from.to_string())), ("limit", Some("1000"))])
}

/// The data of entries, one line each, in canonical form: what is not the data they commit to is found by who checks.
fn data(client: &Client, first: u64, width: u64) -> Result<String> {
    let mut lines = String::new();
    for received in entries(client, first, width)? {
        let raw = received.data.get();
        let printed = || json::parse(raw.as_bytes()).ok().and_then(|value| json::canonical(&value).ok());
        // A server or proxy may have printed the same data otherwise.
        let canonical = if Digest::of(raw.as_bytes()) == received.entry.data { None } else { printed() };
        lines.push_str(canonical.as_deref().unwrap_or(raw));
        lines.push('\n');
    }
    Ok(lines)
}

/// Entries from a position on, so many.
pub(super) fn entries(client: &Client, first: u64, width: u64) -> Result<Vec<Received>> {
    let (from, limit) = (first.to_string(), width.to_string());
    let text = client.get_text("/ledger/entries", &[("from", Some(&from)), ("limit", Some(&limit))])?;
    let page: Page<Received> = serde_json::from_str(&text)
        .map_err(|e| Failure::LedgerBroken(format!("the page from entry {first} is not of entries: {e}")))?;
    Ok(page.items)
}

impl Read for Served {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.ended {
            if let Err(failure) = self.go_on() {
                self.failure = Some(failure);
                return Err(io::Error::other("the server did not answer"));
            }
        }
        self.ready.read(into)
    }
}
