//! Credit scoring at a bank: yearly training on old applications, a score for each of tonight's applicants, a lender who draws
//! strongly on it.

use harness::Scenario;
use harness::scenario::{self, document, evidence};
use serde_json::{Value, json};

use crate::gate::parts::{allowed, days, denied, field, of_rule, only, path, redeploy, rules};

const APPLICANT: &str = "https://w3id.org/dpv#Applicant";
const INCOME: &str = "https://w3id.org/dpv/pd#IncomeBracket";
const SOCIAL: &str = "https://w3id.org/dpv/pd#SocialNetwork";

/// People who asked for a loan.
pub(super) fn applicants(dataset: &str, version: &str, more: &[Value]) -> Value {
    let mut fields = vec![field("age", scenario::AGE), field("income", INCOME)];
    fields.extend_from_slice(more);
    json!({
        "dataset": format!("dataset:loans/{dataset}"), "version": version, "origin": "collected", "region": "FR",
        "retention": {"until": "2099-12-31"},
        "fields": fields, "subjects": [APPLICANT], "controllers": ["party:acme"], "collected_for": ["purpose:credit-scoring"],
        "collected_under": ["basis:tonight"],
    })
}

fn basis(key: &str, article: &str, datasets: &[&str], stages: &[&str], letter: &Value) -> Value {
    json!({
        "key": key, "name": key, "legal_basis": article,
        "covers": {
            "purposes": ["purpose:credit-scoring"], "datasets": datasets, "categories": [scenario::AGE, INCOME],
            "subjects": [APPLICANT], "controllers": ["party:acme"], "stages": stages,
        },
        "letter": letter, "valid_from": "2019-01-01", "evidence": [evidence()],
    })
}

/// Steps an applicant asks for before a contract.
pub(super) fn pre_contract() -> Value {
    let letter = json!({"contract": evidence(), "necessity": "Nobody can be offered a loan unseen."});
    basis("tonight", "art6_1_b", &["dataset:loans/tonight"], &["deployment"], &letter)
}

/// The law on the check of solvency.
pub(super) fn law() -> Value {
    let letter = json!({"law": "Code de la consommation, article L312-16"});
    basis("solvency", "art6_1_c", &["dataset:loans/register"], &["deployment"], &letter)
}

/// A legitimate interest, weighed.
pub(super) fn interest(key: &str, datasets: &[&str]) -> Value {
    basis(key, "art6_1_f", datasets, &["training", "deployment"], &json!({"balancing_test": evidence()}))
}

fn system(documents: &[&str]) -> Value {
    let mut system = scenario::system();
    system["intended_purpose"] = json!("Scores applicants for a loan; the lender draws strongly on it.");
    system["risk_class"] = json!("high");
    system["risk_reason"] = json!("Creditworthiness of people.");
    system["high_risk_area"] = json!("annex-iii-5b");
    system["role"] = json!("provider_and_deployer");
    system["effect"] = json!("decisive");
    system["reliance"] = json!("strong");
    system["transparency"] = json!({
        "talks_to_people": false, "synthetic_content": false, "emotion_or_biometric": false, "deep_fake_or_public_text": false,
    });
    system["documents"] = documents.iter().map(|kind| document(kind)).collect();
    system
}

/// The bank, with a basis for tonight's applicants, one for the register of payments, and a file of the system.
pub(super) fn bank([tonight, register]: [Value; 2], documents: &[&str]) -> Scenario {
    let s = Scenario::empty();
    s.add("parties", scenario::party("acme"));
    s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
    let mut purpose = scenario::purpose("credit-scoring");
    purpose["regulated_as"] = json!(["credit_assessment"]);
    s.add("purposes", purpose);
    s.inform(scenario::notice("applicants", &["credit-scoring"]));
    let tables = ["applications", "tonight", "register"];
    for name in tables {
        s.add("datasets", json!({"namespace": "loans", "name": name, "owner": "loans-team"}));
    }
    for basis in [tonight, register, interest("development", &["dataset:loans/applications"])] {
        s.add("bases", basis);
    }
    for name in tables {
        s.add("dataset-versions", applicants(name, if name == "applications" { "2019" } else { "1" }, &[]));
    }
    s.add("models", json!({"name": "score", "owner": "ml-team"}));
    s.add("model-versions", scenario::model_version("1", "1"));
    let mut training = scenario::training("1", "1");
    training["purpose"] = json!("purpose:credit-scoring");
    training["inputs"] = json!([{"ref": "dataset:loans/applications@2019", "role": "training"}]);
    s.add("runs", training);
    s.add("systems", system(documents));
    let mut deployment = scenario::deployment();
    deployment["purpose"] = json!("purpose:credit-scoring");
    deployment["bases"] = json!(["basis:tonight", "basis:solvency", "basis:development"]);
    deployment["reads"] = json!({"datasets": ["dataset:loans/tonight", "dataset:loans/register"]});
    s.add("deployments", deployment);
    s.release("1");
    let all = ["purpose:credit-scoring", "basis:tonight", "basis:solvency", "basis:development", "system:scorer"];
    s.approve_until(&[&all[..], &["deployment:score-prod"]].concat(), Some(&days(800)));
    s
}

