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

/// A manifest of one model that is made of this.
fn project(depends: &[&str], config: &Value) -> Value {
    let mut node = json!({
        "resource_type": "model", "name": "orders", "database": "acme", "schema": "main",
        "columns": {"n": {"name": "n"}}, "depends_on": {"nodes": depends},
    });
    for (key, value) in config.as_object().unwrap() {
        node[key] = value.clone();
    }
    json!({
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "generated_at": "2026-11-01T10:00:00Z"},
        "nodes": {"model.acme.orders": node},
        "sources": {"source.acme.raw": {"resource_type": "source", "name": "raw", "database": "acme", "schema": "crm"}},
    })
}

#[test]
fn a_run_of_which_not_all_sources_are_known_is_not_proposed() {
    let told = |depends: &[&str]| {
        let text = project(depends, &json!({})).to_string();
        let folder = super::desk(&[(MANIFEST, text.as_bytes())]);
        proposed(folder.path(), &[MANIFEST, "--namespace", "n", "--purpose", "care"])
    };
    let whole = told(&["source.acme.raw"]);
    assert_eq!(whole["manifest"]["runs"].as_array().map(Vec::len), Some(1), "{whole:#}");
    assert_eq!(whole["warnings"], json!([]), "{whole:#}");
    let open = told(&["source.acme.raw", "model.other.gone"]);
    assert_eq!(open["manifest"]["runs"], Value::Null, "{open:#}");
    let warning = open["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("`acme.main.orders` is made of `model.other.gone`, which this file does not hold"),
        "{warning}"
    );
    let hidden = told(&["source.acme.raw", "model.jane.doe@example.com"]);
    assert!(!hidden.to_string().contains("jane"), "{hidden:#}");
}

#[test]
fn addresses_and_numbers_of_people_are_not_taken_over() {
    for config in [
        json!({"meta": {"owner": "jane.doe@example.com"}}),
        json!({"meta": {"owner": "0612345678"}}),
        json!({"description": "Ask Jane <jane.doe@example.com> of sales."}),
        json!({"description": "Questions: 06 12 34 56 78."}),
        json!({"tags": ["pii:jane.doe@example.com", "sensitive 06 12 34 56 78"], "meta": {"pii": "see jane.doe@example.com"}}),
        json!({"columns": {"n": {"name": "n", "tags": ["pii jane.doe@example.com"], "meta": {"pii_jane@example.com": true}}}}),
    ] {
        let folder = super::desk(&[(MANIFEST, project(&["source.acme.raw"], &config).to_string().as_bytes())]);
        let (code, out, said) = scan(folder.path(), &[MANIFEST, "--namespace", "n"]);
        assert_eq!(code, 0, "{config}: {said}");
        let all = format!("{out}{said}");
        assert!(!all.contains("jane") && !all.contains("0612345678") && !all.contains("06 12"), "{config}: {all}");
        assert!(!config["description"].is_string() || said.contains("was left out"), "{said}");
    }
}

#[test]
fn a_column_that_cannot_be_listed_leaves_all_of_them_unknown() {
    let config = json!({"columns": {"n": {"name": "n"}, "x": {"name": "jane.doe@example.com"}}});
    let folder = super::desk(&[(MANIFEST, project(&["source.acme.raw"], &config).to_string().as_bytes())]);
    let (code, out, said) = scan(folder.path(), &[MANIFEST, "--namespace", "n"]);
    assert_eq!(code, 0, "{said}");
    let told = out.lines().find(|line| line.contains("# it has a column whose name cannot be registered"));
    assert!(told.is_some_and(|line| line.contains("unknown")), "{out}");
    assert!(!out.contains("fields:") && !format!("{out}{said}").contains("jane"), "{out} {said}");
}
