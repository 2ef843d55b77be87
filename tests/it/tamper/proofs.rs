//! Proofs that need no database: each entry in each tree, each tree after each.

use harness::Scenario;
use licit_schemas::digest::Digest;
use licit_schemas::ledger::{ConsistencyProof, InclusionProof};
use licit_schemas::merkle;

use crate::support::{faults, head, verified};

#[test]
fn every_entry_is_proved_in_every_tree_that_holds_it() {
    let s = Scenario::empty();
    let entries = verified(&s.audit);
    let last = head(&s.audit).size;
    for size in 1..=last {
        for seq in 1..=size {
            let answer = s.audit.get(&format!("/api/v1/ledger/proofs/inclusion?seq={seq}&size={size}")).good();
            let p: InclusionProof = serde_json::from_value(answer).unwrap();
            assert_eq!((p.seq, p.size, p.leaf_hash), (seq, size, entries[usize::try_from(seq).unwrap() - 1].leaf_hash));
            merkle::verify_inclusion(&p.leaf_hash, seq - 1, size, &p.path, &p.root).unwrap();
            let other = Digest::of(b"another leaf");
            assert!(merkle::verify_inclusion(&other, seq - 1, size, &p.path, &p.root).is_err());
        }
    }
}

#[test]
fn every_tree_continues_every_one_before() {
    let s = Scenario::empty();
    let entries = verified(&s.audit);
    let mut edge = merkle::Edge::default();
    let mut roots = vec![edge.root()];
    for item in &entries {
        edge.push(item.leaf_hash, |_, _| {});
        roots.push(edge.root());
    }
    let last = head(&s.audit).size;
    for to in 1..=last {
        for from in 1..=to {
            let answer = s.audit.get(&format!("/api/v1/ledger/proofs/consistency?from={from}&to={to}")).good();
            let p: ConsistencyProof = serde_json::from_value(answer).unwrap();
            let root = |size: u64| roots[usize::try_from(size).unwrap()];
            assert_eq!((p.from_root, p.to_root), (root(from), root(to)));
            merkle::verify_consistency(from, &p.from_root, to, &p.to_root, &p.path).unwrap();
            if from < to {
                assert!(merkle::verify_consistency(from, &Digest::of(b"x"), to, &p.to_root, &p.path).is_err());
            }
        }
    }
}

#[test]
fn proofs_of_trees_that_are_not_are_refused_by_name() {
    let s = Scenario::empty();
    let size = head(&s.audit).size;
    let cases = [
        ("inclusion?seq=0".to_owned(), "#/seq"),
        (format!("inclusion?seq={}", size + 1), "#/seq"),
        (format!("inclusion?seq={size}&size={}", size - 1), "#/seq"),
        (format!("inclusion?seq=1&size={}", size + 1), "#/size"),
        ("inclusion?seq=1&size=0".to_owned(), "#/size"),
        ("inclusion?seq=18446744073709551615&size=18446744073709551615".to_owned(), "#/size"),
        ("consistency?from=0".to_owned(), "#/from"),
        (format!("consistency?from={}", size + 1), "#/from"),
        ("consistency?from=3&to=2".to_owned(), "#/from"),
        (format!("consistency?from=1&to={}", size + 1), "#/to"),
    ];
    for (query, pointer) in cases {
        let problem = s.audit.get(&format!("/api/v1/ledger/proofs/{query}")).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{query}: {problem}");
    }
}

#[test]
fn an_entry_read_alone_is_the_one_of_the_list() {
    let s = Scenario::empty();
    for item in verified(&s.audit) {
        let alone = s.audit.get(&format!("/api/v1/ledger/entries/{}", item.entry.seq)).good();
        assert_eq!(alone, serde_json::to_value(&item).unwrap());
    }
    let two = s.audit.get("/api/v1/ledger/entries?from=3&limit=2").good();
    assert_eq!(
        two["items"].as_array().unwrap().iter().map(|e| e["entry"]["seq"].as_u64().unwrap()).collect::<Vec<_>>(),
        [3, 4]
    );
    assert_eq!(two["next"], "5");
}
