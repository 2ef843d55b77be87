//! Values into pseudonyms: one thread reads, as many hash as there are processors, and batches come out in the order of the file,
//! whatever their number. A bounded number of values is in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use licit_schemas::subjects::{IdentifierType, Pseudonym};
use phonenumber::country::Id as Region;

use super::Unreadable;
use super::column::{Column, Value};
use super::key::SubjectKey;
use super::normalise::normalise;
use crate::error::{Failure, Result};

/// Values in one batch.
pub(crate) const BATCH: usize = 5_000;

/// How values become pseudonyms.
pub(crate) struct Hasher<'a> {
    pub(crate) key: &'a SubjectKey,
    pub(crate) kind: IdentifierType,
    pub(crate) region: Option<Region>,
}

impl Hasher<'_> {
    /// The pseudonym of one value.
    pub(crate) fn hash(&self, value: &Value) -> std::result::Result<Pseudonym, Unreadable> {
        let text = value.text.as_deref().ok_or("no text in UTF-8");
        let normalised = text.and_then(|text| normalise(self.kind, text, self.region));
        match normalised {
            Ok(normalised) => Ok(self.key.pseudonym(self.kind, &normalised)),
            Err(why) => Err(Unreadable { line: value.line, why }),
        }
    }
}

/// A batch of values that were hashed.
pub(crate) struct Hashed {
    /// One for each value, in order.
    pub(crate) values: Vec<std::result::Result<Pseudonym, Unreadable>>,
    /// How far the reading is.
    pub(crate) position: u64,
}

type Read = (usize, u64, Vec<Value>);

/// Hash a column batch by batch and hand each over in order, until one is not taken.
pub(crate) fn batches(column: Column, hasher: &Hasher<'_>, mut each: impl FnMut(Hashed) -> Result<()>) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(16);
    let (read, to_hash) = sync_channel::<Result<Read>>(workers);
    let (hashed, done) = sync_channel::<(usize, Result<Hashed>)>(workers);
    let to_hash = Mutex::new(to_hash);
    std::thread::scope(|scope| {
        scope.spawn(move || reading(column, &read));
        for _ in 0..workers {
            let (to_hash, hashed) = (&to_hash, hashed.clone());
            scope.spawn(move || hashing(to_hash, &hashed, hasher));
        }
        drop(hashed);
        let outcome = in_order(&done, &mut each);
        // Who still reads or hashes finds nobody listening, and ends.
        drop(done);
        while let Ok(queue) = to_hash.lock() {
            if queue.recv().is_err() {
                break;
            }
        }
        outcome
    })
}

fn reading(column: Column, read: &SyncSender<Result<Read>>) {
    let (mut number, mut batch, mut position) = (0, Vec::with_capacity(BATCH), 0);
    for value in column.values {
        match value {
            Ok((at, value)) => {
                position = at;
                batch.push(value);
            }
            Err(e) => {
                let _ = read.send(Err(e));
                return;
            }
        }
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if read.send(Ok((number, position, full))).is_err() {
                return;
            }
            number += 1;
        }
    }
    if !batch.is_empty() {
        let _ = read.send(Ok((number, position, batch)));
    }
}

fn hashing(to_hash: &Mutex<Receiver<Result<Read>>>, hashed: &SyncSender<(usize, Result<Hashed>)>, hasher: &Hasher<'_>) {
    loop {
        let next = match to_hash.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let one = match next {
            Ok(Ok((number, position, values))) => {
                let values = values.iter().map(|value| hasher.hash(value)).collect();
                (number, Ok(Hashed { values, position }))
            }
            // It is told at once: what was read before it does not count without what comes after.
            Ok(Err(failure)) => (0, Err(failure)),
            Err(_) => return,
        };
        if hashed.send(one).is_err() {
            return;
        }
    }
}

fn in_order(done: &Receiver<(usize, Result<Hashed>)>, each: &mut impl FnMut(Hashed) -> Result<()>) -> Result<()> {
    let (mut waiting, mut next) = (BTreeMap::new(), 0);
    for (number, hashed) in done {
        waiting.insert(number, hashed?);
        while let Some(hashed) = waiting.remove(&next) {
            each(hashed)?;
            next += 1;
        }
    }
    if waiting.is_empty() { Ok(()) } else { Err(Failure::plain("a batch was lost on the way")) }
}
