//! Whether a proof holds: each question asked by itself, and what is proven told apart from what is said. Pure.

use std::collections::BTreeMap;

use chrono::Duration;
use serde::Deserialize;

use super::{Between, FORM, InForce, InForceProof, MOST, PREDICATE, Proven};
use crate::digest::Digest;
use crate::gate::{Decision, Verdict};
use crate::json;
use crate::ledger::{Entry, TreeHead};
use crate::merkle::{self, Edge, leaf_hash};
use crate::proof::receipt::verify::{is_decision, matches, models, recorded, same};
use crate::proof::statement::{PREDICATE as VSA, STATEMENT, Statement, Vsa};
use crate::proof::trust::{self, Outcome, Trusted, Verified, committed, included};
use crate::registry::uuid_text::Uuid;
use crate::registry::{ModelFile, ReleaseState};
use crate::time::Timestamp;
use crate::uses::UseSpec;

/// How far the clock of who verifies may lag behind that of the registry.
const LAG: Duration = Duration::minutes(1);
const MOVED: &str = "release.moved";
const USED: (&str, u16) = ("use.recorded", 1);

/// What is asked of a proof.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Keys trusted: one of them must have signed, both the statement and the checkpoint.
    pub keys: &'a [Trusted],
    /// The present moment.
    pub now: Timestamp,
    /// The moment it must be of.
    pub moment: Option<Timestamp>,
    /// How long ago that may be.
    pub max_age: Option<Duration>,
    /// The deployment it must be of, `deployment:<name>`.
    pub deployment: Option<&'a str>,
    /// The release it must be of, `release:<deployment>@<n>`.
    pub release: Option<&'a str>,
    /// Files found.
    pub files: Option<&'a [ModelFile]>,
}

/// The data of a move of a release.
#[derive(Deserialize)]
struct Moved {
    reference: String,
    state: ReleaseState,
    #[serde(default)]
    decision: Option<uuid::Uuid>,
}

/// The data of recorded uses.
#[derive(Deserialize)]
struct Used {
    spec: UseSpec,
}

/// Ask everything of a proof. Takes any bytes.
pub fn verify(bytes: &[u8], asked: &Asked<'_>) -> Verified<Statement<InForce>> {
    let mut verified = Verified::default();
    let proof: InForceProof = match trust::read(bytes, (FORM, MOST), "proof") {
        Ok(proof) => proof,
        Err(why) => {
            verified.say("form", Err(why), Outcome::Broken);
            return verified;
        }
    };
    let statement: Statement<InForce> = match trust::open(&proof.envelope, &proof.checkpoint, asked.keys) {
        Ok(statement) => statement,
        Err(why) => {
            verified.say("signature", Err(why), Outcome::Broken);
            return verified;
        }
    };
    let said = &statement.predicate;
    verified.say("signature", Ok("a key you trust signed the statement".to_owned()), Outcome::Broken);
    verified.say("statement", form(&statement), Outcome::Broken);
    let checkpoint = trust::checkpoint(&proof.checkpoint, &said.registry, asked.keys);
    let head = checkpoint.as_ref().map(|(head, _)| *head).ok();
    verified.say("checkpoint", checkpoint.map(|(_, says)| says), Outcome::Broken);
    let Some(head) = head else { return verified };
    verified.say("inclusion", all_included(&proof, &head), Outcome::Broken);
    verified.say("decision", decided(&proof, &statement), Outcome::Broken);
    verified.say("moment", moment(&proof, said, &head), Outcome::Broken);
    verified.say("unbroken", unbroken(&proof, said, &head), Outcome::Broken);
    verified.say("uses", used(&proof, said), Outcome::Broken);
    if proof.receipt.is_some() {
        verified.say("receipt", receipt(&proof, said, asked.keys), Outcome::Broken);
    }
    // Who is not sure what was in force need not ask of what.
    if verified.outcome() == Outcome::Broken {
        return verified;
    }
    if said.at > asked.now.plus(LAG) {
        verified.say("time", Err(format!("it is of {}, which is yet to come", said.at)), Outcome::NotValid);
    }
    if let Some(wanted) = asked.moment {
        verified.say("at", same(&wanted.to_string(), &said.at.to_string()), Outcome::NotValid);
    }
    if let Some(age) = asked.max_age {
        let found = match asked.now <= said.at.plus(age) {
            true => Ok(format!("it is of {}", said.at)),
            false => Err(format!("it is of {}, which is too long ago", said.at)),
        };
        verified.say("age", found, Outcome::NotValid);
    }
    if let Some(wanted) = asked.deployment {
        verified.say("deployment", same(wanted, &said.deployment), Outcome::NotValid);
    }
    if let Some(wanted) = asked.release {
        verified.say("release", same(wanted, &said.release), Outcome::NotValid);
    }
    if let Some(files) = asked.files {
        verified.say("artifact", matches(&statement, files), Outcome::NotValid);
    }
    verified.statement = Some(statement);
    verified
}

