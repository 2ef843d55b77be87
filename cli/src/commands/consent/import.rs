//! `licit consent import`: many records, batch by batch.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::consent::{ConsentRecord, MOST_RECORDS, RecordsTaken};
use licit_schemas::document;
use licit_schemas::subjects::LINES;
use serde::Serialize;
use serde_json::Value;

use crate::client::{Client, persistently, typed};
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::progress::progress;
use crate::output::{self, style};

/// Bytes in one batch, about: below what a server takes.
const BATCH_BYTES: usize = 6 << 20;
/// No record is longer.
const LINE_BYTES: u64 = 64 << 10;
/// Refused lines told one by one; `--json` has them all.
const MOST_TOLD: usize = 100;

/// What to import.
#[derive(Debug, Args)]
#[command(
    after_help = "Each line stands for itself: what is wrong with one is told by its number, and the others are recorded. A line \
that is no record is not sent. What was recorded before is `unchanged`: after a failure, give the whole file again.

Examples:
  licit consent import said.ndjson
  jq -c '.events[]' export.json | licit consent import - --json"
)]
pub(crate) struct ImportArgs {
    /// File with one JSON document a line (NDJSON); `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What became of a file.
#[derive(Default, Serialize)]
struct Imported {
    /// Lines read, empty ones left out.
    lines: u64,
    created: u64,
    unchanged: u64,
    /// Records of people who were erased: they are not recorded again.
    erased: u64,
    refused: Vec<Refused>,
}

/// A line that was not recorded, by its number in the file. It does not repeat what stands there.
#[derive(Serialize)]
struct Refused {
    line: u64,
    pointer: String,
    detail: String,
}

/// Run the command.
pub(crate) fn run(context: &Context, args: &ImportArgs) -> Result<Exit> {
    let (mut source, whole) = open(&args.file)?;
    let client = context.client()?;
    let bar = progress(whole);
    let mut import = Import { client: &client, words: words(), batch: Batch::default(), so_far: Imported::default() };
    let mut recorded = Ok(());
    let (mut line, mut number, mut position) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = match source.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(read) => read as u64,
            Err(e) => {
                recorded = Err(Failure::file("read", &args.file, &e));
                break;
            }
        };
        if read == 0 {
            break;
        }
        number += 1;
        position += read;
        let cut = read == LINE_BYTES && !line.ends_with(b"\n");
        if cut {
            position += skip_line(&mut source).map_err(|e| Failure::file("read", &args.file, &e))?;
        }
        recorded = import.take(number, &line, cut);
        bar.set_position(position);
        if recorded.is_err() {
            break;
        }
    }
    let recorded = recorded.and_then(|()| import.send());
    bar.finish_and_clear();
    let Import { mut so_far, .. } = import;
    so_far.refused.sort_by_key(|one| one.line);
    if let Err(failure) = recorded {
        tell(&so_far.refused);
        output::warn(&format!("{}; the rest was not: give the whole file again", counts(&so_far)));
        return Err(failure);
    }
    if !context.json() {
        tell(&so_far.refused);
    }
    context.answer(&so_far, || {
        let word = if so_far.refused.is_empty() { style::green("recorded") } else { style::red("recorded in part") };
        format!("{word}  {}", counts(&so_far))
    });
    Ok(if so_far.refused.is_empty() { Exit::Done } else { Exit::Failure })
}

fn counts(imported: &Imported) -> String {
    let Imported { created, unchanged, erased, refused, .. } = imported;
    let erased = if *erased > 0 { format!(", {erased} erased before") } else { String::new() };
    format!("{created} new, {unchanged} unchanged{erased}, {} refused", refused.len())
}

fn tell(refused: &[Refused]) {
    for one in refused.iter().take(MOST_TOLD) {
        let at = if one.pointer.is_empty() { String::new() } else { format!(" {}:", one.pointer) };
        output::warn(&format!("line {}:{at} {}", one.line, one.detail));
    }
    if refused.len() > MOST_TOLD {
        output::warn(&format!("and {} more: `--json` names them all", refused.len() - MOST_TOLD));
    }
}

fn open(path: &Path) -> Result<(Box<dyn BufRead>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin())), 0));
    }
    let file = File::open(path).map_err(|e| Failure::file("read", path, &e))?;
    let whole = file.metadata().map_or(0, |metadata| metadata.len());
    Ok((Box::new(BufReader::with_capacity(1 << 16, file)), whole))
}

/// Read on to the end of the line; how many bytes that were.
fn skip_line(source: &mut impl BufRead) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = source.fill_buf()?;
        let end = buffer.iter().position(|b| *b == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        source.consume(taken);
        skipped += taken as u64;
        if end.is_some() || taken == 0 {
            return Ok(skipped);
        }
    }
}

/// Lines that go together.
#[derive(Default)]
struct Batch {
    body: Vec<u8>,
    /// Number in the file of each line.
    numbers: Vec<u64>,
}

struct Import<'a> {
    client: &'a Client,
    words: BTreeSet<String>,
    batch: Batch,
    so_far: Imported,
}

