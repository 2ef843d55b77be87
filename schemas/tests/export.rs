//! An export holds, or what does not hold is named: thousands of bits turned, and a file cut, reordered, forked.
#![allow(clippy::unwrap_used, reason = "a test; the helpers are not marked as one")]

use licit_schemas::digest::Digest;
use licit_schemas::json::canonical;
use licit_schemas::ledger::{Entry, KeyIntroduced, KeyRetired, LedgerNamed, TreeHead};
use licit_schemas::merkle::{Edge, leaf_hash};
use licit_schemas::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use licit_schemas::proof::export::read::{Verified, Wanted, verify};
use licit_schemas::proof::export::{README, data_path, keys_text};
use licit_schemas::proof::key::{SecretKey, Vkey};
use licit_schemas::proof::levels::Levels;
use licit_schemas::proof::note::SignedNote;
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::ring::KeyRing;
use licit_schemas::proof::tile::{self, Content, Tile};
use licit_schemas::proof::ustar::member;
use licit_schemas::registry::uuid_text::Uuid;

/// Entries of the ledger of these tests: two bundles and a piece.
const SIZE: u64 = 600;
/// Entry that introduces the second key, and the one that retires the first.
const INTRODUCED: u64 = 300;
const RETIRED: u64 = 310;

fn origin() -> Origin {
    "registry.example/audit".parse().unwrap()
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

fn vkey(n: u8) -> Vkey {
    key(n).public().named(&origin())
}

/// A ledger; another one from `fork` on.
fn ledger(fork: u64) -> Vec<(Entry, String)> {
    let data = |seq: u64| match seq {
        1 => ("ledger.named", canonical(&LedgerNamed { origin: origin() })),
        2 => ("signing_key.introduced", canonical(&KeyIntroduced { key: vkey(1) })),
        INTRODUCED => ("signing_key.introduced", canonical(&KeyIntroduced { key: vkey(2) })),
        RETIRED => ("signing_key.retired", canonical(&KeyRetired { key: vkey(1) })),
        _ => (
            "vote.cast",
            canonical(&serde_json::json!({"choice": if seq < fork { "approve" } else { "reject" }, "n": seq})),
        ),
    };
    let entry = |seq: u64| {
        let (kind, text) = data(seq);
        let text = text.unwrap();
        let at = "2026-11-29T10:00:00Z".parse().unwrap();
        let entry = Entry {
            seq,
            kind: kind.to_owned(),
            v: 1,
            at,
            actor: Uuid(uuid::Uuid::nil()),
            data: Digest::of(text.as_bytes()),
        };
        (entry, text)
    };
    (1..=SIZE).map(entry).collect()
}

fn signed(entries: &[(Entry, String)], size: u64, keys: &[u8]) -> SignedCheckpoint {
    let mut edge = Edge::default();
    for (entry, _) in &entries[..usize::try_from(size).unwrap()] {
        edge.push(leaf_hash(canonical(entry).unwrap().as_bytes()), |_, _| {});
    }
    let checkpoint = Checkpoint { origin: origin(), head: TreeHead { size, root: edge.root() } };
    let mut note = SignedNote::unsigned(&checkpoint.text()).unwrap();
    for n in keys {
        note = note.signed(&vkey(*n), &key(*n).sign(checkpoint.text().as_bytes())).unwrap();
    }
    SignedCheckpoint { checkpoint, note }
}

const KEPT: [(u64, &[u8]); 6] = [(2, &[1]), (256, &[1]), (257, &[1]), (305, &[1, 2]), (590, &[2]), (SIZE, &[2])];

/// The export of a ledger as the format says, of the size and by the keys that sign the whole.
fn written(entries: &[(Entry, String)], size: u64, keys: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| file.extend(member(name, bytes).unwrap());
    put("README.txt", README.as_bytes());
    put("checkpoint", signed(entries, size, keys).note.to_string().as_bytes());
    let (mut levels, mut ring) = (Levels::default(), KeyRing::default());
    for (n, bundle) in (0u64..).zip(entries[..usize::try_from(size).unwrap()].chunks(256)) {
        let texts: Vec<String> = bundle.iter().map(|(entry, _)| canonical(entry).unwrap()).collect();
        let tile = Tile { content: Content::Entries, n, width: bundle.len() as u64 };
        put(&tile.to_string(), &tile::bundle(texts.iter().map(String::as_bytes)).unwrap());
        put(&data_path(n), bundle.iter().map(|(_, data)| format!("{data}\n")).collect::<String>().as_bytes());
        let mut tiles = Vec::new();
        for ((entry, data), text) in bundle.iter().zip(&texts) {
            tiles.extend(levels.push(leaf_hash(text.as_bytes())));
            ring.fold(entry.seq, &entry.kind, entry.v, data).unwrap();
        }
        let end = (n + 1) * 256;
        if end >= size {
            tiles.extend(levels.partial());
        }
        for (tile, bytes) in tiles {
            put(&tile.to_string(), &bytes);
        }
        for (size, keys) in KEPT.iter().filter(|(at, _)| (n * 256 + 1..=end.min(size)).contains(at)) {
            put(&format!("checkpoints/{size}"), signed(entries, *size, keys).note.to_string().as_bytes());
        }
    }
    put("keys.json", keys_text(&ring, size).as_bytes());
    file.extend([0; 1024]);
    file
}

fn export(entries: &[(Entry, String)]) -> Vec<u8> {
    written(entries, SIZE, &[2])
}

fn check(file: &[u8], keys: &[Vkey], older: Option<SignedCheckpoint>) -> Result<Verified, String> {
    verify(file, &Wanted { keys: keys.to_vec(), older }, |_, _| {}).map_err(|e| e.to_string())
}

/// A cheap source of places (xorshift), the same in every run.
fn places() -> impl FnMut(usize) -> usize {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    }
}

