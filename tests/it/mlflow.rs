//! Clients of MLflow, unchanged: what they do stands in the registry, and promotion is what the gate refuses.

mod artifacts;
mod bucket;
mod clients;
mod hooks;
mod hostile;
mod promotion;
mod registry;
mod replay;
mod tracking;

use harness::scenario::{ADULT, AGE, document, evidence, notice, party, practices, purpose};
use harness::{Answer, Client, Scenario};
use serde_json::{Value, json};

/// Where the routes are.
pub(crate) const API: &str = "/api/2.0/mlflow";
/// Where artifacts are.
pub(crate) const FILES: &str = "/api/2.0/mlflow-artifacts/artifacts";
/// What the training reads.
pub(crate) const DATA: &str = "dataset:s3:%2F%2Facme-raw/customers.parquet";

/// A server that keeps artifacts, whichever the database; the directory goes with the test.
pub(crate) struct Place {
    pub(crate) s: Scenario,
    /// Trains, registers and promotes.
    pub(crate) trainer: Client,
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().to_str().unwrap().to_owned();
        Self::of(Scenario::empty_with(&[&["--artifacts", &at], args].concat()), folder)
    }

    fn of(s: Scenario, folder: tempfile::TempDir) -> Self {
        let trainer = s.server.service("trainer", &s.ana, &["registrar", "releaser"]);
        Self { s, trainer, folder }
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.trainer.post(&format!("{API}/{path}"), body).good()
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.trainer.get(&format!("{API}/{path}")).good()
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.trainer.send(method, &format!("{API}/{path}"), &[], Some(body.to_string().as_bytes()))
    }

    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> Answer {
        self.trainer.send(
            "PUT",
            &format!("{FILES}/{path}"),
            &[("content-type", "application/octet-stream")],
            Some(bytes),
        )
    }

    /// A run that read the data, and a logged model of it, as version 3 of the clients make them: ids of both.
    #[track_caller]
    pub(crate) fn trained(&self, seed: u8) -> (String, String) {
        let tags = json!([{"key": "licit.purpose", "value": "purpose:scoring"}, {"key": "licit.controller", "value": "party:acme"}]);
        let run = self.post(
            "runs/create",
            &json!({"experiment_id": "0", "user_id": "ana", "start_time": 1_700_000_000_000_i64, "tags": tags}),
        );
        let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
        self.post("runs/log-inputs", &inputs(&run, "s3", r#"{"uri": "s3://acme-raw/customers.parquet"}"#));
        let model = self.post("logged-models", &json!({"experiment_id": "0", "name": "model", "source_run_id": run}));
        let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
        self.post("runs/outputs", &json!({"run_id": run, "models": [{"model_id": model, "step": 0}]}));
        let put = self.put(&format!("0/models/{model}/artifacts/model.bin"), &[seed; 2000]);
        assert_eq!(put.status, 200, "{}", put.text);
        (run, model)
    }

    /// The next version of `score`.
    #[track_caller]
    pub(crate) fn version(&self, seed: u8) -> String {
        let (_, model) = self.trained(seed);
        let made = self.post(
            "model-versions/create",
            &json!({"name": "score", "source": format!("models:/{model}"), "model_id": model}),
        );
        made["model_version"]["version"].as_str().unwrap().to_owned()
    }

    /// What a company registers besides: everything but what the data are.
    pub(crate) fn govern(&self) {
        let s = &self.s;
        s.add("parties", party("acme"));
        s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
        s.add("datasets", json!({"namespace": "s3://acme-raw", "name": "customers.parquet", "owner": "crm-team"}));
        s.add("purposes", purpose("scoring"));
        s.inform(notice("customers", &["scoring"]));
        s.add(
            "bases",
            json!({
                "key": "scoring-contract", "name": "Contract", "legal_basis": "art6_1_b",
                "covers": {
                    "purposes": ["purpose:scoring"], "datasets": [DATA], "categories": [AGE], "subjects": [ADULT],
                    "controllers": ["party:acme"], "stages": ["training", "deployment"],
                },
                "letter": {"contract": evidence(), "necessity": "The offer cannot be made without it."},
                "valid_from": "2020-01-01", "evidence": [evidence()],
            }),
        );
        s.add("systems", json!({
            "key": "scorer", "name": "Scorer", "intended_purpose": "Scores offers.", "risk_class": "minimal",
            "risk_reason": "No effect on rights.", "role": "deployer", "effect": "minor", "reliance": "weak", "owner": "ml-team",
            "practices": practices("2026-12-02", &harness::scenario::LETTERS), "documents": [document("dpia")],
        }));
        s.add(
            "deployments",
            deployment(
                "score-prod",
                "production",
                &json!({"mlflow.model": "score", "mlflow.alias": "champion, production"}),
            ),
        );
    }

    /// The owner of the data says what they are.
    pub(crate) fn classify(&self) {
        self.s.add(
            "dataset-versions",
            json!({
                "dataset": DATA, "version": "reported", "origin": "collected", "region": "FR",
                "fields": [
                    {"name": "age", "categories": [AGE], "identifiability": "quasi"},
                    {"name": "income", "identifiability": "none"}, {"name": "y", "identifiability": "none"},
                ],
                "subjects": [ADULT], "controllers": ["party:acme"], "collected_for": ["purpose:scoring"],
                "retention": {"until": "2099-12-31", "rule": "three years after the contract"},
            }),
        );
    }

    /// The board approves.
    pub(crate) fn approve(&self) {
        self.s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    }

    #[track_caller]
    pub(crate) fn alias(&self, alias: &str, version: &str) -> Answer {
        self.send("POST", "registered-models/alias", &json!({"name": "score", "alias": alias, "version": version}))
    }
}

pub(crate) fn deployment(name: &str, environment: &str, tags: &Value) -> Value {
    json!({
        "name": name, "system": "system:scorer", "environment": format!("environment:{environment}"), "purpose": "purpose:scoring",
        "bases": ["basis:scoring-contract"], "controller": "party:acme", "owner": "ml-team", "region": "FR",
        "reads": {"nobody": "It is asked about no person."}, "writes": {"nobody": "Scores are shown and forgotten."}, "tags": tags,
    })
}

pub(crate) fn inputs(run: &str, kind: &str, source: &str) -> Value {
    let schema = r#"{"mlflow_colspec": [{"type": "long", "name": "age", "required": true}, {"type": "double", "name": "income", "required": true}, {"type": "long", "name": "y", "required": true}]}"#;
    json!({"run_id": run, "datasets": [{
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
        "dataset": {"name": "customers", "digest": "23ab924b", "source_type": kind, "source": source, "schema": schema},
    }]})
}

/// The code and the text of a refusal with this status, in the form of the protocol.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16) -> (String, String) {
    assert_eq!(answer.status, status, "{}", answer.text);
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    (text("error_code"), text("message"))
}

/// Base64, by hand: a test needs no crate for it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            out.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    out
}
