//! Reads as of a position or a time.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{id, items, size};
use crate::gate::parts::{assessment, days, redeploy, world};
use crate::gate::policy::{policy, propose};
use crate::support::licit;

fn dry(s: &Scenario, body: &Value) -> Value {
    let mut question = json!({"deployment": "deployment:score-prod", "dry_run": true});
    question.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    s.ci.post("/api/v1/gate", &question).good()
}

#[test]
fn a_dry_run_knows_what_was_known() {
    let s = Scenario::registered();
    let before = size(&s);
    let refused = dry(&s, &json!({}));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    let approved = size(&s);
    s.revoke("purpose:scoring", 0);
    let then = dry(&s, &json!({"known_at": before.to_string(), "valid_at": refused["valid_at"]}));
    assert_eq!(then, refused, "the same knowledge about the same moment gives the same answer");
    let between = dry(&s, &json!({"known_at": approved.to_string()}));
    assert_eq!((&between["verdict"], &between["position"]), (&json!("allow"), &json!(approved)));
    let entry = s.audit.get(&format!("/api/v1/ledger/entries/{approved}")).good();
    let by_time = dry(&s, &json!({"known_at": entry["entry"]["at"]}));
    assert_eq!((&by_time["verdict"], &by_time["position"]), (&json!("allow"), &json!(approved)), "{by_time:#}");
    assert_eq!(dry(&s, &json!({"known_at": "now"}))["verdict"], "deny");
    assert_eq!(dry(&s, &json!({"known_at": "2000-01-01"}))["position"], 0);
}

#[test]
fn only_a_dry_run_may_know_less() {
    let s = Scenario::approved();
    let body = json!({"deployment": "deployment:score-prod", "known_at": "3"});
    let problem = s.ci.post("/api/v1/gate", &body).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/known_at", "{problem}");
    for wrong in ["999999", "soon", ""] {
        let body = json!({"deployment": "deployment:score-prod", "dry_run": true, "known_at": wrong});
        let problem = s.ci.post("/api/v1/gate", &body).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], "#/known_at", "{problem}");
    }
}

#[test]
fn lists_and_things_are_read_as_they_were() {
    let s = Scenario::running();
    let before = size(&s);
    redeploy(&s, |d| d["owner"] = json!("others"));
    s.add("dataset-versions", scenario::people("2"));
    s.revoke("purpose:scoring", 0);
    let deployment = id(&s.audit, "deployment:score-prod");
    let owner = |query: &str| {
        let read = s.audit.get(&format!("/api/v1/deployments/{deployment}{query}")).good();
        let listed = items(&s.audit.get(&format!("/api/v1/deployments{query}")).good());
        let resolved =
            s.audit.get(&format!("/api/v1/resolve?ref=deployment:score-prod{}", query.replacen('?', "&", 1)));
        assert_eq!((listed.len(), &listed[0]["spec"], &resolved.good()["spec"]), (1, &read["spec"], &read["spec"]));
        read["spec"]["owner"].as_str().unwrap().to_owned()
    };
    assert_eq!((owner("").as_str(), owner(&format!("?known_at={before}")).as_str()), ("others", "ml-team"));
    let state = |query: &str| {
        let listed = items(&s.audit.get(&format!("/api/v1/purposes{query}")).good());
        assert_eq!(listed.len(), 1, "one state is in force at a time: {listed:#?}");
        listed[0]["state"].clone()
    };
    assert_eq!((state(""), state(&format!("?known_at={before}"))), (json!("revoked"), json!("approved")));
    let versions = |query: &str| items(&s.audit.get(&format!("/api/v1/dataset-versions{query}")).good()).len();
    assert_eq!((versions(""), versions(&format!("?known_at={before}"))), (2, 1));
    assert_eq!((versions("?known_at=0"), versions("?known_at=2001-01-01")), (0, 0));
    s.audit.get(&format!("/api/v1/deployments/{deployment}?known_at=1")).problem(404);
    for wrong in ["999999", "soon"] {
        assert_eq!(s.audit.get(&format!("/api/v1/deployments?known_at={wrong}")).status, 422);
        assert_eq!(s.audit.get(&format!("/api/v1/deployments/{deployment}?known_at={wrong}")).status, 422);
    }
    let (code, out, _) = licit(&s.audit, &["deployment", "show", "score-prod", "--known-at", &before.to_string()]);
    assert!(code == 0 && out.contains("ml-team") && !out.contains("others"), "{out}");
    let (code, out, _) = licit(&s.audit, &["dataset", "versions", "crm/people", "--known-at", &before.to_string()]);
    assert!(code == 0 && !out.contains("people@2"), "{out}");
}

