//! A receipt holds, for what it is of; else what does not hold is named. Bundles of other people are read, or refused as they must be.
#![allow(clippy::unwrap_used, reason = "a test; the helpers are not marked as one")]

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::Duration;
use licit_schemas::digest::Digest;
use licit_schemas::gate::{Decision, Intent, Verdict};
use licit_schemas::json::canonical;
use licit_schemas::ledger::{Entry, InclusionProof, TreeHead};
use licit_schemas::merkle::{Edge, inclusion_proof, leaf_hash};
use licit_schemas::proof::bundle;
use licit_schemas::proof::checkpoint::Checkpoint;
use licit_schemas::proof::dsse::{Envelope, pae};
use licit_schemas::proof::key::{PublicKey, SecretKey};
use licit_schemas::proof::note::SignedNote;
use licit_schemas::proof::oms;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::receipt::verify::{Asked, Outcome, Trusted, Verified, verify};
use licit_schemas::proof::receipt::{FORM, Receipt, Sealed};
use licit_schemas::proof::statement::{
    Descriptor, PAYLOAD, PREDICATE, SLSA, STATEMENT, Statement, Subject, Terms, Verifier, Vsa,
};
use licit_schemas::registry::uuid_text::Uuid;
use licit_schemas::registry::{Mode, ModelFile};
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

const ID: &str = "01939f00-0000-7000-8000-000000000001";
const DEPLOYMENT: &str = "deployment:vote-forecast";
const NOW: &str = "2026-11-29T12:00:00Z";

fn origin() -> Origin {
    "registry.example/ledger".parse().unwrap()
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn decision() -> Decision {
    Decision {
        id: Uuid(ID.parse().unwrap()),
        deployment: DEPLOYMENT.to_owned(),
        release: Some("release:vote-forecast@2".to_owned()),
        intent: Intent::Start,
        verdict: Verdict::Allow,
        passes: true,
        baselines: Vec::new(),
        break_glass: None,
        ended: None,
        mode: Mode::Enforce,
        position: 9,
        valid_at: at("2026-11-29T10:00:00Z"),
        rules_version: "7".to_owned(),
        policy: "policy:organisation@3, policy:default@1".to_owned(),
        vocabulary_digest: digest("vocabulary"),
        evidence_digest: digest("evidence"),
        models: BTreeMap::from([("model:vote@2".to_owned(), vec![digest("a"), digest("b")])]),
        findings: Vec::new(),
        actions_due: Vec::new(),
    }
}

fn subject(name: &str, digest: Digest, model: Option<&str>) -> Subject {
    let annotations = model.map(|model| ("model".to_owned(), model.to_owned())).into_iter().collect();
    Subject { name: name.to_owned(), digest: digest.into(), annotations }
}

fn statement(decision: &Decision, data: Digest) -> Statement {
    let files = [("a.bin", digest("a")), ("sub/b.bin", digest("b"))];
    let root = oms::root(files.iter().map(|(path, digest)| (*path, digest))).unwrap();
    let named = files.iter().map(|(path, digest)| subject(path, *digest, Some("model:vote@2")));
    Statement {
        r#type: STATEMENT.to_owned(),
        subject: [subject("model:vote@2", root, None)].into_iter().chain(named).collect(),
        predicate_type: PREDICATE.to_owned(),
        predicate: Vsa {
            verifier: Verifier {
                id: format!("https://{}", origin()),
                version: BTreeMap::from([("rules".to_owned(), decision.rules_version.clone())]),
            },
            time_verified: decision.valid_at,
            resource_uri: decision.deployment.clone(),
            policy: Descriptor { uri: decision.policy.replace(", ", ","), digest: digest("policy").into() },
            input_attestations: vec![Descriptor {
                uri: format!("decision:{ID}/evidence"),
                digest: decision.evidence_digest.into(),
            }],
            verification_result: "PASSED".to_owned(),
            verified_levels: vec!["LICIT_PURPOSE_APPROVED".to_owned()],
            slsa_version: SLSA.to_owned(),
            terms: Terms {
                decision: format!("decision:{ID}"),
                release: decision.release.clone().unwrap_or_default(),
                intent: decision.intent,
                valid_until: at("2026-11-30T10:00:00Z"),
                valid_until_for: "policy lets a receipt stand for 24 hours".to_owned(),
                position: decision.position,
                entry: 10,
                data,
                vocabulary: decision.vocabulary_digest,
                actions_due: decision.actions_due.len() as u64,
            },
        },
    }
}

fn sealed(payload: Vec<u8>, by: &SecretKey) -> Sealed {
    let envelope = Envelope::unsigned(PAYLOAD, payload);
    let signature = by.sign(&envelope.pae());
    Sealed::of(&envelope.signed(&by.public(), Some("a hint".to_owned()), &signature).unwrap()).unwrap()
}

/// A receipt of a decision in the tenth entry of a ledger of thirteen, with what is to be changed in it changed before it is signed.
fn receipt(change: impl Fn(&mut Decision), say: impl Fn(&mut Statement)) -> Receipt {
    let mut decision = decision();
    change(&mut decision);
    let data = json!({"id": ID, "rev": 1, "spec": decision});
    let text = canonical(&data).unwrap();
    let entry = |seq: u64, data: &str| Entry {
        seq,
        kind: "decision.made".to_owned(),
        v: 1,
        at: at("2026-11-29T10:00:00Z"),
        actor: Uuid(uuid::Uuid::nil()),
        data: digest(data),
    };
    let own = entry(10, &text);
    let (mut edge, mut stored) = (Edge::default(), Vec::new());
    let mut leaf = None;
    for seq in 1..=13 {
        let entry = if seq == 10 { own.clone() } else { entry(seq, "{}") };
        let hash = leaf_hash(canonical(&entry).unwrap().as_bytes());
        leaf = leaf.or((seq == 10).then_some(hash));
        edge.push(hash, |_, node| stored.push(*node));
    }
    let read = |indexes: &[u64]| -> Result<Vec<Digest>, ()> {
        Ok(indexes.iter().map(|i| stored[usize::try_from(*i).unwrap()]).collect())
    };
    let path = inclusion_proof(9, 13, read).unwrap();
    let head = TreeHead { size: 13, root: edge.root() };
    let text_of = Checkpoint { origin: origin(), head }.text();
    let note = SignedNote::unsigned(&text_of).unwrap();
    let note = note.signed(&key(1).public().named(&origin()), &key(1).sign(text_of.as_bytes())).unwrap();
    let mut statement = statement(&decision, own.data);
    say(&mut statement);
    Receipt {
        form: FORM.to_owned(),
        envelope: sealed(statement.bytes().unwrap(), &key(1)),
        inclusion: InclusionProof { seq: 10, size: 13, leaf_hash: leaf.unwrap(), root: head.root, path },
        entry: own,
        data,
        checkpoint: note.to_string(),
    }
}

fn good() -> Receipt {
    receipt(|_| (), |_| ())
}

fn named() -> Vec<Trusted> {
    vec![Trusted::Named(key(1).public().named(&origin()))]
}

fn asked(keys: &[Trusted]) -> Asked<'_> {
    Asked { keys, at: at(NOW), max_age: None, deployment: None, release: None, intent: None, files: None }
}

