//! The scenario taken apart: a test changes one part before everything is registered and approved, or acts afterwards.

use harness::Scenario;
use harness::client::Answer;
pub(crate) use harness::scenario::in_days as days;
use harness::scenario::{self, ZEROS};
use serde_json::{Value, json};

/// What a scenario is made of. What `deferred` names is registered, not approved.
pub(crate) struct Parts {
    pub(crate) parties: Vec<Value>,
    pub(crate) environment: Value,
    pub(crate) datasets: Vec<&'static str>,
    pub(crate) purposes: Vec<Value>,
    /// Absent, one that tells everybody of every purpose and every party.
    pub(crate) notices: Option<Vec<Value>>,
    pub(crate) versions: Vec<Value>,
    pub(crate) model_versions: Vec<Value>,
    pub(crate) runs: Vec<Value>,
    pub(crate) edges: Vec<Value>,
    pub(crate) bases: Vec<Value>,
    pub(crate) assessments: Vec<Value>,
    pub(crate) system: Value,
    pub(crate) deployment: Value,
    pub(crate) release: Option<Value>,
    pub(crate) deferred: Vec<&'static str>,
    /// Nobody is known to be in it, and nobody said anything, though it rests on consent.
    pub(crate) silent: bool,
}

/// Everything as in the scenario, but for what the edit changes; then approved.
#[track_caller]
pub(crate) fn world(edit: impl FnOnce(&mut Parts)) -> Scenario {
    let mut p = Parts {
        parties: vec![scenario::party("acme")],
        environment: json!({"key": "production", "mode": "enforce", "class": "production"}),
        datasets: vec!["people"],
        purposes: vec![scenario::purpose("scoring")],
        notices: None,
        versions: vec![scenario::people("1")],
        model_versions: vec![scenario::model_version("1", "1")],
        runs: vec![scenario::training("1", "1")],
        edges: Vec::new(),
        bases: vec![scenario::basis("scoring-contract", "scoring")],
        assessments: Vec::new(),
        system: scenario::system(),
        deployment: scenario::deployment(),
        release: Some(release_of("model:score@1")),
        deferred: Vec::new(),
        silent: false,
    };
    edit(&mut p);
    let s = Scenario::empty();
    let add = |collection: &str, list: &[Value]| -> Vec<String> {
        list.iter().map(|body| s.add(collection, body.clone())["ref"].as_str().unwrap_or_default().to_owned()).collect()
    };
    add("parties", &p.parties);
    add("environments", &[p.environment]);
    for name in &p.datasets {
        s.add("datasets", json!({"namespace": "crm", "name": name, "owner": "crm-team"}));
    }
    s.add("models", json!({"name": "score", "owner": "ml-team"}));
    let mut votable = add("purposes", &p.purposes);
    match &p.notices {
        Some(notices) => _ = add("notices", notices),
        None => {
            let keys =
                |list: &[Value]| list.iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            let purposes = keys(&p.purposes);
            let mut notice = scenario::notice("customers", &purposes.iter().map(String::as_str).collect::<Vec<_>>());
            notice["recipients"] = keys(&p.parties).iter().map(|key| json!(format!("party:{key}"))).collect();
            s.inform(notice);
        }
    }
    votable.extend(add("bases", &p.bases));
    add("dataset-versions", &p.versions);
    add("model-versions", &p.model_versions);
    add("runs", &p.runs);
    votable.extend(add("systems", &[p.system]));
    add("deployments", &[p.deployment]);
    add("edges", &p.edges);
    votable.extend(add("assessments", &p.assessments));
    if let Some(release) = p.release {
        s.add("releases", release);
        votable.push("deployment:score-prod".to_owned());
    }
    let deferred = |r: &&str| p.deferred.contains(&r.rsplit_once('@').map_or(*r, |(base, _)| base));
    let now: Vec<&str> = votable.iter().map(String::as_str).filter(|r| !deferred(r)).collect();
    s.approve(&now);
    let on_consent = |basis: &Value| basis["legal_basis"] == "art6_1_a" || basis["exception"] == "art9_2_a";
    if p.bases.iter().any(on_consent) && !p.silent {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let versions: Vec<String> =
            p.versions.iter().map(|v| format!("{}@{}", text(&v["dataset"]), text(&v["version"]))).collect();
        let purposes: Vec<String> = p.purposes.iter().map(|p| format!("purpose:{}", text(&p["key"]))).collect();
        let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
        let purposes: Vec<&str> = purposes.iter().map(String::as_str).collect();
        agreed(&s, &versions, &purposes);
    }
    s
}