/// Name of the member that holds a byte, by the headers before it.
fn holder(file: &[u8], place: usize) -> String {
    let mut at = 0;
    loop {
        let name = String::from_utf8(file[at..at + 100].to_vec()).unwrap().trim_end_matches('\0').to_owned();
        if name.is_empty() {
            return "the end of the file".to_owned();
        }
        let size = usize::from_str_radix(std::str::from_utf8(&file[at + 124..at + 135]).unwrap(), 8).unwrap();
        let next = at + 512 + size.div_ceil(512) * 512;
        if place < next {
            return name;
        }
        at = next;
    }
}

#[test]
fn an_export_holds() {
    let entries = ledger(u64::MAX);
    let file = export(&entries);
    let verified = check(&file, &[], None).unwrap();
    assert_eq!((verified.head.size, verified.checkpoints), (SIZE, 7));
    assert_eq!(verified.ring.keys.len(), 2);
    // Whoever trusts the first key learns the second from the checkpoint both signed.
    for keys in [&[vkey(1)][..], &[vkey(2)], &[vkey(1), vkey(3)]] {
        check(&file, keys, None).unwrap();
    }
    let refused = check(&file, &[vkey(3)], None).unwrap_err();
    assert!(refused.contains("none of the keys you named"), "{refused}");
    for size in [2, 256, 305, SIZE] {
        let keys: &[u8] = if size < RETIRED { &[1] } else { &[2] };
        check(&file, &[], Some(signed(&entries, size, keys))).unwrap();
    }
    // Written again, it is the same file.
    assert_eq!(export(&entries), file);
}

