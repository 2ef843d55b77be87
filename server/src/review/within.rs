//! The personal data within an approved envelope, resolved once: every decision asks whether what reaches the release is in it.

use licit_schemas::review::EnvelopeSource;
use licit_schemas::text::Iri;

use crate::registry::vocabulary::{TermId, vocabulary};
use crate::registry::{NumberMap, Numbers};

/// What an envelope allows of a dataset. Many datasets share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Ways in which the data may reach the release: contained, shaped, validation, served.
    pub reach: Vec<String>,
    /// Subject categories, narrower ones included.
    pub subjects: Vec<TermId>,
    /// Data categories, narrower ones included.
    pub categories: Vec<TermId>,
    /// How strongly they may identify people.
    pub identifiability: String,
}

/// The personal data within an envelope.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// What is allowed, each once.
    pub grants: Vec<Grant>,
    /// Place of the grant by the number of the dataset.
    datasets: NumberMap<u32>,
}

impl Within {
    /// Resolves the names of an envelope. A term this program does not know allows nothing.
    pub fn of(sources: &[EnvelopeSource], numbers: &mut Numbers) -> Self {
        let mut within = Self::default();
        for source in sources {
            let grant = Grant {
                reach: source.reach.clone(),
                subjects: terms(&source.subjects),
                categories: terms(&source.categories),
                identifiability: source.identifiability.clone(),
            };
            let place = within.grants.iter().position(|known| *known == grant).unwrap_or(within.grants.len());
            if place == within.grants.len() {
                within.grants.push(grant);
            }
            within.datasets.insert(numbers.number(&source.dataset), u32::try_from(place).unwrap_or(u32::MAX));
        }
        within
    }

    /// The place of what is allowed of a dataset, by its number.
    pub fn grant(&self, dataset: u32) -> Option<usize> {
        self.datasets.get(dataset).map(|place| place as usize)
    }
}

fn terms(iris: &[Iri]) -> Vec<TermId> {
    iris.iter().filter_map(|iri| vocabulary().find(iri.as_str())).collect()
}
