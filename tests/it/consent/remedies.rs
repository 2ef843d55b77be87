//! What is done in models for those who withdrew: which remedies suffice, what each must show, and whom it closes the action for.

use harness::scenario::{deployment, evidence, finding, in_days, model_version, people, purpose, training};
use harness::{Answer, Client, Scenario};
use serde_json::{Value, json};

use super::covered::{agree, consenting, load};
use super::said::batch;
use super::{finish, lines, pseudonym, put, said};
use crate::support::{faults, rebuilds};

/// What runs rests on consent, and the purpose lets these remedies suffice.
fn running(remedies: &[&str]) -> Scenario {
    let s = consenting();
    let mut revised = purpose("scoring");
    revised["withdrawal"] = json!({"days": 30, "remedies": remedies});
    if let Some(first) = remedies.first() {
        revised["withdrawal"]["default_remedy"] = json!(first);
    }
    s.add("purposes", revised);
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-consent"]), json!("purpose:scoring@2"));
    s.add("deployments", own);
    s.approve(&["purpose:scoring@2", "deployment:score-prod"]);
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    s
}

pub(super) fn now() -> String {
    licit_server::clock::now().to_string()
}

/// Some people withdraw at a moment, under records of their own.
pub(super) fn withdraw(s: &Scenario, at: &str, people: &[u32]) {
    let records: Vec<Value> =
        people.iter().map(|n| said(*n, u32::try_from(records(s)).unwrap() + n, "withdrawn", at)).collect();
    assert_eq!(batch(&s.ana, &records).good()["created"], people.len());
}

/// How many entries there are: record ids of their own follow from it.
pub(super) fn records(s: &Scenario) -> u64 {
    100_000 + 100 * s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap()
}

pub(super) fn acknowledge(s: &Scenario) -> u64 {
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/deployments/{id}/suppressions");
    let position = s.ci.get(&path).good()["position"].clone();
    s.ci.post(&format!("{path}/acknowledgements"), &json!({"position": position})).good();
    position.as_u64().unwrap()
}

/// The finding once the days are over.
fn late(s: &Scenario) -> Option<Value> {
    finding(&s.dry_at("start", Some(&in_days(31))), "consent.coverage")
}

fn counted(s: &Scenario) -> Option<String> {
    late(s).map(|found| found["sentence"].as_str().unwrap().split(" people").next().unwrap().to_owned())
}

fn act(client: &Client, of: &str, remedy: &str, more: &Value) -> Answer {
    let mut body = json!({"of": of, "purpose": "purpose:scoring", "remedy": remedy});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    client.post("/api/v1/remedies", &body)
}

/// What a claim needs.
fn claim() -> Value {
    json!({"evidence": [evidence()], "reason": "It was audited."})
}

fn actions(s: &Scenario) -> Vec<Value> {
    s.audit.get("/api/v1/consent-actions").good()["items"].as_array().unwrap().clone()
}

fn says(answer: &Answer, words: &str) {
    let problem = answer.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
}

