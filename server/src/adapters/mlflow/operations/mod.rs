//! The verbs: each checks, and records what was said; promotion asks the gate.

pub mod experiments;
pub mod inputs;
pub mod logged;
pub mod models;
pub mod promote;
pub mod runs;
pub mod standing;
pub mod versions;

use licit_schemas::openlineage::{MOST_ASSESSMENTS, RunFacet};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::Operation;
use licit_schemas::text::Iri;
use licit_schemas::time::Timestamp;

use super::fact::{Tags, Texts};
use super::state::millis;
use super::{fault, names};
use crate::error::Result;
use crate::facts::Tx;
use crate::resolve::pin;

/// Tags that name people or their machines, or are written by them about them.
const NOTED: [&str; 4] = ["mlflow.user", "mlflow.source.name", "mlflow.note.content", "mlflow.docker.image.name"];
/// Where the program is.
pub const REPOSITORY: &str = "mlflow.source.git.repoURL";
/// Parameters, keys of figures, tags, aliases, inputs and outputs of one thing, each.
const MOST: usize = 2000;
/// By how many milliseconds the clock of a client may be ahead of ours.
const CLOCKS_DIFFER: i64 = 300_000;

/// Refuse what would be one too many of something that a thing has: what takes the place of another is none more.
fn bounded<'k>(
    (thing, what): (&str, &str),
    count: usize,
    keys: impl IntoIterator<Item = &'k String>,
    has: impl Fn(&str) -> bool,
) -> Result<()> {
    let new = keys.into_iter().filter(|key| !has(key)).count();
    if new > 0 && count.saturating_add(new) > MOST {
        return Err(fault::parameter(format!(
            "{thing} may have {MOST} {what}, and would have more: delete some, or set fewer."
        )));
    }
    Ok(())
}

/// Refuse tags beyond what a thing may have.
fn tags_bounded(thing: &str, own: &Tags, texts: &Texts) -> Result<()> {
    bounded((thing, "tags"), own.open.len() + own.noted.len(), texts.keys(), |key| own.has(key))
}

/// Tags as they are kept: some as notes.
fn tags(tx: &mut Tx<'_>, texts: &Texts) -> Result<Tags> {
    let mut tags = Tags::default();
    for (key, value) in texts {
        // Of a workspace that runs notebooks: paths with the addresses of their authors in them.
        let noted = NOTED.contains(&key.as_str()) || key.starts_with("mlflow.databricks.");
        if noted && !value.is_empty() {
            tags.noted.insert(key.clone(), tx.note(value)?);
        } else if key == REPOSITORY {
            // A pipeline's remote often has its token in it.
            tags.open.insert(key.clone(), names::address(value));
        } else {
            tags.open.insert(key.clone(), value.clone());
        }
    }
    Ok(tags)
}

/// A moment that a client states: what lies ahead was said by a clock that goes wrong.
fn said_at(tx: &Tx<'_>, stated: Option<i64>) -> i64 {
    let now = millis(tx.now());
    match stated {
        Some(stated) if stated <= now + CLOCKS_DIFFER && in_time(stated) => stated,
        _ => now,
    }
}

fn in_time(stated: i64) -> bool {
    stated.checked_mul(1000).and_then(Timestamp::from_micros).is_some()
}

/// A reference that a tag states, pinned where it is registered; elsewhere as it was stated, and the gate knows no such thing.
fn reference(tx: &Tx<'_>, text: &str, kind: Kind) -> Option<Ref> {
    let stated: Ref = text.trim().parse().ok()?;
    if stated.kind() != kind {
        return None;
    }
    Some(pin(tx.world(), &stated, tx.now(), "").unwrap_or(stated))
}

/// Several of them, with commas between; none where nobody can read one.
fn references(tx: &Tx<'_>, text: &str, kind: Kind) -> Option<Vec<Ref>> {
    let list: Vec<Ref> = text.split(',').map(|one| reference(tx, one, kind)).collect::<Option<_>>()?;
    (list.len() <= MOST_ASSESSMENTS).then_some(list)
}

/// What tags state, and those that nobody can read: a job must not die of a slip in a tag, and what is not stated is not covered.
#[derive(Default)]
struct Stated {
    facet: Option<RunFacet>,
    subjects: Vec<Iri>,
    unread: Vec<String>,
}

/// A tag that nobody can read, as it is told of.
fn unread(key: &str, value: &str) -> String {
    format!("{key} {}", value.chars().filter(|c| !c.is_control()).take(80).collect::<String>())
}

/// What the tags of a run state.
fn stated(tx: &Tx<'_>, texts: &Texts) -> Stated {
    let (mut facet, mut said) = (RunFacet::default(), Stated::default());
    for (key, value) in texts {
        let read = match key.as_str() {
            "licit.purpose" => reference(tx, value, Kind::Purpose).map(|read| facet.purpose = Some(read)),
            "licit.basis" => reference(tx, value, Kind::Basis).map(|read| facet.basis = Some(read)),
            "licit.controller" => reference(tx, value, Kind::Party).map(|read| facet.controller = Some(read)),
            "licit.operation" => {
                let word = serde_json::Value::String(value.trim().to_owned());
                serde_json::from_value::<Operation>(word).ok().map(|read| facet.operation = Some(read))
            }
            "licit.assessments" => references(tx, value, Kind::Assessment).map(|read| facet.assessments = read),
            "licit.subjects" => inputs::subjects(value).map(|read| said.subjects = read),
            _ => continue,
        };
        if read.is_none() {
            said.unread.push(unread(key, value));
        }
    }
    said.facet = (facet != RunFacet::default()).then_some(facet);
    said
}
