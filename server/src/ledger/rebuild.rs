//! Folding the ledger into an empty database, and comparing it with the live one, table by table.

use std::collections::{HashMap, HashSet};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use licit_schemas::digest::Digest;

use super::verify::{self, Report};
use crate::db::rows::{EdgeRow, Row};
use crate::db::schema::{actor_name, evidence, ledger_entry, lineage_edge, note, resource};
use crate::db::{Conn, Manager, Projection, fold_into, migrate, people, received, refold};
use crate::error::{Error, Result};

const PAGE: i64 = 2_000;

/// Check the ledger, fold it into an empty database of the same kind, and compare.
///
/// # Errors
/// Only what keeps the check from being made.
pub fn check<P: Projection>(manager: &Manager) -> Result<Report> {
    let scratch = Scratch::new(manager)?;
    // Servers may be writing: everything is read from one state of the live database.
    #[expect(clippy::disallowed_methods, reason = "one snapshot of ledger and tables, which cannot write")]
    let outcome = open(&manager.read_only())?.transaction(|live| {
        let mut report = verify::ledger(live)?;
        if report.faults.is_empty() {
            against::<P>(live, &scratch, &mut report)?;
        }
        Ok(report)
    });
    scratch.remove(manager)?;
    outcome
}

/// Drop what is projected and fold the ledger into the tables once more: for tables that are not what the ledger says. The ledger
/// itself is checked first, and a broken one is left alone with its tables. Returns what that check found.
///
/// # Errors
/// As [`check`]; the tables are as they were then.
pub fn refill<P: Projection>(manager: &Manager) -> Result<Report> {
    let mut conn = open(manager)?;
    migrate::run(&mut conn).map_err(Error::Internal)?;
    let report = verify::ledger(&mut conn)?;
    if report.faults.is_empty() {
        refold::<P>(&mut conn)?;
    }
    Ok(report)
}

fn against<P: Projection>(live: &mut Conn, scratch: &Scratch, report: &mut Report) -> Result<()> {
    let mut empty = open(&scratch.manager)?;
    migrate::run(&mut empty).map_err(Error::Internal)?;
    fold_into::<P>(live, &mut empty)?;
    compare(live, &mut empty, report)?;
    check_evidence(live, report)?;
    check_notes(live, report)?;
    check_names(live, report)?;
    report.faults.extend(people::check(live)?);
    report.faults.extend(received::check(live, &mut stated)?);
    Ok(())
}

fn open(manager: &Manager) -> Result<Conn> {
    manager.open().map_err(|e| Error::Unavailable(format!("cannot open {}: {e}", manager.shown())))
}

/// An empty database beside the live one: a temporary file, or a schema.
struct Scratch {
    manager: Manager,
    name: String,
}

impl Scratch {
    fn new(manager: &Manager) -> Result<Self> {
        let name = format!("licit_rebuild_{}", uuid::Uuid::now_v7().simple());
        let url = if manager.is_sqlite() {
            let path = std::env::temp_dir().join(format!("{name}.db"));
            format!("sqlite://{}", path.display())
        } else {
            open(manager)?.batch_execute(&format!("CREATE SCHEMA {name}"))?;
            let joint = if manager.url().contains('?') { '&' } else { '?' };
            format!("{}{joint}options=-csearch_path%3D{name}", manager.url())
        };
        Ok(Self { manager: Manager::new(&url).map_err(Error::Internal)?, name })
    }

    fn remove(self, beside: &Manager) -> Result<()> {
        if let Some(path) = self.manager.url().strip_prefix("sqlite://") {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{path}{suffix}"));
            }
        } else {
            open(beside)?.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name))?;
        }
        Ok(())
    }
}

