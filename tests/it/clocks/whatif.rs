//! What would be equals doing it.

use harness::{Scenario, scenario};
use serde_json::{Value, json};

use super::{fits, id, size};
use crate::gate::parts::{basis, days, redeploy, revise_basis, world};
use crate::gate::policy::{decide, policy};
use crate::support::licit;

/// Findings without what follows from when they were asked.
fn bare(findings: &Value) -> Vec<Value> {
    let mut list = findings.as_array().unwrap().clone();
    for finding in &mut list {
        let finding = finding.as_object_mut().unwrap();
        finding.remove("since");
        finding.remove("due");
    }
    list
}

/// A text with its times to the microsecond taken out.
fn timeless(text: &str) -> String {
    let time = |word: &str| word.len() > 20 && word.starts_with("20") && word.contains("T") && word.contains('Z');
    text.split(' ').map(|word| if time(word) { "then" } else { word }).collect::<Vec<_>>().join(" ")
}

fn whatif(s: &Scenario, body: &Value) -> Value {
    let before = s.audit.get("/api/v1/ledger/head").text;
    let answer = s.audit.post("/api/v1/whatif", body).good();
    assert_eq!(s.audit.get("/api/v1/ledger/head").text, before, "nothing is recorded");
    answer
}

/// What is supposed gives the findings that doing it gives.
#[track_caller]
fn equals(s: &Scenario, body: &Value, act: impl FnOnce(&Scenario)) -> Vec<String> {
    let supposed = whatif(s, body);
    let turn = &supposed["turned"][0];
    assert_eq!((supposed["judged"].clone(), &turn["deployment"]), (json!(1), &json!("deployment:score-prod")));
    assert_eq!((&turn["before"], &turn["after"]), (&json!("allow"), &json!("deny")), "{supposed:#}");
    act(s);
    let question = json!({"deployment": "deployment:score-prod", "release": turn["release"], "dry_run": true});
    let done = s.ci.post("/api/v1/gate", &question).good();
    // A version that only is supposed has another name than the one registered; and what is done is done a little later.
    let told = |list: &Value| timeless(&json!(bare(list)).to_string().replace("%20in%20US", "-us"));
    assert_eq!(told(&turn["came"]), told(&done["findings"]), "{supposed:#}\n{done:#}");
    assert_eq!(turn["went"], json!([]));
    bare(&turn["came"]).iter().map(|f| f["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn revoking() {
    let s = Scenario::running();
    let rules =
        equals(&s, &json!({"revoke": ["basis:scoring-contract"]}), |s| drop(s.revoke("basis:scoring-contract", 0)));
    assert_eq!(rules, ["basis.approved", "source.covered"]);
    // What does not hold any more cannot be taken back, not even in thought.
    let problem = s.audit.post("/api/v1/whatif", &json!({"revoke": ["basis:scoring-contract"]})).problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("no approval that holds"), "{problem}");
}

#[test]
fn withdrawing_a_purpose_takes_every_revision() {
    let s = Scenario::running();
    let rules = equals(&s, &json!({"withdraw": ["purpose:scoring"]}), |s| drop(s.revoke("purpose:scoring", 0)));
    assert!(rules.contains(&"purpose.approved".to_owned()), "{rules:?}");
}

#[test]
fn withdrawing_what_runs_leaves_nothing() {
    let s = Scenario::running();
    for name in ["deployment:score-prod", "release:score-prod@1"] {
        let answer = whatif(&s, &json!({"withdraw": [name]}));
        let turn = &answer["turned"][0];
        assert_eq!((&turn["before"], &turn["after"]), (&json!("allow"), &Value::Null), "{answer:#}");
    }
    s.audit.post("/api/v1/whatif", &json!({"withdraw": ["release:score-prod@7"]})).problem(422);
}

#[test]
fn dropping_a_dataset_that_is_read() {
    let s = Scenario::running();
    let rules = equals(&s, &json!({"drop": ["dataset:crm/people"]}), |s| {
        let id = id(&s.ana, "dataset:crm/people@1");
        s.ana.post(&format!("/api/v1/dataset-versions/{id}/life"), &json!({"life": "erased"})).good();
    });
    assert!(!rules.is_empty());
}

#[test]
fn moving_data_and_computing() {
    let s = Scenario::running();
    let moved = json!({"move_region": [{"ref": "dataset:crm/people", "region": "US"}]});
    let rules = equals(&s, &moved, |s| {
        let mut version = scenario::people("1-us");
        version["region"] = json!("US");
        s.add("dataset-versions", version);
    });
    assert!(rules.contains(&"release.approved".to_owned()), "{rules:?}");
    let s = Scenario::running();
    let moved = json!({"move_region": [{"ref": "deployment:score-prod", "region": "US"}]});
    equals(&s, &moved, |s| redeploy(s, |d| d["region"] = json!("US")));
}

#[test]
fn letting_an_approval_end() {
    let s = world(|p| p.deferred.push("purpose:scoring"));
    s.approve_until(&["purpose:scoring"], Some(&days(40)));
    s.activate("release:score-prod@1").good();
    let answer = whatif(&s, &json!({"let_expire": ["purpose:scoring"]}));
    let end = answer["valid_at"].as_str().unwrap().to_owned();
    assert_eq!(end[..10], days(40)[..10]);
    let then = s.dry_at("start", Some(&end));
    assert_eq!(bare(&answer["turned"][0]["came"]), bare(&then["findings"]));
    assert!(answer["turned"][0]["came"][0]["due"].as_str().unwrap() > &*end, "what runs has its grace: {answer:#}");
    let nothing = whatif(&s, &json!({"valid_at": days(39)}));
    assert_eq!(nothing["turned"], json!([]));
    let by_time = whatif(&s, &json!({"valid_at": days(41)}));
    assert_eq!(by_time["turned"][0]["came"].as_array().unwrap().len(), then["findings"].as_array().unwrap().len());
}

#[test]
fn narrowing_a_basis() {
    let s = Scenario::running();
    let narrow = basis(|b| b["covers"]["categories"] = json!([scenario::AGE]));
    let rules = equals(&s, &json!({"narrow": [narrow]}), |s| revise_basis(s, narrow.clone()));
    assert!(rules.contains(&"source.covered".to_owned()), "{rules:?}");
    let problem = s.audit.post("/api/v1/whatif", &json!({"narrow": [scenario::basis("x", "nothing")]})).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/narrow/0/covers/purposes/0", "{problem}");
}

#[test]
fn another_policy() {
    let s = world(|p| p.bases[0] = basis(|b| _ = b["letter"].as_object_mut().unwrap().remove("necessity")));
    let level = |level: &str| policy(json!([{"rule": "basis.holds", "level": level}]));
    decide(&s, &level("silent"));
    s.activate("release:score-prod@1").good();
    let warned = whatif(&s, &json!({"policy": level("warn")}));
    assert_eq!(warned["turned"][0]["came"][0]["blocking"], false, "{warned:#}");
    let rules = equals(&s, &json!({"policy": level("block")}), |s| drop(decide(s, &level("block"))));
    assert_eq!(rules, ["basis.holds"]);
    let core = policy(json!([{"rule": "source.covered", "level": "warn"}]));
    let problem = s.audit.post("/api/v1/whatif", &json!({"policy": core})).problem(422);
    assert!(problem["errors"][0]["pointer"].as_str().unwrap().starts_with("#/policy/levels/0"), "{problem}");
}

#[test]
fn what_waits_for_the_board() {
    let s = world(|p| p.deferred.extend(["basis:scoring-contract", "deployment:score-prod"]));
    let body = json!({
        "approve": ["basis:scoring-contract", "deployment:score-prod"], "deployments": ["deployment:score-prod"],
    });
    let answer = whatif(&s, &body);
    let turn = &answer["turned"][0];
    assert_eq!(
        (&turn["before"], &turn["after"], &turn["came"]),
        (&json!("deny"), &json!("allow"), &json!([])),
        "{answer:#}"
    );
    assert_eq!(answer["supposed"][0], "`basis:scoring-contract@1` is approved");
    for (wrong, at) in [("basis:nothing", "#/approve/0"), ("party:acme", "#/approve/0")] {
        let problem = s.audit.post("/api/v1/whatif", &json!({"approve": [wrong]})).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], at, "{problem}");
    }
    s.approve(&["basis:scoring-contract", "deployment:score-prod"]);
    assert_eq!(s.dry("start")["verdict"], "allow");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("narrow.json");
    let narrow = basis(|b| b["covers"]["categories"] = json!([scenario::AGE]));
    std::fs::write(&file, narrow.to_string()).unwrap();
    s.activate("release:score-prod@1").good();
    let (code, out, err) = licit(&s.audit, &["whatif", "--narrow", file.to_str().unwrap()]);
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(out.contains("basis:scoring-contract@2") && out.contains("source.covered"), "{out}");
    std::fs::write(&file, policy(json!([])).to_string()).unwrap();
    let asked = ["whatif", "--policy", file.to_str().unwrap(), "--approve", "system:scorer"];
    let (code, out, err) = licit(&s.audit, &asked);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
}