fn bytes(receipt: &Receipt) -> Vec<u8> {
    serde_json::to_vec(receipt).unwrap()
}

/// Of the first that does not hold: which, how bad, and in which words.
#[track_caller]
fn fault(verified: &Verified) -> (&'static str, Outcome, String) {
    let bad = verified.checks.iter().find(|check| check.outcome != Outcome::Holds);
    let bad = bad.unwrap_or_else(|| panic!("all holds: {verified:#?}"));
    (bad.check, bad.outcome, bad.says.clone())
}

fn files(list: &[(&str, &str)]) -> Vec<ModelFile> {
    let file =
        |(path, bytes): &(&str, &str)| ModelFile { path: path.parse().unwrap(), digest: digest(bytes), size: None };
    list.iter().map(file).collect()
}

#[test]
fn a_receipt_holds_under_a_key_in_any_of_its_spellings() {
    let receipt = bytes(&good());
    let public = key(1).public();
    for text in [public.named(&origin()).to_string(), public.pem(), public.to_string()] {
        let keys: Vec<Trusted> = vec![text.parse().unwrap()];
        let there = files(&[("m/a.bin", "a"), ("m/sub/b.bin", "b")]);
        let verified = verify(
            &receipt,
            &Asked {
                max_age: Some(Duration::hours(2)),
                deployment: Some(DEPLOYMENT),
                release: Some("release:vote-forecast@2"),
                intent: Some(Intent::Start),
                files: Some(&there),
                ..asked(&keys)
            },
        );
        assert_eq!(verified.outcome(), Outcome::Holds, "{verified:#?}");
        assert_eq!(verified.checks.len(), 11);
        assert_eq!(verified.statement.unwrap().predicate.resource_uri, DEPLOYMENT);
    }
    assert!("nothing".parse::<Trusted>().is_err());
}

