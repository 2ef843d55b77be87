//! Handing data and models to other parties: the same gate, and the list of who received what.

use harness::Scenario;
use harness::scenario::{self, AGE, evidence, finding};
use serde_json::{Value, json};

use crate::exports::export;
use crate::gate::parts::{
    Parts, allowed, basis, change, days, denied, made, only, path, redeploy, revise_basis, rules, run, world,
};
use crate::support::{faults, licit, rebuilds};

/// The shape of the people, two steps down, handed to a university.
fn handing_over(p: &mut Parts) {
    let age = || vec![json!({"name": "age", "categories": [AGE], "identifiability": "quasi"})];
    p.parties.push(scenario::party("university"));
    p.datasets.extend(["clean", "extract"]);
    p.versions.push(made("clean", "1", age()));
    p.versions.push(made("extract", "1", age()));
    p.runs.push(run("filter", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/clean@1"]));
    p.runs.push(run("pseudonymise", "purpose:scoring", &["dataset:crm/clean@1"], &["dataset:crm/extract@1"]));
    let deployment = p.deployment.as_object_mut().unwrap();
    deployment.remove("reads");
    deployment.remove("writes");
    deployment.remove("region");
    p.deployment["discloses"] = json!({"to": ["party:university"], "what": ["dataset:crm/extract"]});
    p.release = Some(json!({"deployment": "deployment:score-prod"}));
    p.bases[0] = naming(&["party:university"]);
}

/// The usual basis, with recipients.
fn naming(parties: &[&str]) -> Value {
    basis(|b| b["covers"]["recipients"] = json!(parties))
}

fn recipients(s: &Scenario, reference: &str) -> Vec<Value> {
    let found = s.audit.get(&format!("/api/v1/reports/recipients?ref={reference}")).good();
    found["items"].as_array().unwrap().clone()
}

fn names(list: &[Value]) -> Vec<&str> {
    list.iter().map(|item| item["party"].as_str().unwrap()).collect()
}

#[test]
fn data_are_handed_over_on_a_basis_that_names_who_receives_them() {
    let s = world(|p| {
        handing_over(p);
        p.bases[0] = naming(&[]);
    });
    // No basis names the university: refused, and nobody received anything.
    let decision = s.activate("release:score-prod@1").problem(409)["decision"].clone();
    assert_eq!(rules(&decision), ["controller"], "{decision:#}");
    let refused = only(&decision, "controller");
    assert_eq!((&refused["status"], &refused["node"]), (&json!("unmet"), &json!("party:university")));
    assert!(refused["sentence"].as_str().unwrap().contains("no disclosure basis"), "{refused:#}");
    let way = path(refused);
    assert_eq!(
        (way.first().unwrap().as_str(), way.last().unwrap().as_str()),
        ("release:score-prod@1", "party:university")
    );
    assert!(way.contains(&"dataset:crm/people@1".to_owned()), "{way:?}");
    assert_eq!(recipients(&s, "dataset:crm/people"), [Value::Null; 0]);

    // The board approves a basis that does.
    revise_basis(&s, naming(&["party:university"]));
    redeploy(&s, |d| d["bases"] = json!(["basis:scoring-contract"]));
    s.approve(&["deployment:score-prod"]);
    allowed(&s.activate("release:score-prod@1").good());

    // Found from the source, two hops upstream, with path, time and basis.
    for reference in ["dataset:crm/people", "dataset:crm/people@1", "dataset:crm/extract"] {
        assert_eq!(names(&recipients(&s, reference)), ["party:university"], "{reference}");
    }
    let item = recipients(&s, "dataset:crm/people").remove(0);
    assert_eq!(item["release"], "release:score-prod@1");
    assert_eq!(
        (&item["how"], &item["region"], &item["controller"]),
        (&json!(["contained"]), &json!("FR"), &json!("party:acme"))
    );
    assert_eq!((&item["bases"], &item["until"]), (&json!(["basis:scoring-contract@2"]), &Value::Null));
    // Other people's programs are told, too, of the whole and of the deployment alone.
    for of in ["", "&of=deployment:score-prod"] {
        let prov = export(&s.audit, &format!("format=prov{of}"));
        let received = |one: &&Value| one["prov:role"] == "recipient" && one["prov:agent"] == "licit:party:university";
        assert_eq!(prov["wasAssociatedWith"].as_object().unwrap().values().filter(received).count(), 1, "{prov:#}");
        assert!(prov["agent"]["licit:party:university"].is_object(), "{prov:#}");
    }
    let way: Vec<String> = path(&item);
    assert_eq!(
        (way.first().unwrap().as_str(), way.last().unwrap().as_str()),
        ("dataset:crm/people@1", "party:university")
    );
    assert!(way.contains(&"dataset:crm/extract@1".to_owned()), "{way:?}");
    // The graph shows it, and what relies on the party.
    let impact = s.audit.get("/api/v1/impact?ref=dataset:crm/people").good();
    assert!(
        impact["items"].as_array().unwrap().iter().any(|i| i["ref"] == "party:university" && i["kind"] == "party"),
        "{impact:#}"
    );
    let closure = s.audit.get("/api/v1/lineage?ref=dataset:crm/extract@1&direction=downstream").good();
    assert!(closure["edges"].as_array().unwrap().iter().any(|e| e["kind"] == "disclosed_to"), "{closure:#}");
    let (code, out, _) = licit(&s.audit, &["recipients", "dataset:crm/people"]);
    assert!(code == 0 && out.contains("party:university") && out.contains("basis:scoring-contract@2"), "{out}");
    let (code, out, _) = licit(&s.audit, &["recipients", "model:score"]);
    assert!(code == 0 && out.contains("nothing that came of"), "{out}");
    rebuilds(&s.server.db);
}

#[test]
fn whoever_erases_somebody_is_told_where_else_they_are_and_whom_to_tell() {
    let s = world(handing_over);
    s.add("subject-keys", crate::consent::key("k1", "crm", scenario::ZEROS));
    crate::consent::covered::load(&s, "1", 0..3);
    let ask = |person: u32| json!({"subject": crate::consent::pseudonym("k1", person)});
    let before = s.dora.post("/api/v1/subjects/erasures", &ask(0)).good();
    assert_eq!(before["recipients"], json!([]), "nothing was handed over yet");
    allowed(&s.activate("release:score-prod@1").good());
    let erased = s.dora.post("/api/v1/subjects/erasures", &ask(1)).good();
    let refs = |list: &str| -> Vec<String> {
        erased[list].as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(erased["datasets"], json!(["dataset:crm/people@1"]));
    assert_eq!(refs("derived"), ["dataset:crm/clean@1", "dataset:crm/extract@1"]);
    assert_eq!(refs("deployments"), ["deployment:score-prod"]);
    assert_eq!(names(erased["recipients"].as_array().unwrap()), ["party:university"]);
    let who = crate::consent::pseudonym("k1", 2);
    let (code, out, _) = licit(&s.dora, &["subjects", "erase", "--subject", &who, "--yes"]);
    assert!(code == 0 && out.contains("to be told: party:university") && out.contains("dataset:crm/clean@1"), "{out}");
    rebuilds(&s.server.db);
}

#[test]
fn a_joint_controller_and_a_processor_need_no_disclosure_basis() {
    let tie = |kind: &str, to: Option<&str>| {
        let mut tie = json!({"kind": kind, "with": "party:acme", "evidence": evidence(), "valid_from": "2020-01-01"});
        if let Some(to) = to {
            tie["valid_to"] = json!(to);
        }
        json!([tie])
    };
    let end = days(30);
    for (kind, fits) in [("joint_controllers", true), ("processing_contract", true), ("standard_clauses", false)] {
        let s = world(|p| {
            handing_over(p);
            p.bases[0] = naming(&[]);
            p.parties[1]["arrangements"] = tie(kind, None);
        });
        assert_eq!(finding(&s.dry("start"), "controller").is_none(), fits, "{kind}");
    }
    let s = world(|p| {
        handing_over(p);
        p.bases[0] = naming(&[]);
        p.parties[1]["arrangements"] = tie("processing_contract", Some(&end));
    });
    allowed(&s.dry("start"));
    let decision = s.dry_at("start", Some(&days(40)));
    let ended = only(&decision, "controller");
    assert_eq!((&ended["status"], &ended["since"]), (&json!("expired"), &json!(end)));
}

#[test]
fn another_recipient_lies_outside_what_was_approved() {
    let s = world(handing_over);
    allowed(&s.activate("release:score-prod@1").good());
    let position = s.audit.get("/api/v1/ledger/head").good()["size"].clone();
    let mut broker = scenario::party("broker");
    broker["region"] = json!("IN");
    s.add("parties", broker);
    redeploy(&s, |d| d["discloses"]["to"] = json!(["party:university", "party:broker"]));
    let decision = s.dry("start");
    denied(&decision);
    assert_eq!(rules(&decision), ["controller", "notice", "release.approved", "transfer"]);
    let widened = only(&decision, "release.approved");
    assert_eq!(widened["also"], json!(["recipient `party:broker` is new"]));
    assert!(only(&decision, "transfer")["sentence"].as_str().unwrap().contains("goes to `party:broker` in IN"));
    // Said of what runs, it counts as received from then on: whom to tell must miss nobody.
    let found = recipients(&s, "dataset:crm/people");
    assert_eq!(names(&found), ["party:broker", "party:university"]);
    // As known before, it was one.
    let then = s.audit.get(&format!("/api/v1/reports/recipients?ref=dataset:crm/people&known_at={position}")).good();
    assert_eq!(names(then["items"].as_array().unwrap()), ["party:university"]);
    // It is taken back: over, and still told.
    redeploy(&s, |d| d["discloses"]["to"] = json!(["party:university"]));
    allowed(&s.dry("start"));
    let found = recipients(&s, "dataset:crm/people");
    assert_eq!(
        (names(&found), found[0]["until"].is_string(), found[1]["until"].is_null()),
        (vec!["party:broker", "party:university"], true, true)
    );
    // A narrower list is inside; a withdrawn release hands over no more.
    let id = s.ci.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({})).good();
    assert!(recipients(&s, "dataset:crm/people").iter().all(|item| item["until"].is_string()));
    rebuilds(&s.server.db);
}

#[test]
fn later_versions_are_handed_over_by_a_later_release() {
    let s = world(handing_over);
    allowed(&s.activate("release:score-prod@1").good());
    let age = json!({"name": "age", "categories": [AGE], "identifiability": "quasi"});
    s.add("dataset-versions", made("extract", "2", vec![age]));
    s.add("runs", run("pseudonymise", "purpose:scoring", &["dataset:crm/clean@1"], &["dataset:crm/extract@2"]));
    assert_eq!(names(&recipients(&s, "dataset:crm/extract@2")), [""; 0], "it was not handed over yet");
    let (code, _, err) = licit(&s.ana, &["release", "create", "score-prod", "--disclosure"]);
    assert_eq!(code, 0, "{err}");
    allowed(&s.activate("release:score-prod@2").good());
    assert_eq!(names(&recipients(&s, "dataset:crm/extract@2")), ["party:university"]);
    assert_eq!(recipients(&s, "dataset:crm/people").len(), 2);
    // Restricted data are handed to nobody, whatever the basis.
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "restricted"})).good();
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
    let lift = json!({"life": "held", "reason": "The dispute is settled."});
    s.dora.post(&format!("/api/v1/dataset-versions/{id}/life"), &lift).good();
    // What the deployment does not declare any more is not handed over by an old release either.
    redeploy(&s, |d| d["discloses"]["what"] = json!(["dataset:crm/clean"]));
    let decision = s.dry("start");
    assert_eq!(only(&decision, "serving.declared")["node"], "dataset:crm/extract@2");
}

