//! The registry in the words of others: CycloneDX, PROV, OpenLineage.

use std::collections::BTreeSet;
use std::process::Command;

use harness::client::encode;
use harness::{Client, Scenario};
use licit_schemas::reference::Ref;
use serde_json::{Value, json};

use crate::passports::{passport_of, taking, vendor_of};
use crate::receipts::outside::python;
use crate::support::{licit, registration, retire, root};

/// A namespace that is a trap.
const ODD: &str = "s3://b/\"x\"";

/// An export, whole.
#[track_caller]
pub(crate) fn export(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("/api/v1/exports?{query}"));
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.text);
    answer.good()
}

/// Faults of a bill of materials by the schema that CycloneDX publishes.
fn faults_of_bom(bom: &Value) -> Vec<String> {
    let read = |name: &str| -> Value {
        let path = root().join("tests/schemas/cyclonedx").join(name);
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let mut registry = jsonschema::Registry::new();
    for name in ["spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json"] {
        registry = registry.add(format!("http://cyclonedx.org/schema/{name}"), read(name)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let schema = read("bom-1.7.schema.json");
    let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
    validator.iter_errors(bom).take(5).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

fn component<'b>(bom: &'b Value, name: &str) -> &'b Value {
    let own = |component: &&Value| component["bom-ref"] == name;
    bom["components"].as_array().unwrap().iter().find(own).unwrap_or_else(|| panic!("no {name} in {bom:#}"))
}

fn depends_on<'b>(bom: &'b Value, name: &str) -> &'b Value {
    let own = |dependency: &&Value| dependency["ref"] == name;
    &bom["dependencies"].as_array().unwrap().iter().find(own).unwrap_or_else(|| panic!("no {name} in {bom:#}"))["dependsOn"]
}

/// Names, texts and versions that are traps of all three formats, with an engine's report and a late edge besides.
fn strange() -> Scenario {
    let s = Scenario::running();
    let odd = |name: &str| {
        let dataset = Ref::dataset(&ODD.parse().unwrap(), &name.parse().unwrap());
        json!({
            "datasets": [{"namespace": ODD, "name": name, "description": "É\n\"quoted\" \\ <b>"}],
            "dataset_versions": [{
                "dataset": dataset, "version": "v 1", "origin": "collected", "controllers": ["party:acme"],
                "fields": [{"name": "a b", "identifiability": "quasi", "categories": [harness::scenario::RELIGION]}, {"name": "c"}],
                "digest": harness::scenario::ZEROS,
            }],
        })
    };
    for name in ["é 'x'", "a{b}|c^`d", "日本"] {
        s.ana.post("/api/v1/registrations", &odd(name)).good();
    }
    let set = |name: &str, facets: Value| json!({"namespace": "dwh", "name": name, "facets": facets});
    let column = json!({"inputFields": [{"namespace": "dwh", "name": "raw", "field": "mail", "transformations": [{"type": "DIRECT", "masking": true}]}]});
    let event = json!({
        "eventType": "COMPLETE", "eventTime": "2026-11-01T10:00:00Z", "run": {"runId": "01939f00-0000-7000-8000-000000000001"},
        "job": {"namespace": "acme", "name": "nightly load"},
        "inputs": [set("raw", json!({"symlinks": {"identifiers": [{"namespace": "s3://raw", "name": "k", "type": "TABLE"}]}}))],
        "outputs": [set("clean", json!({"columnLineage": {"fields": {"who": column, "constant": {"inputFields": []}}}}))],
    });
    assert_eq!(s.ana.post("/api/v1/lineage", &event).good()["outcome"], "accepted");
    let run = s.ana.get("/api/v1/runs?limit=1&sort=recorded").good()["items"][0]["ref"].clone();
    s.add("edges", json!({"kind": "used", "from": run, "to": "dataset:dwh/late@7"}));
    s
}

