//! What facts do to the tables: rows that begin, rows that end. Nothing is updated in place but the end of a row.

use std::collections::HashMap;

use diesel::prelude::*;
use licit_schemas::digest::Digest;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::conn::Conn;
use super::listing::by_id;
use super::schema::{lineage_edge, resource};
use crate::error::Result;

/// Rows in one INSERT: SQLite allows 32,766 parameters, PostgreSQL 65,535.
const CHUNK: usize = 500;

/// One state of something, as the table holds it. Empty text where a column does not apply: lists never page over NULL.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = resource, treat_none_as_default_value = false)]
pub struct Row {
    pub kind: String,
    pub id: String,
    pub reference: String,
    pub state: String,
    pub name: String,
    pub owner: String,
    pub parent: String,
    pub tags: String,
    pub search: String,
    pub digest: String,
    pub doc: String,
    pub actor: String,
    pub recorded_at: chrono::NaiveDateTime,
    pub since_seq: i64,
    pub until_seq: Option<i64>,
    pub valid_from: Option<chrono::NaiveDateTime>,
    pub valid_to: Option<chrono::NaiveDateTime>,
}

/// A lineage edge as the table holds it.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lineage_edge)]
pub struct EdgeRow {
    pub seq: i64,
    pub ordinal: i32,
    pub effect: String,
    pub cause: String,
    pub kind: String,
    pub role: String,
    pub origin: String,
}

/// The place of a fact in the ledger, known before its transaction commits because one writer holds the lock.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// Position, from 1.
    pub seq: u64,
    /// When it was recorded.
    pub time: Timestamp,
    /// Who recorded it.
    pub actor: Uuid,
}

impl At {
    /// Position as the databases hold it.
    pub fn seq_i64(&self) -> i64 {
        i64::try_from(self.seq).unwrap_or(i64::MAX)
    }
}

/// What is said about a new row; the rest follows from the fact's place.
#[derive(Clone, Debug, Default)]
pub struct NewRow {
    pub kind: &'static str,
    pub id: String,
    pub reference: String,
    pub state: String,
    pub name: String,
    pub owner: String,
    pub parent: String,
    pub tags: Vec<(String, String)>,
    pub search: Vec<String>,
    pub digest: Option<Digest>,
    pub doc: String,
    pub valid_from: Option<Timestamp>,
    pub valid_to: Option<Timestamp>,
}

enum Change {
    /// A row begins; an earlier state of the same id ends.
    Put(Box<Row>, bool),
    /// The row goes on in another state.
    Restate {
        kind: &'static str,
        id: String,
        state: String,
        at: At,
        /// The earlier end of its validity, where it is over before the one stated.
        ends: Option<Timestamp>,
        /// Since when it is valid in that state, where that is said.
        begins: Option<Timestamp>,
    },
    Edge(EdgeRow),
}

/// Changes to the tables, in order. Built by projections; a fold that only wants memory discards them unmade.
#[derive(Default)]
pub struct Rows {
    changes: Vec<Change>,
    discard: bool,
    ordinal: (i64, i32),
}

impl Rows {
    /// Keep nothing: for the fold at start.
    pub fn discarding() -> Self {
        Self { discard: true, ..Self::default() }
    }

    /// Number of changes so far: a mark to go back to.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Forget what came after the mark.
    pub fn truncate(&mut self, mark: usize) {
        self.changes.truncate(mark);
        // Edges of an entry are counted from where they stand again: or a fold would number them otherwise.
        let last = self.changes.iter().rev().find_map(|change| match change {
            Change::Edge(row) => Some((row.seq, row.ordinal)),
            _ => None,
        });
        self.ordinal = last.unwrap_or_default();
    }

    /// Something new.
    pub fn put(&mut self, at: &At, row: impl FnOnce() -> NewRow) {
        self.push(at, row, false);
    }

    /// A new state of something that may have one already.
    pub fn replace(&mut self, at: &At, row: impl FnOnce() -> NewRow) {
        self.push(at, row, true);
    }

    /// [`Rows::replace`] where it has one already, else [`Rows::put`].
    pub fn put_or_replace(&mut self, again: bool, at: &At, row: impl FnOnce() -> NewRow) {
        self.push(at, row, again);
    }

    fn push(&mut self, at: &At, row: impl FnOnce() -> NewRow, replaces: bool) {
        if !self.discard {
            self.changes.push(Change::Put(Box::new(finish(row(), at)), replaces));
        }
    }

    /// The same thing, in another state.
    pub fn restate(&mut self, at: &At, kind: &'static str, id: Uuid, state: &str) {
        self.restated(at, kind, id, state, [None, None]);
    }

    /// The same thing, in another state, valid since then.
    pub fn begun(&mut self, at: &At, kind: &'static str, id: Uuid, state: &str, begins: Timestamp) {
        self.restated(at, kind, id, state, [Some(begins), None]);
    }

    /// The same thing, in another state, and valid until then at most.
    pub fn ended(&mut self, at: &At, kind: &'static str, id: Uuid, state: &str, ends: Option<Timestamp>) {
        self.restated(at, kind, id, state, [None, ends]);
    }

    fn restated(&mut self, at: &At, kind: &'static str, id: Uuid, state: &str, valid: [Option<Timestamp>; 2]) {
        if !self.discard {
            let [begins, ends] = valid;
            let (id, state) = (id.to_string(), state.to_owned());
            self.changes.push(Change::Restate { kind, id, state, at: *at, ends, begins });
        }
    }

