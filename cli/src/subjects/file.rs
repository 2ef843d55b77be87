//! People in a file: pseudonyms, or identifiers that are hashed here and never sent.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::Args;
use licit_schemas::reports::MOST_PEOPLE;
use licit_schemas::subjects::Pseudonym;

use super::column::{self, Column};
use super::hashing::batches;
use super::key;
use crate::commands::subjects::{Kind, Told, hasher};
use crate::error::{Failure, Result};

/// People in a file.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct SubjectFile {
    /// People: pseudonyms, one a line; with --key identifiers, hashed here and never sent
    #[arg(long, value_name = "FILE")]
    pub(crate) subject_file: Option<PathBuf>,
    /// Key to hash the identifiers of the file with
    #[arg(long, value_name = "FILE", requires = "subject_file")]
    key: Option<PathBuf>,
    /// Column of a CSV or Parquet file that identifies people; default: the whole line
    #[arg(long, requires = "key")]
    column: Option<String>,
    /// What the identifiers are: `email`, `phone` or `opaque`
    #[arg(long = "type", value_name = "TYPE", default_value = "email", requires = "key", hide_possible_values = true)]
    kind: Kind,
    /// Country of telephone numbers that do not name theirs, as `FR`
    #[arg(long, requires = "key")]
    region: Option<String>,
}

impl SubjectFile {
    /// Their pseudonyms, each once; none where no file is named.
    pub(crate) fn pseudonyms(&self) -> Result<Option<Vec<Pseudonym>>> {
        let Some(path) = &self.subject_file else { return Ok(None) };
        let people = match &self.key {
            Some(key) => self.hashed(path, key)?,
            None => written(path)?,
        };
        let sentence = |what: &str| Failure::plain(format!("`{}`: {what}", path.display()));
        match people.len() {
            0 => Err(sentence("nobody is named")),
            all if all > MOST_PEOPLE => {
                Err(sentence(&format!("{all} people are too many: give {MOST_PEOPLE} at most")))
            }
            _ => Ok(Some(people.into_iter().collect())),
        }
    }

    fn hashed(&self, path: &Path, key: &Path) -> Result<BTreeSet<Pseudonym>> {
        let key = key::read(key)?;
        let hasher = hasher(&key, self.kind, self.region.as_deref())?;
        let column = match &self.column {
            Some(column) => column::open(path, column, b',')?,
            None => lines(path)?,
        };
        let (mut people, mut unreadable) = (BTreeSet::new(), Told::default());
        batches(column, &hasher, |hashed| {
            for value in hashed.values {
                match value {
                    Ok(made) => _ = people.insert(made),
                    Err(one) => unreadable.add(one),
                }
            }
            Ok(())
        })?;
        unreadable.tell();
        match unreadable.count {
            0 => Ok(people),
            some => Err(Failure::plain(format!("{some} values make no pseudonym, and nobody is asked about"))),
        }
    }
}

fn lines(path: &Path) -> Result<Column> {
    let file = File::open(path).map_err(|e| Failure::plain(format!("cannot read `{}`: {e}", path.display())))?;
    Ok(column::lines(file))
}

/// Pseudonyms as they stand there, in double quotes or not. No refusal repeats a line: it may be somebody's name.
fn written(path: &Path) -> Result<BTreeSet<Pseudonym>> {
    let mut people = BTreeSet::new();
    for value in lines(path)?.values {
        let (_, value) = value?;
        let text = value.text.as_deref().map(|text| text.trim().trim_matches('"')).filter(|text| !text.is_empty());
        let Some(text) = text else { continue };
        let wrong = |_| {
            let sentence = "this is no pseudonym; `--key` hashes identifiers";
            Failure::plain(format!("`{}`, line {}: {sentence}", path.display(), value.line))
        };
        people.insert(text.parse::<Pseudonym>().map_err(wrong)?);
    }
    Ok(people)
}