/// Two people are in each of the dataset versions, and agreed long ago, in so many words.
pub(crate) fn agreed(s: &Scenario, versions: &[&str], purposes: &[&str]) {
    s.add("subject-keys", crate::consent::key("k1", "crm", ZEROS));
    for version in versions {
        let create = json!({"dataset_version": version, "kid": "k1", "fingerprint": ZEROS});
        let load = format!("member-loads/{}", s.add("member-loads", create)["id"].as_str().unwrap());
        crate::consent::put(&s.ana, &load, 1, &crate::consent::lines("k1", 0..2)).good();
        crate::consent::finish(&s.ana, &load, 1, 2).good();
    }
    for (place, purpose) in (0u32..).zip(purposes) {
        for person in 0..2 {
            let mut record = crate::consent::said(person, 2 * place + person, "given", "2000-01-01T00:00:00Z");
            (record["purpose"], record["expression"]) = (json!(purpose), json!("explicit"));
            s.add("consent-records", record);
        }
    }
}

/// A composition of one model.
pub(crate) fn release_of(model: &str) -> Value {
    json!({"deployment": "deployment:score-prod", "composition": [{"part": "base", "model": model}]})
}

/// A field of one category.
pub(crate) fn field(name: &str, category: &str) -> Value {
    json!({"name": name, "categories": [category], "identifiability": "quasi"})
}

/// A version of a dataset of the CRM made by a run.
pub(crate) fn made(dataset: &str, version: &str, fields: Vec<Value>) -> Value {
    let mut made = scenario::people(version);
    made["dataset"] = json!(format!("dataset:crm/{dataset}"));
    made["fields"] = Value::Array(fields);
    let object = made.as_object_mut().unwrap();
    object.remove("origin");
    object.remove("retention");
    object.remove("collected_for");
    made
}

/// A run that is not a training.
pub(crate) fn run(operation: &str, purpose: &str, inputs: &[&str], outputs: &[&str]) -> Value {
    let inputs: Vec<Value> = inputs.iter().map(|r| json!({"ref": r})).collect();
    json!({
        "operation": operation, "purpose": purpose, "started_at": "2025-12-01T00:00:00Z", "controller": "party:acme",
        "inputs": inputs, "outputs": outputs,
    })
}

/// Register a version of the people, a model version trained on it, and propose its release. The digit makes its files.
#[track_caller]
pub(crate) fn retrain(s: &Scenario, version: &str, people: Value) {
    s.add("dataset-versions", people);
    train_on(s, version, &format!("dataset:crm/people@{version}"));
}

/// Register a model version trained on a dataset version, and propose its release.
#[track_caller]
pub(crate) fn train_on(s: &Scenario, version: &str, input: &str) {
    s.add("model-versions", scenario::model_version(version, version));
    let mut run = scenario::training(version, version);
    run["inputs"][0]["ref"] = json!(input);
    s.add("runs", run);
    s.release(version);
}

/// Register a model version trained on some columns of a dataset version only, and propose its release.
#[track_caller]
pub(crate) fn train_on_columns(s: &Scenario, version: &str, input: &str, columns: &[&str]) {
    s.add("model-versions", scenario::model_version(version, version));
    s.add("runs", training_on(version, input, columns));
    s.release(version);
}

