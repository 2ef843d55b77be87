//! Whether a receipt holds, and for what: each question asked by itself, and said. Pure: the moment, the keys and the files are given.

use std::str::FromStr;

use chrono::Duration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{FORM, MOST, Receipt, refused, suffices};
use crate::digest::Digest;
use crate::gate::{Decision, Intent};
use crate::merkle::{leaf_hash, verify_inclusion};
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::key::{PublicKey, Vkey};
use crate::proof::oms;
use crate::proof::origin::Origin;
use crate::proof::statement::{LEVELS, PAYLOAD, PREDICATE, STATEMENT, Statement};
use crate::registry::ModelFile;
use crate::registry::uuid_text::Uuid;
use crate::time::Timestamp;
use crate::{admitted, json};

/// How far the clock of who verifies may lag behind that of the registry.
const LAG: Duration = Duration::minutes(1);
/// The fact that records a decision, in the one version there is.
const DECISION: (&str, u16) = ("decision.made", 1);

/// A key somebody trusts: under the name of its ledger, or bare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// Signs for this ledger only.
    Named(Vkey),
    /// Signs under whatever name.
    Bare(PublicKey),
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "expected the key of a ledger, as `licit ledger keys` writes it, or an Ed25519 public key in PEM or 32 bytes of base64"
)]
pub struct TrustedFault;

impl FromStr for Trusted {
    type Err = TrustedFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let named = text.parse().map(Self::Named);
        named.or_else(|_| text.parse().map(Self::Bare)).map_err(|_| TrustedFault)
    }
}

impl Trusted {
    fn public(&self) -> PublicKey {
        match self {
            Self::Named(vkey) => *vkey.key(),
            Self::Bare(key) => *key,
        }
    }

    fn of(&self, origin: &Origin) -> Option<Vkey> {
        match self {
            Self::Named(vkey) => (vkey.name() == origin).then(|| vkey.clone()),
            Self::Bare(key) => Some(key.named(origin)),
        }
    }
}

/// What is asked of a receipt.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Keys trusted: one of them must have signed, both the statement and the checkpoint.
    pub keys: &'a [Trusted],
    /// The present moment.
    pub at: Timestamp,
    /// How old the decision may be.
    pub max_age: Option<Duration>,
    /// The deployment it must be of, `deployment:<name>`.
    pub deployment: Option<&'a str>,
    /// The release it must be of, `release:<deployment>@<n>`.
    pub release: Option<&'a str>,
    /// What it must allow.
    pub intent: Option<Intent>,
    /// Files found where it runs.
    pub files: Option<&'a [ModelFile]>,
}

/// What one question found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// The receipt is sound, and not for this: another moment, deployment or file.
    NotValid,
    /// Signature, proof or form do not hold.
    Broken,
}

/// One question, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which, in a word.
    pub check: &'static str,
    /// What was found.
    pub outcome: Outcome,
    /// In words.
    pub says: String,
}

/// What was found of a receipt.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verified {
    /// Every question, in order. After one that is broken, none is asked that would rest on it.
    pub checks: Vec<Check>,
    /// What it says, where a trusted key signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

impl Verified {
    /// The worst that was found; broken where nothing was asked.
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Broken)
    }

    fn say(&mut self, check: &'static str, found: Result<String, String>, worst: Outcome) -> bool {
        let (outcome, says) = match found {
            Ok(says) => (Outcome::Holds, says),
            Err(says) => (worst, says),
        };
        self.checks.push(Check { check, outcome, says });
        outcome == Outcome::Holds
    }
}

/// The data of the fact that records a decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    id: uuid::Uuid,
    #[serde(rename = "rev")]
    _rev: u32,
    spec: Decision,
}

