//! Records as they come in a batch: one JSON document a line (NDJSON). Each line stands for itself.

use licit_schemas::consent::{ConsentRecord, IndicatedBy, MOST_RECORDS, RefusedLine, Said};
use licit_schemas::problem::Fault;
use licit_schemas::time::Timestamp;
use licit_schemas::{document, json};

use super::records::Line;
use crate::error::{Error, Result};

/// Lines that can be recorded, and those that cannot.
#[derive(Debug)]
pub struct Batch {
    /// Records.
    pub lines: Vec<Line>,
    /// What is wrong with the others; the first fault of each.
    pub refused: Vec<RefusedLine>,
}

/// One record with its canonical form. `overrides`: whether the caller may say that consent never was valid, that grounds override
/// an objection, or that an objection or a restriction ended without the person saying so.
///
/// # Errors
/// What does not fit together, by JSON pointer.
pub fn line(
    number: u32,
    record: ConsentRecord,
    now: Timestamp,
    overrides: bool,
) -> std::result::Result<Line, Vec<Fault>> {
    let mut faults = record.faults(now);
    if !overrides && matches!(record.said, Said::ObjectionOverridden | Said::Invalidated) {
        let sentence =
            "the data protection officer records that consent was invalid, or that grounds override an objection";
        faults.push(Fault::new("/said", sentence));
    }
    // Who is left out stays left out until that person, or who speaks for them, says otherwise (GDPR Art. 18(3), 21).
    let by_another = matches!(record.indicated_by, IndicatedBy::Controller | IndicatedBy::Authority);
    if !overrides && by_another && matches!(record.said, Said::ObjectionWithdrawn | Said::RestrictionLifted) {
        let sentence = "the person, or who speaks for them, takes that back: for anybody else, the data protection officer records it";
        faults.push(Fault::new("/indicated_by", sentence));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let doc = json::canonical(&record).map_err(|e| vec![Fault::new("", e.to_string())])?;
    Ok(Line { number, record, doc })
}

/// Read a batch.
///
/// # Errors
/// No line, or too many.
pub fn read(body: &[u8], now: Timestamp, overrides: bool) -> Result<Batch> {
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    let mut batch = Batch { lines: Vec::new(), refused: Vec::new() };
    if body.is_empty() {
        return Err(Error::invalid("", "no line: send records, one JSON document a line"));
    }
    for (number, text) in (1u32..).zip(body.split(|b| *b == b'\n')) {
        if number as usize > MOST_RECORDS {
            return Err(Error::invalid("", format!("more than {MOST_RECORDS} lines: send smaller batches")));
        }
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match document::read::<ConsentRecord>(text).and_then(|record| line(number, record, now, overrides)) {
            Ok(read) => batch.lines.push(read),
            Err(faults) => batch.refused.extend(faults.into_iter().take(1).map(|fault| {
                let Fault { pointer, detail, .. } = document::quiet::<ConsentRecord>(fault);
                RefusedLine { line: number, pointer, detail }
            })),
        }
    }
    Ok(batch)
}
