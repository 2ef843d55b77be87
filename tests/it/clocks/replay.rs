//! Old decisions, computed again.

use harness::Scenario;
use serde_json::{Value, json};

use crate::support::licit;

/// A recorded decision of the gate.
fn decide(s: &Scenario, body: &Value) -> Value {
    let mut question = json!({"deployment": "deployment:score-prod"});
    question.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    s.ci.post("/api/v1/gate", &question).good()
}

fn replay(s: &Scenario, decision: &Value, query: &str) -> Value {
    s.audit.get(&format!("/api/v1/decisions/{}/replay{query}", decision["id"].as_str().unwrap())).good()
}

#[test]
fn an_old_decision_is_the_same_whatever_happened_since() {
    let s = Scenario::approved();
    let file = json!([{"path": "model.json", "digest": format!("sha256:{}", "7".repeat(64))}]);
    let decisions = [
        decide(&s, &json!({})),
        decide(&s, &json!({"artifacts": file})),
        decide(&s, &json!({"release": "release:score-prod@9"})),
        decide(&s, &json!({"deployment": "deployment:score-prod", "intent": "continue"})),
        s.activate("release:score-prod@1").good(),
    ];
    s.revoke("basis:scoring-contract", 10);
    s.release("1");
    for decision in &decisions {
        let again = replay(&s, decision, "");
        assert_eq!((&again["same"], &again["same_evidence"]), (&json!(true), &json!(true)), "{again:#}");
        assert_eq!((&again["recorded"], &again["replayed"]), (decision, decision));
        assert!(again["known"].is_null());
    }
}

#[test]
fn later_knowledge_says_what_came_and_what_went() {
    let s = Scenario::approved();
    let allowed = decide(&s, &json!({}));
    let head = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap();
    // Said later, of a moment before: the contract had ended by then.
    let revocation =
        json!({"ref": "basis:scoring-contract", "reason": "void from the start", "effective_at": "2026-01-01"});
    s.bea.post("/api/v1/revocations", &revocation).good();
    let before = replay(&s, &allowed, &format!("?known_at={head}"));
    assert_eq!((&before["known"]["came"], &before["known"]["went"]), (&json!([]), &json!([])));
    assert_eq!(before["known"]["decision"]["position"], head);
    let now = replay(&s, &allowed, "?known_at=now");
    assert_eq!(now["same"], true, "what was decided stays what it was: {now:#}");
    assert_eq!(now["known"]["decision"]["valid_at"], allowed["valid_at"]);
    assert_eq!(now["known"]["decision"]["verdict"], "deny");
    let came: Vec<&str> =
        now["known"]["came"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(came, ["basis.approved", "source.covered"]);
    // The other way round: refused then, and approved since.
    let refused = decide(&s, &json!({}));
    s.approve(&["basis:scoring-contract"]);
    let now = replay(&s, &refused, "?known_at=now");
    assert_eq!((&now["known"]["went"].as_array().unwrap().len(), &now["known"]["came"]), (&2, &json!([])), "{now:#}");
    let id = allowed["id"].as_str().unwrap();
    for wrong in ["9999999", "yesterday", "-1"] {
        s.audit.get(&format!("/api/v1/decisions/{id}/replay?known_at={wrong}")).problem(422);
    }
    s.audit.get("/api/v1/decisions/01939f00-0000-7000-8000-000000000000/replay").problem(404);
}

#[test]
fn the_command_line_shows_the_same() {
    let s = Scenario::approved();
    let decision = decide(&s, &json!({}));
    let id = decision["id"].as_str().unwrap();
    s.revoke("basis:scoring-contract", 10);
    let (code, out, err) = licit(&s.audit, &["decision", "replay", id]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("SAME  byte for byte"), "{out}");
    let (code, out, _) = licit(&s.audit, &["decision", "replay", id, "--known-at", "now"]);
    assert_eq!(code, 0);
    assert!(out.contains("with what is known at ledger position"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80 || line.contains("$ licit")), "{out}");
    let (code, out, _) = licit(&s.audit, &["decision", "list"]);
    assert!(code == 0 && out.contains(&format!("decision:{id}")), "{out}");
    let (code, out, _) = licit(&s.audit, &["decision", "show", &format!("decision:{id}"), "--json"]);
    assert!(code == 0 && out.contains("evidence_digest"), "{out}");
    assert_eq!(licit(&s.audit, &["decision", "replay", id, "--known-at", "tomorrow"]).0, 2);
}

#[test]
fn other_rules_are_said_and_both_are_shown() {
    let s = Scenario::approved();
    let decision = decide(&s, &json!({}));
    // A decision of another version of the program, as its ledger would hold it.
    s.server.db.sql("UPDATE resource SET doc = replace(doc, '\"rules_version\":\"', '\"rules_version\":\"old-') WHERE kind = 'decision'");
    let again = replay(&s, &decision, "");
    assert_eq!((&again["same"], &again["same_evidence"]), (&json!(false), &json!(true)));
    let old = format!("old-{}", decision["rules_version"].as_str().unwrap());
    assert!(again["otherwise"].as_str().unwrap().contains(&old), "{again:#}");
    assert_eq!(again["recorded"]["rules_version"], json!(old));
    assert_eq!(again["replayed"], decision);
    let (code, out, _) = licit(&s.audit, &["decision", "replay", decision["id"].as_str().unwrap()]);
    assert!(code == 0 && out.starts_with("OTHER RULES"), "{out}");
}
