//! Checking an export: everything is computed again from the entries' data up, and nothing the file says is believed.

use std::io::Read;

use super::{ExportFault, MOST_DATA, README, data_path, keys_text};
use crate::digest::Digest;
use crate::ledger::{Entry, TreeHead};
use crate::merkle::{Edge, leaf_hash};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::key::Vkey;
use crate::proof::levels::Levels;
use crate::proof::note;
use crate::proof::ring::KeyRing;
use crate::proof::tile::{Content, Tile, WIDTH, unbundle};
use crate::proof::ustar::{self, BLOCK, padding};

/// What the file is held against.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Keys the caller trusts; none: those that the file brings are taken at its word.
    pub keys: Vec<Vkey>,
    /// A checkpoint kept from before, which the file must continue.
    pub older: Option<SignedCheckpoint>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Size and root.
    pub head: TreeHead,
    /// Name and keys, as the entries tell them.
    pub ring: KeyRing,
    /// Checkpoints that hold, that of the whole included.
    pub checkpoints: u64,
}

/// Check a whole export. `progress` hears of the entries done, and of how many there are to be.
///
/// # Errors
/// The first entry, tile, checkpoint or other member that does not hold.
pub fn verify(file: impl Read, wanted: &Wanted, mut progress: impl FnMut(u64, u64)) -> Result<Verified, ExportFault> {
    let mut members = Members { file, next: None };
    if members.whole("README.txt", README.len())? != README.as_bytes() {
        return Err(ExportFault::member("README.txt", "it is not the text of this format"));
    }
    let note = members.whole("checkpoint", note::MOST)?;
    let signed = SignedCheckpoint::parse(&note).map_err(|e| ExportFault::member("checkpoint", e.to_string()))?;
    let mut check = Check {
        wanted,
        size: signed.checkpoint.head.size,
        edge: Edge::default(),
        ring: KeyRing::default(),
        levels: Levels::default(),
        trusted: wanted.keys.clone(),
        checkpoints: 0,
    };
    while check.edge.size() < check.size {
        check.bundle(&mut members)?;
        progress(check.edge.size(), check.size);
    }
    let keys = keys_text(&check.ring, check.size);
    if members.whole("keys.json", keys.len())? != keys.as_bytes() {
        return Err(ExportFault::member("keys.json", "it does not say what the entries say of the keys"));
    }
    members.end()?;
    let root = check.edge.root();
    check.checkpoint("checkpoint", &signed, Some(root))?;
    if !wanted.keys.is_empty() && signed.verify(check.trusted.iter()).is_err() {
        let why = "none of the keys you named signed it, nor one they vouch for";
        return Err(ExportFault::member("checkpoint", why));
    }
    if let Some(older) = wanted.older.as_ref().filter(|older| older.checkpoint.head.size > check.size) {
        let why =
            format!("entries are gone: it is of {}, the one you kept of {}", check.size, older.checkpoint.head.size);
        return Err(ExportFault::member("checkpoint", why));
    }
    if let Some(older) = &wanted.older {
        check.ring.verify(older).map_err(|e| ExportFault::member("the checkpoint you kept", e.to_string()))?;
    }
    Ok(Verified { head: signed.checkpoint.head, ring: check.ring, checkpoints: check.checkpoints })
}

struct Check<'a> {
    wanted: &'a Wanted,
    size: u64,
    edge: Edge,
    ring: KeyRing,
    levels: Levels,
    /// Keys named by the caller, and those introduced by entries that a trusted key signed.
    trusted: Vec<Vkey>,
    checkpoints: u64,
}

