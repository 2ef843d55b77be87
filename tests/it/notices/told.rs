//! The rule `notice`, cause by cause, and what becomes of a way out that was tried.

use harness::Scenario;
use harness::scenario::{self, AGE, POLITICS, notice, party};
use serde_json::{Value, json};

use crate::gate::parts::{
    Parts, allowed, days, denied, explicitly, field, made, of_rule, only, path, people_with, redeploy, run, wide_basis,
    world,
};
use crate::gate::policy::{decide, policy};
use crate::support::rebuilds;

const EMAIL: &str = "https://w3id.org/dpv/pd#EmailAddress";
const SCORE: &str = "https://w3id.org/dpv/pd#CreditScore";

/// A notice that names these categories, and these as inferred.
fn naming(asked: &[&str], inferred: &[&str]) -> Value {
    let mut naming = notice("customers", &["scoring"]);
    let asked = asked.iter().map(|iri| json!({"iri": iri}));
    naming["categories"] = asked.chain(inferred.iter().map(|iri| json!({"iri": iri, "inferred": true}))).collect();
    naming
}

#[track_caller]
fn says(finding: &Value, parts: &[&str]) {
    let sentence = finding["sentence"].as_str().unwrap();
    parts.iter().for_each(|part| assert!(sentence.contains(part), "`{part}` is not in `{sentence}`"));
}

#[test]
fn every_category_that_reaches_it_is_named() {
    let s = world(|p| p.notices = Some(vec![naming(&[AGE], &[])]));
    let decision = s.dry("start");
    denied(&decision);
    let found = only(&decision, "notice");
    says(found, &["`notice:customers@1` does not name \"Email Address\", which `dataset:crm/people@1` brings"]);
    assert_eq!(
        path(found),
        ["release:score-prod@1", "model:score@1", &run_of(found), "dataset:crm/people@1", "notice:customers@1"]
    );
    assert_eq!((&found["addressee"], &found["status"]), (&json!("dpo"), &json!("unmet")));
    s.inform(naming(&[AGE, EMAIL], &[]));
    allowed(&s.dry("start"));
    // Several notices tell together what is to be told.
    s.inform(naming(&[AGE], &[]));
    denied(&s.dry("start"));
    let mut other = naming(&[EMAIL], &[]);
    other["key"] = json!("subscribers");
    s.inform(other);
    allowed(&s.dry("start"));
    rebuilds(&s.server.db);
}

fn run_of(finding: &Value) -> String {
    path(finding).into_iter().find(|name| name.starts_with("run:")).unwrap()
}

#[test]
fn personal_data_in_general_tell_nobody_of_special_ones() {
    let general = "https://w3id.org/dpv#PersonalData";
    let opinions = |told: Value| {
        world(move |p| {
            p.versions[0] = people_with("1", &[POLITICS]);
            p.bases[0] = wide_basis(&[POLITICS], true);
            p.notices = Some(vec![told]);
        })
    };
    let s = opinions(naming(&[general], &[]));
    says(only(&s.dry("start"), "notice"), &["does not name \"Political Opinion\""]);
    s.inform(naming(&[general, POLITICS], &[]));
    allowed(&s.dry("start"));
}

#[test]
fn what_is_inferred_is_said_to_be_inferred() {
    // A score that a run made of the people, and that the deployment reads.
    let scored = |p: &mut Parts| {
        p.datasets.push("scored");
        let mut scored = made("scored", "1", vec![field("score", SCORE)]);
        scored["retention"] = json!({"until": "2099-12-31"});
        p.versions.push(scored);
        p.runs.push(run("infer", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/scored@1"]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/people", "dataset:crm/scored"]});
    };
    let s = world(|p| {
        scored(p);
        p.notices = Some(vec![naming(&[AGE, EMAIL, SCORE], &[])]);
    });
    let found = s.dry("start");
    let found = only(&found, "notice");
    says(found, &["does not say that \"Credit Score\" in `dataset:crm/scored@1` is inferred"]);
    s.inform(naming(&[AGE, EMAIL], &[SCORE]));
    allowed(&s.dry("start"));

    // The same of what it writes about people.
    let s = world(|p| {
        p.datasets.push("scored");
        let mut scored = made("scored", "1", vec![field("score", SCORE)]);
        scored["retention"] = json!({"until": "2099-12-31"});
        p.versions.push(scored);
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/scored"]});
        p.notices = Some(vec![naming(&[AGE, EMAIL], &[])]);
    });
    let decision = s.dry("start");
    says(only(&decision, "notice"), &["\"Credit Score\" in `dataset:crm/scored@1` is inferred"]);
    s.inform(naming(&[AGE, EMAIL], &[SCORE]));
    assert!(of_rule(&s.dry("start"), "notice").is_empty());
}

