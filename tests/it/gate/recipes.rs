//! One assessment for all that a recipe makes: each version brings its own figures.

use harness::Scenario;
use harness::scenario::{self, evidence};
use serde_json::{Value, json};

use super::anonymity::{anonymous, counted};
use super::combination::joined;
use super::parts::{allowed, ask, assessment, denied, of_rule, only, world};

const PROGRAM: &str = "https://git.example/acme/train";

/// Anonymity of whatever the program makes, if an attack finds less than one in a hundred.
fn recipe() -> Value {
    let mut recipe = assessment("recipe", "anonymity", "model:score@1");
    recipe.as_object_mut().unwrap().remove("of");
    recipe["attack_model"] = json!("Membership inference with full access to the weights.");
    recipe["recipe"] = json!({
        "code": {"uri": PROGRAM}, "method": "The attack of the test bench, five times, the worst counts.",
        "thresholds": [{"figure": "attack_advantage", "at_most": 0.01}, {"figure": "k", "at_least": 10}],
    });
    recipe
}

/// A version of a model made by the program, with these figures, and a release of it.
fn make(s: &Scenario, model: &str, version: &str, metrics: &Value, revision: &str) -> Value {
    s.ana.post("/api/v1/models", &json!({"name": model, "owner": "ml-team"})).good();
    let mut made = scenario::model_version(version, "3");
    made["model"] = json!(format!("model:{model}"));
    made["metrics"] = metrics.clone();
    s.add("model-versions", made);
    let mut run = scenario::training(version, "1");
    run["outputs"] = json!([format!("model:{model}@{version}")]);
    run["code"] = json!({"uri": PROGRAM, "revision": revision});
    s.add("runs", run);
    let parts = json!([{"part": "base", "model": format!("model:{model}@{version}")}]);
    s.add("releases", json!({"deployment": "deployment:score-prod", "composition": parts}))
}

fn judged(s: &Scenario, release: &Value) -> Value {
    ask(s, json!({"release": release["ref"], "dry_run": true}))
}

