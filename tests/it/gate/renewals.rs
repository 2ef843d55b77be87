//! What ends soon: without change in one list for one vote, changed apart; and how long refusals stay.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::{ask, days, redeploy, revise_basis, train_on, world};
use crate::support::licit;

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|r| r["ref"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_did_not_change_is_renewed_by_one_review() {
    let s = Scenario::approved();
    let ahead = |until: &str| s.audit.get(&format!("/api/v1/reports/renewals?until={until}")).good();
    assert_eq!(s.audit.get("/api/v1/reports/renewals").good()["unchanged"], json!([]), "it holds for a year");
    let all = ahead(&days(400));
    let every = ["basis:scoring-contract@1", "deployment:score-prod", "purpose:scoring@1", "system:scorer@1"];
    assert_eq!(
        (names(&all["unchanged"]), names(&all["changed"])),
        (every.map(str::to_owned).to_vec(), vec![]),
        "{all:#}"
    );
    assert_eq!(
        all["commands"],
        json!([format!("licit review create --title \"Renew without change\" {}", every.join(" "))])
    );

    // A new version inside the envelope changes nothing; another basis, and what is served elsewhere, do.
    train_on(&s, "2", "dataset:crm/people@1");
    assert_eq!(ahead(&days(400))["changed"], json!([]));
    let mut basis = scenario::basis("scoring-contract", "scoring");
    basis["name"] = json!("Contract, reworded");
    s.add("bases", basis);
    redeploy(&s, |d| d["region"] = json!("DE"));
    let some = ahead(&days(400));
    assert_eq!(names(&some["changed"]), ["basis:scoring-contract@2", "deployment:score-prod"], "{some:#}");
    assert!(some["changed"][1]["changed"].as_str().unwrap().contains("envelope"), "{some:#}");

    let until = days(400);
    let (code, out, err) = licit(&s.ana, &["renewals", "--until", &until]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("$ licit review create --title \"Renew without change\" purpose:scoring@1 system:scorer@1"),
        "{out}"
    );
    let (code, out, err) = licit(&s.ana, &["renewals", "--until", &until, "--open", "--json"]);
    assert_eq!(code, 0, "{err}");
    let opened: Value = serde_json::from_str(&out).unwrap();
    let review = s.audit.get(&format!("/api/v1/reviews/{}", opened["opened"][0]["id"].as_str().unwrap())).good();
    assert_eq!(review["review"]["spec"]["subjects"].as_array().unwrap().len(), 2, "{review:#}");
    s.audit.get("/api/v1/reports/renewals?until=2020-01-01").problem(422);
}

#[test]
fn what_was_renewed_is_not_asked_for_again() {
    let s = Scenario::registered();
    let soon = days(30);
    s.approve_until(&["purpose:scoring", "basis:scoring-contract"], Some(&soon));
    let due = || names(&s.audit.get("/api/v1/reports/renewals").good()["unchanged"]);
    assert_eq!(due(), ["basis:scoring-contract@1", "purpose:scoring@1"]);
    s.approve(&["purpose:scoring"]);
    assert_eq!(due(), ["basis:scoring-contract@1"]);
    // What ends by itself is not helped by a vote.
    revise_basis(&s, {
        let mut ends = scenario::basis("scoring-contract", "scoring");
        ends["valid_to"] = json!(days(40));
        ends
    });
    let later = s.audit.get(&format!("/api/v1/reports/renewals?until={}", days(400))).good();
    let basis = later["changed"].as_array().unwrap().iter().find(|r| r["ref"] == "basis:scoring-contract@2");
    assert!(basis.is_some_and(|b| b["changed"].as_str().unwrap().contains("valid until")), "{later:#}");
}

#[test]
fn the_time_from_refusal_to_clearing_is_told_by_rule_and_addressee() {
    let s = world(|p| p.bases[0]["covers"]["stages"] = json!(["training"]));
    let figures = || s.audit.get("/api/v1/reports/clearing").good()["items"].clone();
    assert_eq!(figures(), json!([]));
    s.dry("start");
    assert_eq!(figures(), json!([]), "a dry run refuses nobody");
    let first = ask(&s, json!({"intent": "start"}));
    ask(&s, json!({"intent": "start"}));
    let rules: Vec<&str> = first["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    let open = figures();
    let of =
        |figures: &Value, rule: &str| figures.as_array().unwrap().iter().find(|f| f["rule"] == rule).unwrap().clone();
    let covered = of(&open, "source.covered");
    assert_eq!((&covered["open"], &covered["cleared"]), (&json!(1), &json!(0)), "{rules:?} {open:#}");
    assert_eq!(covered["addressee"], first["findings"][0]["addressee"]);
    assert_eq!(covered.get("median_hours"), None);
    revise_basis(&s, {
        let mut whole = scenario::basis("scoring-contract", "scoring");
        whole["name"] = json!("Contract, both stages");
        whole
    });
    ask(&s, json!({"intent": "start"}));
    let covered = of(&figures(), "source.covered");
    assert_eq!((&covered["open"], &covered["cleared"]), (&json!(0), &json!(1)));
    assert_eq!((covered["median_hours"].is_u64(), &covered["p90_hours"]), (true, &covered["median_hours"]));
    let (code, out, err) = licit(&s.audit, &["clearing"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("source.covered"), "{out}");
}
