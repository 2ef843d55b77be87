//! What ends behind a decision, and what of it first. Pure.

use chrono::Duration;
use licit_schemas::time::Timestamp;

use super::coverage::{Candidate, Stands, base, broader};
use super::evidence::{Evidence, assessments_of};
use super::passport;
use super::policy::Policy;
use super::suppression::FRESH_HOURS;
use crate::registry::What;
use crate::review::Standing;

/// Ends, each with what ends.
struct Ends<'e> {
    evidence: &'e Evidence<'e>,
    now: Timestamp,
    first: Option<(Timestamp, String)>,
}

/// The earliest end, after the moment judged, of anything that the evidence rests on.
pub fn earliest(evidence: &Evidence<'_>, policy: &Policy) -> Option<(Timestamp, String)> {
    let mut ends = Ends { evidence, now: evidence.ask.valid_at, first: None };
    ends.place(policy);
    ends.purpose();
    ends.bases();
    ends.notices(policy);
    ends.assessments();
    ends.data();
    ends.models(policy);
    ends.parties();
    ends.people();
    ends.first
}

impl Ends<'_> {
    fn add(&mut self, end: impl Into<Option<Timestamp>>, what: impl FnOnce() -> String) {
        let Some(end) = end.into().filter(|end| *end > self.now) else { return };
        if self.first.as_ref().is_none_or(|(first, _)| end < *first) {
            self.first = Some((end, what()));
        }
    }

    fn approval(&mut self, reference: &str) {
        if let Standing::Holds(approval) = self.evidence.world.review.standing(reference, self.now) {
            self.add(approval.end(), || format!("the approval of `{reference}` ends"));
        }
    }

    /// Policy, deployment, system and environment.
    fn place(&mut self, policy: &Policy) {
        let evidence = self.evidence;
        self.add(policy.ends(self.now), || format!("the approval of `{}` ends", policy.revision));
        self.add(evidence.ends, || "the time to live of its environment is over".to_owned());
        if let Some(loosened) = &evidence.loosened {
            let base = base(loosened);
            let end = evidence.world.review.loosenings.latest(base).map(|l| l.spec.valid_to);
            self.add(end, || format!("`{loosened}` ends"));
        }
        self.approval(&evidence.ask.deployment);
        if let Some(system) = &evidence.system {
            self.approval(&system.reference);
            for document in &system.spec.documents {
                self.add(document.valid_to, || {
                    format!("the document `{}` of `{}` ends", document.kind, system.reference)
                });
            }
        }
    }

    fn purpose(&mut self) {
        let Some(deployment) = &self.evidence.deployment else { return };
        for purpose in broader(self.evidence.world, &deployment.spec.purpose, self.now) {
            self.approval(&purpose.reference);
            self.add(purpose.spec.valid_to, || format!("`{}` ends", purpose.reference));
        }
    }

    fn bases(&mut self) {
        let evidence = self.evidence;
        let candidates = evidence.question.iter().flat_map(|q| &q.candidates);
        let governing = |c: &&Candidate| c.stands == Stands::InForce;
        let named = evidence.bases.iter().filter(|b| b.stands == Stands::InForce).map(|b| &b.revision);
        for basis in candidates.filter(governing).map(|c| &c.revision).chain(named) {
            self.approval(&basis.reference);
            self.add(basis.spec.valid_to, || format!("`{}` ends", basis.reference));
        }
    }

    fn notices(&mut self, policy: &Policy) {
        let evidence = self.evidence;
        for notice in &evidence.told.in_force {
            self.add(notice.revision.spec.valid_to, || format!("`{}` ends", notice.reference()));
            let tested = evidence.tested(notice).map(|test| test.at.plus(policy.withdrawal_test()));
            self.add(tested, || format!("the test of the way out of `{}` counts no more", notice.reference()));
        }
    }

    /// Assessments of what is in the closure, of its sources' datasets, and of interests that were weighed.
    fn assessments(&mut self) {
        let evidence = self.evidence;
        let sources = evidence.sources.iter().map(|s| s.node);
        let joins = evidence.joins.iter().map(|j| j.run);
        let trainings = evidence.trainings.iter().map(|t| t.node);
        let models = evidence.models.iter().map(|m| m.reference.to_string());
        let nodes = sources.chain(evidence.assessed.iter().copied()).chain(joins).chain(trainings);
        let bases = evidence.question.iter().flat_map(|q| &q.candidates).map(|c| c.revision.reference.to_string());
        let mut names: Vec<String> = nodes.map(|node| evidence.name(node)).chain(models).chain(bases).collect();
        names.extend(names.clone().iter().map(|name| base(name).to_owned()));
        names.sort_unstable();
        names.dedup();
        for assessment in names.iter().flat_map(|name| assessments_of(evidence.world, name)) {
            if !matches!(evidence.world.review.standing(&assessment.reference, self.now), Standing::Holds(_)) {
                continue;
            }
            self.approval(&assessment.reference);
            self.add(assessment.spec.valid_to, || format!("`{}` ends", assessment.reference));
        }
    }

    /// How long data may be kept, and until when default classes answer for them.
    fn data(&mut self) {
        let evidence = self.evidence;
        for source in &evidence.sources {
            let end = evidence.world.lineage.end(source.end);
            self.add(end, || format!("the retention of `{}` ends", evidence.name(source.node)));
        }
        let classes = &evidence.world.registry.classes.catalogue;
        for node in &evidence.assumed {
            let held = evidence.world.lineage.record(*node).held.as_deref();
            let Some(What::Dataset(facts)) = held.map(|held| &held.what) else { continue };
            for reference in facts.defaults() {
                let class = classes.every().find(|class| class.reference == reference);
                self.add(class.map(|class| class.spec.valid_to), || format!("`{reference}` ends"));
            }
        }
    }

    fn models(&mut self, policy: &Policy) {
        let evidence = self.evidence;
        for model in evidence.models.iter().filter(|m| m.facts().is_some_and(|facts| facts.endpoint.is_some())) {
            let seen = evidence.attestation(&model.reference).map(|seen| seen.at.plus(policy.attestation()));
            self.add(seen, || format!("what was observed of `{}` counts no more", model.reference));
        }
        let (world, at) = (evidence.world, evidence.ask.valid_at);
        for (node, _) in evidence.closure.iter().filter(|_| !world.gate.passports.is_empty()) {
            if let Some(taken) = passport::of(world, &evidence.name(*node), at) {
                self.add(taken.spec.says.valid_until, || format!("the passport of `{}` ends", taken.spec.model));
            }
        }
    }

    /// Contracts and certifications of everybody the data are with.
    fn parties(&mut self) {
        let evidence = self.evidence;
        for name in evidence.parties() {
            let Some(party) = evidence.world.registry.parties.latest(&name) else { continue };
            for tie in &party.spec.arrangements {
                self.add(tie.valid_to, || format!("the arrangement of `{name}` with `{}` ends", tie.with));
            }
            for entry in &party.spec.certifications {
                self.add(entry.valid_to, || format!("the certification of `{name}` as `{}` ends", entry.scheme));
            }
        }
    }

    /// The list of whom to leave out, and consent that is acted on late.
    fn people(&mut self) {
        let evidence = self.evidence;
        if let Some(Ok(list)) = &evidence.suppression
            && !list.is_empty()
        {
            let stale = list.acknowledged.map(|last| last.as_of.plus(Duration::hours(FRESH_HOURS)));
            self.add(stale, || "the list of whom to leave out is due again".to_owned());
        }
        for consent in &evidence.consents {
            self.add(consent.due, || "withdrawals of consent are to be acted on".to_owned());
        }
    }
}
