//! What an organisation may decide about reviews and the gate. The hard core is not among it.
//!
//! In force at a moment is what the board approved last by then. Where that approval ended or was taken back, nothing may become
//! looser by it: of that revision, of any other that still holds, and of the default, the strictest answer counts.

mod check;

use std::sync::{Arc, LazyLock};

use chrono::Duration;
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Level, Status};
use licit_schemas::policy::{Grace, OwnRule, PolicySpec, ReviewPolicy, Reviewed};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::RiskClass;
use licit_schemas::review::BoundSubject;
use licit_schemas::text::Key;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

pub use self::check::check;
use super::rules::is_core;
use crate::catalogue::Revision;
use crate::facts::{World, digest};
use crate::lawfulness::Readable;
use crate::review::Approval;
use crate::review::operations::Terms;

/// The policy in force.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its revision, as decisions record it.
    pub revision: String,
    /// Revisions of which the strictest answer counts; one, unless the approval of what was in force ended.
    layers: Vec<Layer>,
}

/// One revision.
#[derive(Clone, Debug)]
struct Layer {
    /// Absent: the default.
    revision: Option<Arc<Revision<PolicySpec>>>,
    /// The approval that carries it, or carried it.
    approval: Option<Arc<Approval>>,
}

impl Layer {
    const DEFAULT: Self = Self { revision: None, approval: None };

    fn reference(&self) -> &str {
        self.revision.as_ref().map_or("policy:default@1", |r| &r.reference)
    }

    fn spec(&self) -> &PolicySpec {
        self.revision.as_ref().map_or(&DEFAULT, |r| &r.spec)
    }
}

/// Where what is judged runs, and how risky it is. What is not known may be anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// Key of the environment.
    pub environment: Option<&'a str>,
    /// Risk class of the system.
    pub risk_class: Option<RiskClass>,
}

/// What holds while the board approved no policy.
static DEFAULT: LazyLock<PolicySpec> = LazyLock::new(|| PolicySpec {
    name: "Default".parse().unwrap_or_else(|_| unreachable!("it is a name")),
    review: ReviewPolicy { quorum: 2, approval_days: 365, overrides: Vec::new(), synthetic_without_vote: false },
    grace: Grace::default(),
    levels: Vec::new(),
    rules: Vec::new(),
    attestation_days: None,
    min_k: None,
    unconsented_per_million: None,
    notices: None,
    proof_of_consent: None,
    break_glass: None,
    receipt_hours: None,
});

/// Days for which what was observed of an endpoint counts, at most.
const ATTESTATION_DAYS: u16 = 30;

/// What is asked of a notice where policy says nothing: words, LIX, and days for which a test of the way out counts.
const NOTICES: (u32, u32, u16) = (1500, 60, 365);

/// Hours for which a receipt stands where policy says nothing.
const RECEIPT_HOURS: u16 = 24;

impl Default for Policy {
    fn default() -> Self {
        Self::of(vec![Layer::DEFAULT])
    }
}

impl Policy {
    fn of(layers: Vec<Layer>) -> Self {
        let names: Vec<&str> = layers.iter().map(Layer::reference).collect();
        Self { revision: names.join(", "), layers }
    }

    /// The policy in force at a moment. Unlike what a basis covers, it does not reach back: what was approved later does not count.
    pub fn in_force(world: &World, moment: Timestamp) -> Self {
        let given = |reference: &str| {
            let all = world.review.approvals(reference).iter().filter(|a| a.spec.valid_from <= moment);
            let last = all.clone().next_back().cloned();
            (all.rev().find(|a| a.holds(moment)).cloned(), last)
        };
        let mut approved = Vec::new();
        for revision in world.lawfulness.policies.all(&Ref::policy().to_string()) {
            let (holds, last) = given(&revision.reference);
            let Some(last) = last else { continue };
            let (granted, stands) = (last.seq, holds.is_some());
            let layer = Layer { revision: Some(Arc::clone(revision)), approval: holds.or(Some(last)) };
            approved.push((granted, stands, layer));
        }
        approved.sort_by_key(|(granted, ..)| std::cmp::Reverse(*granted));
        match approved.first() {
            None => Self::default(),
            Some((_, true, layer)) => Self::of(vec![layer.clone()]),
            Some(_) => {
                let strictest = approved.into_iter().enumerate().filter(|(place, (_, holds, _))| *place == 0 || *holds);
                let layers = strictest.map(|(_, (.., layer))| layer);
                Self::of(layers.chain([Layer::DEFAULT]).collect())
            }
        }
    }

