//! Objections reach what models learned: they are acted on like withdrawals, where people may object at all.

use harness::Scenario;
use harness::scenario::{basis, deployment, evidence, finding, in_days, model_version, purpose, training};
use serde_json::{Value, json};

use super::covered::load;
use super::remedies::{now, records};
use super::said::batch;
use super::suppressed::{list, people};
use super::{key, said};
use crate::gate::parts::assessment;
use crate::support::rebuilds;

/// What runs rests on legitimate interests, and so did its training.
pub(super) fn interested(people_known: bool) -> Scenario {
    let s = Scenario::registered();
    s.add("subject-keys", key("k1", "crm", harness::scenario::ZEROS));
    let mut interest = basis("scoring-interest", "scoring");
    interest["legal_basis"] = json!("art6_1_f");
    interest["letter"] = json!({"balancing_test": evidence(), "necessity": "We must know whom to ask."});
    s.add("bases", interest);
    let mut revised = purpose("scoring");
    revised["withdrawal"] = json!({"days": 30, "remedies": ["output_filter"]});
    s.add("purposes", revised);
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-interest"]), json!("purpose:scoring@2"));
    s.add("deployments", own);
    s.approve(&["purpose:scoring@1"]);
    s.approve(&["purpose:scoring@2", "basis:scoring-interest", "system:scorer", "deployment:score-prod"]);
    if people_known {
        load(&s, "1", 0..10);
    }
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    s
}

/// The board approves that there are grounds which override objections.
pub(super) fn compelling(s: &Scenario) {
    s.add("assessments", assessment("grounds", "compelling_grounds", "purpose:scoring"));
    s.approve(&["assessment:grounds"]);
}

fn says(s: &Scenario, person: u32, what: &str, at: &str) {
    let record = said(person, u32::try_from(records(s)).unwrap(), what, at);
    s.dora.post("/api/v1/consent-records", &record).good();
}

fn late(s: &Scenario) -> Option<Value> {
    finding(&s.dry_at("start", Some(&in_days(31))), "objection")
}

fn counted(s: &Scenario) -> Option<String> {
    late(s).map(|found| found["sentence"].as_str().unwrap().split(" people").next().unwrap().to_owned())
}

#[test]
fn an_objection_is_acted_on_in_models_within_the_days_of_the_purpose() {
    let s = interested(true);
    let first = in_days(-3);
    says(&s, 3, "objected", &first);
    says(&s, 4, "objected", &now());
    says(&s, 77, "objected", &now());
    assert_eq!(finding(&s.dry("start"), "objection"), None, "there is time");
    assert_eq!(counted(&s).as_deref(), Some("2 of 10"), "and whoever is not in it is in no model");
    let found = late(&s).unwrap();
    assert_eq!(found["article"], "GDPR Art. 17(1)(c), 21(1)");
    let command = "licit subjects exclude dataset:crm/people@1 --purpose purpose:scoring --objecting";
    assert_eq!(found["remedy"]["command"], command);
    let open = s.audit.get("/api/v1/consent-actions").good()["items"].clone();
    assert_eq!((&open[0]["about"], &open[0]["people"], &open[1]), (&json!("objection"), &json!(2), &Value::Null));
    assert_eq!(open[0]["oldest"], first);
    assert_eq!(open[0]["due"].as_str().unwrap()[..10], in_days(27)[..10]);
    // Grounds that override one, and one who objects no more.
    compelling(&s);
    says(&s, 3, "objection_overridden", &now());
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    says(&s, 4, "objection_withdrawn", &now());
    assert_eq!(counted(&s), None);
    assert_eq!(s.audit.get("/api/v1/consent-actions").good()["items"], json!([]));
    // An objection to everything is one to this; one to a channel is not.
    let mut everything = said(5, 90_001, "objected", &now());
    everything.as_object_mut().unwrap().remove("purpose");
    let mut contact = said(6, 90_002, "objected", &now());
    contact["channel"] = json!("email");
    batch(&s.dora, &[everything, contact]).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    rebuilds(&s.server.db);
}

