//! Arrow IPC, as a file or a stream: both are messages one after the other. Schema and row counts are in their heads; the bodies of a
//! few are looked into, where nothing in them has to be unfolded. The generated readers of the heads are the library's; its arrays, which
//! would make the program twice as large, are not needed to look at values.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ::arrow_ipc::{Endianness, Message, RecordBatch, root_as_message};

use self::body::{Body, Dictionary};
use self::plan::Plan;
use super::super::bytes::{Bytes, Told};
use super::super::values::Sampler;
use super::{CLAIMED, Column, MOST_COLUMNS, Table, rows_of};
use crate::error::{Failure, Result};
use crate::scan::{shown, unreadable};

mod body;
mod plan;

/// Bytes of the head of a message.
const HEAD: u64 = 64 << 20;
/// Bytes of a body that is looked into.
const BODY: u64 = 256 << 20;
/// Bytes of all values of dictionaries that are kept.
const DICTIONARIES: usize = 64 << 20;
/// Rows that a bit of a body may stand for, where it is compressed.
const FOLDED: u64 = 100_000;
/// Messages in all.
const MESSAGES: u64 = 10_000_000;
/// What a file begins with, and a stream does not.
const MAGIC: [u8; 6] = *b"ARROW1";

struct Reading<R> {
    bytes: Bytes<R>,
    plans: Option<Vec<Plan>>,
    /// Types of the values of dictionaries, by their ids.
    values: HashMap<i64, Plan>,
    dictionaries: HashMap<i64, Dictionary>,
    /// Whether numbers are little end first, and no dictionary was passed over.
    readable: bool,
    columns: Vec<Column>,
    rows: u64,
    sampler: Sampler,
    unread: Option<&'static str>,
    claimed: bool,
}

/// Read it.
pub(super) fn read(path: &Path, sample: u64) -> Result<Table> {
    let failed = |what: String| Failure::plain(format!("`{}` is no Arrow file that can be read: {what}", shown(path)));
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut bytes = Bytes::new(BufReader::with_capacity(1 << 16, file)).map_err(failed)?;
    let first: [u8; 8] = bytes.array().map_err(failed)?;
    let begun = if first.starts_with(&MAGIC) { None } else { Some(first) };
    let mut reading = Reading {
        bytes,
        plans: None,
        values: HashMap::new(),
        dictionaries: HashMap::new(),
        readable: true,
        columns: Vec::new(),
        rows: 0,
        sampler: Sampler::new(sample),
        unread: None,
        claimed: false,
    };
    reading.messages(begun, sample).map_err(failed)?;
    let mut warnings = Vec::new();
    warnings.extend(reading.unread.map(|why| format!("values of some rows were not looked at: {why}")));
    warnings.extend(reading.claimed.then(|| CLAIMED.to_owned()));
    Ok(Table { columns: reading.columns, rows: reading.rows, claimed: reading.claimed, cut: None, warnings })
}

impl<R: Read + Seek> Reading<R> {
    /// Every message up to the end of the stream; the footer of a file says the same once more.
    fn messages(&mut self, mut begun: Option<[u8; 8]>, sample: u64) -> Told<()> {
        for _ in 0..MESSAGES {
            let Some(length) = self.length(begun.take())? else { break };
            let head = self.bytes.take(length, HEAD)?;
            let message = root_as_message(&head).map_err(|_| "the head of a message is broken".to_owned())?;
            let body = u64::try_from(message.bodyLength()).map_err(|_| "a body has a negative length".to_owned())?;
            if body > self.bytes.left() {
                return Err("it ends before what it says it holds".to_owned());
            }
            self.message(&message, body, sample)?;
        }
        match self.plans {
            Some(_) => Ok(()),
            None => Err("it has no schema".to_owned()),
        }
    }

    /// How long the head of the next message is; none at the end.
    fn length(&mut self, begun: Option<[u8; 8]>) -> Told<Option<u64>> {
        const GOES_ON: u32 = u32::MAX;
        if begun.is_none() && self.bytes.left() < 8 {
            return Ok(None);
        }
        let [a, b, c, d, e, f, g, h] = match begun {
            Some(begun) => begun,
            None => self.bytes.array()?,
        };
        if u32::from_le_bytes([a, b, c, d]) != GOES_ON {
            return Err("it is of an edition before 2019, or no Arrow".to_owned());
        }
        let length = u32::from_le_bytes([e, f, g, h]);
        Ok((length != 0).then_some(u64::from(length)))
    }

