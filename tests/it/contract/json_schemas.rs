//! `schemas/json` holds what the server checks, and what it checks takes good documents and names each fault of bad ones.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use licit_schemas::document::{self, Document};
use licit_schemas::problem::Fault;
use licit_schemas::{
    access, adoption, classes, consent, events, gate, lawfulness, lineage, notices, policy, registration, registry,
    reports, review, subjects, uses,
};
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

/// Every document with fixtures, as in `documents!`: `good*.json` is one, `bad-*.json` one under `document` with the pointers of its
/// `faults`.
const CHECKED: &[(&str, fn(&Value) -> Vec<Fault>)] = &[
    ("party", check::<registry::PartySpec>),
    ("dataset", check::<registry::DatasetSpec>),
    ("dataset-version", check::<registry::DatasetVersionSpec>),
    ("life-change", check::<registry::LifeChange>),
    ("retirement", check::<registry::Retirement>),
    ("run", check::<registry::RunSpec>),
    ("model", check::<registry::ModelSpec>),
    ("model-version", check::<registry::ModelVersionSpec>),
    ("system", check::<registry::SystemSpec>),
    ("environment", check::<registry::EnvironmentSpec>),
    ("deployment", check::<registry::DeploymentSpec>),
    ("release", check::<registry::ReleaseSpec>),
    ("attestation", check::<registry::AttestationSpec>),
    ("registration", check::<registration::Registration>),
    ("plan", check::<registration::PlanRequest>),
    ("edge", check::<lineage::EdgeCreate>),
    ("purpose", check::<lawfulness::PurposeSpec>),
    ("basis", check::<lawfulness::BasisSpec>),
    ("assessment", check::<lawfulness::AssessmentSpec>),
    ("notice", check::<notices::NoticeSpec>),
    ("withdrawal-test", check::<notices::WithdrawalTestSpec>),
    ("baseline", check::<adoption::BaselineCreate>),
    ("break-glass", check::<adoption::BreakGlassCreate>),
    ("contest", check::<adoption::ContestCreate>),
    ("default-class", check::<classes::DefaultClassSpec>),
    ("classification", check::<classes::ClassificationCreate>),
    ("delegation", check::<review::DelegationCreate>),
    ("loosening", check::<adoption::LooseningSpec>),
    ("settlement", check::<adoption::SettlementCreate>),
    ("policy", check::<policy::PolicySpec>),
    ("review", check::<review::ReviewCreate>),
    ("vote", check::<review::VoteCreate>),
    ("opinion", check::<review::OpinionCreate>),
    ("revocation", check::<review::RevocationCreate>),
    ("gate-request", check::<gate::GateRequest>),
    ("activation", check::<gate::Activation>),
    ("rollback", check::<gate::Rollback>),
    ("what-if", check::<reports::WhatIfRequest>),
    ("affected", check::<reports::AffectedQuery>),
    ("actor", check::<access::ActorCreate>),
    ("token", check::<access::TokenCreate>),
    ("webhook", check::<events::WebhookCreate>),
    ("redelivery", check::<events::Redelivery>),
    ("subject-key", check::<subjects::SubjectKeySpec>),
    ("member-load", check::<subjects::MemberLoadCreate>),
    ("load-finish", check::<subjects::LoadFinish>),
    ("exclude", check::<subjects::ExcludeCreate>),
    ("consent-record", check::<consent::ConsentRecord>),
    ("subject-query", check::<consent::SubjectQuery>),
    ("proof-query", check::<consent::ProofQuery>),
    ("acknowledgement", check::<consent::AcknowledgementCreate>),
    ("coverage-sample", check::<consent::SampleQuery>),
    ("remedy", check::<consent::RemedyCreate>),
    ("use", check::<uses::UseCreate>),
    ("passport-import", check::<licit_schemas::proof::passport::PassportImport>),
    ("subjects-impact", check::<reports::SubjectsQuery>),
];

#[test]
fn every_document_has_fixtures() {
    let documents: Vec<&str> = document::all().iter().map(|(name, _)| *name).collect();
    assert_eq!(CHECKED.iter().map(|(name, _)| *name).collect::<Vec<_>>(), documents);
}

#[test]
fn fixtures_are_taken_and_refused_as_they_say() {
    let folder = root().join("tests/fixtures/documents");
    let mut wrong = Vec::new();
    for (name, check) in CHECKED {
        let (mut good, mut bad) = (0, 0);
        for file in fs::read_dir(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")) {
            let path = file.unwrap().path();
            let value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            if path.file_name().unwrap().to_str().unwrap().starts_with("good") {
                good += 1;
                let found = check(&value);
                if !found.is_empty() {
                    wrong.push(format!("{}: {found:?}", path.display()));
                }
            } else {
                bad += 1;
                let found: BTreeSet<String> = check(&value["document"]).into_iter().map(|f| f.pointer).collect();
                let wanted: BTreeSet<String> = serde_json::from_value(value["faults"].clone()).unwrap();
                if found != wanted {
                    wrong.push(format!("{}: {found:?}, wanted {wanted:?}", path.display()));
                }
            }
        }
        assert!(good > 0 && bad > 0, "{name} has {good} good and {bad} bad fixtures");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let folders = fs::read_dir(&folder).unwrap().count();
    assert_eq!(folders, CHECKED.len(), "a folder of fixtures is not checked");
}
