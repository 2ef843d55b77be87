//! `licit review` and what follows from it: votes, opinions, approvals, rollback, revocation.

use harness::{Client, Scenario};

use crate::support::licit;

#[track_caller]
fn done(client: &Client, args: &[&str]) -> String {
    let (code, out, said) = licit(client, args);
    assert_eq!((code, said.as_str()), (0, ""), "licit {args:?}: {out}");
    out
}

#[track_caller]
fn failed(client: &Client, args: &[&str], word: &str) {
    let (code, out, said) = licit(client, args);
    assert_eq!(code, 1, "licit {args:?}: {out}{said}");
    assert!(said.contains(word), "licit {args:?}: `{word}` in {said}");
}

#[test]
fn a_dossier_is_opened_advised_on_voted_on_and_revoked() {
    let s = Scenario::registered();
    let council = s.server.person("Wanda", &["works_council"]);
    let subjects = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];
    let opened = done(&s.ana, &[&["review", "create", "--title", "Scoring"], &subjects[..]].concat());
    let review = opened.split_whitespace().find(|word| word.starts_with("review:")).unwrap();

    failed(&s.ana, &["review", "vote", review, "approve"], "only a board member votes");
    done(&s.dora, &["review", "opinion", review, "reserved", "--role", "dpo", "--comment", "mind the retention"]);
    done(&council, &["review", "opinion", review, "unfavourable", "--role", "works-council"]);
    // Each in their own office.
    failed(&s.dora, &["review", "opinion", review, "favourable", "--role", "works-council"], "works_council");
    failed(&council, &["review", "opinion", review, "favourable", "--role", "dpo"], "dpo");
    failed(&council, &["review", "vote", review, "approve"], "role");

    let voted = done(&s.bea, &["review", "vote", review, "approve", "--condition", "yearly audit"]);
    assert!(voted.contains("all together") && voted.contains("the review is now open"), "{voted}");
    let voted = done(&s.carl, &["review", "vote", review, "approve"]);
    assert!(voted.contains("the review is now approved"), "{voted}");
    let shown = done(&s.ci, &["review", "show", review]);
    for word in ["mind the retention", "yearly audit", "Bea", "opinion (works_council): unfavourable", "envelope of"] {
        assert!(shown.contains(word), "`{word}` in {shown}");
    }
    let approvals = done(&s.ci, &["review", "approvals"]);
    assert!(approvals.contains("basis:scoring-contract@1") && approvals.contains("granted"), "{approvals}");
    assert!(done(&s.ci, &["review", "revocations"]).contains("nothing found"));

    done(&s.bea, &["review", "revoke", "basis:scoring-contract@1", "--reason", "it is over", "--grace-days", "3"]);
    let revocations = done(&s.ci, &["review", "revocations"]);
    assert!(revocations.contains("basis:scoring-contract@1"), "{revocations}");
    assert!(done(&s.ci, &["review", "approvals", "--state", "revoked"]).contains("basis:scoring-contract@1"));
}

#[test]
fn what_flags_describe_is_checked_before_anything_is_sent() {
    let s = Scenario::empty();
    let nobody = Client::new("http://127.0.0.1:9", Some("licit_x"));
    let id = "01939f00-0000-7000-8000-000000000000";
    let long = "x".repeat(5000);
    for (args, word) in [
        (&["review", "opinion", id, "favourable", "--role", "dpo", "--comment", ""][..], "comment"),
        (&["review", "revoke", "basis:x@1", "--reason", ""], "reason"),
        (&["review", "revoke", "basis:x@1", "--reason", "x", "--grace-days", "367"], "grace_days"),
        (&["review", "revoke", "basis:x@1", "--reason", "x", "--effective-at", "soon"], "effective_at"),
        (&["review", "create", "--title", "", "basis:x@1"], "title"),
        (&["contest", "settle", id, "upheld", "--reason", ""], "reason"),
        (&["release", "break-glass", id, "--incident", "Inc 1", "--reason", "x"], "incident"),
        (&["release", "break-glass", id, "--incident", "inc-1", "--reason", &long], "reason"),
        (&["actor", "create", "person", ""], "name"),
        (&["actor", "create", "service", "x", "--responsible", "Ana"], "responsible"),
        (&["token", "create", id, "--role", "god", "--label", "x"], "roles/0"),
        (&["token", "create", "Ana", "--role", "viewer", "--label", "x"], "actor"),
        (&["token", "create", id, "--role", "viewer", "--label", "x", "--expires-at", "soon"], "expires_at"),
        (&["edge", "create", "used", "run:x", "dataset:crm/people@1"], "from"),
        (&["edge", "create", "used", &format!("run:{id}"), "dataset:crm/people@1", "--role", "looking"], "role"),
    ] {
        // Nobody listens: had it been sent, the code were 5.
        let (code, out, said) = licit(&nobody, args);
        assert_eq!((code, out.as_str()), (1, ""), "licit {args:?}: {said}");
        assert!(said.starts_with(word), "licit {args:?}: `{word}` in {said}");
    }
    let many: Vec<String> = (0..51).flat_map(|n| ["--drop".to_owned(), format!("crm/d{n}")]).collect();
    let many = [&["whatif"], &many.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
    let (code, _, said) = licit(&nobody, &many);
    assert_eq!(code, 1, "{said}");
    assert!(said.starts_with("drop"), "{said}");
    // A vote reads the review first; its fault is named before the vote is sent.
    failed(&s.bea, &["review", "vote", id, "approve"], "there is no");
}

#[test]
fn a_rollback_is_one_call() {
    let s = Scenario::running();
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    s.add("runs", harness::scenario::training("2", "1"));
    done(&s.ana, &["release", "create", "score-prod", "--model", "score@2"]);
    done(&s.ci, &["release", "activate", "score-prod@2"]);
    let active = |wanted: &str| {
        let out = done(&s.ci, &["release", "list", "--parent", "score-prod", "--state", "active"]);
        assert!(out.contains(wanted), "{out}");
    };
    active("release:score-prod@2");
    let out = done(&s.ci, &["deployment", "rollback", "score-prod", "--reason", "scores drifted"]);
    assert!(out.contains("ALLOWED") && out.contains("release:score-prod@1"), "{out}");
    active("release:score-prod@1");
    failed(&s.ana, &["deployment", "rollback", "score-prod"], "releaser");
    let out = done(&s.ci, &["deployment", "rollback", "score-prod", "--to", "score-prod@2"]);
    assert!(out.contains("release:score-prod@2"), "{out}");
    done(&s.ci, &["deployment", "rollback", "score-prod"]);
    done(&s.ci, &["release", "withdraw", "score-prod@2"]);
    let out = done(&s.ci, &["history", "release:score-prod@2"]);
    assert!(out.contains("withdrawn") && out.contains("standby"), "{out}");
}
