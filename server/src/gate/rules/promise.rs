//! What people were promised about the data behind a release.

mod copies;
mod elsewhere;

use std::cell::OnceCell;
use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::notices::{Commitment, Promise};
use licit_schemas::registry::Life;
use licit_schemas::text::Key;
use licit_schemas::time::Timestamp;

use super::asked::Grouped;
use super::controller::third_parties;
use super::filed::{decides, system};
use super::{DPO, GDPR_UPPER, finding};
use crate::gate::coverage::base;
use crate::gate::evidence::{Cohort, Evidence, Source, Training};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, SHAPED, VALIDATION, Want};
use crate::notices::Notice;
use crate::registry::{RunFacts, What};

const RULE: &str = "promise";
const ARTICLE: &str = "GDPR Art. 5(1)(a), 13";

/// How a promise is broken.
struct Broken {
    /// What breaks it: with the promise, the cause that findings share.
    by: String,
    /// As the end of a sentence.
    says: String,
    status: Status,
    since: Option<Timestamp>,
    /// Where on the way to the source it is.
    want: Want,
    /// What would keep it.
    remedy: &'static str,
    command: Option<String>,
}

impl Broken {
    fn new(by: impl Into<String>, says: String, want: Want, remedy: &'static str, command: &str) -> Self {
        let command = Some(command.to_owned());
        Self { by: by.into(), says, status: Status::Unmet, since: None, want, remedy, command }
    }
}

/// `promise`: the release keeps what the notices promised under which its data were collected; the finding quotes the sentence
/// people read (GDPR Art. 5(1)(a), 13). Under which notice that was may be unknown, and then so is what was promised.
pub(super) fn promise(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    let purposes = Purposes::new(evidence);
    let counts = |cohort: &Cohort<'_>| !cohort.derived && cohort.modes & !VALIDATION != 0;
    for (place, cohort) in evidence.cohorts.iter().enumerate().filter(|(_, cohort)| counts(cohort)) {
        let bound = evidence.told.bound.get(place).map_or(&[][..], Vec::as_slice);
        if bound.is_empty() && cohort.class.told {
            evidence.sources_of(place).for_each(|source| unknown(evidence, source, &mut list));
        }
        for notice in bound {
            for promise in &notice.revision.spec.promises {
                hold(evidence, &purposes, (place, cohort), (notice, promise), &mut list);
            }
        }
    }
    copies::deleted(evidence, &mut list);
    elsewhere::promised(evidence, &mut list);
    list.findings()
}

type List = Grouped<(String, String, String)>;

/// Nobody knows under which notice it was collected.
fn unknown(evidence: &Evidence<'_>, source: &Source, list: &mut List) {
    let name = evidence.name(source.node);
    list.add(Default::default(), &name, || {
        finding(RULE, Status::Unknown, ARTICLE, &name)
            .fine(GDPR_UPPER)
            .path(evidence.any_path(source.node))
            .since(Some(evidence.world.lineage.record(source.node).at))
            .says(format!("nobody said under which notice `{name}` was collected: what people were promised is unknown"))
            .to(DPO)
            .remedy(
                "state the notice that people were shown, valid from then on, for the purposes they were asked for; or register a version that states `notices`",
                Some("licit notice create -f notice.yaml".to_owned()),
            )
    });
}

/// A promise that is broken for the people of a source.
fn add(
    evidence: &Evidence<'_>,
    (notice, promise): (&Notice, &Promise),
    source: &Source,
    broken: Broken,
    list: &mut List,
) {
    let (name, reference) = (evidence.name(source.node), notice.reference());
    let Broken { by, says, status, since, want, remedy, command } = broken;
    list.add((reference.to_owned(), promise.commitment.to_string(), by), &name, || {
        finding(RULE, status, ARTICLE, &name)
            .because(reference)
            .fine(GDPR_UPPER)
            .path(evidence.path(source.node, want))
            .since(since)
            .says(format!(
                "the people in `{name}` read in `{reference}`: “{}”, « {} »; {says}",
                promise.words.en, promise.words.fr
            ))
            .to(evidence.deployment_owner())
            .remedy(remedy, command)
    });
}

