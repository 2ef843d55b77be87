//! Tables: their columns, how many rows they have, and what sampled values look like. Values are counted and forgotten.

use std::path::Path;

use super::names;
use super::values::{self, Tally};
use crate::error::{Failure, Result};
use crate::scan::shown;

#[cfg(feature = "arrow")]
mod arrow;
mod csv;
mod jsonl;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(test)]
mod tests;
#[cfg(feature = "parquet")]
mod thrift;

/// Columns a manifest may list of a dataset.
pub(super) const MOST_COLUMNS: usize = 5_000;
/// Parts of a name that are looked at together.
const PARTS: usize = 16;
/// Characters that are kept of the name of a column: one that has as many cannot be registered, and is told as that.
const LONGEST_NAME: usize = 1_000;
/// Cells looked at in a table at most: a wide one gets fewer rows.
const MOST_CELLS: u64 = 2_000_000;

/// Forms of tables that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Comma-separated values, or divided otherwise.
    Csv,
    /// JSON, one object a line.
    JsonLines,
    /// Parquet.
    Parquet,
    /// Arrow IPC, a file or a stream; Feather 2 is that.
    Arrow,
}

impl Form {
    /// By the ending of a name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "parquet" | "pq" => Some(Self::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Self::Arrow),
            _ => None,
        }
    }
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// Its name; nested ones with dots.
    pub(crate) name: String,
    /// Its type as the format names it.
    pub(crate) data_type: Option<String>,
    /// What its values look like.
    pub(crate) tally: Tally,
}

impl Column {
    fn new(name: impl Into<String>, data_type: Option<String>) -> Self {
        Self { name: name.into(), data_type, tally: Tally::default() }
    }
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Its columns, in their order.
    pub(crate) columns: Vec<Column>,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Whether how many rows it has is only what it claims.
    pub(crate) claimed: bool,
    /// Why not all of its columns stand here; none where they do.
    pub(crate) cut: Option<String>,
    /// What people should know.
    pub(crate) warnings: Vec<String>,
}

/// The name of a column within another, no longer than names are kept: what lies beneath a long one would fill the memory.
fn joined(above: &str, name: &str) -> String {
    let dot = if above.is_empty() { "" } else { "." };
    above.chars().chain(dot.chars()).chain(name.chars()).take(LONGEST_NAME).collect()
}

/// What is said of a file whose number of rows nothing bears out.
const CLAIMED: &str = "it claims more rows than it holds: how many there are is not proposed";

/// Read a table, looking at the values of so many rows at most.
pub(crate) fn read(path: &Path, form: Form, sample: u64) -> Result<Table> {
    let table = match form {
        Form::Csv => csv::read(path, sample)?,
        Form::JsonLines => jsonl::read(path, sample)?,
        Form::Parquet => parquet(path, sample)?,
        Form::Arrow => arrow(path, sample)?,
    };
    named(path, &table)?;
    Ok(table)
}

#[cfg(feature = "parquet")]
fn parquet(path: &Path, sample: u64) -> Result<Table> {
    super::guarded(path, || parquet::read(path, sample))
}

#[cfg(not(feature = "parquet"))]
fn parquet(path: &Path, _: u64) -> Result<Table> {
    Err(Failure::Usage(format!("`{}`: this licit was built without Parquet", shown(path))))
}

#[cfg(feature = "arrow")]
fn arrow(path: &Path, sample: u64) -> Result<Table> {
    super::guarded(path, || arrow::read(path, sample))
}

#[cfg(not(feature = "arrow"))]
fn arrow(path: &Path, _: u64) -> Result<Table> {
    Err(Failure::Usage(format!("`{}`: this licit was built without Arrow", shown(path))))
}

/// How many of so many rows to look at, where there are so many columns.
fn rows_of(sample: u64, columns: usize) -> u64 {
    sample.min(MOST_CELLS / u64::try_from(columns.max(1)).unwrap_or(u64::MAX)).max(1)
}

/// Names are names: what looks like somebody's data is not repeated anywhere, and neither is anything else here.
fn named(path: &Path, table: &Table) -> Result<()> {
    let failed = |what: String| Err(Failure::plain(format!("`{}`: {what}", shown(path))));
    if table.columns.is_empty() {
        return failed("no column was found in it".to_owned());
    }
    if table.columns.len() > MOST_COLUMNS {
        return failed(format!("it has more than {MOST_COLUMNS} columns"));
    }
    // A first line such as `Jean,Dupont,42,Paris` names nothing.
    let last = |column: &Column| column.name.rsplit('.').next().unwrap_or_default().to_owned();
    let first_names = table.columns.iter().filter(|column| names::is_first_name(&last(column))).count();
    let digits = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let figures = table.columns.iter().filter(|column| digits(&column.name)).count();
    if first_names > 1 || first_names == 1 && figures > 0 {
        return failed("its first line looks like somebody's data: it must name the columns".to_owned());
    }
    let mut seen = std::collections::HashSet::new();
    for (place, column) in (1..).zip(&table.columns) {
        if column.name.parse::<licit_schemas::text::Name>().is_err() {
            return failed(format!("column {place} has no name that can be registered: name it"));
        }
        if is_somebodys(&column.name) {
            return failed(format!(
                "the name of column {place} looks like somebody's data: the first line must name the columns"
            ));
        }
        if !seen.insert(column.name.as_str()) {
            return failed(format!("column {place} has the name of another: names must differ"));
        }
    }
    Ok(())
}

/// Whether the name of a column, or of what it lies in, looks like somebody's data. A name may have dots of its own: so what follows each
/// of them is looked at, too.
fn is_somebodys(name: &str) -> bool {
    let begins = std::iter::once(0).chain(name.match_indices('.').map(|(at, _)| at + 1));
    for (count, begin) in begins.enumerate() {
        let rest = &name[begin..];
        let first = rest.split('.').next().unwrap_or_default();
        if values::is_value(rest) || is_figure(rest) || is_figure(first) {
            return true;
        }
        // Of names of many parts the ends are looked at.
        let ends = rest.match_indices('.').map(|(at, _)| &rest[..at]);
        if ends.take(PARTS.saturating_sub(count)).any(values::is_value) {
            return true;
        }
    }
    false
}

/// A number that is neither that of a column nor a year.
fn is_figure(name: &str) -> bool {
    match name.parse::<f64>() {
        Ok(number) => !(name.len() <= 3 && number.fract() == 0.0 || (1900.0..2101.0).contains(&number)),
        Err(_) => false,
    }
}
