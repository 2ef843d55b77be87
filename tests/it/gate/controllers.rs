//! For whom a training ran that does not say so: it is not the deployment's for being deployed there.

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::{allowed, change, denied, field, made, of_rule, only, rules, run, world};

fn unsaid(run: &mut Value) {
    run.as_object_mut().unwrap().remove("controller");
}

/// A training on the people and on a panel of somebody else, for nobody in particular.
fn with_panel(of: &str) -> Scenario {
    world(|p| {
        p.parties.push(scenario::party("bank"));
        p.datasets.push("panel");
        let mut panel = scenario::people("1");
        panel["dataset"] = json!("dataset:crm/panel");
        panel["controllers"] = json!([of]);
        p.versions.push(panel);
        p.bases[0]["covers"]["datasets"].as_array_mut().unwrap().push(json!("dataset:crm/panel"));
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": "training"}));
        unsaid(&mut p.runs[0]);
    })
}

#[test]
fn a_training_is_for_whom_all_its_data_are_controlled_by() {
    allowed(&with_panel("party:acme").dry("start"));
    // Somebody else's data trained somebody else's model: that acme deploys it later makes it no training of acme's.
    let s = world(|p| {
        p.parties.push(scenario::party("bank"));
        p.versions[0]["controllers"] = json!(["party:bank"]);
        unsaid(&mut p.runs[0]);
    });
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "controller");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unmet"), &json!("party:bank")), "{finding:#}");
    assert_eq!(rules(&decision), ["controller"], "{decision:#}");
}

#[test]
fn where_several_control_its_data_for_whom_it_trained_is_unknown() {
    let s = with_panel("party:bank");
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "controller");
    assert_eq!(finding["status"], "unknown", "{finding:#}");
    let said = finding["sentence"].as_str().unwrap();
    assert!(said.contains("`party:acme`") && said.contains("`party:bank`"), "{said}");
    assert_eq!(finding["path"].as_array().unwrap().last(), Some(&finding["node"]));
    // Each remedy clears it: they control jointly, or the run of a new version says for whom it trained.
    let joint = json!([{"kind": "joint_controllers", "with": "party:acme", "evidence": scenario::evidence(), "valid_from": "2020-01-01"}]);
    change(&s, "parties", "party:bank", |party| party["arrangements"] = joint);
    assert!(of_rule(&s.dry("start"), "controller").is_empty(), "{:#}", s.dry("start"));
    let s = with_panel("party:bank");
    s.add("model-versions", scenario::model_version("2", "2"));
    let mut said = scenario::training("2", "1");
    said["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/panel@1", "role": "training"}));
    s.add("runs", said);
    s.release("2");
    assert!(of_rule(&s.dry("start"), "controller").is_empty(), "{:#}", s.dry("start"));
}

#[test]
fn a_table_that_names_nobody_is_for_whom_it_was_made_or_of_whose_data() {
    for by in [None, Some("party:acme"), Some("party:bank")] {
        let s = world(|p| {
            p.parties.push(scenario::party("bank"));
            p.datasets.push("features");
            let mut features = made("features", "1", vec![field("age", scenario::AGE)]);
            features.as_object_mut().unwrap().remove("controllers");
            p.versions.push(features);
            let mut prepare = run("derive", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/features@1"]);
            match by {
                Some(by) => prepare["controller"] = json!(by),
                None => unsaid(&mut prepare),
            }
            p.runs.insert(0, prepare);
            p.runs[1]["inputs"][0]["ref"] = json!("dataset:crm/features@1");
            unsaid(&mut p.runs[1]);
        });
        // That the table names nobody is said of it; of the training, only that it was the bank's.
        let decision = s.dry("start");
        let found: Vec<&Value> = of_rule(&decision, "controller").into_iter().map(|f| &f["node"]).collect();
        let wanted = match by {
            Some("party:bank") => vec!["party:bank", "dataset:crm/features@1"],
            _ => vec!["dataset:crm/features@1"],
        };
        assert!(
            found.len() == wanted.len() && wanted.iter().all(|w| found.iter().any(|f| *f == w)),
            "{by:?}: {found:?}"
        );
    }
}