#[test]
fn a_bill_of_materials_is_what_cyclonedx_says() {
    let s = strange();
    let bom = export(&s.audit, "format=cyclonedx");
    assert_eq!(faults_of_bom(&bom), Vec::<String>::new());
    // The schema refuses what is none.
    let mut wrong = bom.clone();
    wrong["components"][0]["colour"] = json!(1);
    assert!(!faults_of_bom(&wrong).is_empty());
    let people = component(&bom, "dataset:crm/people@1");
    assert_eq!(
        (&people["type"], &people["data"][0]["classification"]),
        (&json!("data"), &json!("direct")),
        "{people:#}"
    );
    assert_eq!(people["data"][0]["governance"]["owners"][0]["organization"]["name"], "ACME");
    assert!(people["data"][0]["sensitiveData"].as_array().unwrap().contains(&json!(harness::scenario::AGE)));
    let model = component(&bom, "model:score@1");
    assert_eq!(
        model["modelCard"]["modelParameters"]["datasets"],
        json!([{"ref": "dataset:crm/people@1"}, {"ref": "dataset:dwh/late@7"}])
    );
    assert_eq!(
        model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"],
        json!([{"type": "auc", "value": "0.9"}])
    );
    assert_eq!(
        model["modelCard"]["considerations"]["useCases"],
        json!(["purpose:scoring@1 by deployment:score-prod: Scoring"])
    );
    let exposed: Vec<&str> =
        model["modelCard"]["properties"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(exposed.contains(&"licit:exposure:contained") && exposed.contains(&"licit:exposure:unknown"), "{model:#}");
    assert_eq!(depends_on(&bom, "model:score@1"), &json!(["dataset:crm/people@1", "dataset:dwh/late@7"]));
    assert!(depends_on(&bom, "deployment:score-prod").as_array().unwrap().contains(&json!("model:score@1")));
    // What nobody registered is there, and says so.
    let late = component(&bom, "dataset:dwh/late@7")["properties"].to_string();
    assert!(late.contains("licit:registered"), "{late}");
    let odd = Ref::dataset(&ODD.parse().unwrap(), &"日本".parse().unwrap()).at(&"v 1".parse().unwrap()).unwrap();
    assert_eq!(component(&bom, &odd.to_string())["data"][0]["classification"], "unknown");
}

#[test]
fn the_same_position_gives_the_same_bytes() {
    let s = strange();
    let head = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap();
    let formats = ["cyclonedx", "prov", "openlineage"].map(|format| format!("/api/v1/exports?format={format}"));
    let before = formats.clone().map(|path| s.audit.get(&path).text);
    for (path, before) in formats.iter().zip(&before) {
        assert_eq!(*before, s.audit.get(path).text, "{path}");
    }
    // Something new, and another state of what there was.
    s.ana.post("/api/v1/registrations", &registration("later")).good();
    retire(&s.ana, "dataset:crm/people@1", "It holds other people.").good();
    for (path, before) in formats.iter().zip(&before) {
        let now = s.audit.get(path).text;
        assert!(now.contains("load/later") || now.contains("\"later\""), "{path}");
        assert_eq!(*before, s.audit.get(&format!("{path}&known_at={head}")).text, "{path}");
        // Who works here, and why they did something, is nobody's business elsewhere.
        let private = ["\"Ana\"", "\"Bea\"", "\"Carl\"", "\"Dora\"", "other people"];
        assert!(!private.iter().any(|words| now.contains(words)), "{path}");
    }
    assert!(s.audit.get(&formats[1]).text.contains("retired"));
}

#[test]
fn one_thing_comes_with_all_that_is_behind_it() {
    let s = strange();
    let of = |of: &str| export(&s.audit, &format!("format=cyclonedx&of={}", encode(of)));
    let bom = of("model:score");
    assert_eq!(faults_of_bom(&bom), Vec::<String>::new());
    assert_eq!(bom["metadata"]["component"]["bom-ref"], "model:score@1");
    let inside: Vec<&str> =
        bom["components"].as_array().unwrap().iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(inside, ["dataset:crm/people@1", "dataset:dwh/late@7"]);
    let bom = of("deployment:score-prod");
    assert_eq!(faults_of_bom(&bom), Vec::<String>::new());
    assert_eq!(
        (&bom["metadata"]["component"]["type"], &bom["metadata"]["component"]["version"]),
        (&json!("application"), &json!("1"))
    );
    assert_eq!(depends_on(&of("release:score-prod@1"), "release:score-prod@1"), &json!(["model:score@1"]));
    let run = s.ana.get("/api/v1/runs?limit=1&sort=recorded").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    let read = json!(["dataset:crm/people@1", "dataset:dwh/late@7"]);
    assert_eq!(depends_on(&of(&run), &run), &read);
    let prov = export(&s.audit, "format=prov&of=model:score@1");
    assert_eq!(prov["entity"].as_object().unwrap().len(), 3, "{prov:#}");
    let events = export(&s.audit, "format=openlineage&of=model:score@1");
    assert!(!events.to_string().contains("raw"), "{events:#}");
}

#[test]
fn bad_questions_are_named() {
    let s = Scenario::running();
    for (query, status) in [
        ("", 422),
        ("format=spdx", 422),
        ("format=prov&colour=1", 422),
        ("format=prov&of=model:none", 404),
        ("format=prov&of=model:score@9", 404),
        ("format=prov&of=party:acme", 404),
        ("format=prov&of=nothing", 422),
        ("format=prov&of=%00", 422),
        ("format=prov&known_at=999999", 422),
        ("format=prov&known_at=soon", 422),
    ] {
        s.audit.get(&format!("/api/v1/exports?{query}")).problem(status);
    }
    s.server.nobody().get("/api/v1/exports?format=prov").problem(401);
    // Before anything was registered there is nothing to say, in all three.
    let empty = Scenario::empty();
    for format in ["cyclonedx", "prov", "openlineage"] {
        let before = export(&empty.audit, &format!("format={format}&known_at=0"));
        assert!(format != "cyclonedx" || faults_of_bom(&before).is_empty(), "{before:#}");
        assert!(format != "openlineage" || before == json!([]), "{before:#}");
    }
}

#[test]
fn other_peoples_programs_read_provenance() {
    let s = strange();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.prov.json");
    let prov = s.audit.get("/api/v1/exports?format=prov").text;
    std::fs::write(&path, &prov).unwrap();
    let script = root().join("tests/outside/prov_json.py");
    let out = Command::new(python()).arg(script).arg(&path).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    // What it read is what we wrote, relation by relation.
    let said: Value = serde_json::from_slice(&out.stdout).unwrap();
    let prov: Value = serde_json::from_str(&prov).unwrap();
    for section in [
        "entity",
        "activity",
        "agent",
        "used",
        "wasGeneratedBy",
        "wasDerivedFrom",
        "alternateOf",
        "wasAttributedTo",
        "wasAssociatedWith",
    ] {
        let own = prov[section].as_object().unwrap().len();
        assert!(own > 0, "{section}");
        assert_eq!(said[section], own, "{section}: {said:#}");
    }
    let trained = json!(["urn:licit:model:score@1", "urn:licit:dataset:crm/people@1"]);
    assert!(said["derivations"].as_array().unwrap().contains(&trained), "{said:#}");
}

/// Edges of a registry by name: versions left out.
fn by_name(client: &Client) -> BTreeSet<(String, String, String)> {
    let prov = export(client, "format=prov");
    let name = |value: &Value| {
        let name = value.as_str().unwrap();
        name.rsplit_once('@').map_or(name, |(name, _)| name).to_owned()
    };
    let mut found = BTreeSet::new();
    for used in prov["used"].as_object().unwrap().values() {
        found.insert(("used".to_owned(), name(&used["prov:activity"]), name(&used["prov:entity"])));
    }
    for made in prov["wasGeneratedBy"].as_object().unwrap().values() {
        found.insert(("generated".to_owned(), name(&made["prov:entity"]), name(&made["prov:activity"])));
    }
    for same in prov["alternateOf"].as_object().unwrap().values() {
        found.insert(("same".to_owned(), name(&same["prov:alternate1"]), name(&same["prov:alternate2"])));
    }
    found
}

#[test]
fn events_go_to_another_registry_and_come_back() {
    let s = strange();
    // What deployments read is no run.
    let runs = |edges: BTreeSet<(String, String, String)>| -> BTreeSet<_> {
        edges.into_iter().filter(|(_, from, to)| ![from, to].iter().any(|end| end.contains("deployment:"))).collect()
    };
    let events = export(&s.audit, "format=openlineage");
    let other = Scenario::empty();
    let taken = other.ana.post("/api/v1/lineage/batch", &events).good();
    assert_eq!((&taken["status"], &taken["summary"]["failed"]), (&json!("success"), &json!(0)), "{taken:#}");
    let (here, there) = (runs(by_name(&s.audit)), runs(by_name(&other.audit)));
    assert!(here.len() >= 6, "{here:#?}");
    assert_eq!(here, there);
    // With versions, columns, classes and purposes, as far as OpenLineage has words.
    let run = |s: &Scenario, id: &str| s.ana.resolve(&format!("run:{id}"))["spec"].clone();
    let reported = "01939f00-0000-7000-8000-000000000001";
    assert_eq!(run(&s, reported), run(&other, reported));
    let fields = |s: &Scenario| s.ana.resolve("dataset:crm/people@1")["spec"]["fields"].clone();
    assert_eq!(fields(&s), fields(&other));
    let trained =
        s.ana.get("/api/v1/runs?limit=1&sort=recorded").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    let (own, copied) = (s.ana.resolve(&trained)["spec"].clone(), other.ana.resolve(&trained)["spec"].clone());
    for member in ["operation", "purpose", "controller", "started_at"] {
        assert_eq!(own[member], copied[member], "{member}");
    }
    // Sent again, from there: the same.
    let again = export(&other.audit, "format=openlineage");
    let third = Scenario::empty();
    third.ana.post("/api/v1/lineage/batch", &again).good();
    assert_eq!(there, runs(by_name(&third.audit)));
}

#[test]
fn what_is_behind_a_model_of_others_is_told() {
    let from = vendor_of("score", &["never_sold"]);
    let passport = passport_of(&from, "model:score@1").good();
    let s = Scenario::empty();
    for party in ["vendor", "acme"] {
        s.add("parties", harness::scenario::party(party));
    }
    s.ana.post("/api/v1/passports", &taking(&from, &passport)).good();
    let bom = export(&s.audit, "format=cyclonedx");
    assert_eq!(faults_of_bom(&bom), Vec::<String>::new());
    assert_eq!(depends_on(&bom, "model:score@1"), &json!(["dataset:passport/score-1@1"]));
    assert_eq!(component(&bom, "model:score@1")["supplier"]["name"], "VENDOR");
    let derived = export(&s.audit, "format=prov")["wasDerivedFrom"].clone();
    assert_eq!(derived.as_object().unwrap().len(), 1, "{derived:#}");
    // Another registry that reads the events finds the same people behind it.
    let other = Scenario::empty();
    other.ana.post("/api/v1/lineage/batch", &export(&s.audit, "format=openlineage")).good();
    let exposure = other.audit.get("/api/v1/exposure?ref=model:score@1").good();
    assert_eq!(exposure["contained"].as_array().unwrap().len(), 1, "{exposure:#}");
    assert!(exposure["contained"][0]["ref"].as_str().unwrap().starts_with("dataset:passport/score-1@"), "{exposure:#}");
}

/// A version of a dataset of the CRM with one column.
fn told(name: &str, version: &str, field: &Value) -> Value {
    json!({"dataset": format!("dataset:crm/{name}"), "version": version, "origin": "collected", "fields": [field]})
}

#[test]
fn what_a_table_holds_is_told_beside_what_it_states() {
    let s = Scenario::running();
    s.add("datasets", json!({"namespace": "crm", "name": "small"}));
    s.add("dataset-versions", told("small", "1", &json!({"name": "x", "identifiability": "none"})));
    s.add("dataset-versions", told("small", "2", &json!({"name": "x"})));
    s.add("runs", json!({
        "operation": "derive", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z", "controller": "party:acme",
        "inputs": [{"ref": "dataset:crm/people@1"}], "outputs": ["dataset:crm/small@1"],
    }));
    let prov = export(&s.audit, "format=prov");
    let own = &prov["entity"]["licit:dataset:crm/small@1"];
    assert_eq!(
        (&own["licit:identifiability"], &own["licit:statedIdentifiability"]),
        (&json!("direct"), &json!("none")),
        "{own:#}"
    );
    let people = &prov["entity"]["licit:dataset:crm/people@1"];
    assert_eq!(
        (&people["licit:identifiability"], &people["licit:statedIdentifiability"]),
        (&json!("direct"), &Value::Null)
    );
    assert_eq!((&people["licit:classified"], &people["licit:unknownField"]), (&Value::Null, &Value::Null));
    // What nobody said is told, and so is where a release stands.
    let open = &prov["entity"]["licit:dataset:crm/small@2"];
    assert_eq!((&open["licit:classified"], &open["licit:unknownField"]), (&json!(false), &json!("x")), "{open:#}");
    assert_eq!(prov["entity"]["licit:release:score-prod@1"]["licit:state"], "active");

    let bom = export(&s.audit, "format=cyclonedx");
    let own = component(&bom, "dataset:crm/small@1");
    assert_eq!(own["data"][0]["classification"], "direct", "{own:#}");
    let stated = json!({"name": "licit:identifiability:stated", "value": "none"});
    assert!(own["properties"].as_array().unwrap().contains(&stated), "{own:#}");
    let events = export(&s.audit, "format=openlineage");
    let named = |one: &&Value| {
        one["dataset"]["name"] == "small" && one["dataset"]["facets"]["version"]["datasetVersion"] == "1"
    };
    let own = events.as_array().unwrap().iter().find(named).unwrap();
    let holds = &own["dataset"]["facets"]["tags"]["tags"][0];
    assert_eq!((&holds["key"], &holds["value"]), (&json!("licit.identifiability.holds"), &json!("direct")), "{own:#}");
}

#[test]
fn what_was_only_measured_on_is_nothing_a_model_came_of() {
    let s = Scenario::running();
    for name in ["checks", "limits"] {
        s.add("datasets", json!({"namespace": "crm", "name": name}));
        s.add("dataset-versions", told(name, "1", &json!({"name": "x", "identifiability": "none"})));
    }
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    let mut training = harness::scenario::training("2", "1");
    for (name, role) in [("checks", "test"), ("limits", "validation")] {
        training["inputs"].as_array_mut().unwrap().push(json!({"ref": format!("dataset:crm/{name}@1"), "role": role}));
    }
    s.add("runs", training);
    let prov = export(&s.audit, "format=prov");
    let of = |section: &str, from: &str, to: &str| -> BTreeSet<String> {
        let all = prov[section].as_object().unwrap().values();
        all.filter(|one| one[from] == to)
            .map(|one| one["prov:usedEntity"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        of("wasDerivedFrom", "prov:generatedEntity", "licit:model:score@2"),
        BTreeSet::from(["licit:dataset:crm/people@1".to_owned()])
    );
    let mut derived = prov["wasDerivedFrom"].as_object().unwrap().values();
    let derived = derived.find(|one| one["prov:generatedEntity"] == "licit:model:score@2").unwrap();
    assert_eq!(
        (&derived["licit:role"], &derived["licit:origin"]),
        (&json!("training"), &json!("declared")),
        "{derived:#}"
    );
    let used = prov["used"].as_object().unwrap().values();
    let roles: BTreeSet<&str> = used
        .filter(|one| {
            one["prov:entity"].as_str().is_some_and(|name| name.contains("crm/checks") || name.contains("crm/limits"))
        })
        .map(|one| one["prov:role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, BTreeSet::from(["test", "validation"]), "that they were read is told");
}

#[test]
fn what_many_tables_were_made_of_comes_bit_by_bit_and_once() {
    let s = Scenario::empty();
    let set = |name: String| json!({"namespace": "dwh", "name": name});
    // Twenty runs that each read a hundred tables and write the same fifty: more than is made at once, of each of them.
    for n in 0..20 {
        let event = json!({
            "eventType": "COMPLETE", "eventTime": "2026-11-01T10:00:00Z", "job": {"namespace": "acme", "name": "wide"},
            "run": {"runId": format!("01939f00-0000-7000-8000-0000000001{n:02}")},
            "inputs": (0..100).map(|i| set(format!("in-{n}-{i}"))).collect::<Vec<_>>(),
            "outputs": (0..50).map(|i| set(format!("out-{i}"))).collect::<Vec<_>>(),
        });
        assert_eq!(s.ana.post("/api/v1/lineage", &event).good()["outcome"], "accepted");
    }
    let text = s.audit.get("/api/v1/exports?format=prov").text;
    let prov: Value = serde_json::from_str(&text).unwrap();
    // By name, and as each run's own.
    assert_eq!(prov["wasDerivedFrom"].as_object().unwrap().len(), 20 * 100 * 50 * 2);
    assert_eq!(text.matches("\"_:derived-").count(), 20 * 100 * 50 * 2, "each once");
}

#[test]
fn a_long_registry_comes_page_by_page() {
    let s = Scenario::running();
    for n in 0..180 {
        s.ana.post("/api/v1/registrations", &registration(&format!("pipe-{n}"))).good();
    }
    let bom = export(&s.audit, "format=cyclonedx");
    let components = bom["components"].as_array().unwrap();
    assert!(components.len() > 360, "{}", components.len());
    let names: BTreeSet<&str> = components.iter().map(|c| c["bom-ref"].as_str().unwrap()).collect();
    assert_eq!(names.len(), components.len(), "each once");
    assert_eq!(bom["dependencies"].as_array().unwrap().len(), components.len());
    let prov = export(&s.audit, "format=prov");
    assert_eq!(prov["activity"].as_object().unwrap().keys().filter(|key| key.starts_with("licit:run:")).count(), 181);
    assert!(export(&s.audit, "format=openlineage").as_array().unwrap().len() > 540);
}

#[test]
fn the_command_writes_what_is_whole() {
    let s = Scenario::running();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let file = path.to_str().unwrap();
    let (code, out, said) = licit(&s.audit, &["export", "--format", "prov", "model:score@1", "-o", file]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("written"), "{out}");
    let written: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(written["entity"]["licit:model:score@1"].is_object(), "{written:#}");
    let (code, out, said) = licit(&s.audit, &["export", "--format", "openlineage"]);
    assert_eq!(code, 0, "{said}");
    assert!(serde_json::from_str::<Value>(&out).unwrap().is_array());
    // What failed leaves what was there.
    let (code, _, said) = licit(&s.audit, &["export", "--format", "prov", "model:none", "-o", file]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("model:none"), "{said}");
    assert!(serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).is_ok());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    for wrong in [
        &["export"][..],
        &["export", "model:score@1"],
        &["export", "--format", "prov", "--passport", "model:score@1"],
        &["export", "--format", "spdx"],
    ] {
        assert_eq!(licit(&s.audit, wrong).0, 2, "{wrong:?}");
    }
}
