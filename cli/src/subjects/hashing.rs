//! Values into pseudonyms: one thread reads, as many hash as there are processors, and batches come out in the order of the file,
//! whatever their number. A bounded number of values is in memory.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

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
    let to_hash = Arc::new(Mutex::new(to_hash));
    std::thread::scope(|scope| {
        scope.spawn(move || reading(column, &read));
        for _ in 0..workers {
            let (to_hash, hashed) = (to_hash.clone(), hashed.clone());
            scope.spawn(move || hashing(&to_hash, &hashed, hasher));
        }
        // Whoever hands on must find nobody listening once one was not taken: nothing of the channels stays here.
        drop((to_hash, hashed));
        in_order(done, &mut each)
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

fn in_order(done: Receiver<(usize, Result<Hashed>)>, each: &mut impl FnMut(Hashed) -> Result<()>) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn column(values: usize, read: Arc<AtomicUsize>) -> Column {
        let values = (0..values).map(move |n| {
            read.fetch_add(1, Ordering::SeqCst);
            let line = n as u64 + 1;
            Ok((line, Value { line, text: (n % 1_000 != 999).then(|| format!("p{n}@example.com")) }))
        });
        Column { whole: 0, values: Box::new(values) }
    }

    fn hashed(count: usize, each: impl FnMut(Hashed) -> Result<()>) -> (Result<()>, usize) {
        let folder = std::env::temp_dir().join(format!("licit-hashing-{}", uuid::Uuid::now_v7()));
        let key = crate::subjects::key::generate(&folder, "crm".parse().unwrap(), None).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let hasher = Hasher { key: &key, kind: IdentifierType::Email, region: None };
        let read = Arc::new(AtomicUsize::new(0));
        (batches(column(count, read.clone()), &hasher, each), read.load(Ordering::SeqCst))
    }

    #[test]
    fn batches_come_in_the_order_of_the_file() {
        let (mut sizes, mut unreadable) = (Vec::new(), Vec::new());
        let (outcome, _) = hashed(3 * BATCH + 17, |batch| {
            sizes.push((batch.values.len(), batch.position));
            unreadable.extend(batch.values.into_iter().filter_map(std::result::Result::err).map(|one| one.line));
            Ok(())
        });
        outcome.unwrap();
        let full = BATCH as u64;
        assert_eq!(sizes, [(BATCH, full), (BATCH, 2 * full), (BATCH, 3 * full), (17, 3 * full + 17)]);
        assert_eq!(unreadable, (1..=15).map(|n| n * 1_000).collect::<Vec<_>>());
        assert!(hashed(0, |_| panic!("there is none")).0.is_ok());
    }

    #[test]
    fn when_one_is_not_taken_the_rest_is_not_read() {
        let mut taken = 0;
        let (outcome, read) = hashed(200 * BATCH, |_| {
            taken += 1;
            Err(Failure::plain("no"))
        });
        assert!(outcome.is_err() && taken == 1);
        assert!(read < 150 * BATCH, "{read} values were read for nothing");
    }
}
