//! Projects of dbt: what their events do not carry.

use harness::Scenario;
use serde_json::{Value, json};

use super::{because, fixture, proposed, scan};
use crate::support::licit_in;

const MANIFEST: &str = "manifest.json";

fn of<'p>(proposal: &'p Value, name: &str) -> &'p Value {
    let sets = proposal["manifest"]["datasets"].as_array().unwrap();
    sets.iter().find(|set| set["name"] == name).unwrap_or_else(|| panic!("no {name} in {proposal:#}"))
}

#[test]
fn meta_and_tags_classify_columns() {
    let folder = fixture("");
    let proposal = proposed(&folder, &[MANIFEST, "--namespace", "duckdb://acme.duckdb", "--purpose", "care"]);
    let names: Vec<&str> =
        proposal["manifest"]["datasets"].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["acme.main.scores", "acme.main.stg_customers", "acme.main.rates", "acme.crm.raw_customers"]);
    let staged = of(&proposal, "acme.main.stg_customers");
    assert_eq!(
        (&staged["owner"], &staged["version"], &staged["output"]),
        (&json!("crm-team"), &json!("reported"), &json!(true))
    );
    let field = |name: &str| staged["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap();
    assert_eq!(field("mail")["categories"], json!(["https://w3id.org/dpv/pd#EmailAddress"]));
    assert_eq!(field("mail")["identifiability"], "direct");
    assert_eq!(
        (&field("c8")["categories"], &field("c8")["identifiability"]),
        (&json!(["https://w3id.org/dpv/pd#Age"]), &json!("quasi"))
    );
    assert_eq!(field("c9")["identifiability"], "none");
    // Marked, and nobody said as what: unknown, and the mark is told.
    assert_eq!(field("c7")["identifiability"], Value::Null);
    assert!(because(&proposal, "c7").contains("dbt says `pii`"), "{proposal:#}");
    // What is made of what, through what is no table; tests make nothing.
    let runs = proposal["manifest"]["runs"].as_array().unwrap();
    let read = |run: &Value| {
        run["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| input["dataset"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(runs.len(), 2, "{proposal:#}");
    let place = |name: &str| format!("duckdb://acme.duckdb/acme.{name}");
    assert_eq!(read(&runs[0]), [place("main.stg_customers"), place("main.rates")]);
    assert_eq!(read(&runs[1]), [place("crm.raw_customers")]);
    let (code, yaml, said) = scan(&folder, &[MANIFEST]);
    assert_eq!(code, 0, "{said}");
    assert!(
        yaml.contains("# guessed: dbt says `pii`\n        # identifiability: unknown, nobody says how far"),
        "{yaml}"
    );
    assert!(said.contains("--namespace") && yaml.contains("# runs:") && !yaml.contains("\nruns:"), "{yaml}");
}

#[test]
fn what_engines_report_by_name_alone_is_known_by_it() {
    let s = Scenario::registered();
    let desk = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| licit_in(&s.ana, Some(desk.path()), args);
    let manifest = fixture(MANIFEST);
    let (code, out, said) = run(&[
        "scan",
        manifest.to_str().unwrap(),
        "--namespace",
        "duckdb://acme",
        "--purpose",
        "scoring",
        "-o",
        "licit.yaml",
    ]);
    assert_eq!(code, 0, "{out}{said}");
    let (code, out, said) = run(&["register"]);
    assert_eq!(code, 0, "{out}{said}");
    // dbt reports the same table later: what was said of its columns holds, and reaches what is made of it elsewhere.
    let set = |name: &str| json!({"namespace": "duckdb://acme", "name": name});
    let event = json!({
        "eventType": "COMPLETE", "eventTime": "2026-11-02T10:00:00Z", "run": {"runId": "01939f00-0000-7000-8000-000000000009"},
        "job": {"namespace": "dbt", "name": "later"}, "inputs": [set("acme.main.stg_customers")], "outputs": [set("acme.main.later")],
    });
    assert_eq!(s.ana.post("/api/v1/lineage", &event).good()["outcome"], "accepted");
    let exposure = s.ana.get("/api/v1/exposure?ref=dataset:duckdb:%252F%252Facme/acme.main.later@reported").good();
    assert!(
        exposure["categories"].as_array().unwrap().contains(&json!("https://w3id.org/dpv/pd#EmailAddress")),
        "{exposure:#}"
    );
    assert_eq!(exposure["identifiability"], "direct");
}