#[test]
fn a_sound_receipt_is_not_valid_for_another_moment_place_or_file() {
    let (receipt, keys) = (bytes(&good()), named());
    let own = files(&[("a.bin", "a"), ("sub/b.bin", "b")]);
    let more = files(&[("a.bin", "a"), ("sub/b.bin", "b"), ("c.bin", "c")]);
    let swapped = files(&[("a.bin", "b"), ("sub/b.bin", "a")]);
    let base = asked(&keys);
    let cases: [(&str, Asked<'_>, &str); 9] = [
        ("validity", Asked { at: at("2026-11-30T10:00:00Z"), ..base }, "it ended"),
        ("validity", Asked { at: at("2026-11-29T09:58:00Z"), ..base }, "yet to come"),
        ("age", Asked { max_age: Some(Duration::minutes(119)), ..base }, "too long ago"),
        ("deployment", Asked { deployment: Some("deployment:other"), ..base }, "not `deployment:other`"),
        ("release", Asked { release: Some("release:vote-forecast@3"), ..base }, "not `release:vote-forecast@3`"),
        ("artifact", Asked { files: Some(&own[..1]), ..base }, "not there as admitted, such as `sub/b.bin`"),
        ("artifact", Asked { files: Some(&more), ..base }, "were not admitted, such as `c.bin`"),
        ("artifact", Asked { files: Some(&swapped), ..base }, "were not admitted"),
        ("artifact", Asked { files: Some(&[]), ..base }, "not there as admitted"),
    ];
    for (check, asked, words) in cases {
        let found = fault(&verify(&receipt, &asked));
        assert_eq!((found.0, found.1), (check, Outcome::NotValid), "{found:?}");
        assert!(found.2.contains(words), "`{words}` in {found:?}");
    }
    assert_eq!(verify(&receipt, &Asked { files: Some(&own), ..base }).outcome(), Outcome::Holds);
    // A clock that lags a little sees what is just decided.
    assert_eq!(verify(&receipt, &Asked { at: at("2026-11-29T09:59:30Z"), ..base }).outcome(), Outcome::Holds);
    let on = bytes(&super_receipt(Intent::Continue));
    assert_eq!(fault(&verify(&on, &Asked { intent: Some(Intent::Start), ..base })).0, "intent");
    assert_eq!(verify(&on, &Asked { intent: Some(Intent::Continue), ..base }).outcome(), Outcome::Holds);
    assert_eq!(verify(&receipt, &Asked { intent: Some(Intent::Continue), ..base }).outcome(), Outcome::Holds);
}

fn super_receipt(intent: Intent) -> Receipt {
    receipt(|decision| decision.intent = intent, |_| ())
}

#[test]
fn what_nobody_trusted_signed_is_not_read() {
    let receipt = good();
    for keys in [vec![], vec![Trusted::Bare(key(2).public())]] {
        let verified = verify(&bytes(&receipt), &asked(&keys));
        assert_eq!(fault(&verified).0, "signature");
        assert_eq!((verified.checks.len(), verified.statement), (1, None));
    }
    // Trusted for another ledger: its word counts for nothing here, neither alone nor beside a key of this one.
    let elsewhere = |n: u8| Trusted::Named(key(n).public().named(&"other.example".parse().unwrap()));
    assert_eq!(fault(&verify(&bytes(&receipt), &asked(&[elsewhere(1)]))).0, "signature");
    let payload = BASE64_STANDARD.decode(&receipt.envelope.payload).unwrap();
    let envelope = Envelope::unsigned(PAYLOAD, payload.clone());
    let signature = key(2).sign(&envelope.pae());
    let envelope = Sealed::of(&envelope.signed(&key(2).public(), None, &signature).unwrap()).unwrap();
    let both: Vec<Trusted> = named().into_iter().chain([elsewhere(2)]).collect();
    let found = fault(&verify(&bytes(&Receipt { envelope, ..receipt.clone() }), &asked(&both)));
    assert_eq!((found.0, found.1), ("signature", Outcome::Broken));
    // Signed as another type of payload.
    let envelope = Envelope::unsigned("application/json", payload);
    let signature = key(1).sign(&envelope.pae());
    let envelope = Sealed::of(&envelope.signed(&key(1).public(), None, &signature).unwrap()).unwrap();
    let found = fault(&verify(&bytes(&Receipt { envelope, ..receipt }), &asked(&named())));
    assert_eq!((found.0, found.1), ("signature", Outcome::Broken));
}

#[test]
fn what_statement_entry_and_checkpoint_say_must_be_one_thing() {
    type Say = fn(&mut Statement);
    let said: [(&str, Say, &str); 15] = [
        ("statement", |s| s.r#type = "x".to_owned(), "no in-toto Statement"),
        ("statement", |s| s.predicate_type = "https://slsa.dev/provenance/v1".to_owned(), "no in-toto Statement"),
        ("statement", |s| s.predicate.verification_result = "FAILED".to_owned(), "`FAILED`"),
        ("statement", |s| s.predicate.verified_levels.push("SLSA_BUILD_LEVEL_3".to_owned()), "SLSA_BUILD"),
        ("statement", |s| s.subject.clear(), "no subject"),
        ("checkpoint", |s| s.predicate.verifier.id = "https://elsewhere.example".to_owned(), "elsewhere"),
        ("decision", |s| s.predicate.resource_uri = "deployment:other".to_owned(), "deployment"),
        ("decision", |s| s.predicate.terms.release = "release:vote-forecast@3".to_owned(), "release"),
        ("decision", |s| s.predicate.policy.uri = "policy:organisation@4".to_owned(), "policy"),
        ("decision", |s| s.predicate.input_attestations.clear(), "evidence"),
        ("decision", |s| s.predicate.terms.entry = 11, "entry"),
        ("decision", |s| s.predicate.time_verified = at("2026-11-29T11:00:00Z"), "moment"),
        ("decision", |s| s.subject[0].digest = digest("another root").into(), "models"),
        ("decision", |s| s.subject[1].digest = digest("another file").into(), "models"),
        ("decision", |s| s.subject[2].annotations = BTreeMap::from([("model".into(), "model:x@1".into())]), "models"),
    ];
    for (check, say, words) in said {
        let found = fault(&verify(&bytes(&receipt(|_| (), say)), &asked(&named())));
        assert_eq!((found.0, found.1), (check, Outcome::Broken), "{words}: {found:?}");
        assert!(found.2.contains(words), "`{words}` in {found:?}");
    }
    type Change = fn(&mut Decision);
    let recorded: [(Change, &str); 5] = [
        (|d| d.verdict = Verdict::Deny, "mode of its environment"),
        (|d| (d.verdict, d.passes) = (Verdict::Deny, false), "the gate denied it"),
        (|d| (d.verdict, d.break_glass) = (Verdict::Deny, Some("break-glass:x@1".into())), "`break-glass:x@1` only"),
        (|d| (d.verdict, d.baselines) = (Verdict::Deny, vec!["baseline:x@1".into()]), "`baseline:x@1` only"),
        (|d| d.passes = false, "time to live"),
    ];
    for (change, words) in recorded {
        let found = fault(&verify(&bytes(&receipt(change, |_| ())), &asked(&named())));
        assert_eq!((found.0, found.1), ("decision", Outcome::Broken), "{found:?}");
        assert!(found.2.contains(words), "`{words}` in {found:?}");
    }
}

/// Whatever is turned in a receipt, it does not hold any more, unless only a hint was, or what the proof says of itself.
#[test]
fn no_member_of_a_receipt_may_change() {
    let sound = serde_json::to_value(good()).unwrap();
    let unread = ["/envelope/signatures/0/keyid", "/inclusion/leaf_hash", "/inclusion/root"];
    let mut turned = 0;
    let mut each = vec![String::new()];
    while let Some(pointer) = each.pop() {
        match sound.pointer(&pointer).unwrap() {
            Value::Object(members) => {
                let escaped = |name: &String| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                each.extend(members.keys().map(escaped));
            }
            Value::Array(items) => each.extend((0..items.len()).map(|place| format!("{pointer}/{place}"))),
            value => {
                let mut other = sound.clone();
                *other.pointer_mut(&pointer).unwrap() = match value {
                    Value::String(text) if pointer == "/checkpoint" => text.replacen("13", "14", 1).into(),
                    Value::String(text) => {
                        let first = if text.starts_with('A') { 'B' } else { 'A' };
                        format!("{first}{}", text.chars().skip(1).collect::<String>()).into()
                    }
                    Value::Number(number) => (number.as_u64().unwrap() + 1).into(),
                    Value::Bool(is) => (!is).into(),
                    _ => json!("x"),
                };
                let holds = verify(other.to_string().as_bytes(), &asked(&named())).outcome() == Outcome::Holds;
                // What is read as a digest is not read any more, whatever uses it.
                assert!(!holds || unread.contains(&pointer.as_str()), "{pointer}");
                turned += 1;
            }
        }
    }
    assert!(turned > 35, "{turned}");
    for pointer in ["/inclusion/path", "/envelope/signatures"] {
        let mut other = sound.clone();
        other.pointer_mut(pointer).unwrap().as_array_mut().unwrap().pop();
        assert_eq!(verify(other.to_string().as_bytes(), &asked(&named())).outcome(), Outcome::Broken, "{pointer}");
    }
    let mut more = sound.clone();
    more["more"] = json!(1);
    assert_eq!(fault(&verify(more.to_string().as_bytes(), &asked(&named()))).0, "form");
    for bytes in [&b""[..], b"{}", b"[]", b"null", b"\xff", b"{\"form\":1}"] {
        assert_eq!(fault(&verify(bytes, &asked(&named()))).0, "form");
    }
}

#[test]
fn bundles_of_others_are_read_or_refused_and_their_roots_recomputed() {
    let read = |name: &str| {
        let path = format!("{}/tests/vectors/oms/{name}.bundle.json", env!("CARGO_MANIFEST_DIR"));
        bundle::envelope(&std::fs::read(path).unwrap())
    };
    let payload = |envelope: &Envelope| -> Value {
        let payload = envelope.to_json()["payload"].as_str().unwrap().to_owned();
        serde_json::from_slice(&BASE64_STANDARD.decode(payload).unwrap()).unwrap()
    };
    for name in ["valid/key", "valid/certificate", "valid/sigstore"] {
        let statement = payload(&read(name).unwrap());
        let digests = |of: &Value| format!("sha256:{}", of.as_str().unwrap()).parse::<Digest>().unwrap();
        let resources = statement["predicate"]["resources"].as_array().unwrap();
        let files: Vec<(&str, Digest)> =
            resources.iter().map(|r| (r["name"].as_str().unwrap(), digests(&r["digest"]))).collect();
        let root = oms::root(files.iter().map(|(path, digest)| (*path, digest))).unwrap();
        assert_eq!(root, digests(&statement["subject"][0]["digest"]["sha256"]), "{name}");
    }
    for name in ["empty", "missing-envelope", "missing-tlog-entries", "missing-verification-material"] {
        assert!(read(&format!("invalid/{name}")).is_err(), "{name}");
    }
    // A bundle like any other, of a statement that is not ours.
    let strange = payload(&read("invalid-payload/wrong-predicate").unwrap());
    assert_ne!(strange["predicateType"], PREDICATE);
    assert!(serde_json::from_value::<Statement>(strange).is_err());
}

#[test]
fn our_envelope_becomes_a_bundle_and_is_read_back() {
    let envelope = good().envelope.open().unwrap();
    let made = bundle::bundle(&envelope, "hint").unwrap();
    assert_eq!(made["verificationMaterial"], json!({"publicKey": {"hint": "hint"}, "tlogEntries": []}));
    assert_eq!(bundle::envelope(made.to_string().as_bytes()).unwrap(), envelope);
    let twice = envelope.clone().signed(&key(2).public(), None, &key(2).sign(&envelope.pae())).unwrap();
    assert!(bundle::bundle(&twice, "hint").is_err());
    assert!(bundle::bundle(&Envelope::unsigned(PAYLOAD, Vec::new()), "hint").is_err());
}

/// A verification summary that was made, written canonically and signed elsewhere.
#[test]
fn a_summary_is_signed_byte_by_byte_as_elsewhere() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/dsse/generated_vsa_svr.json")).unwrap();
    let key: PublicKey = vectors["public_key_pem"].as_str().unwrap().parse().unwrap();
    for item in vectors["items"].as_array().unwrap() {
        let written = canonical(&item["statement"]).unwrap();
        assert_eq!(written, item["payload_utf8"].as_str().unwrap());
        let encoded = Digest::of(&pae(PAYLOAD, written.as_bytes()));
        assert_eq!(encoded.hex(), item["pae_sha256"].as_str().unwrap());
        let envelope = Envelope::parse(item["envelope"].to_string().as_bytes()).unwrap();
        assert_eq!(envelope.verify(&[key], 1, &[PAYLOAD]).unwrap(), written.as_bytes());
        assert!(envelope.verify(&[SecretKey::from_seed(&[9; 32]).public()], 1, &[PAYLOAD]).is_err());
    }
}