#[test]
fn several_things_and_one_deployment() {
    let s = world(|p| {
        p.bases.push(basis(|b| {
            b["key"] = json!("second");
            b["replaces"] = json!(["basis:scoring-contract"]);
        }))
    });
    s.activate("release:score-prod@1").good();
    let answer =
        whatif(&s, &json!({"revoke": ["basis:second", "purpose:scoring"], "deployments": ["deployment:score-prod"]}));
    assert_eq!(answer["supposed"].as_array().unwrap().len(), 2);
    let came: Vec<&str> =
        answer["turned"][0]["came"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(came, ["purpose.approved", "basis.governing"], "{answer:#}");
    let before = size(&s);
    for (body, at) in [
        (json!({}), "#"),
        (json!({"deployments": ["deployment:nowhere"], "valid_at": days(1)}), "#/deployments/0"),
        (json!({"drop": ["model:score"]}), "#/drop/0"),
        (json!({"drop": ["dataset:crm/nothing"]}), "#/drop/0"),
        (json!({"let_expire": ["party:acme"]}), "#/let_expire/0"),
        (json!({"withdraw": ["dataset:crm/people"]}), "#/withdraw/0"),
        (json!({"move_region": [{"ref": "party:acme", "region": "US"}]}), "#/move_region/0/ref"),
    ] {
        let problem = s.audit.post("/api/v1/whatif", &body).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], at, "{body} {problem}");
    }
    assert_eq!(size(&s), before);
}