#[test]
fn who_receives_the_data_is_named() {
    let s = world(|p| {
        p.parties.push(party("bureau"));
        p.bases[0]["covers"]["recipients"] = json!(["party:bureau"]);
        p.deployment["discloses"] = json!({"to": ["party:bureau"], "what": ["dataset:crm/people"]});
        p.notices = Some(vec![notice("customers", &["scoring"])]);
        p.release = Some(json!({"deployment": "deployment:score-prod"}));
    });
    let found = s.dry("start");
    let found = only(&found, "notice");
    says(found, &["`notice:customers@1` does not name `party:bureau`, which receives the data"]);
    assert_eq!(path(found), ["deployment:score-prod", "party:bureau", "notice:customers@1"]);
    let mut names = notice("customers", &["scoring"]);
    names["recipients"] = json!(["party:bureau"]);
    s.inform(names);
    assert!(of_rule(&s.dry("start"), "notice").is_empty());
}

#[test]
fn that_a_machine_decides_is_said() {
    let mut silent = notice("customers", &["scoring"]);
    silent.as_object_mut().unwrap().remove("automated_decisions");
    let s = world(|p| {
        p.system["reliance"] = json!("strong");
        p.notices = Some(vec![silent]);
    });
    let decision = s.dry("start");
    let found = only(&decision, "notice");
    says(found, &["`system:scorer@1` decides on people, and `notice:customers@1` does not say so"]);
    assert_eq!(found["article"], "GDPR Art. 13(2)(f), 14(2)(g)");
    s.inform(notice("customers", &["scoring"]));
    assert!(of_rule(&s.dry("start"), "notice").is_empty());
}

#[test]
fn who_was_not_asked_is_not_told_by_who_bought() {
    for (origin, told) in [("collected", true), ("received", true), ("acquired", false), ("public", false)] {
        let s = world(|p| {
            p.versions[0]["origin"] = json!(origin);
            p.notices = Some(vec![]);
        });
        assert_eq!(of_rule(&s.dry("start"), "notice").len(), usize::from(told), "{origin}");
        // Nobody knows what the people were promised whom somebody asked.
        assert_eq!(of_rule(&s.dry("start"), "promise").len(), usize::from(told), "{origin}");
    }
}

#[test]
fn a_notice_counts_while_it_is_shown_and_of_who_controls() {
    let mut later = notice("customers", &["scoring"]);
    later["valid_from"] = json!(days(10));
    let s = world(|p| p.notices = Some(vec![later]));
    let decision = s.dry("start");
    says(only(&decision, "notice"), &["`notice:customers@1` tells people", "not before"]);
    assert!(of_rule(&s.dry_at("start", Some(&days(11))), "notice").is_empty());

    // Another's notice tells nobody what we do; that of a joint controller does.
    let mut theirs = notice("customers", &["scoring"]);
    theirs["controller"] = json!("party:sister");
    let s = world(|p| {
        p.parties.push(party("sister"));
        p.notices = Some(vec![theirs]);
    });
    says(
        only(&s.dry("start"), "notice"),
        &["no notice tells the people in `dataset:crm/people@1` of `purpose:scoring@1`"],
    );
    let tie = json!([{"kind": "joint_controllers", "with": "party:acme", "evidence": scenario::evidence(), "valid_from": "2020-01-01"}]);
    crate::gate::parts::change(&s, "parties", "party:sister", |party| party["arrangements"] = tie);
    assert!(of_rule(&s.dry("start"), "notice").is_empty());

    // A revision that speaks of something else takes the place of the one before.
    s.add("purposes", scenario::purpose("resale"));
    let mut moved = notice("customers", &["resale"]);
    moved["controller"] = json!("party:sister");
    s.inform(moved);
    assert_eq!(only(&s.dry("start"), "notice")["status"], "expired");
}

#[test]
fn a_notice_may_name_one_revision_of_a_purpose() {
    let mut first = notice("customers", &["scoring"]);
    first["purposes"] = json!(["purpose:scoring@1"]);
    let s = world(|p| p.notices = Some(vec![first]));
    allowed(&s.dry("start"));
    let mut second = scenario::purpose("scoring");
    second["name"] = json!("Scoring of everybody");
    s.add("purposes", second);
    s.approve(&["purpose:scoring@2"]);
    redeploy(&s, |deployment| deployment["purpose"] = json!("purpose:scoring@2"));
    assert_eq!(of_rule(&s.dry("start"), "notice").len(), 1);
}