#[test]
fn a_certificate_of_unlearning_closes_the_action_and_who_withdraws_later_opens_it_again() {
    let s = running(&["unlearn_certified"]);
    withdraw(&s, &in_days(-40), &[4, 5]);
    acknowledge(&s);
    assert_eq!(counted(&s).as_deref(), Some("2 of 10"));
    let gaps = |s: &Scenario| {
        let open = s.audit.get("/api/v1/gaps").good()["items"].to_string();
        open.contains("consent.coverage")
    };
    assert!(gaps(&s), "overdue already");
    let open = actions(&s);
    assert_eq!((open.len(), &open[0]["people"], &open[0]["overdue"]), (1, &json!(2), &json!(2)), "{open:#?}");
    assert_eq!(
        (&open[0]["sources"][0]["parts"], &open[0]["remedy"]),
        (&json!(["model:score@1"]), &json!("unlearn_certified"))
    );
    let command = late(&s).unwrap()["remedy"]["command"].as_str().unwrap().to_owned();
    assert!(
        command.starts_with("licit consent act model:score@1 --purpose purpose:scoring --remedy unlearn"),
        "{command}"
    );

    // Not what the purpose lets suffice; not shown; not said why; not the officer.
    let of = "model:score@1";
    let refused = |more: &Value, remedy: &str| faults(&act(&s.dora, of, remedy, more).problem(422));
    assert!(refused(&claim(), "output_filter")["#/remedy"].contains("`unlearn_certified` suffice"));
    assert!(refused(&json!({"reason": "So."}), "unlearn_certified").contains_key("#/evidence"));
    assert!(refused(&json!({"evidence": [evidence()]}), "unlearn_certified").contains_key("#/reason"));
    assert!(refused(&json!({"position": 999_999}), "unlearn_certified").len() == 1);
    act(&s.ana, of, "unlearn_certified", &claim()).problem(403);
    act(&s.bea, of, "unlearn_certified", &claim()).problem(403);
    assert!(faults(&act(&s.dora, "model:score@9", "unlearn_certified", &claim()).problem(422)).contains_key("#/of"));

    let taken = act(&s.dora, of, "unlearn_certified", &claim()).good();
    assert_eq!((counted(&s), actions(&s).len(), gaps(&s)), (None, 0, false));
    let listed = s.audit.get("/api/v1/remedies?parent=model:score@1").good();
    let spec = &listed["items"][0]["spec"];
    assert_eq!((&spec["purpose"], &spec["remedy"]), (&json!("purpose:scoring@2"), &json!("unlearn_certified")));
    assert!(spec.get("reason").is_none() && spec["reason_digest"].is_string(), "{spec:#}");
    let id = taken["id"].as_str().unwrap();
    assert_eq!(s.audit.get(&format!("/api/v1/remedies/{id}/history")).good()["items"].as_array().unwrap().len(), 1);
    assert_eq!(s.audit.resolve(&format!("remedy:{id}"))["kind"], "remedy");

    // One more, and one who agreed again and withdrew once more: for neither was anything done.
    withdraw(&s, &now(), &[6]);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    let open = actions(&s);
    assert_eq!((&open[0]["people"], &open[0]["acted"]), (&json!(1), &json!(2)), "{open:#?}");
    batch(&s.ana, &[said(4, 77_001, "given", &now())]).good();
    withdraw(&s, &now(), &[4]);
    assert_eq!(counted(&s).as_deref(), Some("2 of 10"));
    // Known later than the remedy, it was not dealt with, whenever it was said.
    withdraw(&s, &in_days(-40), &[7]);
    assert_eq!(counted(&s).as_deref(), Some("3 of 10"));
    act(&s.dora, of, "unlearn_certified", &claim()).good();
    assert_eq!(counted(&s), None);
    rebuilds(&s.server.db);
}

#[test]
fn a_remedy_reaches_up_to_its_position() {
    let s = running(&["output_filter"]);
    withdraw(&s, &now(), &[4]);
    let position = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap();
    withdraw(&s, &now(), &[5]);
    let mut claim = claim();
    claim["position"] = json!(position);
    act(&s.dora, "model:score@1", "output_filter", &claim).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    // Erased people stand in no filter: what contains them is to be made anew.
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 8)})).good();
    assert_eq!(counted(&s).as_deref(), Some("2 of 10"), "whom the model still knows is one of those it was trained on");
    act(&s.dora, "model:score@1", "output_filter", &self::claim()).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
}

