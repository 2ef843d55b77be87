//! Findings said to be wrong, and whether they were: the rule is measured by it, the verdict follows from what is registered.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::adoption::{ContestCreate, ContestSpec, RuleContests, Settlement, SettlementCreate};
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Verdict};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::Registered;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, digest, text, word};
use crate::maps::HashSet;
use crate::resolve::{created, expect, unchanged};

/// A contest was settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContestSettled {
    /// The contest.
    pub id: Uuid,
    /// What became of it.
    pub outcome: Settlement,
    /// Who settled it.
    pub person: Uuid,
    /// Salted digest of the reason.
    pub reason_digest: Digest,
}

/// A contest in memory.
#[derive(Clone, Debug)]
pub struct Contest {
    /// What was recorded.
    pub spec: ContestSpec,
    /// Digest of it.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
    /// What became of it.
    pub outcome: Option<Settlement>,
}

/// Contests, and what they are measured against.
#[derive(Clone, Default)]
pub struct Contests {
    all: OrdMap<Uuid, Arc<Contest>>,
    /// By rule, the findings of recorded denials: deployment and offending thing.
    refusals: OrdMap<Arc<str>, HashSet<Arc<str>>>,
}

impl Contests {
    /// Count the findings that refused.
    pub fn decided(&mut self, decision: &Decision) {
        if decision.verdict == Verdict::Allow {
            return;
        }
        for finding in decision.findings.iter().filter(|f| f.blocking) {
            let known = self.refusals.entry(finding.rule.as_str().into()).or_default();
            known.insert(format!("{} {}", decision.deployment, finding.node).into());
        }
    }

    /// Fold a contest in.
    pub fn raised(&mut self, fact: &Stated<ContestSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let contest = Contest { spec: fact.spec.clone(), digest, seq: at.seq, outcome: None };
        self.all.insert(fact.id, Arc::new(contest));
        rows.put(at, || NewRow {
            kind: "contest",
            id: fact.id.to_string(),
            reference: format!("contest:{}", fact.id),
            state: "open".to_owned(),
            name: fact.spec.rule.clone(),
            parent: fact.spec.decision.to_string(),
            search: vec![fact.spec.deployment.clone(), fact.spec.node.clone()],
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold a settlement in.
    pub fn settled(&mut self, fact: &ContestSettled, at: &At, rows: &mut Rows) {
        if let Some(contest) = self.all.get_mut(&fact.id) {
            Arc::make_mut(contest).outcome = Some(fact.outcome);
            rows.restate(at, "contest", fact.id, &word(&fact.outcome));
        }
    }

    /// By rule, how often it refused, was contested, and rightly.
    pub fn figures(&self) -> Vec<RuleContests> {
        let none = |rule: &str| RuleContests {
            rule: rule.to_owned(),
            refusals: 0,
            open: 0,
            upheld: 0,
            dismissed: 0,
            upheld_per_mille: None,
            of_refusals_per_mille: None,
        };
        let mut figures: BTreeMap<&str, RuleContests> = BTreeMap::new();
        for (rule, refused) in &self.refusals {
            figures.entry(rule).or_insert_with(|| none(rule)).refusals = refused.len() as u64;
        }
        for contest in self.all.values() {
            let rule = contest.spec.rule.as_str();
            let figure = figures.entry(rule).or_insert_with(|| none(rule));
            match contest.outcome {
                None => figure.open += 1,
                Some(Settlement::Upheld) => figure.upheld += 1,
                Some(Settlement::Dismissed) => figure.dismissed += 1,
            }
        }
        figures
            .into_values()
            .map(|mut figure| {
                figure.upheld_per_mille = (figure.upheld * 1000).checked_div(figure.upheld + figure.dismissed);
                figure.of_refusals_per_mille = (figure.upheld * 1000).checked_div(figure.refusals);
                figure
            })
            .collect()
    }
}

/// Say that a finding is wrong. Said again while it is open, it is the same contest.
///
/// # Errors
/// An unknown decision, or one without this finding.
pub fn contest(tx: &mut Tx<'_>, create: &ContestCreate) -> Result<Registered> {
    expect(&create.decision, &[Kind::Decision], "/decision")?;
    let id = create.decision.name().parse().unwrap_or_default();
    let row = tx.row("decision", id)?;
    let row = row.ok_or_else(|| Error::invalid("/decision", format!("there is no `{}`", create.decision)))?;
    let decision: Decision =
        serde_json::from_str(&row.doc).map_err(|e| Error::Internal(format!("decision {id}: {e}")))?;
    let (rule, node) = (create.rule.as_str(), create.node.as_str());
    let mut findings = decision.findings.iter().chain(&decision.actions_due);
    if !findings.any(|f| f.rule == rule && (f.node == node || f.also.iter().any(|other| other == node))) {
        return Err(Error::invalid("/rule", format!("`{}` has no finding `{rule}` about `{node}`", create.decision)));
    }
    let person = tx.world().access.person(tx.actor());
    let same = |contest: &Contest| {
        contest.outcome.is_none()
            && contest.spec.rule == rule
            && contest.spec.node == node
            && contest.spec.deployment == decision.deployment
    };
    if let Some((id, known)) = tx.world().gate.contests.all.iter().find(|(_, contest)| same(contest)) {
        return Ok(unchanged(*id, Ref::contest(*id), known.digest, known.seq));
    }
    let spec = ContestSpec {
        decision: create.decision.clone(),
        deployment: decision.deployment,
        rule: rule.to_owned(),
        node: node.to_owned(),
        person: uuid_text::Uuid(person),
        reason_digest: tx.note(create.reason.as_str())?,
    };
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::ContestRaised(Stated { id, rev: 1, spec }))?;
    Ok(created(id, Ref::contest(id), sum, seq))
}

/// Settle a contest.
///
/// # Errors
/// None such, settled already otherwise, a service, the person who raised it.
pub fn settle(tx: &mut Tx<'_>, id: Uuid, create: &SettlementCreate) -> Result<Registered> {
    let person = tx.actor();
    let found = tx.world().gate.contests.all.get(&id).cloned();
    let contest = found.ok_or_else(|| Error::NotFound(format!("there is no contest `{id}`")))?;
    if tx.world().access.person(person) != person || contest.spec.person.0 == person {
        return Err(Error::Forbidden("a contest is settled by another person than who raised it".to_owned()));
    }
    match contest.outcome {
        Some(outcome) if outcome == create.outcome => {
            return Ok(unchanged(id, Ref::contest(id), contest.digest, contest.seq));
        }
        Some(outcome) => return Err(Error::conflict(format!("the contest is settled: {}", word(&outcome)))),
        None => {}
    }
    let reason_digest = tx.note(create.reason.as_str())?;
    let fact = ContestSettled { id, outcome: create.outcome, person, reason_digest };
    let seq = tx.record(Fact::ContestSettled(fact))?;
    Ok(created(id, Ref::contest(id), contest.digest, seq))
}
