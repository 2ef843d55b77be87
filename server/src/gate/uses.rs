//! Serving-time use: what ran when, under which decision, and whether it had a right to. A use is a thing that happened: it is recorded
//! whatever the gate says of it.

pub mod api;

use std::sync::Arc;

use chrono::Duration;
use imbl::{OrdMap, Vector};
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Intent, Verdict};
use licit_schemas::json::MAX_INTEGER;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{ReleaseState, uuid_text};
use licit_schemas::time::Timestamp;
use licit_schemas::uses::{MOST_DAYS, Under, UseCreate, UseFigures, UseSpec, UseTaken, Without};
use uuid::Uuid;

use super::evidence::{Ask, gather};
use super::policy::Policy;
use super::{decide, expiry};
use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, digest, text, word};
use crate::maps::HashMap;
use crate::registry::{ReleaseMoved, deployment_of};
use crate::resolve::{created, expect, parse, pin, unchanged};

/// By how much the clock of who reports a use may be ahead of ours.
const AHEAD: Duration = Duration::seconds(60);
/// Moments of one batch that are judged at most: beyond them it is unknown whether there was a right.
const MOST_MOMENTS: usize = 64;
/// Parts of one batch at most.
const MOST_PARTS: usize = 100;

/// A decision, as far as it is asked what was in force.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The release it is of.
    pub release: Arc<str>,
    /// Its id.
    pub decision: Uuid,
    /// Its ledger position.
    pub seq: u64,
    /// What it said.
    pub verdict: Verdict,
}

/// From when on a deployment ran under something else, or under nothing. Restarts decide again and again: what they say alike is one
/// turn, whatever their number.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Since when.
    pub at: Timestamp,
    /// Ledger position.
    pub seq: u64,
    /// The decision in force from then on; none, where no release was active.
    pub ran: Option<Ran>,
    /// How many later decisions said the same of the same release.
    pub renewed: u64,
    /// The last of them, and when.
    pub last: Option<(Timestamp, Ran)>,
}

impl Turn {
    /// The decision in force from a moment on, as far as it is known which of those alike: the last one, where it was made by then.
    fn since(&self, moment: Timestamp) -> (Option<&Ran>, u64) {
        match &self.last {
            Some((at, last)) if *at <= moment => (Some(last), 0),
            _ => (self.ran.as_ref(), self.renewed),
        }
    }
}

/// What ran when, and what was recorded of its use.
#[derive(Clone, Default)]
pub struct Uses {
    /// By deployment, in order of time.
    turns: HashMap<Arc<str>, Vector<Turn>>,
    /// By deployment, positions at which its releases moved; with the release, where that was made active.
    moves: HashMap<Arc<str>, Vector<(u64, Option<Arc<str>>)>>,
    /// By release, the last decision on it.
    last: HashMap<Arc<str>, Ran>,
    figures: OrdMap<Arc<str>, Arc<UseFigures>>,
}

impl Uses {
    fn turn(&mut self, deployment: &str, at: &At, ran: Option<Ran>) {
        let turn = Turn { at: at.time, seq: at.seq, ran, renewed: 0, last: None };
        self.turns.entry(deployment.into()).or_default().push_back(turn);
    }

    /// What a deployment runs under, as far as it is known.
    fn present(&self, deployment: &str) -> Option<&Ran> {
        self.turns.get(deployment)?.back()?.ran.as_ref()
    }

    /// Fold a decision in: it is in force where it is of what runs.
    pub fn decided(&mut self, id: Uuid, decision: &Decision, at: &At) {
        let Some(release) = &decision.release else { return };
        let ran = Ran { release: release.as_str().into(), decision: id, seq: at.seq, verdict: decision.verdict };
        self.last.insert(ran.release.clone(), ran.clone());
        // That it may not begin says nothing of whether what runs may go on.
        if (decision.intent, decision.verdict) == (Intent::Start, Verdict::Deny) {
            return;
        }
        match self.present(&decision.deployment) {
            Some(present) if present.release == ran.release && present.verdict == ran.verdict => {
                let turns = self.turns.get_mut(decision.deployment.as_str());
                if let Some(turn) = turns.and_then(Vector::back_mut) {
                    turn.renewed += 1;
                    turn.last = Some((at.time, ran));
                }
            }
            Some(present) if present.release == ran.release => self.turn(&decision.deployment, at, Some(ran)),
            _ => {}
        }
    }