#[test]
fn grounds_override_nobody_before_the_board_finds_them_compelling() {
    let s = interested(true);
    says(&s, 3, "objected", &in_days(-3));
    let over = |record: u32| s.dora.post("/api/v1/consent-records", &said(3, record, "objection_overridden", &now()));
    let refused = |record: u32| {
        let problem = over(record).problem(422);
        let detail = problem["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("compelling_grounds"), "{detail}");
    };
    refused(1);
    for other in ["purpose:elsewhere", "purpose:scoring@2", "basis:scoring-interest"] {
        s.ana.post("/api/v1/assessments", &assessment("grounds", "compelling_grounds", other)).problem(422);
    }
    s.add("assessments", assessment("grounds", "compelling_grounds", "purpose:scoring"));
    refused(2);
    s.approve(&["assessment:grounds"]);
    let left_out = || people(&list(&s, "")["add"]);
    assert_eq!((left_out(), counted(&s).as_deref()), (vec![3], Some("1 of 10")), "of whom is said for each");
    // Not before the assessment began, and of a renewal that is approved ahead, not before that begins.
    s.dora.post("/api/v1/consent-records", &said(3, 5, "objection_overridden", "2019-12-31T00:00:00Z")).problem(422);
    let mut renewed = assessment("grounds", "compelling_grounds", "purpose:scoring");
    (renewed["valid_from"], renewed["valid_to"]) = (json!(in_days(90)), json!(in_days(200)));
    s.add("assessments", renewed);
    s.approve(&["assessment:grounds@2"]);
    over(3).good();
    assert_eq!((left_out(), counted(&s)), (vec![], None));
    // When the board thinks better of it, nobody else's is overridden.
    s.revoke("assessment:grounds@1", 0);
    says(&s, 4, "objected", &in_days(-3));
    s.dora.post("/api/v1/consent-records", &said(4, 4, "objection_overridden", &now())).problem(422);
    assert_eq!(left_out(), [4]);
    rebuilds(&s.server.db);
}

#[test]
fn training_again_without_those_who_object_closes_it_and_so_does_a_remedy() {
    let s = interested(true);
    says(&s, 3, "objected", &now());
    let create = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring", "objecting": true});
    let mut both = create.clone();
    both["explicit"] = json!(true);
    s.ana.post("/api/v1/member-sets", &both).problem(422);
    let set = s.ana.post("/api/v1/member-sets", &create).good();
    assert_eq!((&set["count"], &set["excluded"], &set["objecting"]), (&json!(9), &json!(1), &json!(true)));
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(now()), json!([set["id"]]));
    s.add("runs", again);
    s.release("2");
    assert_eq!(counted(&s), None);
    let standing = json!({"deployment": "deployment:score-prod", "release": "release:score-prod@1", "dry_run": true, "valid_at": in_days(31)});
    let before = s.ci.post("/api/v1/gate", &standing).good();
    assert!(finding(&before, "objection").is_some(), "the version of before holds them still");
    let filtered = json!({
        "of": "model:score@1", "purpose": "purpose:scoring", "remedy": "output_filter", "evidence": [evidence()], "reason": "Tested.",
    });
    s.dora.post("/api/v1/remedies", &filtered).good();
    assert_eq!(finding(&s.ci.post("/api/v1/gate", &standing).good(), "objection"), None);
    // Whoever takes it back and objects once more is another matter.
    says(&s, 3, "objection_withdrawn", &now());
    says(&s, 3, "objected", &now());
    assert!(finding(&s.ci.post("/api/v1/gate", &standing).good(), "objection").is_some());
}

#[test]
fn where_nobody_said_who_is_in_it_an_objection_that_waits_makes_it_unknown() {
    let s = interested(false);
    says(&s, 3, "objected", &now());
    assert_eq!(finding(&s.dry("start"), "objection"), None);
    let found = late(&s).expect("anybody may be in it");
    assert_eq!((&found["status"], &found["node"]), (&json!("unknown"), &json!("dataset:crm/people@1")));
    load(&s, "1", 5..10);
    assert_eq!(late(&s), None, "nobody of them is");
}

