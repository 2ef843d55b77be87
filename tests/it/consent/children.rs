//! Where data are about children, only consent given by whoever holds parental responsibility counts (GDPR Art. 8(1)).

use harness::Scenario;
use harness::scenario::{basis, deployment, evidence, finding, in_days, model_version, people, training};
use serde_json::{Value, json};

use super::covered::{coverage, load};
use super::said;
use super::said::batch;
use crate::support::{licit, rebuilds};

const CHILD: &str = "https://w3id.org/dpv#Child";
const ADULT: &str = "https://w3id.org/dpv#Adult";

/// The scenario on consent of children, ten of whom are in the data; the letter says what the basis shows.
fn on_consent_of(subjects: &[&str], letter: &Value) -> Scenario {
    let s = Scenario::registered();
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    let mut consent = basis("children", "scoring");
    consent["legal_basis"] = json!("art6_1_a");
    consent["covers"]["subjects"] = json!([CHILD, ADULT]);
    consent["letter"] = json!({"notice": evidence(), "withdrawal_means": "https://acme.example/no"});
    for (name, value) in letter.as_object().unwrap() {
        consent["letter"][name] = value.clone();
    }
    s.add("bases", consent);
    let mut own = deployment();
    own["bases"] = json!(["basis:children"]);
    s.add("deployments", own);
    let mut version = people("2");
    version["subjects"] = json!(subjects);
    s.add("dataset-versions", version);
    s.add("model-versions", model_version("2", "2"));
    s.add("runs", training("2", "2"));
    s.release("2");
    s.approve(&["purpose:scoring", "basis:children", "system:scorer", "deployment:score-prod"]);
    load(&s, "2", 0..10);
    s
}

fn given(who: std::ops::Range<u32>, by: &str, record: u32) -> Vec<Value> {
    let one = |n: u32| {
        let mut record = said(n, record + n, "given", "2025-06-01T00:00:00Z");
        record["indicated_by"] = json!(by);
        record
    };
    who.map(one).collect()
}

fn lacking(s: &Scenario) -> Option<String> {
    let found = finding(&s.dry("start"), "consent.coverage")?;
    Some(found["sentence"].as_str().unwrap().to_owned())
}

#[test]
fn only_what_their_parents_gave_counts() {
    let s = on_consent_of(&[CHILD], &json!({"parental_consent": evidence()}));
    batch(&s.ana, &given(0..10, "data_subject", 0)).good();
    let sentence = lacking(&s).unwrap();
    assert!(sentence.starts_with("10 of 10 people") && sentence.contains("parental responsibility"), "{sentence}");
    assert_eq!(coverage(&s.dora, "2", "")["missing"], 0, "they did say so");
    assert_eq!(coverage(&s.dora, "2", "&parental=true")["missing"], 10);
    batch(&s.ana, &given(0..9, "parental_holder", 100)).good();
    assert!(lacking(&s).unwrap().starts_with("1 of 10 people"));
    // What is served leaves the tenth out.
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let list = s.ci.get(&format!("/api/v1/deployments/{id}/suppressions")).good();
    assert_eq!(list["add"], json!([super::pseudonym("k1", 9)]), "{list}");
    let remedy = finding(&s.dry("start"), "consent.coverage").unwrap()["remedy"]["command"].clone();
    assert!(remedy.as_str().unwrap().ends_with("--parental"), "{remedy}");
    let command: Vec<&str> = remedy.as_str().unwrap().split(' ').skip(1).collect();
    let (code, out, said_so) = licit(&s.ana, &command);
    assert!(code == 0 && out.contains("left out    1"), "{out}{said_so}");
    batch(&s.ana, &given(9..10, "parental_holder", 100)).good();
    assert_eq!(lacking(&s), None);
    // A child may withdraw, and what it gives after its parents is its own.
    let mut renewed = said(4, 300, "renewed", &in_days(-1));
    renewed["indicated_by"] = json!("data_subject");
    batch(&s.ana, &[renewed, said(5, 301, "withdrawn", &in_days(-1))]).good();
    assert_eq!(coverage(&s.dora, "2", "&parental=true")["missing"], 2);
    assert_eq!(coverage(&s.dora, "2", "")["missing"], 1);
    rebuilds(&s.server.db);
}

#[test]
fn children_old_enough_by_the_law_of_their_country_speak_for_themselves() {
    let s = on_consent_of(&[CHILD], &json!({"minimum_age": {"country": "FR", "age": 15}}));
    batch(&s.ana, &given(0..10, "data_subject", 0)).good();
    assert_eq!((lacking(&s), finding(&s.dry("start"), "minors")), (None, None));
}

#[test]
fn children_among_others_are_not_known_apart() {
    let s = on_consent_of(&[CHILD, ADULT], &json!({"parental_consent": evidence()}));
    batch(&s.ana, &given(0..10, "data_subject", 0)).good();
    let unknown = finding(&s.dry("start"), "minors").unwrap();
    assert_eq!(unknown["status"], "unknown", "{unknown}");
    assert!(unknown["remedy"]["text"].as_str().unwrap().contains("a version of their own"), "{unknown}");
    assert_eq!(lacking(&s), None);
}

#[test]
fn a_parent_gives_it_from_the_command_line() {
    let s = super::with_key();
    load(&s, "1", 0..1);
    let who = super::pseudonym("k1", 0);
    let notice = harness::scenario::ZEROS;
    let give = ["consent", "give", "--subject", &who, "--purpose", "scoring", "--notice", notice, "--parental"];
    let (code, _, said_so) = licit(&s.ana, &give);
    assert_eq!(code, 0, "{said_so}");
    let (code, out, _) = licit(&s.dora, &["consent", "coverage", "crm/people@1", "--purpose", "scoring", "--parental"]);
    assert!(code == 0 && out.contains("only given by parents") && out.contains("covered     1"), "{out}");
}
