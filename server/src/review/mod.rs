//! What the board says: reviews, votes, opinions, approvals and their revocation.

pub mod api;
mod delegation;
pub mod operations;
pub mod store;
pub(crate) mod within;

use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::adoption::{BaselineSpec, BreakGlassSpec, LooseningSpec};
use licit_schemas::digest::Digest;
use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::review::{ApprovalSpec, OpinionSpec, ReviewSpec, RevocationSpec, VoteSpec};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::delegation::{Delegation, DelegationEnded};
pub use self::within::{Grant, Within};
use crate::catalogue::{Catalogue, Revision, Stated};
use crate::db::{At, NewRow, Rows};
use crate::facts::{World, text, word};
use crate::maps::{HashMap, HashSet};
use crate::registry::Numbers;

/// How a review ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The quorum agreed.
    Approved,
    /// As many refused.
    Rejected,
}

/// A review ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewClosed {
    /// The review.
    pub id: Uuid,
    /// How.
    pub ending: Ending,
}

/// A review in memory.
#[derive(Clone, Debug)]
pub struct Review {
    /// Its id.
    pub id: Uuid,
    /// What was opened.
    pub spec: ReviewSpec,
    /// Who asked, as a person.
    pub requester: Uuid,
    /// Ledger position of its opening.
    pub seq: u64,
    /// How it ended, if it did.
    pub ending: Option<Ending>,
    /// Votes in force, by person: vote id and vote.
    pub votes: OrdMap<Uuid, (Uuid, VoteSpec)>,
}

/// An approval in memory.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Its id.
    pub id: Uuid,
    /// What was granted.
    pub spec: ApprovalSpec,
    /// Ledger position.
    pub seq: u64,
    /// Of a deployment: the data within its envelope.
    pub within: Option<Arc<Within>>,
    /// Taken back.
    pub revoked: Option<RevocationSpec>,
}

impl Approval {
    /// The moment from which it no longer holds: its end, or earlier when it was taken back.
    pub fn end(&self) -> Timestamp {
        self.revoked.as_ref().map_or(self.spec.valid_to, |r| r.effective_at.min(self.spec.valid_to))
    }

    /// Whether it holds at a moment, with present knowledge. What was approved later also covers what was done before (a basis
    /// valid then, recorded now): only the end counts here, the validity of the thing itself is judged apart.
    pub fn holds(&self, moment: Timestamp) -> bool {
        moment < self.end()
    }
}

