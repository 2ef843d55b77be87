//! Which basis governs: exactly one per (source, subject category, purpose, stage, controller), at a moment.

use std::sync::Arc;

use licit_schemas::lawfulness::{BasisSpec, LegalBasis, Stage};
use licit_schemas::registry::ArrangementKind;
use licit_schemas::time::Timestamp;

use crate::catalogue::Revision;
use crate::facts::World;
use crate::lineage::Class;
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::review::{Approval, Standing};

/// A basis that covers a purpose, as it stood at the moment asked.
#[derive(Debug)]
pub struct Candidate {
    /// The revision that is in force, or fell last, or is proposed only.
    pub revision: Arc<Revision<BasisSpec>>,
    /// Its approval, if it ever had one.
    pub approval: Option<Arc<Approval>>,
    /// Where it stands.
    pub stands: Stands,
    categories: Vec<TermId>,
    subjects: Vec<TermId>,
    datasets: Vec<Arc<str>>,
    stage: bool,
    controller: bool,
}

/// Where a basis stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// In force.
    InForce,
    /// It held before and ended then.
    Fell(Timestamp),
    /// Approved, but its validity begins later.
    Later(Timestamp),
    /// Never approved.
    Proposed,
}

/// One question put to many classes: a purpose, a stage, a controller, a moment.
#[derive(Debug)]
pub struct Question {
    /// Bases that name the purpose (or a broader one whose approval includes narrower ones), by key.
    pub candidates: Vec<Candidate>,
    /// The moment.
    pub at: Timestamp,
}

/// Why no basis governs, or which one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Candidates by place that govern, one per subject category.
    Governed(Vec<usize>),
    /// Nobody said whom the data are about.
    NoSubjects,
    /// Several claim to govern.
    Ambiguous(Vec<usize>),
    /// The first fell; the second would take its place without saying so, or may not.
    Replaced(usize, usize),
    /// The one that governed fell.
    Fell(usize),
    /// One would govern but for the controller.
    OtherController(usize),
    /// One would govern once the board approves it.
    Proposed(usize),
    /// Covered by none; the nearest, and what it lacks.
    None(Option<(usize, String)>),
}

