//! Other people's signatures, every one of them: C2SP signed notes and checkpoints, DSSE envelopes. Their sources and licences:
//! `vectors/README.md`.
#![allow(clippy::unwrap_used, reason = "a test; the helpers are not marked as one")]

use licit_schemas::digest::Digest;
use licit_schemas::ledger::TreeHead;
use licit_schemas::merkle::{Edge, leaf_hash};
use licit_schemas::proof::checkpoint::{Checkpoint, CheckpointFault, SignedCheckpoint};
use licit_schemas::proof::dsse::{DsseFault, Envelope, pae};
use licit_schemas::proof::key::{PublicKey, SecretKey, Vkey};
use licit_schemas::proof::note::{NoteFault, SignedNote};
use proptest::prelude::*;
use serde_json::Value;

const NOTES: &str = include_str!("vectors/signed_note/vectors.json");
const ENVELOPES: &str = include_str!("vectors/dsse/vectors.json");

fn load(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn seed(hex: &Value) -> SecretKey {
    SecretKey::from_seed(&hex::decode(hex.as_str().unwrap()).unwrap().try_into().unwrap())
}

#[test]
fn published_notes_are_verified_and_no_bit_of_them_may_change() {
    let vectors = load(NOTES);
    for v in vectors["published"].as_array().unwrap() {
        let (note, vkey) = (v["note"].as_str().unwrap(), v["vkey"].as_str().unwrap());
        let vkey: Vkey = vkey.parse().unwrap();
        let read: SignedNote = note.parse().unwrap();
        assert_eq!((read.text(), read.to_string().as_str()), (v["text"].as_str().unwrap(), note));
        assert_eq!(read.verify([&vkey]).unwrap().known, [&vkey]);
        for place in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.as_bytes().to_vec();
                bytes[place] ^= 1 << bit;
                let verified = SignedNote::parse(&bytes).and_then(|read| read.verify([&vkey]).map(|_| ()));
                assert!(verified.is_err(), "byte {place}, bit {bit}");
            }
        }
    }
    // No key was published for these: their form is read.
    for v in vectors["layout_only"].as_array().unwrap() {
        let read = SignedCheckpoint::parse(v["note"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(read.checkpoint.head.size, 20_852_163);
        assert_eq!(read.note.signatures().len(), 2);
    }
}

#[test]
fn a_checkpoint_is_signed_byte_by_byte_as_elsewhere() {
    let vectors = load(NOTES);
    let v = &vectors["generated"];
    let (text, signed) = (v["checkpoint_text"].as_str().unwrap(), v["signed_checkpoint"].as_str().unwrap());
    let checkpoint = Checkpoint::parse(text).unwrap();
    assert_eq!(checkpoint.text(), text);
    let key = seed(&v["log_seed"]);
    let vkey = key.public().named(&checkpoint.origin);
    assert_eq!(vkey.to_string(), v["log_vkey"].as_str().unwrap());
    let note = SignedNote::unsigned(text).unwrap().signed(&vkey, &key.sign(text.as_bytes())).unwrap();
    let log_line = signed.lines().nth(4).unwrap();
    assert_eq!(note.to_string(), format!("{text}\n{log_line}\n"));
    // The witness's line is of a kind that is not judged here, and is passed on.
    let read = SignedCheckpoint::parse(signed.as_bytes()).unwrap();
    assert_eq!(read.checkpoint, checkpoint);
    let signers = read.verify([&vkey]).unwrap();
    assert_eq!((signers.known, signers.unknown), (vec![&vkey], vec!["`witness.example/w1+04d2d833`".to_owned()]));
    // A known key whose signature does not fit spoils the note, whoever else signed.
    let other = SecretKey::from_seed(&[7; 32]);
    let refused = SignedNote::unsigned(text).unwrap().signed(&vkey, &other.sign(text.as_bytes()));
    assert!(matches!(refused, Err(NoteFault::Signature(_))));
    assert!(matches!(read.verify([&other.public().named(&checkpoint.origin)]), Err(NoteFault::Unknown(_))));
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=";
    assert!(Checkpoint::parse(&format!("a.example\n8\n{root}\n")).is_ok());
    for text in [
        String::new(),
        format!("a.example\n08\n{root}\n"),
        format!("a.example\n+8\n{root}\n"),
        format!("a.example\n8\n{root}"),
        format!("a.example\n8\n{root}\n\n"),
        format!("a.example\n8\n{root}\nextension\n"),
        format!("a example\n8\n{root}\n"),
        format!("\n8\n{root}\n"),
        format!("a.example\n9007199254740992\n{root}\n"),
        format!("a.example\n8\n{}\n", root.replace("yg=", "yh=")),
        "a.example\n8\nAAAA\n".to_owned(),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(CheckpointFault::Form), "{text}");
    }
}