fn compare(live: &mut Conn, fresh: &mut Conn, report: &mut Report) -> Result<()> {
    let mut after = (String::new(), String::new(), 0i64);
    loop {
        let (a, b) = (resources(live, &after)?, resources(fresh, &after)?);
        for (have, want) in a.iter().zip(&b) {
            if have != want {
                report.faults.push(row_fault(have, want));
            }
        }
        if a.len() != b.len() {
            let extra = if a.len() > b.len() { a.get(b.len()) } else { b.get(a.len()) };
            let side = if a.len() > b.len() { "is in no entry of the ledger" } else { "is missing" };
            let name = extra.map(|r| format!("{} {} since {}", r.kind, r.reference, r.since_seq)).unwrap_or_default();
            report.faults.push(format!("table resource: {name} {side}"));
            break;
        }
        match b.last() {
            Some(row) if report.faults.len() < 20 => after = (row.kind.clone(), row.id.clone(), row.since_seq),
            _ => break,
        }
    }
    let mut after = (0i64, -1i32);
    while report.faults.len() < 20 {
        let (a, b) = (edges(live, after)?, edges(fresh, after)?);
        if a != b {
            let at = a.iter().zip(&b).find(|(x, y)| x != y).map(|(x, _)| x).or(a.last()).or(b.last());
            let name = at.map(|e| format!("{} → {} of entry {}", e.effect, e.cause, e.seq)).unwrap_or_default();
            report.faults.push(format!("table lineage_edge: {name} differs from what the ledger says"));
            break;
        }
        match b.last() {
            Some(edge) => after = (edge.seq, edge.ordinal),
            None => break,
        }
    }
    Ok(())
}

fn resources(conn: &mut Conn, after: &(String, String, i64)) -> Result<Vec<Row>> {
    let (kind, id, seq) = after;
    Ok(resource::table
        .filter(
            resource::kind
                .gt(kind)
                .or(resource::kind.eq(kind).and(resource::id.gt(id)))
                .or(resource::kind.eq(kind).and(resource::id.eq(id)).and(resource::since_seq.gt(seq))),
        )
        .order((resource::kind, resource::id, resource::since_seq))
        .limit(PAGE)
        .select(Row::as_select())
        .load(conn)?)
}

fn edges(conn: &mut Conn, (seq, ordinal): (i64, i32)) -> Result<Vec<EdgeRow>> {
    Ok(lineage_edge::table
        .filter(lineage_edge::seq.gt(seq).or(lineage_edge::seq.eq(seq).and(lineage_edge::ordinal.gt(ordinal))))
        .order((lineage_edge::seq, lineage_edge::ordinal))
        .limit(PAGE)
        .select(EdgeRow::as_select())
        .load(conn)?)
}

fn row_fault(have: &Row, want: &Row) -> String {
    if (&have.kind, &have.id, have.since_seq) != (&want.kind, &want.id, want.since_seq) {
        return format!(
            "table resource: {} {} since {} stands where {} {} should",
            have.kind, have.reference, have.since_seq, want.kind, want.reference
        );
    }
    let columns = [
        ("reference", have.reference != want.reference),
        ("state", have.state != want.state),
        ("name", have.name != want.name),
        ("owner", have.owner != want.owner),
        ("parent", have.parent != want.parent),
        ("tags", have.tags != want.tags),
        ("search", have.search != want.search),
        ("digest", have.digest != want.digest),
        ("doc", have.doc != want.doc),
        ("actor", have.actor != want.actor),
        ("recorded_at", have.recorded_at != want.recorded_at),
        ("until_seq", have.until_seq != want.until_seq),
        ("valid_from", have.valid_from != want.valid_from),
        ("valid_to", have.valid_to != want.valid_to),
    ];
    let wrong: Vec<&str> = columns.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    format!(
        "table resource: {} {} ({}): {} differ(s) from what the ledger says",
        have.kind,
        want.reference,
        have.id,
        wrong.join(", ")
    )
}

/// Comments are kept beside the ledger, which holds their salted digests: what is kept is sound. One that is gone was erased.
fn check_notes(live: &mut Conn, report: &mut Report) -> Result<()> {
    let mut after = String::new();
    while report.faults.len() < 20 {
        let page: Vec<(String, Vec<u8>, String)> =
            note::table.filter(note::digest.gt(&after)).order(note::digest).limit(PAGE).load(live)?;
        let Some((last, ..)) = page.last() else { break };
        after.clone_from(last);
        for (digest, salt, text) in page {
            if Digest::of(&[&salt[..], text.as_bytes()].concat()).to_string() != digest {
                report.faults.push(format!("table note: {digest} is not what its digest says"));
            }
        }
    }
    Ok(())
}