/// Ask everything of a receipt. Takes any bytes; signatures come first, and nothing that nobody trusted signed is read further.
pub fn verify(bytes: &[u8], asked: &Asked<'_>) -> Verified {
    let mut verified = Verified::default();
    let receipt = match read(bytes) {
        Ok(receipt) => receipt,
        Err(why) => {
            verified.say("form", Err(why), Outcome::Broken);
            return verified;
        }
    };
    let statement = match signed(&receipt, asked.keys) {
        Ok((statement, says)) => {
            verified.say("signature", Ok(says), Outcome::Broken);
            statement
        }
        Err(why) => {
            verified.say("signature", Err(why), Outcome::Broken);
            return verified;
        }
    };
    verified.say("statement", form(&statement), Outcome::Broken);
    let checkpoint = checkpoint(&receipt, &statement, asked.keys);
    let head = checkpoint.as_ref().map(|(signed, _)| signed.checkpoint.head).ok();
    verified.say("checkpoint", checkpoint.map(|(_, says)| says), Outcome::Broken);
    if let Some(head) = head {
        verified.say("inclusion", included(&receipt, head.size, &head.root), Outcome::Broken);
    }
    verified.say("decision", decided(&receipt, &statement), Outcome::Broken);
    // Who is not sure what was decided need not ask for how long.
    if verified.outcome() == Outcome::Broken {
        return verified;
    }
    verified.say("validity", valid(&statement, asked.at), Outcome::NotValid);
    if let Some(age) = asked.max_age {
        verified.say("age", young(&statement, asked.at, age), Outcome::NotValid);
    }
    let vsa = &statement.predicate;
    if let Some(wanted) = asked.deployment {
        verified.say("deployment", same(wanted, &vsa.resource_uri), Outcome::NotValid);
    }
    if let Some(wanted) = asked.release {
        verified.say("release", same(wanted, &vsa.terms.release), Outcome::NotValid);
    }
    if let Some(intent) = asked.intent {
        let found = match suffices(vsa.terms.intent, intent) {
            true => Ok(format!("it lets {}", word(vsa.terms.intent))),
            false => Err("it lets what runs go on, and nothing begin".to_owned()),
        };
        verified.say("intent", found, Outcome::NotValid);
    }
    if let Some(files) = asked.files {
        verified.say("artifact", matches(&statement, files), Outcome::NotValid);
    }
    verified.statement = Some(statement);
    verified
}

fn word(intent: Intent) -> &'static str {
    match intent {
        Intent::Start => "begin",
        Intent::Continue => "go on",
    }
}

/// Read a receipt, nothing of it verified.
///
/// # Errors
/// It is none, in words.
pub fn read(bytes: &[u8]) -> Result<Receipt, String> {
    if bytes.len() > MOST {
        return Err(format!("it is no receipt: it has more than {MOST} bytes"));
    }
    let value = json::parse(bytes).map_err(|e| format!("it is no receipt: {e}"))?;
    let receipt: Receipt = serde_json::from_value(value).map_err(|e| format!("it is no receipt: {e}"))?;
    if receipt.form == FORM { Ok(receipt) } else { Err(format!("it is no receipt of the form `{FORM}`")) }
}

fn signed(receipt: &Receipt, keys: &[Trusted]) -> Result<(Statement, String), String> {
    let envelope = receipt.envelope.open().map_err(|e| e.to_string())?;
    // A key that is trusted for one ledger says nothing of another: who signs the checkpoint's may sign the statement.
    let signed = SignedCheckpoint::parse(receipt.checkpoint.as_bytes()).map_err(|e| e.to_string())?;
    let trusted: Vec<PublicKey> =
        keys.iter().filter(|key| key.of(&signed.checkpoint.origin).is_some()).map(Trusted::public).collect();
    let payload = envelope.verify(&trusted, 1, &[PAYLOAD]).map_err(|e| e.to_string())?;
    // Who reads it otherwise than it was signed reads another statement.
    let value = json::parse(payload).map_err(|e| format!("its statement cannot be read: {e}"))?;
    let statement = serde_json::from_value(value).map_err(|e| format!("its statement cannot be read: {e}"))?;
    Ok((statement, "a key you trust signed the statement".to_owned()))
}