#[test]
fn a_remedy_that_a_later_revision_does_not_name_counts_no_more() {
    let s = running(&["no_action", "suppress"]);
    withdraw(&s, &now(), &[4]);
    let problem = act(&s.dora, "model:score@1", "no_action", &json!({})).problem(422);
    assert!(faults(&problem).contains_key("#/evidence"), "{problem}");
    act(&s.dora, "model:score@1", "no_action", &claim()).good();
    assert_eq!(counted(&s), None);
    let mut revised = purpose("scoring");
    revised["withdrawal"] = json!({"days": 30});
    s.add("purposes", revised);
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-consent"]), json!("purpose:scoring@3"));
    s.add("deployments", own);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    let unapproved = purpose("unasked");
    s.add("purposes", unapproved);
    let body = json!({"of": "model:score@1", "purpose": "purpose:unasked", "remedy": "retrain"});
    assert!(faults(&s.dora.post("/api/v1/remedies", &body).problem(422))["#/purpose"].contains("not approved"));
    let mut wrong = purpose("wrong");
    wrong["withdrawal"] = json!({"days": 30, "remedies": ["suppress"], "default_remedy": "no_action"});
    let problem = s.ana.post("/api/v1/purposes", &wrong).problem(422);
    assert!(faults(&problem).contains_key("#/withdrawal/default_remedy"), "{problem}");
}

#[test]
fn leaving_out_is_read_off_the_lists_that_were_acknowledged() {
    let s = running(&["suppress"]);
    withdraw(&s, &now(), &[4]);
    says(&act(&s.ana, "model:score@1", "suppress", &json!({})), "acknowledged no list");
    let position = acknowledge(&s);
    let ahead = json!({"position": s.audit.get("/api/v1/ledger/head").good()["size"]});
    says(&act(&s.ana, "model:score@1", "suppress", &ahead), &format!("the list of position {position}"));
    let taken = act(&s.ana, "model:score@1", "suppress", &json!({})).good();
    let id = taken["id"].as_str().unwrap();
    let spec = s.audit.get(&format!("/api/v1/remedies/{id}")).good()["spec"].clone();
    assert_eq!(spec["position"], position);
    assert_eq!(counted(&s), None);
    withdraw(&s, &now(), &[5]);
    acknowledge(&s);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"), "a newer list is no remedy until somebody says so");
    // A model that runs nowhere leaves nobody out anywhere.
    s.add("model-versions", model_version("2", "2"));
    says(&act(&s.ana, "model:score@2", "suppress", &json!({})), "runs in no deployment");
    // The same model in another deployment, whose systems have no list.
    let mut other = deployment();
    (other["bases"], other["purpose"]) = (json!(["basis:scoring-consent"]), json!("purpose:scoring@2"));
    other["name"] = json!("score-batch");
    s.add("deployments", other);
    let body =
        json!({"deployment": "deployment:score-batch", "composition": [{"part": "base", "model": "model:score@1"}]});
    s.add("releases", body);
    s.approve(&["deployment:score-batch"]);
    let body = json!({"deployment": "deployment:score-batch", "dry_run": true, "valid_at": in_days(31)});
    let there = finding(&s.ci.post("/api/v1/gate", &body).good(), "consent.coverage").expect("it has no list");
    assert!(there["sentence"].as_str().unwrap().starts_with("2 of 10"), "{there}");
}

/// A base trained on people who all agree, and what is given beside it.
fn with_base(remedies: &[&str]) -> Scenario {
    let s = running(remedies);
    s.add("dataset-versions", people("2"));
    load(&s, "2", 10..20);
    agree(&s, 10..20);
    s.add("model-versions", model_version("2", "2"));
    s.add("runs", training("2", "2"));
    s
}

fn propose(s: &Scenario, body: &Value) -> String {
    let made = s.add("releases", body.clone());
    s.approve(&["deployment:score-prod"]);
    let release = made["ref"].as_str().unwrap().to_owned();
    let decision = s.activate(&release).good();
    assert_eq!(decision["verdict"], "allow", "{decision:#}");
    release
}

