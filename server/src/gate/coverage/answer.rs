//! The answer to one question about one class of data.

use licit_schemas::lawfulness::LegalBasis;
use licit_schemas::time::Timestamp;
use serde::Serialize;

use super::{Candidate, Stands};
use crate::lineage::Class;
use crate::registry::vocabulary::{TermId, vocabulary};

/// One question put to many classes: a purpose, a stage, a controller, a moment.
#[derive(Debug)]
pub struct Question {
    /// Bases that name the purpose (or a broader one whose approval includes narrower ones), in order of their keys.
    pub candidates: Vec<Candidate>,
    /// The moment.
    pub at: Timestamp,
}

/// Why no basis governs, or which one does. Numbers are places among the candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// These govern, one per subject category.
    Governed(Vec<usize>),
    /// Nothing was asked: derived data stand under their sources, a regularised or unregistered run under its own finding.
    NotAsked,
    /// Nobody said whom the data are about.
    NoSubjects,
    /// They identify people, and nobody said what kind of data they are.
    NoCategories,
    /// Several claim to govern.
    Ambiguous(Vec<usize>),
    /// The first governed and does no more; the second would take its place without saying so, or may not.
    Replaced(usize, usize),
    /// The one that governed fell.
    Fell(usize),
    /// One would govern but for the controller.
    OtherController(usize),
    /// One would govern once the board approves it.
    Proposed(usize),
    /// One governs, but only from a later moment on.
    Later(usize),
    /// Covered by none; the nearest, and what it lacks.
    None(Option<(usize, Lack)>),
}

/// What a basis lacks to cover data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The stage asked about.
    Stage,
    /// The dataset.
    Dataset,
    /// A data category.
    Category(TermId),
    /// A subject category.
    Subject(TermId),
}

impl Lack {
    /// In words, for a dataset, `dataset:<namespace>/<name>`.
    pub fn says(self, dataset: &str) -> String {
        match self {
            Self::Stage => "this stage".to_owned(),
            Self::Dataset => format!("`{dataset}`"),
            Self::Category(term) => format!("the data category \"{}\"", vocabulary().term(term).label),
            Self::Subject(term) => format!("the subject category \"{}\"", vocabulary().term(term).label),
        }
    }
}

impl Serialize for Lack {
    /// The word for what is missing, with its IRI where it has one.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let iri = |term: TermId| vocabulary().term(term).iri.as_str();
        match *self {
            Self::Stage => "stage".serialize(serializer),
            Self::Dataset => "dataset".serialize(serializer),
            Self::Category(term) => ("category", iri(term)).serialize(serializer),
            Self::Subject(term) => ("subject", iri(term)).serialize(serializer),
        }
    }
}

impl Question {
    /// Which basis governs data of this class in a dataset, by its number.
    pub fn ask(&self, class: &Class, dataset: u32) -> Answer {
        if class.subjects.is_empty() {
            return Answer::NoSubjects;
        }
        if class.categories.is_empty() {
            return Answer::NoCategories;
        }
        let mut governing = Vec::new();
        for subject in &class.subjects {
            match self.ask_subject(class, dataset, *subject) {
                Answer::Governed(one) => governing.extend(one),
                other => return other,
            }
        }
        governing.sort_unstable();
        governing.dedup();
        Answer::Governed(governing)
    }

    fn ask_subject(&self, class: &Class, dataset: u32, subject: TermId) -> Answer {
        let (mut in_force, mut fallen, mut superseded) = (Vec::new(), Vec::new(), Vec::new());
        for (place, candidate) in self.candidates.iter().enumerate() {
            let list = match candidate.stands {
                Stands::InForce => &mut in_force,
                Stands::Fell(_) => &mut fallen,
                Stands::Superseded => &mut superseded,
                Stands::Later(_) | Stands::Proposed => continue,
            };
            if candidate.controller && candidate.lacks(class, dataset, subject).is_none() {
                list.push(place);
            }
        }
        match in_force[..] {
            [governing] => match fallen.into_iter().chain(superseded).find(|&fell| !self.may_follow(fell, governing)) {
                Some(fell) => Answer::Replaced(fell, governing),
                None => Answer::Governed(vec![governing]),
            },
            [] => self.nothing_in_force(class, dataset, subject, &fallen),
            // As long as one holds that all others openly replace, it governs; they follow when it falls.
            _ => match in_force
                .iter()
                .find(|&&first| in_force.iter().all(|&next| next == first || self.replaces(first, next)))
            {
                Some(&first) => Answer::Governed(vec![first]),
                None => Answer::Ambiguous(in_force),
            },
        }
    }

    fn nothing_in_force(&self, class: &Class, dataset: u32, subject: TermId, fallen: &[usize]) -> Answer {
        let ended = |place: &usize| match self.candidates[*place].stands {
            Stands::Fell(at) => Some(at),
            _ => None,
        };
        if let Some(&last) = fallen.iter().max_by_key(|p| ended(p)) {
            return Answer::Fell(last);
        }
        let first = |wanted: fn(&Candidate) -> bool| {
            self.candidates.iter().position(|c| wanted(c) && c.lacks(class, dataset, subject).is_none())
        };
        if let Some(place) = first(|c| c.stands == Stands::InForce && !c.controller) {
            return Answer::OtherController(place);
        }
        if let Some(place) = first(|c| matches!(c.stands, Stands::Later(_)) && c.controller) {
            return Answer::Later(place);
        }
        if let Some(place) = first(|c| c.stands == Stands::Proposed && c.controller) {
            return Answer::Proposed(place);
        }
        // The nearest is one that at least names the dataset.
        let nearest = self
            .candidates
            .iter()
            .enumerate()
            .filter(|(_, c)| c.stands == Stands::InForce)
            .filter_map(|(place, c)| c.lacks(class, dataset, subject).map(|why| (place, c.covers.names(dataset), why)))
            .max_by_key(|(place, named, _)| (*named, std::cmp::Reverse(*place)));
        Answer::None(nearest.map(|(place, _, why)| (place, why)))
    }

    /// Consent once relied on governs: only consent that openly replaces it may follow. Any other basis may be followed by one
    /// that says so, or that replaces one that did (EDPB 05/2020 §121-123).
    fn may_follow(&self, fell: usize, next: usize) -> bool {
        self.same(fell, next) || self.replaces(fell, next)
    }

    fn same(&self, one: usize, other: usize) -> bool {
        let key = |place: usize| &self.candidates[place].revision.spec.key;
        key(one) == key(other)
    }

    /// Whether `next` may take the place of `fell`, and says so.
    fn replaces(&self, fell: usize, next: usize) -> bool {
        let consent = |place: usize| self.candidates[place].revision.spec.legal_basis == LegalBasis::Art6_1A;
        if consent(fell) && !consent(next) {
            return false;
        }
        let key = |place: usize| self.candidates[place].revision.spec.key.as_str();
        let replaces = |place: usize| {
            self.candidates[place].revision.spec.replaces.iter().map(licit_schemas::reference::Ref::name)
        };
        // Keys that `next` stands in the place of: those it replaces, and those they replaced when they were approved.
        let mut keys: Vec<&str> = replaces(next).collect();
        let mut at = 0;
        while let Some(&through) = keys.get(at) {
            let approved = |place: &usize| self.candidates[*place].stands != Stands::Proposed && key(*place) == through;
            for place in (0..self.candidates.len()).filter(approved) {
                keys.extend(replaces(place).filter(|k| !keys.contains(k)).collect::<Vec<_>>());
            }
            at += 1;
        }
        keys.contains(&key(fell))
    }
}
