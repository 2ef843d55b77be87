//! What a receipt says: an in-toto Statement (v1) with the SLSA Verification Summary (v1, specification 1.2) as its predicate, and
//! beside its members one of our own, under a name that is a URI as that specification asks.
//!
//! Members nobody here knows are passed over, as in-toto asks of who reads a statement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::gate::Intent;
use crate::time::Timestamp;

/// Type of the statement (in-toto attestation framework, Statement v1).
pub const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// Type of the predicate (SLSA specification 1.2).
pub const PREDICATE: &str = "https://slsa.dev/verification_summary/v1";
/// Type of the payload in its envelope.
pub const PAYLOAD: &str = "application/vnd.in-toto+json";
/// Version of the SLSA specification.
pub const SLSA: &str = "1.2";

/// What a receipt may verify, in the words of [`Vsa::verified_levels`]. Each is said only where no rule of it found anything: a
/// warning, an action due, or a rule that policy silenced is not *verified*.
pub const LEVELS: [(&str, &[&str]); 4] = [
    ("LICIT_PURPOSE_APPROVED", &["purpose.approved", "purpose.forbids", "prohibited.practice", "compatibility"]),
    ("LICIT_BASIS_HOLDS", &["basis.approved", "basis.governing", "basis.holds", "source.covered", "special.category"]),
    ("LICIT_CONSENT_COVERED", &["consent.coverage", "suppression.fresh", "objection"]),
    ("LICIT_LINEAGE_COMPLETE", &["lineage.complete", "serving.declared", "artifact.digest"]),
];

/// An in-toto Statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement<P = Vsa> {
    /// [`STATEMENT`].
    #[serde(rename = "_type")]
    pub r#type: String,
    /// What it is about, matched by digest alone.
    pub subject: Vec<Subject>,
    /// Type of what is said, such as [`PREDICATE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said of it.
    pub predicate: P,
}

/// A thing with digests (in-toto `ResourceDescriptor`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Path of a file within its model; of a root digest or an endpoint, the model version.
    pub name: String,
    /// Digests by algorithm, in hex.
    pub digest: Digests,
    /// The model version that a file belongs to, under `model`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A set of digests, of which we have one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digests {
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl From<Digest> for Digests {
    fn from(digest: Digest) -> Self {
        Self { sha256: digest.hex() }
    }
}

impl Digests {
    /// The digest; none where the hex is no SHA-256.
    pub fn digest(&self) -> Option<Digest> {
        format!("sha256:{}", self.sha256).parse().ok()
    }
}

/// The SLSA Verification Summary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vsa {
    /// Who judged.
    pub verifier: Verifier,
    /// The moment judged.
    pub time_verified: Timestamp,
    /// The deployment, `deployment:<name>`.
    pub resource_uri: String,
    /// By which policy.
    pub policy: Descriptor,
    /// The canonical evidence, which names everything that was looked at.
    pub input_attestations: Vec<Descriptor>,
    /// `PASSED`: nothing else has a receipt.
    pub verification_result: String,
    /// Some of [`LEVELS`].
    pub verified_levels: Vec<String>,
    /// [`SLSA`].
    pub slsa_version: String,
    /// What the summary has no member for.
    #[serde(rename = "urn:licit:receipt:v1")]
    pub terms: Terms,
}

/// Who judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verifier {
    /// The registry: `https://` and the origin of its ledger.
    pub id: String,
    /// Versions of what judged: the rules.
    pub version: BTreeMap<String, String>,
}

/// A document by name and digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Its name.
    pub uri: String,
    /// Its digest.
    pub digest: Digests,
}

/// What a verification summary has no member for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// `decision:<id>`.
    pub decision: String,
    /// The release judged.
    pub release: String,
    /// Begin or go on.
    pub intent: Intent,
    /// From then on it says nothing any more.
    pub valid_until: Timestamp,
    /// What ends first: an expiry behind the decision, or what policy allows a receipt.
    pub valid_until_for: String,
    /// Ledger position that was known.
    pub position: u64,
    /// Entry that records the decision.
    pub entry: u64,
    /// SHA-256 of the canonical data of that entry.
    pub data: Digest,
    /// Digest of the vocabularies and dated tables of law.
    pub vocabulary: Digest,
    /// For *continue*: how many actions are due.
    pub actions_due: u64,
}

impl<P> Statement<P> {
    /// The statement as it is signed: RFC 8785.
    ///
    /// # Errors
    /// Numbers beyond 2^53 - 1.
    pub fn bytes(&self) -> Result<Vec<u8>, crate::json::JsonFault>
    where
        P: Serialize,
    {
        crate::json::canonical(self).map(String::into_bytes)
    }

    /// Files with their model versions, as far as subjects are such.
    pub fn files(&self) -> Option<BTreeMap<&str, Vec<(String, Digest)>>> {
        let mut files: BTreeMap<&str, Vec<(String, Digest)>> = BTreeMap::new();
        for subject in &self.subject {
            if let Some(model) = subject.annotations.get("model") {
                files.entry(model).or_default().push((subject.name.clone(), subject.digest.digest()?));
            }
        }
        Some(files)
    }
}