#[test]
fn a_contract_is_not_objected_to_and_direct_marketing_always_is() {
    let s = Scenario::registered();
    s.add("subject-keys", key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    load(&s, "1", 0..10);
    says(&s, 3, "objected", &now());
    assert_eq!(late(&s), None);
    let mut marketing = purpose("scoring");
    marketing["iri"] = json!("https://w3id.org/dpv#DirectMarketing");
    s.add("purposes", marketing);
    let mut own = deployment();
    own["purpose"] = json!("purpose:scoring@2");
    s.add("deployments", own);
    s.approve(&["purpose:scoring@2", "deployment:score-prod"]);
    let findings = s.dry_at("start", Some(&in_days(31)))["findings"].clone();
    let learned =
        findings.as_array().unwrap().iter().filter(|f| f["rule"] == "objection" && f["node"] == "dataset:crm/people@1");
    assert_eq!(learned.count(), 1, "{findings:#}");
}

#[test]
fn erasing_whoever_objected_takes_nothing_out_of_a_model() {
    let s = interested(true);
    let erase = |person: u32| {
        let ask = json!({"subject": super::pseudonym("k1", person)});
        s.dora.post("/api/v1/subjects/erasures", &ask).good();
    };
    says(&s, 3, "objected", &in_days(-3));
    says(&s, 4, "objected", &in_days(-3));
    says(&s, 4, "objection_withdrawn", &now());
    says(&s, 5, "objected", &in_days(-3));
    compelling(&s);
    says(&s, 5, "objection_overridden", &now());
    let mut contact = said(6, 90_002, "objected", &now());
    contact["channel"] = json!("email");
    batch(&s.dora, &[contact]).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    [3, 4, 5, 6, 7].into_iter().for_each(erase);
    assert_eq!(finding(&s.dry("start"), "objection"), None, "there is time");
    assert_eq!(counted(&s).as_deref(), Some("1 of 6"), "five of ten are left, and the model knows one it should not");
    assert!(
        late(&s).unwrap()["sentence"]
            .as_str()
            .unwrap()
            .ends_with("; 1 of them erased since, which repairs no training")
    );
    let fact = crate::support::verified(&s.audit).into_iter().find(|fact| fact.entry.kind == "subject.erased").unwrap();
    assert_eq!(fact.data["objected"], json!([{"purpose": "purpose:scoring"}]));
    rebuilds(&s.server.db);
    // They stand in no filter: what contains them is to be made anew.
    let filtered = json!({
        "of": "model:score@1", "purpose": "purpose:scoring", "remedy": "output_filter", "evidence": [evidence()], "reason": "Tested.",
    });
    s.dora.post("/api/v1/remedies", &filtered).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 6"));
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    again["started_at"] = json!(now());
    s.add("runs", again);
    s.release("2");
    assert_eq!(counted(&s), None);
}

#[test]
fn a_list_that_names_no_objections_is_no_remedy_for_them() {
    let s = Scenario::registered();
    s.add("subject-keys", key("k1", "crm", harness::scenario::ZEROS));
    // It was trained on legitimate interests, and runs on a contract: its list leaves nobody out who objects.
    let mut interest = basis("scoring-interest", "scoring");
    interest["legal_basis"] = json!("art6_1_f");
    interest["letter"] = json!({"balancing_test": evidence(), "necessity": "We must know whom to ask."});
    interest["covers"]["stages"] = json!(["training"]);
    let mut contract = basis("scoring-contract", "scoring");
    contract["covers"]["stages"] = json!(["deployment"]);
    let mut revised = purpose("scoring");
    revised["withdrawal"] = json!({"days": 30, "remedies": ["suppress"]});
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-contract"]), json!("purpose:scoring@2"));
    for (collection, spec) in
        [("bases", interest), ("bases", contract), ("purposes", revised), ("deployments", own.clone())]
    {
        s.add(collection, spec);
    }
    s.approve(&["purpose:scoring@1"]);
    let board = ["purpose:scoring@2", "basis:scoring-interest", "basis:scoring-contract", "system:scorer"];
    s.approve(&board);
    s.approve(&["deployment:score-prod"]);
    load(&s, "1", 0..10);
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    says(&s, 3, "objected", &now());
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"));
    super::remedies::acknowledge(&s);
    let suppress = json!({"of": "model:score@1", "purpose": "purpose:scoring", "remedy": "suppress"});
    s.ana.post("/api/v1/remedies", &suppress).good();
    assert_eq!(counted(&s).as_deref(), Some("1 of 10"), "whoever objects is served all the same");
    // Once it runs on what people may object to, the list names them.
    own["bases"] = json!(["basis:scoring-contract", "basis:scoring-interest"]);
    s.add("deployments", own);
    assert_eq!(counted(&s), None);
}

/// A second version of the model, trained now.
fn train_again(s: &Scenario, sets: &[&Value]) {
    s.add("model-versions", model_version("2", "2"));
    let mut again = training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(now()), json!(sets));
    s.add("runs", again);
    s.release("2");
}

