//! What is fuzzed: each function takes any bytes, and must neither panic, nor hang, nor take what it did not read.

use licit_schemas::digest::Digest;
use licit_schemas::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use licit_schemas::proof::dsse::Envelope;
use licit_schemas::proof::export::read::{Wanted, verify};
use licit_schemas::proof::key::{PublicKey, SecretKey, Vkey};
use licit_schemas::proof::note::SignedNote;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::tile::{Tile, bundle, unbundle};
use licit_schemas::reference::Ref;
use licit_schemas::{
    condition, consent, document, gate, json, lawfulness, merkle, notices, policy, registration, registry, review,
};

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 10] = [
    ("json", json),
    ("documents", documents),
    ("references", references),
    ("keys", keys),
    ("notes", notes),
    ("envelopes", envelopes),
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
        // A double from 2^53 to 10^21 is printed without a point (RFC 8785), and an integer as large is refused: known.
        match json::canonical(&again) {
            Ok(twice) => assert_eq!(twice, text),
            Err(fault) => assert!(fault.problem.contains("is beyond 2^53 - 1"), "{fault}"),
        }
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
