//! The questions put to the bases, one per cohort of sources and stage; what several rules read.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use licit_schemas::gate::Finding;
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use super::revocation_due;
use crate::gate::coverage::{Answer, Candidate, Question, Stands};
use crate::gate::evidence::{Cohort, Evidence, Missing, Source};
use crate::lineage::exposure::{CONTAINED, SERVED, Want};

/// One question about sources that are alike: at which stage, and what the answer was.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) cohort: &'a Cohort<'a>,
    /// Place of the cohort.
    pub(super) place: usize,
    question: &'a Question,
    pub(super) answer: &'a Answer,
    /// Place of the training run; none for the deployment stage.
    pub(super) training: Option<usize>,
}

impl Asked<'_> {
    pub(super) fn candidate(&self, place: usize) -> &Candidate {
        &self.question.candidates[place]
    }

    pub(super) fn path(&self, evidence: &Evidence<'_>, source: &Source) -> Vec<String> {
        let want = match self.training {
            Some(training) => Want::Run(evidence.trainings[training].node),
            None if self.cohort.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
            None => Want::Mode(SERVED),
        };
        evidence.path(source.node, want)
    }

    /// Who processes, at which stage, for which purpose: the words of a sentence.
    pub(super) fn stage(&self, evidence: &Evidence<'_>) -> String {
        match self.training.map(|t| &evidence.trainings[t]) {
            None => {
                let purpose = evidence.purpose.as_ref().map_or_else(String::new, |p| p.reference.to_string());
                format!("to be used in this deployment for `{purpose}`")
            }
            Some(training) => match training.run() {
                Some(run) => {
                    let regular = training.unfounded.as_ref().and_then(Missing::says);
                    let regular = regular.map_or_else(String::new, |why| format!(" (nor is it regularised: {why})"));
                    format!("to train for `{}` on {}{regular}", run.purpose, run.started_at)
                }
                None => "to train".to_owned(),
            },
        }
    }

    /// The purpose it is for, pinned, and the moment judged.
    pub(super) fn purpose<'e>(&self, evidence: &'e Evidence<'_>) -> Option<(&'e Ref, Timestamp)> {
        match self.training {
            None => Some((&evidence.deployment.as_ref()?.spec.purpose, evidence.ask.valid_at)),
            Some(training) => evidence.trainings[training].run().map(|run| (&run.purpose, run.started_at)),
        }
    }

    /// The controller who processes.
    pub(super) fn controller(&self, evidence: &Evidence<'_>) -> String {
        let own = || evidence.deployment.as_ref().map(|d| d.spec.controller.to_string()).unwrap_or_default();
        self.training.map_or_else(own, |t| evidence.trainings[t].controller.clone())
    }

    /// Since when a basis holds no more, and until when what runs may go on by its revocation.
    pub(super) fn ended(&self, place: usize) -> (Option<Timestamp>, Option<Timestamp>) {
        let fell = self.candidate(place);
        let end = match fell.stands {
            Stands::Fell(end) => Some(end),
            _ => None,
        };
        (end, fell.approval.as_deref().and_then(revocation_due))
    }
}

/// Every question asked in this evidence.
pub(super) fn asked<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Asked<'a>> {
    evidence.cohorts.iter().enumerate().flat_map(move |(place, cohort)| {
        let deployment = match (&cohort.deployment, &evidence.question) {
            (Some(answer), Some(question)) => Some(Asked { cohort, place, question, answer, training: None }),
            _ => None,
        };
        let trainings = cohort.trainings.iter().zip(&cohort.training).filter_map(move |(&training, answer)| {
            let question = evidence.trainings[training].question.as_ref()?;
            Some(Asked { cohort, place, question, answer, training: Some(training) })
        });
        deployment.into_iter().chain(trainings)
    })
}

/// The questions that one basis did not settle, with each source: no words are made for the others.
pub(super) fn unsettled<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = (Asked<'a>, &'a Source)> {
    each(evidence, |ask| !matches!(ask.answer, Answer::Governed(_) | Answer::NotAsked))
}

/// The questions that `which` picks, with each source they were asked about.
pub(super) fn each<'a>(
    evidence: &'a Evidence<'_>,
    which: impl Fn(&Asked<'a>) -> bool,
) -> impl Iterator<Item = (Asked<'a>, &'a Source)> {
    asked(evidence).filter(which).flat_map(move |ask| evidence.sources_of(ask.place).map(move |source| (ask, source)))
}

/// Findings with the same cause are one: the first shows its path, the others stand beside it. Only the first is made.
pub(super) struct Grouped<K>(BTreeMap<K, (Finding, HashSet<String>)>);

impl<K: Ord> Grouped<K> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// A finding about a node, unless one with the same cause stands already.
    pub(super) fn add(&mut self, key: K, node: &str, finding: impl FnOnce() -> Finding) {
        match self.0.entry(key) {
            Entry::Vacant(place) => _ = place.insert((finding(), HashSet::new())),
            Entry::Occupied(mut group) => {
                let (first, beside) = group.get_mut();
                if first.node != node && beside.insert(node.to_owned()) {
                    first.also.push(node.to_owned());
                }
            }
        }
    }

    /// The findings, in order of their causes.
    pub(super) fn findings(self) -> Vec<Finding> {
        self.0.into_values().map(|(finding, _)| finding).collect()
    }
}