fn outside(decision: &Value) -> Vec<&str> {
    let all = decision["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap());
    all.filter(|rule| *rule != "release.approved").collect()
}

/// Nothing but the envelope stands against it: what it is approved for is another matter.
#[track_caller]
fn covered(decision: &Value) {
    assert_eq!(outside(decision), Vec::<&str>::new(), "{decision:#}");
}

fn good() -> Value {
    json!({"attack_advantage": 0.004, "k": 12})
}

#[test]
fn forty_models_share_one_recipe_and_one_that_misses_a_threshold_is_not_covered() {
    let s = world(|p| {
        anonymous(p);
        p.assessments.clear();
    });
    // Some are there before the recipe, some come after it.
    let mut releases: Vec<Value> = (0..3).map(|n| make(&s, &format!("m{n}"), "1", &good(), "a")).collect();
    denied(&judged(&s, &releases[0]));
    s.add("assessments", recipe());
    denied(&judged(&s, &releases[0]));
    s.approve(&["assessment:recipe"]);
    releases.extend((3..40).map(|n| make(&s, &format!("m{n}"), "1", &good(), "b")));
    for release in [&releases[0], &releases[2], &releases[3], &releases[39]] {
        covered(&judged(&s, release));
    }
    // Retrained: a figure missed, one not measured, then both met.
    let missed = judged(&s, &make(&s, "m7", "2", &json!({"attack_advantage": 0.02, "k": 12}), "b"));
    let said = only(&missed, "assessment.in_force")["sentence"].as_str().unwrap();
    assert!(said.contains("`attack_advantage` of at most 0.01, and it is 0.02"), "{said}");
    assert_eq!(only(&missed, "source.covered")["node"], "dataset:crm/people@1");
    let unmeasured = judged(&s, &make(&s, "m7", "3", &json!({"attack_advantage": 0.01}), "b"));
    let said = only(&unmeasured, "assessment.in_force")["sentence"].as_str().unwrap();
    assert!(said.contains("`k` of at least 10, and it was not measured"), "{said}");
    covered(&judged(&s, &make(&s, "m7", "4", &json!({"attack_advantage": 0.01, "k": 10}), "b")));
}

#[test]
fn a_recipe_is_of_its_program_revision_and_families_and_of_no_other_run() {
    let s = world(|p| {
        anonymous(p);
        p.assessments.clear();
    });
    s.add("models", json!({"name": "ours", "owner": "ml-team"}));
    let mut narrow = recipe();
    narrow["recipe"]["code"]["revision"] = json!("a");
    narrow["recipe"]["families"] = json!(["model:ours"]);
    s.add("assessments", narrow);
    s.approve(&["assessment:recipe"]);
    covered(&judged(&s, &make(&s, "ours", "1", &good(), "a")));
    for (model, version, revision) in [("ours", "2", "b"), ("theirs", "1", "a")] {
        let decision = judged(&s, &make(&s, model, version, &good(), revision));
        assert_eq!(of_rule(&decision, "source.covered").len(), 1, "{decision:#}");
        assert_eq!(of_rule(&decision, "assessment.in_force").len(), 0, "{decision:#}");
    }
    // Another run made it, too.
    let release = make(&s, "ours", "3", &good(), "a");
    covered(&judged(&s, &release));
    let mut other = scenario::training("3", "1");
    other["outputs"] = json!(["model:ours@3"]);
    other["started_at"] = json!("2026-01-02T00:00:00Z");
    s.add("runs", other);
    assert_eq!(of_rule(&judged(&s, &release), "source.covered").len(), 1);
}

/// Of what the program writes, tables of counts or joins, if enough people share each combination.
fn of_tables(kind: &str) -> Value {
    let mut recipe = recipe();
    recipe["kind"] = json!(kind);
    recipe["recipe"]["thresholds"] = json!([{"figure": "k", "at_least": 10}, {"figure": "records", "at_least": 1000}]);
    recipe
}

#[test]
fn a_recipe_of_counts_covers_tables_whose_k_is_enough() {
    let with = |s: &Scenario| {
        s.add("assessments", of_tables("anonymity"));
        s.approve(&["assessment:recipe"]);
        s.dry("start")
    };
    allowed(&with(&counted(|p| {
        p.runs[0]["code"] = json!({"uri": PROGRAM});
        p.versions[1]["measured"] = json!({"k": 12, "records": 4000});
    })));
    let decision = with(&counted(|p| {
        p.runs[0]["code"] = json!({"uri": PROGRAM});
        p.versions[1]["measured"] = json!({"k": 3, "records": 4000});
    }));
    denied(&decision);
    let said = only(&decision, "assessment.in_force")["sentence"].as_str().unwrap();
    assert!(said.contains("`k` of at least 10, and it is 3"), "{said}");
}

#[test]
fn a_recipe_of_joins_covers_each_table_it_makes() {
    let with = |k: u32| {
        let s = world(|p| {
            joined(p);
            p.runs[1]["code"] = json!({"uri": PROGRAM});
            p.versions[2]["measured"] = json!({"k": k, "records": 4000});
            p.assessments.push(of_tables("combination"));
        });
        s.dry("start")
    };
    allowed(&with(10));
    let decision = with(9);
    let said = only(&decision, "combination")["sentence"].as_str().unwrap();
    assert!(said.contains("`dataset:crm/joined@1` is not covered by its recipe") && said.contains("it is 9"), "{said}");
}

#[test]
fn what_a_recipe_rested_on_stands_in_the_evidence_and_replays() {
    let s = world(|p| {
        anonymous(p);
        p.assessments = vec![recipe()];
        p.model_versions[0]["metrics"] = good();
        p.runs[0]["code"] = json!({"uri": PROGRAM, "revision": "a"});
    });
    let decision = ask(&s, json!({}));
    allowed(&decision);
    let id = decision["id"].as_str().unwrap();
    let shown = s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good();
    assert_eq!(shown["figures"], json!([{"ref": "model:score@1", "figures": {"attack_advantage": 0.004, "k": 12}}]));
    assert_eq!(shown["assessments"][0]["ref"], "assessment:recipe@1");
    let replay = s.audit.get(&format!("/api/v1/decisions/{id}/replay")).good();
    assert_eq!(replay["same"], true, "{replay:#}");
}

#[test]
fn a_recipe_that_says_nothing_or_too_much_is_refused() {
    let s = world(|_| {});
    let refused = |edit: fn(&mut Value), pointer: &str| {
        let mut stated = recipe();
        edit(&mut stated);
        let problem = s.ana.post("/api/v1/assessments", &stated).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem:#}");
    };
    refused(|r| r["of"] = json!("model:score@1"), "#/of");
    refused(
        |r| {
            r.as_object_mut().unwrap().remove("recipe");
        },
        "#/of",
    );
    refused(|r| r["kind"] = json!("provider"), "#/recipe");
    refused(|r| r["recipe"]["families"] = json!(["model:score@1"]), "#/recipe/families/0");
    refused(|r| r["recipe"]["families"] = json!(["model:nobody"]), "#/recipe/families/0");
    refused(|r| r["recipe"]["thresholds"] = json!([]), "#/recipe/thresholds");
    refused(|r| r["recipe"]["thresholds"][0] = json!({"figure": "k"}), "#/recipe/thresholds/0");
    refused(|r| r["recipe"]["thresholds"][0]["at_least"] = json!(1e300), "#/recipe/thresholds/0/at_least");
    refused(|r| r["recipe"]["thresholds"][0]["at_least"] = json!(0.5), "#/recipe/thresholds/0/at_most");
    s.add("assessments", json!({
        "key": "whole", "kind": "combination", "holder": "party:acme", "statement": "It was looked at.", "evidence": [evidence()],
        "valid_from": "2020-01-01", "valid_to": "2030-01-01",
        "recipe": {"code": {"uri": PROGRAM}, "method": "Counted.", "thresholds": [{"figure": "k", "at_least": 5}]},
    }));
}
