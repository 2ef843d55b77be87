//! How far consent covers the people behind each source that rests on it.

use std::sync::Arc;

use chrono::Duration;
use licit_schemas::consent::{Channel, Family};
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::{Exception, LegalBasis};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use super::{Cohort, Evidence, Source, Unread};

use crate::consent::erase::Wrong;
use crate::consent::{Gone, Trained};
use crate::db::people::{Form, Standing};
use crate::facts::World;
use crate::gate::acted::{Acted, Remedied};
use crate::gate::children;
use crate::gate::consented::{self, Will};
use crate::gate::coverage::{Answer, Question};
use crate::gate::suppression;
use crate::lawfulness::{above, is_marketing};
use crate::lineage::exposure::{CONTAINED, SERVED};
use crate::lineage::graph::NodeId;

/// What of consent is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Valid when this training began, as a place in [`Evidence::trainings`].
    Training(usize),
    /// Not objected to when this training began (GDPR Art. 21(1), (3)).
    Opposed(usize),
    /// Not restricted when this training began (GDPR Art. 18(1)).
    Restricted(usize),
    /// Of what runs, or of a training that it contains: withdrawn, and not acted on within so many days.
    Overdue(u16),
    /// Of what runs: objected to, and not acted on within so many days (GDPR Art. 17(1)(c), 21(1)).
    Objected(u16),
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
    /// How many of them were erased since: they count among members and missing all the same.
    pub erased: u64,
    /// Until when what runs may go on all the same, where that became known lately.
    pub due: Option<Timestamp>,
    /// Remedies that were taken, as far as they count.
    pub acted: Acted,
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
    /// Of consent.
    fn new(world: &World, asked: Asked, purpose: &Ref, channel: Option<Channel>, form: Form, at: Timestamp) -> Self {
        Self::of(world, asked, purpose, Will::new(world, purpose, channel, form, at), at)
    }

    fn of(world: &World, asked: Asked, purpose: &Ref, will: Will, at: Timestamp) -> Self {
        let form = match &will {
            Will::Consent { form, .. } => *form,
            Will::NoObjection { .. } | Will::Unrestricted { .. } => Form::default(),
        };
        let stands = |at| consented::standing(world, &will, at);
        let (now, then) = match asked {
            Asked::Training(_) | Asked::Opposed(_) | Asked::Restricted(_) => (stands(at), None),
            Asked::Overdue(days) | Asked::Objected(days) => {
                (stands(at), stands(at.plus(-Duration::days(i64::from(days)))))
            }
            Asked::Served => (None, None),
        };
        let purpose = purpose.base().into();
        Self { asked, will: Arc::new(will), purpose, form, at, stands: now, stood: then }
    }

    /// How many object for longer than there was time to act on it, wherever they are; none where that cannot be read.
    fn objecting(&self) -> Option<u64> {
        let (stands, stood) = (self.stands.as_ref()?, self.stood.as_ref()?);
        Some(stands.who().intersection_len(stood.who()))
    }

    /// Who objected to it and was erased since, of the members that an entry brought.
    fn objected_and_went<'w>(&self, world: &'w World, members: u64) -> impl Iterator<Item = &'w Gone> {
        let mut gone = world.consent.erased_from(members).peekable();
        let purposes = gone.peek().map_or_else(Vec::new, |_| {
            let above = above(world, &self.purpose);
            std::iter::once(self.purpose.clone()).chain(above).collect()
        });
        let marketing = matches!(&*self.will, Will::NoObjection { marketing: true, .. });
        gone.filter(move |gone| gone.objected(&purposes, marketing))
    }

    /// Whether a training it is about names corrected member sets: then each source is looked at for itself.
    fn names_sets(&self, evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> bool {
        let names = |training: usize| evidence.trainings[training].run().is_some_and(|run| !run.member_sets.is_empty());
        match self.asked {
            Asked::Training(training) | Asked::Opposed(training) | Asked::Restricted(training) => names(training),
            Asked::Overdue(_) | Asked::Objected(_) => cohort.trainings.iter().any(|training| names(*training)),
            Asked::Served => false,
        }
    }

    /// Whether it is known who is in a source, and that none of them lacks it. `missing` counts them by the entry that brought them.
    fn settled(&self, evidence: &Evidence<'_>, source: &Source, missing: impl Fn(u64) -> Option<u64>) -> bool {
        let world = evidence.world;
        let id = world.lineage.record(source.node).members;
        if id == 0 {
            return match self.asked {
                // Who is in it matters to an objection only once somebody's was not acted on in time.
                Asked::Objected(_) => self.objecting() == Some(0),
                Asked::Opposed(_) | Asked::Restricted(_) => true,
                _ => false,
            };
        }
        match self.asked {
            Asked::Served => true,
            Asked::Restricted(training) => {
                missing(id) == Some(0) && lacked(evidence, training, id, Wrong::Restricted) == 0
            }
            Asked::Opposed(training) => missing(id) == Some(0) && lacked(evidence, training, id, Wrong::Objected) == 0,
            Asked::Objected(_) => missing(id) == Some(0) && self.objected_and_went(world, id).next().is_none(),
            Asked::Training(training) => {
                missing(id) == Some(0) && lacked(evidence, training, id, Wrong::Unasked(self.form)) == 0
            }
            Asked::Overdue(_) => missing(id) == Some(0) && world.consent.erased_from(id).next().is_none(),
        }
    }

    /// Sources of a cohort of which that is not known. Looked up first, all at once; who was not counted before is counted then.
    fn open<'e>(&self, evidence: &'e Evidence<'_>, place: usize) -> Vec<&'e Source> {
        let counted = self.stands.as_ref().map(|stands| stands.counted());
        let known = |id| counted.as_ref()?.missing(id);
        let unknown = evidence.sources_of(place).filter(|source| !self.settled(evidence, source, known));
        let mut open: Vec<&Source> = unknown.collect();
        drop(counted);
        let count = |id| Some(self.stands.as_ref()?.missing(id, &*evidence.world.people.by_id(id)?));
        open.retain(|source| !self.settled(evidence, source, count));
        open
    }
}

