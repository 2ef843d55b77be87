//! May it run: evidence, rules, decisions, gaps.

pub mod acted;
pub mod api;
pub mod baseline;
pub mod children;
pub mod clearing;
pub mod consented;
pub mod contest;
pub mod coverage;
pub mod decide;
pub mod emergency;
pub mod envelope;
pub mod erased;
pub mod evidence;
pub mod expiry;
pub mod gaps;
pub mod in_force;
pub mod instants;
pub mod modes;
pub mod operations;
pub mod passport;
pub mod policy;
mod promised;
pub mod receipt;
pub mod remedies;
pub mod replay;
pub mod rules;
pub mod suppression;
pub mod uses;

use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::adoption::BaselineItem;
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, GapSpec, Verdict};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::facts::{text, word};
use crate::maps::HashMap;
use gaps::{GapChanged, GapClosed};

/// What the gate remembers.
#[derive(Clone, Default)]
pub struct State {
    /// Releases that were ever allowed, by reference: position of the last allowing decision.
    allowed: HashMap<Arc<str>, u64>,
    /// Open gaps by key.
    gaps: OrdMap<Arc<str>, (Uuid, Arc<GapSpec>)>,
    /// When findings of what runs were noticed to be gone, by `<deployment> <rule> <node>`.
    closed: OrdMap<Arc<str>, Timestamp>,
    /// Findings contested.
    pub contests: contest::Contests,
    /// How long refusals stay.
    pub clearing: clearing::Clearing,
    /// Models of others that came with a passport.
    pub passports: passport::Passports,
    /// What ran when, and its use.
    pub uses: uses::Uses,
}

impl State {
    /// Whether a release was ever allowed, and where.
    pub fn allowed(&self, release: &str) -> Option<u64> {
        self.allowed.get(release).copied()
    }

    /// Open gaps in order of their keys.
    pub fn gaps(&self) -> impl Iterator<Item = (&Arc<str>, &(Uuid, Arc<GapSpec>))> {
        self.gaps.iter()
    }

    /// An open gap.
    pub fn gap(&self, key: &str) -> Option<&(Uuid, Arc<GapSpec>)> {
        self.gaps.get(key)
    }

    /// When a finding of what runs was noticed to be gone, by `<deployment> <rule> <node>`.
    pub fn closed_at(&self, key: &str) -> Option<Timestamp> {
        self.closed.get(key).copied()
    }

    /// Fold a decision in.
    pub fn decided(&mut self, fact: &Stated<Decision>, digest: Digest, at: &At, rows: &mut Rows) {
        let decision = &fact.spec;
        self.contests.decided(decision);
        self.clearing.decided(decision, at.time);
        self.uses.decided(fact.id, decision, at);
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
    pub fn opened(&mut self, fact: &Stated<GapSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let gap = &fact.spec;
        for key in gap.affected.iter().flat_map(keys) {
            self.closed.remove(&*key);
        }
        self.gaps.insert(gap.key.as_str().into(), (fact.id, Arc::new(gap.clone())));
        rows.put(at, || row(fact.id, gap, digest));
    }

    /// Fold a changed gap in.
    pub fn changed(&mut self, fact: &GapChanged, at: &At, rows: &mut Rows) {
        let Some((id, known)) = self.gaps.get_mut(fact.key.as_str()) else { return };
        let gap = Arc::make_mut(known);
        gap.owner.clone_from(&fact.owner);
        gap.due = fact.due;
        let before = std::mem::replace(&mut gap.affected, fact.affected.clone());
        rows.replace(at, || row(*id, gap, crate::facts::digest(gap)));
        self.gone(&before, at);
        for key in fact.affected.iter().flat_map(keys) {
            self.closed.remove(&*key);
        }
    }

    /// Findings were noticed to be gone.
    fn gone(&mut self, items: &[BaselineItem], at: &At) {
        for key in items.iter().flat_map(keys) {
            self.closed.insert(key.into(), at.time);
        }
    }

    /// Fold a closed gap in.
    pub fn closed(&mut self, fact: &GapClosed, at: &At, rows: &mut Rows) {
        if let Some((_, spec)) = self.gaps.remove(fact.key.as_str()) {
            self.gone(&spec.affected, at);
            rows.restate(at, "gap", fact.id, "closed");
        }
    }
}

/// Names of what a finding is about, by deployment and rule.
fn keys(item: &BaselineItem) -> impl Iterator<Item = String> {
    item.nodes.iter().map(|node| format!("{} {} {node}", item.deployment, item.rule))
}

fn row(id: Uuid, gap: &GapSpec, digest: Digest) -> NewRow {
    NewRow {
        kind: "gap",
        id: id.to_string(),
        reference: format!("gap:{id}"),
        state: "open".to_owned(),
        name: gap.cause.clone(),
        owner: gap.owner.clone(),
        digest: Some(digest),
        doc: text(gap),
        valid_from: Some(gap.opened_at),
        valid_to: gap.due,
        ..NewRow::default()
    }
}
