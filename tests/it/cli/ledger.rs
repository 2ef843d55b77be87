//! `licit ledger`: the whole recomputed, and proofs of parts; what was tampered with ends with 4.

use harness::{Client, Scenario, TestServer};

use crate::support::{head, licit};

#[track_caller]
fn done(client: &Client, args: &[&str]) -> String {
    let (code, out, said) = licit(client, args);
    assert_eq!((code, said.as_str()), (0, ""), "licit {args:?}: {out}");
    out
}

#[test]
fn the_ledger_is_verified_and_its_parts_are_proved() {
    let s = Scenario::registered();
    let kept = head(&s.audit);
    s.approve(&["purpose:scoring"]);
    let out = done(&s.audit, &["ledger", "verify"]);
    assert!(out.contains("the ledger holds") && out.contains(&head(&s.audit).root.to_string()), "{out}");
    assert!(done(&s.audit, &["ledger", "head"]).contains(&head(&s.audit).root.to_string()));
    assert!(done(&s.audit, &["ledger", "entries", "--from", "1", "--limit", "2"]).contains("actor.registered"));

    let (size, root) = (kept.size.to_string(), kept.root.to_string());
    let out = done(&s.audit, &["ledger", "prove", "3"]);
    assert!(out.contains("entry 3 is in the tree"), "{out}");
    done(&s.audit, &["ledger", "prove", "3", "--size", &size, "--root", &root]);
    // Who may not read entries has the proof of the leaf.
    let out = done(&s.ci, &["ledger", "prove", "3"]);
    assert!(out.contains("the entry was not read"), "{out}");
    let out = done(&s.audit, &["ledger", "consistency", "--from", &size, "--root", &root]);
    assert!(out.contains(&format!("continues that of {size}")), "{out}");
    let proof: serde_json::Value =
        serde_json::from_str(&done(&s.ci, &["ledger", "consistency", "--from", "2", "--to", &size, "--json"])).unwrap();
    assert_eq!((&proof["verified"], &proof["proof"]["to_root"]), (&true.into(), &root.clone().into()));

    // Another root was kept: the ledger was exchanged as a whole.
    let other = harness::scenario::ZEROS;
    for args in [
        &["ledger", "consistency", "--from", &size, "--root", other][..],
        &["ledger", "prove", "3", "--size", &size, "--root", other],
    ] {
        let (code, _, said) = licit(&s.audit, args);
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("the root you kept"), "{said}");
    }
    assert_eq!(licit(&s.audit, &["ledger", "prove", "999999"]).0, 1);
    assert_eq!(licit(&s.audit, &["ledger", "consistency", "--from", "0"]).0, 1);
    assert_eq!(licit(&s.ci, &["ledger", "verify"]).0, 1, "a releaser reads no entries");
}

#[test]
fn what_was_tampered_with_ends_with_four() {
    let s = Scenario::approved();
    let audit = s.audit.clone();
    let seq = s.server.db.sql("SELECT min(seq) FROM ledger_entry WHERE kind = 'vote.cast'").trim().to_owned();
    let db = s.server.kill();
    if db.is_postgres() {
        db.sql("DROP TRIGGER ledger_entry_append_only ON ledger_entry");
    } else {
        db.sql("DROP TRIGGER ledger_entry_no_update");
    }
    db.sql("UPDATE ledger_entry SET data = replace(data, 'approve', 'abstain') WHERE kind = 'vote.cast'");
    let server = TestServer::on(db);
    let audit = Client::new(&server.url, audit.token.as_deref());
    let (code, out, said) = licit(&audit, &["ledger", "verify"]);
    assert_eq!((code, out.as_str()), (4, ""), "{said}");
    assert!(
        said.contains(&format!("entry {seq}: its data in `data/000.ndjson` are not those it commits to")),
        "{said}"
    );
    let (code, _, said) = licit(&audit, &["ledger", "prove", &seq]);
    assert_eq!(code, 4, "{said}");
}
