//! How far consent covers the people behind each source that rests on it.

use std::sync::Arc;

use chrono::Duration;
use licit_schemas::consent::Channel;
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::{Exception, LegalBasis};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use super::{Cohort, Evidence, Source, Unread};
use crate::consent::Trained;
use crate::db::people::{Form, Standing};
use crate::facts::World;
use crate::gate::children;
use crate::gate::consented::{self, Will};
use crate::gate::coverage::{Answer, Question};
use crate::gate::suppression;
use crate::lineage::exposure::{CONTAINED, SERVED};
use crate::lineage::graph::NodeId;

/// What of consent is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Valid when this training began, as a place in [`Evidence::trainings`].
    Training(usize),
    /// Of what runs: withdrawn, and not acted on within so many days.
    Overdue(u16),
    /// Of what is served: that it is known who is in it.
    Served,
}

/// How far consent covers a source.
#[derive(Debug)]
pub struct Consent {
    /// The source.
    pub source: NodeId,
    /// What is asked for.
    pub asked: Asked,
    /// For which purpose, without its revision.
    pub purpose: Arc<str>,
    /// What is asked of people.
    pub will: Arc<Will>,
    /// The moment.
    pub at: Timestamp,
    /// In what form consent counts.
    pub form: Form,
    /// Entry that brought the members, and how many they are; none where nobody said who is in it.
    pub members: Option<(u64, u64)>,
    /// How many lack it; none where that cannot be read.
    pub missing: Option<u64>,
    /// How many of them were erased since.
    pub erased: u64,
    /// Until when what runs may go on all the same, where that became known lately.
    pub due: Option<Timestamp>,
}

/// One question about all sources that are alike. What people said is asked for once, not for each of them.
struct Asking {
    asked: Asked,
    will: Arc<Will>,
    purpose: Arc<str>,
    form: Form,
    at: Timestamp,
    /// For whom it stands then; none where that cannot be read, or is not asked.
    stands: Option<Arc<Standing>>,
    /// For whom it stood so many days before, where that is asked.
    stood: Option<Arc<Standing>>,
}

impl Asking {
    fn new(world: &World, asked: Asked, purpose: &Ref, channel: Option<Channel>, form: Form, at: Timestamp) -> Self {
        let will = Will::new(world, purpose, channel, form, at);
        let stands = |at| consented::standing(world, &will, at);
        let (now, then) = match asked {
            Asked::Training(_) => (stands(at), None),
            Asked::Overdue(days) => (stands(at), stands(at.plus(-Duration::days(i64::from(days))))),
            Asked::Served => (None, None),
        };
        let purpose = purpose.unpinned().to_string().into();
        Self { asked, will: Arc::new(will), purpose, form, at, stands: now, stood: then }
    }

    /// Whether a training it is about names corrected member sets: then each source is looked at for itself.
    fn names_sets(&self, evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> bool {
        let names = |training: usize| evidence.trainings[training].run().is_some_and(|run| !run.member_sets.is_empty());
        match self.asked {
            Asked::Training(training) => names(training),
            Asked::Overdue(_) => cohort.trainings.iter().any(|training| names(*training)),
            Asked::Served => false,
        }
    }

    /// Whether it is known who is in a source, and that none of them lacks it.
    fn settled(&self, evidence: &Evidence<'_>, source: &Source) -> bool {
        let world = evidence.world;
        let id = world.lineage.record(source.node).members;
        let nobody_lacks = || {
            let stands = self.stands.as_ref()?;
            Some(stands.missing_of(id, || world.people.by_id(id))? == 0)
        };
        id != 0
            && match self.asked {
                Asked::Served => true,
                Asked::Training(training) => {
                    lacked(evidence, training, id, self.form) == 0 && nobody_lacks() == Some(true)
                }
                Asked::Overdue(_) => world.consent.erased_from(id).next().is_none() && nobody_lacks() == Some(true),
            }
    }
}

/// Go through the sources that rest on consent, and keep those of which somebody lacks it, or nobody knows. That nobody does is
/// looked up, and no words are made for it.
pub(super) fn gather(evidence: &mut Evidence<'_>) {
    let (mut found, mut rests) = (Vec::new(), false);
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        let questions = questions(evidence, cohort);
        rests |= !questions.is_empty();
        for asking in &questions {
            let corrected = asking.names_sets(evidence, cohort);
            let open = |source: &&Source| corrected || !asking.settled(evidence, source);
            found.extend(evidence.sources_of(place).filter(open).map(|source| covered(evidence, source, asking)));
        }
    }
    found.retain(|consent: &Consent| consent.members.is_none() || consent.missing != Some(0));
    evidence.consents = found;
    if evidence.world.consent.lanes.is_empty() && !rests {
        return; // Nobody said anything, and nobody was to be asked.
    }
    let list = suppression::counted(evidence);
    evidence.suppression = Some(list.map_err(|error| {
        tracing::warn!(%error, "what people said cannot be read: whom to leave out is unknown");
        Unread
    }));
}

/// How far consent covers every source that rests on it, those included of which nobody lacks it.
pub fn all(evidence: &Evidence<'_>) -> Vec<Consent> {
    let mut found = Vec::new();
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        let questions = questions(evidence, cohort);
        for source in evidence.sources_of(place).filter(|_| !questions.is_empty()) {
            found.extend(questions.iter().map(|asking| covered(evidence, source, asking)));
        }
    }
    found
}