    /// What a review over these things asks, pinned: of a dossier, the strictest of what each asks.
    pub fn terms(&self, world: &World, subjects: &[BoundSubject]) -> Terms {
        let each = subjects.iter().map(|subject| self.asked(world, &subject.r#ref));
        each.reduce(stricter).unwrap_or_else(|| self.review(Reviewed::Policy, Scope::default()))
    }

    fn asked(&self, world: &World, reference: &Ref) -> Terms {
        let base = reference.base().to_owned();
        let registry = &world.registry;
        let class = |system: &Ref| {
            let found = registry.systems.revision(system.base(), system.rev()?)?;
            Some(found.spec.risk_class)
        };
        let runs = |deployment: &str| {
            let spec = registry.deployments.latest(deployment).map(|d| &d.spec);
            Scope {
                environment: spec.and_then(|d| Some(registry.environment_of(d.environment.name())?.spec.key.as_str())),
                risk_class: spec.and_then(|d| class(&d.system)),
            }
        };
        // What lets a denied release run asks at least what approving the release would.
        let lets = |kind, scope| stricter(self.review(kind, scope), self.review(Reviewed::Deployment, scope));
        match reference.kind() {
            Kind::Purpose => self.review(Reviewed::Purpose, Scope::default()),
            Kind::Basis => self.review(Reviewed::Basis, Scope::default()),
            Kind::Assessment => self.review(Reviewed::Assessment, Scope::default()),
            Kind::System => self.review(Reviewed::System, Scope { environment: None, risk_class: class(reference) }),
            Kind::Deployment => self.review(Reviewed::Deployment, runs(&base)),
            Kind::Baseline => lets(Reviewed::Baseline, Scope::default()),
            Kind::BreakGlass => {
                let used = world.review.broken.revision(&base, reference.rev().unwrap_or(0));
                lets(Reviewed::BreakGlass, used.map(|used| runs(&used.spec.deployment)).unwrap_or_default())
            }
            Kind::Loosening => {
                lets(Reviewed::Loosening, Scope { environment: Some(reference.name()), risk_class: None })
            }
            _ => self.review(Reviewed::Policy, Scope::default()),
        }
    }

    /// What the approval of a deployment in a place asks.
    pub fn of_deployment(&self, scope: Scope<'_>) -> Terms {
        self.review(Reviewed::Deployment, scope)
    }

    /// What a review of one thing asks.
    fn review(&self, kind: Reviewed, scope: Scope<'_>) -> Terms {
        let each = self.layers.iter().map(|layer| terms(&layer.spec().review, kind, scope));
        each.reduce(stricter).unwrap_or(Terms { quorum: u16::MAX, approval_days: 1 })
    }

    /// What a finding of a rule does. Of the hard core, whatever a policy says, it refuses.
    pub fn level(&self, rule: &str, scope: Scope<'_>) -> Level {
        if is_core(rule) { Level::Block } else { self.level_of_optional(rule, scope) }
    }

    /// What a finding of a rule outside the hard core does.
    pub(super) fn level_of_optional(&self, rule: &str, scope: Scope<'_>) -> Level {
        let each = self.layers.iter().map(|layer| {
            let Some(stated) = layer.spec().levels.iter().find(|l| l.rule.as_str() == rule) else {
                return Level::Block;
            };
            let overrides = stated.overrides.iter();
            let fitting = overrides.map(|o| (fits(&o.environments, &o.risk_classes, scope), Some(o.level)));
            strictest(stated.level, fitting, Ord::min)
        });
        each.min().unwrap_or(Level::Block)
    }

    /// For how long what already runs may go on with a finding: nothing for wrong bytes and what a law forbids outright.
    pub fn grace(&self, rule: &str, status: Status) -> Duration {
        let core = is_core(rule);
        let days = |grace: Grace| match status {
            Status::Unmet => 0,
            Status::Expired => grace.expired_days,
            Status::Unknown => grace.unknown_days,
        };
        if matches!(rule, "artifact.digest" | "prohibited.practice" | "purpose.forbids") {
            return Duration::zero();
        }
        let each = self.layers.iter().map(|layer| {
            let spec = layer.spec();
            let own = spec.levels.iter().find(|l| !core && l.rule.as_str() == rule).and_then(|l| l.grace);
            let general = days(spec.grace).min(if core { days(Grace::default()) } else { u16::MAX });
            own.map_or(general, days)
        });
        Duration::days(i64::from(each.min().unwrap_or(0)))
    }

    /// Whether releases need no vote where only made-up or anonymous data are; of several revisions, all must say so.
    pub fn synthetic_without_vote(&self) -> bool {
        self.layers.iter().all(|layer| layer.spec().review.synthetic_without_vote)
    }

    /// The organisation's own rules with their conditions: of all revisions that count, each once.
    pub fn rules<'w>(&'w self, world: &'w World) -> Vec<(&'w OwnRule, &'w Readable)> {
        let mut all: Vec<(&OwnRule, &Readable)> = Vec::new();
        for revision in self.layers.iter().filter_map(|l| l.revision.as_deref()) {
            for rule in revision.spec.rules.iter().zip(world.lawfulness.conditions(revision)) {
                if !all.iter().any(|(known, _)| *known == rule.0) {
                    all.push(rule);
                }
            }
        }
        all
    }

    /// For how many hours a person may let a denied release through; of several revisions, all must name them.
    pub fn emergency(&self, person: uuid::Uuid) -> Option<u16> {
        let each = self.layers.iter().map(|layer| {
            let stated = layer.spec().break_glass.as_ref()?;
            stated.roster.iter().any(|named| named.0 == person).then_some(stated.hours)
        });
        each.reduce(|one, other| Some(one?.min(other?))).flatten()
    }

    /// How long what was observed of an endpoint counts.
    pub fn attestation(&self) -> Duration {
        let each = self.layers.iter().filter_map(|layer| layer.spec().attestation_days);
        Duration::days(i64::from(each.min().unwrap_or(ATTESTATION_DAYS).min(ATTESTATION_DAYS)))
    }

    /// How many words a notice may have, and what LIX.
    pub fn longest_notice(&self) -> (u32, u32) {
        let each = self.layers.iter().map(|layer| layer.spec().notices.unwrap_or_default());
        let each = each.map(|n| (n.most_words.unwrap_or(NOTICES.0), n.most_lix.unwrap_or(NOTICES.1)));
        each.reduce(|one, other| (one.0.min(other.0), one.1.min(other.1))).unwrap_or((NOTICES.0, NOTICES.1))
    }

    /// For how long a test of the way out counts.
    pub fn withdrawal_test(&self) -> Duration {
        let each = self.layers.iter().map(|layer| layer.spec().notices.and_then(|n| n.test_days).unwrap_or(NOTICES.2));
        Duration::days(i64::from(each.min().unwrap_or(NOTICES.2)))
    }

    /// How many people must share a combination of quasi-identifiers in what a join brings together.
    pub fn min_k(&self) -> Option<u32> {
        self.layers.iter().filter_map(|layer| layer.spec().min_k).max()
    }

    /// How many of a million people behind a training may lack consent.
    pub fn unconsented_per_million(&self) -> u32 {
        self.layers.iter().map(|layer| layer.spec().unconsented_per_million.unwrap_or(0)).min().unwrap_or(0)
    }

    /// How long proof of the consent of erased people is kept; of several revisions, all must keep it, and the shortest counts.
    pub fn proof_of_consent(&self, from: Timestamp) -> Option<Timestamp> {
        let each = self.layers.iter().map(|layer| Some(layer.spec().proof_of_consent?.keep.after(from)));
        each.reduce(|one, other| Some(one?.min(other?))).flatten()
    }

    /// How long a receipt stands, at most.
    pub fn receipt(&self) -> Duration {
        let each = self.layers.iter().map(|layer| layer.spec().receipt_hours.unwrap_or(RECEIPT_HOURS));
        Duration::hours(i64::from(each.min().unwrap_or(0)))
    }

    /// When the first approval that carries it ends; of one that ended already, nothing more is to come.
    pub fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let approvals = self.layers.iter().filter_map(|layer| layer.approval.as_ref());
        approvals.map(|approval| approval.end()).filter(|end| *end > now).min()
    }