impl Check<'_> {
    /// The next 256 entries, or the last, and what belongs to them.
    fn bundle(&mut self, members: &mut Members<impl Read>) -> Result<(), ExportFault> {
        let first = self.edge.size() + 1;
        let width = (self.size - self.edge.size()).min(WIDTH);
        let tile = Tile { content: Content::Entries, n: self.edge.size() / WIDTH, width };
        let name = tile.to_string();
        // 256 entries of at most 65,535 bytes behind two of length.
        let bytes = members.whole(&name, (usize::from(u16::MAX) + 2) * 256)?;
        let texts = unbundle(&bytes).filter(|texts| texts.len() as u64 == width);
        let texts = texts.ok_or_else(|| ExportFault::member(&name, format!("it does not hold {width} entries")))?;
        let mut entries = Vec::with_capacity(texts.len());
        for (text, seq) in texts.into_iter().zip(first..) {
            entries.push((entry(text, seq)?, leaf_hash(text)));
        }
        self.data(members, tile.n, &entries)?;
        let mut tiles = Vec::new();
        let mut roots = Vec::with_capacity(entries.len());
        for (_, leaf) in &entries {
            self.edge.push(*leaf, |_, _| {});
            roots.push(self.edge.root());
            tiles.extend(self.levels.push(*leaf));
        }
        if self.edge.size() == self.size {
            tiles.extend(self.levels.partial());
        }
        for (tile, wanted) in tiles {
            compare(&tile, &members.whole(&tile.to_string(), wanted.len())?, &wanted)?;
        }
        let root = |size: u64| {
            let place = usize::try_from(size.checked_sub(first)?).ok()?;
            roots.get(place).copied()
        };
        let mut before = first - 1;
        while let Some((name, size)) = members.checkpoint()? {
            if size <= before {
                return Err(ExportFault::member(&name, "it does not stand in its order"));
            }
            before = size;
            let note = members.whole(&name, note::MOST)?;
            let signed = SignedCheckpoint::parse(&note).map_err(|e| ExportFault::member(&name, e.to_string()))?;
            if signed.checkpoint.head.size != size {
                return Err(ExportFault::member(&name, "it is of another size than its name says"));
            }
            self.checkpoint(&name, &signed, root(size))?;
        }
        if let Some(older) = &self.wanted.older
            && let Some(root) = root(older.checkpoint.head.size)
            && root != older.checkpoint.head.root
        {
            let why = format!(
                "the ledger was exchanged: its root at {} entries is {root}, the one you kept {}",
                older.checkpoint.head.size, older.checkpoint.head.root
            );
            return Err(ExportFault::member("the checkpoint you kept", why));
        }
        Ok(())
    }

    /// The data of a bundle, line by line.
    fn data(
        &mut self,
        members: &mut Members<impl Read>,
        n: u64,
        entries: &[(Entry, Digest)],
    ) -> Result<(), ExportFault> {
        let name = data_path(n);
        let mut lines = members.lines(&name)?;
        for (entry, _) in entries {
            let broken = |why: String| ExportFault::Entry(entry.seq, why);
            let line = lines.next()?.ok_or_else(|| broken(format!("its data are missing in `{name}`")))?;
            if Digest::of(&line) != entry.data {
                return Err(broken(format!("its data in `{name}` are not those it commits to")));
            }
            let text = std::str::from_utf8(&line).map_err(|_| broken("its data are not UTF-8".to_owned()))?;
            self.ring.fold(entry.seq, &entry.kind, entry.v, text).map_err(broken)?;
        }
        lines.end(&name)
    }

    /// A checkpoint whose tree has this root.
    fn checkpoint(&mut self, name: &str, signed: &SignedCheckpoint, root: Option<Digest>) -> Result<(), ExportFault> {
        let head = signed.checkpoint.head;
        let fault = |why: String| Err(ExportFault::member(name, why));
        match root {
            None => return fault("it is of a size that is not among the entries before it".to_owned()),
            Some(root) if root != head.root => return fault("its root is not the one the entries make".to_owned()),
            Some(_) => {}
        }
        // No others sign what is exported: a signature that nobody can judge would be bytes that may be any.
        match self.ring.verify(signed) {
            Err(e) => return fault(e.to_string()),
            Ok(others) if !others.is_empty() => return fault(format!("it is signed by {} too", others.join(", "))),
            Ok(_) => {}
        }
        if signed.verify(self.trusted.iter()).is_ok() {
            let vouched = self.ring.keys.iter().filter(|known| known.introduced <= head.size).map(|known| &known.key);
            let fresh: Vec<Vkey> = vouched.filter(|key| !self.trusted.contains(key)).cloned().collect();
            self.trusted.extend(fresh);
        }
        self.checkpoints += 1;
        Ok(())
    }
}

/// An entry from its bytes: in its place, and in canonical form.
///
/// # Errors
/// It stands elsewhere, or is written otherwise.
pub fn entry(text: &[u8], seq: u64) -> Result<Entry, ExportFault> {
    let broken = |why: String| ExportFault::Entry(seq, why);
    let value = crate::json::parse(text).map_err(|e| broken(format!("it cannot be read: {e}")))?;
    let entry: Entry = serde_json::from_value(value).map_err(|e| broken(format!("it cannot be read: {e}")))?;
    if entry.seq != seq {
        return Err(broken(format!("in its place stands entry {}", entry.seq)));
    }
    let canonical = crate::json::canonical(&entry).map_err(|e| broken(e.to_string()))?;
    if canonical.as_bytes() == text { Ok(entry) } else { Err(broken("it is not in canonical form".to_owned())) }
}

/// A tile against what the entries make: of leaves, the first entry that differs is named.
///
/// # Errors
/// The first hash that differs.
pub fn compare(tile: &Tile, found: &[u8], wanted: &[u8]) -> Result<(), ExportFault> {
    if found == wanted {
        return Ok(());
    }
    let place = found.chunks(32).zip(wanted.chunks(32)).take_while(|(a, b)| a == b).count() as u64;
    let why = match tile.content {
        Content::Hashes(0) => format!("hash {place} is not the leaf of entry {}", tile.n * WIDTH + place + 1),
        _ => format!("hash {place} is not the one the entries make"),
    };
    Err(ExportFault::member(&tile.to_string(), why))
}

/// The members of the file, one after the other.
struct Members<R> {
    file: R,
    /// A header that was looked at.
    next: Option<(String, u64)>,
}

