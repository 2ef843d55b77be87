//! Who said it: a pseudonym, or an identifier that is read from standard input, hashed here and forgotten.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use licit_schemas::subjects::Pseudonym;

use crate::commands::subjects::{Kind, hasher};
use crate::error::{Failure, Result};
use crate::subjects::column::Value;
use crate::subjects::key;

/// No identifier is longer.
const MOST_BYTES: u64 = 4096;

/// Who said it.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Who {
    /// Pseudonym of the person
    #[arg(long, value_name = "PSEUDONYM", required_unless_present = "key", conflicts_with = "key")]
    subject: Option<String>,
    /// Key to hash the identifier on standard input with; it is never sent
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What the identifier is
    #[arg(long = "type", value_name = "TYPE", default_value = "email", conflicts_with = "subject")]
    kind: Kind,
    /// Country of a telephone number that does not name its own, as `FR`
    #[arg(long, conflicts_with = "subject")]
    region: Option<String>,
}

impl Who {
    /// Their pseudonym. No refusal repeats what was given: it may be the identifier itself.
    pub(crate) fn pseudonym(&self) -> Result<Pseudonym> {
        match (&self.subject, &self.key) {
            (Some(subject), _) => subject.parse().map_err(|e| Failure::Usage(format!("--subject: {e}"))),
            (None, Some(path)) => {
                let key = key::read(path)?;
                let hasher = hasher(&key, self.kind, self.region.as_deref())?;
                let value = Value { line: 1, text: Some(identifier()?) };
                hasher.hash(&value).map_err(|one| Failure::plain(format!("standard input: {}", one.why)))
            }
            (None, None) => Err(Failure::Usage("name the person by `--subject`, or give a `--key`".to_owned())),
        }
    }
}

/// The one line of standard input.
fn identifier() -> Result<String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|e| Failure::plain(format!("cannot read standard input: {e}")))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::plain("standard input: no text in UTF-8"))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) if text.len() as u64 <= MOST_BYTES => Ok(line.to_owned()),
        (None, _) => Err(Failure::Usage("give the identifier on standard input".to_owned())),
        _ => Err(Failure::Usage(
            "standard input holds more than one identifier: `licit subjects hash` and `licit consent import` take many"
                .to_owned(),
        )),
    }
}
