//! Pseudonyms as they come: one JSON text a line (NDJSON). A fault names its line and never what stood there.

use std::collections::BTreeSet;

use licit_schemas::problem::Fault;
use licit_schemas::subjects::{KeyId, MOST_IN_BATCH, Pseudonym};

use crate::db::dictionary::Hash;
use crate::error::{Error, Result};

/// Faults named in one answer at most.
const MOST_FAULTS: usize = 50;

/// A batch that was read.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The key of them all.
    pub kid: KeyId,
    /// Lines there were.
    pub records: u32,
    /// People, each once.
    pub hashes: Vec<Hash>,
}

/// Read a batch.
///
/// # Errors
/// Every faulty line by its number, from 1; an empty batch; too many lines.
pub fn read(body: &[u8]) -> Result<Lines> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let (mut kid, mut records, mut hashes, mut faults) = (None, 0u32, BTreeSet::new(), Vec::new());
    for line in body.split(|b| *b == b'\n').filter(|_| !body.is_empty()) {
        records += 1;
        if records as usize > MOST_IN_BATCH {
            return Err(Error::invalid("", format!("more than {MOST_IN_BATCH} lines: send smaller batches")));
        }
        let outcome = pseudonym(line).and_then(|one| {
            let of_all: &KeyId = kid.get_or_insert_with(|| one.kid().clone());
            if of_all != one.kid() {
                return Err("another key than that of the lines before made this".to_owned());
            }
            hashes.insert(*one.hash());
            Ok(())
        });
        if let Err(detail) = outcome {
            faults.push(Fault::new(&format!("/{records}"), detail));
            if faults.len() == MOST_FAULTS {
                break;
            }
        }
    }
    match kid {
        _ if !faults.is_empty() => Err(Error::Invalid(faults)),
        Some(kid) => Ok(Lines { kid, records, hashes: hashes.into_iter().collect() }),
        None => Err(Error::invalid("", "no line: send pseudonyms, one JSON text a line")),
    }
}

fn pseudonym(line: &[u8]) -> std::result::Result<Pseudonym, String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| "this is not UTF-8".to_owned())?;
    // A pseudonym holds nothing that JSON escapes.
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or_else(|| "expected one JSON text: a pseudonym in double quotes".to_owned())?;
    inner.parse().map_err(|e: licit_schemas::subjects::PseudonymFault| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kid: &str, seed: &str) -> String {
        let hash = *licit_schemas::digest::Digest::of(seed.as_bytes()).as_bytes();
        format!("\"{}\"\n", Pseudonym::new(kid.parse().unwrap(), hash))
    }

    #[test]
    fn lines_become_people_each_once() {
        let body = [line("k", "a"), line("k", "b"), line("k", "a")].concat();
        let read = read(body.as_bytes()).unwrap();
        assert_eq!((read.kid.as_str(), read.records, read.hashes.len()), ("k", 3, 2));
        assert!(read.hashes.is_sorted());
    }

    #[test]
    fn each_faulty_line_is_named_and_none_is_repeated() {
        let good = line("k", "a");
        let mut body = good.clone().into_bytes();
        body.extend_from_slice(b"\"jane.doe@example.com\"\n+353155501420000\n\"\xff\xfe\"\n\n\"\0\"\n");
        body.extend_from_slice(line("other", "b").as_bytes());
        let Error::Invalid(faults) = read(&body).unwrap_err() else { panic!("it is a fault of the caller") };
        let at: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
        assert_eq!(at, ["#/2", "#/3", "#/4", "#/5", "#/6", "#/7"]);
        let told = format!("{faults:?}");
        assert!(!told.contains("jane") && !told.contains("353"), "{told}");
        for bad in [&b""[..], b"\n", b"\n\n", b"[]", good.repeat(MOST_IN_BATCH + 1).as_bytes()] {
            assert!(matches!(read(bad), Err(Error::Invalid(_))));
        }
    }
}