/// What is asked of sources that are alike.
fn questions(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Vec<Asking> {
    let mut questions: Vec<Asking> = Vec::new();
    if let (Some(answer), Some(question)) = (&cohort.deployment, &evidence.question)
        && let Some(form) = on_consent(question, answer, cohort)
        && let Some(deployment) = &evidence.deployment
    {
        let (world, spec, at) = (evidence.world, &deployment.spec, evidence.ask.valid_at);
        let mut ask = |asked| questions.push(Asking::new(world, asked, &spec.purpose, spec.channel, form, at));
        if cohort.modes & CONTAINED != 0 {
            let days = consented::days(evidence.purpose.as_ref().and_then(|p| p.spec.withdrawal.as_ref()));
            ask(Asked::Overdue(days));
        }
        if cohort.modes & SERVED != 0 {
            ask(Asked::Served);
        }
    }
    for (&training, answer) in cohort.trainings.iter().zip(&cohort.training) {
        let held = &evidence.trainings[training];
        let (Some(question), Some(run)) = (&held.question, held.run()) else { continue };
        let Some(form) = on_consent(question, answer, cohort) else { continue };
        let asked = Asked::Training(training);
        questions.push(Asking::new(evidence.world, asked, &run.purpose, None, form, run.started_at));
    }
    questions
}

/// In what form consent that governs must be given; none where another basis does.
fn on_consent(question: &Question, answer: &Answer, cohort: &Cohort<'_>) -> Option<Form> {
    let Answer::Governed(places) = answer else { return None };
    let governing = || places.iter().map(|place| &question.candidates[*place].revision.spec);
    let explicit = governing().any(|basis| basis.exception == Some(Exception::Art9_2A));
    let consent = explicit || governing().any(|basis| basis.legal_basis == LegalBasis::Art6_1A);
    consent.then(|| Form { explicit, parental: children::parents_give(&cohort.class, governing(), question.at) })
}

/// How many people erased since lacked consent when a training began: it is none the more lawful for their erasure.
fn lacked(evidence: &Evidence<'_>, training: usize, members: u64, form: Form) -> u64 {
    let run = evidence.trainings[training].held.as_ref();
    run.map_or(0, |run| evidence.world.consent.lacked(members, &run.reference, form))
}

fn covered(evidence: &Evidence<'_>, source: &Source, asking: &Asking) -> Consent {
    let world = evidence.world;
    let name = world.lineage.name(source.node);
    let now = evidence.ask.valid_at;
    let set = |training: usize| -> Option<String> {
        let run = evidence.trainings[training].run()?;
        let trained = Trained { purpose: &run.purpose, at: run.started_at, form: asking.form };
        run.member_sets.iter().find_map(|id| world.consent.corrected_set(*id, &name, &trained))
    };
    let trainings = &evidence.cohort(source).trainings;
    let key = match asking.asked {
        Asked::Training(training) => set(training),
        // Who was left out of every training is in nothing that runs: what is contained is what was trained on.
        Asked::Overdue(_) => {
            let first = trainings.first().and_then(|training| set(*training));
            first.filter(|first| trainings.iter().all(|training| set(*training).as_ref() == Some(first)))
        }
        Asked::Served => None,
    };
    let members = world.people.members(key.as_deref().unwrap_or(&name));
    let days = consented::days(evidence.purpose.as_ref().and_then(|p| p.spec.withdrawal.as_ref()));
    let erased = match (asking.asked, members) {
        (Asked::Training(training), Some(members)) => lacked(evidence, training, members.id, asking.form),
        _ => 0,
    };
    let missing = members.and_then(|members| match asking.asked {
        Asked::Training(_) => asking.stands.as_ref().map(|stands| stands.missing(members.id, &members.who) + erased),
        Asked::Overdue(days) => {
            // Erased people are in no count; what was trained on them before is to be made anew like after a withdrawal.
            let trained_before = |erased: Timestamp| {
                trainings.iter().any(|&t| evidence.trainings[t].run().is_none_or(|run| run.started_at < erased))
                    || trainings.is_empty()
            };
            let late = |erased: &Timestamp| erased.plus(Duration::days(i64::from(days))) <= now;
            let erased = world.consent.erased_from(members.id).filter(late).filter(|at| trained_before(*at)).count();
            let (stands, stood) = (asking.stands.as_ref()?, asking.stood.as_ref()?);
            let late = consented::overdue(world, &asking.will, (asking.at, days), (stands, stood), members)?;
            Some(late + erased as u64)
        }
        Asked::Served => Some(0),
    });
    let due = match (asking.asked, members, missing) {
        (Asked::Training(_) | Asked::Overdue(_), Some(members), Some(1..))
            if evidence.ask.intent == Intent::Continue =>
        {
            consented::due(world, &asking.will, asking.at, (now, days), members)
        }
        _ => None,
    };
    Consent {
        source: source.node,
        asked: asking.asked,
        purpose: asking.purpose.clone(),
        will: asking.will.clone(),
        at: asking.at,
        form: asking.form,
        members: members.map(|members| (members.id, members.who.len() + erased)),
        missing,
        erased,
        due,
    }
}