impl<R: Read> Members<R> {
    /// Name and size of the next member; `expected` names it where it cannot be read.
    fn peek(&mut self, expected: &str) -> Result<&(String, u64), ExportFault> {
        if self.next.is_none() {
            let mut block = [0u8; BLOCK];
            self.fill(&mut block, expected)?;
            if block == [0; BLOCK] {
                return Err(ExportFault::member(expected, "the file ends before it"));
            }
            let stated = ustar::stated(&block);
            let damaged = || {
                let seeming = ustar::seeming(&block);
                ExportFault::member(
                    expected,
                    format!("its header in the file is damaged (it begins with `{}`)", seeming.escape_debug()),
                )
            };
            self.next = Some(stated.ok_or_else(damaged)?);
        }
        self.next.as_ref().ok_or_else(|| ExportFault::member(expected, "the file ends before it"))
    }

    fn fill(&mut self, bytes: &mut [u8], expected: &str) -> Result<(), ExportFault> {
        self.file.read_exact(bytes).map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => ExportFault::member(expected, "the file is cut off there"),
            _ => ExportFault::Io(e),
        })
    }

    /// The header of the member that must come now.
    fn open(&mut self, name: &str) -> Result<u64, ExportFault> {
        let (found, size) = self.peek(name)?.clone();
        if found != name {
            return Err(ExportFault::member(name, format!("in its place stands `{}`", found.escape_debug())));
        }
        self.next = None;
        Ok(size)
    }

    fn close(&mut self, name: &str, size: u64) -> Result<(), ExportFault> {
        let mut rest = [0u8; BLOCK];
        let rest = &mut rest[..padding(size)];
        self.fill(rest, name)?;
        if rest.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(ExportFault::member(name, "bytes follow it that belong to nothing"))
        }
    }

    /// A member whole, of so many bytes at most.
    fn whole(&mut self, name: &str, most: usize) -> Result<Vec<u8>, ExportFault> {
        let size = self.open(name)?;
        let length = usize::try_from(size).ok().filter(|length| *length <= most);
        let length =
            length.ok_or_else(|| ExportFault::member(name, format!("it has {size} bytes, more than it may")))?;
        let mut bytes = vec![0; length];
        self.fill(&mut bytes, name)?;
        self.close(name, size)?;
        Ok(bytes)
    }

    /// The next member, if it is an earlier checkpoint.
    fn checkpoint(&mut self) -> Result<Option<(String, u64)>, ExportFault> {
        let (name, _) = self.peek("the next member")?;
        let Some(size) = name.strip_prefix("checkpoints/") else { return Ok(None) };
        let read = size.parse().ok().filter(|read: &u64| read.to_string() == size);
        let name = name.clone();
        let read = read.ok_or_else(|| ExportFault::member(&name, "its name says no size"))?;
        Ok(Some((name, read)))
    }

    fn lines(&mut self, name: &str) -> Result<Lines<'_, R>, ExportFault> {
        let size = self.open(name)?;
        Ok(Lines { left: size, size, buffer: Vec::new(), given: 0, members: self, name: name.to_owned() })
    }

    /// Nothing but the end of a tar file.
    fn end(&mut self) -> Result<(), ExportFault> {
        let mut blocks = [0u8; BLOCK * 2];
        self.fill(&mut blocks, "the end of the file")?;
        let mut beyond = [0u8; 1];
        if blocks != [0; BLOCK * 2] || self.file.read(&mut beyond)? != 0 {
            return Err(ExportFault::member("the end of the file", "more follows than belongs there"));
        }
        Ok(())
    }
}

/// A member line by line.
struct Lines<'a, R> {
    members: &'a mut Members<R>,
    name: String,
    size: u64,
    left: u64,
    /// Read so far, from the line that was given out last.
    buffer: Vec<u8>,
    /// Bytes of it that were given out.
    given: usize,
}

impl<R: Read> Lines<'_, R> {
    /// The next line without its end; none after the last.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ExportFault> {
        let mut searched = self.given;
        loop {
            if let Some(length) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer[self.given..searched + length].to_vec();
                self.given = searched + length + 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.given);
            self.given = 0;
            searched = self.buffer.len();
            if self.left == 0 {
                let cut = || ExportFault::member(&self.name, "its last line has no end");
                return if self.buffer.is_empty() { Ok(None) } else { Err(cut()) };
            }
            if self.buffer.len() > MOST_DATA {
                return Err(ExportFault::member(&self.name, "a line of it is longer than data may be"));
            }
            let length = usize::try_from(self.left.min(1 << 16)).unwrap_or(1 << 16);
            self.buffer.resize(searched + length, 0);
            self.members.fill(&mut self.buffer[searched..], &self.name)?;
            self.left -= length as u64;
        }
    }

    fn end(mut self, name: &str) -> Result<(), ExportFault> {
        if self.next()?.is_some() {
            return Err(ExportFault::member(name, "it has more lines than its bundle has entries"));
        }
        self.members.close(name, self.size)
    }
}