/// Names are kept beside the ledger, which holds their salted digests: what is kept is sound. One that is gone was erased.
fn check_names(live: &mut Conn, report: &mut Report) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Named {
        name_digest: Option<Digest>,
    }
    let mut after = String::new();
    while report.faults.len() < 20 {
        let page: Vec<(String, String, Vec<u8>)> = actor_name::table
            .filter(actor_name::actor.gt(&after))
            .order(actor_name::actor)
            .limit(PAGE)
            .select((actor_name::actor, actor_name::name, actor_name::salt))
            .load(live)?;
        let Some((last, ..)) = page.last() else { break };
        after.clone_from(last);
        let ids: Vec<&String> = page.iter().map(|(actor, ..)| actor).collect();
        let said: HashMap<String, String> = resource::table
            .filter(resource::kind.eq("actor").and(resource::id.eq_any(ids)))
            .select((resource::id, resource::doc))
            .load::<(String, String)>(live)?
            .into_iter()
            .collect();
        for (actor, name, salt) in page {
            let Some(said) = said.get(&actor).and_then(|doc| serde_json::from_str::<Named>(doc).ok()) else {
                report.faults.push(format!("table actor_name: {actor} is in no entry of the ledger"));
                continue;
            };
            // Of an actor from before names had a digest the ledger says nothing of the name.
            let sound = match said.name_digest {
                Some(digest) => Digest::of(&[&salt[..], name.as_bytes()].concat()) == digest,
                None => salt.is_empty(),
            };
            if !sound {
                report.faults.push(format!("table actor_name: the name of {actor} is not what its digest says"));
            }
        }
    }
    Ok(())
}

/// What an entry says of the foreign event it was made of.
fn stated(live: &mut Conn, seq: i64) -> Result<Option<Digest>> {
    #[derive(serde::Deserialize)]
    struct Raw {
        raw: Digest,
    }
    let data: Option<String> = ledger_entry::table.find(seq).select(ledger_entry::data).first(live).optional()?;
    Ok(data.and_then(|data| serde_json::from_str::<Raw>(&data).ok()).map(|entry| entry.raw))
}

/// Evidence is kept beside the ledger, which holds its digest: what is kept is sound, and none is gone.
fn check_evidence(live: &mut Conn, report: &mut Report) -> Result<()> {
    let mut after = String::new();
    while report.faults.len() < 20 {
        let page: Vec<String> = evidence::table
            .filter(evidence::digest.gt(&after))
            .order(evidence::digest)
            .limit(PAGE)
            .select(evidence::digest)
            .load(live)?;
        let Some(last) = page.last().cloned() else { break };
        for text in page {
            let sound = text.parse().ok().is_some_and(|sum| super::store::kept_evidence(live, &sum).is_ok());
            if !sound {
                report.faults.push(format!("table evidence: {text} is not what its digest says"));
            }
        }
        after = last;
    }
    // Every decision has its evidence.
    let mut after = String::new();
    while report.faults.len() < 20 {
        let page: Vec<(String, String)> = resource::table
            .filter(resource::kind.eq("decision"))
            .filter(resource::id.gt(&after))
            .order(resource::id)
            .limit(PAGE)
            .select((resource::id, resource::doc))
            .load(live)?;
        let Some((last, _)) = page.last().cloned() else { break };
        let named: Vec<(String, Option<String>)> = page
            .into_iter()
            .map(|(id, doc)| (id, serde_json::from_str(&doc).ok().map(|d: Decided| d.evidence_digest)))
            .collect();
        let digests: Vec<&String> = named.iter().filter_map(|(_, digest)| digest.as_ref()).collect();
        let kept: HashSet<String> = evidence::table
            .filter(evidence::digest.eq_any(digests))
            .select(evidence::digest)
            .load::<String>(live)?
            .into_iter()
            .collect();
        for (id, digest) in named {
            match digest {
                Some(digest) if kept.contains(&digest) => {}
                Some(digest) => report.faults.push(format!("table evidence: {digest} of decision {id} is missing")),
                None => {
                    report.faults.push(format!("table resource: decision {id} does not say which evidence it rests on"))
                }
            }
        }
        after = last;
    }
    Ok(())
}

/// What the check needs of a decision.
#[derive(serde::Deserialize)]
struct Decided {
    evidence_digest: String,
}