/// A training that read some columns of a dataset version only.
pub(crate) fn training_on(version: &str, input: &str, columns: &[&str]) -> Value {
    let mut run = scenario::training(version, version);
    run["inputs"][0]["ref"] = json!(input);
    run["columns"] = json!([{"output": format!("model:score@{version}"), "from": from(input, columns)}]);
    run
}

/// Columns of an input.
pub(crate) fn from(input: &str, columns: &[&str]) -> Value {
    columns.iter().map(|column| json!({"input": input, "field": column})).collect()
}

/// Change something that lasts: read it, edit what was stated, put it back.
#[track_caller]
pub(crate) fn change(s: &Scenario, collection: &str, reference: &str, edit: impl FnOnce(&mut Value)) {
    let found = s.ana.get(&format!("/api/v1/resolve?ref={}", harness::client::encode(reference)));
    let resource = found.good();
    let path = format!("/api/v1/{collection}/{}", resource["id"].as_str().unwrap());
    let present = s.ana.get(&path);
    let mut spec = present.good()["spec"].clone();
    edit(&mut spec);
    s.ana.put(&path, present.header("etag").unwrap(), &spec).good();
}

/// Change the deployment.
#[track_caller]
pub(crate) fn redeploy(s: &Scenario, edit: impl FnOnce(&mut Value)) {
    change(s, "deployments", "deployment:score-prod", edit);
}

/// Record the next revision of the basis, approved.
#[track_caller]
pub(crate) fn revise_basis(s: &Scenario, basis: Value) {
    let reference = s.add("bases", basis)["ref"].as_str().unwrap().to_owned();
    s.approve(&[&reference]);
}

/// The usual basis, changed.
pub(crate) fn basis(edit: impl FnOnce(&mut Value)) -> Value {
    let mut basis = scenario::basis("scoring-contract", "scoring");
    edit(&mut basis);
    basis
}

/// A basis that covers the same under another key and article, with what its letter asks.
pub(crate) fn other_basis(key: &str, article: &str) -> Value {
    let mut other = scenario::basis(key, "scoring");
    other["legal_basis"] = json!(article);
    other["letter"] = match article {
        "art6_1_a" => json!({"notice": scenario::evidence(), "withdrawal_means": "https://acme.example/withdraw"}),
        "art6_1_f" => json!({"balancing_test": scenario::evidence()}),
        "art6_1_c" => json!({"law": "Law on something, Article 1"}),
        _ => json!({"contract": scenario::evidence(), "necessity": "The offer cannot be made without it."}),
    };
    other
}

/// Makes a basis the explicit consent of the people.
pub(crate) fn explicitly(basis: &mut Value) {
    basis["legal_basis"] = json!("art6_1_a");
    basis["letter"]["notice"] = scenario::evidence();
    basis["letter"]["withdrawal_means"] = json!("https://acme.example/withdraw");
    basis["letter"]["explicit"] = json!(true);
}

/// The people with one more category.
pub(crate) fn people_with(version: &str, categories: &[&str]) -> Value {
    let mut people = scenario::people(version);
    for (place, category) in categories.iter().enumerate() {
        people["fields"].as_array_mut().unwrap().push(field(&format!("extra{place}"), category));
    }
    people
}

/// A basis that covers more categories, with an exception for research where one is asked.
pub(crate) fn wide_basis(categories: &[&str], exception: bool) -> Value {
    basis(|b| {
        for category in categories {
            b["covers"]["categories"].as_array_mut().unwrap().push(json!(category));
        }
        if exception {
            b["exception"] = json!("art9_2_j");
            b["letter"]["law"] = json!("Law on research, Article 5");
            b["letter"]["safeguards"] = scenario::evidence();
        }
    })
}