#[test]
fn a_model_is_handed_over_with_the_people_in_it() {
    let s = world(|p| {
        handing_over(p);
        p.deployment["discloses"]["what"] = json!(["model:score"]);
    });
    allowed(&s.activate("release:score-prod@1").good());
    assert_eq!(names(&recipients(&s, "dataset:crm/people")), ["party:university"]);
    let decision = s.dry("start");
    assert_eq!(
        decision["models"]["model:score@1"].as_array().unwrap().len(),
        1,
        "its bytes are admitted: {decision:#}"
    );
    // Asked with a scenario that covers the training only, it is refused: handing over is a use of its own.
    revise_basis(
        &s,
        basis(|b| {
            b["covers"]["stages"] = json!(["training"]);
            b["covers"]["recipients"] = json!(["party:university"])
        }),
    );
    assert_eq!(rules(&s.dry("start")), ["source.covered"]);
}

#[test]
fn what_runs_besides_is_judged_like_anything_that_runs() {
    let s = world(|p| {
        handing_over(p);
        p.release = Some(json!({
            "deployment": "deployment:score-prod", "composition": [{"part": "base", "model": "model:score"}],
        }));
    });
    let decision = s.dry("start");
    assert_eq!(rules(&decision), ["serving.declared", "transfer"], "what it reads, and where it computes, is unknown");
    redeploy(&s, |d| {
        d["reads"] = json!({"nobody": "It is asked about no person."});
        d["writes"] = d["reads"].clone();
        d["region"] = json!("FR");
    });
    allowed(&s.dry("start"));
}

