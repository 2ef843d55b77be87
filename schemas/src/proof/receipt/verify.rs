//! Whether a receipt holds, and for what: each question asked by itself, and said. Pure: the moment, the keys and the files are given.

use chrono::Duration;
use serde::Deserialize;

use super::{FORM, MOST, Receipt, refused, suffices};
use crate::admitted;
use crate::digest::Digest;
use crate::gate::{Decision, Intent};
use crate::ledger::Entry;
use crate::proof::oms;
use crate::proof::statement::{LEVELS, PREDICATE, STATEMENT, Statement, Subject};
use crate::proof::trust::{self, included};
pub use crate::proof::trust::{Check, Outcome, Trusted, TrustedFault, Verified};
use crate::registry::ModelFile;
use crate::registry::uuid_text::Uuid;
use crate::time::Timestamp;

/// How far the clock of who verifies may lag behind that of the registry.
const LAG: Duration = Duration::minutes(1);
/// The fact that records a decision, in the one version there is.
const DECISION: (&str, u16) = ("decision.made", 1);

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

/// The data of the fact that records a decision.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::proof) struct Recorded {
    pub(in crate::proof) id: uuid::Uuid,
    #[serde(rename = "rev")]
    _rev: u32,
    pub(in crate::proof) spec: Decision,
}

/// The decision that data of an entry record.
pub(in crate::proof) fn recorded(data: &str) -> Result<Recorded, String> {
    serde_json::from_str(data).map_err(|e| format!("the decision cannot be read: {e}"))
}

/// That an entry records a decision.
pub(in crate::proof) fn is_decision(entry: &Entry) -> Result<(), String> {
    match (entry.kind.as_str(), entry.v) == DECISION {
        true => Ok(()),
        false => Err(format!("entry {} records no decision this program knows", entry.seq)),
    }
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
    let statement = match trust::open(&receipt.envelope, &receipt.checkpoint, asked.keys) {
        Ok(statement) => {
            verified.say("signature", Ok("a key you trust signed the statement".to_owned()), Outcome::Broken);
            statement
        }
        Err(why) => {
            verified.say("signature", Err(why), Outcome::Broken);
            return verified;
        }
    };
    verified.say("statement", form(&statement), Outcome::Broken);
    let checkpoint = trust::checkpoint(&receipt.checkpoint, &statement.predicate.verifier.id, asked.keys);
    let head = checkpoint.as_ref().map(|(head, _)| *head).ok();
    verified.say("checkpoint", checkpoint.map(|(_, says)| says), Outcome::Broken);
    if let Some(head) = head {
        verified.say("inclusion", included(&receipt.entry, &receipt.inclusion, &head), Outcome::Broken);
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
    trust::read(bytes, (FORM, MOST), "receipt")
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

/// That the entry commits to the decision, and that the statement says what the decision says.
fn decided(receipt: &Receipt, statement: &Statement) -> Result<String, String> {
    let (entry, vsa) = (&receipt.entry, &statement.predicate);
    is_decision(entry)?;
    let recorded = recorded(&trust::committed(entry, &receipt.data)?)?;
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
pub(in crate::proof) fn models<P>(decision: &Decision, statement: &Statement<P>) -> bool {
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
            let is_root = |s: &&Subject| s.annotations.is_empty() && s.name == *model;
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

pub(in crate::proof) fn same(wanted: &str, found: &str) -> Result<String, String> {
    if wanted == found { Ok(format!("it is of `{found}`")) } else { Err(format!("it is of `{found}`, not `{wanted}`")) }
}

pub(in crate::proof) fn matches<P>(statement: &Statement<P>, found: &[ModelFile]) -> Result<String, String> {
    let models = statement.files().unwrap_or_default();
    let strange = admitted::strange(models.iter().map(|(model, files)| (*model, files.as_slice())), found);
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