/// That the statement is one of ours, and says that it passed.
fn form(statement: &Statement) -> Result<String, String> {
    let vsa = &statement.predicate;
    if statement.r#type != STATEMENT || statement.predicate_type != PREDICATE {
        return Err(format!("it is no in-toto Statement v1 with the predicate `{PREDICATE}`"));
    }
    if vsa.verification_result != "PASSED" {
        return Err(format!("it says `{}`, not `PASSED`", vsa.verification_result));
    }
    if statement.subject.is_empty() || statement.subject.iter().any(|subject| subject.digest.digest().is_none()) {
        return Err("it has no subject, or one without a SHA-256 digest".to_owned());
    }
    let strange = vsa.verified_levels.iter().find(|level| LEVELS.iter().all(|(known, _)| known != level));
    if let Some(level) = strange {
        return Err(format!("it claims `{level}`, which this program does not know"));
    }
    if vsa.terms.valid_until <= vsa.time_verified {
        return Err("it ends before it begins".to_owned());
    }
    let levels = match vsa.verified_levels.is_empty() {
        true => "nothing".to_owned(),
        false => vsa.verified_levels.join(", "),
    };
    Ok(format!("`{}` passed under {}; verified: {levels}", vsa.resource_uri, vsa.policy.uri))
}

fn checkpoint(
    receipt: &Receipt,
    statement: &Statement,
    keys: &[Trusted],
) -> Result<(SignedCheckpoint, String), String> {
    let signed = SignedCheckpoint::parse(receipt.checkpoint.as_bytes()).map_err(|e| e.to_string())?;
    let origin = &signed.checkpoint.origin;
    if statement.predicate.verifier.id != format!("https://{origin}") {
        return Err(format!("`{}` judged, and the checkpoint is of `{origin}`", statement.predicate.verifier.id));
    }
    let known: Vec<Vkey> = keys.iter().filter_map(|key| key.of(origin)).collect();
    signed.verify(known.iter()).map_err(|e| e.to_string())?;
    let says = format!("a key you trust signed the ledger `{origin}` at {} entries", signed.checkpoint.head.size);
    Ok((signed, says))
}

/// That the entry is in the tree that was signed. What the receipt says of root and leaf is not believed.
fn included(receipt: &Receipt, size: u64, root: &Digest) -> Result<String, String> {
    let leaf = json::canonical(&receipt.entry).map_err(|e| e.to_string())?;
    let index = receipt.entry.seq.checked_sub(1).ok_or("its entry has no position")?;
    let proof = &receipt.inclusion;
    if (proof.seq, proof.size) != (receipt.entry.seq, size) {
        return Err("its proof is of another entry, or of another tree".to_owned());
    }
    verify_inclusion(&leaf_hash(leaf.as_bytes()), index, size, &proof.path, root).map_err(|e| e.to_string())?;
    Ok(format!("entry {} is in that ledger", receipt.entry.seq))
}

