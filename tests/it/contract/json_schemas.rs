//! `schemas/json` holds what the server checks, and what it checks takes good documents and names each fault of bad ones.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use licit_schemas::document::{self, Document};
use licit_schemas::problem::Fault;
use licit_schemas::{gate, lawfulness, policy, registration, registry, review};
use serde_json::Value;

use crate::support::{root, same_as_committed};

#[test]
fn the_committed_schemas_are_those_of_the_types() {
    for (name, schema) in document::all() {
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        same_as_committed(&format!("schemas/json/{name}.schema.json"), &text);
    }
}

/// The schema of `licit.yaml`, which no server reads, under the name by which the file of `licit init` asks for it.
const LICIT_YAML: &str = "licit-yaml.schema.json";

fn printed_by_licit() -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_cli-under-test")).arg("schema").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_committed_schema_of_licit_yaml_is_what_licit_prints() {
    let text = printed_by_licit();
    same_as_committed(&format!("schemas/json/{LICIT_YAML}"), &text);
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], LICIT_YAML);
    assert_eq!(schema["additionalProperties"], false, "it takes unknown fields");
}

#[test]
fn no_committed_schema_is_left_over() {
    let documents = document::all().into_iter().map(|(name, _)| format!("{name}.schema.json"));
    let known: BTreeSet<String> = documents.chain([LICIT_YAML.to_owned()]).collect();
    let kept: BTreeSet<String> = fs::read_dir(root().join("schemas/json"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(kept, known);
}

#[test]
fn every_schema_is_2020_12_and_closed() {
    for (name, schema) in document::all() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name} takes unknown fields");
    }
}

fn check<T: Document>(document: &Value) -> Vec<Fault> {
    document::from_value::<T>(document.clone()).err().unwrap_or_default()
}

/// Schemas with fixtures: `good*.json` is a document, `bad-*.json` one under `document` with the pointers of its `faults`.
const CHECKED: &[(&str, fn(&Value) -> Vec<Fault>)] = &[
    ("party", check::<registry::PartySpec>),
    ("dataset-version", check::<registry::DatasetVersionSpec>),
    ("run", check::<registry::RunSpec>),
    ("model-version", check::<registry::ModelVersionSpec>),
    ("purpose", check::<lawfulness::PurposeSpec>),
    ("policy", check::<policy::PolicySpec>),
    ("review", check::<review::ReviewCreate>),
    ("registration", check::<registration::Registration>),
    ("gate-request", check::<gate::GateRequest>),
];

#[test]
fn fixtures_are_taken_and_refused_as_they_say() {
    let folder = root().join("tests/fixtures/documents");
    for (name, check) in CHECKED {
        let (mut good, mut bad) = (0, 0);
        for file in fs::read_dir(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")) {
            let path = file.unwrap().path();
            let value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            if path.file_name().unwrap().to_str().unwrap().starts_with("good") {
                good += 1;
                assert_eq!(check(&value), Vec::new(), "{}", path.display());
            } else {
                bad += 1;
                let found: BTreeSet<String> = check(&value["document"]).into_iter().map(|f| f.pointer).collect();
                let wanted: BTreeSet<String> = serde_json::from_value(value["faults"].clone()).unwrap();
                assert_eq!(found, wanted, "{}", path.display());
            }
        }
        assert!(good > 0 && bad > 0, "{name} has {good} good and {bad} bad fixtures");
    }
    let folders = fs::read_dir(&folder).unwrap().count();
    assert_eq!(folders, CHECKED.len(), "a folder of fixtures is not checked");
}
