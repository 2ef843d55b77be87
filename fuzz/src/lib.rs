//! What is fuzzed: each function takes any bytes, and must neither panic, nor hang, nor take what it did not read.

use licit_schemas::digest::Digest;
use licit_schemas::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use licit_schemas::proof::dsse::Envelope;
use licit_schemas::proof::export::read::{Wanted, verify};
use licit_schemas::proof::key::{PublicKey, SecretKey, Vkey};
use licit_schemas::proof::note::SignedNote;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::tile::{Tile, bundle, unbundle};
use licit_schemas::proof::trust::{Outcome, Trusted};
use licit_schemas::proof::{in_force, passport, receipt};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use licit_schemas::{
    condition, consent, document, gate, json, lawfulness, merkle, notices, policy, registration, registry, review,
};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("json", json),
    ("documents", documents),
    ("references", references),
    ("keys", keys),
    ("notes", notes),
    ("envelopes", envelopes),
    ("receipts", receipts),
    ("tiles", tiles),
    ("exports", exports),
    ("proofs", proofs),
    ("conditions", conditions),
];

/// Strict JSON; what has a canonical form has it for good.
pub fn json(bytes: &[u8]) {
    if let Ok(value) = json::parse(bytes)
        && let Ok(text) = json::canonical(&value)
    {
        let again = json::parse(text.as_bytes()).expect("the canonical form is JSON");
        assert_eq!(json::canonical(&again).expect("what is canonical has a canonical form"), text);
    }
}

/// Bodies of requests: schema, then type.
pub fn documents(bytes: &[u8]) {
    let _ = document::read::<registration::Registration>(bytes);
    let _ = document::read::<registry::RunSpec>(bytes);
    let _ = document::read::<registry::SystemSpec>(bytes);
    let _ = document::read::<lawfulness::BasisSpec>(bytes);
    let _ = document::read::<notices::NoticeSpec>(bytes);
    let _ = document::read::<policy::PolicySpec>(bytes);
    let _ = document::read::<review::ReviewCreate>(bytes);
    let _ = document::read::<gate::GateRequest>(bytes);
    let _ = document::read::<consent::ConsentRecord>(bytes);
}

/// References: what is read is written as it was.
pub fn references(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(reference) = text.parse::<Ref>()
    {
        assert_eq!(reference.to_string().parse::<Ref>().expect("what was written is read"), reference);
    }
}

/// Keys and names of ledgers.
pub fn keys(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = text.parse::<SecretKey>();
    let _ = text.parse::<PublicKey>();
    let _ = text.parse::<Origin>();
    if let Ok(vkey) = text.parse::<Vkey>() {
        assert_eq!(vkey.to_string(), text);
    }
}

/// Signed notes and checkpoints: one spelling only, and no key nobody has.
pub fn notes(bytes: &[u8]) {
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.checkpoint.text(), signed.note.text());
        let stranger = SecretKey::from_seed(&[42; 32]).public().named(&signed.checkpoint.origin);
        assert!(signed.verify([&stranger]).is_err());
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(checkpoint) = Checkpoint::parse(text)
    {
        assert_eq!(checkpoint.text(), text);
    }
}

/// DSSE envelopes.
pub fn envelopes(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let again = Envelope::parse(envelope.to_json().to_string().as_bytes()).expect("what was written is read");
        assert_eq!(again, envelope);
        let stranger = SecretKey::from_seed(&[42; 32]).public();
        assert!(envelope.verify(&[stranger], 1, &["application/vnd.in-toto+json"]).is_err());
    }
}

/// Receipts, proofs of a moment and passports: what nobody trusted signed is broken; and signed, whatever they say, nothing of them makes a
/// verifier stumble.
pub fn receipts(bytes: &[u8]) {
    let stranger = [Trusted::Bare(SecretKey::from_seed(&[42; 32]).public())];
    asked(bytes, &stranger, |outcome| assert_eq!(outcome, Outcome::Broken));
    let own = SecretKey::from_seed(&[7; 32]);
    if let Some(signed) = signed(bytes, &own) {
        asked(&signed, &[Trusted::Bare(own.public())], |_| {});
    }
}