fn form(statement: &Statement<InForce>) -> Result<String, String> {
    let said = &statement.predicate;
    if statement.r#type != STATEMENT || statement.predicate_type != PREDICATE {
        return Err(format!("it is no in-toto Statement v1 with the predicate `{PREDICATE}`"));
    }
    if said.judged != Verdict::Allow {
        return Err("it says that the gate denied it".to_owned());
    }
    if statement.subject.is_empty() || statement.subject.iter().any(|subject| subject.digest.digest().is_none()) {
        return Err("it has no subject, or one without a SHA-256 digest".to_owned());
    }
    let due = match said.actions_due {
        0 => String::new(),
        due => format!(", {due} action(s) due"),
    };
    Ok(format!("the registry says: at {} `{}` ran under `{}`, allowed{due}", said.at, said.deployment, said.decision))
}

fn all_included(proof: &InForceProof, head: &TreeHead) -> Result<String, String> {
    let ends = [&proof.decision, &proof.last].into_iter().chain(&proof.next);
    let all: Vec<&Proven> = ends.chain(&proof.moves).chain(&proof.uses).collect();
    for one in &all {
        included(&one.entry, &one.inclusion, head)?;
        if let Some(data) = &one.data {
            committed(&one.entry, data)?;
        }
    }
    Ok(format!("{} entries shown are in that ledger, with the data shown", all.len()))
}

fn data<'p>(one: &'p Proven, what: &str) -> Result<&'p serde_json::Value, String> {
    one.data.as_ref().ok_or_else(|| format!("the data of entry {} are not there: {what}", one.entry.seq))
}

/// That the entry commits to the decision that the statement names, that it allowed, and that the release admitted the files named.
fn decided(proof: &InForceProof, statement: &Statement<InForce>) -> Result<String, String> {
    let (said, entry) = (&statement.predicate, &proof.decision.entry);
    is_decision(entry)?;
    let recorded = recorded(&committed(entry, data(&proof.decision, "the decision")?)?)?;
    let decision: &Decision = &recorded.spec;
    if decision.verdict != Verdict::Allow {
        return Err("the decision in the ledger denies".to_owned());
    }
    let agree = [
        ("id", decision.id == Uuid(recorded.id) && said.decision == format!("decision:{}", recorded.id)),
        ("deployment", decision.deployment == said.deployment),
        ("release", decision.release.as_deref() == Some(said.release.as_str())),
        ("entry", (entry.seq, entry.data) == (said.entry, said.data)),
        ("evidence", said.evidence.digest.digest() == Some(decision.evidence_digest)),
        ("moment", entry.at <= said.at),
        ("models", models(decision, statement)),
    ];
    match agree.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("the statement and the decision in the ledger differ in their {what}")),
        None => Ok(format!("`{}` allowed `{}`, recorded on {}", said.decision, said.release, entry.at)),
    }
}

/// That the moment lies between two entries that follow each other, or after the last of the tree that was signed.
fn moment(proof: &InForceProof, said: &InForce, head: &TreeHead) -> Result<String, String> {
    let last = &proof.last.entry;
    if last.seq != said.position {
        return Err(format!(
            "it says that {} entries were recorded by {}, and shows entry {}",
            said.position, said.at, last.seq
        ));
    }
    if last.at > said.at {
        return Err(format!("entry {} was recorded on {}, after {}", last.seq, last.at, said.at));
    }
    match &proof.next {
        None if head.size == last.seq => Ok(format!(
            "entry {} is the last that was recorded by {}: no later one is in the tree signed",
            last.seq, said.at
        )),
        None => Err(format!("entries follow entry {}, and it does not show when the next was recorded", last.seq)),
        Some(next) if last.seq.checked_add(1) != Some(next.entry.seq) => {
            Err(format!("entry {} does not follow entry {}", next.entry.seq, last.seq))
        }
        Some(next) if next.entry.at <= said.at => {
            Err(format!("entry {} was recorded by {}, too", next.entry.seq, said.at))
        }
        Some(next) => Ok(format!(
            "entry {} is the last that was recorded by {}: the next is of {}",
            last.seq, said.at, next.entry.at
        )),
    }
}

