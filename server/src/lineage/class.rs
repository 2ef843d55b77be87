//! What nodes have in common.

use std::sync::Arc;

use licit_schemas::registry::{Identifiability, Operation};
use licit_schemas::text::Country;

use crate::registry::Scopes;
use crate::registry::vocabulary::TermId;

/// What many dataset versions have in common, interned: the gate judges each class once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// Data categories.
    pub categories: Vec<TermId>,
    /// Subject categories.
    pub subjects: Vec<TermId>,
    /// Strongest identifiability.
    pub identifiability: Identifiability,
    /// Controllers.
    pub controllers: Vec<Arc<str>>,
    /// Processors.
    pub processors: Vec<Arc<str>>,
    /// Whether a category is special (GDPR Art. 9(1)).
    pub special: bool,
    /// Purposes it was collected for, ordered by their references without revision, then by revision.
    pub collected_for: Vec<Arc<str>>,
    /// Bases it was collected on.
    pub collected_under: Vec<Arc<str>>,
    /// Notices people were shown then.
    pub notices: Vec<Arc<str>>,
    /// Collected from people, or received about them: who controls it tells them (GDPR Art. 13, 14). Where nobody said where it
    /// comes from, it may be.
    pub told: bool,
    /// Where its pseudonyms are the same for the same person.
    pub scopes: Scopes,
    /// People wrote in it what they liked, and nothing was done against special categories in that.
    pub free_text: bool,
    /// What it brings into an envelope besides data.
    pub traits: Traits,
}

/// What a node brings into an envelope besides data. Few differ: nodes that hold no personal data share their class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits {
    /// What a run did.
    pub operation: Option<Operation>,
    /// Where data are stored, or an endpoint computes.
    pub region: Option<Country>,
    /// Controllers and processors.
    pub parties: Vec<Arc<str>>,
}

impl Default for Class {
    fn default() -> Self {
        Self::plain(Traits::default())
    }
}

impl Class {
    /// Of a node that holds no personal data.
    pub(super) fn plain(traits: Traits) -> Self {
        Self {
            categories: Vec::new(),
            subjects: Vec::new(),
            identifiability: Identifiability::None,
            controllers: Vec::new(),
            processors: Vec::new(),
            special: false,
            collected_for: Vec::new(),
            collected_under: Vec::new(),
            notices: Vec::new(),
            told: false,
            scopes: Scopes::default(),
            free_text: false,
            traits,
        }
    }
}
