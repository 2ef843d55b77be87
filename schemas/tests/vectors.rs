//! Other people's vectors, every one of them: RFC 8785 canonical JSON and RFC 6962 / 9162 proofs. Their sources and
//! licences: `vectors/README.md`.
#![allow(clippy::unwrap_used, reason = "a test; the helpers are not marked as one")]

use std::{collections::BTreeMap, convert::Infallible, fs, path::PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use licit_schemas::digest::Digest;
use licit_schemas::json::{canonical, parse};
use licit_schemas::merkle::{
    Edge, consistency_proof, empty_root, inclusion_proof, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
use serde::{Deserialize, de::DeserializeOwned};

fn read(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn load<T: DeserializeOwned>(file: &str) -> T {
    serde_json::from_slice(&read(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn canonical_json_is_that_of_rfc_8785() {
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let value = parse(&read(&format!("jcs_rfc8785/input/{name}.json"))).unwrap();
        let text = canonical(&value).unwrap();
        let hex = String::from_utf8(read(&format!("jcs_rfc8785/outhex/{name}.txt"))).unwrap();
        let bytes = hex.split_ascii_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect::<Vec<_>>();
        assert_eq!(text.as_bytes(), bytes, "{name}");
        assert_eq!(text.as_bytes(), read(&format!("jcs_rfc8785/output/{name}.json")), "{name}");
        assert_eq!(canonical(&parse(text.as_bytes()).unwrap()).unwrap(), text, "{name}");
    }
}

#[test]
fn numbers_are_printed_as_ecmascript_prints_them() {
    let file = String::from_utf8(read("jcs_rfc8785/es6_numbers_10000.txt")).unwrap();
    for line in file.lines() {
        let (bits, text) = line.split_once(',').unwrap();
        let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(canonical(&number).unwrap(), text, "{line}");
        // An entry read back and hashed again must have the same hash: needs `float_roundtrip` of serde_json, which
        // serde_json_canonicalizer switches on.
        let again = parse(text.as_bytes()).unwrap();
        assert_eq!(again.as_f64(), Some(number), "{line}");
        assert_eq!(canonical(&again).unwrap(), text, "{line}");
    }
    assert_eq!(file.lines().count(), 10_000);
}

/// A vector's hash; none when it is not 32 bytes, which our types cannot even hold.
fn hash(base64: &str) -> Option<Digest> {
    BASE64_STANDARD.decode(base64).unwrap().try_into().ok().map(Digest::from_bytes)
}

fn hashes(proof: Option<&[String]>) -> Option<Vec<Digest>> {
    proof.unwrap_or_default().iter().map(|base64| hash(base64)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    file: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

#[test]
fn inclusion_proofs_are_judged_as_by_transparency_dev() {
    let vectors: Vec<Inclusion> = load("rfc6962/inclusion.json");
    let (mut held, mut refused, mut unreadable) = (0, 0, 0);
    for v in &vectors {
        let read = || Some((hash(&v.leaf_hash)?, hashes(v.proof.as_deref())?, hash(&v.root)?));
        let Some((leaf, proof, root)) = read() else {
            assert!(v.want_err, "{}: a hash is not 32 bytes", v.file);
            unreadable += 1;
            continue;
        };
        let verdict = verify_inclusion(&leaf, v.leaf_idx, v.tree_size, &proof, &root);
        assert_eq!(verdict.is_err(), v.want_err, "{}: {verdict:?}", v.file);
        if v.want_err { refused += 1 } else { held += 1 }
    }
    assert_eq!((vectors.len(), held, refused, unreadable), (98, 6, 66, 26));
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    file: String,
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// Its roots are the 12 bytes "don't care 2" and yet it is expected to hold: no type of 32 bytes can represent it.
/// Its point, equal sizes with equal roots and an empty proof, is tested in `merkle.rs` and by `happy-path` below.
const EXCLUDED: &str = "testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json";

#[test]
fn consistency_proofs_are_judged_as_by_transparency_dev() {
    let vectors: Vec<Consistency> = load("rfc6962/consistency.json");
    let (mut held, mut refused, mut unreadable, mut excluded) = (0, 0, 0, 0);
    for v in &vectors {
        let read = || Some((hash(&v.root1)?, hash(&v.root2)?, hashes(v.proof.as_deref())?));
        if v.file == EXCLUDED {
            assert!(read().is_none() && !v.want_err, "it can be tested after all");
            excluded += 1;
            continue;
        }
        let Some((root1, root2, proof)) = read() else {
            assert!(v.want_err, "{}: a hash is not 32 bytes", v.file);
            unreadable += 1;
            continue;
        };
        let verdict = verify_consistency(v.size1, &root1, v.size2, &root2, &proof);
        assert_eq!(verdict.is_err(), v.want_err, "{}: {verdict:?}", v.file);
        if v.want_err { refused += 1 } else { held += 1 }
    }
    assert_eq!((vectors.len(), held, refused, unreadable, excluded), (98, 5, 66, 26, 1));
}

#[derive(Deserialize)]
struct ReferenceTree {
    empty_root: String,
    leaf_inputs_hex: Vec<String>,
    leaf_hashes: Vec<String>,
    root_hashes_by_size: Vec<String>,
    hasher: BTreeMap<String, String>,
    computed_inclusion: Vec<ReferenceInclusion>,
    computed_consistency: Vec<ReferenceConsistency>,
}

#[derive(Deserialize)]
struct ReferenceInclusion {
    index: u64,
    size: u64,
    proof: Vec<String>,
}

#[derive(Deserialize)]
struct ReferenceConsistency {
    size1: u64,
    size2: u64,
    proof: Vec<String>,
}

fn from_hex(hashes: &[String]) -> Vec<Digest> {
    hashes.iter().map(|hex| format!("sha256:{hex}").parse().unwrap()).collect()
}

fn reader(stored: &[Digest]) -> impl Fn(&[u64]) -> Result<Vec<Digest>, Infallible> + '_ {
    move |indexes| Ok(indexes.iter().filter_map(|i| stored.get(usize::try_from(*i).unwrap()).copied()).collect())
}

#[test]
fn the_reference_tree_has_its_roots_and_proofs() {
    let tree: ReferenceTree = load("rfc6962/reference_tree.json");
    assert_eq!(empty_root().hex(), tree.empty_root);
    assert_eq!(leaf_hash(b"").hex(), tree.hasher["leaf_hash_of_empty"]);
    assert_eq!(leaf_hash(b"L123456").hex(), tree.hasher["leaf_hash_of_ascii_L123456"]);

    let roots = from_hex(&tree.root_hashes_by_size);
    let (mut edge, mut stored) = (Edge::default(), Vec::new());
    assert_eq!(edge.root(), roots[0]);
    for (n, input) in tree.leaf_inputs_hex.iter().enumerate() {
        let leaf = leaf_hash(&hex::decode(input).unwrap());
        assert_eq!(leaf.hex(), tree.leaf_hashes[n]);
        edge.push(leaf, |_, hash| stored.push(*hash));
        assert_eq!(edge.root(), roots[n + 1]);
    }
    assert_eq!(node_hash(&roots[4], &stored_root_of_last_four(&tree)), roots[8]);

    let at = |size: u64| &roots[usize::try_from(size).unwrap()];
    let leaves = from_hex(&tree.leaf_hashes);
    for v in &tree.computed_inclusion {
        let proof = inclusion_proof(v.index, v.size, reader(&stored)).unwrap();
        assert_eq!(proof, from_hex(&v.proof), "leaf {} of {}", v.index, v.size);
        let leaf = &leaves[usize::try_from(v.index).unwrap()];
        assert_eq!(verify_inclusion(leaf, v.index, v.size, &proof, at(v.size)), Ok(()));
    }
    for v in &tree.computed_consistency {
        let proof = consistency_proof(v.size1, v.size2, reader(&stored)).unwrap();
        assert_eq!(proof, from_hex(&v.proof), "from {} to {}", v.size1, v.size2);
        assert_eq!(verify_consistency(v.size1, at(v.size1), v.size2, at(v.size2), &proof), Ok(()));
    }
    assert_eq!((tree.computed_inclusion.len(), tree.computed_consistency.len()), (36, 36));
}

/// By hand, as RFC 9162 §2.1.1 defines it: MTH(D[4:8]).
fn stored_root_of_last_four(tree: &ReferenceTree) -> Digest {
    let leaves = from_hex(&tree.leaf_hashes);
    node_hash(&node_hash(&leaves[4], &leaves[5]), &node_hash(&leaves[6], &leaves[7]))
}

/// Stored hashes as `tlog_tiles` reads them.
struct Stored<'a>(&'a [Digest]);

impl tlog_tiles::HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let get = |i: &u64| tlog_tiles::Hash(*self.0[usize::try_from(*i).unwrap()].as_bytes());
        Ok(indexes.iter().map(get).collect())
    }
}

#[test]
fn an_edge_is_the_tree_of_tlog_tiles_and_can_be_restored() {
    let (mut edge, mut stored) = (Edge::default(), Vec::<Digest>::new());
    for n in 0..5_000_u64 {
        let entry = n.to_be_bytes();
        let theirs = tlog_tiles::stored_hashes(n, &entry, &Stored(&stored)).unwrap();
        let before = stored.len();
        edge.push(leaf_hash(&entry), |index, hash| {
            assert_eq!(index, stored.len() as u64);
            stored.push(*hash);
        });
        let ours = stored[before..].iter().map(|hash| tlog_tiles::Hash(*hash.as_bytes())).collect::<Vec<_>>();
        assert_eq!(ours, theirs, "leaf {n}");
        let size = n + 1;
        if size < 300 || size.is_power_of_two() || size % 997 == 0 {
            let root = tlog_tiles::tree_hash(size, &Stored(&stored)).unwrap();
            assert_eq!(edge.root().as_bytes(), &root.0, "size {size}");
            let restored = Edge::restore(size, |i| stored.get(usize::try_from(i).unwrap()).copied()).unwrap();
            assert_eq!((restored.root(), restored.size()), (edge.root(), size));
            assert_eq!(restored, edge);
        }
    }
}
