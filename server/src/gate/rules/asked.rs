//! The questions put to the bases, one per source and stage; what several rules read.

use std::collections::BTreeMap;

use licit_schemas::gate::Finding;
use licit_schemas::time::Timestamp;

use super::revocation_due;
use crate::gate::coverage::{Answer, Candidate, Question, Stands};
use crate::gate::evidence::{Evidence, Source};
use crate::lineage::exposure::{CONTAINED, SERVED, Want};

/// One question about one source: at which stage, and what the answer was.
pub(super) struct Asked<'a> {
    pub(super) source: &'a Source,
    question: &'a Question,
    pub(super) answer: &'a Answer,
    /// Place of the training run; none for the deployment stage.
    pub(super) training: Option<usize>,
}

impl Asked<'_> {
    pub(super) fn candidate(&self, place: usize) -> &Candidate {
        &self.question.candidates[place]
    }

    pub(super) fn path(&self, evidence: &Evidence<'_>) -> Vec<String> {
        let want = match self.training {
            Some(training) => Want::Run(evidence.trainings[training].node),
            None if self.source.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
            None => Want::Mode(SERVED),
        };
        evidence.path(self.source.node, want)
    }

    /// Who processes, at which stage, for which purpose: the words of a sentence.
    pub(super) fn stage(&self, evidence: &Evidence<'_>) -> String {
        match self.training.map(|t| &evidence.trainings[t]) {
            None => {
                let purpose = evidence.purpose.as_ref().map_or_else(String::new, |p| p.reference.to_string());
                format!("to be used in this deployment for `{purpose}`")
            }
            Some(training) => match training.run() {
                Some(run) => format!("to train for `{}` on {}", run.purpose, run.started_at),
                None => "to train".to_owned(),
            },
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
    evidence.sources.iter().flat_map(move |source| {
        let deployment = match (&source.deployment, &evidence.question) {
            (Some(answer), Some(question)) => Some(Asked { source, question, answer, training: None }),
            _ => None,
        };
        let trainings = source.trainings.iter().zip(&source.training).filter_map(move |(&place, answer)| {
            let question = evidence.trainings[place].question.as_ref()?;
            Some(Asked { source, question, answer, training: Some(place) })
        });
        deployment.into_iter().chain(trainings)
    })
}

/// The questions that one basis did not settle: no words are made for the others.
pub(super) fn unsettled<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Asked<'a>> {
    asked(evidence).filter(|ask| !matches!(ask.answer, Answer::Governed(_) | Answer::NotAsked))
}

/// Findings with the same cause are one: the first shows its path, the others stand beside it.
pub(super) fn grouped<K: Ord>(list: Vec<(K, Finding)>) -> Vec<Finding> {
    let mut groups: BTreeMap<K, Finding> = BTreeMap::new();
    for (key, finding) in list {
        match groups.get_mut(&key) {
            None => {
                groups.insert(key, finding);
            }
            Some(first) if first.node != finding.node && !first.also.contains(&finding.node) => {
                first.also.push(finding.node)
            }
            Some(_) => {}
        }
    }
    groups.into_values().collect()
}
