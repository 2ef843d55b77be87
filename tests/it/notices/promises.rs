//! The rule `promise`: each commitment kept and broken, and by which notice data are bound.

use harness::Scenario;
use harness::scenario::{self, document, evidence, notice, party, people, purpose};
use serde_json::{Value, json};

use super::promising;
use crate::gate::parts::{Parts, allowed, days, field, made, of_rule, only, path, retrain, run, world};

/// The scenario under one notice that makes one promise.
fn under(commitment: &str, edit: impl FnOnce(&mut Parts)) -> Scenario {
    world(|p| {
        p.notices = Some(vec![promising("customers", &[commitment])]);
        edit(p);
    })
}

#[track_caller]
fn broken(s: &Scenario, says: &str) -> Value {
    let decision = s.dry("start");
    let found = only(&decision, "promise").clone();
    let sentence = found["sentence"].as_str().unwrap();
    assert!(sentence.contains(says), "`{says}` is not in `{sentence}`");
    // The people's own words, in both languages.
    assert!(
        sentence.contains("in `notice:customers@1`: “We promise ") && sentence.contains("« Nous promettons "),
        "{sentence}"
    );
    assert_eq!((&found["node"], &found["cause"]), (&json!("dataset:crm/people@1"), &json!("notice:customers@1")));
    assert_eq!(decision["verdict"], "deny");
    found
}

#[track_caller]
fn kept(s: &Scenario) {
    let decision = s.dry("start");
    assert!(of_rule(&decision, "promise").is_empty(), "{decision:#}");
}

/// A deployment that hands the people to a bureau.
fn disclosing(p: &mut Parts) {
    let mut bureau = party("bureau");
    bureau["region"] = json!("FR");
    p.parties.push(bureau);
    p.bases[0]["covers"]["recipients"] = json!(["party:bureau"]);
    p.deployment["discloses"] = json!({"to": ["party:bureau"], "what": ["dataset:crm/people"]});
    p.release = Some(json!({"deployment": "deployment:score-prod"}));
}

#[test]
fn what_is_never_sold_and_given_to_no_third_party_is_handed_to_none() {
    for commitment in ["never_sold", "no_third_party"] {
        let s = under(commitment, disclosing);
        let found = broken(&s, "`deployment:score-prod` hands them to `party:bureau`, a third party");
        assert_eq!(path(&found).first().unwrap(), "release:score-prod@1");
        assert!(found["sentence"].as_str().unwrap().contains(commitment), "{found:#}");
        // As a processor under contract it is no third party.
        let tie = json!([{"kind": "processing_contract", "with": "party:acme", "evidence": evidence(), "valid_from": "2020-01-01"}]);
        crate::gate::parts::change(&s, "parties", "party:bureau", |party| party["arrangements"] = tie);
        kept(&s);
    }
    kept(&under("never_sold", |_| {}));
}

#[test]
fn what_is_not_for_a_purpose_is_for_no_narrower_one_either() {
    let marketing = |p: &mut Parts| p.purposes.insert(0, purpose("marketing"));
    kept(&under("not_for:marketing", marketing));
    let narrower = |p: &mut Parts| {
        marketing(p);
        p.purposes[1]["parent"] = json!("purpose:marketing");
    };
    let s = under("not_for:marketing", narrower);
    // Its training was for that, too.
    let decision = s.dry("start");
    let found = of_rule(&decision, "promise");
    let said: Vec<&str> = found.iter().map(|f| f["sentence"].as_str().unwrap()).collect();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(said.iter().any(|s| s.contains("`deployment:score-prod` is for `purpose:scoring@1`")), "{said:#?}");
    assert!(said.iter().any(|s| s.contains("trained on them for `purpose:scoring@1`")), "{said:#?}");
}

#[test]
fn where_people_look_again_no_machine_decides_alone() {
    let decisive = |documents: Value| {
        under("human_review", |p| {
            p.system["effect"] = json!("decisive");
            p.system["documents"] = documents;
        })
    };
    broken(&decisive(json!([document("dpia")])), "`system:scorer@1` decides, and no `human-review` in force");
    kept(&decisive(json!([document("dpia"), document("human-review")])));
    let mut ended = document("human-review");
    ended["valid_to"] = json!("2026-02-01");
    assert_eq!(broken(&decisive(json!([document("dpia"), ended])), "`human-review`")["status"], "expired");
    kept(&under("human_review", |_| {}));
}

#[test]
fn what_is_deleted_in_time_is_not_kept_longer() {
    // The retention stated is longer than was promised.
    let s = under("deleted_after:P30D", |_| {});
    broken(&s, "they are to be kept until 2099-12-31");
    let s = under("deleted_after:P30D", |p| p.versions[0]["retention"] = json!({"until": days(20)}));
    kept(&s);
    // Still held, or erased.
    let later = s.dry_at("start", Some(&days(31)));
    let found = only(&later, "promise");
    assert_eq!(found["status"], "expired");
    assert_eq!(found["remedy"]["command"], "licit dataset life dataset:crm/people@1 erased");
    let id = s.ana.resolve("dataset:crm/people@1")["id"].as_str().unwrap().to_owned();
    s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    assert!(of_rule(&s.dry_at("start", Some(&days(31))), "promise").is_empty());
}

#[test]
fn nothing_is_trained_beyond_what_was_promised() {
    let other = |p: &mut Parts| p.purposes.push(purpose("research"));
    let s = under("no_training_beyond:research", other);
    let found = broken(&s, "trained on them for `purpose:scoring@1`");
    assert!(path(&found).iter().any(|name| name.starts_with("run:")), "{found:#}");
    kept(&under("no_training_beyond:research,scoring", other));
    // A broader purpose holds narrower ones.
    kept(&under("no_training_beyond:research", |p| {
        p.purposes.insert(0, purpose("research"));
        p.purposes[1]["parent"] = json!("purpose:research");
    }));
}