#[test]
fn long_and_hard_notices_are_refused_as_policy_says() {
    let s = Scenario::approved();
    let mut hard = notice("customers", &["scoring"]);
    let officialese =
        "Pursuant to aforementioned contractual stipulations, transactional particulars concerning subscribers \
                       undergo systematic algorithmic evaluation notwithstanding contradictory representations. "
            .repeat(3);
    hard["wording"]["en"]["text"] = json!(officialese);
    s.inform(hard);
    let decision = s.dry("start");
    let found = only(&decision, "notice");
    says(found, &["`notice:customers@2` is not concise and plain: its LIX in `en` is ", ", 60 at most"]);
    assert_eq!(found["article"], "GDPR Art. 12(1)");
    // Plain again, and then too long for a policy that wants it short.
    s.inform(notice("customers", &["scoring"]));
    allowed(&s.dry("start"));
    let mut strict = policy(json!([]));
    strict["notices"] = json!({"most_words": 50, "most_lix": 100});
    decide(&s, &strict);
    allowed(&s.dry("start"));
    let mut long = notice("customers", &["scoring"]);
    long["wording"]["fr"]["text"] = json!("Nous le disons. ".repeat(20));
    s.inform(long);
    says(only(&s.dry("start"), "notice"), &["words in `fr`, 50 at most"]);
    // A policy may have it warn only.
    let mut warns = policy(json!([{"rule": "notice", "level": "warn"}]));
    warns["notices"] = json!({"most_words": 50});
    decide(&s, &warns);
    assert_eq!(only(&s.dry("start"), "notice")["blocking"], false);
}

#[test]
fn the_way_out_is_tried_and_counts_for_the_place_it_was_tried_at() {
    let s = world(|p| explicitly(&mut p.bases[0]));
    allowed(&s.dry("start"));
    let test = |outcome: &str| s.add("withdrawal-tests", json!({"notice": "notice:customers", "outcome": outcome}));
    test("failed");
    let decision = s.dry("start");
    let found = only(&decision, "withdrawal.means");
    says(found, &["withdrawing consent at https://acme.example/no", "failed on"]);
    assert_eq!(path(found).last().unwrap(), "notice:customers@1");
    assert!(path(found).contains(&"basis:scoring-contract@1".to_owned()), "{found:#}");
    test("passed");
    allowed(&s.dry("start"));
    // Said of a revision that names the same place, it holds for it; of another place it says nothing.
    let mut same = notice("customers", &["scoring"]);
    same["wording"]["en"]["title"] = json!("Your data and you");
    s.add("notices", same.clone());
    allowed(&s.dry("start"));
    same["refusal"]["url"] = json!("https://acme.example/elsewhere");
    s.add("notices", same);
    assert_eq!(only(&s.dry("start"), "withdrawal.means")["status"], "unknown");
    test("passed");
    allowed(&s.dry("start"));
    let mut strict = policy(json!([]));
    strict["notices"] = json!({"test_days": 10});
    decide(&s, &strict);
    allowed(&s.dry("start"));
    assert_eq!(only(&s.dry_at("start", Some(&days(11))), "withdrawal.means")["status"], "expired");
    // Where no consent governs, nobody withdraws one.
    let s = world(|p| p.notices = Some(vec![notice("customers", &["scoring"])]));
    allowed(&s.dry("start"));
}

#[test]
fn the_evidence_kept_names_what_was_looked_at() {
    let s = world(|p| explicitly(&mut p.bases[0]));
    let made = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    let evidence = s.audit.get(&format!("/api/v1/decisions/{}/evidence", made["id"].as_str().unwrap())).good();
    let told = s.ana.resolve("notice:customers@1");
    let notices = &evidence["notices"];
    assert_eq!(notices["in_force"][0]["ref"], "notice:customers@1");
    assert_eq!(notices["in_force"][0]["digest"], told["digest"]);
    assert_eq!(notices["in_force"][0]["tested"]["outcome"], "passed");
    assert_eq!(notices["bound"][0]["digest"], told["digest"]);
    assert_eq!(evidence["sources"][0]["notices"], json!(["notice:customers@1"]), "{evidence:#}");
    let replayed = s.audit.get(&format!("/api/v1/decisions/{}/replay", made["id"].as_str().unwrap())).good();
    assert_eq!(replayed["same"], true, "{replayed:#}");
}