impl Question {
    /// Gather the bases for a purpose at a moment.
    pub fn new(world: &World, purpose: &str, stage: Stage, controller: &str, at: Timestamp) -> Self {
        let mut keys: Vec<Arc<str>> = Vec::new();
        for (step, broader) in world.lawfulness.broader(purpose).iter().enumerate() {
            // The chain is broken where a broader purpose does not include narrower ones.
            if step > 0 && !includes_narrower(world, broader, at) {
                break;
            }
            for key in world.lawfulness.bases_for(broader) {
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
        }
        keys.sort();
        let partners = joint(world, controller, at);
        let chain = world.lawfulness.broader(purpose);
        let candidates = keys.iter().filter_map(|key| candidate(world, key, &chain, stage, &partners, at)).collect();
        Self { candidates, at }
    }

    /// Which basis governs data of this class.
    pub fn ask(&self, class: &Class) -> Answer {
        if class.subjects.is_empty() {
            return Answer::NoSubjects;
        }
        let mut governing = Vec::new();
        for subject in &class.subjects {
            match self.ask_subject(class, *subject) {
                Answer::Governed(one) => governing.extend(one),
                other => return other,
            }
        }
        governing.sort_unstable();
        governing.dedup();
        Answer::Governed(governing)
    }

    fn ask_subject(&self, class: &Class, subject: TermId) -> Answer {
        let fits = |c: &Candidate| c.lacks(class, subject).is_none();
        let mut in_force: Vec<usize> = Vec::new();
        let mut fallen: Vec<usize> = Vec::new();
        for (place, candidate) in self.candidates.iter().enumerate() {
            match candidate.stands {
                Stands::InForce if candidate.controller && fits(candidate) => in_force.push(place),
                Stands::Fell(_) if candidate.controller && fits(candidate) => fallen.push(place),
                _ => {}
            }
        }
        match in_force[..] {
            [governing] => match fallen.into_iter().find(|&fell| !self.may_follow(fell, governing)) {
                Some(fell) => Answer::Replaced(fell, governing),
                None => Answer::Governed(vec![governing]),
            },
            [] => self.nothing_in_force(class, subject, &fallen),
            _ => Answer::Ambiguous(in_force),
        }
    }

    fn nothing_in_force(&self, class: &Class, subject: TermId, fallen: &[usize]) -> Answer {
        let ended = |place: &usize| match self.candidates[*place].stands {
            Stands::Fell(at) => Some(at),
            _ => None,
        };
        if let Some(&last) = fallen.iter().max_by_key(|p| ended(p)) {
            return Answer::Fell(last);
        }
        let places = || self.candidates.iter().enumerate();
        let fits = |c: &Candidate| c.lacks(class, subject).is_none();
        if let Some((place, _)) = places().find(|(_, c)| c.stands == Stands::InForce && !c.controller && fits(c)) {
            return Answer::OtherController(place);
        }
        if let Some((place, _)) = places().find(|(_, c)| c.stands == Stands::Proposed && c.controller && fits(c)) {
            return Answer::Proposed(place);
        }
        // The nearest is one that at least names the dataset.
        let nearest = places()
            .filter(|(_, c)| c.stands == Stands::InForce)
            .filter_map(|(place, c)| c.lacks(class, subject).map(|why| (place, c.datasets.contains(&class.dataset), why)))
            .max_by_key(|(place, named, _)| (*named, std::cmp::Reverse(*place)));
        Answer::None(nearest.map(|(place, _, why)| (place, why)))
    }

    /// Consent once relied on governs; any other basis may be followed by one that says so (EDPB 05/2020 §121-123).
    fn may_follow(&self, fell: usize, next: usize) -> bool {
        let (fell, next) = (&self.candidates[fell].revision, &self.candidates[next].revision);
        if fell.spec.key == next.spec.key {
            return true;
        }
        fell.spec.legal_basis != LegalBasis::Art6_1A && next.spec.replaces.iter().any(|r| r.name() == fell.spec.key.as_str())
    }
}

impl Candidate {
    /// What this basis lacks to cover the class; the controller is judged apart.
    fn lacks(&self, class: &Class, subject: TermId) -> Option<String> {
        let v = vocabulary();
        let covered = |term: &TermId, by: &[TermId]| by.iter().any(|broad| v.is_a(*term, *broad));
        if !self.stage {
            return Some("this stage".to_owned());
        }
        if !self.datasets.contains(&class.dataset) {
            return Some(format!("`{}`", class.dataset));
        }
        if let Some(term) = class.categories.iter().find(|t| !covered(t, &self.categories)) {
            return Some(format!("the data category `{}`", v.term(*term).label));
        }
        if !covered(&subject, &self.subjects) {
            return Some(format!("the subject category `{}`", v.term(subject).label));
        }
        None
    }
}

fn candidate(
    world: &World,
    key: &str,
    chain: &[Arc<str>],
    stage: Stage,
    partners: &[Arc<str>],
    at: Timestamp,
) -> Option<Candidate> {
    let all = world.lawfulness.bases.all(key);
    let names_purpose = |r: &Arc<Revision<BasisSpec>>| {
        r.spec.covers.purposes.iter().any(|p| chain.iter().any(|c| **c == *p.unpinned().to_string()))
    };
    let judged: Vec<_> = all.iter().filter(|r| names_purpose(r)).map(|r| (r, stands(world, r, at))).collect();
    let in_force = judged.iter().rev().find(|(_, (s, _))| *s == Stands::InForce);
    let fell = judged.iter().filter(|(_, (s, _))| matches!(s, Stands::Fell(_))).max_by_key(|(_, (s, _))| match s {
        Stands::Fell(when) => Some(*when),
        _ => None,
    });
    // A later approved revision that no longer names the purpose narrows the basis: the earlier one does not live on.
    let superseded = |rev: u32| {
        all.iter().any(|r| r.rev > rev && matches!(stands(world, r, at).0, Stands::InForce) && !names_purpose(r))
    };
    let (revision, (stands, approval)) = in_force.or(fell).or(judged.last())?;
    if *stands == Stands::InForce && superseded(revision.rev) {
        return None;
    }
    let spec = &revision.spec;
    let terms = |list: &[licit_schemas::text::Iri]| list.iter().filter_map(|i| vocabulary().find(i.as_str())).collect();
    Some(Candidate {
        categories: terms(&spec.covers.categories),
        subjects: terms(&spec.covers.subjects),
        datasets: spec.covers.datasets.iter().map(|d| d.to_string().into()).collect(),
        stage: spec.covers.stages.contains(&stage),
        controller: spec.covers.controllers.iter().any(|c| partners.iter().any(|p| **p == *c.to_string())),
        revision: Arc::clone(revision),
        approval: approval.clone(),
        stands: *stands,
    })
}

/// Where one revision stands at a moment, with present knowledge: approved at all, and valid then.
pub fn stands(world: &World, revision: &Revision<BasisSpec>, at: Timestamp) -> (Stands, Option<Arc<Approval>>) {
    let (approval, ended) = match world.review.standing(&revision.reference, at) {
        Standing::Never => return (Stands::Proposed, None),
        Standing::Holds(approval) => (approval.clone(), None),
        Standing::Ended(approval) => (approval.clone(), Some(approval.end())),
    };
    let spec = &revision.spec;
    let end = [ended, spec.valid_to.filter(|end| *end <= at)].into_iter().flatten().min();
    let stands = match end {
        Some(end) if spec.valid_from < end => Stands::Fell(end),
        Some(end) => Stands::Fell(end),
        None if at < spec.valid_from => Stands::Later(spec.valid_from),
        None => Stands::InForce,
    };
    (stands, Some(approval))
}

fn includes_narrower(world: &World, purpose: &str, at: Timestamp) -> bool {
    world.lawfulness.purposes.all(purpose).iter().any(|r| match world.review.standing(&r.reference, at) {
        Standing::Holds(approval) => approval.spec.subject.include_narrower,
        _ => false,
    })
}

/// The controller and those it controls jointly with at a moment (GDPR Art. 26).
fn joint(world: &World, controller: &str, at: Timestamp) -> Vec<Arc<str>> {
    let mut list: Vec<Arc<str>> = vec![controller.into()];
    let in_force = |a: &&licit_schemas::registry::Arrangement| {
        a.kind == ArrangementKind::JointControllers && a.valid_from <= at && a.valid_to.is_none_or(|end| at < end)
    };
    if let Some(party) = world.registry.parties.latest(controller) {
        list.extend(party.spec.arrangements.iter().filter(in_force).map(|a| Arc::from(a.with.to_string())));
    }
    list
}