/// Go through the sources that rest on consent, and keep those of which somebody lacks it, or nobody knows. That nobody does is
/// looked up, and no words are made for it.
pub(super) fn gather(evidence: &mut Evidence<'_>) {
    let (mut found, mut rests) = (Vec::new(), false);
    let remedied = Remedied::new(evidence);
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        let questions = questions(evidence, cohort);
        rests |= !questions.is_empty();
        for asking in &questions {
            let open = match asking.names_sets(evidence, cohort) {
                true => evidence.sources_of(place).collect(),
                false => asking.open(evidence, place),
            };
            found.extend(open.into_iter().map(|source| covered(&remedied, source, asking)));
        }
    }
    drop(remedied);
    found.retain(|consent: &Consent| match consent.asked {
        Asked::Objected(_) | Asked::Opposed(_) | Asked::Restricted(_) => consent.missing != Some(0),
        _ => consent.members.is_none() || consent.missing != Some(0),
    });
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
    let (mut found, remedied) = (Vec::new(), Remedied::new(evidence));
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        let questions = questions(evidence, cohort);
        for source in evidence.sources_of(place).filter(|_| !questions.is_empty()) {
            found.extend(questions.iter().map(|asking| covered(&remedied, source, asking)));
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
            ask(Asked::Overdue(days(evidence)));
        }
        if cohort.modes & SERVED != 0 {
            ask(Asked::Served);
        }
    }
    for (&training, answer) in cohort.trainings.iter().zip(&cohort.training) {
        let held = &evidence.trainings[training];
        let (Some(question), Some(run)) = (&held.question, held.run()) else { continue };
        let Some(form) = on_consent(question, answer, cohort) else { continue };
        let (world, asked) = (evidence.world, Asked::Training(training));
        questions.push(Asking::new(world, asked, &run.purpose, None, form, run.started_at));
        // What was learned on consent is in what runs, on whatever basis that runs.
        let purpose = run.purpose.base().to_owned();
        let overdue = |one: &Asking| matches!(one.asked, Asked::Overdue(_)) && *one.purpose == *purpose;
        if cohort.modes & CONTAINED != 0 && !questions.iter().any(overdue) {
            let asked = Asked::Overdue(days(evidence));
            questions.push(Asking::new(world, asked, &run.purpose, None, form, evidence.ask.valid_at));
        }
    }
    if !evidence.world.consent.lanes.is_empty() {
        if cohort.modes & CONTAINED != 0 {
            questions.extend(objections(evidence, cohort));
        }
        let lanes = &evidence.world.consent.lanes;
        if lanes.speak_of(Family::Objection) {
            questions.extend(opposed(evidence, cohort));
        }
        if lanes.speak_of(Family::Restriction) {
            questions.extend(restricted(evidence, cohort));
        }
    }
    questions
}