#[test]
fn a_list_shows_what_is_valid_at_a_moment() {
    let s = Scenario::running();
    let mut old = scenario::basis("old", "scoring");
    old["valid_to"] = json!("2026-01-01");
    s.add("bases", old);
    let bases = |query: &str| -> Vec<String> {
        let listed = items(&s.audit.get(&format!("/api/v1/bases?sort=name{query}")).good());
        listed.iter().map(|b| b["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(bases("").len(), 2);
    assert_eq!(bases("&valid_at=2025-06-01").len(), 2);
    assert_eq!(bases("&valid_at=2026-01-01"), ["basis:scoring-contract@1"], "an end is the first moment that is over");
    assert_eq!(bases("&valid_at=2019-06-01"), [""; 0]);
    let shown = items(&s.audit.get("/api/v1/bases?ref=basis:old@1").good())[0].clone();
    assert_eq!(shown["valid_to"], "2026-01-01T00:00:00.000000Z", "{shown:#}");
    // What was taken back ends then, not when it was said to end.
    let approvals = |at: &str| items(&s.audit.get(&format!("/api/v1/approvals?valid_at={at}")).good()).len();
    let (soon, before) = (days(1), approvals(&days(1)));
    s.revoke("basis:scoring-contract", 0);
    assert_eq!((approvals(&soon), before), (3, 4));
    let known = format!("{soon}&known_at={}", size(&s) - 1);
    assert_eq!(approvals(&known), 4, "both clocks at once");
    let (code, out, err) = licit(&s.audit, &["basis", "list", "--valid-at", "2026-06-01"]);
    assert!(code == 0 && out.contains("scoring-contract") && !out.contains("basis:old"), "{out}{err}");
    let problem = s.audit.get("/api/v1/models?valid_at=2026-06-01").problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/valid_at", "{problem}");
}

#[test]
fn a_reference_means_the_revision_approved_then() {
    let s = world(|p| p.deferred.push("purpose:scoring"));
    s.approve_until(&["purpose:scoring"], Some(&days(30)));
    let mut second = scenario::purpose("scoring");
    second["name"] = json!("Scoring, again");
    s.add("purposes", second);
    s.approve_until(&["purpose:scoring@2"], Some(&days(10)));
    let named =
        |at: &str| s.audit.get(&format!("/api/v1/resolve?ref=purpose:scoring&valid_at={at}")).good()["ref"].clone();
    assert_eq!((named(&days(5)), named(&days(20))), (json!("purpose:scoring@2"), json!("purpose:scoring@1")));
    let (code, out, _) = licit(&s.audit, &["purpose", "show", "scoring", "--valid-at", &days(20)]);
    assert!(code == 0 && out.contains("purpose:scoring@1"), "{out}");
    s.audit.get(&format!("/api/v1/resolve?ref=party:acme&valid_at={}", days(5))).problem(422);
}

#[test]
fn reviews_policies_and_figures_are_shown_as_they_were() {
    let s = Scenario::registered();
    let opened =
        s.ana.post("/api/v1/reviews", &json!({"title": "One", "subjects": [{"ref": "purpose:scoring"}]})).good();
    let before = size(&s);
    let path = format!("/api/v1/reviews/{}", opened["id"].as_str().unwrap());
    for member in [&s.bea, &s.carl] {
        let vote = json!({"choice": "approve", "digest": opened["digest"]});
        member.post(&format!("{path}/votes"), &vote).good();
    }
    let now = s.audit.get(&path).good();
    assert_eq!((&now["review"]["state"], now["votes"].as_array().unwrap().len()), (&json!("approved"), 2));
    let then = s.audit.get(&format!("{path}?known_at={before}")).good();
    assert_eq!((&then["review"]["state"], &then["votes"]), (&json!("open"), &json!([])), "{then:#}");
    let one = s.audit.get(&format!("{path}?known_at={}", before + 1)).good();
    assert_eq!(one["votes"].as_array().unwrap().len(), 1);
    s.audit.get(&format!("{path}?known_at=1")).problem(404);
    let (code, out, _) =
        licit(&s.audit, &["review", "show", opened["id"].as_str().unwrap(), "--known-at", &before.to_string()]);
    assert!(code == 0 && out.contains("open"), "{out}");
    // A policy, by its state; figures, by what was contested then.
    let (from, reference) = (size(&s), propose(&s, &policy(json!([]))));
    let policy = format!("/api/v1/policies/{}", id(&s.audit, &reference));
    assert_eq!(s.audit.get(&policy).status, 200);
    s.audit.get(&format!("{policy}?known_at={from}")).problem(404);
    let decision = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    let finding = &decision["findings"][0];
    let contest = json!({"decision": format!("decision:{}", decision["id"].as_str().unwrap()), "rule": finding["rule"], "node": finding["node"], "reason": "wrong"});
    s.ana.post("/api/v1/contests", &contest).good();
    let open = |query: &str| s.audit.get(&format!("/api/v1/reports/contests{query}")).text.contains("\"open\":1");
    assert_eq!((open(""), open(&format!("?known_at={}", size(&s) - 1))), (true, false));
    let (code, out, err) = licit(&s.audit, &["contest", "figures", "--known-at", &from.to_string()]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
}

#[test]
fn what_is_drawn_from_the_registry_takes_both_clocks() {
    let s = world(|p| p.assessments.push(anonymous()));
    s.activate("release:score-prod@1").good();
    // Downstream of what was assessed, a release is told as the gate sees it at that moment.
    let how = |query: &str| {
        let found = items(&s.audit.get(&format!("/api/v1/impact?ref=dataset:crm/people@1{query}")).good());
        found.iter().find(|i| i["kind"] == "release").unwrap()["how"].clone()
    };
    assert_eq!(
        (how(""), how(&format!("&valid_at={}", days(101)))),
        (json!(["shaped", "served"]), json!(["contained", "served"]))
    );
    // Exposure applies them only for a holder, and says which.
    let exposure = |query: &str| s.audit.get(&format!("/api/v1/exposure?ref=model:score@1{query}")).good();
    let bare = exposure("");
    assert_eq!((bare["contained"].as_array().unwrap().len(), &bare["cuts"]), (1, &Value::Null));
    for holder in ["party:acme", "deployment:score-prod"] {
        let cut = exposure(&format!("&holder={holder}"));
        assert_eq!((&cut["holder"], &cut["cuts"]), (&json!("party:acme"), &json!(["model:score@1"])), "{cut:#}");
        assert_eq!((cut["contained"].as_array().unwrap().len(), cut["shaped"].as_array().unwrap().len()), (0, 1));
        let later = exposure(&format!("&holder={holder}&valid_at={}", days(101)));
        assert_eq!((later["contained"].as_array().unwrap().len(), &later["cuts"]), (1, &Value::Null), "it has ended");
    }
    for wrong in ["&valid_at=2026-01-01", "&holder=party:nobody", "&holder=model:score", "&holder=nobody"] {
        s.audit.get(&format!("/api/v1/exposure?ref=model:score@1{wrong}")).problem(422);
    }
    let (code, out, _) = licit(&s.audit, &["exposure", "model:score@1", "--for", "deployment:score-prod"]);
    assert!(code == 0 && out.contains("shaped") && out.contains("cut  model:score@1"), "{out}");
    // A calendar of another day, and of other knowledge.
    let calendar = |query: &str| {
        let found = items(&s.audit.get(&format!("/api/v1/calendar?{query}")).good());
        found.iter().filter(|item| item["what"] != "law" && item["what"] != "token").count()
    };
    let from = days(95);
    assert_eq!(calendar(&format!("until={}", days(90))), 0);
    assert_eq!(calendar(&format!("valid_at={from}")), 1, "the assessment's validity");
    assert_eq!(calendar(&format!("valid_at={from}&known_at=3")), 0);
    s.audit.get(&format!("/api/v1/calendar?valid_at={from}&until={}", days(90))).problem(422);
    let (code, out, err) = licit(&s.audit, &["calendar", "--days", "10", "--valid-at", &from]);
    assert!(code == 0 && out.contains("assessment:anonymous"), "{out}{err}");
}

#[test]
fn what_would_have_been_is_supposed_of_what_was_known() {
    let s = Scenario::running();
    let running = size(&s);
    let supposed = json!({"revoke": ["basis:scoring-contract"]});
    s.revoke("basis:scoring-contract", 0);
    s.audit.post("/api/v1/whatif", &supposed).problem(409);
    let mut then = supposed.clone();
    then["known_at"] = json!(running.to_string());
    let answer = s.audit.post("/api/v1/whatif", &then).good();
    let turn = &answer["turned"][0];
    assert_eq!(
        (&answer["position"], &turn["before"], &turn["after"]),
        (&json!(running), &json!("allow"), &json!("deny"))
    );
    // What is changed in thought is read as it was then, too.
    let id = id(&s.ana, "dataset:crm/people@1");
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "erased"})).good();
    let drop = json!({"drop": ["dataset:crm/people"], "known_at": running.to_string()});
    assert_eq!(s.audit.post("/api/v1/whatif", &drop).good()["turned"][0]["after"], "deny");
    // A plan, too: what this registration would have led to then.
    let plan = json!({"deployments": [{"deployment": "deployment:score-prod"}], "known_at": running.to_string()});
    assert_eq!(s.ana.post("/api/v1/plans", &plan).good()["decisions"][0]["verdict"], "allow");
    let now = json!({"deployments": [{"deployment": "deployment:score-prod"}]});
    assert_eq!(s.ana.post("/api/v1/plans", &now).good()["decisions"][0]["verdict"], "deny");
    let later = json!({"deployments": [{"deployment": "deployment:score-prod"}], "known_at": running.to_string(), "valid_at": days(400)});
    assert_eq!(
        s.ana.post("/api/v1/plans", &later).good()["decisions"][0]["verdict"],
        "deny",
        "approvals ended by then"
    );
    let asked = ["whatif", "--revoke", "basis:scoring-contract", "--known-at", &running.to_string()];
    assert_eq!(licit(&s.audit, &asked).0, 3);
}

#[test]
fn tokens_are_listed_as_everything_is() {
    let s = Scenario::running();
    let admin = s.server.admin();
    let listed = |query: &str| items(&admin.get(&format!("/api/v1/tokens{query}")).good()).len();
    let all = listed("");
    let last = items(&admin.get("/api/v1/tokens").good())[0]["id"].as_str().unwrap().to_owned();
    admin.send("DELETE", &format!("/api/v1/tokens/{last}"), &[], None).good();
    assert_eq!((listed("?state=revoked"), listed("?state=issued"), listed("?limit=2")), (1, all - 1, 2));
    assert_eq!(listed(&format!("?valid_at={}", days(1))), all - 1, "what was taken back holds no more");
    let (code, out, err) = licit(&admin, &["token", "list", "--state", "revoked", "--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["items"].as_array().unwrap().len(), 1, "{out}");
}

/// The model is anonymous, for a hundred days.
fn anonymous() -> Value {
    let mut found = assessment("anonymous", "anonymity", "model:score@1");
    found["attack_model"] = json!("An insider with the training data of others.");
    found
}

#[test]
fn lineage_is_walked_as_it_was() {
    let s = Scenario::running();
    let before = size(&s);
    let panel = json!({"namespace": "crm", "name": "panel"});
    s.add("datasets", panel);
    let mut version = scenario::people("1");
    version["dataset"] = json!("dataset:crm/panel");
    s.add("dataset-versions", version);
    let run = s.audit.get("/api/v1/runs").good()["items"][0]["ref"].clone();
    let edge = json!({"kind": "used", "from": run, "to": "dataset:crm/panel@1", "role": "training"});
    s.ana.post("/api/v1/edges", &edge).good();
    let known = |path: &str| {
        let now = s.audit.get(path).text.contains("crm/panel@1");
        let then = s.audit.get(&format!("{path}&known_at={before}"));
        assert_eq!(then.status, 200, "{}", then.text);
        (now, then.text.contains("crm/panel@1"))
    };
    assert_eq!(known("/api/v1/lineage?ref=model:score@1"), (true, false));
    assert_eq!(known("/api/v1/exposure?ref=model:score@1"), (true, false));
    let path = "/api/v1/lineage/path?from=release:score-prod@1&to=dataset:crm/panel@1";
    assert!(s.audit.get(path).text.contains("crm/panel@1"));
    s.audit.get(&format!("{path}&known_at={before}")).problem(404);
    for command in [["lineage", "model:score@1"], ["exposure", "model:score@1"]] {
        let (code, out, _) = licit(&s.audit, &[&command[..], &["--known-at", &before.to_string()]].concat());
        assert!(code == 0 && !out.contains("panel"), "{out}");
    }
    let asked = ["gate", "score-prod", "--dry-run", "--known-at", "2000-01-01"];
    assert_eq!(licit(&s.ci, &asked).0, 3, "nothing was known");
    assert_eq!(licit(&s.ci, &["gate", "score-prod", "--known-at", "3"]).0, 2);
}