#[test]
fn a_training_that_begins_after_an_objection_does_without_that_person() {
    let s = interested(true);
    says(&s, 3, "objected", &now());
    says(&s, 4, "objected", &now());
    compelling(&s);
    says(&s, 4, "objection_overridden", &now());
    assert_eq!(finding(&s.dry("start"), "objection"), None, "what was learned before is acted on in time");
    train_again(&s, &[]);
    let found = finding(&s.dry("start"), "objection").expect("there is no time for it");
    assert_eq!((&found["status"], &found["node"]), (&json!("unmet"), &json!("dataset:crm/people@1")));
    assert!(found["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "{found}");
    let command = "licit subjects exclude dataset:crm/people@1 --purpose purpose:scoring --objecting";
    assert_eq!(found["remedy"]["command"], command);
    // Erasing whoever objected repairs no training.
    let ask = json!({"subject": super::pseudonym("k1", 3)});
    s.dora.post("/api/v1/subjects/erasures", &ask).good();
    let found = finding(&s.dry("start"), "objection").expect("it is as it was");
    assert!(found["sentence"].as_str().unwrap().starts_with("1 of 10 people"), "{found}");
    rebuilds(&s.server.db);
}

#[test]
fn a_training_on_the_set_without_those_who_object_may_begin() {
    let s = interested(true);
    says(&s, 3, "objected", &now());
    let create = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring", "objecting": true});
    let set = s.ana.post("/api/v1/member-sets", &create).good();
    train_again(&s, &[&set["id"]]);
    assert_eq!(finding(&s.dry("start"), "objection"), None);
    // Who objects after it began is acted on within the days of the purpose.
    says(&s, 5, "objected", &now());
    assert_eq!(finding(&s.dry("start"), "objection"), None);
    assert_eq!(counted(&s).as_deref(), Some("1 of 9"));
}

#[test]
fn a_training_that_begins_after_a_restriction_does_without_that_person() {
    let s = Scenario::registered();
    s.add("subject-keys", key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    load(&s, "1", 0..10);
    let mut restricted = said(3, 90_001, "restricted", &now());
    restricted.as_object_mut().unwrap().remove("purpose");
    batch(&s.dora, &[restricted, said(4, 90_002, "restricted", &now())]).good();
    let covered = || finding(&s.dry("start"), "source.covered");
    assert_eq!(covered(), None, "what was learned before may stay");
    let create = json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring", "restricted": true});
    for other in ["explicit", "objecting"] {
        let mut both = create.clone();
        both[other] = json!(true);
        s.ana.post("/api/v1/member-sets", &both).problem(422);
    }
    let set = s.ana.post("/api/v1/member-sets", &create).good();
    assert_eq!((&set["count"], &set["excluded"], &set["restricted"]), (&json!(8), &json!(2), &json!(true)));
    train_again(&s, &[]);
    let found = covered().expect("a contract restricts nobody's rights");
    assert_eq!((&found["article"], &found["status"]), (&json!("GDPR Art. 18(1)"), &json!("unmet")));
    assert!(found["sentence"].as_str().unwrap().starts_with("the data of 2 of 10 people"), "{found}");
    let command = "licit subjects exclude dataset:crm/people@1 --purpose purpose:scoring --restricted";
    assert_eq!(found["remedy"]["command"], command);
    // It is none the more lawful for their erasure.
    for person in [3, 4] {
        s.dora.post("/api/v1/subjects/erasures", &json!({"subject": super::pseudonym("k1", person)})).good();
    }
    let erased = covered().expect("the training is what it was");
    assert!(erased["sentence"].as_str().unwrap().starts_with("the data of 2 of 10 people"), "{erased}");
    s.add("model-versions", model_version("3", "3"));
    let mut again = training("3", "1");
    (again["started_at"], again["member_sets"]) = (json!(now()), json!([set["id"]]));
    s.add("runs", again);
    s.release("3");
    assert_eq!(covered(), None);
    rebuilds(&s.server.db);
}
