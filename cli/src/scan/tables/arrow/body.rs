//! The body of a batch: buffers that lie where its head says, each held against the bytes there are.

use std::collections::HashMap;

use ::arrow_ipc::RecordBatch;
use chrono::{Days, NaiveDate};

use super::super::Column;
use super::plan::{Kind, Plan};

/// Elements of a list that are looked at.
const OF_A_LIST: u64 = 20;
/// Values of a dictionary that are kept while rows refer to them.
const OF_A_DICTIONARY: u64 = 1_000_000;

/// Values of a dictionary, as texts.
pub(super) type Dictionary = Vec<Option<String>>;

/// What of a body was read so far.
pub(super) struct Body<'b> {
    bytes: &'b [u8],
    nodes: Vec<i64>,
    buffers: Vec<(i64, i64)>,
    variadic: Vec<i64>,
    node: usize,
    buffer: usize,
    view: usize,
}

/// Values of a field.
pub(super) struct Part<'b, 'p> {
    plan: &'p Plan,
    length: u64,
    buffers: Vec<&'b [u8]>,
    below: Vec<Part<'b, 'p>>,
}

impl<'b> Body<'b> {
    pub(super) fn new(bytes: &'b [u8], batch: &RecordBatch<'_>) -> Self {
        Self {
            bytes,
            nodes: batch.nodes().iter().flatten().map(|node| node.length()).collect(),
            buffers: batch.buffers().iter().flatten().map(|buffer| (buffer.offset(), buffer.length())).collect(),
            variadic: batch.variadicBufferCounts().iter().flatten().collect(),
            node: 0,
            buffer: 0,
            view: 0,
        }
    }

    fn next(&mut self) -> Option<&'b [u8]> {
        let (offset, length) = self.buffers.get(self.buffer).copied()?;
        self.buffer += 1;
        let (offset, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        self.bytes.get(offset..offset.checked_add(length)?)
    }

    /// The values of the next field; none where they do not lie where they should.
    pub(super) fn part<'p>(&mut self, plan: &'p Plan) -> Option<Part<'b, 'p>> {
        let length = u64::try_from(self.nodes.get(self.node).copied()?).ok()?;
        self.node += 1;
        let count = match plan.kind {
            Kind::Int(..) | Kind::Float(_) | Kind::Moment(..) | Kind::List { .. } => 2,
            Kind::Text { .. } => 3,
            Kind::Opaque(count) => count,
            Kind::Struct | Kind::Repeated(_) => 1,
            Kind::View => {
                let more = usize::try_from(self.variadic.get(self.view).copied()?).ok()?;
                self.view += 1;
                more.checked_add(2).filter(|count| *count <= self.buffers.len())?
            }
            Kind::Unknown => return None,
        };
        let buffers = (0..count).map(|_| self.next()).collect::<Option<Vec<_>>>()?;
        let below = plan.below.iter().map(|plan| self.part(plan)).collect::<Option<Vec<_>>>()?;
        Some(Part { plan, length, buffers, below })
    }

    /// The values of a dictionary.
    pub(super) fn texts(&mut self, plan: &Plan) -> Option<Dictionary> {
        let part = self.part(plan)?;
        Some((0..part.length.min(OF_A_DICTIONARY)).map(|row| part.text(row)).collect())
    }
}

/// So many bytes of a buffer, those of a row.
fn bytes<const N: usize>(buffer: &[u8], row: u64) -> Option<[u8; N]> {
    let begin = usize::try_from(row).ok()?.checked_mul(N)?;
    buffer.get(begin..begin.checked_add(N)?)?.try_into().ok()
}

fn integer(buffer: &[u8], row: u64, size: usize, signed: bool) -> Option<i128> {
    Some(match (size, signed) {
        (1, true) => i8::from_le_bytes(bytes(buffer, row)?).into(),
        (1, false) => u8::from_le_bytes(bytes(buffer, row)?).into(),
        (2, true) => i16::from_le_bytes(bytes(buffer, row)?).into(),
        (2, false) => u16::from_le_bytes(bytes(buffer, row)?).into(),
        (4, true) => i32::from_le_bytes(bytes(buffer, row)?).into(),
        (4, false) => u32::from_le_bytes(bytes(buffer, row)?).into(),
        (8, true) => i64::from_le_bytes(bytes(buffer, row)?).into(),
        (8, false) => u64::from_le_bytes(bytes(buffer, row)?).into(),
        _ => return None,
    })
}

