//! What is done in models for those who withdrew or object: remedies, and that one was taken.
//!
//! A model that was trained on somebody's data may hold them for good. Only some remedies take them out of it; `output_filter` and
//! `suppress` keep them from showing, and the model still holds what it learned. Which of them suffices, the purpose says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::Evidence;
use crate::text::Text;
use crate::time::Timestamp;

/// How what a model learned from people is dealt with who withdrew consent, or object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelRemedy {
    /// It is trained again without them, and the version before runs no more.
    Retrain,
    /// They are left out where it serves; the model still holds what it learned from them.
    Suppress,
    /// What it learned from them was taken out of it, and somebody certifies that.
    UnlearnCertified,
    /// The adapter that learned from them runs no more.
    AdapterRemoval,
    /// The index that runs is a version without them.
    RemoveFromIndex,
    /// What it says about them is filtered; the model still holds what it learned from them.
    OutputFilter,
    /// The model is assessed as anonymous: it holds nobody's data (EDPB Opinion 28/2024).
    AnonymisedExempt,
    /// Nothing is done, for a reason.
    NoAction,
}

impl ModelRemedy {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Retrain,
        Self::Suppress,
        Self::UnlearnCertified,
        Self::AdapterRemoval,
        Self::RemoveFromIndex,
        Self::OutputFilter,
        Self::AnonymisedExempt,
        Self::NoAction,
    ];

    /// Its name, as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrain => "retrain",
            Self::Suppress => "suppress",
            Self::UnlearnCertified => "unlearn_certified",
            Self::AdapterRemoval => "adapter_removal",
            Self::RemoveFromIndex => "remove_from_index",
            Self::OutputFilter => "output_filter",
            Self::AnonymisedExempt => "anonymised_exempt",
            Self::NoAction => "no_action",
        }
    }

    /// Whether it cannot be read off what is registered: somebody vouches for it with evidence and a reason.
    pub fn is_claim(self) -> bool {
        matches!(self, Self::UnlearnCertified | Self::OutputFilter | Self::AnonymisedExempt | Self::NoAction)
    }

    /// Whether it reaches people who were erased: nobody can leave out at serving whom nobody knows any more.
    pub fn reaches_erased(self) -> bool {
        matches!(self, Self::UnlearnCertified | Self::NoAction)
    }
}

impl std::fmt::Display for ModelRemedy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Say that a remedy was taken: for everybody who had withdrawn or objected by a position, and for nobody later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemedyCreate {
    /// The model version it was taken for; for `remove_from_index` the version of the index without them.
    pub of: Ref,
    /// For the people who withdrew from this purpose, or object to it: `purpose:<key>`.
    pub purpose: Ref,
    /// Which; a purpose says which suffice.
    pub remedy: ModelRemedy,
    /// Ledger position up to which they had withdrawn or objected; absent, now. For `suppress` at most the list that each deployment
    /// acknowledged; absent, the oldest of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub position: Option<u64>,
    /// Documents that show it; at least one for what cannot be read off the registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub evidence: Vec<Evidence>,
    /// Why it suffices, for the same. Kept erasable; the ledger holds its salted digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

/// A remedy taken, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemedySpec {
    /// The model version, or the index.
    pub of: Ref,
    /// For whom: who withdrew from this purpose, or objects to it; the revision whose policy allowed it.
    pub purpose: Ref,
    /// Which.
    pub remedy: ModelRemedy,
    /// Ledger position up to which they had withdrawn or objected.
    pub position: u64,
    /// When they had.
    pub as_of: Timestamp,
    /// Documents that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The assessment of anonymity it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Ref>,
    /// Salted digest of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_digest: Option<Digest>,
}
