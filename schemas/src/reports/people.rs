//! What would be if people withdrew: how many, never who.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Turn;
use crate::consent::{Channel, ConsentAction};
use crate::known::KnownAt;
use crate::reference::Ref;
use crate::subjects::Pseudonym;
use crate::time::Timestamp;

/// People in one request at most.
pub const MOST_PEOPLE: usize = 100_000;

/// People who withdraw consent, for the sake of argument. Exactly one of `subjects`, `people` and `per_mille` says which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// From what, `purpose:<key>`.
    pub purpose: Ref,
    /// From being contacted this way, where that is meant and not the purpose itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// These, for the data protection officer; whoever is not known by their pseudonym is nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100_000))]
    pub subjects: Vec<Pseudonym>,
    /// So many of those whose consent stands, spread evenly among them; all, where they are fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub people: Option<u32>,
    /// So many of a thousand of those whose consent stands, spread evenly among them, and one at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub per_mille: Option<u16>,
}

/// People whose data are looked for, and what they would withdraw from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectsQuery {
    /// Who; somebody named twice is one.
    #[schemars(length(min = 1, max = 100_000))]
    pub subjects: Vec<Pseudonym>,
    /// From what they would all withdraw now, `purpose:<key>`.
    pub purpose: Ref,
    /// From being contacted this way, where that is meant and not the purpose itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<KnownAt>,
}

/// Where some people are, and what would follow if they all withdrew now: how many, never who.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectsImpact {
    /// Ledger position it reflects; nothing was added to it.
    pub position: u64,
    /// The moment.
    pub at: Timestamp,
    /// From what they would withdraw.
    pub purpose: Ref,
    /// People asked for, each once.
    pub asked: u64,
    /// Of them, those known here by their pseudonym.
    pub known: u64,
    /// Of them, those whose consent to it stands now.
    pub consenting: u64,
    /// Dataset versions they are members of.
    pub datasets: Vec<SubjectsIn>,
    /// Model versions made of those.
    pub models: Vec<SubjectsIn>,
    /// Deployments that run or are served on those.
    pub deployments: Vec<SubjectsIn>,
    /// Deployments for which something would change at once.
    pub turned: Vec<Turn>,
    /// What would be to do in models that is not to do now, or for more people, and until when.
    pub actions: Vec<ConsentAction>,
}

/// Something some people are in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectsIn {
    /// Reference.
    pub r#ref: String,
    /// How many of them.
    pub people: u64,
    /// How they are in there: `contained`, `shaped`, `validation`, `served`; nothing for data they are members of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub how: Vec<String>,
}
