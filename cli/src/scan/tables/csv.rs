//! CSV: one pass over the file, record by record; a record is bounded, so that a quote that never ends does not fill the memory.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use super::super::values::Sampler;
use super::{Column, Table, rows_of};
use crate::error::{Failure, Result};
use crate::output::progress::progress;
use crate::scan::{shown, unreadable};

/// Bytes a record may have.
const LONGEST: u64 = 8 << 20;
/// Bytes read at a time.
const CHUNK: usize = 1 << 16;

/// A file from which no more may be read for one record than is allowed.
struct Bounded {
    file: File,
    left: Rc<Cell<u64>>,
    read: Rc<Cell<u64>>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::Error::other("a record is too long"));
        }
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - read as u64);
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// Read it.
pub(super) fn read(path: &Path, sample: u64) -> Result<Table> {
    let separator = crate::manifest::columns::separator_of(path).map_err(|e| unreadable(path, &e))?;
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let bar = progress(file.metadata().map_or(0, |metadata| metadata.len()));
    let (left, read) = (Rc::new(Cell::new(LONGEST)), Rc::new(Cell::new(0)));
    let source = BufReader::with_capacity(CHUNK, Bounded { file, left: left.clone(), read: read.clone() });
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(source);
    // What the reader says of a fault may quote what stands there.
    let broken = |line: Option<u64>, why: &str| {
        let line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
        Failure::plain(format!("`{}` cannot be read{line}: {why}", shown(path)))
    };
    let why = |e: &csv::Error| match e.kind() {
        csv::ErrorKind::Io(e) if e.to_string().contains("too long") => {
            "a record is longer than 8 MB: is a quote never closed?"
        }
        _ => "it is no CSV",
    };
    let header = reader.byte_headers().map_err(|e| broken(Some(1), why(&e)))?.clone();
    let name = |(place, name): (usize, &[u8])| {
        let name = std::str::from_utf8(name).map_err(|_| broken(Some(1), "the names of columns are not UTF-8"))?;
        // Spreadsheets write a byte order mark; it is no part of the first column's name.
        let name = if place == 0 { name.trim_start_matches('\u{feff}') } else { name };
        Ok(Column::new(name.trim(), None))
    };
    let mut table = Table { columns: header.iter().enumerate().map(name).collect::<Result<_>>()?, ..Table::default() };
    let mut sampler = Sampler::new(rows_of(sample, table.columns.len()));
    let (mut record, mut uneven, mut not_utf8) = (csv::ByteRecord::new(), None, false);
    loop {
        left.set(LONGEST);
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(e) => {
                bar.finish_and_clear();
                return Err(broken(e.position().map(csv::Position::line), why(&e)));
            }
        }
        table.rows += 1;
        bar.set_position(read.get());
        if record.len() != table.columns.len() && uneven.is_none() {
            uneven = record.position().map(csv::Position::line);
        }
        if sampler.wants() {
            for (column, value) in table.columns.iter_mut().zip(record.iter()) {
                let text = String::from_utf8_lossy(value);
                not_utf8 |= matches!(text, std::borrow::Cow::Owned(_));
                column.tally.add(&text);
            }
        }
    }
    bar.finish_and_clear();
    if let Some(line) = uneven {
        table.warnings.push(format!("line {line} has more or fewer values than there are columns"));
    }
    if not_utf8 {
        table.warnings.push("it is not UTF-8: what stands beside ASCII was not recognised".to_owned());
    }
    Ok(table)
}
