//! The personal data within an approved envelope, resolved once: every decision asks whether what reaches the release is in it.

use licit_schemas::notices::Commitment;
use licit_schemas::review::{Envelope, EnvelopeSource};
use licit_schemas::text::Iri;

use crate::lineage::exposure::{CONTAINED, SERVED, SHAPED, VALIDATION};
use crate::lineage::walk::Label;
use crate::registry::vocabulary::{TermId, vocabulary};
use crate::registry::{NumberMap, Numbers, Some64};

/// Levels of identifiability, weakest first.
const LEVELS: [&str; 4] = ["none", "quasi", "pseudonym", "direct"];

/// What an envelope allows of a dataset. Many datasets share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Ways in which the data may reach the release, all that follow included.
    pub reach: Label,
    /// Subject categories, narrower ones included.
    pub subjects: Vec<TermId>,
    /// Data categories, narrower ones included.
    pub categories: Vec<TermId>,
    /// How strongly they may identify people, as a rank; none for a level this program does not know: nothing is allowed.
    pub identifiability: Option<usize>,
    /// What everybody in it must still be promised; none for a promise this program does not know: nothing is allowed.
    pub promises: Option<Vec<Commitment>>,
}

/// The ways open to data that were approved for these: what may contain people may be shaped by them, and what may be shaped by
/// them may be measured on them. To be read when it runs is another thing. A way this program does not know opens none.
pub(crate) fn open(ways: &[String]) -> Label {
    ways.iter().fold(0, |open, way| {
        open | match way.as_str() {
            "contained" => CONTAINED | SHAPED | VALIDATION,
            "shaped" => SHAPED | VALIDATION,
            "validation" => VALIDATION,
            "served" => SERVED,
            _ => 0,
        }
    })
}

/// The rank of a level of identifiability.
pub(crate) fn rank(identifiability: &str) -> Option<usize> {
    LEVELS.iter().position(|level| *level == identifiability)
}

/// The personal data within an envelope, or some of them.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// What is allowed, each once.
    pub grants: Vec<Grant>,
    /// Place of the grant by the number of the dataset.
    datasets: NumberMap<u32>,
    /// What the tables written may say of people; absent where the approval is older than that question.
    pub written: Option<Box<Self>>,
}

impl Within {
    /// Resolves the names of an envelope. A term this program does not know allows nothing.
    pub fn of(envelope: &Envelope, numbers: &mut Numbers) -> Self {
        let written = envelope.written.as_ref().map(|tables| Box::new(Self::tables(tables, numbers)));
        Self { written, ..Self::tables(&envelope.sources, numbers) }
    }

    fn tables(sources: &[EnvelopeSource], numbers: &mut Numbers) -> Self {
        let mut within = Self::default();
        for source in sources {
            let grant = Grant {
                reach: open(&source.reach),
                subjects: terms(&source.subjects),
                categories: terms(&source.categories),
                identifiability: rank(&source.identifiability),
                promises: source.promises.iter().map(|promise| promise.parse().ok()).collect(),
            };
            let place = within.grants.iter().position(|known| *known == grant).unwrap_or(within.grants.len());
            if place == within.grants.len() {
                within.grants.push(grant);
            }
            within.datasets.insert(numbers.number(&source.dataset), u32::try_from(place).unwrap_or(u32::MAX));
        }
        within
    }

    /// Makes ready to be asked of many datasets.
    pub fn touch(&self) {
        self.datasets.touch();
    }

    /// Whether there is a grant for each of these datasets, and `holds` of its place; asked once where that is the same.
    pub fn all(&self, datasets: Some64, mut holds: impl FnMut(usize) -> bool) -> bool {
        self.datasets.all(datasets, |place| holds(place as usize))
    }

    /// The place of what is allowed of a dataset, by its number.
    #[inline]
    pub fn grant(&self, dataset: u32) -> Option<usize> {
        self.datasets.get(dataset).map(|place| place as usize)
    }
}

fn terms(iris: &[Iri]) -> Vec<TermId> {
    iris.iter().filter_map(|iri| vocabulary().find(iri.as_str())).collect()
}