/// Where the value of a row begins and ends.
fn span(offsets: &[u8], row: u64, large: bool) -> Option<(u64, u64)> {
    let offset = |row| integer(offsets, row, if large { 8 } else { 4 }, true).and_then(|at| u64::try_from(at).ok());
    let (begin, end) = (offset(row)?, offset(row.checked_add(1)?)?);
    (begin <= end).then_some((begin, end))
}

fn text(data: &[u8], begin: u64, end: u64) -> Option<String> {
    let held = data.get(usize::try_from(begin).ok()?..usize::try_from(end).ok()?)?;
    Some(std::str::from_utf8(held).ok()?.to_owned())
}

impl Part<'_, '_> {
    /// Whether a row has a value: a buffer without bytes says that all have.
    fn holds(&self, row: u64) -> bool {
        let bits = self.buffers.first().copied().unwrap_or_default();
        let byte = usize::try_from(row / 8).ok().and_then(|place| bits.get(place));
        row < self.length && (bits.is_empty() || byte.is_some_and(|byte| byte >> (row % 8) & 1 == 1))
    }

    /// The value of a row as text, where it is one that says something.
    fn text(&self, row: u64) -> Option<String> {
        if !self.holds(row) {
            return None;
        }
        let held = |place: usize| self.buffers.get(place).copied();
        match self.plan.kind {
            Kind::Int(size, signed) => integer(held(1)?, row, size, signed).map(|value| value.to_string()),
            Kind::Float(4) => bytes(held(1)?, row).map(|value| f32::from_le_bytes(value).to_string()),
            Kind::Float(_) => bytes(held(1)?, row).map(|value| f64::from_le_bytes(value).to_string()),
            Kind::Moment(size, each) => {
                let days = i64::try_from(integer(held(1)?, row, size, true)?).ok()?.div_euclid(each);
                let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
                let by = Days::new(days.unsigned_abs());
                if days < 0 { epoch.checked_sub_days(by) } else { epoch.checked_add_days(by) }
                    .map(|day| day.to_string())
            }
            Kind::Text { large } => {
                let (begin, end) = span(held(1)?, row, large)?;
                text(held(2)?, begin, end)
            }
            Kind::View => {
                // Length, then either the text itself or its beginning, a buffer, and a place in that.
                let view: [u8; 16] = bytes(held(1)?, row)?;
                let number = |at: usize| Some(u64::from(u32::from_le_bytes(view.get(at..at + 4)?.try_into().ok()?)));
                let length = number(0)?;
                match length {
                    0..=12 => text(&view, 4, 4 + length),
                    _ => {
                        let (buffer, begin) = (usize::try_from(number(8)?).ok()?, number(12)?);
                        text(held(buffer.checked_add(2)?)?, begin, begin + length)
                    }
                }
            }
            _ => None,
        }
    }

    /// Look at a row.
    pub(super) fn look(&self, row: u64, dictionaries: &HashMap<i64, Dictionary>, columns: &mut [Column]) {
        if !self.holds(row) {
            return;
        }
        let mut every = |begin: u64, end: u64| {
            for item in begin..end.min(begin.saturating_add(OF_A_LIST)) {
                self.below.iter().for_each(|below| below.look(item, dictionaries, columns));
            }
        };
        match self.plan.kind {
            Kind::Struct => every(row, row + 1),
            Kind::List { large } => {
                let offsets = self.buffers.get(1).copied().unwrap_or_default();
                let (begin, end) = span(offsets, row, large).unwrap_or_default();
                every(begin, end);
            }
            Kind::Repeated(size) => every(row.saturating_mul(size), row.saturating_mul(size).saturating_add(size)),
            _ => {
                let own = self.text(row);
                let value = match (self.plan.dictionary, own) {
                    (Some(id), Some(key)) => {
                        let key = key.parse::<usize>().ok();
                        dictionaries.get(&id).zip(key).and_then(|(values, key)| values.get(key).cloned().flatten())
                    }
                    (_, own) => own,
                };
                let column = self.plan.column.and_then(|place| columns.get_mut(place));
                if let (Some(column), Some(value)) = (column, value) {
                    column.tally.add(&value);
                }
            }
        }
    }
}
