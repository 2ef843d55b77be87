//! Sorting sources into cohorts: alike in class, in how they reach, and in which bases name them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::{Cohort, Evidence, Source};
use crate::gate::coverage::{Answer, Question};
use crate::lawfulness::Covered;
use crate::lineage::Class;
use crate::lineage::exposure::{CONTAINED, Exposure, MODES, SERVED};
use crate::lineage::graph::{Node, NodeId};
use crate::lineage::walk::Label;
use crate::registry::Some64;

/// Words of datasets remembered at once: those of a registry's neighbouring tables, which reach a release together.
const WORDS: usize = 64;

/// Room that a cohort has from the start for words of datasets, and for ends of retention: growing to it costs more.
const ROOM: usize = 16;

/// So many cohorts are looked at before one is looked up: there are rarely more.
const FEW: usize = 12;

/// What the sources of a cohort have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    class: u32,
    /// Modes and the requirements of the first training runs.
    label: Label,
    derived: bool,
    /// Which bases name the dataset, a bit each; the dataset itself where there are more than 64 of them.
    named: u64,
}

/// Cohorts in the making.
pub(super) struct Sorting {
    /// What each basis that was asked about covers, each once.
    covers: Vec<Arc<Covered>>,
    /// Of the first cohorts; none where there are more training runs than a label tells apart.
    keys: Vec<Key>,
    /// The cohort of the source before: nearly always that of the next.
    last: usize,
    /// Classes of sources of which only some columns flow, numbered after those of the projection.
    narrowed: Vec<Class>,
    /// Places of all other cohorts, with the requirements of the further training runs.
    places: HashMap<(Key, Vec<Label>), usize>,
    /// The words met last, each in its place.
    met: [u32; WORDS],
    /// Which datasets of these words each basis of `covers` names, word after word.
    named: Vec<u64>,
    /// Cohort and place in its tables of the words met last.
    words: [(u32, u32); WORDS],
}

impl Sorting {
    pub(super) fn new(evidence: &Evidence<'_>) -> Self {
        let mut covers: Vec<Arc<Covered>> = Vec::new();
        let questions = evidence.question.iter().chain(evidence.trainings.iter().filter_map(|t| t.question.as_ref()));
        for candidate in questions.flat_map(|q| &q.candidates) {
            if !covers.iter().any(|known| Arc::ptr_eq(known, &candidate.covers)) {
                candidate.covers.touch();
                covers.push(candidate.covers.clone());
            }
        }
        let named = vec![0; WORDS * covers.len()];
        Self {
            covers,
            keys: Vec::new(),
            last: 0,
            narrowed: Vec::new(),
            places: HashMap::new(),
            met: [u32::MAX; WORDS],
            named,
            words: [(u32::MAX, 0); WORDS],
        }
    }

    #[inline(always)]
    fn named(&mut self, dataset: u32) -> u64 {
        if self.covers.len() > 64 {
            return u64::from(dataset);
        }
        let Some64 { word, .. } = Some64::one(dataset);
        let place = word as usize % WORDS;
        let named = &mut self.named[place * self.covers.len()..][..self.covers.len()];
        if self.met[place] != word {
            self.met[place] = word;
            named.iter_mut().zip(&self.covers).for_each(|(named, covers)| *named = covers.among(word).bits);
        }
        let bits = named.iter().enumerate();
        bits.fold(0, |bits, (bit, named)| bits | (named >> (dataset % 64) & 1) << bit)
    }

    /// Adds a source to what its cohort is asked for all together.
    #[inline(always)]
    pub(super) fn gather(&mut self, cohort: &mut Cohort<'_>, source: Source) {
        let Source { node, dataset, end, cohort: place } = source;
        if cohort.ends.last() != Some(&end) {
            cohort.ends.push(end);
        }
        cohort.oldest = cohort.oldest.min(node);
        let one = Some64::one(dataset);
        let number = u32::try_from(place).unwrap_or(u32::MAX);
        let slot = &mut self.words[(one.word as usize).wrapping_add(place << 3) % WORDS];
        if slot.0 == number
            && let Some(known) = cohort.tables.get_mut(slot.1 as usize)
            && known.word == one.word
        {
            known.bits |= one.bits;
            return;
        }
        *slot = (number, u32::try_from(cohort.tables.len()).unwrap_or(u32::MAX));
        cohort.tables.push(one);
    }