/// An assessment of a thing for acme.
pub(crate) fn assessment(key: &str, kind: &str, of: &str) -> Value {
    json!({
        "key": key, "kind": kind, "of": of, "holder": "party:acme", "statement": "It was looked at.",
        "evidence": [scenario::evidence()], "valid_from": "2020-01-01", "valid_to": days(100),
    })
}

/// An acquired model version.
pub(crate) fn acquired(version: &str) -> Value {
    let mut model = scenario::model_version(version, version);
    model["kind"] = json!("acquired");
    model["provider"] = json!("party:acme");
    model
}

/// A model version behind an endpoint.
pub(crate) fn endpoint(version: &str) -> Value {
    json!({
        "model": "model:score", "version": version, "kind": "endpoint", "provider": "party:acme",
        "endpoint": {
            "model_id": "score-large", "snapshot": "2026-01-01", "region": "FR", "contract": scenario::evidence(),
            "configuration_digest": ZEROS,
        },
    })
}

/// Attest that what answers for the endpoint is what is pinned; observed at a moment, or now.
#[track_caller]
pub(crate) fn attest(s: &Scenario, at: Option<String>) {
    let mut seen =
        json!({"model": "model:score@1", "snapshot": "2026-01-01", "region": "FR", "configuration_digest": ZEROS});
    if let Some(at) = at {
        seen["at"] = json!(at);
    }
    s.ci.post("/api/v1/attestations", &seen).good();
}

/// Ask the gate with more than the intent.
#[track_caller]
pub(crate) fn ask(s: &Scenario, more: Value) -> Value {
    let mut body = json!({"deployment": "deployment:score-prod"});
    let Value::Object(more) = more else { panic!("a question is an object") };
    body.as_object_mut().unwrap().extend(more);
    s.ci.post("/api/v1/gate", &body).good()
}

/// Roll the deployment back.
#[track_caller]
pub(crate) fn roll_back(s: &Scenario) -> Answer {
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.ci.post(&format!("/api/v1/deployments/{id}/rollback"), &json!({}))
}

/// All findings of a rule.
pub(crate) fn of_rule<'a>(decision: &'a Value, rule: &str) -> Vec<&'a Value> {
    decision["findings"].as_array().map(|l| l.iter().filter(|f| f["rule"] == rule).collect()).unwrap_or_default()
}

/// The only finding of a rule.
#[track_caller]
pub(crate) fn only<'a>(decision: &'a Value, rule: &str) -> &'a Value {
    let found = of_rule(decision, rule);
    assert_eq!(found.len(), 1, "{rule} in {decision:#}");
    found[0]
}

/// Rules that do not hold, without doubles.
pub(crate) fn rules(decision: &Value) -> Vec<String> {
    let mut list: Vec<String> = scenario::findings(decision).into_iter().map(|(rule, _)| rule).collect();
    list.sort();
    list.dedup();
    list
}

/// The path of a finding, as text.
pub(crate) fn path(finding: &Value) -> Vec<String> {
    finding["path"].as_array().unwrap().iter().map(|n| n.as_str().unwrap().to_owned()).collect()
}

#[track_caller]
pub(crate) fn allowed(decision: &Value) {
    assert_eq!(decision["verdict"], "allow", "{decision:#}");
}

#[track_caller]
pub(crate) fn denied(decision: &Value) {
    assert_eq!(decision["verdict"], "deny", "{decision:#}");
}

/// How often a kind of fact stands in the ledger.
#[track_caller]
pub(crate) fn facts(s: &Scenario, kind: &str) -> usize {
    let page = s.audit.get("/api/v1/ledger/entries?limit=1000").good();
    page["items"].as_array().unwrap().iter().filter(|e| e["entry"]["kind"] == kind).count()
}

/// State of a thing, as lists show it.
#[track_caller]
pub(crate) fn state(s: &Scenario, reference: &str) -> String {
    s.ana.resolve(reference)["state"].as_str().unwrap().to_owned()
}