    /// Names and digest: of one revision its own, of several that of the list of both.
    pub fn named(&self) -> (String, Digest) {
        let each = self.layers.iter().map(|layer| {
            let sum = layer.revision.as_ref().map_or_else(|| digest(&*DEFAULT), |r| r.digest);
            (layer.reference(), sum)
        });
        let each: Vec<(&str, Digest)> = each.collect();
        let sum = match &each[..] {
            [(_, one)] => *one,
            several => digest(&several),
        };
        (each.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","), sum)
    }

    /// Whether there are rules of the organisation's own.
    pub fn has_rules(&self) -> bool {
        self.layers.iter().any(|layer| !layer.spec().rules.is_empty())
    }

    /// What was looked at, for the canonical evidence.
    pub fn document(&self) -> Value {
        let layers = self.layers.iter().map(|layer| {
            json!({
                "ref": layer.reference(),
                "digest": layer.revision.as_ref().map_or_else(|| digest(&*DEFAULT), |r| r.digest),
                "approval": layer.approval.as_ref().map(|a| json!({"id": a.id.to_string(), "end": a.end()})),
            })
        });
        layers.collect()
    }
}

fn stricter(one: Terms, other: Terms) -> Terms {
    Terms { quorum: one.quorum.max(other.quorum), approval_days: one.approval_days.min(other.approval_days) }
}

