//! What facets say.

use serde_json::{Value, json};

use super::{RUN, edges, event, flow, folded, known, set, with};
use crate::support::root;

const A: &str = "dataset:a/a@reported";
const B: &str = "dataset:a/b@reported";

fn run() -> String {
    format!("run:{RUN}")
}

fn minted(base: &str) -> String {
    format!("{base}@run-{RUN}")
}

/// Each order of three makes the same.
#[track_caller]
fn same(events: [&Value; 3]) {
    let [a, b, c] = events;
    let wanted = known(&folded([a, b, c]));
    for order in [[a, c, b], [b, a, c], [b, c, a], [c, a, b], [c, b, a]] {
        let found = known(&folded(order));
        assert!(found == wanted, "{:#?}", found.symmetric_difference(&wanted).collect::<Vec<_>>());
    }
}

#[test]
fn starts_and_ends_add_up_and_failures_make_nothing() {
    let start = event("START", RUN, json!([set("a", "a")]), json!([]));
    let done = event("COMPLETE", RUN, json!([]), json!([set("a", "b")]));
    assert_eq!(edges(&folded([&start])).len(), 0, "nothing was written yet");
    let world = folded([&done, &start]);
    assert_eq!(flow(&world, &run()), (vec![A.to_owned()], vec![B.to_owned(), minted("dataset:a/b")]));
    assert!(edges(&world).iter().all(|edge| edge.ends_with(" inferred")));
    let failed = event("FAIL", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
    let given_up = event("ABORT", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
    assert_eq!(edges(&folded([&start, &failed, &given_up])).len(), 0);
    // What a stream read while it ran was read; what a failure names was not.
    let failed = event("FAIL", RUN, json!([set("a", "z")]), json!([]));
    let running = event("RUNNING", RUN, json!([]), json!([set("a", "b")]));
    assert_eq!(flow(&folded([&failed, &running, &start]), &run()).0, [A]);
    same([&failed, &running, &start]);
    same([&failed, &start, &done]);
}

#[test]
fn a_version_that_is_stated_is_the_version() {
    let version = |of: &str| json!({"version": {"datasetVersion": of}});
    let done = event("COMPLETE", RUN, json!([with("a", "a", version("7"))]), json!([with("a", "b", version("8"))]));
    let world = folded([&done]);
    assert_eq!(
        flow(&world, &run()),
        (vec!["dataset:a/a@7".to_owned()], vec!["dataset:a/b@8".to_owned(), B.to_owned()])
    );
}

#[test]
fn explicit_lineage_takes_the_place_of_inputs_by_outputs() {
    let source = |name: &str| json!({"namespace": "a", "name": name, "type": "DATASET"});
    let (a, b) = (set("a", "a"), set("a", "b"));
    let outputs = json!([
        with("a", "x", json!({"lineage": {"inputs": [source("a")]}})),
        with("a", "y", json!({"lineage": {"inputs": [source("b")]}})),
    ]);
    let by_dataset = event("COMPLETE", RUN, json!([a, b]), outputs);
    let target =
        |name: &str, from: &str| json!({"namespace": "a", "name": name, "type": "DATASET", "inputs": [source(from)]});
    let mut by_run = event("COMPLETE", RUN, json!([a, b]), json!([set("a", "x"), set("a", "y")]));
    by_run["run"]["facets"] = json!({"lineage": {"lineage": [target("x", "a"), target("y", "b")]}});
    for said in [by_dataset, by_run] {
        let world = folded([&said]);
        let found = edges(&world);
        assert!(found.iter().all(|edge| edge.ends_with(" declared")), "{found:#?}");
        let came_from = |name: &str| -> Vec<String> {
            let of = format!("dataset:a/{name}@reported generated ");
            let run =
                found.iter().find_map(|edge| Some(edge.strip_prefix(&of)?.split(' ').next()?.to_owned())).unwrap();
            flow(&world, &run).0
        };
        assert_eq!((came_from("x"), came_from("y")), (vec![A.to_owned()], vec![B.to_owned()]));
    }
    // Without a run, too.
    let said = json!({
        "eventTime": "2026-11-01T10:00:00", "dataset": with("a", "x", json!({"lineage": {"inputs": [source("a")]}})),
    });
    assert_eq!(edges(&folded([&said])).iter().filter(|edge| edge.contains(" used dataset:a/a@reported")).count(), 1);
}

#[test]
fn columns_say_what_flows_and_masking_is_a_pseudonym() {
    let from = |field: &str, masking: bool| json!({"namespace": "a", "name": "a", "field": field, "transformations": [{"type": "DIRECT", "masking": masking}]});
    let lineage = json!({"columnLineage": {
        "fields": {"who": {"inputFields": [from("email", true)]}, "age": {"inputFields": [from("age", false)]}},
        "dataset": [{"namespace": "a", "name": "c", "field": "agrees", "transformations": [{"type": "INDIRECT"}]}],
    }});
    let done = event("COMPLETE", RUN, json!([set("a", "a")]), json!([with("a", "b", lineage)]));
    let world = folded([&done]);
    // A dataset that only columns name was read as well.
    assert_eq!(flow(&world, &run()).0, [A, "dataset:a/c@reported"]);
    let doc = columns(&done);
    let of = |field: &str| doc.iter().find(|c| c["field"] == field && c["output"] == B).unwrap()["from"].clone();
    assert_eq!(
        of("who"),
        json!([{"input": A, "field": "email", "masking": true}, {"input": "dataset:a/c@reported", "field": "agrees", "kind": "indirect"}])
    );
    assert_eq!(of("age")[0], json!({"input": A, "field": "age"}));
    assert_eq!(doc.len(), 4, "of each version that was written");
    // Masked by one event and not by another, it is not masked.
    let mut plain = done.clone();
    plain["outputs"][0]["facets"]["columnLineage"]["fields"]["who"]["inputFields"] = json!([from("email", false)]);
    same([&done, &plain, &event("START", RUN, json!([]), json!([]))]);
}

#[test]
fn a_source_of_which_no_column_is_told_flows_whole() {
    let whole = json!({"namespace": "crm", "name": "people"});
    let part = json!({"namespace": "pub", "name": "towns", "field": "t"});
    let all = json!([{"input": "dataset:crm/people@reported", "field": "*"}]);
    let of = |facets: Value| {
        let s = harness::Scenario::empty();
        s.ana.post("/api/v1/lineage", &event("COMPLETE", RUN, json!([]), json!([with("a", "b", facets)]))).good();
        // What is told of one output alone is a run of its own.
        let runs = s.ana.get("/api/v1/runs").good();
        let columns = runs["items"].as_array().unwrap().iter().filter_map(|run| run["spec"]["columns"].get(0));
        columns.map(|column| column["from"].clone()).next().unwrap_or_else(|| panic!("{runs:#}"))
    };
    assert_eq!(of(json!({"lineage": {"fields": {"x": {"inputs": [whole]}}}})), all);
    assert_eq!(of(json!({"columnLineage": {"fields": {"x": {"inputFields": [whole]}}}})), all);
    let beside = json!({"lineage": {"inputs": [whole], "fields": {"x": {"inputs": [part]}}}});
    assert_eq!(
        of(beside),
        json!([{"input": "dataset:crm/people@reported", "field": "*"}, {"input": "dataset:pub/towns@reported", "field": "t"}])
    );
    // Of an input of which columns are told, these flow.
    let told =
        json!({"lineage": {"inputs": [{"namespace": "pub", "name": "towns"}], "fields": {"x": {"inputs": [part]}}}});
    assert_eq!(of(told), json!([{"input": "dataset:pub/towns@reported", "field": "t"}]));
}

#[test]
fn what_flows_whole_does_whichever_was_said_first_and_however_often() {
    let (a, b) = (json!({"namespace": "n", "name": "a"}), json!({"namespace": "n", "name": "b", "field": "b"}));
    let whole = event("START", RUN, json!([]), json!([with("n", "t", json!({"lineage": {"inputs": [a]}}))]));
    let told = event(
        "COMPLETE",
        RUN,
        json!([]),
        json!([with("n", "t", json!({"lineage": {"fields": {"x": {"inputs": [b]}}}}))]),
    );
    // Of an input that chose the rows by one column all the rest flows, too, where it is said to.
    let chosen = json!({"namespace": "n", "name": "a", "field": "region", "transformations": [{"type": "INDIRECT"}]});
    let both = json!({"lineage": {"inputs": [a, chosen], "fields": {"x": {"inputs": [b]}}}});
    let both = event("COMPLETE", RUN, json!([]), json!([with("n", "t", both)]));
    // A source that nobody named once makes a column open for ever.
    let c = json!({"namespace": "n", "name": "c", "field": "c"});
    let named = json!({"columnLineage": {"fields": {"x": {"inputFields": [c]}}}});
    let named = event("RUNNING", RUN, json!([]), json!([with("n", "u", named)]));
    let open = json!({"columnLineage": {"fields": {"x": {"inputFields": [{"namespace": "n", "name": "a", "field": "a"}, {"name": "?"}]}}}});
    let open = event("COMPLETE", RUN, json!([]), json!([with("n", "u", open)]));
    same([&whole, &told, &open]);
    same([&named, &open, &both]);
    let x = |events: &[&Value]| {
        let s = harness::Scenario::empty();
        for event in events {
            s.ana.post("/api/v1/lineage", event).good();
        }
        let runs = s.ana.get("/api/v1/runs").good();
        let columns = runs["items"].as_array().unwrap().iter().filter_map(|run| run["spec"]["columns"].as_array());
        columns.flatten().next().map_or(Value::Null, |column| column["from"].clone())
    };
    let all = json!({"input": "dataset:n/a@reported", "field": "*"});
    let some = json!({"input": "dataset:n/b@reported", "field": "b"});
    assert_eq!(x(&[&whole, &told]), json!([all, some]));
    assert_eq!(x(&[&both])[0], all);
    assert_eq!(x(&[&named, &open]), Value::Null, "nothing is narrowed");
}

#[test]
fn a_wide_table_told_column_by_column_is_taken() {
    let fields: serde_json::Map<String, Value> = (0..2000)
        .map(|n| (format!("c{n}"), json!({"inputs": [{"namespace": "n", "name": "a", "field": format!("c{n}")}]})))
        .collect();
    let done = event("COMPLETE", RUN, json!([]), json!([with("n", "t", json!({"lineage": {"fields": fields}}))]));
    assert!(licit_server::adapters::openlineage::translate::translate(&done).is_ok());
}

#[test]
fn what_columns_name_was_read_though_one_source_has_no_name() {
    let email = json!({"namespace": "crm", "name": "people", "field": "email"});
    let lineage = json!({"columnLineage": {
        "dataset": [{"name": "t", "field": "z"}], "fields": {"x": {"inputFields": [email]}},
    }});
    let done = event("COMPLETE", RUN, json!([set("pub", "towns")]), json!([with("a", "b", lineage)]));
    let read = ["dataset:crm/people@reported", "dataset:pub/towns@reported"];
    assert_eq!(flow(&folded([&done]), &run()).0, read);
    assert_eq!(columns(&done), Vec::<Value>::new(), "nothing is narrowed");
}

#[test]
fn assessments_are_shown_and_a_slip_in_them_is_said() {
    let s = harness::Scenario::empty();
    let people = with("crm", "people", json!({"licit": {"assessments": ["assessment:anonymous-7"]}}));
    let mut done = event("COMPLETE", RUN, json!([people]), json!([set("a", "b")]));
    done["run"]["facets"] = json!({"licit": {"assessments": ["assessment:k-anonymity", "assessment:balance"]}});
    assert_eq!(s.ana.post("/api/v1/lineage", &done).good()["outcome"], "accepted");
    let tag = |of: &str| s.ana.resolve(of)["spec"]["tags"]["licit.assessments"].clone();
    assert_eq!(tag(&run()), "assessment:k-anonymity, assessment:balance");
    assert_eq!(tag("dataset:crm/people@reported"), "assessment:anonymous-7");
    done["run"]["facets"] = json!({"licit": {"assessments": ["basis:contract"]}});
    let answer = s.ana.post("/api/v1/lineage", &done).good();
    assert_eq!(answer["outcome"], "quarantined");
    assert!(
        answer["reason"].as_str().unwrap().contains("names `basis:contract` where `assessment:…` belongs"),
        "{answer}"
    );
}

/// The columns of the run of an event, as the registry shows them.
fn columns(event: &Value) -> Vec<Value> {
    let s = harness::Scenario::empty();
    s.ana.post("/api/v1/lineage", event).good();
    s.ana.resolve(&run())["spec"]["columns"].as_array().cloned().unwrap_or_default()
}

#[test]
fn children_have_what_their_parent_states() {
    let parent = "01939f00-0000-7000-8000-0000000000aa";
    let mut whole = event("COMPLETE", parent, json!([]), json!([]));
    whole["run"]["facets"] =
        json!({"licit": {"purpose": "purpose:scoring", "operation": "train", "controller": "party:acme"}});
    let mut child = event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")]));
    child["run"]["facets"] = json!({"parent": {"run": {"runId": parent}, "job": {"namespace": "acme", "name": "dag"}}});
    same([&whole, &child, &event("START", RUN, json!([set("a", "c")]), json!([]))]);
    let s = harness::Scenario::empty();
    s.ana.post("/api/v1/lineage", &child).good();
    assert_eq!(s.ana.resolve(&run())["spec"]["purpose"], "purpose:unstated");
    s.ana.post("/api/v1/lineage", &whole).good();
    let spec = s.ana.resolve(&run())["spec"].clone();
    assert_eq!((&spec["purpose"], &spec["operation"]), (&json!("purpose:scoring"), &json!("derive")), "{spec:#}");
    assert_eq!(spec["controller"], "party:acme");
    assert_eq!(spec["tags"]["openlineage.parent"], format!("run:{parent}"));
}

#[test]
fn names_of_one_dataset_are_one() {
    let links = json!({"symlinks": {"identifiers": [{"namespace": "hive", "name": "crm.people", "type": "TABLE"}]}});
    let wrote = event("COMPLETE", RUN, json!([set("a", "a")]), json!([with("s3://lake", "people", links)]));
    let reader = "01939f00-0000-7000-8000-000000000002";
    let read = event("COMPLETE", reader, json!([set("hive", "crm.people")]), json!([set("a", "b")]));
    let s = harness::Scenario::empty();
    s.ana.post("/api/v1/lineage", &read).good();
    s.ana.post("/api/v1/lineage", &wrote).good();
    let path = s.ana.get(&format!(
        "/api/v1/lineage/path?from={}&to={}",
        harness::client::encode(B),
        harness::client::encode(A)
    ));
    let path = path.good()["path"].to_string();
    assert!(
        path.contains("dataset:hive/crm.people@reported") && path.contains("dataset:s3:%2F%2Flake/people@reported"),
        "{path}"
    );
    same([&wrote, &read, &event("START", reader, json!([]), json!([]))]);
}

#[test]
fn models_are_models_and_what_is_known_of_datasets_stands() {
    let facets = json!({
        "schema": {"fields": [{"name": "email", "type": "varchar"}, {"name": "place", "fields": [{"name": "street", "type": "varchar"}]}]},
        "tags": {"tags": [
            {"key": "https://w3id.org/dpv/pd#EmailAddress", "value": "yes", "field": "email"},
            {"key": "identifiability", "value": "direct", "field": "email"},
            {"key": "tier", "value": "gold"},
        ]},
        "ownership": {"owners": [{"name": "team:crm"}, {"name": "user:jane@acme.example"}]},
        "lifecycleStateChange": {"lifecycleStateChange": "TRUNCATE"},
        "licit": {"origin": "collected", "subjects": ["https://w3id.org/dpv#Customer"], "controller": "party:acme"},
    });
    let model = with("licit", "churn", json!({"datasetType": {"datasetType": "MODEL"}}));
    let done = event("COMPLETE", RUN, json!([with("crm", "people", facets)]), json!([model]));
    let s = harness::Scenario::empty();
    s.ana.post("/api/v1/lineage", &done).good();
    let spec = s.ana.resolve("dataset:crm/people@reported")["spec"].clone();
    let email = json!({"name": "email", "data_type": "varchar", "categories": ["https://w3id.org/dpv/pd#EmailAddress"], "identifiability": "direct"});
    assert_eq!(spec["fields"], json!([email, {"name": "place.street", "data_type": "varchar"}]), "{spec:#}");
    assert_eq!((&spec["origin"], &spec["controllers"]), (&json!("collected"), &json!(["party:acme"])));
    assert_eq!(
        spec["tags"],
        json!({"openlineage.lifecycle": "TRUNCATE", "openlineage.version": "reported by name alone"})
    );
    assert_eq!(s.ana.resolve("dataset:crm/people")["spec"]["owner"], "crm");
    let model = s.ana.resolve(&format!("model:churn@run-{RUN}"));
    assert_eq!(model["spec"]["tags"]["openlineage.version"], "minted for the run");
    let ledger = s.server.db.sql("SELECT data FROM ledger_entry");
    assert!(!ledger.contains("jane"), "the ledger holds no names of people");
    // What a person says of it afterwards counts, and stays.
    s.add("parties", harness::scenario::party("acme"));
    s.add(
        "dataset-versions",
        json!({"dataset": "dataset:crm/people", "version": "reported", "origin": "synthetic",
        "fields": [{"name": "email", "identifiability": "none"}]}),
    );
    s.ana
        .post(
            "/api/v1/lineage",
            &event(
                "START",
                RUN,
                json!([with("crm", "people", json!({"schema": {"fields": [{"name": "new"}]}}))]),
                json!([]),
            ),
        )
        .good();
    assert_eq!(s.ana.resolve("dataset:crm/people@reported")["spec"]["origin"], "synthetic");
    crate::support::rebuilds(&s.server.db);
}

#[test]
fn a_run_recorded_natively_stays_and_gets_its_edges() {
    let s = harness::Scenario::registered();
    s.add(
        "runs",
        json!({"id": RUN, "operation": "train", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z",
        "inputs": [{"ref": "dataset:crm/people@1"}]}),
    );
    s.ana.post("/api/v1/lineage", &event("COMPLETE", RUN, json!([set("a", "a")]), json!([set("a", "b")]))).good();
    assert_eq!(s.ana.resolve(&run())["spec"]["operation"], "train");
    let path = s.ana.get(&format!(
        "/api/v1/lineage/path?from={}&to={}",
        harness::client::encode(B),
        harness::client::encode(A)
    ));
    assert_eq!(path.good()["path"].as_array().unwrap().len(), 3);
}

#[test]
fn the_facet_has_a_schema_that_anybody_may_read() {
    let s = harness::Scenario::empty();
    let served = s.server.nobody().get("/openlineage/licit-facet.json").good();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(root().join("schemas/openlineage/licit-facet.json")).unwrap()).unwrap();
    assert_eq!(served, kept);
    let schema = jsonschema::draft202012::new(&served).unwrap();
    let said = json!({"_producer": "https://acme.example", "_schemaURL": "https://acme.example", "purpose": "purpose:scoring", "operation": "train"});
    assert!(schema.is_valid(&said) && !schema.is_valid(&json!([])));
}