    /// The number of a class that is not one of the projection's.
    fn number(&mut self, first: usize, class: Class) -> u32 {
        let place = self.narrowed.iter().position(|known| *known == class).unwrap_or_else(|| {
            self.narrowed.push(class);
            self.narrowed.len() - 1
        });
        u32::try_from(first + place).unwrap_or(u32::MAX)
    }

    /// The cohort of the source at a place of the exposure; a new one, with its questions answered, where none fits. `narrowed`
    /// is what flows of it, where that is not all.
    #[inline(always)]
    pub(super) fn cohort(
        &mut self,
        evidence: &mut Evidence<'_>,
        exposure: &Exposure,
        place: usize,
        (node, label): (Node, Label),
        (derived, narrowed): (bool, Option<Box<Class>>),
    ) -> usize {
        let Node { class, dataset, .. } = node;
        let class = match narrowed {
            Some(narrowed) => self.number(evidence.world.lineage.class_count(), *narrowed),
            None => class,
        };
        // Derived data are asked for no basis.
        let named = if derived { 0 } else { self.named(dataset) };
        let key = Key { class, label, derived, named };
        if self.keys.get(self.last).is_some_and(|last| *last == key) {
            return self.last;
        }
        if let Some(known) = self.keys.iter().position(|k| *k == key) {
            self.last = known;
            return known;
        }
        self.sort(evidence, exposure, (place, dataset), key)
    }

    /// The cohort of a source that is not one of the first few.
    #[inline(never)]
    fn sort(
        &mut self,
        evidence: &mut Evidence<'_>,
        exposure: &Exposure,
        (place, dataset): (usize, u32),
        key: Key,
    ) -> usize {
        let Key { class, label, derived, .. } = key;
        let key = (key, exposure.more.iter().map(|labels| labels[place].1).collect());
        if let Some(&known) = self.places.get(&key) {
            return known;
        }
        let trainings = exposure.required_by(place).collect();
        let cohort = evidence.cohorts.len();
        let first = evidence.world.lineage.class_count();
        let class = match self.narrowed.get((class as usize).wrapping_sub(first)) {
            Some(narrowed) => Cow::Owned(narrowed.clone()),
            None => Cow::Borrowed(&**evidence.world.lineage.class_at(class)),
        };
        evidence.cohorts.push(answered(evidence, class, label & MODES, trainings, dataset, derived));
        if self.keys.len() < FEW && exposure.more.is_empty() {
            self.keys.push(key.0);
        } else {
            self.places.insert(key, cohort);
        }
        cohort
    }
}

fn answered<'w>(
    evidence: &Evidence<'w>,
    class: Cow<'w, Class>,
    modes: Label,
    trainings: Vec<usize>,
    dataset: u32,
    derived: bool,
) -> Cohort<'w> {
    let ask = |question: &Question| question.ask(&class, dataset);
    let deployment = match &evidence.question {
        Some(question) if !derived && modes & (CONTAINED | SERVED) != 0 => Some(ask(question)),
        _ => None,
    };
    let training = trainings
        .iter()
        .map(|&number| &evidence.trainings[number])
        .map(|run| match &run.question {
            Some(question) if !derived && !run.regularised => ask(question),
            _ => Answer::NotAsked,
        })
        .collect();
    let (tables, ends, oldest) = (Vec::with_capacity(ROOM), Vec::with_capacity(ROOM), NodeId(u32::MAX));
    Cohort { class, modes, trainings, derived, deployment, training, tables, ends, oldest }
}