#[test]
fn any_bit_that_is_turned_is_found_and_the_place_is_named() {
    let file = export(&ledger(u64::MAX));
    let mut next = places();
    let mut by_member = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..4000 {
        let (place, bit) = (next(file.len()), next(8));
        let mut changed = file.clone();
        changed[place] ^= 1 << bit;
        let within = holder(&file, place);
        let said = check(&changed, &[], None).expect_err(&format!("byte {place} bit {bit} of {within}"));
        // What stands in the entries is named by the entry; the size in the checkpoint leads to what is not there then.
        let named = said.contains(&format!("`{within}`"))
            || (said.starts_with("entry ") && (within.starts_with("tile/entries/") || within.starts_with("data/")))
            || (said.contains("is not the leaf of entry") && within.starts_with("tile/entries/"))
            || (within.starts_with("checkpoints/") && said.contains("its header in the file is damaged"))
            || within == "checkpoint";
        assert!(named, "byte {place} bit {bit} of {within}: {said}");
        *by_member.entry(within.split('/').next().unwrap().to_owned()).or_default() += 1;
    }
    assert!(by_member.contains_key("data") && by_member.contains_key("tile"), "{by_member:?}");
    // Small members get their share: every bit of the checkpoints and the keys.
    let mut at = 0;
    while holder(&file, at) != "the end of the file" {
        let within = holder(&file, at);
        let size = usize::from_str_radix(std::str::from_utf8(&file[at + 124..at + 135]).unwrap(), 8).unwrap();
        if within.starts_with("checkpoint") {
            for place in at + 512..at + 512 + size {
                let mut changed = file.clone();
                changed[place] ^= 1 << (place % 8);
                assert!(check(&changed, &[], None).is_err(), "byte {place} of {within}");
            }
        }
        at += 512 + size.div_ceil(512) * 512;
    }
}

#[test]
fn a_file_that_is_cut_or_goes_on_is_found() {
    let file = export(&ledger(u64::MAX));
    let mut next = places();
    for length in (0..200).map(|_| next(file.len())).chain([0, 1, 511, 512, file.len() - 1, file.len() - 1024]) {
        let said = check(&file[..length], &[], None).unwrap_err();
        assert!(said.contains("cut off") || said.contains("ends before"), "{length}: {said}");
    }
    let more = [&file[..], &[0]].concat();
    assert!(check(&more, &[], None).unwrap_err().contains("the end of the file"));
}

#[test]
fn entries_that_change_places_are_found() {
    let mut entries = ledger(u64::MAX);
    entries.swap(40, 41);
    let said = check(&export(&entries), &[], None).unwrap_err();
    assert!(said.contains("entry 41: in its place stands entry 42"), "{said}");
    // Members that change places, too.
    let file = export(&ledger(u64::MAX));
    let at = |name: &str| {
        (0..file.len()).step_by(512).find(|at| file[*at..].starts_with(format!("{name}\0").as_bytes())).unwrap()
    };
    let (a, b, c) = (at("tile/entries/000"), at("data/000.ndjson"), at("tile/0/000"));
    let swapped = [&file[..a], &file[b..c], &file[a..b], &file[c..]].concat();
    assert!(check(&swapped, &[], None).unwrap_err().contains("in its place stands `data/000.ndjson`"));
    let without = [&file[..a], &file[b..]].concat();
    assert!(check(&without, &[], None).unwrap_err().contains("`tile/entries/000`"));
}

#[test]
fn a_forked_or_shortened_ledger_contradicts_the_checkpoint_that_was_kept() {
    let (true_one, forked) = (ledger(u64::MAX), ledger(400));
    let file = export(&forked);
    // Signed by the true key over other entries: by itself it holds, and the older checkpoint shows the fork.
    check(&file, &[vkey(2)], None).unwrap();
    let said = check(&file, &[], Some(signed(&true_one, 590, &[2]))).unwrap_err();
    assert!(said.contains("the ledger was exchanged"), "{said}");
    check(&file, &[], Some(signed(&true_one, 305, &[1, 2]))).unwrap();
    // Entries are gone.
    let file = written(&true_one, 500, &[2]);
    check(&file, &[], None).unwrap();
    let said = check(&file, &[], Some(signed(&true_one, 590, &[2]))).unwrap_err();
    assert!(said.contains("entries are gone"), "{said}");
    // Somebody else's signature, or one of a key after its time.
    for keys in [&[3][..], &[1]] {
        let said = check(&written(&true_one, SIZE, keys), &[], None).unwrap_err();
        assert!(said.starts_with("`checkpoint`"), "{said}");
    }
}