/// Hold a release against one promise made to the people of a cohort.
fn hold(
    evidence: &Evidence<'_>,
    purposes: &Purposes,
    (place, cohort): (usize, &Cohort<'_>),
    (notice, promise): (&Notice, &Promise),
    list: &mut List,
) {
    let mut add = |source: &Source, broken: Broken| add(evidence, (notice, promise), source, broken, list);
    if let Commitment::DeletedAfter(period) = &promise.commitment {
        if all_end_in_time(evidence, cohort, |from| period.after(from)) {
            return;
        }
        // Tables registered together end together: what was computed for one is kept for the next.
        let mut known: Option<(Timestamp, Timestamp)> = None;
        for source in evidence.sources_of(place) {
            let at = evidence.world.lineage.record(source.node).at;
            let end = known.filter(|(from, _)| *from == at).map_or_else(|| period.after(at), |(_, end)| end);
            known = Some((at, end));
            if let Some(broken) = kept(evidence, source, cohort, end) {
                add(source, broken);
            }
        }
        return;
    }
    let broken = match &promise.commitment {
        Commitment::NeverSold | Commitment::NoThirdParty => disclosed(evidence, cohort),
        Commitment::NotFor(purpose) => used_for(evidence, purposes, cohort, purpose),
        Commitment::HumanReview => alone(evidence, cohort).into_iter().collect(),
        Commitment::NoTrainingBeyond(named) => trained(evidence, purposes, cohort, named),
        Commitment::DeletedAfter(_) => Vec::new(),
    };
    for broken in broken {
        for source in evidence.sources_of(place) {
            let Broken { by, says, remedy, command, .. } = &broken;
            let (by, says, command) = (by.clone(), says.clone(), command.clone());
            add(source, Broken { by, says, command, remedy, ..broken });
        }
    }
}

/// Whether all sources of a cohort are to go before the promise to the oldest of them is over, and that is still to come: the usual
/// case, seen without looking at each.
fn all_end_in_time(evidence: &Evidence<'_>, cohort: &Cohort<'_>, end_of: impl Fn(Timestamp) -> Timestamp) -> bool {
    let lineage = &evidence.world.lineage;
    let over = end_of(lineage.record(cohort.oldest).at);
    let in_time = |end: &u32| lineage.end(*end).is_none_or(|until| until <= over);
    over > evidence.ask.valid_at && cohort.ends.iter().all(in_time)
}

/// By which way the data reach, the most direct first.
fn way(cohort: &Cohort<'_>) -> Want {
    let mode = [CONTAINED, SERVED, SHAPED].into_iter().find(|mode| cohort.modes & mode != 0);
    Want::Mode(mode.unwrap_or(SHAPED))
}

/// Handed to third parties. The registry knows no price: what leaves is not said not to be sold.
fn disclosed(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Vec<Broken> {
    if cohort.modes & (CONTAINED | SERVED) == 0 {
        return Vec::new();
    }
    let each = third_parties(evidence).into_iter().map(|(recipient, _)| {
        Broken::new(
            recipient.to_string(),
            format!("`{}` hands them to `{recipient}`, a third party", evidence.ask.deployment),
            way(cohort),
            "hand over what was collected under another notice, or nothing: a new notice does not change what was promised",
            "licit deployment create -f deployment.yaml",
        )
    });
    each.collect()
}

/// The purposes of the deployment and of its trainings with their broader ones: looked up when a promise first asks, once for all
/// sources.
struct Purposes {
    own: OnceCell<Vec<Arc<str>>>,
    trainings: Vec<OnceCell<Vec<Arc<str>>>>,
}

impl Purposes {
    fn new(evidence: &Evidence<'_>) -> Self {
        Self { own: OnceCell::new(), trainings: evidence.trainings.iter().map(|_| OnceCell::new()).collect() }
    }

    /// Whether the deployment is for one of these purposes, or for a narrower one.
    fn own(&self, evidence: &Evidence<'_>, named: &[Key]) -> bool {
        let Some(purpose) = &evidence.purpose else { return false };
        within(self.own.get_or_init(|| evidence.world.lawfulness.broader(base(&purpose.reference))), named)
    }

    /// Whether a training was for one of these purposes, or for a narrower one.
    fn training(&self, evidence: &Evidence<'_>, place: usize, run: &RunFacts, named: &[Key]) -> bool {
        let broader = || evidence.world.lawfulness.broader(run.purpose.base());
        self.trainings.get(place).is_some_and(|known| within(known.get_or_init(broader), named))
    }
}

/// Whether one of these purposes is among a purpose and its broader ones.
fn within(chain: &[Arc<str>], named: &[Key]) -> bool {
    let is = |broad: &str| named.iter().any(|key| broad.strip_prefix("purpose:") == Some(key.as_str()));
    chain.iter().any(|broad| is(broad))
}

/// Training runs that read the data of a cohort, with their places; what the board took over as lawful is not asked again.
fn trainings<'e>(evidence: &'e Evidence<'_>, cohort: &'e Cohort<'_>) -> impl Iterator<Item = (usize, &'e Training)> {
    let all = cohort.trainings.iter().map(|place| (*place, &evidence.trainings[*place]));
    all.filter(|(_, training)| !training.regularised)
}

/// Used, or trained on, for a purpose that was excluded.
fn used_for(evidence: &Evidence<'_>, purposes: &Purposes, cohort: &Cohort<'_>, purpose: &Key) -> Vec<Broken> {
    let named = std::slice::from_ref(purpose);
    let mut list = Vec::new();
    if let Some(own) = evidence.purpose.as_ref().filter(|_| purposes.own(evidence, named)) {
        list.push(Broken::new(
            own.reference.to_string(),
            format!("`{}` is for `{}`", evidence.ask.deployment, own.reference),
            way(cohort),
            "use data collected under another notice: a new notice does not change what was promised",
            "licit register",
        ));
    }
    for (place, training) in trainings(evidence, cohort) {
        let Some(run) = training.run().filter(|run| purposes.training(evidence, place, run, named)) else { continue };
        let name = evidence.name(training.node);
        list.push(Broken::new(
            name.clone(),
            format!("`{name}` trained on them for `{}`", run.purpose),
            Want::Run(training.node),
            "train again without these data",
            "licit register",
        ));
    }
    list
}

/// A machine decides alone: the system decides, and no document in force shows who looks again.
fn alone(evidence: &Evidence<'_>, cohort: &Cohort<'_>) -> Option<Broken> {
    let (system, now) = (system(evidence).filter(|system| decides(&system.spec))?, evidence.ask.valid_at);
    let reviews = |d: &&licit_schemas::registry::Document| d.kind.as_str() == "human-review" && d.dated <= now;
    let documents = || system.spec.documents.iter().filter(reviews);
    if documents().any(|d| d.valid_to.is_none_or(|end| now < end)) {
        return None;
    }
    let ended = documents().filter_map(|d| d.valid_to).max();
    let status = if ended.is_some() { Status::Expired } else { Status::Unmet };
    let broken = Broken::new(
        system.reference.to_string(),
        format!("`{}` decides, and no `human-review` in force shows who looks again", system.reference),
        way(cohort),
        "file `human-review` in a revision of the system, and name that revision in the deployment",
        "licit system create -f system.yaml",
    );
    Some(Broken { status, since: ended, ..broken })
}

/// Kept or to be kept longer than was promised, counted from when the registry knew of it.
fn kept(evidence: &Evidence<'_>, source: &Source, cohort: &Cohort<'_>, end: Timestamp) -> Option<Broken> {
    let now = evidence.ask.valid_at;
    let lineage = &evidence.world.lineage;
    let longer = lineage.end(source.end).filter(|until| *until > end);
    if end > now && longer.is_none() {
        return None;
    }
    let life = match lineage.record(source.node).held.as_deref().map(|held| &held.what) {
        Some(What::Dataset(facts)) => facts.life_at(now).map(|(life, _)| life),
        _ => None,
    };
    if life == Some(Life::Erased) {
        return None;
    }
    let want = way(cohort);
    if end <= now {
        let erase = format!("licit dataset life {} erased", evidence.name(source.node));
        let says = format!("that was over on {end}, and nobody recorded that they were erased");
        let broken = Broken::new("held", says, want, "erase them, and record that", &erase);
        return Some(Broken { status: Status::Expired, since: Some(end), ..broken });
    }
    let until = longer?;
    Some(Broken::new(
        "retention",
        format!("they are to be kept until {until}, and that is over on {end}"),
        want,
        "register a version whose `retention` ends by then",
        "licit register",
    ))
}

/// Trained on for another purpose than was promised, or for one nobody knows.
fn trained(evidence: &Evidence<'_>, purposes: &Purposes, cohort: &Cohort<'_>, named: &[Key]) -> Vec<Broken> {
    let each = trainings(evidence, cohort).filter_map(|(place, training)| {
        let run = training.run();
        if run.is_some_and(|run| purposes.training(evidence, place, run, named)) {
            return None;
        }
        let (name, want) = (evidence.name(training.node), Want::Run(training.node));
        let Some(run) = run else {
            let says = format!("for what `{name}` trained on them is unknown: it is not registered");
            let broken = Broken::new(name, says, want, "register the run", "licit register");
            return Some(Broken { status: Status::Unknown, ..broken });
        };
        let says = format!("`{name}` trained on them for `{}`", run.purpose);
        Some(Broken::new(name, says, want, "train again without these data", "licit register"))
    });
    each.collect()
}
