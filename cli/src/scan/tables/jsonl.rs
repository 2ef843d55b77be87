//! JSON lines: one object a line. Every line is read for its members: one that only the last line has is a column, too.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::super::values::{self, Sampler};
use super::{Column, MOST_COLUMNS, Table, joined};
use crate::error::{Failure, Result};
use crate::output::progress::progress;
use crate::scan::{shown, unreadable};

/// Bytes a line may have.
const LONGEST: u64 = 8 << 20;
/// Objects within one another that are taken apart; what lies deeper is one column.
const DEEPEST: usize = 8;
/// Values and members of a line: each takes a hundred bytes or so of memory, whatever it takes in the file.
const VALUES: usize = 200_000;
/// Elements of a list that are looked at.
const OF_A_LIST: usize = 20;

#[derive(Default)]
struct Reading {
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    /// Members whose names are somebody's data.
    hidden: usize,
}

/// Read it.
pub(super) fn read(path: &Path, sample: u64) -> Result<Table> {
    let failed = |line: u64, what: &str| Failure::plain(format!("`{}:{line}`: {what}", shown(path)));
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let bar = progress(file.metadata().map_or(0, |metadata| metadata.len()));
    let mut source = BufReader::with_capacity(1 << 16, file);
    let (mut line, mut rows, mut bytes) = (0, 0, Vec::new());
    let mut reading = Reading::default();
    let mut sampler = Sampler::new(sample);
    loop {
        bytes.clear();
        let read = (&mut source).take(LONGEST + 1).read_until(b'\n', &mut bytes).map_err(|e| unreadable(path, &e))?;
        if read == 0 {
            break;
        }
        line += 1;
        bar.inc(read as u64);
        if read as u64 > LONGEST {
            return Err(failed(line, "the line is longer than 8 MB; one object a line is read"));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        if parts(&bytes) > VALUES {
            return Err(failed(line, &format!("the line has more than {VALUES} values; one object a line is read")));
        }
        // What the parser says may quote what stands there.
        let value: Value = serde_json::from_slice(&bytes).map_err(|e| {
            let what = if e.is_eof() {
                "the line ends within the object; one object a line is read"
            } else {
                "this is no JSON, or nested too deep"
            };
            failed(line, &format!("{what} (column {})", e.column()))
        })?;
        let Value::Object(members) = value else {
            return Err(failed(line, "no JSON object; one object a line is read"));
        };
        rows += 1;
        let looked_at = sampler.wants();
        if members.keys().any(|key| values::is_value(key)) {
            return Err(failed(line, "the name of a member looks like somebody's data, and is repeated nowhere"));
        }
        for (key, value) in &members {
            reading.member(joined("", key), value, looked_at, 1);
        }
        if reading.columns.len() > MOST_COLUMNS {
            return Err(failed(line, &format!("there are more than {MOST_COLUMNS} different members")));
        }
    }
    bar.finish_and_clear();
    let mut warnings = Vec::new();
    if reading.hidden > 0 {
        warnings.push(format!(
            "{} objects have members named by somebody's data: each is one column, unknown",
            reading.hidden
        ));
    }
    Ok(Table { columns: reading.columns, rows, claimed: false, cut: None, warnings })
}

/// How many values a line may have at most, counted without reading them: what divides them outside of texts.
fn parts(line: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (1, false, false);
    for byte in line {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b':' | b'[' | b'{' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

impl Reading {
    fn member(&mut self, path: String, value: &Value, looked_at: bool, depth: usize) {
        match value {
            Value::Object(members) if !members.is_empty() && depth < DEEPEST => {
                if members.keys().any(|key| values::is_value(key) || key.is_empty()) {
                    self.hidden += 1;
                    self.leaf(path, "object", None);
                    return;
                }
                for (key, value) in members {
                    self.member(joined(&path, key), value, looked_at, depth + 1);
                }
            }
            Value::Array(items) if !items.is_empty() && depth < DEEPEST => {
                for item in items.iter().take(OF_A_LIST) {
                    self.member(path.clone(), item, looked_at, depth + 1);
                }
            }
            Value::Object(_) => self.leaf(path, "object", None),
            Value::Array(_) => self.leaf(path, "array", None),
            Value::Null => self.leaf(path, "null", None),
            Value::Bool(_) => self.leaf(path, "boolean", None),
            Value::Number(number) => self.leaf(path, "number", looked_at.then(|| number.to_string())),
            Value::String(text) => self.leaf(path, "string", looked_at.then(|| text.clone())),
        }
    }

    fn leaf(&mut self, path: String, kind: &str, value: Option<String>) {
        // One more than there may be says so at the end of the line.
        if self.columns.len() > MOST_COLUMNS && !self.places.contains_key(&path) {
            return;
        }
        let place = *self.places.entry(path).or_insert_with_key(|path| {
            self.columns.push(Column::new(path.clone(), None));
            self.columns.len() - 1
        });
        let column = &mut self.columns[place];
        match &mut column.data_type {
            known @ None if kind != "null" => *known = Some(kind.to_owned()),
            Some(known) if kind != "null" && known != kind && !known.split('|').any(|one| one == kind) => {
                known.push('|');
                known.push_str(kind);
            }
            _ => {}
        }
        if let Some(value) = value {
            column.tally.add(&value);
        }
    }
}