    /// Fold a move of a release in.
    pub fn moved(&mut self, fact: &ReleaseMoved, at: &At) {
        let (release, deployment) = (fact.reference.to_string(), deployment_of(&fact.reference));
        let began = (fact.state == ReleaseState::Active).then(|| Arc::from(release.as_str()));
        self.moves.entry(deployment.as_str().into()).or_default().push_back((at.seq, began));
        match fact.state {
            ReleaseState::Active => {
                let decided = self.last.get(release.as_str()).filter(|ran| fact.decision == Some(ran.decision));
                self.turn(&deployment, at, decided.cloned());
            }
            ReleaseState::Standby | ReleaseState::Withdrawn => {
                if self.present(&deployment).is_some_and(|present| *present.release == *release) {
                    self.turn(&deployment, at, None);
                }
            }
            ReleaseState::Proposed => {}
        }
    }

    /// Fold uses in.
    pub fn recorded(&mut self, fact: &Stated<UseSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let deployment: Arc<str> = spec.deployment.to_string().into();
        let begin = || UseFigures {
            deployment: deployment.to_string(),
            batches: 0,
            count: 0,
            without_right: 0,
            from: spec.from,
            to: spec.to,
            last_without: None,
        };
        let mut figures = self.figures.get(&deployment).map_or_else(begin, |known| (**known).clone());
        let sum = |one: u64| one.saturating_add(spec.count).min(MAX_INTEGER);
        figures.batches += 1;
        figures.count = sum(figures.count);
        figures.from = figures.from.min(spec.from);
        figures.to = figures.to.max(spec.to);
        if !spec.right {
            figures.without_right = sum(figures.without_right);
            figures.last_without = Some(uuid_text::Uuid(fact.id));
        }
        self.figures.insert(deployment.clone(), Arc::new(figures));
        rows.put(at, || NewRow {
            kind: "use",
            id: fact.id.to_string(),
            reference: Ref::use_of(fact.id).to_string(),
            state: state(spec.right).to_owned(),
            name: spec.batch.as_ref().map(ToString::to_string).unwrap_or_default(),
            parent: deployment.to_string(),
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.from),
            valid_to: Some(spec.to),
            ..NewRow::default()
        });
    }

    /// By deployment, how often it was used.
    pub fn figures(&self) -> impl Iterator<Item = &UseFigures> {
        self.figures.values().map(|figures| &**figures)
    }

    /// The decision in force at a moment.
    pub fn at(&self, deployment: &str, moment: Timestamp) -> Option<&Ran> {
        self.turns.get(deployment)?.iter().rev().find(|turn| turn.at <= moment)?.since(moment).0
    }

    /// The entry that made what ran active, and every move of the deployment's releases.
    pub fn activation(&self, deployment: &str, ran: &Ran) -> Option<(u64, Vec<u64>)> {
        let moves = self.moves.get(deployment)?;
        let own = |(_, began): &&(u64, Option<Arc<str>>)| began.as_ref() == Some(&ran.release);
        let (activation, _) = moves.iter().rev().find(own)?;
        Some((*activation, moves.iter().map(|(seq, _)| *seq).collect()))
    }

    /// What was in force over a time, in order, and how often it was said again: parts without a gap. What begins and ends at one
    /// moment is none.
    pub fn over(&self, deployment: &str, from: Timestamp, to: Timestamp) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut end = to;
        for turn in self.turns.get(deployment).into_iter().flatten().rev() {
            let begin = turn.at.max(from);
            if begin < end {
                let (ran, renewed) = turn.since(begin);
                parts.push((begin, end, ran.cloned(), renewed));
                end = begin;
            }
            if turn.at <= from {
                break;
            }
        }
        if from < end {
            parts.push((from, end, None, 0));
        }
        parts.reverse();
        parts
    }
}

/// A part of a time: what was in force in it, and how often that was said again.
type Part = (Timestamp, Timestamp, Option<Ran>, u64);