#[test]
fn the_command_line_says_the_same() {
    let s = Scenario::running();
    let (code, out, err) = licit(&s.audit, &["whatif", "--revoke", "basis:scoring-contract", "--drop", "crm/people"]);
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(out.contains("suppose") && out.contains("allowed → refused") && out.contains("source.covered"), "{out}");
    fits(&out);
    let (code, out, _) = licit(&s.audit, &["whatif", "--move-region", "crm/people=FR", "--json"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["turned"], json!([]));
    assert_eq!(licit(&s.audit, &["whatif", "--move-region", "crm/people"]).0, 2);
}

#[test]
fn moving_a_table_keeps_its_columns() {
    use crate::gate::parts::{allowed, from, made, run};
    let s = world(|p| {
        p.datasets.extend(["polls", "joined"]);
        let mut polls = scenario::people("1");
        polls["dataset"] = json!("dataset:crm/polls");
        polls["fields"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "leaning", "categories": [scenario::POLITICS], "identifiability": "quasi"}));
        p.versions.push(polls);
        let age = json!({"name": "age", "categories": [scenario::AGE], "identifiability": "quasi"});
        p.versions.push(made("joined", "1", vec![age]));
        let inputs = ["dataset:crm/people@1", "dataset:crm/polls@1"];
        let mut join = run("combine", "purpose:scoring", &inputs, &["dataset:crm/joined@1"]);
        join["columns"] =
            json!([{"output": "dataset:crm/joined@1", "field": "age", "from": from(inputs[0], &["age"])}]);
        p.runs.push(join);
        p.deployment["reads"] = json!({"datasets": ["dataset:crm/joined"]});
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/joined"]);
    });
    allowed(&s.dry("start"));
    s.activate("release:score-prod@1").good();
    let moved = whatif(&s, &json!({"move_region": [{"ref": "dataset:crm/joined", "region": "FR"}]}));
    assert_eq!(moved["turned"], json!([]), "nothing of the polls flows into it there, either: {moved:#}");
}

#[test]
fn what_else_ends_on_the_way_is_not_the_doing_of_what_expires() {
    let s = world(|p| {
        p.bases[0]["valid_to"] = json!(days(30));
        p.purposes[0]["valid_to"] = json!(days(20));
        p.system["documents"][0]["valid_to"] = json!(days(25));
    });
    s.activate("release:score-prod@1").good();
    let came = |body: Value| -> (Value, Vec<String>) {
        let answer = whatif(&s, &body);
        let turn = &answer["turned"][0];
        let rules = turn["came"].as_array().unwrap_or_else(|| panic!("{answer:#}"));
        let rules = rules.iter().map(|f| f["rule"].as_str().unwrap().to_owned()).collect();
        (turn["before"].clone(), rules)
    };
    let (before, rules) = came(json!({"let_expire": ["basis:scoring-contract"]}));
    assert_eq!(before, "deny", "the purpose ended ten days before");
    assert!(
        rules.contains(&"basis.approved".to_owned()) && !rules.contains(&"purpose.approved".to_owned()),
        "{rules:?}"
    );
    let (before, rules) = came(json!({"let_expire": ["purpose:scoring"]}));
    assert_eq!((before, rules.contains(&"basis.approved".to_owned())), (json!("allow"), false), "{rules:?}");
    assert!(rules.contains(&"purpose.approved".to_owned()), "{rules:?}");
    // Both, each at its end; and who names a moment supposes all that ends by then.
    let both = came(json!({"let_expire": ["basis:scoring-contract", "purpose:scoring"]}));
    let all = came(json!({"let_expire": ["purpose:scoring"], "valid_at": days(31)}));
    for (before, rules) in [both, all] {
        assert_eq!(before, "allow");
        for rule in ["basis.approved", "purpose.approved"] {
            assert!(rules.contains(&rule.to_owned()), "{rules:?}");
        }
    }
}