/// That the release was made active by the moment, and by what is shown not moved again.
fn unbroken(proof: &InForceProof, said: &InForce, head: &TreeHead) -> Result<String, String> {
    let mut active = None;
    let mut before = 0;
    for one in &proof.moves {
        let entry = &one.entry;
        if entry.kind != MOVED || entry.seq <= before || entry.seq > said.position {
            return Err(format!("entry {} is no move of a release before the moment, in its order", entry.seq));
        }
        before = entry.seq;
        let text = committed(entry, data(one, "a move")?)?;
        let moved: Moved =
            serde_json::from_str(&text).map_err(|e| format!("entry {} cannot be read: {e}", entry.seq))?;
        let of = moved.reference.rsplit_once('@').map(|(of, _)| of.replacen("release:", "deployment:", 1));
        if of.as_deref() != Some(said.deployment.as_str()) {
            return Err(format!("entry {} moves `{}`, which is of another deployment", entry.seq, moved.reference));
        }
        let own = moved.reference == said.release;
        match moved.state {
            ReleaseState::Active if own && moved.decision.is_some() => active = Some(entry.seq),
            ReleaseState::Active => active = None,
            _ if own => active = None,
            _ => {}
        }
    }
    if active != Some(said.activation) {
        return Err(format!("by the moves shown, `{}` was not active at {}", said.release, said.at));
    }
    let first = said.entry.min(said.activation);
    let Some(between) = &proof.between else {
        return Ok(format!(
            "entry {} made it active; that nothing recorded since ended it is the registry's signed word",
            said.activation
        ));
    };
    let kinds = whole(between, (first, said.position), head)?;
    let shown: Vec<&Entry> =
        proof.moves.iter().map(|one| &one.entry).chain([&proof.decision.entry, &proof.last.entry]).collect();
    for entry in shown {
        let place = entry.seq.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if place.and_then(|place| between.entries.get(place)) != Some(entry) {
            return Err(format!("entry {} is not the one that stands between", entry.seq));
        }
    }
    let moves = kinds.get(MOVED).copied().unwrap_or(0);
    let unseen = moves.saturating_sub(proof.moves.len());
    let all = between.entries.len();
    Ok(match unseen {
        0 => format!("proven: of all {all} entries up to the moment none but those shown moved any release"),
        _ => format!(
            "of all {all} entries up to the moment {unseen} more moved releases; that these are of other deployments is the registry's signed word"
        ),
    })
}

/// That entries stand in the tree without a gap; how many there are of each kind.
fn whole<'b>(
    between: &'b Between,
    (first, last): (u64, u64),
    head: &TreeHead,
) -> Result<BTreeMap<&'b str, usize>, String> {
    let before = first.checked_sub(1).ok_or("entry 0 does not exist")?;
    let edge = Edge::of(before, between.edge.clone());
    let mut edge = edge.ok_or_else(|| format!("the edge is not that of a tree of {before} entries"))?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut seq = before;
    for entry in &between.entries {
        seq += 1;
        if entry.seq != seq {
            return Err(format!("entry {seq} is missing between the decision and the moment"));
        }
        *kinds.entry(entry.kind.as_str()).or_default() += 1;
        let leaf = json::canonical(entry).map_err(|e| e.to_string())?;
        edge.push(leaf_hash(leaf.as_bytes()), |_, _: &Digest| {});
    }
    if seq != last {
        return Err(format!("entries up to {last} should be shown, and {seq} is the last"));
    }
    merkle::verify_consistency(last, &edge.root(), head.size, &head.root, &between.consistency)
        .map_err(|e| format!("the entries between are not those of that ledger: {e}"))?;
    Ok(kinds)
}

/// That the uses shown are those of the statement, of this deployment, and their time holds the moment.
fn used(proof: &InForceProof, said: &InForce) -> Result<String, String> {
    let shown: Vec<(u64, Digest)> = proof.uses.iter().map(|one| (one.entry.seq, one.entry.data)).collect();
    if shown != said.uses.iter().map(|one| (one.entry, one.data)).collect::<Vec<_>>() {
        return Err("the uses shown are not those of the statement".to_owned());
    }
    let (mut count, mut without) = (0_u64, 0);
    for one in &proof.uses {
        let entry = &one.entry;
        if (entry.kind.as_str(), entry.v) != USED {
            return Err(format!("entry {} records no uses", entry.seq));
        }
        let text = committed(entry, data(one, "uses")?)?;
        let used: Used = serde_json::from_str(&text).map_err(|e| format!("entry {} cannot be read: {e}", entry.seq))?;
        let spec = used.spec;
        if spec.deployment.to_string() != said.deployment || spec.from > said.at || said.at >= spec.to {
            return Err(format!("entry {} records uses of another deployment or another time", entry.seq));
        }
        count = count.saturating_add(spec.count);
        without += usize::from(!spec.right);
    }
    let more = if said.more_uses { ", and there are more" } else { "" };
    Ok(match (proof.uses.len(), without) {
        (0, _) => "nobody recorded a use at that moment".to_owned(),
        (all, 0) => format!("{count} uses in {all} batch(es) whose time holds the moment{more}"),
        (all, without) => format!(
            "{count} uses in {all} batch(es) whose time holds the moment{more}; of these {without} had no right over their whole time"
        ),
    })
}

fn receipt(proof: &InForceProof, said: &InForce, keys: &[Trusted]) -> Result<String, String> {
    let Some(envelope) = &proof.receipt else { return Ok(String::new()) };
    let receipt: Statement<Vsa> = trust::open(envelope, &proof.checkpoint, keys)?;
    let (vsa, terms) = (&receipt.predicate, &receipt.predicate.terms);
    let agree = (terms.decision.as_str(), terms.entry, terms.data) == (said.decision.as_str(), said.entry, said.data)
        && vsa.verifier.id == said.registry
        && vsa.resource_uri == said.deployment
        && (receipt.r#type.as_str(), receipt.predicate_type.as_str()) == (STATEMENT, VSA)
        && vsa.verification_result == "PASSED";
    match agree {
        true => Ok(format!("the receipt of that decision stood until {}", terms.valid_until)),
        false => Err("its receipt is of another decision".to_owned()),
    }
}