/// Where an approval stands at a moment.
#[derive(Clone, Debug)]
pub enum Standing<'a> {
    /// It holds.
    Holds(&'a Arc<Approval>),
    /// It held and ended.
    Ended(&'a Arc<Approval>),
    /// There never was one.
    Never,
}

/// Reviews and approvals.
#[derive(Clone, Default)]
pub struct State {
    reviews: HashMap<Uuid, Arc<Review>>,
    approvals: HashMap<Arc<str>, Arc<Vec<Arc<Approval>>>>,
    delegations: HashMap<Uuid, Arc<Delegation>>,
    /// Baselines by `baseline:<key>`.
    pub baselines: Catalogue<BaselineSpec>,
    /// Denied releases let through, by `break-glass:<incident>`.
    pub broken: Catalogue<BreakGlassSpec>,
    /// What of them the board refused to ratify.
    refused: HashSet<Arc<str>>,
    /// Looser modes, by `loosening:<environment>`.
    pub loosenings: Catalogue<LooseningSpec>,
}

impl State {
    /// A review.
    pub fn review(&self, id: Uuid) -> Option<&Arc<Review>> {
        self.reviews.get(&id)
    }

    /// Every review, in no order.
    pub fn reviews(&self) -> impl Iterator<Item = &Arc<Review>> {
        self.reviews.values()
    }

    /// Approvals of a pinned reference, oldest first.
    pub fn approvals(&self, reference: &str) -> &[Arc<Approval>] {
        self.approvals.get(reference).map_or(&[], |list| list.as_slice())
    }

    /// Everything ever approved, with its approvals, in no order.
    pub fn every(&self) -> impl Iterator<Item = (&Arc<str>, &[Arc<Approval>])> {
        self.approvals.iter().map(|(reference, list)| (reference, list.as_slice()))
    }

    /// The approval of a pinned reference at a moment: the latest that holds, else the one that ended last.
    pub fn standing(&self, reference: &str, moment: Timestamp) -> Standing<'_> {
        let list = self.approvals(reference);
        match list.iter().rev().find(|a| a.holds(moment)) {
            Some(approval) => Standing::Holds(approval),
            None => list.iter().max_by_key(|a| a.end()).map_or(Standing::Never, Standing::Ended),
        }
    }

    /// Fold a baseline in.
    pub fn baseline(&mut self, fact: &Stated<BaselineSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let base = Ref::baseline(&fact.spec.key).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.baselines.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "baseline",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: fact.spec.key.to_string(),
            owner: fact.spec.owner.to_string(),
            parent: base,
            reference,
            digest: Some(digest),
            doc: text(&fact.spec),
            valid_from: Some(fact.spec.taken_at),
            valid_to: Some(fact.spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Whether the board refused to ratify what was let through.
    pub fn refused(&self, reference: &str) -> bool {
        self.refused.contains(reference)
    }

    /// Fold a release let through in.
    pub fn broke(&mut self, fact: &Stated<BreakGlassSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = Ref::break_glass(&spec.incident).to_string();
        let reference = format!("{base}@{}", fact.rev);
        self.broken.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "break-glass",
            id: fact.id.to_string(),
            state: "used".to_owned(),
            name: spec.release.clone(),
            parent: spec.deployment.clone(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.valid_from),
            valid_to: Some(spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold a proposal to enforce less in.
    pub fn loosening(&mut self, fact: &Stated<LooseningSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base = format!("loosening:{}", spec.environment.name());
        let reference = format!("{base}@{}", fact.rev);
        self.loosenings.put(&base, reference.clone(), fact, digest, at);
        rows.put(at, || NewRow {
            kind: "loosening",
            id: fact.id.to_string(),
            state: "proposed".to_owned(),
            name: word(&spec.mode),
            parent: spec.environment.to_string(),
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(at.time),
            valid_to: Some(spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold an opened review in.
    pub fn opened(&mut self, fact: &Stated<ReviewSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let review = Review {
            id: fact.id,
            spec: fact.spec.clone(),
            requester: at.actor,
            seq: at.seq,
            ending: None,
            votes: OrdMap::new(),
        };
        self.reviews.insert(fact.id, Arc::new(review));
        rows.put(at, || NewRow {
            kind: "review",
            id: fact.id.to_string(),
            reference: format!("review:{}", fact.id),
            state: "open".to_owned(),
            name: fact.spec.title.to_string(),
            search: fact.spec.subjects.iter().map(|s| s.r#ref.to_string()).collect(),
            digest: Some(digest),
            doc: text(&fact.spec),
            valid_to: Some(fact.spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold a vote in; it takes the place of the same person's earlier one.
    pub fn voted(&mut self, fact: &Stated<VoteSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let Some(review) = self.reviews.get_mut(&fact.spec.review.0) else { return };
        let earlier = Arc::make_mut(review).votes.insert(fact.spec.person.0, (fact.id, fact.spec.clone()));
        if let Some((id, _)) = earlier {
            rows.restate(at, "vote", id, "replaced");
        }
        rows.put(at, || NewRow {
            kind: "vote",
            id: fact.id.to_string(),
            reference: format!("vote:{}", fact.id),
            state: word(&fact.spec.choice),
            parent: format!("review:{}", fact.spec.review.0),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold an opinion in.
    pub fn opined(&mut self, fact: &Stated<OpinionSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        rows.put(at, || NewRow {
            kind: "opinion",
            id: fact.id.to_string(),
            reference: format!("opinion:{}", fact.id),
            state: word(&fact.spec.outcome),
            parent: format!("review:{}", fact.spec.review.0),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold an approval in.
    pub fn granted(
        &mut self,
        fact: &Stated<ApprovalSpec>,
        digest: Digest,
        numbers: &mut Numbers,
        at: &At,
        rows: &mut Rows,
    ) {
        let subject = fact.spec.subject.r#ref.to_string();
        let within = fact.spec.subject.envelope.as_ref().map(|e| Arc::new(Within::of(e, numbers)));
        let approval = Approval { id: fact.id, spec: fact.spec.clone(), seq: at.seq, within, revoked: None };
        Arc::make_mut(self.approvals.entry(subject.as_str().into()).or_default()).push(Arc::new(approval));
        rows.put(at, || NewRow {
            kind: "approval",
            id: fact.id.to_string(),
            reference: format!("approval:{}", fact.id),
            state: "granted".to_owned(),
            parent: subject.clone(),
            search: vec![subject],
            digest: Some(digest),
            doc: text(&fact.spec),
            valid_from: Some(fact.spec.valid_from),
            valid_to: Some(fact.spec.valid_to),
            ..NewRow::default()
        });
    }

    /// Fold the end of a review in.
    pub fn closed(&mut self, fact: &ReviewClosed, at: &At, rows: &mut Rows) {
        if let Some(review) = self.reviews.get_mut(&fact.id) {
            Arc::make_mut(review).ending = Some(fact.ending);
            if fact.ending == Ending::Rejected {
                let broken = review.spec.subjects.iter().filter(|s| s.r#ref.kind() == Kind::BreakGlass);
                self.refused.extend(broken.map(|s| Arc::<str>::from(s.r#ref.to_string())));
            }
            rows.restate(at, "review", fact.id, &word(&fact.ending));
        }
    }

    /// Fold a revocation in.
    pub fn revoked(&mut self, fact: &Stated<RevocationSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let subject = fact.spec.r#ref.to_string();
        // Whoever voted before did not know of it: they are asked again.
        let again = |review: &Arc<Review>| {
            review.ending.is_none() && review.spec.subjects.iter().any(|s| s.r#ref == fact.spec.r#ref)
        };
        let open: Vec<Uuid> = self.reviews.iter().filter(|(_, review)| again(review)).map(|(id, _)| *id).collect();
        for id in open {
            let Some(review) = self.reviews.get_mut(&id) else { continue };
            for (vote, _) in std::mem::take(&mut Arc::make_mut(review).votes).values() {
                rows.restate(at, "vote", *vote, "void");
            }
        }
        let Some(list) = self.approvals.get_mut(subject.as_str()) else { return };
        for approval in Arc::make_mut(list).iter_mut().filter(|a| a.id == fact.spec.approval.0) {
            Arc::make_mut(approval).revoked = Some(fact.spec.clone());
            rows.ended(at, "approval", fact.spec.approval.0, "revoked", Some(fact.spec.effective_at));
        }
        rows.put(at, || NewRow {
            kind: "revocation",
            id: fact.id.to_string(),
            reference: format!("revocation:{}", fact.id),
            state: "revoked".to_owned(),
            parent: subject,
            digest: Some(digest),
            doc: text(&fact.spec),
            valid_from: Some(fact.spec.effective_at),
            ..NewRow::default()
        });
    }
}

/// Whether the board's word is in force now that there are grounds to override objections to a purpose (GDPR Art. 21(1), (6)), and holds
/// for what was said at a moment. Of several revisions of an assessment, the one approved last of those that began decides.
pub fn has_compelling_grounds(world: &World, purpose: &str, said: Timestamp, now: Timestamp) -> bool {
    let holds = |one: &Arc<Revision<AssessmentSpec>>| {
        let base = one.reference.rsplit_once('@').map_or(&*one.reference, |(base, _)| base);
        let begun = world.lawfulness.assessments.all(base).iter().filter(|r| r.spec.valid_from <= now);
        let approved = begun.filter_map(|r| Some((world.review.approvals(&r.reference).last()?.seq, r)));
        approved.max_by_key(|(seq, _)| *seq).is_some_and(|(_, decides)| Arc::ptr_eq(decides, one))
            && one.spec.valid_from <= said
            && now < one.spec.valid_to
            && matches!(world.review.standing(&one.reference, now), Standing::Holds(_))
    };
    let of = world.lawfulness.assessments_of(purpose).iter();
    of.filter(|one| one.spec.kind == AssessmentKind::CompellingGrounds).any(holds)
}
