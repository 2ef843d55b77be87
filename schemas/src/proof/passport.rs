//! The passport of a model version: what is behind it, signed by the registry it comes from, so that lineage does not end at the door of
//! the company that made it. No person is in it, no pseudonym, no row and no name of a dataset.

pub mod verify;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::in_force::Proven;
use super::receipt::Sealed;
use super::statement::Descriptor;
use crate::digest::Digest;
use crate::lawfulness::{Exception, LegalBasis, Stage};
use crate::notices::Bilingual;
use crate::reference::Ref;
use crate::registry::{Identifiability, ModelFile};
use crate::resource::Registered;
use crate::text::{Iri, Key, Sentence};
use crate::time::Timestamp;

/// The form of a passport, by its version.
pub const FORM: &str = "licit.passport.v1";
/// Bytes a passport may have.
pub const MOST: usize = 8 << 20;
/// Type of what its statement says. A URN of our own: nobody else defines it.
pub const PREDICATE: &str = "urn:licit:passport:v1";
/// Days a passport stands at most.
pub const DAYS: i64 = 90;
/// Groups of people that a passport tells apart at most.
pub const MOST_GROUPS: usize = 500;

/// A passport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassportFile {
    /// `licit.passport.v1`.
    pub form: String,
    /// What the registry says of the model version, signed (DSSE v1.0).
    pub envelope: Sealed,
    /// The entry of the decision behind it, without its data.
    pub decision: Proven,
    /// The entry that registered the model version, without its data.
    pub model: Proven,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// What a registry says of a model version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Passport {
    /// Who says it: `https://` and the name of its ledger.
    pub registry: String,
    /// The model version there, `model:<name>@<version>`.
    pub model: String,
    /// Its files; the subjects have the same digests.
    pub files: Vec<ModelFile>,
    /// Ledger entry that registered it.
    pub registered: u64,
    /// SHA-256 of the canonical data of that entry.
    pub registered_data: Digest,
    /// The last decision there that allowed a release with it, `decision:<id>`.
    pub decision: String,
    /// Its ledger entry.
    pub entry: u64,
    /// SHA-256 of the canonical data of that entry.
    pub data: Digest,
    /// The policy in force.
    pub policy: Descriptor,
    /// Version of the rules.
    pub rules: String,
    /// When it was made out.
    pub issued: Timestamp,
    /// From then on it counts as nothing.
    pub valid_until: Timestamp,
    /// What ends first.
    pub valid_until_for: String,
    /// Whose data reach it, and how.
    pub exposure: Vec<Exposed>,
    /// What it was trained for, and what it was allowed for.
    pub purposes: Vec<PurposeSaid>,
    /// The legal bases in kind.
    pub bases: Vec<BasisSaid>,
}

/// How people's data are in a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// They can be in there.
    Contained,
    /// They only formed it, as its maker had it assessed.
    Shaped,
    /// They only chose or measured it.
    Validation,
}

/// People whose data reach the model alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposed {
    /// How.
    pub reach: Reach,
    /// Data categories, DPV IRIs.
    pub categories: Vec<Iri>,
    /// Subject categories, DPV IRIs.
    pub subjects: Vec<Iri>,
    /// How far they identify.
    pub identifiability: Identifiability,
    /// Whether it is known what these people were promised.
    pub promises_known: bool,
    /// What they were promised.
    pub promises: Vec<PromiseSaid>,
    /// Until when their data may be kept there, the first of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
    /// In how many dataset versions they are.
    pub sources: u64,
}

/// A promise, in words of no registry alone: purposes by IRI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromiseSaid {
    /// The commitment as it was made.
    pub commitment: String,
    /// By when the data are deleted at the latest, where that is what was promised: of the oldest of them, counted from when their first
    /// holder registered them. It does not begin anew with each passport, nor with each holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Purposes it names, by their key there: DPV IRIs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub purposes: BTreeMap<String, Iri>,
    /// The sentence people read.
    pub words: Bilingual<Sentence>,
}

/// A purpose, by what others know of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PurposeSaid {
    /// `training` or `deployment`.
    pub stage: String,
    /// Its key there.
    pub key: String,
    /// DPV IRI.
    pub iri: Iri,
}

/// A legal basis in kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BasisSaid {
    /// Training or deployment.
    pub stage: Stage,
    /// Which.
    pub legal_basis: LegalBasis,
    /// The exception besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}

/// Take in a model of another registry with its passport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassportImport {
    /// The passport, as it came.
    pub passport: PassportFile,
    /// Keys of the other registry that you trust, as `licit ledger keys` writes them there, or Ed25519 keys in PEM or base64.
    #[schemars(length(min = 1, max = 20))]
    pub keys: Vec<String>,
    /// Who made the model, `party:<key>` of this registry.
    pub provider: Ref,
    /// For whom it is taken in: the party that will control what is done with it, `party:<key>`.
    pub holder: Ref,
    /// Team that answers for it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Key>,
    /// Files as found: they must be those of the passport.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5000))]
    pub artifacts: Vec<ModelFile>,
}

/// A passport as it is recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassportSpec {
    /// The model version here.
    pub model: Ref,
    /// Who made it.
    pub provider: Ref,
    /// For whom it was taken in.
    pub holder: Ref,
    /// SHA-256 of the statement as it was signed.
    pub statement: Digest,
    /// The key that signed it.
    pub key: String,
    /// Size of the tree that was signed beside it.
    pub checkpoint: u64,
    /// Dataset versions here that stand for whom it speaks of, in its order; none for those that only validated it.
    pub datasets: Vec<Ref>,
    /// The assessment by which its lineage is closed, once the board approves it.
    pub assessment: Ref,
    /// What it says.
    pub says: Passport,
}

/// What was taken in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PassportTaken {
    /// The passport.
    #[serde(flatten)]
    pub registered: Registered,
    /// The model version here.
    pub model: Ref,
    /// Dataset versions that stand for the people behind it: bases of this registry cover them, or nothing does.
    pub datasets: Vec<Ref>,
    /// The provider assessment proposed with it: nothing rests on the passport before the board approves that.
    pub assessment: Ref,
    /// Until when it counts.
    pub valid_until: Timestamp,
}
