//! May it run: evidence, rules, decisions, gaps.

pub mod api;
pub mod baseline;
pub mod clearing;
pub mod contest;
pub mod coverage;
pub mod decide;
pub mod emergency;
pub mod envelope;
pub mod evidence;
pub mod modes;
pub mod operations;
pub mod policy;
pub mod replay;
pub mod rules;

use std::sync::Arc;

use imbl::{HashMap, OrdMap};
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Gap, Verdict};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::facts::{text, word};

/// A gap closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapClosed {
    /// The gap.
    pub id: Uuid,
    /// Its key, `<deployment> <rule> <node>`.
    pub key: String,
}

/// What the gate remembers.
#[derive(Clone, Default)]
pub struct State {
    /// Releases that were ever allowed, by reference: position of the last allowing decision.
    allowed: HashMap<Arc<str>, u64>,
    /// Open gaps by key.
    gaps: OrdMap<Arc<str>, (Uuid, Arc<Gap>)>,
    /// When gaps that are closed were, by key.
    closed: OrdMap<Arc<str>, Timestamp>,
    /// Findings contested.
    pub contests: contest::Contests,
    /// How long refusals stay.
    pub clearing: clearing::Clearing,
}

impl State {
    /// Whether a release was ever allowed, and where.
    pub fn allowed(&self, release: &str) -> Option<u64> {
        self.allowed.get(release).copied()
    }

    /// Open gaps in order of their keys.
    pub fn gaps(&self) -> impl Iterator<Item = (&Arc<str>, &(Uuid, Arc<Gap>))> {
        self.gaps.iter()
    }

    /// An open gap.
    pub fn gap(&self, key: &str) -> Option<&(Uuid, Arc<Gap>)> {
        self.gaps.get(key)
    }

    /// When a gap that is closed was noticed to be.
    pub fn closed_at(&self, key: &str) -> Option<Timestamp> {
        self.closed.get(key).copied()
    }

    /// Fold a decision in.
    pub fn decided(&mut self, fact: &Stated<Decision>, digest: Digest, at: &At, rows: &mut Rows) {
        let decision = &fact.spec;
        self.contests.decided(decision);
        self.clearing.decided(decision, at.time);
        if let (Verdict::Allow, Some(release)) = (decision.verdict, &decision.release) {
            self.allowed.insert(release.as_str().into(), at.seq);
        }
        rows.put(at, || NewRow {
            kind: "decision",
            id: fact.id.to_string(),
            reference: format!("decision:{}", fact.id),
            state: word(&decision.verdict),
            name: decision.release.clone().unwrap_or_default(),
            parent: decision.deployment.clone(),
            digest: Some(digest),
            doc: text(decision),
            valid_from: Some(decision.valid_at),
            ..NewRow::default()
        });
    }

    /// Fold an opened gap in.
    pub fn opened(&mut self, fact: &Stated<Gap>, digest: Digest, at: &At, rows: &mut Rows) {
        let gap = &fact.spec;
        let key: Arc<str> = gap_key(gap).into();
        self.closed.remove(&key);
        self.gaps.insert(key, (fact.id, Arc::new(gap.clone())));
        rows.put(at, || NewRow {
            kind: "gap",
            id: fact.id.to_string(),
            reference: format!("gap:{}", fact.id),
            state: "open".to_owned(),
            name: gap.finding.rule.clone(),
            owner: gap.finding.addressee.clone(),
            parent: gap.deployment.clone(),
            digest: Some(digest),
            doc: text(gap),
            valid_from: Some(gap.opened_at),
            ..NewRow::default()
        });
    }

    /// Fold a closed gap in.
    pub fn closed(&mut self, fact: &GapClosed, at: &At, rows: &mut Rows) {
        if self.gaps.remove(fact.key.as_str()).is_some() {
            self.closed.insert(fact.key.as_str().into(), at.time);
            rows.restate(at, "gap", fact.id, "closed");
        }
    }
}

/// A gap is one cause for one deployment: it is noticed once, whichever server notices.
pub fn gap_key(gap: &Gap) -> String {
    format!("{} {} {}", gap.deployment, gap.finding.rule, gap.finding.node)
}
