//! Lists over the projection: filter, sort, page by cursor.

use diesel::prelude::*;
use licit_schemas::known::KnownAt;
use licit_schemas::resource::{ListQuery, Page, Sort};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::conn::{Conn, MultiBackend};
use super::rows::{Row, tag_text};
use super::schema::resource;
use crate::error::{Error, Result};

/// Where a page ended, with a fingerprint of the question: a cursor belongs to the list it came from.
#[derive(Serialize, Deserialize)]
struct Cursor {
    of: u64,
    name: String,
    seq: i64,
    id: String,
}

/// The states in force of one kind, now or as of a position: each says since and until which entry it was.
///
/// # Errors
/// A cursor of another question or a limit out of range is the caller's fault.
pub fn list(conn: &mut Conn, kind: &str, query: &ListQuery) -> Result<Page<Row>> {
    if !(1..=500).contains(&query.limit) {
        return Err(Error::invalid(
            "/limit",
            format!("`{}` is out of range: ask for 1 to 500 items a page", query.limit),
        ));
    }
    let of = fingerprint(kind, query);
    let mut select: resource::BoxedQuery<'_, MultiBackend> =
        resource::table.filter(resource::kind.eq(kind.to_owned())).into_boxed();
    select = match known(conn, query.known_at)? {
        None => select.filter(resource::until_seq.is_null()),
        Some(seq) => select
            .filter(resource::since_seq.le(seq))
            .filter(resource::until_seq.is_null().or(resource::until_seq.gt(seq))),
    };
    if let Some(moment) = query.valid_at {
        let moment = moment.naive();
        select = select
            .filter(resource::valid_from.is_null().or(resource::valid_from.le(moment)))
            .filter(resource::valid_to.is_null().or(resource::valid_to.gt(moment)));
    }
    if let Some(q) = &query.q {
        for word in q.to_lowercase().split_whitespace().take(8) {
            select = select.filter(resource::search.like(format!("%{}%", escaped(word))).escape('\\'));
        }
    }
    if let Some(name) = &query.name {
        select = select.filter(resource::name.eq(name.clone()));
    }
    if let Some(owner) = &query.owner {
        select = select.filter(resource::owner.eq(owner.clone()));
    }
    if let Some(state) = &query.state {
        select = select.filter(resource::state.eq(state.clone()));
    }
    if let Some(parent) = &query.parent {
        select = select.filter(resource::parent.eq(parent.clone()));
    }
    if let Some(reference) = &query.reference {
        select = select.filter(resource::reference.eq(reference.clone()));
    }
    if let Some(tag) = &query.tag {
        let pattern = match tag.split_once('=') {
            Some((key, value)) => format!("%|{}={}|%", escaped(&tag_text(key)), escaped(&tag_text(value))),
            None => format!("%|{}=%", escaped(&tag_text(tag))),
        };
        select = select.filter(resource::tags.like(pattern).escape('\\'));
    }
    if let Some(text) = &query.cursor {
        let Cursor { of: asked, name, seq, id } = read_cursor(text)?;
        if asked != of {
            return Err(Error::invalid("/cursor", "this cursor belongs to another question: ask again from the start"));
        }
        // Several rows of one kind may begin at one position (an approval per subject of a dossier): the id decides.
        select = match query.sort {
            Sort::Newest => {
                select.filter(resource::since_seq.lt(seq).or(resource::since_seq.eq(seq).and(resource::id.lt(id))))
            }
            Sort::Oldest => {
                select.filter(resource::since_seq.gt(seq).or(resource::since_seq.eq(seq).and(resource::id.gt(id))))
            }
            Sort::Name => select.filter(
                resource::name.gt(name.clone()).or(resource::name
                    .eq(name)
                    .and(resource::since_seq.gt(seq).or(resource::since_seq.eq(seq).and(resource::id.gt(id))))),
            ),
        };
    }
    select = match query.sort {
        Sort::Newest => select.order((resource::since_seq.desc(), resource::id.desc())),
        Sort::Oldest => select.order((resource::since_seq.asc(), resource::id.asc())),
        Sort::Name => select.order((resource::name.asc(), resource::since_seq.asc(), resource::id.asc())),
    };
    let limit = usize::from(query.limit);
    let mut items: Vec<Row> = select.limit(i64::from(query.limit) + 1).select(Row::as_select()).load(conn)?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = match items.last() {
        Some(row) if more => {
            Some(write_cursor(&Cursor { of, name: row.name.clone(), seq: row.since_seq, id: row.id.clone() })?)
        }
        _ => None,
    };
    Ok(Page { items, next })
}