/// Whether anybody spoke of it by a moment: where nobody did, nobody is against it.
fn spoken(world: &World, will: &Will, at: Timestamp) -> bool {
    will.wanted(world, at).chains.iter().flatten().any(|lane| lane.version > 0)
}

/// Who objected before a training began, where it rested on what people may object to: they are in no training from then on, as
/// whoever gave no consent is in none. What was learned before they objected is to be acted on in time.
fn opposed(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Vec<Asking> {
    let world = evidence.world;
    let each = cohort.trainings.iter().zip(&cohort.training).filter_map(|(&training, answer)| {
        let held = &evidence.trainings[training];
        let (question, run) = (held.question.as_ref()?, held.run()?);
        if !may_object(world, question, answer, &run.purpose) {
            return None;
        }
        let will = Will::no_objection(world, &run.purpose);
        let asked = Asked::Opposed(training);
        spoken(world, &will, run.started_at).then(|| Asking::of(world, asked, &run.purpose, will, run.started_at))
    });
    each.collect()
}

/// Whose data were restricted before a training began, on whatever basis: from then on they may only be stored (GDPR Art. 18(1), (2)).
fn restricted(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Vec<Asking> {
    let world = evidence.world;
    if cohort.derived {
        return Vec::new();
    }
    let each = cohort.trainings.iter().filter_map(|&training| {
        let run = evidence.trainings[training].run().filter(|_| !evidence.trainings[training].regularised)?;
        let (will, asked) = (Will::unrestricted(&run.purpose), Asked::Restricted(training));
        spoken(world, &will, run.started_at).then(|| Asking::of(world, asked, &run.purpose, will, run.started_at))
    });
    each.collect()
}

/// Days within which withdrawals and objections are acted on.
pub(super) fn days(evidence: &Evidence<'_>) -> u16 {
    consented::days(evidence.purpose.as_ref().and_then(|p| p.spec.withdrawal.as_ref()))
}

/// What was said against the purposes for which data are in what runs, where that rests on what people may object to: by the
/// deployment, or by a training that read them. Being contacted is another will than being learned from: no channel is asked for.
fn objections(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Vec<Asking> {
    let (world, at) = (evidence.world, evidence.ask.valid_at);
    let own = || {
        Some((evidence.question.as_ref()?, cohort.deployment.as_ref()?, &evidence.deployment.as_ref()?.spec.purpose))
    };
    let trained = cohort.trainings.iter().zip(&cohort.training).filter_map(|(&training, answer)| {
        let held = &evidence.trainings[training];
        Some((held.question.as_ref()?, answer, &held.run()?.purpose))
    });
    let mut purposes: Vec<&Ref> = Vec::new();
    for (question, answer, purpose) in own().into_iter().chain(trained) {
        let known = || purposes.iter().any(|known| known.base() == purpose.base());
        if may_object(world, question, answer, purpose) && !known() {
            purposes.push(purpose);
        }
    }
    let asking = |purpose: &Ref| {
        let will = Will::no_objection(world, purpose);
        spoken(world, &will, at).then(|| Asking::of(world, Asked::Objected(days(evidence)), purpose, will, at))
    };
    purposes.into_iter().filter_map(asking).collect()
}

/// Whether people may object to what governs: public interest, legitimate interests, research (GDPR Art. 21(1), (6)), and direct
/// marketing on whatever basis (Art. 21(2)).
fn may_object(world: &World, question: &Question, answer: &Answer, purpose: &Ref) -> bool {
    let Answer::Governed(places) = answer else { return false };
    let may = |place: &usize| suppression::may_object(&question.candidates[*place].revision.spec);
    places.iter().any(may) || is_marketing(world, purpose.base())
}

/// In what form consent that governs must be given; none where another basis does.
fn on_consent(question: &Question, answer: &Answer, cohort: &Cohort<'_>) -> Option<Form> {
    let Answer::Governed(places) = answer else { return None };
    let governing = || places.iter().map(|place| &question.candidates[*place].revision.spec);
    let explicit = governing().any(|basis| basis.exception == Some(Exception::Art9_2A));
    let consent = explicit || governing().any(|basis| basis.legal_basis == LegalBasis::Art6_1A);
    consent.then(|| Form { explicit, parental: children::parents_give(&cohort.class, governing(), question.at) })
}

/// Of how many people erased since a training should not have read the data when it began: it is none the more lawful for their
/// erasure.
fn lacked(evidence: &Evidence<'_>, training: usize, members: u64, wrong: Wrong) -> u64 {
    let run = evidence.trainings[training].held.as_ref();
    run.map_or(0, |run| evidence.world.consent.lacked(members, &run.reference, wrong))
}

fn covered(remedied: &Remedied<'_, '_>, source: &Source, asking: &Asking) -> Consent {
    let evidence = remedied.evidence();
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
        Asked::Training(training) | Asked::Opposed(training) | Asked::Restricted(training) => set(training),
        // Who was left out of every training is in nothing that runs: what is contained is what was trained on.
        Asked::Overdue(_) | Asked::Objected(_) => {
            let first = trainings.first().and_then(|training| set(*training));
            first.filter(|first| trainings.iter().all(|training| set(*training).as_ref() == Some(first)))
        }
        Asked::Served => None,
    };
    let members = world.people.members(key.as_deref().unwrap_or(&name));
    let days = days(evidence);
    let acted = match asking.asked {
        Asked::Overdue(_) | Asked::Objected(_) => remedied.acted(source.node, &asking.purpose),
        Asked::Training(_) | Asked::Opposed(_) | Asked::Restricted(_) | Asked::Served => Acted::default(),
    };
    let overdue = |members, days| {
        let (stands, stood) = (asking.stands.as_ref()?, asking.stood.as_ref()?);
        consented::overdue(world, &asking.will, (asking.at, days), (stands, stood), members, &acted)
    };
    // Erased people are in no count; what was trained on them before is to be made anew like after a withdrawal.
    let trained_before = |gone: &Gone| {
        let began_before = |&t: &usize| evidence.trainings[t].run().is_none_or(|run| run.started_at < gone.at.time);
        trainings.is_empty() || trainings.iter().any(began_before)
    };
    let late = |gone: &&Gone| gone.at.time.plus(Duration::days(i64::from(days))) <= now;
    let open = |gone: &&Gone| late(gone) && trained_before(gone) && !acted.reaches_erased(&gone.at);
    let erased = match (asking.asked, members) {
        (Asked::Training(training), Some(members)) => {
            lacked(evidence, training, members.id, Wrong::Unasked(asking.form))
        }
        (Asked::Opposed(training), Some(members)) => lacked(evidence, training, members.id, Wrong::Objected),
        (Asked::Restricted(training), Some(members)) => lacked(evidence, training, members.id, Wrong::Restricted),
        (Asked::Overdue(_), Some(members)) => world.consent.erased_from(members.id).filter(open).count() as u64,
        (Asked::Objected(_), Some(members)) => asking.objected_and_went(world, members.id).filter(open).count() as u64,
        _ => 0,
    };
    let missing = members.and_then(|members| match asking.asked {
        Asked::Training(_) | Asked::Opposed(_) | Asked::Restricted(_) => {
            asking.stands.as_ref().map(|stands| stands.missing(members.id, &members.who) + erased)
        }
        Asked::Overdue(days) | Asked::Objected(days) => Some(overdue(members, days)? + erased),
        Asked::Served => Some(0),
    });
    // Where nobody said who is in it, anybody who objects may be.
    let missing = match asking.asked {
        Asked::Objected(_) if members.is_none() => asking.objecting(),
        Asked::Opposed(_) | Asked::Restricted(_) if members.is_none() => Some(0),
        _ => missing,
    };
    let due = match (asking.asked, members, missing) {
        (
            Asked::Training(_) | Asked::Opposed(_) | Asked::Restricted(_) | Asked::Overdue(_) | Asked::Objected(_),
            Some(members),
            Some(1..),
        ) if evidence.ask.intent == Intent::Continue => {
            consented::due(world, &asking.will, asking.at, (now, days), (members, &acted))
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
        acted,
    }
}
