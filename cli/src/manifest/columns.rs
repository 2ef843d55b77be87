//! Columns of a dataset: those listed in the manifest, held against the header of a CSV file.

use std::path::Path;

use licit_schemas::problem::Fault;
use licit_schemas::registry::Field;
use licit_schemas::text::Name;

use crate::error::{Failure, Result};

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
    let header = match path.and_then(|path| Some((path, separator(path)?))) {
        Some((path, separator)) => Some(header(path, separator)?),
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

/// Separator by the file's ending; none when it is no table we can read.
fn separator(path: &Path) -> Option<u8> {
    if !path.is_file() {
        return None;
    }
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(b','),
        "tsv" => Some(b'\t'),
        _ => None,
    }
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