/// What one revision asks of a review.
fn terms(review: &ReviewPolicy, kind: Reviewed, scope: Scope<'_>) -> Terms {
    let fitting = || {
        let named = review.overrides.iter().filter(|o| o.kinds.is_empty() || o.kinds.contains(&kind));
        named.map(|o| (fits(&o.environments, &o.risk_classes, scope), o))
    };
    Terms {
        quorum: strictest(review.quorum, fitting().map(|(fit, o)| (fit, o.quorum)), Ord::max),
        approval_days: i64::from(strictest(
            review.approval_days,
            fitting().map(|(fit, o)| (fit, o.approval_days)),
            Ord::min,
        )),
    }
}

/// Whether an override applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Yes,
    /// It names something that is not known of what is judged.
    Perhaps,
    No,
}

fn fits(environments: &[Key], risk_classes: &[RiskClass], scope: Scope<'_>) -> Fit {
    let environment =
        (!environments.is_empty()).then(|| scope.environment.map(|own| environments.iter().any(|e| e.as_str() == own)));
    let risk_class = (!risk_classes.is_empty()).then(|| scope.risk_class.map(|own| risk_classes.contains(&own)));
    let both = [environment, risk_class];
    if both.contains(&Some(Some(false))) {
        Fit::No
    } else if both.contains(&Some(None)) {
        Fit::Perhaps
    } else {
        Fit::Yes
    }
}

/// The general answer, unless an override takes its place; of all that apply or might, the strictest.
fn strictest<T: Copy>(general: T, overrides: impl Iterator<Item = (Fit, Option<T>)>, stricter: fn(T, T) -> T) -> T {
    let (mut sure, mut perhaps) = (None, None);
    for (fit, answer) in overrides {
        let Some(answer) = answer else { continue };
        let place = match fit {
            Fit::Yes => &mut sure,
            Fit::Perhaps => &mut perhaps,
            Fit::No => continue,
        };
        *place = Some(place.map_or(answer, |other| stricter(other, answer)));
    }
    let known = sure.unwrap_or(general);
    perhaps.map_or(known, |other| stricter(known, other))
}