impl Import<'_> {
    /// Take the next line; a batch that is full is sent.
    fn take(&mut self, number: u64, line: &[u8], cut: bool) -> Result<()> {
        let marked = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf") } else { None };
        let line = marked.unwrap_or(line).trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        self.so_far.lines += 1;
        // What is no record may hold somebody's address: it stays on this machine.
        if cut {
            self.refuse(number, "", "longer than any record");
            return Ok(());
        }
        let faults = document::read::<ConsentRecord>(line).map_or_else(Some, |record| {
            let faults = record.faults(record.at);
            (!faults.is_empty()).then_some(faults)
        });
        if let Some(first) = faults.and_then(|faults| faults.into_iter().next()) {
            self.refuse(number, &first.pointer, &first.detail);
            return Ok(());
        }
        if self.batch.numbers.len() == MOST_RECORDS || self.batch.body.len() + line.len() > BATCH_BYTES {
            self.send()?;
        }
        self.batch.body.extend_from_slice(line);
        self.batch.body.push(b'\n');
        self.batch.numbers.push(number);
        Ok(())
    }

    /// Send what was gathered. Records are known by their id: a batch may be sent twice.
    fn send(&mut self) -> Result<()> {
        let Batch { body, numbers } = std::mem::take(&mut self.batch);
        if numbers.is_empty() {
            return Ok(());
        }
        let answer = persistently(|| self.client.send_lines("POST", "/consent-batches", &[], LINES, &body))?;
        let taken: RecordsTaken = typed(&answer)?;
        self.so_far.created += u64::from(taken.created);
        self.so_far.unchanged += u64::from(taken.unchanged);
        self.so_far.erased += u64::from(taken.erased);
        for one in &taken.refused {
            let place = usize::try_from(one.line).ok().and_then(|line| line.checked_sub(1));
            let number = place.and_then(|place| numbers.get(place)).copied();
            let number = number.ok_or_else(|| Failure::plain("the server refuses a line that was not sent"))?;
            self.refuse(number, &one.pointer, &one.detail);
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, pointer: &str, detail: &str) {
        let (pointer, detail) = unrepeated(&self.words, pointer, detail);
        self.so_far.refused.push(Refused { line, pointer, detail });
    }
}

/// The words of a record: names of its members, and what may stand in them.
fn words() -> BTreeSet<String> {
    fn gather(schema: &Value, words: &mut BTreeSet<String>) {
        match schema {
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                        ("const", Value::String(word)) => words.extend([word.clone()]),
                        ("enum", Value::Array(all)) => {
                            words.extend(all.iter().filter_map(Value::as_str).map(str::to_owned))
                        }
                        _ => {}
                    }
                    gather(value, words);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, words)),
            _ => {}
        }
    }
    let mut words: BTreeSet<String> =
        ["p1.", ".", "licit subjects hash", "purpose:<key>"].into_iter().map(str::to_owned).collect();
    gather(&document::schema_of::<ConsentRecord>(), &mut words);
    words
}

/// A fault that names only what every record has: the reason of another word is the word itself, and that may be somebody.
fn unrepeated(words: &BTreeSet<String>, pointer: &str, detail: &str) -> (String, String) {
    let pointer = pointer.trim_start_matches('#');
    let member = pointer.trim_start_matches('/');
    if !member.is_empty() && !words.contains(member) {
        return (String::new(), "holds a member that no record has".to_owned());
    }
    // What an example in a sentence is, and what stood there, comes after it.
    let detail = detail.split(", got ").next().unwrap_or_default();
    let mut said = String::with_capacity(detail.len());
    for (place, part) in detail.split('`').enumerate() {
        match place % 2 {
            0 => said.push_str(part),
            _ if words.contains(part) => said.push_str(&format!("`{part}`")),
            _ => said.push_str("what stands there"),
        }
    }
    (pointer.to_owned(), said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_repeats_nothing_that_stood_there() {
        let words = words();
        let told = |line: &str| {
            let first = document::read::<ConsentRecord>(line.as_bytes()).unwrap_err().swap_remove(0);
            let (pointer, detail) = unrepeated(&words, &first.pointer, &first.detail);
            assert!(!pointer.contains("jane") && !detail.contains("jane"), "{line}: {pointer} {detail}");
            (pointer, detail)
        };
        let whole = |name: &str, value: &str| {
            let mut record = serde_json::json!({
                "record_id": "00000000-0000-4000-8000-000000000001", "purpose": "purpose:ads", "said": "given",
                "subject": "p1.k1._tBKn4hDnnOPLBF0LpqDjWHsUE3fqX62r2BCNXH83H0", "at": "2026-01-01",
            });
            record[name] = serde_json::from_str(value).unwrap();
            record.to_string()
        };
        for name in ["record_id", "subject", "purpose", "channel", "said", "at", "until", "notice", "method"] {
            for value in
                [r#""jane@example.com""#, r#""jane""#, r#"["jane"]"#, r#"{"jane": 1}"#, r#""\u006aane, got ja""#]
            {
                assert_eq!(told(&whole(name, value)).0, format!("/{name}"));
            }
        }
        assert_eq!(told(&whole("jane@example.com", "1")).0, "");
        told("jane@example.com");
        told(r#"{"jane": 1, "jane": 2}"#);
        told(r#"{"jane": {"jane": 1e400}}"#);
        let (_, detail) = told(&whole("said", r#""jane""#));
        assert!(detail.starts_with("expected one of `given`, `renewed`"), "{detail}");
        let (_, detail) = told(&whole("subject", r#""jane@example.com""#));
        assert!(detail.contains("e-mail address") && detail.contains("`licit subjects hash`"), "{detail}");
    }
}
