//! Columns of a dataset: those listed in the manifest, held against the header of a CSV file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use licit_schemas::problem::Fault;
use licit_schemas::registry::Field;
use licit_schemas::text::Name;

use crate::error::{Failure, Result};

/// Bytes of the first line in which a separator is looked for.
const FIRST_LINE: u64 = 1 << 16;

/// Columns, and the names of those nobody classified.
pub(crate) struct Columns {
    /// In the order of the file.
    pub(crate) fields: Vec<Field>,
    /// Without classification.
    pub(crate) unclassified: Vec<String>,
    /// Listed, but not in the file.
    pub(crate) faults: Vec<Fault>,
}

/// The columns of a dataset whose manifest entry stands at `pointer`.
pub(crate) fn of(path: Option<&Path>, listed: &[Field], pointer: &str) -> Result<Columns> {
    let header = match path {
        Some(path) => separator(path)?.map(|separator| header(path, separator)).transpose()?,
        None => None,
    };
    let mut faults = Vec::new();
    let fields = match header {
        None => listed.to_vec(),
        Some(header) => {
            for (index, field) in listed.iter().enumerate() {
                if !header.contains(&field.name) {
                    let at = format!("{pointer}/fields/{index}/name");
                    faults.push(Fault::new(&at, format!("the file has no column `{}`", field.name)));
                }
            }
            let known = |name: &Name| listed.iter().find(|field| field.name == *name).cloned();
            let unknown = |name| Field {
                name,
                data_type: None,
                categories: Vec::new(),
                identifiability: None,
                pseudonym: None,
                free_text: None,
            };
            header.into_iter().map(|name| known(&name).unwrap_or_else(|| unknown(name))).collect()
        }
    };
    let open = |field: &&Field| field.identifiability.is_none();
    let unclassified = fields.iter().filter(open).map(|field| field.name.to_string()).collect();
    Ok(Columns { fields, unclassified, faults })
}

/// Separator of a table we can read; none where it is another file.
fn separator(path: &Path) -> Result<Option<u8>> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match path.is_file() && matches!(ending.as_str(), "csv" | "tsv") {
        true => separator_of(path).map(Some).map_err(|e| Failure::file("read", path, &e)),
        false => Ok(None),
    }
}

/// What stands between the columns of a file: a tab by its ending, else a comma, and where the first line has none, what Excel writes
/// where numbers have a decimal comma.
pub(crate) fn separator_of(path: &Path) -> std::io::Result<u8> {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv")) {
        return Ok(b'\t');
    }
    let mut line = Vec::new();
    BufReader::new(File::open(path)?).take(FIRST_LINE).read_until(b'\n', &mut line)?;
    // What stands in quotes is part of a name.
    let outside = |wanted: u8| line.split(|byte| *byte == b'"').step_by(2).any(|part| part.contains(&wanted));
    Ok([b',', b';', b'\t', b'|'].into_iter().find(|separator| outside(*separator)).unwrap_or(b','))
}

fn header(path: &Path, separator: u8) -> Result<Vec<Name>> {
    let failed = |e: String| Failure::plain(format!("cannot read the header of `{}`: {e}", path.display()));
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).from_path(path).map_err(|e| failed(e.to_string()))?;
    let header = reader.headers().map_err(|e| failed(e.to_string()))?;
    // Spreadsheets write a byte order mark; it is no part of the first column's name.
    let names = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().parse::<Name>());
    names.collect::<std::result::Result<_, _>>().map_err(|e| failed(e.to_string()))
}