    fn message(&mut self, message: &Message<'_>, body: u64, sample: u64) -> Told<()> {
        if let Some(schema) = message.header_as_schema() {
            if self.plans.is_some() {
                return Err("it has two schemas".to_owned());
            }
            let mut plans = Vec::new();
            for field in schema.fields().iter().flatten() {
                plans.push(plan::of(&field, "", 1, &mut self.columns, &mut self.values));
                if self.columns.len() > MOST_COLUMNS {
                    return Err(format!("it has more than {MOST_COLUMNS} columns"));
                }
            }
            self.readable = schema.endianness() == Endianness::Little;
            self.sampler = Sampler::new(rows_of(sample, self.columns.len()));
            self.plans = Some(plans);
            return self.bytes.skip(body);
        }
        let Some(plans) = self.plans.take() else { return Err("rows come before the schema".to_owned()) };
        let done = self.rows_of(&plans, message, body);
        self.plans = Some(plans);
        done
    }

    fn rows_of(&mut self, plans: &[Plan], message: &Message<'_>, body: u64) -> Told<()> {
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            let data = dictionary.data();
            let (Some(data), Some(plan)) = (data, self.values.get(&dictionary.id())) else {
                return self.bytes.skip(body);
            };
            if let Some(why) = unread(&data, body) {
                (self.readable, self.unread) = (false, Some(why));
                return self.bytes.skip(body);
            }
            let bytes = self.bytes.take(body, BODY)?;
            let texts = Body::new(&bytes, &data).texts(plan).ok_or("a dictionary is broken")?;
            let known = self.dictionaries.entry(dictionary.id()).or_default();
            if !dictionary.isDelta() {
                known.clear();
            }
            known.extend(texts);
            let size = |values: &Dictionary| {
                values
                    .iter()
                    .map(|text| size_of::<Option<String>>() + text.as_ref().map_or(0, String::len))
                    .sum::<usize>()
            };
            if self.dictionaries.values().map(size).sum::<usize>() > DICTIONARIES {
                self.dictionaries.clear();
                (self.readable, self.unread) = (false, Some("what they refer to is too much to be kept"));
            }
            return Ok(());
        }
        let Some(batch) = message.header_as_record_batch() else { return self.bytes.skip(body) };
        let rows = u64::try_from(batch.length()).map_err(|_| "a batch has a negative length".to_owned())?;
        self.rows = self.rows.saturating_add(rows);
        // Whatever its type, a value has a bit of its own; what has none, such as nulls, is only counted by who wrote it.
        let fold = if batch.compression().is_some() { FOLDED } else { 1 };
        self.claimed |= rows > body.saturating_mul(8).saturating_mul(fold);
        if self.sampler.passes(rows) {
            self.sampler.leave(rows);
            return self.bytes.skip(body);
        }
        let why = unread(&batch, body);
        if why.is_some() || !self.readable {
            self.unread = why.or(self.unread).or(Some("their numbers are written the other way round"));
            self.sampler.leave(rows);
            return self.bytes.skip(body);
        }
        let bytes = self.bytes.take(body, BODY)?;
        let mut body = Body::new(&bytes, &batch);
        let parts: Option<Vec<_>> = plans.iter().map(|plan| body.part(plan)).collect();
        let Some(parts) = parts else {
            self.unread = Some("a type among them is not read here");
            self.sampler.leave(rows);
            return Ok(());
        };
        // From one that is looked at to the next: a batch may claim more rows than anybody could go through.
        let mut row = self.sampler.pass(rows);
        while row < rows {
            if self.sampler.wants() {
                parts.iter().for_each(|part| part.look(row, &self.dictionaries, &mut self.columns));
            }
            row += 1;
            row += self.sampler.pass(rows - row);
        }
        Ok(())
    }
}

/// Why a body is not looked into.
fn unread(batch: &RecordBatch<'_>, body: u64) -> Option<&'static str> {
    match (batch.compression().is_some(), body > BODY) {
        (true, _) => Some("they are compressed, and this licit unfolds nothing in Arrow files"),
        (false, true) => Some("they are too many at once"),
        (false, false) => None,
    }
}
