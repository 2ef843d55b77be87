//! Of a monorepo, only what a change reaches is asked for, and shown by whose turn it is.

use std::path::Path;
use std::process::Command;

use harness::Scenario;
use harness::scenario;
use serde_json::{Value, json};

use super::parts::facts;
use crate::support::{licit, licit_in};

fn git(folder: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    for name in ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"] {
        git.env(name, "eve@example.org");
    }
    let done = git.env("GIT_CONFIG_GLOBAL", "/dev/null").arg("-C").arg(folder).args(args).output().unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn commit(folder: &Path, file: &str, text: &str) {
    std::fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
    std::fs::write(folder.join(file), text).unwrap();
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", file]);
}

/// Forty deployments: one approved, two more with the same model, and those of others.
fn forty() -> Scenario {
    let s = Scenario::approved();
    s.add("datasets", json!({"namespace": "crm", "name": "orders", "owner": "crm-team"}));
    let mut orders = scenario::people("1");
    orders["dataset"] = json!("dataset:crm/orders");
    s.add("dataset-versions", orders);
    let mut deployment = scenario::deployment();
    for place in 0..39 {
        deployment["name"] = json!(format!("other-{place}"));
        deployment["reads"] = json!({"datasets": ["dataset:crm/orders"]});
        if place < 2 {
            deployment["reads"] = json!({"nobody": "It is asked about nobody."});
        }
        s.add("deployments", deployment.clone());
        if place < 2 {
            let release = json!({"deployment": format!("deployment:other-{place}"), "composition": [{"part": "base", "model": "model:score@1"}]});
            s.add("releases", release);
        }
    }
    s
}

fn monorepo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    git(at, &["init", "-q"]);
    commit(at, "README.md", "one\n");
    let manifest = "datasets:\n- {namespace: crm, name: people, version: '1'}\nmodel: {name: score, version: '1'}\nplan: [score-prod]\n";
    commit(at, "scoring/licit.yaml", manifest);
    commit(at, "orders/licit.yaml", "datasets:\n- {namespace: crm, name: orders, version: '1'}\n");
    commit(at, "scoring/src/train.py", "print(1)\n");
    folder
}

