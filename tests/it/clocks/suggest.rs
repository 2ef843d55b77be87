//! What would clear a refusal, tried before it is told.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, size};
use crate::gate::parts::{other_basis, world};
use crate::support::licit;

fn suggest(s: &Scenario) -> Value {
    let before = size(s);
    let answer = s.audit.get("/api/v1/reports/suggest?deployment=score-prod").good();
    assert_eq!(size(s), before, "nothing is recorded");
    answer
}

fn refs(item: &Value) -> Vec<&str> {
    item["refs"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect()
}

fn rules(findings: &Value) -> Vec<&str> {
    findings.as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect()
}

#[test]
fn what_waits_for_the_board_is_named_and_clears_it() {
    let s = world(|p| p.deferred.push("basis:scoring-contract"));
    let found = suggest(&s);
    assert_eq!(found["verdict"], "deny");
    let first = &found["items"][0];
    assert_eq!(
        (&first["kind"], &first["after"], refs(first)),
        (&json!("approve"), &json!("allow"), vec!["basis:scoring-contract@1"])
    );
    assert_eq!((&first["vote"], &first["remains"], &found["unanswered"]), (&json!(true), &json!([]), &json!([])));
    assert_eq!(found["refusing"], json!(rules(&first["clears"]).len()));
    let command = first["commands"][0].as_str().unwrap();
    assert!(command.ends_with("basis:scoring-contract@1") && command.starts_with("licit review create"), "{command}");
    let (code, out, err) = licit(&s.audit, &["suggest", "score-prod"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("then it is allowed, once the board has voted") && out.contains(command), "{out}");
    fits(&out);
    // It is true.
    s.approve(&["basis:scoring-contract@1"]);
    assert_eq!(s.dry("start")["verdict"], "allow");
    let (code, out, _) = licit(&s.audit, &["suggest", "score-prod"]);
    assert!(code == 0 && out.contains("nothing to clear"), "{out}");
}

#[test]
fn several_approvals_make_one_dossier_of_what_is_needed() {
    let s = world(|p| p.deferred.extend(["basis:scoring-contract", "purpose:scoring"]));
    // Waits for the board, too, and helps nothing.
    s.add("bases", other_basis("idle", "art6_1_f"));
    let found = suggest(&s);
    let first = &found["items"][0];
    assert_eq!((&first["kind"], &first["after"]), (&json!("dossier"), &json!("allow")), "{found:#}");
    assert_eq!(refs(first), ["purpose:scoring@1", "basis:scoring-contract@1"]);
    let alone = found["items"].as_array().unwrap().iter().skip(1);
    assert!(alone.clone().count() >= 2 && alone.clone().all(|i| i["after"] == "deny"), "{found:#}");
}

#[test]
fn an_approved_purpose_and_basis_are_found_with_what_they_leave_to_do() {
    let s = world(|p| {
        p.purposes.push(scenario::purpose("other"));
        p.deployment["purpose"] = json!("purpose:other");
    });
    assert_eq!(s.dry("start")["verdict"], "deny");
    let found = suggest(&s);
    let of = |kind: &str| found["items"].as_array().unwrap().iter().find(|i| i["kind"] == kind).cloned();
    let purpose = of("purpose").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(refs(&purpose), ["purpose:scoring@1", "basis:scoring-contract@1"]);
    assert!(rules(&purpose["clears"]).contains(&"source.covered"), "{purpose:#}");
    // The deployment is another one then, and nobody approved that.
    assert_eq!((rules(&purpose["remains"]), &purpose["vote"]), (vec!["release.approved"], &json!(true)));
    assert!(
        purpose["commands"].as_array().unwrap().last().unwrap().as_str().unwrap().ends_with("deployment:score-prod")
    );
}

#[test]
fn another_basis_in_force_is_found() {
    let s = world(|p| {
        p.bases.push(other_basis("interest", "art6_1_f"));
        p.bases[0]["valid_to"] = json!("2026-06-01");
        p.bases[0]["covers"]["stages"] = json!(["training"]);
        p.deployment["bases"] = json!(["basis:scoring-contract"]);
    });
    let found = suggest(&s);
    let items = found["items"].as_array().unwrap();
    let basis = items.iter().find(|i| i["kind"] == "basis").unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(refs(basis), ["basis:interest@1"]);
    assert!(rules(&basis["clears"]).contains(&"basis.approved"), "{found:#}");
}

#[test]
fn what_nothing_registered_clears_is_said_to_be_left() {
    let s = world(|p| drop(p.versions[0].as_object_mut().unwrap().remove("origin")));
    let found = suggest(&s);
    assert!(rules(&found["unanswered"]).contains(&"lineage.complete"), "{found:#}");
    let (code, out, _) = licit(&s.audit, &["suggest", "score-prod"]);
    assert!(code == if found["items"] == json!([]) { 3 } else { 0 } && out.contains("lineage.complete"), "{out}");
    s.audit.get("/api/v1/reports/suggest?deployment=nowhere").problem(404);
    s.audit.get("/api/v1/reports/suggest?deployment=").problem(422);
    s.audit.get("/api/v1/reports/suggest").problem(422);
}