#[test]
fn an_adapter_is_removed_once_it_runs_no_more() {
    let s = with_base(&["adapter_removal"]);
    s.add("models", json!({"name": "tone", "owner": "ml-team"}));
    let mut tone = model_version("1", "3");
    tone["model"] = json!("model:tone");
    s.add("model-versions", tone);
    let mut tuned = training("1", "1");
    (tuned["operation"], tuned["outputs"]) = (json!("fine_tune"), json!(["model:tone@1"]));
    tuned["inputs"].as_array_mut().unwrap().push(json!({"ref": "model:score@2"}));
    s.add("runs", tuned);
    let base = json!({"part": "base", "model": "model:score@2"});
    let with = json!([base, {"part": "adapter", "model": "model:tone@1"}]);
    propose(&s, &json!({"deployment": "deployment:score-prod", "composition": with}));
    withdraw(&s, &now(), &[4]);
    acknowledge(&s);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    assert_eq!(actions(&s)[0]["sources"][0]["parts"], json!(["model:tone@1"]));
    says(&act(&s.ana, "model:tone@1", "adapter_removal", &json!({})), "is still part of `release:score-prod@2`");
    propose(&s, &json!({"deployment": "deployment:score-prod", "composition": [base]}));
    assert_eq!(counted(&s), None, "lineage shows it");
    act(&s.ana, "model:tone@1", "adapter_removal", &json!({})).good();
    // What never was an adapter here is none, and a base in which they still are is no removal.
    says(&act(&s.ana, "model:score@1", "adapter_removal", &json!({})), "never was such a part");
    withdraw(&s, &now(), &[12]);
    says(&act(&s.ana, "model:tone@1", "adapter_removal", &json!({})), "still in what `deployment:score-prod` runs");
}

#[test]
fn training_again_needs_no_record_and_may_have_one() {
    let s = running(&[]);
    withdraw(&s, &now(), &[4]);
    acknowledge(&s);
    says(&act(&s.ana, "model:score@1", "retrain", &json!({})), "is still part of");
    let create = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"});
    let set = s.ana.post("/api/v1/member-sets", &create).good();
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(now()), json!([set["id"]]));
    s.add("runs", again);
    s.release("2");
    assert_eq!(s.activate("release:score-prod@2").good()["verdict"], "allow");
    assert_eq!((counted(&s), actions(&s).len()), (None, 0));
    act(&s.ana, "model:score@1", "retrain", &json!({})).good();
}

#[test]
fn an_index_is_a_version_whose_members_lack_them() {
    let s = with_base(&["remove_from_index"]);
    s.add("datasets", json!({"namespace": "crm", "name": "index", "owner": "crm-team"}));
    let version = |version: &str| {
        let mut index = people(version);
        index["dataset"] = json!("dataset:crm/index");
        let index = index.as_object_mut().unwrap();
        index.remove("origin");
        index.remove("collected_for");
        s.add("dataset-versions", json!(index));
        s.add("runs", json!({
            "operation": "derive", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z", "controller": "party:acme",
            "inputs": [{"ref": "dataset:crm/people@1"}], "outputs": [format!("dataset:crm/index@{version}")],
        }));
    };
    let release = |version: &str| {
        propose(
            &s,
            &json!({
                "deployment": "deployment:score-prod", "composition": [{"part": "base", "model": "model:score@2"}],
                "indexes": [format!("dataset:crm/index@{version}")],
            }),
        );
    };
    let members = |version: &str, who: std::ops::Range<u32>| {
        let count = u32::try_from(who.len()).unwrap();
        let mut wanted = super::wanted("1");
        wanted["dataset_version"] = json!(format!("dataset:crm/index@{version}"));
        let begun = s.ana.post("/api/v1/member-loads", &wanted).good();
        let load = format!("member-loads/{}", begun["id"].as_str().unwrap());
        put(&s.ana, &load, 1, &lines("k1", who)).good();
        finish(&s.ana, &load, 1, count).good();
    };
    version("1");
    release("1");
    withdraw(&s, &now(), &[9]);
    acknowledge(&s);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"), "the index contains them");
    assert_eq!(actions(&s)[0]["sources"][0]["parts"], json!(["dataset:crm/index@1"]));
    let take = |version: &str| act(&s.ana, &format!("dataset:crm/index@{version}"), "remove_from_index", &json!({}));
    says(&take("1"), "nobody said who is in");
    members("1", 0..10);
    says(&take("1"), "1 people who had withdrawn or objected are still in `dataset:crm/index@1`");
    version("2");
    members("2", 0..9);
    says(&take("2"), "still runs `dataset:crm/index@1`");
    release("2");
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"), "nobody said so yet");
    take("2").good();
    assert_eq!(counted(&s), None);
    withdraw(&s, &now(), &[3]);
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    says(&take("2"), "1 people");
    assert!(faults(&act(&s.ana, "model:score@2", "remove_from_index", &json!({})).problem(422)).contains_key("#/of"));
}