#[test]
fn three_deployments_are_asked_for_and_not_forty() {
    let (s, folder) = (forty(), monorepo());
    let at = folder.path();
    let gate =
        |range: &str, more: &[&str]| licit_in(&s.ci, Some(at), &[&["gate", "--affected-by", range][..], more].concat());
    let (code, out, err) = gate("HEAD~1..HEAD", &["--dry-run", "--json"]);
    assert_eq!(code, 3, "{out}{err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let named: Vec<&str> =
        told["affected"].as_array().unwrap().iter().map(|a| a["deployment"].as_str().unwrap()).collect();
    assert_eq!(named, ["deployment:other-0", "deployment:other-1", "deployment:score-prod"]);
    let passes: Vec<&Value> = told["decisions"].as_array().unwrap().iter().map(|d| &d["passes"]).collect();
    assert_eq!(passes, [false, false, true]);
    assert_eq!(facts(&s, "decision.made"), 0, "a dry run");
    let (code, out, err) = gate("HEAD~1..HEAD", &[]);
    assert_eq!((code, facts(&s, "decision.made")), (3, 3), "{out}{err}");
    assert!(out.contains("3 deployments are affected, 2 refused") && out.contains("plans it"), "{out}");

    // Among the files of nobody, and of somebody else.
    commit(at, "README.md", "two\n");
    let (code, out, err) = gate("HEAD~1..HEAD", &[]);
    assert_eq!((code, out.contains("no deployment is affected")), (0, true), "{out}{err}");
    commit(at, "orders/load.py", "print(2)\n");
    let (_, out, _) = gate("HEAD~1..HEAD", &["--dry-run"]);
    assert!(out.contains("37 deployments are affected"), "{out}");
    // What is moved counts at both places.
    git(at, &["mv", "scoring/src/train.py", "orders/train.py"]);
    git(at, &["commit", "-q", "-m", "move"]);
    let (_, out, _) = gate("HEAD~1..HEAD", &["--dry-run"]);
    assert!(out.contains("40 deployments are affected"), "{out}");
    for (range, code) in [("none..HEAD", 1), ("HEAD", 2), ("--output=x..y", 2)] {
        let (ended, out, err) = gate(range, &["--dry-run"]);
        assert_eq!(ended, code, "{range}: {out}{err}");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (code, _, err) = licit_in(&s.ci, Some(elsewhere.path()), &["gate", "--affected-by", "HEAD~1..HEAD"]);
    assert_eq!(code, 1, "{err}");
}

#[test]
fn what_a_commit_takes_away_reaches_the_deployments_it_named() {
    let (s, folder) = (Scenario::approved(), monorepo());
    let at = folder.path();
    let named = |range: &str| -> Vec<(String, String)> {
        let (code, out, err) = licit_in(&s.ci, Some(at), &["gate", "--affected-by", range, "--dry-run", "--json"]);
        assert_eq!(code, 0, "{out}{err}");
        let told: Value = serde_json::from_str(&out).unwrap();
        let all = told["affected"].as_array().unwrap().iter();
        all.map(|a| (a["deployment"].as_str().unwrap().to_owned(), a["because"].as_str().unwrap().replace('`', "")))
            .collect()
    };
    let reached = |range: &str, why: &str| {
        let found = named(range);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == "deployment:score-prod" && found[0].1.contains(why), "{why}: {found:?}");
    };
    // Dropped from the manifest, the deployment is asked for once more; and so it is when the manifest goes.
    commit(at, "scoring/licit.yaml", "datasets:\n- {namespace: crm, name: letters, version: '1'}\n");
    reached("HEAD~1..HEAD", "planned it");
    git(at, &["revert", "--no-edit", "HEAD"]);
    reached("HEAD~1..HEAD", "plans it");
    git(at, &["rm", "-q", "-r", "scoring"]);
    git(at, &["commit", "-q", "-m", "gone"]);
    reached("HEAD~1..HEAD", "planned it");
    assert!(named("HEAD~3..HEAD~3").is_empty());
    // What lies in the working tree is in no commit.
    commit(at, "orders/load.py", "print(2)\n");
    std::fs::write(at.join("orders/licit.yaml"), "plan: [score-prod]\n").unwrap();
    assert!(named("HEAD~1..HEAD").is_empty());
    git(at, &["checkout", "-q", "orders/licit.yaml"]);
    // One that cannot be read is a fault where it is brought, and none where it is mended; three dots are since the two parted.
    commit(at, "orders/licit.yaml", "plan: {}\n");
    let (code, _, err) = licit_in(&s.ci, Some(at), &["gate", "--affected-by", "HEAD~1..HEAD", "--dry-run"]);
    assert_eq!((code, err.contains("orders/licit.yaml:1:1")), (1, true), "{err}");
    commit(at, "orders/licit.yaml", "plan: [score-prod]\n");
    reached("HEAD~1..HEAD", "plans it");
    reached("HEAD~1...HEAD", "plans it");
    reached("HEAD~1..", "plans it");
}

#[test]
fn releases_that_run_no_more_affect_nobody() {
    let s = Scenario::running();
    let affected = |reference: &str| {
        let answer = s.audit.post("/api/v1/affected", &json!({"refs": [reference]})).good();
        answer["items"].as_array().unwrap().len()
    };
    assert_eq!((affected("model:score@1"), affected("model:score")), (1, 1));
    s.add("model-versions", scenario::model_version("2", "2"));
    s.add("runs", scenario::training("2", "1"));
    s.release("2");
    assert_eq!((affected("model:score@1"), affected("model:score@2")), (1, 1), "one runs, one is proposed");
    s.activate("release:score-prod@2").good();
    assert_eq!((affected("model:score@1"), affected("model:score@2")), (0, 1));
    // Before the second was activated the first one ran.
    let position = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap();
    let then = json!({"refs": ["model:score@1"], "known_at": (position - 4).to_string()});
    assert_eq!(s.audit.post("/api/v1/affected", &then).good()["items"][0]["deployment"], "deployment:score-prod");
    let nothing = s.audit.post("/api/v1/affected", &json!({"refs": ["model:none"]})).good();
    assert_eq!((&nothing["items"], &nothing["unknown"]), (&json!([]), &json!(["model:none"])));
    s.audit.post("/api/v1/affected", &json!({"refs": ["purpose:scoring"]})).problem(422);
}

#[test]
fn findings_are_shown_by_whose_turn_it_is() {
    let s = Scenario::registered();
    let (_, out, _) = licit(&s.ci, &["gate", "score-prod", "--dry-run", "--team", "ml-team,governance board"]);
    assert!(out.contains("yours: ") && !out.contains("yours: nothing"), "{out}");
    let (_, out, _) = licit(&s.ci, &["gate", "score-prod", "--dry-run", "--team", "somebody"]);
    assert!(out.contains("yours: nothing") && out.contains("waiting for others: "), "{out}");
    assert!(out.contains("for governance board: "), "{out}");
    let (_, out, _) = licit(&s.ci, &["gate", "score-prod", "--dry-run"]);
    assert!(!out.contains("yours"), "{out}");
}
