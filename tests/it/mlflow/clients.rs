//! The clients themselves, the present one and the last of the line before: on whichever database the suite runs.

use std::path::PathBuf;
use std::process::Command;

use harness::client::encode;
use serde_json::{Value, json};

use super::{DATA, Place};
use crate::support::{installed, licit, rebuilds, root};

/// A Python with a client, made once for a source tree.
fn python(version: &str) -> PathBuf {
    let client = format!("mlflow-skinny=={version}");
    let own = if version.starts_with('3') { "skops" } else { "setuptools<81" };
    installed(&format!("mlflow-{version}"), &[&client, "scikit-learn==1.9.1", "pandas", "cloudpickle", own])
}

#[track_caller]
fn script(version: &str, place: &Place, args: &[&str]) -> Value {
    let out = Command::new(python(version))
        .arg(root().join("tests/outside/train.py"))
        .args([&place.s.server.url, place.trainer.token.as_ref().unwrap()])
        .args(args)
        .current_dir(place.folder.path())
        .output()
        .unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{args:?}: {said}{wrong}");
    let line = said.lines().find_map(|line| line.strip_prefix("answer ")).unwrap_or_else(|| panic!("{said}{wrong}"));
    serde_json::from_str(line).unwrap()
}

/// A training script, unchanged: refused at `champion`, let after the approval, and let again for a retrained version without a vote.
fn trains_is_refused_passes(version: &str) {
    let place = Place::new();
    place.govern();
    let first = script(version, &place, &["train", "1"]);
    assert_eq!(first["version"].to_string().trim_matches('"'), "1", "{first}");

    // It stands in the registry: the version with its files, the run, what it read.
    let native = place.s.ana.resolve("model:score@1")["spec"].clone();
    let files = native["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["path"] == "MLmodel"), "{native:#}");
    assert_eq!(native["metrics"]["auc"], 0.92, "{native:#}");
    assert!(native["tags"]["licit.warning.examples"].as_str().unwrap().contains("input_example.json"), "{native:#}");
    let run = format!("run:{}", hyphenated(first["run"].as_str().unwrap()));
    let run = place.s.ana.resolve(&run)["spec"].clone();
    assert_eq!(run["inputs"], json!([{"ref": format!("{DATA}@reported"), "role": "training"}]), "{run:#}");
    assert!(run["outputs"].to_string().contains("model:score@1"), "{run:#}");
    assert_eq!((&run["operation"], &run["controller"]), (&json!("train"), &json!("party:acme")), "{run:#}");
    assert!(run["tags"]["mlflow.digests"].as_str().unwrap().contains(first["digest"].as_str().unwrap()), "{run:#}");

    let refused = script(version, &place, &["promote", "1"]);
    assert_eq!(refused["refused"], "PERMISSION_DENIED", "{refused}");
    let message = refused["message"].as_str().unwrap();
    for part in [
        "deployment:score-prod",
        &format!("{DATA}@reported"),
        "model:score@1 -> run:",
        "who can clear it: crm-team",
        "/api/v1/decisions/",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }

    place.classify();
    place.approve();
    let let_in = script(version, &place, &["promote", "1"]);
    assert_eq!(let_in["refused"], Value::Null, "{let_in}");
    assert_eq!(script(version, &place, &["load"])["answer"], json!([0, 1]));

    // What CI fetches is what was approved, as the gate sees it; one byte more is not.
    let fetched = script(version, &place, &["fetch"])["folder"].as_str().unwrap().to_owned();
    assert!(place.folder.path().join("fetched/registered_model_meta").is_file(), "the client notes what it fetched");
    let fetched = place.folder.path().join(fetched);
    let gate = || licit(&place.trainer, &["gate", "score-prod", "--artifact", fetched.to_str().unwrap()]);
    let (code, said, wrong) = gate();
    assert_eq!(code, 0, "{said}{wrong}");
    std::fs::write(fetched.join("more.py"), "import os\n").unwrap();
    let (code, said, wrong) = gate();
    assert!(code == 3 && said.contains("more.py"), "{code} {said}{wrong}");

    let exposure = place.s.audit.get(&format!("/api/v1/exposure?ref={}", encode("model:score@1"))).good();
    assert!(exposure.to_string().contains(&format!("{DATA}@reported")), "{exposure:#}");

    let votes = place.s.server.db.sql("SELECT count(*) FROM ledger_entry WHERE kind = 'vote.cast'");
    let second = script(version, &place, &["train", "2"]);
    assert_ne!(second["digest"], first["digest"]);
    let again = script(version, &place, &["promote", second["version"].to_string().trim_matches('"')]);
    assert_eq!((&again["refused"], again["stands"].to_string().trim_matches('"')), (&Value::Null, "2"), "{again}");
    assert_eq!(script(version, &place, &["load"])["answer"], json!([0, 1]));
    assert_eq!(place.s.server.db.sql("SELECT count(*) FROM ledger_entry WHERE kind = 'vote.cast'"), votes);
    let releases = place.s.ana.get("/api/v1/releases").good();
    let states: Vec<&str> =
        releases["items"].as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert!(states.contains(&"active") && states.contains(&"standby"), "{releases:#}");
    // Who ran it is no business of the ledger.
    let ledger = place.s.server.db.sql("SELECT data FROM ledger_entry");
    assert!(!ledger.contains("train.py"), "a path of a machine is in the ledger");
    rebuilds(&place.s.server.db);
}

fn hyphenated(id: &str) -> String {
    uuid::Uuid::parse_str(id).unwrap().to_string()
}

#[test]
fn version_3_of_the_client_trains_is_refused_and_passes() {
    trains_is_refused_passes("3.17.2");
}

#[test]
fn version_2_of_the_client_trains_is_refused_and_passes() {
    trains_is_refused_passes("2.22.5");
}
