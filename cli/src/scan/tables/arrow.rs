//! Arrow IPC, as a file or a stream: both are messages one after the other. Schema and row counts are in their heads; the bodies of a
//! few are decoded, where nothing in them has to be unfolded.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use ::arrow_array::cast::AsArray;
use ::arrow_array::temporal_conversions as moments;
use ::arrow_array::types as t;
use ::arrow_array::{Array, ArrayRef};
use ::arrow_buffer::Buffer;
use ::arrow_ipc::{Message, MetadataVersion, convert, reader, root_as_message};
use ::arrow_schema::{DataType, Field, SchemaRef, TimeUnit};

use super::super::bytes::{Bytes, Told};
use super::super::values::{Sampler, Tally};
use super::{Column, MOST_COLUMNS, Table, rows_of};
use crate::error::{Failure, Result};

/// Bytes of the head of a message.
const HEAD: u64 = 64 << 20;
/// Bytes of a body that is decoded.
const BODY: u64 = 256 << 20;
/// Messages in all.
const MESSAGES: u64 = 10_000_000;
/// Structs within one another that are taken apart.
const DEEPEST: usize = 16;
/// Elements of a list that are looked at.
const OF_A_LIST: usize = 20;
/// What a file begins with, and a stream does not.
const MAGIC: [u8; 6] = *b"ARROW1";

struct Reading<R> {
    bytes: Bytes<R>,
    schema: Option<SchemaRef>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// A dictionary was passed over: what refers to it is not decoded.
    whole: bool,
    columns: Vec<Column>,
    rows: u64,
    sampler: Sampler,
    unread: Option<&'static str>,
}

/// Read it.
pub(super) fn read(path: &Path, sample: u64) -> Result<Table> {
    let failed =
        |what: String| Failure::plain(format!("`{}` is no Arrow file that can be read: {what}", path.display()));
    let file = File::open(path).map_err(|e| Failure::file("read", path, &e))?;
    let mut bytes = Bytes::new(BufReader::with_capacity(1 << 16, file)).map_err(failed)?;
    let first: [u8; 8] = bytes.array().map_err(failed)?;
    let begun = if first.starts_with(&MAGIC) { None } else { Some(first) };
    let mut reading = Reading {
        bytes,
        schema: None,
        dictionaries: HashMap::new(),
        whole: true,
        columns: Vec::new(),
        rows: 0,
        sampler: Sampler::new(sample),
        unread: None,
    };
    reading.messages(begun, sample).map_err(failed)?;
    let mut warnings = Vec::new();
    warnings.extend(reading.unread.map(|why| format!("values of some rows were not looked at: {why}")));
    Ok(Table { columns: reading.columns, rows: reading.rows, warnings })
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
        match self.schema {
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
            if self.schema.is_some() {
                return Err("it has two schemas".to_owned());
            }
            let schema = convert::try_fb_to_schema(schema).map_err(|_| "its schema is broken".to_owned())?;
            for field in schema.fields() {
                columns(field, "", 1, &mut self.columns);
                if self.columns.len() > MOST_COLUMNS {
                    return Err(format!("it has more than {MOST_COLUMNS} columns"));
                }
            }
            self.sampler = Sampler::new(rows_of(sample, self.columns.len()));
            self.schema = Some(schema.into());
            return self.bytes.skip(body);
        }
        let Some(schema) = self.schema.clone() else { return Err("rows come before the schema".to_owned()) };
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            let folded = dictionary.data().is_none_or(|data| data.compression().is_some());
            if folded || body > BODY {
                self.whole = false;
                self.unread = Some(why(folded));
                return self.bytes.skip(body);
            }
            let buffer = Buffer::from_vec(self.bytes.take(body, BODY)?);
            let read =
                reader::read_dictionary(&buffer, dictionary, &schema, &mut self.dictionaries, &message.version());
            return read.map_err(|_| "a dictionary is broken".to_owned());
        }
        let Some(batch) = message.header_as_record_batch() else { return self.bytes.skip(body) };
        let rows = u64::try_from(batch.length()).map_err(|_| "a batch has a negative length".to_owned())?;
        self.rows = self.rows.saturating_add(rows);
        let folded = batch.compression().is_some();
        if self.sampler.passes(rows) {
            return self.bytes.skip(body);
        }
        if folded || body > BODY || !self.whole {
            self.unread = Some(why(folded));
            self.sampler.leave(rows);
            return self.bytes.skip(body);
        }
        let buffer = Buffer::from_vec(self.bytes.take(body, BODY)?);
        let version: MetadataVersion = message.version();
        let batch = reader::read_record_batch(&buffer, batch, schema.clone(), &self.dictionaries, None, &version);
        let batch = batch.map_err(|_| "a batch of rows is broken".to_owned())?;
        for row in 0..batch.num_rows() {
            if self.sampler.wants() {
                for (field, array) in schema.fields().iter().zip(batch.columns()) {
                    look(field.name(), &**array, row, &mut self.columns, 1);
                }
            }
        }
        Ok(())
    }
}