/// The state of a row of uses.
pub fn state(right: bool) -> &'static str {
    if right { "with_right" } else { "without_right" }
}

/// Why what ran had no right at a moment, with what is known here; nothing where it had, and the first moment after it at which anything
/// that it rests on ends.
fn judged(world: &World, deployment: &str, ran: &Ran, at: Timestamp) -> Result<(Vec<Without>, Option<Timestamp>)> {
    let ask = Ask {
        deployment: deployment.to_owned(),
        release: Some(parse(&ran.release)?),
        intent: Intent::Continue,
        artifacts: Vec::new(),
        valid_at: at,
    };
    let policy = Policy::in_force(world, at);
    let evidence = gather(world, ask);
    let judgement = decide::judge(&evidence, &policy);
    let mut why: Vec<Without> = Vec::new();
    for finding in judgement.findings.iter().filter(|finding| finding.blocking) {
        if !why.iter().any(|known| known.code == finding.rule) {
            why.push(Without { code: finding.rule.clone(), at, sentence: finding.sentence.clone() });
        }
    }
    if evidence.ends.is_some_and(|ends| ends <= at) {
        let sentence = "the time to live of its environment was over".to_owned();
        why.push(Without { code: "ended".to_owned(), at, sentence });
    }
    let due = judgement.actions_due.iter().filter_map(|action| action.due).filter(|due| *due > at);
    let next = expiry::earliest(&evidence, &policy).map(|(end, _)| end).into_iter().chain(due).min();
    Ok((why, next))
}

/// Why what ran under a decision had no right over a part of a time: it is judged where the part begins, where anything ends that it
/// rests on, and right before the part ends.
fn part(world: &World, deployment: &str, ran: &Ran, from: Timestamp, to: Timestamp) -> Result<Vec<Without>> {
    let last = to.plus(-Duration::microseconds(1)).max(from);
    let mut at = from;
    for _ in 0..MOST_MOMENTS {
        let (why, next) = judged(world, deployment, ran, at)?;
        if !why.is_empty() || at >= last {
            return Ok(why);
        }
        at = next.filter(|next| *next < last).unwrap_or(last);
    }
    let sentence = format!("more than {MOST_MOMENTS} things that `{}` rests on ended in this time", ran.release);
    Ok(vec![Without { code: "unknown".to_owned(), at, sentence }])
}

/// What was in force over a time, and why there was no right to use it.
fn found(world: &World, deployment: &str, from: Timestamp, to: Timestamp) -> Result<(Vec<Under>, Vec<Without>)> {
    let (mut under, mut without): (Vec<Under>, Vec<Without>) = (Vec::new(), Vec::new());
    let mut say = |all: Vec<Without>| {
        for one in all {
            if !without.iter().any(|known| known.code == one.code) {
                without.push(one);
            }
        }
    };
    let parts = world.gate.uses.over(deployment, from, to);
    if parts.len() > MOST_PARTS {
        let says =
            format!("`{deployment}` ran under more than {MOST_PARTS} decisions in this time: record it in parts");
        return Err(Error::invalid("/from", says));
    }
    for (from, to, ran, renewed) in parts {
        let Some(ran) = ran else {
            let sentence = format!("no decision was in force for `{deployment}`: no release of it was active");
            say(vec![Without { code: "no_decision".to_owned(), at: from, sentence }]);
            under.push(Under { from, to, release: None, decision: None, entry: None, verdict: None, renewed: 0 });
            continue;
        };
        say(match ran.verdict {
            Verdict::Allow => part(world, deployment, &ran, from, to)?,
            Verdict::Deny => {
                let sentence = format!("the decision in force on `{}` denied it", ran.release);
                vec![Without { code: "denied".to_owned(), at: from, sentence }]
            }
        });
        under.push(Under {
            from,
            to,
            release: Some(parse(&ran.release)?),
            decision: Some(Ref::decision(ran.decision)),
            entry: Some(ran.seq),
            verdict: Some(ran.verdict),
            renewed,
        });
    }
    Ok((under, without))
}