#[test]
fn nobody_is_in_a_model_for_as_long_as_its_anonymity_is_assessed() {
    let s = running(&["anonymised_exempt"]);
    withdraw(&s, &now(), &[4]);
    acknowledge(&s);
    let take = || act(&s.dora, "model:score@1", "anonymised_exempt", &claim());
    says(&take(), "no approved assessment in force finds `model:score@1` anonymous for `party:acme`");
    let assessment = json!({
        "key": "anonymous", "kind": "anonymity", "of": "model:score@1", "holder": "party:acme", "statement": "Nobody can be got out.",
        "attack_model": "Membership inference with full access to the weights.", "evidence": [evidence()],
        "valid_from": "2020-01-01", "valid_to": in_days(100),
    });
    s.add("assessments", assessment);
    says(&take(), "no approved assessment");
    s.approve(&["assessment:anonymous"]);
    let id = take().good()["id"].as_str().unwrap().to_owned();
    let spec = s.audit.get(&format!("/api/v1/remedies/{id}")).good()["spec"].clone();
    assert_eq!(spec["assessment"], "assessment:anonymous@1");
    assert_eq!(counted(&s), None);
    let over = finding(&s.dry_at("start", Some(&in_days(101))), "consent.coverage");
    assert!(over.is_some(), "the assessment ended, and they are in it again");
    s.revoke("assessment:anonymous", 0);
    says(&take(), "no approved assessment");
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
}

#[test]
fn a_decision_that_rests_on_a_remedy_is_replayed_byte_by_byte() {
    let s = running(&["output_filter"]);
    withdraw(&s, &in_days(-40), &[4]);
    acknowledge(&s);
    act(&s.dora, "model:score@1", "output_filter", &claim()).good();
    let decision = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    assert_eq!(decision["verdict"], "allow", "{decision:#}");
    let id = decision["id"].as_str().unwrap();
    let document = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
    let acted: Vec<&Value> =
        document["consents"].as_array().unwrap().iter().filter_map(|consent| consent.get("acted")).collect();
    assert_eq!(acted.len(), 1, "{document:#}");
    withdraw(&s, &in_days(-39), &[5]);
    let replayed = s.audit.get(&format!("/api/v1/decisions/{id}/replay?known_at=now")).good();
    assert_eq!((&replayed["same"], &replayed["same_evidence"]), (&json!(true), &json!(true)), "{replayed:#}");
    assert!(replayed["known"]["came"].to_string().contains("consent.coverage"), "{replayed:#}");
}

#[test]
fn the_command_line_records_and_lists() {
    use crate::support::licit;
    let s = running(&["suppress", "output_filter"]);
    withdraw(&s, &now(), &[4]);
    acknowledge(&s);
    let (code, out, err) = licit(&s.audit, &["consent", "actions"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("1 of 10"), "{out}");
    let act = ["consent", "act", "score@1", "--purpose", "scoring", "--remedy", "output_filter"];
    let (code, _, err) = licit(&s.dora, &act);
    assert!(code == 1 && err.contains("name the document that shows it"), "{err}");
    let shown = [
        "--evidence-uri",
        "https://docs.example/filter.pdf",
        "--evidence-digest",
        harness::scenario::ZEROS,
        "--reason",
        "Tested.",
    ];
    let (code, out, err) = licit(&s.dora, &[&act[..], &shown[..]].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let (code, out, _) = licit(&s.audit, &["consent", "acts"]);
    assert!(code == 0 && out.contains("remedy:"), "{out}");
    let (code, out, _) = licit(&s.audit, &["consent", "actions"]);
    assert!(code == 0 && out.contains("nothing is to be done"), "{out}");
}