/// The state in force by id: its latest. Not asked for by `until_seq`: PostgreSQL, before its first ANALYZE, takes that for a
/// reason to read every row of the kind.
///
/// # Errors
/// Only what the database said.
pub fn by_id(conn: &mut Conn, kind: &str, id: &str) -> Result<Option<Row>> {
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::id.eq(id))
        .order(resource::since_seq.desc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// [`by_id`] as of a position.
///
/// # Errors
/// A position the ledger has not reached.
pub fn by_id_known(conn: &mut Conn, kind: &str, id: &str, known_at: Option<KnownAt>) -> Result<Option<Row>> {
    match known(conn, known_at)? {
        Some(seq) => by_id_upto(conn, kind, id, seq),
        None => by_id(conn, kind, id),
    }
}

/// [`by_id`] as it was after an entry.
pub(super) fn by_id_upto(conn: &mut Conn, kind: &str, id: &str, seq: i64) -> Result<Option<Row>> {
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::id.eq(id))
        .filter(resource::since_seq.le(seq))
        .order(resource::since_seq.desc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// The state of what a reference names, as of a position. Found by its key, as [`by_id`] is.
///
/// # Errors
/// A position the ledger has not reached.
pub fn by_reference(conn: &mut Conn, kind: &str, reference: &str, known_at: Option<KnownAt>) -> Result<Option<Row>> {
    let seq = known(conn, known_at)?.unwrap_or(i64::MAX);
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::reference.eq(reference))
        .filter(resource::since_seq.le(seq))
        .order(resource::since_seq.desc())
        .select(Row::as_select())
        .first(conn)
        .optional()?)
}

/// What these references of a kind named after an entry, in no order.
///
/// # Errors
/// Only what the database said.
pub fn by_references(conn: &mut Conn, kind: &str, references: &[String], position: u64) -> Result<Vec<Row>> {
    let seq = i64::try_from(position).unwrap_or(i64::MAX);
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::reference.eq_any(references))
        .filter(resource::since_seq.le(seq))
        .filter(resource::until_seq.is_null().or(resource::until_seq.gt(seq)))
        .select(Row::as_select())
        .load(conn)?)
}

/// The position asked for, where it is not simply now.
fn known(conn: &mut Conn, known_at: Option<KnownAt>) -> Result<Option<i64>> {
    match known_at {
        None | Some(KnownAt::Now) => Ok(None),
        Some(known_at) => Ok(Some(i64::try_from(super::position(conn, known_at)?).unwrap_or(i64::MAX))),
    }
}

/// The states in force of a parent, now or as of a position, oldest first, whole.
///
/// # Errors
/// A position the ledger has not reached.
pub fn children(conn: &mut Conn, kind: &str, parent: &str, known_at: Option<KnownAt>) -> Result<Vec<Row>> {
    let seq = known(conn, known_at)?.unwrap_or(i64::MAX);
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::parent.eq(parent))
        .filter(resource::since_seq.le(seq))
        .filter(resource::until_seq.is_null().or(resource::until_seq.gt(seq)))
        .order((resource::since_seq.asc(), resource::id.asc()))
        .select(Row::as_select())
        .load(conn)?)
}

/// Every state an id ever had up to a position, oldest first.
///
/// # Errors
/// A position the ledger has not reached.
pub fn history(conn: &mut Conn, kind: &str, id: &str, known_at: Option<KnownAt>) -> Result<Vec<Row>> {
    let seq = known(conn, known_at)?.unwrap_or(i64::MAX);
    Ok(resource::table
        .filter(resource::kind.eq(kind))
        .filter(resource::id.eq(id))
        .filter(resource::since_seq.le(seq))
        .order(resource::since_seq.asc())
        .select(Row::as_select())
        .load(conn)?)
}

impl Row {
    /// When this state was recorded.
    pub fn recorded(&self) -> Timestamp {
        Timestamp::from_naive(self.recorded_at)
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn fingerprint(kind: &str, query: &ListQuery) -> u64 {
    let question = ListQuery { cursor: None, limit: 0, ..query.clone() };
    let text = format!("{kind}\n{}", serde_json::to_string(&question).unwrap_or_default());
    let digest = licit_schemas::digest::Digest::of(text.as_bytes());
    digest.as_bytes()[..6].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn write_cursor(cursor: &Cursor) -> Result<String> {
    let text = serde_json::to_vec(cursor).map_err(|e| Error::Internal(format!("cursor: {e}")))?;
    Ok(hex::encode(text))
}

fn read_cursor(text: &str) -> Result<Cursor> {
    hex::decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Error::invalid("/cursor", "not a cursor of ours: pass the `next` of a page as it came"))
}
