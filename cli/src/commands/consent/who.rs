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
    /// Key to hash the identifier on standard input with; it is never sent. May be repeated where something is recorded, for people
    /// known under several
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// What the identifier is
    #[arg(long = "type", value_name = "TYPE", default_value = "email", conflicts_with = "subject")]
    kind: Kind,
    /// Country of a telephone number that does not name its own, as `FR`
    #[arg(long, conflicts_with = "subject")]
    region: Option<String>,
}

impl Who {
    /// Their pseudonym, where one is asked for.
    pub(crate) fn pseudonym(&self) -> Result<Pseudonym> {
        let mut all = self.pseudonyms()?;
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Ok(one),
            _ => {
                Err(Failure::Usage("this is of one pseudonym: give one `--key`, and ask again with another".to_owned()))
            }
        }
    }

    /// Their pseudonyms, one for each key. No refusal repeats what was given: it may be the identifier itself.
    pub(crate) fn pseudonyms(&self) -> Result<Vec<Pseudonym>> {
        if let Some(subject) = &self.subject {
            return Ok(vec![subject.parse().map_err(|e| Failure::Usage(format!("--subject: {e}")))?]);
        }
        if self.key.is_empty() {
            return Err(Failure::Usage("name the person by `--subject`, or give a `--key`".to_owned()));
        }
        let keys = self.key.iter().map(|path| key::read(path)).collect::<Result<Vec<_>>>()?;
        let value = Value { line: 1, text: Some(identifier()?) };
        let hashed = keys.iter().map(|key| {
            let hasher = hasher(key, self.kind, self.region.as_deref())?;
            hasher.hash(&value).map_err(|one| Failure::plain(format!("standard input: {}", one.why)))
        });
        let mut all: Vec<Pseudonym> = Vec::new();
        for made in hashed {
            let made = made?;
            if !all.contains(&made) {
                all.push(made);
            }
        }
        Ok(all)
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