#[test]
fn a_promise_binds_what_was_collected_under_it_whatever_is_said_later() {
    let s = world(|p| {
        p.notices = Some(vec![promising("customers", &["not_for:scoring"])]);
        p.versions[0]["notices"] = json!(["notice:customers"]);
    });
    assert_eq!(
        s.ana.resolve("dataset:crm/people@1")["spec"]["notices"],
        json!(["notice:customers@1"]),
        "stored pinned"
    );
    let bound = |s: &Scenario| of_rule(&s.dry("start"), "promise").len();
    assert_eq!(bound(&s), 2, "the deployment and the training");
    // The notice no longer promises: who read the first revision was promised all the same.
    s.inform(notice("customers", &["scoring"]));
    assert_eq!(bound(&s), 2);
    // Who was asked under the second was not.
    let mut second = people("2");
    second["notices"] = json!(["notice:customers"]);
    retrain(&s, "2", second);
    // That they are promised less is what the board has not seen.
    let decision = s.dry("start");
    assert_eq!(
        only(&decision, "release.approved")["also"],
        json!(["source `dataset:crm/people` is no longer promised `not_for:scoring`"])
    );
    s.approve(&["deployment:score-prod"]);
    allowed(&s.dry("start"));
}

#[test]
fn a_promise_that_is_weakened_is_outside_what_was_approved_and_one_that_is_added_is_not() {
    let s = under("deleted_after:P99Y", |_| {});
    allowed(&s.dry("start"));
    // More is promised: nothing widened.
    s.inform(promising("customers", &["deleted_after:P98Y", "never_sold"]));
    allowed(&s.dry("start"));
    let less = [
        (
            &["deleted_after:P100Y", "no_third_party"][..],
            "is promised `deleted_after:P100Y` instead of `deleted_after:P99Y`",
        ),
        (&["no_third_party"], "is no longer promised `deleted_after:P99Y`"),
    ];
    for (promises, says) in less {
        s.inform(promising("customers", promises));
        let decision = s.dry("start");
        assert_eq!(only(&decision, "release.approved")["also"], json!([format!("source `dataset:crm/people` {says}")]));
    }
    // It is promised again: the approval holds it as before.
    s.inform(promising("customers", &["deleted_after:P1200M"]));
    assert_eq!(of_rule(&s.dry("start"), "release.approved").len(), 1, "a hundred years");
    s.inform(promising("customers", &["deleted_after:P1188M"]));
    allowed(&s.dry("start"));
}

#[test]
fn the_letter_of_the_basis_and_the_purpose_tell_where_the_version_does_not() {
    // By the digest of what people were shown, in the letter of the basis the data were collected on.
    let s = world(|p| {
        p.notices = Some(vec![promising("shown", &["not_for:scoring"]), notice("other", &["scoring"])]);
    });
    assert!(!of_rule(&s.dry("start"), "promise").is_empty(), "both name the purpose of collection");
    let digest = |s: &Scenario, key: &str| s.ana.resolve(&format!("notice:{key}"))["digest"].clone();
    let mut asked = scenario::basis("asked", "scoring");
    asked["covers"]["stages"] = json!(["training"]);
    asked["letter"]["notice"] = json!({"uri": "https://acme.example/notice", "digest": digest(&s, "other")});
    s.add("bases", asked);
    let mut second = people("2");
    second["collected_under"] = json!(["basis:asked"]);
    retrain(&s, "2", second);
    assert!(of_rule(&s.dry("start"), "promise").is_empty());
}

#[test]
fn a_copy_is_deleted_when_what_it_was_made_of_was_to_be() {
    let s = under("deleted_after:P30D", |p| {
        p.versions[0]["retention"] = json!({"until": days(20)});
        p.datasets.push("copy");
        p.versions.push(made("copy", "1", vec![field("age", scenario::AGE)]));
        p.runs.push(run("copy", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/copy@1"]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/copy"]});
    });
    kept(&s);
    let erase = |name: &str| {
        let id = s.ana.resolve(name)["id"].as_str().unwrap().to_owned();
        s.add(&format!("dataset-versions/{id}/life"), json!({"life": "erased"}));
    };
    erase("dataset:crm/people@1");
    let later = s.dry_at("start", Some(&days(31)));
    let found = only(&later, "promise");
    assert_eq!((&found["node"], &found["status"]), (&json!("dataset:crm/copy@1"), &json!("expired")));
    assert!(found["sentence"].as_str().unwrap().contains("in `notice:customers@1`: “We promise "), "{found}");
    assert_eq!(found["remedy"]["command"], "licit dataset life dataset:crm/copy@1 erased");
    erase("dataset:crm/copy@1");
    assert!(of_rule(&s.dry_at("start", Some(&days(31))), "promise").is_empty());
}

#[test]
fn a_copy_is_not_to_be_kept_longer_than_what_it_was_made_of() {
    let s = under("deleted_after:P30D", |p| {
        p.versions[0]["retention"] = json!({"until": days(20)});
        p.datasets.push("copy");
        let mut copy = made("copy", "1", vec![field("age", scenario::AGE)]);
        copy["retention"] = json!({"until": days(40)});
        p.versions.push(copy);
        p.runs.push(run("copy", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/copy@1"]));
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/copy"]});
    });
    let decision = s.dry("start");
    let found = only(&decision, "promise");
    assert_eq!(found["node"], "dataset:crm/copy@1");
    assert!(found["sentence"].as_str().unwrap().contains("they are to be kept until"), "{found}");
}
