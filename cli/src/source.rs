//! Documents from files or stdin: YAML or JSON, with faults named by line and column.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use licit_schemas::problem::Fault;
use serde_json::Value;

use crate::error::{Failure, Result};
use crate::yaml::{self, Place};

/// A document larger than this is not one that people write.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Where a document came from, to name its faults.
pub(crate) struct Source {
    name: String,
    places: BTreeMap<String, Place>,
}

impl Source {
    /// The faults of this document, each with its place, in the order of the lines.
    pub(crate) fn faults(&self, faults: Vec<Fault>) -> Failure {
        let mut lines: Vec<(Place, String)> = faults
            .into_iter()
            .map(|fault| {
                let pointer = fault.pointer.trim_start_matches('#').to_owned();
                let (line, column) = self.place(&pointer);
                let at = if pointer.is_empty() { String::new() } else { format!(" {pointer}:") };
                ((line, column), format!("{}:{line}:{column}:{at} {}", self.name, plainer(&fault.detail)))
            })
            .collect();
        lines.sort();
        lines.dedup();
        Failure::Faults(lines.into_iter().map(|(_, line)| line).collect())
    }

    /// A warning with the place of this pointer before it.
    pub(crate) fn at(&self, pointer: &str, sentence: &str) -> String {
        let (line, column) = self.place(pointer);
        format!("{}:{line}:{column}: {sentence}", self.name)
    }

    /// The place of a pointer, or of the nearest thing around it: what is missing has no place of its own.
    fn place(&self, pointer: &str) -> Place {
        let mut around = pointer;
        loop {
            if let Some(place) = self.places.get(around) {
                return *place;
            }
            match around.rfind('/') {
                Some(end) => around = &around[..end],
                None => return (1, 1),
            }
        }
    }
}

/// Where YAML reads a number or a moment of its own, people meant a text.
fn plainer(detail: &str) -> String {
    if detail.starts_with("expected a string, got `") {
        return format!("{detail}; put it in quotes");
    }
    detail.to_owned()
}

/// Read the document in this file; `-` is stdin.
pub(crate) fn read(path: &Path) -> Result<(Value, Source)> {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    parse(&name, &bytes(path, MAX_BYTES)?)
}

/// Read the document in these bytes, which came from something of this name.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<(Value, Source)> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::plain(format!("`{name}` is not UTF-8")))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::plain(format!("`{name}` is larger than {MAX_BYTES} bytes")));
    }
    let parsed = yaml::parse(text).map_err(|fault| {
        let (line, column) = fault.place;
        Failure::Faults(vec![format!("{name}:{line}:{column}: {}", fault.problem)])
    })?;
    Ok((parsed.value, Source { name: name.to_owned(), places: parsed.places }))
}

/// The bytes of a file, no more than so many; `-` is stdin.
pub(crate) fn bytes(path: &Path, most: usize) -> Result<Vec<u8>> {
    let bytes = bounded(path, most).map_err(|e| Failure::file("read", path, &e))?;
    bytes.ok_or_else(|| Failure::plain(format!("`{}` is larger than {most} bytes", path.display())))
}

/// The same for who tells paths in another way; none where there are more.
pub(crate) fn bounded(path: &Path, most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let (mut bytes, limit) = (Vec::new(), most as u64 + 1);
    if path == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok((bytes.len() <= most).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_by_line_and_column_in_order() {
        let parsed = yaml::parse("key: a\nname: 7\ncovers:\n  purposes: []\n").unwrap();
        let source = Source { name: "basis.yaml".to_owned(), places: parsed.places };
        let failure = source.faults(vec![
            Fault::new("/covers/purposes/0", "too few"),
            Fault::new("/name", "expected a string, got `7`"),
            Fault::new("/legal_basis", "missing field `legal_basis`"),
        ]);
        let lines = failure.to_string();
        assert_eq!(
            lines,
            "basis.yaml:1:1: /legal_basis: missing field `legal_basis`\n\
             basis.yaml:2:1: /name: expected a string, got `7`; put it in quotes\n\
             basis.yaml:4:3: /covers/purposes/0: too few"
        );
    }
}