/// Record uses, with what was in force over their time. Whether there was a right to them is said, and refuses nothing.
///
/// # Errors
/// An unknown deployment; a time that is none, is to come, or is too long; a batch known with other content.
pub fn record(tx: &mut Tx<'_>, create: UseCreate) -> Result<UseTaken> {
    let now = tx.now();
    expect(&create.deployment, &[Kind::Deployment], "/deployment")?;
    let reference = pin(tx.world(), &create.deployment, now, "/deployment")?;
    let (from, to) = (create.from, create.to);
    if to <= from {
        return Err(Error::invalid("/to", "does not lie after `from`: a time has a length"));
    }
    if to > now.plus(AHEAD) {
        return Err(Error::invalid("/to", "has not come yet: uses are recorded once they happened"));
    }
    if to > from.plus(Duration::days(MOST_DAYS)) {
        return Err(Error::invalid(
            "/from",
            format!("lies more than {MOST_DAYS} days before `to`: record it in parts"),
        ));
    }
    let deployment = reference.to_string();
    let id = create.batch.as_ref().map_or_else(|| tx.new_id(), |batch| batch_id(&deployment, batch.as_str()));
    let known = create.batch.is_some().then(|| tx.row("use", id)).transpose()?.flatten();
    if let Some(row) = known {
        let stated: UseSpec = serde_json::from_str(&row.doc).map_err(|e| Error::Internal(format!("use {id}: {e}")))?;
        if (stated.count, stated.from, stated.to) != (create.count, from, to) {
            let batch = stated.batch.as_ref().map(ToString::to_string).unwrap_or_default();
            let differs = [
                ("/count", stated.count.to_string(), create.count.to_string()),
                ("/from", stated.from.to_string(), from.to_string()),
                ("/to", stated.to.to_string(), to.to_string()),
            ];
            let differs = differs.into_iter().filter(|(_, known, sent)| known != sent).map(|(at, known, sent)| {
                licit_schemas::problem::Fault::new(at, format!("recorded: {known}; sent: {sent}"))
            });
            let says = format!("batch `{batch}` of `{deployment}` is recorded with other content: give it another id");
            return Err(Error::Conflict(says, differs.collect()));
        }
        let seq = u64::try_from(row.since_seq).unwrap_or_default();
        let registered = unchanged(id, Ref::use_of(id), digest(&stated), seq);
        return Ok(taken(registered, &stated));
    }
    let (under, without) = found(tx.world(), &deployment, from, to)?;
    let spec = UseSpec {
        deployment: reference,
        count: create.count,
        from,
        to,
        batch: create.batch,
        right: without.is_empty(),
        under,
        without,
    };
    let sum = digest(&spec);
    let seq = tx.record(Fact::UseRecorded(Stated { id, rev: 1, spec: spec.clone() }))?;
    Ok(taken(created(id, Ref::use_of(id), sum, seq), &spec))
}

/// The id of a batch is made of its name, so that it is found again by its key: a UUID of version 8 (RFC 9562 §5.8) of 122 bits of
/// SHA-256.
fn batch_id(deployment: &str, batch: &str) -> Uuid {
    let sum = Digest::of(format!("{deployment}\n{batch}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sum.as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn taken(registered: licit_schemas::resource::Registered, spec: &UseSpec) -> UseTaken {
    UseTaken { registered, right: spec.right, under: spec.under.clone(), without: spec.without.clone() }
}

/// Why nothing proves that there was a right at a moment, in the world of then; else what was decided.
///
/// # Errors
/// There was none, and why.
pub fn right_at(then: &World, deployment: &str, at: Timestamp) -> Result<Ran> {
    let none = |why: String| Error::conflict(format!("there is nothing to prove: {why}"));
    let Some(ran) = then.gate.uses.at(deployment, at).cloned() else {
        return Err(none(format!("no release of `{deployment}` was active at {at}")));
    };
    if ran.verdict == Verdict::Deny {
        let (word, id) = (word(&ran.verdict), ran.decision);
        return Err(none(format!("the decision in force at {at}, `decision:{id}`, says `{word}`")));
    }
    let (why, _) = judged(then, deployment, &ran, at)?;
    match why.first() {
        Some(first) => Err(none(format!("at {at} the gate would have refused: `{}`: {}", first.code, first.sentence))),
        None => Ok(ran),
    }
}