pub(super) const FILED: &[&str] = &["dpia", "human-review"];

fn sentences(decision: &Value, rule: &str) -> String {
    of_rule(decision, rule).iter().map(|f| f["sentence"].as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

/// Register and approve, for as long as all the rest is.
pub(super) fn approved(s: &Scenario, collection: &str, body: Value) -> String {
    let reference = s.add(collection, body)["ref"].as_str().unwrap().to_owned();
    s.approve_until(&[&reference], Some(&days(800)));
    reference
}

#[test]
fn a_legitimate_interest_is_no_ground_for_a_score_that_decides() {
    // Weighed or not, it does not do for those who are scored; and nobody assessed the impact, nor looks again.
    let tonight = interest("tonight", &["dataset:loans/tonight"]);
    let s = bank([tonight, interest("solvency", &["dataset:loans/register"])], &[]);
    let decision = s.dry("start");
    denied(&decision);
    assert_eq!(rules(&decision), ["automated.decision", "risk.documents"]);
    let paths: Vec<_> = of_rule(&decision, "automated.decision").into_iter().map(path).collect();
    for (dataset, basis) in [("tonight", "tonight"), ("register", "solvency")] {
        let wanted =
            ["deployment:score-prod".to_owned(), format!("dataset:loans/{dataset}@1"), format!("basis:{basis}@1")];
        assert!(paths.contains(&wanted.to_vec()), "{paths:#?}");
    }
    let said = sentences(&decision, "automated.decision");
    assert!(said.contains("GDPR Art. 6(1)(f) as stated is no ground") && said.contains("(`human-review`)"), "{said}");
    assert!(!said.contains("basis:development"), "those it learned from are not decided on: {said}");
    let finding = only(&decision, "risk.documents");
    assert_eq!((&finding["status"], &finding["article"]), (&json!("unmet"), &json!("GDPR Art. 35(1), (3)")));

    // What the findings ask for, done.
    for basis in [pre_contract(), law()] {
        approved(&s, "bases", basis);
    }
    let reference = approved(&s, "systems", system(FILED));
    redeploy(&s, |d| d["system"] = json!(reference));
    assert_eq!(rules(&s.dry("start")), ["release.approved"], "the board has not seen it yet");
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
}

#[test]
fn from_december_2027_on_fundamental_rights_and_technical_documentation_are_asked_for_too() {
    let s = bank([pre_contract(), law()], FILED);
    allowed(&s.dry("start"));
    let on = |day: &str| s.dry_at("start", Some(day));
    assert_eq!(of_rule(&on("2027-12-01"), "risk.documents"), [&Value::Null; 0]);
    let decision = on("2027-12-02");
    denied(&decision);
    let asked: Vec<_> = of_rule(&decision, "risk.documents").iter().map(|f| f["article"].clone()).collect();
    assert_eq!(asked, ["AI Act Art. 11, Annex IV", "AI Act Art. 27"]);
    let documents = [FILED, &["annex-iv", "fria"]].concat();
    let reference = approved(&s, "systems", system(&documents));
    redeploy(&s, |d| d["system"] = json!(reference));
    assert_eq!(of_rule(&on("2027-12-02"), "risk.documents"), [&Value::Null; 0]);
}

#[test]
fn one_basis_governs_each_and_none_takes_the_place_of_another_in_silence() {
    let s = bank([pre_contract(), law()], FILED);
    allowed(&s.activate("release:score-prod@1").good());
    // The law is said to cover tonight's applicants, too: two claim them.
    let mut both = law();
    both["covers"]["datasets"] = json!(["dataset:loans/register", "dataset:loans/tonight"]);
    approved(&s, "bases", both.clone());
    let decision = s.dry("start");
    let finding = only(&decision, "basis.governing");
    assert_eq!(
        (&finding["status"], path(finding).last().unwrap().as_str()),
        (&json!("unmet"), "dataset:loans/tonight@1")
    );
    // Which of them is the ground to decide is as little known.
    assert_eq!(only(&decision, "automated.decision")["status"], "unknown");

    // The contract falls: the law does not step in by itself.
    s.revoke("basis:tonight", 0);
    let decision = s.dry("start");
    denied(&decision);
    assert!(sentences(&decision, "basis.governing").contains("basis:tonight@1"), "{decision:#}");
    // It says that it does, and the board agrees.
    both["replaces"] = json!(["basis:tonight"]);
    approved(&s, "bases", both);
    redeploy(&s, |d| d["bases"] = json!(["basis:solvency", "basis:development"]));
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_new_column_tonight_is_refused_although_the_model_is_the_same() {
    let s = bank([pre_contract(), law()], FILED);
    allowed(&s.activate("release:score-prod@1").good());
    s.add("dataset-versions", applicants("tonight", "2", &[field("social_score", SOCIAL)]));
    for intent in ["start", "continue"] {
        let decision = s.dry(intent);
        denied(&decision);
        let forbidden = of_rule(&s.dry_at(intent, Some(&days(30))), "purpose.forbids").len();
        assert_eq!(forbidden, 1, "Directive (EU) 2023/2225: a social network says nothing on credit");
        let widened = only(&decision, "release.approved")["also"].to_string();
        assert!(widened.contains("brings \\\"Social Network\\\""), "{widened}");
    }
    // The same table without it: the model was never the matter.
    s.add("dataset-versions", applicants("tonight", "3", &[]));
    allowed(&s.dry("start"));
}

const FLAG: &str = "https://w3id.org/dpv/pd#Transaction";
const FEATURES: &str = "dataset:loans/features";

/// The run that joined the applications with the flags, and the training on what it made.
fn join(s: &Scenario, version: &str, fields: &[Value], columns: &Value) {
    let mut features = applicants("features", version, &[]);
    features["fields"] = json!(fields);
    for member in ["origin", "collected_for", "retention"] {
        features.as_object_mut().unwrap().remove(member);
    }
    s.add("dataset-versions", features);
    let output = format!("{FEATURES}@{version}");
    s.add("runs", json!({
        "operation": "combine", "purpose": "purpose:credit-scoring", "started_at": "2025-12-01T00:00:00Z", "controller": "party:acme",
        "inputs": [{"ref": "dataset:loans/applications@2019"}, {"ref": "dataset:aml/flags@1"}], "outputs": [output], "columns": columns,
    }));
    s.add("model-versions", scenario::model_version(version, version));
    let mut training = scenario::training(version, version);
    training["purpose"] = json!("purpose:credit-scoring");
    training["inputs"] = json!([{"ref": output, "role": "training"}]);
    s.add("runs", training);
    s.release(version);
}

#[test]
fn a_join_that_brings_in_flags_against_money_laundering_is_refused_until_it_leaves_them_out() {
    let s = bank([pre_contract(), law()], FILED);
    allowed(&s.activate("release:score-prod@1").good());
    let mut purpose = scenario::purpose("anti-money-laundering");
    purpose["regulated_as"] = json!(["anti_money_laundering"]);
    approved(&s, "purposes", purpose);
    s.add("datasets", json!({"namespace": "aml", "name": "flags", "owner": "aml-team"}));
    s.add("datasets", json!({"namespace": "loans", "name": "features", "owner": "loans-team"}));
    let mut flags = applicants("flags", "1", &[]);
    flags["dataset"] = json!("dataset:aml/flags");
    flags["fields"] =
        json!([field("flag", FLAG), {"name": "applicant", "categories": [FLAG], "identifiability": "pseudonym"}]);
    flags["collected_for"] = json!(["purpose:anti-money-laundering"]);
    s.add("dataset-versions", flags);
    let features = [field("age", scenario::AGE), field("income", INCOME)];
    join(&s, "2", &features, &json!([]));
    // Nobody asked for the flags, and no column of theirs seems to be left: but nobody said so.
    let on = |day: &str| s.dry_at("start", Some(day));
    let decision = on("2027-07-10");
    denied(&decision);
    let finding = only(&decision, "purpose.forbids");
    let way = path(finding);
    assert_eq!(
        (way.first().unwrap().as_str(), way.last().unwrap().as_str()),
        ("release:score-prod@2", "dataset:aml/flags@1")
    );
    assert!(way.contains(&format!("{FEATURES}@2")), "{way:?}");
    assert!(finding["article"].as_str().unwrap().contains("2024/1624"), "{finding:#}");
    assert_eq!((&finding["addressee"], &finding["status"]), (&json!("aml-team"), &json!("unmet")));
    let remedy = finding["remedy"]["text"].as_str().unwrap();
    assert!(remedy.contains("`columns`") && !remedy.contains("consent"), "{remedy}");
    // The board knows nothing of them either.
    assert!(only(&decision, "release.approved")["also"].to_string().contains("dataset:aml/flags"));

    // What the join made of what, said by the join: the flags went into none of it.
    let of = |name: &str| json!([{"input": "dataset:loans/applications@2019", "field": name}]);
    let columns = |made: &str| {
        let column = |name: &str| json!({"output": made, "field": name, "from": of(name)});
        json!([column("age"), column("income")])
    };
    join(&s, "3", &features, &columns(&format!("{FEATURES}@3")));
    let decision = on("2027-07-10");
    assert_eq!(of_rule(&decision, "purpose.forbids"), [&Value::Null; 0], "{decision:#}");
    assert!(!decision["findings"].to_string().contains("aml/flags"), "{decision:#}");
}