#[test]
fn what_cannot_be_handed_over_is_refused_by_pointer() {
    let s = world(handing_over);
    let mut other = scenario::deployment();
    other["name"] = json!("other");
    let disclosing = |to: &str, what: &str| {
        let mut body = other.clone();
        body["discloses"] = json!({"to": [to], "what": [what]});
        body
    };
    for (body, pointer) in [
        (disclosing("party:nobody", "dataset:crm/extract"), "#/discloses/to/0"),
        (disclosing("party:acme", "dataset:crm/extract"), "#/discloses/to/0"),
        (disclosing("party:university", "dataset:crm/nothing"), "#/discloses/what/0"),
        (disclosing("party:university", "purpose:scoring"), "#/discloses/what/0"),
    ] {
        let problem = s.ana.post("/api/v1/deployments", &body).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{problem:#}");
    }
    s.add("deployments", other.clone());
    let release = |deployment: &str, discloses: Value| json!({"deployment": deployment, "discloses": discloses});
    for (body, pointer) in [
        (json!({"deployment": "deployment:other"}), "#/composition"),
        (release("deployment:other", json!(["dataset:crm/extract@1"])), "#/discloses"),
        (release("deployment:score-prod", json!(["dataset:crm/people@1"])), "#/discloses/0"),
    ] {
        let problem = s.ana.post("/api/v1/releases", &body).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{problem:#}");
    }
    for reference in ["party:university", "purpose:scoring"] {
        s.audit.get(&format!("/api/v1/reports/recipients?ref={reference}")).problem(422);
    }
    s.audit.get("/api/v1/reports/recipients?ref=dataset:crm/nothing").problem(404);
    change(&s, "parties", "party:university", |party| party["region"] = json!("DE"));
}