/// That the entry commits to the decision, and that the statement says what the decision says.
fn decided(receipt: &Receipt, statement: &Statement) -> Result<String, String> {
    let (entry, vsa) = (&receipt.entry, &statement.predicate);
    if (entry.kind.as_str(), entry.v) != DECISION {
        return Err(format!("entry {} records no decision this program knows", entry.seq));
    }
    let data = json::canonical(&receipt.data).map_err(|e| e.to_string())?;
    if Digest::of(data.as_bytes()) != entry.data {
        return Err(format!("the data of entry {} are not those it commits to", entry.seq));
    }
    let recorded: Recorded = serde_json::from_str(&data).map_err(|e| format!("the decision cannot be read: {e}"))?;
    let decision = &recorded.spec;
    if let Some(why) = refused(decision) {
        return Err(format!("the ledger records no decision to give a receipt for: {why}"));
    }
    let terms = &vsa.terms;
    let evidence: Vec<_> = vsa.input_attestations.iter().filter_map(|one| one.digest.digest()).collect();
    let agree = [
        ("id", decision.id == Uuid(recorded.id) && terms.decision == format!("decision:{}", recorded.id)),
        ("deployment", decision.deployment == vsa.resource_uri),
        ("release", decision.release.as_deref() == Some(terms.release.as_str())),
        ("intent", decision.intent == terms.intent),
        ("moment", decision.valid_at == vsa.time_verified),
        ("position", decision.position == terms.position),
        ("policy", decision.policy.replace(", ", ",") == vsa.policy.uri),
        ("rules", vsa.verifier.version.get("rules") == Some(&decision.rules_version)),
        ("vocabulary", decision.vocabulary_digest == terms.vocabulary),
        ("evidence", evidence == [decision.evidence_digest]),
        ("actions due", decision.actions_due.len() as u64 == terms.actions_due),
        ("entry", (entry.seq, entry.data) == (terms.entry, terms.data)),
        ("models", models(decision, statement)),
    ];
    match agree.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("the statement and the decision in the ledger differ in their {what}")),
        None => Ok(format!("it is what `{}` says, recorded on {}", terms.decision, entry.at)),
    }
}

/// Whether the subjects are the files of the models admitted, each model with its roots.
fn models(decision: &Decision, statement: &Statement) -> bool {
    let Some(files) = statement.files() else { return false };
    let named = |model: &str| files.get(model).map(Vec::as_slice).unwrap_or_default();
    let sorted = |mut digests: Vec<Digest>| {
        digests.sort_unstable();
        digests
    };
    let each = decision.models.iter().all(|(model, digests)| {
        let files = named(model);
        let roots = oms::roots(files.iter().map(|(path, digest)| (path.as_str(), digest)));
        let stated = |root: &Digest| {
            let is_root = |s: &&crate::proof::statement::Subject| s.annotations.is_empty() && s.name == *model;
            statement.subject.iter().filter(is_root).any(|s| s.digest.digest() == Some(*root))
        };
        sorted(files.iter().map(|(_, digest)| *digest).collect()) == sorted(digests.clone()) && roots.iter().all(stated)
    });
    each && files.keys().all(|model| decision.models.contains_key(*model))
}

fn valid(statement: &Statement, at: Timestamp) -> Result<String, String> {
    let vsa = &statement.predicate;
    let (begin, end) = (vsa.time_verified, vsa.terms.valid_until);
    if at.plus(LAG) < begin {
        return Err(format!("it is of {begin}, which is yet to come"));
    }
    match at < end {
        true => Ok(format!("valid until {end}: {}", vsa.terms.valid_until_for)),
        false => Err(format!("it ended {end}: {}; ask the gate anew", vsa.terms.valid_until_for)),
    }
}

fn young(statement: &Statement, at: Timestamp, most: Duration) -> Result<String, String> {
    let begin = statement.predicate.time_verified;
    match at <= begin.plus(most) {
        true => Ok(format!("decided on {begin}")),
        false => Err(format!("it is of {begin}, which is too long ago; ask the gate anew")),
    }
}

fn same(wanted: &str, found: &str) -> Result<String, String> {
    if wanted == found { Ok(format!("it is of `{found}`")) } else { Err(format!("it is of `{found}`, not `{wanted}`")) }
}

fn matches(statement: &Statement, found: &[ModelFile]) -> Result<String, String> {
    let models = statement.files().unwrap_or_default();
    let strange = admitted::strange(models.values().flatten(), found);
    if let Some(first) = strange.first() {
        return Err(format!("{} file(s) found were not admitted, such as `{first}`", strange.len()));
    }
    for (model, files) in &models {
        let missing = admitted::missing(files, found);
        if let Some(first) = missing.first() {
            return Err(format!("{} file(s) of `{model}` are not there as admitted, such as `{first}`", missing.len()));
        }
    }
    match found.is_empty() || models.is_empty() {
        true => Err("there are no files to hold against it".to_owned()),
        false => Ok(format!("{} file(s) are there as admitted, and no other", found.len())),
    }
}
