//! One column of a file, read value by value and never whole.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::error::{Failure, Result};

/// A value, and where it stands. What is no text is none.
pub(crate) struct Value {
    pub(crate) line: u64,
    pub(crate) text: Option<String>,
}

/// Values of a column, with how far of how much the reading is: bytes, or rows.
pub(crate) struct Column {
    pub(crate) whole: u64,
    pub(crate) values: Box<dyn Iterator<Item = Result<(u64, Value)>> + Send>,
}

/// Open a column of a CSV or Parquet file, by the ending of its name.
pub(crate) fn open(path: &Path, column: &str, delimiter: u8) -> Result<Column> {
    let parquet = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
    if parquet { self::parquet(path, column) } else { csv(path, column, delimiter) }
}

#[cfg(feature = "parquet")]
fn parquet(path: &Path, column: &str) -> Result<Column> {
    super::parquet::open(path, column)
}

#[cfg(not(feature = "parquet"))]
fn parquet(path: &Path, _: &str) -> Result<Column> {
    let sentence = format!("`{}`: this licit was built without Parquet; give CSV", path.display());
    Err(Failure::Usage(sentence))
}

/// There is no such column. Which ones there are is not said: without a header, the first line is somebody.
pub(super) fn no_column(path: &Path, column: &str) -> Failure {
    Failure::Usage(format!("the first line of `{}` names no column `{column}`", path.display()))
}

/// What else stands between the columns, where the first line says so: it names the column, or is read as one column only. Excel
/// writes `;` where numbers have a decimal comma.
fn divided(headers: &csv::ByteRecord, column: &str, delimiter: u8) -> Option<u8> {
    let others = || b";\t|,".iter().copied().filter(|other| *other != delimiter);
    let names = |other: u8| {
        let of = |part: &[u8]| part.split(|byte| *byte == b'"').any(|name| name.trim_ascii() == column.as_bytes());
        headers.iter().any(|field| field.contains(&other) && field.split(|byte| *byte == other).any(of))
    };
    let alone = |other: u8| headers.len() == 1 && headers.iter().all(|field| field.contains(&other));
    others().find(|other| names(*other)).or_else(|| others().find(|other| alone(*other)))
}

/// The first line is divided otherwise than said.
fn otherwise(path: &Path, delimiter: u8, other: u8) -> Failure {
    let shown = |byte: u8| if byte == b'\t' { "tabs".to_owned() } else { format!("`{}`", char::from(byte)) };
    let typed = if other == b'\t' { "$'\\t'".to_owned() } else { format!("'{}'", char::from(other)) };
    Failure::Usage(format!(
        "the columns of `{}` are divided by {}, not by {}: say `--delimiter {typed}`",
        path.display(),
        shown(other),
        shown(delimiter)
    ))
}

fn csv(path: &Path, column: &str, delimiter: u8) -> Result<Column> {
    let file = File::open(path).map_err(|e| Failure::file("read", path, &e))?;
    let whole = file.metadata().map_or(0, |metadata| metadata.len());
    let mut source = BufReader::with_capacity(1 << 16, file);
    // Excel begins UTF-8 with a byte order mark.
    let marked = source.fill_buf().is_ok_and(|bytes| bytes.starts_with(b"\xef\xbb\xbf"));
    source.consume(if marked { 3 } else { 0 });
    // Lines end with a line feed alone: after CR LF the reader would count them one behind. A CR that is left is white space.
    let mut reader = csv::ReaderBuilder::new();
    reader.flexible(true).delimiter(delimiter).terminator(csv::Terminator::Any(b'\n'));
    let mut reader = reader.from_reader(source);
    let broken = {
        let path = path.to_owned();
        // What the reader says of a fault may quote what stands there.
        move |line: Option<u64>| {
            let line = line.map(|line| format!(" in line {line}")).unwrap_or_default();
            Failure::plain(format!("`{}` cannot be read{line}", path.display()))
        }
    };
    let headers = reader.byte_headers().map_err(|_| broken(None))?;
    let place = headers.iter().position(|name| name.trim_ascii() == column.as_bytes());
    let place = match place {
        Some(place) => place,
        None => {
            return Err(divided(headers, column, delimiter)
                .map_or_else(|| no_column(path, column), |other| otherwise(path, delimiter, other)));
        }
    };
    let mut record = csv::ByteRecord::new();
    let values = std::iter::from_fn(move || match reader.read_byte_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let line = record.position().map_or(0, csv::Position::line);
            let text = record.get(place).map_or(Some(""), |bytes| std::str::from_utf8(bytes).ok());
            Some(Ok((reader.position().byte(), Value { line, text: text.map(str::to_owned) })))
        }
        Err(e) => Some(Err(broken(e.position().map(csv::Position::line)))),
    });
    Ok(Column { whole, values: Box::new(values) })
}

/// Lines of standard input.
pub(crate) fn lines(input: impl Read + Send + 'static) -> Column {
    let mut input = BufReader::new(input);
    let mut line = 0;
    let values = std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                line += 1;
                Some(Ok((line, Value { line, text: String::from_utf8(bytes).ok() })))
            }
            Err(e) => Some(Err(Failure::plain(format!("cannot read standard input: {e}")))),
        }
    });
    Column { whole: 0, values: Box::new(values) }
}