#[test]
fn a_checkpoint_continues_only_what_it_grew_from() {
    let tree = |leaves: &[u8]| {
        let (mut edge, mut stored) = (Edge::default(), Vec::new());
        for leaf in leaves {
            edge.push(leaf_hash(&[*leaf]), |_, hash| stored.push(*hash));
        }
        let head = TreeHead { size: edge.size(), root: edge.root() };
        (Checkpoint { origin: "a.example".parse().unwrap(), head }, stored)
    };
    let proof = |stored: &[Digest], old, new| {
        let read = |indexes: &[u64]| {
            Ok::<_, ()>(indexes.iter().map(|i| stored[usize::try_from(*i).unwrap()]).collect::<Vec<_>>())
        };
        licit_schemas::merkle::consistency_proof(old, new, read).unwrap()
    };
    let (old, _) = tree(&[1, 2, 3]);
    let (new, stored) = tree(&[1, 2, 3, 4, 5]);
    let path = proof(&stored, 3, 5);
    assert_eq!(new.continues(&old, &path), Ok(()));
    assert_eq!(old.continues(&old, &[]), Ok(()));
    assert_eq!(new.continues(&tree(&[]).0, &[]), Ok(()));
    // Forked, cut, exchanged.
    let (forked, other) = tree(&[1, 2, 9, 4, 5]);
    for (newer, path) in [
        (&forked, proof(&other, 3, 5)),
        (&forked, path.clone()),
        (&tree(&[1, 2]).0, vec![]),
        (&tree(&[1, 2, 9]).0, vec![]),
    ] {
        let refused = newer.continues(&old, &path);
        assert!(matches!(refused, Err(CheckpointFault::Contradiction { old: 3, .. })), "{refused:?}");
    }
    let mut elsewhere = new.clone();
    elsewhere.origin = "b.example".parse().unwrap();
    assert!(matches!(elsewhere.continues(&old, &path), Err(CheckpointFault::Origin { .. })));
}

#[test]
fn envelopes_are_judged_as_by_the_authors_of_dsse() {
    let file = load(ENVELOPES);
    let key = |name: &Value| {
        let bytes = hex::decode(file["keys"][name.as_str().unwrap()]["public"].as_str().unwrap()).unwrap();
        PublicKey::from_bytes(&bytes.try_into().unwrap()).unwrap()
    };
    let vectors = file["vectors"].as_array().unwrap();
    for v in vectors {
        let (id, expect) = (v["id"].as_str().unwrap(), v["expect"].as_str().unwrap());
        let envelope = Envelope::parse(v["envelope"].to_string().as_bytes()).unwrap();
        // The signed type of the swapped one is not the one it claims.
        if id != "payload-type-swapped" {
            assert_eq!(hex::encode(envelope.pae()), v["pae"].as_str().unwrap(), "{id}");
        }
        let trusted: Vec<PublicKey> = v["trustedKeys"].as_array().unwrap().iter().map(key).collect();
        let supported: Vec<&str> =
            v["supportedPayloadTypes"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        let threshold = usize::try_from(v["threshold"].as_u64().unwrap()).unwrap();
        let verdict = envelope.verify(&trusted, threshold, &supported);
        assert_eq!(verdict.is_ok(), expect == "accept", "{id}: {verdict:?}");
        assert!(envelope.verify(&trusted, 0, &supported).is_err(), "a threshold of 0 asks for nothing");
        // Written again and read again, it is the same.
        assert_eq!(Envelope::parse(envelope.to_json().to_string().as_bytes()).unwrap(), envelope, "{id}");
    }
    assert_eq!(vectors.len(), 9);
    let example = &file["ecdsa_example"];
    let body = example["serialized_body"].as_str().unwrap().as_bytes();
    assert_eq!(pae(example["payload_type"].as_str().unwrap(), body), example["pae"].as_str().unwrap().as_bytes());
}

#[test]
fn an_envelope_is_signed_as_in_the_vectors() {
    let file = load(ENVELOPES);
    let vector = &file["vectors"][0];
    let wanted = Envelope::parse(vector["envelope"].to_string().as_bytes()).unwrap();
    let key = seed(&file["keys"]["A"]["seed"]);
    let payload = wanted.verify(&[key.public()], 1, &["application/vnd.in-toto+json"]).unwrap();
    let made = Envelope::unsigned("application/vnd.in-toto+json", payload.to_vec());
    let signature = key.sign(&made.pae());
    assert_eq!(made.clone().signed(&key.public(), Some("A".to_owned()), &signature).unwrap(), wanted);
    let other = SecretKey::from_seed(&[7; 32]);
    assert!(matches!(made.signed(&other.public(), None, &signature), Err(DsseFault::Signatures { .. })));
}

#[test]
fn what_is_no_envelope_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"payload":"","payloadType":"t","signatures":[{}]}"#,
        r#"{"payload":"*","payloadType":"t","signatures":[]}"#,
        r#"{"payload":"-/","payloadType":"t","signatures":[]}"#,
        r#"{"payload":"","payload":"","payloadType":"t","signatures":[]}"#,
    ] {
        assert!(matches!(Envelope::parse(text.as_bytes()), Err(DsseFault::Form(_))), "{text}");
    }
    let many = vec![r#"{"sig":""}"#; 101].join(",");
    let many = format!(r#"{{"payload":"","payloadType":"t","signatures":[{many}]}}"#);
    assert!(matches!(Envelope::parse(many.as_bytes()), Err(DsseFault::Form(_))));
    // What it does not know, it passes over.
    assert!(Envelope::parse(br#"{"payload":"","payloadType":"t","signatures":[{"sig":"","x":1}],"y":2}"#).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        for bytes in [&bytes[..], text.as_bytes(), format!("a.example\n{text}\n\n— a.example {text}\n").as_bytes()] {
            let _ = Envelope::parse(bytes);
            let _ = SignedCheckpoint::parse(bytes);
            if let Ok(note) = SignedNote::parse(bytes) {
                let again = note.to_string();
                prop_assert_eq!(again.as_bytes(), bytes);
            }
        }
        let _ = Checkpoint::parse(&text);
    }
}