    /// A lineage edge.
    pub fn edge(&mut self, at: &At, effect: &str, cause: &str, [kind, role, origin]: [&str; 3]) {
        if self.discard {
            return;
        }
        let seq = at.seq_i64();
        let ordinal = if self.ordinal.0 == seq { self.ordinal.1 + 1 } else { 0 };
        self.ordinal = (seq, ordinal);
        self.changes.push(Change::Edge(EdgeRow {
            seq,
            ordinal,
            effect: effect.to_owned(),
            cause: cause.to_owned(),
            kind: kind.to_owned(),
            role: role.to_owned(),
            origin: origin.to_owned(),
        }));
    }

    /// The pending row in force of an id, for operations of the same group.
    pub fn pending(&self, kind: &str, id: &str) -> Option<&Row> {
        self.changes.iter().rev().find_map(|change| match change {
            Change::Put(row, _) if row.kind == kind && row.id == id => Some(row.as_ref()),
            _ => None,
        })
    }

    /// Write all changes; rows of one kind of change go in few statements.
    ///
    /// # Errors
    /// What the database said.
    pub(super) fn flush(self, conn: &mut Conn) -> Result<()> {
        let mut rows: Vec<Row> = Vec::new();
        let mut edges: Vec<EdgeRow> = Vec::new();
        let mut last: HashMap<(String, String), usize> = HashMap::new();
        for change in self.changes {
            match change {
                Change::Put(row, replaces) => {
                    let key = (row.kind.clone(), row.id.clone());
                    if replaces {
                        let known = last.get(&key).copied();
                        let before = if known.is_none() { by_id(conn, &row.kind, &row.id)? } else { None };
                        end(conn, &mut rows, known, before.as_ref(), row.since_seq)?;
                    }
                    last.insert(key, rows.len());
                    rows.push(*row);
                }
                Change::Restate { kind, id, state, at, ends, begins } => {
                    let key = (kind.to_owned(), id.clone());
                    let known = last.get(&key).copied();
                    let before = match known {
                        Some(place) => rows[place].clone(),
                        None => by_id(conn, kind, &id)?.ok_or(diesel::result::Error::NotFound)?,
                    };
                    end(conn, &mut rows, known, Some(&before), at.seq_i64())?;
                    last.insert(key, rows.len());
                    rows.push(Row {
                        state,
                        since_seq: at.seq_i64(),
                        until_seq: None,
                        recorded_at: at.time.naive(),
                        actor: at.actor.to_string(),
                        valid_from: begins.map(Timestamp::naive).or(before.valid_from),
                        valid_to: match (ends.map(Timestamp::naive), before.valid_to) {
                            (Some(ends), Some(stated)) => Some(ends.min(stated)),
                            (ends, stated) => ends.or(stated),
                        },
                        ..before
                    });
                }
                Change::Edge(row) => edges.push(row),
            }
        }
        for chunk in rows.chunks(CHUNK) {
            insert_rows(conn, chunk)?;
        }
        for chunk in edges.chunks(CHUNK) {
            insert_edges(conn, chunk)?;
        }
        Ok(())
    }
}

/// End the row in force: in the batch when it is still there, else in the table, where its key names it.
fn end(conn: &mut Conn, rows: &mut [Row], pending: Option<usize>, before: Option<&Row>, until: i64) -> Result<()> {
    match (pending, before) {
        (Some(place), _) => rows[place].until_seq = Some(until),
        (None, Some(before)) => {
            diesel::update(resource::table.find((&before.kind, &before.id, before.since_seq)))
                .set(resource::until_seq.eq(Some(until)))
                .execute(conn)?;
        }
        (None, None) => {}
    }
    Ok(())
}

// A batch insert does not compile on the MultiConnection: one arm each.
fn insert_rows(conn: &mut Conn, rows: &[Row]) -> Result<()> {
    let query = diesel::insert_into(resource::table).values(rows);
    match conn {
        Conn::Postgres(pg) => query.execute(pg)?,
        Conn::Sqlite(lite) => query.execute(lite)?,
    };
    Ok(())
}

fn insert_edges(conn: &mut Conn, rows: &[EdgeRow]) -> Result<()> {
    let query = diesel::insert_into(lineage_edge::table).values(rows);
    match conn {
        Conn::Postgres(pg) => query.execute(pg)?,
        Conn::Sqlite(lite) => query.execute(lite)?,
    };
    Ok(())
}

fn finish(row: NewRow, at: &At) -> Row {
    // `|key=value|key=value|`: a tag is found by the text between two bars; bars inside are escaped.
    let tags = if row.tags.is_empty() {
        String::new()
    } else {
        let list: Vec<String> = row.tags.iter().map(|(k, v)| format!("{}={}", tag_text(k), tag_text(v))).collect();
        format!("|{}|", list.join("|"))
    };
    let mut search = vec![row.name.clone(), row.reference.clone(), row.owner.clone()];
    search.extend(row.tags.iter().flat_map(|(k, v)| [k.clone(), v.clone()]));
    search.extend(row.search);
    search.retain(|part| !part.is_empty());
    Row {
        kind: row.kind.to_owned(),
        id: row.id,
        reference: row.reference,
        state: row.state,
        name: row.name,
        owner: row.owner,
        parent: row.parent,
        tags,
        search: search.join("\n").to_lowercase(),
        digest: row.digest.map(|d| d.to_string()).unwrap_or_default(),
        doc: row.doc,
        actor: at.actor.to_string(),
        recorded_at: at.time.naive(),
        since_seq: at.seq_i64(),
        until_seq: None,
        valid_from: row.valid_from.map(Timestamp::naive),
        valid_to: row.valid_to.map(Timestamp::naive),
    }
}

/// A tag's part as the `tags` column spells it.
pub(super) fn tag_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\!").replace('=', "\\~")
}
