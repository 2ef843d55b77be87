//! Facts live longer than code: `tests/golden/facts` holds every version ever released, and all of them are still understood.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use harness::Scenario;
use harness::scenario::{AGE, ZEROS, basis, deployment, evidence, model_version, people};
use licit_server::db::Projection;
use licit_server::facts::{KINDS, World};
use serde_json::json;

use crate::support::{rebuilds, retire, root, update};

fn golden() -> PathBuf {
    root().join("tests/golden/facts")
}

/// What a training script says.
fn by_mlflow(s: &Scenario) {
    let post = |path: &str, body: serde_json::Value| s.ana.post(&format!("/api/2.0/mlflow/{path}"), &body).good();
    post("experiments/create", json!({"name": "credit", "tags": [{"key": "team", "value": "risk"}]}));
    let tags = json!([{"key": "licit.purpose", "value": "purpose:scoring"}, {"key": "mlflow.user", "value": "ana"}]);
    let run = post(
        "runs/create",
        json!({"experiment_id": "1", "user_id": "ana", "start_time": 1_700_000_000_000_i64, "tags": tags}),
    );
    let run = run["run"]["info"]["run_id"].clone();
    let schema = r#"{"mlflow_colspec": [{"type": "long", "name": "age", "required": true}]}"#;
    let dataset = json!({"name": "people", "digest": "23ab924b", "source_type": "s3", "source": r#"{"uri": "s3://b/k"}"#, "schema": schema});
    let read = json!({"tags": [{"key": "mlflow.data.context", "value": "training"}, {"key": "licit.subjects", "value": "Adult"}], "dataset": dataset});
    post("runs/log-inputs", json!({"run_id": run, "datasets": [read]}));
    let model = post(
        "logged-models",
        json!({"experiment_id": "1", "name": "model", "source_run_id": run, "params": [{"key": "C", "value": "1.0"}]}),
    );
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let metrics =
        json!([{"key": "auc", "value": 0.9, "timestamp": 1_700_000_000_000_i64, "step": 1, "model_id": model}]);
    post("runs/log-batch", json!({"run_id": run, "metrics": metrics, "params": [{"key": "C", "value": "1.0"}]}));
    post("runs/outputs", json!({"run_id": run, "models": [{"model_id": model, "step": 0}]}));
    let file = format!("/api/2.0/mlflow-artifacts/artifacts/1/models/{model}/artifacts/input_example.json");
    let put = s.ana.send(
        "PUT",
        &file,
        &[("content-type", "application/json")],
        Some(br#"{"columns":["age"],"data":[[30]]}"#),
    );
    assert_eq!(put.status, 200, "{}", put.text);
    post(
        "registered-models/create",
        json!({"name": "credit", "tags": [{"key": "team", "value": "risk"}], "description": "Scores."}),
    );
    post("model-versions/create", json!({"name": "credit", "source": format!("models:/{model}"), "model_id": model}));
    post("registered-models/alias", json!({"name": "credit", "alias": "next", "version": "1"}));
}

/// A ledger with every kind of fact in it: kind, version, data as stored.
fn every_kind() -> Vec<(String, u16, String)> {
    let s = Scenario::running();
    s.add("assessments", json!({
        "key": "score-then", "kind": "regularisation", "of": "model:score@1", "holder": "party:acme", "statement": "It held.",
        "bases_then": ["basis:scoring-contract"], "evidence": [evidence()], "valid_from": "2026-01-01", "valid_to": "2030-01-01",
    }));
    s.add("dataset-versions", people("2"));
    let life = s.ana.resolve("dataset:crm/people@2")["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/dataset-versions/{life}/life");
    s.ana.post(&path, &json!({"life": "restricted"})).good();
    s.dora.post(&path, &json!({"life": "held", "reason": "The dispute is settled."})).good();
    s.add("model-versions", model_version("2", "2"));
    retire(&s.ana, "model:score@2", "Registered twice.").good();
    let pin = json!({"model_id": "score-large", "snapshot": "2026-01-01", "region": "FR", "contract": evidence(), "configuration_digest": ZEROS});
    let called =
        json!({"model": "model:score", "version": "e", "kind": "endpoint", "provider": "party:acme", "endpoint": pin});
    s.add("model-versions", called);
    s.add("attestations", json!({"model": "model:score@e", "snapshot": "2026-01-01", "region": "FR", "configuration_digest": ZEROS, "at": "2026-02-02"}));
    s.add("edges", json!({"kind": "serves_on", "from": "deployment:score-prod", "to": "dataset:crm/people@2", "origin": "observed"}));

    let key = json!({"scope": "crm", "kid": "k1", "normalisation": "n1", "fingerprint": ZEROS});
    s.add("subject-keys", key);
    let load = json!({"dataset_version": "dataset:crm/people@2", "kid": "k1", "fingerprint": ZEROS});
    let load = format!("member-loads/{}", s.add("member-loads", load)["id"].as_str().unwrap());
    let lines = crate::consent::lines("k1", 0..3);
    crate::consent::put(&s.ana, &load, 1, &lines).good();
    s.add(&format!("{load}/finish"), json!({"batches": 1, "records": 3}));
    s.add("consent-records", crate::consent::said(0, 1, "given", "2026-01-05T10:00:00Z"));
    s.add("member-sets", json!({"dataset_version": "dataset:crm/people@2", "purpose": "purpose:scoring"}));
    let deployed = s.ana.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.add(&format!("deployments/{deployed}/suppressions/acknowledgements"), json!({"position": 1}));
    let mut filtered = harness::scenario::purpose("scoring");
    filtered["withdrawal"] = json!({"days": 30, "remedies": ["output_filter"]});
    s.add("purposes", filtered);
    s.approve(&["purpose:scoring@2"]);
    let remedy = json!({
        "of": "model:score@1", "purpose": "purpose:scoring", "remedy": "output_filter", "evidence": [evidence()], "reason": "Tested.",
    });
    s.dora.post("/api/v1/remedies", &remedy).good();
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": crate::consent::pseudonym("k1", 0)})).good();
    s.ci.post("/api/v1/uses", &crate::uses::batch(12, -3, 0)).good();
    let from = crate::passports::vendor_of("elsewhere", &["never_sold", "not_for:ads"]);
    let passport = crate::passports::passport_of(&from, "model:elsewhere@1").good();
    let mut taken = crate::passports::taking(&from, &passport);
    taken["provider"] = json!("party:acme");
    s.add("passports", taken);
    let keys = s.ana.get("/api/v1/subject-keys").good();
    let key = format!("/api/v1/subject-keys/{}", keys["items"][0]["id"].as_str().unwrap());
    s.ana.send("DELETE", &key, &[], None).good();

    let review =
        json!({"title": "With opinion", "subjects": [{"ref": "assessment:score-then"}], "comment": "Please read."});
    let opened = s.ana.post("/api/v1/reviews", &review).good();
    let opinion = json!({"role": "dpo", "outcome": "reserved", "comment": "Mind the retention."});
    s.dora.post(&format!("/api/v1/reviews/{}/opinions", opened["id"].as_str().unwrap()), &opinion).good();

    s.revoke("basis:scoring-contract", 0);
    assert!(!s.audit.get("/api/v1/gaps").good()["items"].as_array().unwrap().is_empty(), "a revoked basis is a gap");
    s.add(
        "baselines",
        json!({"key": "then", "owner": "ml-team", "reason": "It ran before.", "valid_to": "2027-06-30"}),
    );
    let mut again = basis("scoring-contract", "scoring");
    again["covers"]["categories"] =
        json!([AGE, "https://w3id.org/dpv/pd#EmailAddress", "https://w3id.org/dpv/pd#Name"]);
    s.add("bases", again);
    s.approve(&["basis:scoring-contract@1"]);
    let open = s.audit.get("/api/v1/gaps").good();
    // The table that is served still has the rows of whoever was erased.
    let others =
        open["items"].as_array().unwrap().iter().filter(|gap| gap["affected"][0]["findings"][0]["rule"] != "retention");
    assert_eq!(others.count(), 0, "approved again, nothing else is open: {open:#}");

    let admin = s.server.admin();
    let level = json!({"rule": "basis.holds", "level": "warn", "overrides": [{"environments": ["production"], "level": "block"}]});
    let rule = json!({
        "code": "org.children", "when": "evidence.view.sources.exists(s, s.subjects.exists(t, t.endsWith('#Child')))", "status": "unmet",
        "level": "block", "article": "House rule 7", "sentence": "we do not score children", "addressee": "dpo", "remedy": "leave them out",
    });
    let policy = json!({
        "name": "What we decided", "rules": [rule], "grace": {"expired_days": 30, "unknown_days": 7}, "levels": [level],
        "review": {"quorum": 2, "approval_days": 365, "overrides": [{"kinds": ["deployment"], "risk_classes": ["high"], "quorum": 3}]},
    });
    admin.post("/api/v1/policies", &policy).good();
    let eve = s.server.person("Eve", &["releaser"]);
    let mut roster = policy;
    roster["proof_of_consent"] = json!({"keep": "P1D"});
    roster["break_glass"] = json!({"roster": [eve.get("/api/v1/whoami").good()["actor"]], "hours": 8});
    admin.post("/api/v1/policies", &roster).good();
    s.approve(&["policy:organisation@2"]);
    s.revoke("basis:scoring-contract@1", 0);
    let release = s.ana.resolve("release:score-prod@1")["id"].as_str().unwrap().to_owned();
    let incident = json!({"incident": "inc-1", "reason": "It cannot wait."});
    eve.post(&format!("/api/v1/releases/{release}/break-glass"), &incident).good();
    let seat = json!({"to": eve.get("/api/v1/whoami").good()["actor"], "valid_to": harness::scenario::in_days(30)});
    let seat = s.bea.post("/api/v1/delegations", &seat).good();
    s.bea.send("DELETE", &format!("/api/v1/delegations/{}", seat["id"].as_str().unwrap()), &[], None).good();
    let denied = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    let contest = json!({
        "decision": format!("decision:{}", denied["id"].as_str().unwrap()), "rule": denied["findings"][0]["rule"],
        "node": denied["findings"][0]["node"], "reason": "It is wrong.",
    });
    let contest = s.ana.post("/api/v1/contests", &contest).good();
    let settlement = json!({"outcome": "dismissed", "reason": "It is right."});
    s.bea.post(&format!("/api/v1/contests/{}/settlement", contest["id"].as_str().unwrap()), &settlement).good();
    s.add("loosenings", json!({"environment": "environment:production", "mode": "warn", "valid_to": "2027-06-30", "reason": "Migration."}));
    let mut unsorted = people("3");
    unsorted["fields"].as_array_mut().unwrap().push(json!({"name": "note"}));
    s.add("dataset-versions", unsorted);
    s.add("classes", json!({
        "key": "crm-unsorted", "namespaces": ["crm"], "fields": ["note*"], "categories": [AGE], "identifiability": "quasi",
        "subjects": ["https://w3id.org/dpv#Adult"], "origin": "collected", "owner": "crm-team", "reason": "It is being sorted.",
        "valid_to": "2027-06-30",
    }));
    s.add(
        "classifications",
        json!({
            "versions": ["dataset:crm/people@3"], "fields": ["note"], "categories": [AGE], "identifiability": "quasi",
            "valid_from": "2026-01-01", "reason": "Looked at.",
        }),
    );
    s.audit.get("/api/v1/gaps").good();
    let mut elsewhere = deployment();
    elsewhere["bases"] = json!([]);
    s.add("deployments", elsewhere);
    s.audit.get("/api/v1/gaps").good();
    // Nothing it is told of happens while it is subscribed.
    let webhook = json!({"url": "http://192.0.2.1/", "kinds": ["webhook.unsubscribed"]});
    let webhook = admin.post("/api/v1/webhooks", &webhook).good();
    admin.send("DELETE", &format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap()), &[], None).good();
    let hook = json!({"name": "gov", "url": "http://192.0.2.1/", "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}]});
    let hook = admin.post("/api/2.0/mlflow/webhooks", &hook).good()["webhook"]["webhook_id"].clone();
    let quiet = json!({"status": "DISABLED"}).to_string();
    let path = format!("/api/2.0/mlflow/webhooks/{}", hook.as_str().unwrap());
    admin.send("PATCH", &path, &[], Some(quiet.as_bytes())).good();
    admin.send("DELETE", &path, &[], None).good();
    s.add("consent-records", crate::consent::said(1, 2, "given", "2026-01-05T10:00:00Z"));
    let who = crate::consent::pseudonym("k1", 1);
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": who})).good();
    s.dora.post("/api/v1/subjects/proofs", &json!({"subject": who, "reason": "A claim."})).good();
    let tokens = admin.get("/api/v1/tokens").good();
    let last = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    admin.send("DELETE", &format!("/api/v1/tokens/{last}"), &[], None).good();
    let reported = json!({
        "eventType": "COMPLETE", "eventTime": "2026-11-01T10:00:00Z", "run": {"runId": "01939f00-0000-7000-8000-000000000001"},
        "job": {"namespace": "acme", "name": "nightly"}, "inputs": [{"namespace": "crm", "name": "people"}],
        "outputs": [{"namespace": "s3://lake", "name": "features", "facets": {"columnLineage": {"fields": {
            "age": {"inputFields": [{"namespace": "crm", "name": "people", "field": "age"}]},
        }}}}],
    });
    s.ana.post("/api/v1/lineage", &reported).good();
    let mut much = reported;
    much["run"]["runId"] = json!("01939f00-0000-7000-8000-000000000002");
    for from in [0, 1000, 2000] {
        much["inputs"] = (from..from + 1000).map(|n| json!({"namespace": "crm", "name": format!("t{n}")})).collect();
        much["outputs"] = json!([{"namespace": "s3://lake", "name": format!("out{from}")}]);
        s.ana.post("/api/v1/lineage", &much).good();
    }
    by_mlflow(&s);
    // The last of all, since time never runs backwards.
    assert_eq!(crate::consent::proofs::later(&s.server.db, &harness::scenario::in_days(2)), 1);

    let (code, _, said) = harness::TestServer::run(&s.server.db, &["key", "rotate"]);
    assert_eq!(code, 0, "{said}");
    rebuilds(&s.server.db);
    let rows = s.server.db.sql("SELECT kind, version, data FROM ledger_entry ORDER BY seq");
    rows.lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let [kind, version, data] = line.splitn(3, '|').collect::<Vec<_>>()[..] else { panic!("{line}") };
            (kind.to_owned(), version.parse().unwrap(), data.to_owned())
        })
        .collect()
}

#[track_caller]
fn reads_back(kind: &str, version: u16, data: &str) -> (String, u16, String) {
    let fact = World::decode(kind, version, data).unwrap_or_else(|e| panic!("{kind} v{version}: {e}"));
    let again = World::encode(&fact).unwrap_or_else(|e| panic!("{kind} v{version}: {e}"));
    (again.kind.to_owned(), again.version, again.data)
}

#[test]
fn a_ledger_with_every_kind_of_fact_reads_back_byte_by_byte() {
    let recorded = every_kind();
    for (kind, version, data) in &recorded {
        assert_eq!(reads_back(kind, *version, data), (kind.clone(), *version, data.clone()));
    }
    let kinds: BTreeSet<(&str, u16)> = recorded.iter().map(|(kind, version, _)| (kind.as_str(), *version)).collect();
    assert_eq!(kinds, KINDS.iter().copied().collect(), "the scenario above must record every kind");
    if update() {
        // What is there was released: it never changes, so only what is missing is written.
        fs::create_dir_all(golden()).unwrap();
        for (kind, version, data) in &recorded {
            let file = golden().join(format!("{kind}.v{version}.json"));
            if !file.exists() {
                fs::write(file, format!("{data}\n")).unwrap();
            }
        }
    }
}

#[test]
fn every_version_ever_released_is_understood() {
    let present: BTreeMap<&str, u16> = KINDS.iter().copied().collect();
    let mut missing: BTreeSet<String> = KINDS.iter().map(|(kind, version)| format!("{kind}.v{version}.json")).collect();
    for file in fs::read_dir(golden()).into_iter().flatten() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        missing.remove(&name);
        let (kind, version) = name.trim_end_matches(".json").rsplit_once(".v").unwrap();
        let version: u16 = version.parse().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let data = text.trim_end_matches('\n');
        let (now, at, again) = reads_back(kind, version, data);
        assert_eq!((now.as_str(), Some(&at)), (kind, present.get(kind)), "{name}");
        if at == version {
            assert_eq!(
                again, data,
                "{name}: a released fact reads back otherwise; give the kind a new version and lift the old one"
            );
        }
    }
    assert!(
        missing.is_empty(),
        "without golden file: {missing:?}; run `UPDATE=1 cargo test --workspace --test it contract::facts`, look at them, commit them"
    );
}

#[test]
fn an_unknown_kind_version_or_field_is_refused() {
    for (kind, version, data) in [
        ("party.registered", 2, "{}"),
        ("party.abolished", 1, "{}"),
        ("token.revoked", 1, r#"{"id":"01939f00-0000-7000-8000-000000000000","why":"x"}"#),
        ("token.revoked", 1, "{}"),
    ] {
        assert!(World::decode(kind, version, data).is_err(), "{kind} v{version} {data}");
    }
}