fn why(folded: bool) -> &'static str {
    if folded {
        "they are compressed, and this licit unfolds nothing in Arrow files"
    } else {
        "they are too many at once"
    }
}

fn joined(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// The columns of a field: structs are taken apart, lists are their elements.
fn columns(field: &Field, above: &str, depth: usize, found: &mut Vec<Column>) {
    let path = joined(above, field.name());
    match field.data_type() {
        DataType::Struct(fields) if depth < DEEPEST && !fields.is_empty() => {
            for field in fields {
                columns(field, &path, depth + 1, found);
            }
        }
        kind => {
            let name = kind.to_string();
            let plain = name.split(['(', ' ', '<']).next().unwrap_or_default().to_ascii_lowercase();
            found.push(Column::new(path, Some(plain)));
        }
    }
}

fn look(path: &str, array: &dyn Array, row: usize, found: &mut [Column], depth: usize) {
    if array.is_null(row) {
        return;
    }
    match array.data_type() {
        DataType::Struct(_) if depth < DEEPEST => {
            let group = array.as_struct();
            for (name, array) in group.column_names().iter().zip(group.columns()) {
                look(&joined(path, name), &**array, row, found, depth + 1);
            }
        }
        DataType::List(_) if depth < DEEPEST => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len().min(OF_A_LIST)).for_each(|item| look(path, &*items, item, found, depth + 1));
        }
        DataType::LargeList(_) if depth < DEEPEST => {
            let items = array.as_list::<i64>().value(row);
            (0..items.len().min(OF_A_LIST)).for_each(|item| look(path, &*items, item, found, depth + 1));
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = text(dictionary.keys(), row).and_then(|key| key.parse().ok()).unwrap_or(usize::MAX);
            if key < dictionary.values().len() && depth < DEEPEST {
                look(path, &**dictionary.values(), key, found, depth + 1);
            }
        }
        _ => {
            if let (Some(tally), Some(text)) = (tally(path, found), text(array, row)) {
                tally.add(&text);
            }
        }
    }
}

fn tally<'a>(path: &str, found: &'a mut [Column]) -> Option<&'a mut Tally> {
    found.iter_mut().find(|column| column.name == path).map(|column| &mut column.tally)
}

fn text(array: &dyn Array, row: usize) -> Option<String> {
    macro_rules! number {
        ($kind:ty) => {
            Some(array.as_primitive::<$kind>().value(row).to_string())
        };
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Some(array.as_string_view().value(row).to_owned()),
        DataType::Int8 => number!(t::Int8Type),
        DataType::Int16 => number!(t::Int16Type),
        DataType::Int32 => number!(t::Int32Type),
        DataType::Int64 => number!(t::Int64Type),
        DataType::UInt8 => number!(t::UInt8Type),
        DataType::UInt16 => number!(t::UInt16Type),
        DataType::UInt32 => number!(t::UInt32Type),
        DataType::UInt64 => number!(t::UInt64Type),
        DataType::Float32 => number!(t::Float32Type),
        DataType::Float64 => number!(t::Float64Type),
        DataType::Date32 => day(moments::date32_to_datetime(array.as_primitive::<t::Date32Type>().value(row))),
        DataType::Date64 => day(moments::date64_to_datetime(array.as_primitive::<t::Date64Type>().value(row))),
        DataType::Timestamp(unit, _) => day(match unit {
            TimeUnit::Second => {
                moments::timestamp_s_to_datetime(array.as_primitive::<t::TimestampSecondType>().value(row))
            }
            TimeUnit::Millisecond => {
                moments::timestamp_ms_to_datetime(array.as_primitive::<t::TimestampMillisecondType>().value(row))
            }
            TimeUnit::Microsecond => {
                moments::timestamp_us_to_datetime(array.as_primitive::<t::TimestampMicrosecondType>().value(row))
            }
            TimeUnit::Nanosecond => {
                moments::timestamp_ns_to_datetime(array.as_primitive::<t::TimestampNanosecondType>().value(row))
            }
        }),
        _ => None,
    }
}

fn day(moment: Option<chrono::NaiveDateTime>) -> Option<String> {
    moment.map(|moment| moment.date().to_string())
}