fn asked(bytes: &[u8], keys: &[Trusted], found: impl Fn(Outcome)) {
    let at: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a moment");
    let (max_age, files) = (None, None);
    let (deployment, release) = (Some("deployment:score-prod"), None);
    let receipt = receipt::verify::Asked { keys, at, max_age, deployment, release, intent: Some(gate::Intent::Start), files };
    found(receipt::verify::verify(bytes, &receipt).outcome());
    let proof = in_force::verify::Asked { keys, now: at, moment: Some(at), max_age, deployment, release, files };
    found(in_force::verify::verify(bytes, &proof).outcome());
    found(passport::verify::verify(bytes, &passport::verify::Asked { keys, at, max_age, files }).outcome());
}

/// The same file, its statements and its checkpoint signed by this key.
fn signed(bytes: &[u8], key: &SecretKey) -> Option<Vec<u8>> {
    let mut file = json::parse(bytes).ok()?;
    for name in ["envelope", "receipt"] {
        let Some(sealed) = file.get(name) else { continue };
        let envelope = Envelope::parse(sealed.to_string().as_bytes()).ok()?;
        let signature = key.sign(&envelope.pae());
        let envelope = envelope.signed(&key.public(), None, &signature).ok()?;
        *file.get_mut(name)? = envelope.to_json();
    }
    let text = file.get("checkpoint")?.as_str()?;
    let (text, _) = text.rsplit_once("\n\n")?;
    let text = format!("{text}\n");
    let origin: Origin = text.lines().next()?.parse().ok()?;
    let note = SignedNote::unsigned(&text).ok()?.signed(&key.public().named(&origin), &key.sign(text.as_bytes())).ok()?;
    *file.get_mut("checkpoint")? = note.to_string().into();
    serde_json::to_vec(&file).ok()
}

/// Paths of tiles, and bundles of entries.
pub fn tiles(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(tile) = Tile::parse(text)
    {
        assert_eq!(tile.path(), text);
        assert_eq!(tile.indexes().len() as u64, tile.width);
    }
    if let Some(entries) = unbundle(bytes) {
        assert_eq!(bundle(entries).expect("they fit as they did"), bytes);
    }
}

/// Exports: nobody can make one that holds without the key.
pub fn exports(bytes: &[u8]) {
    let wanted = Wanted {
        keys: vec![SecretKey::from_seed(&[42; 32]).public().named(&"a.example".parse().expect("a name"))],
        older: None,
    };
    assert!(verify(bytes, &wanted, |_, _| {}).is_err());
    let _ = verify(bytes, &Wanted::default(), |_, _| {});
}

/// Merkle proofs of any numbers and hashes.
pub fn proofs(bytes: &[u8]) {
    let (numbers, _) = bytes.as_chunks::<8>();
    let [Some(a), Some(b)] = [numbers.first(), numbers.get(1)].map(|n| n.map(|n| u64::from_be_bytes(*n))) else {
        return;
    };
    let (hashes, _) = bytes.as_chunks::<32>();
    let path: Vec<Digest> = hashes.iter().take(70).map(|hash| Digest::from_bytes(*hash)).collect();
    let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
    for (a, b) in [(a, b), (a % 64, b % 64)] {
        assert!(merkle::verify_inclusion(&one, a, b, &path, &other).is_err());
        assert!(merkle::verify_consistency(a, &one, b, &other, &path).is_err());
    }
}

/// Conditions of an organisation's own rules.
pub fn conditions(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for condition in condition::read(&[text]).into_iter().flatten() {
            let _ = condition::judge(&[&condition], &serde_json::json!({"view": {"sources": []}}));
        }
    }
}
