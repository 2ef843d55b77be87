//! dbt as it is, on a small project in DuckDB: what it reports by itself and what its manifest says of columns meet in the registry.

use std::path::Path;
use std::process::Command;

use crate::support::{installed, licit_in};
use harness::Scenario;
use harness::client::encode;
use harness::scenario::{finding, model_version, training};
use serde_json::json;

/// dbt, its adapter, and the wrapper that reports; in a folder of their own, since they pin what others pin otherwise.
const PACKAGES: [&str; 7] = [
    "dbt-core==1.10.23",
    "dbt-adapters==1.24.5",
    "dbt-common==1.39.0",
    "dbt-protos==1.0.615",
    "dbt-duckdb==1.10.1",
    "duckdb==2.0.1",
    "openlineage-dbt==1.54.0",
];

const PROJECT: &[(&str, &str)] = &[
    (
        "dbt_project.yml",
        "{name: acme, version: 1.0.0, config-version: 2, profile: acme, models: {+materialized: table}}\n",
    ),
    ("profiles.yml", "acme: {target: dev, outputs: {dev: {type: duckdb, path: acme.duckdb, threads: 1}}}\n"),
    ("seeds/raw_customers.csv", "id,c2,town\n1,a@example.com,Lyon\n2,b@example.com,Lille\n"),
    ("models/stg_customers.sql", "select id, c2 as who, town from {{ ref('raw_customers') }}\n"),
    (
        "models/features.sql",
        "select town, count(distinct who) as reached from {{ ref('stg_customers') }} group by town\n",
    ),
    (
        "models/schema.yml",
        "version: 2
seeds:
  - name: raw_customers
    columns:
      - {name: id, config: {meta: {licit: {identifiability: pseudonym}}}}
      - {name: c2, config: {meta: {pii: email}}}
      - {name: town}
",
    ),
];

/// The name of a table of the project, by itself.
fn table(name: &str) -> String {
    format!("dataset:duckdb:%2F%2Facme.duckdb/acme.main.{name}@reported")
}

/// Run dbt as its users do.
fn dbt_ol(s: &Scenario, project: &Path) {
    let python = installed("dbt", &PACKAGES);
    let bin = python.parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(bin.join("dbt-ol"));
    command
        .args(["build", "--profiles-dir", ".", "--project-dir", "."])
        .current_dir(project)
        .env("PATH", path)
        .env("HOME", project);
    command.env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false").env("OPENLINEAGE_NAMESPACE", "acme");
    command.env("OPENLINEAGE_URL", &s.server.url).env("OPENLINEAGE_API_KEY", s.ana.token.as_ref().unwrap());
    let out = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && said.contains("Emitted"), "{said}");
}

#[test]
fn an_email_column_upstream_of_a_model_refuses_its_deployment() {
    let s = Scenario::running();
    let project = tempfile::tempdir().unwrap();
    for (name, text) in PROJECT {
        let path = project.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dbt_ol(&s, project.path());
    assert_eq!(s.ana.get("/api/v1/lineage/quarantine").good()["items"], json!([]));
    // A model is trained on what dbt made, and is to run where the one before it does.
    s.add("model-versions", model_version("2", "2"));
    let mut run = training("2", "1");
    run["inputs"] = json!([{"ref": table("features"), "role": "training"}]);
    s.add("runs", run);
    s.release("2");
    // Of columns that nobody classified nothing is known, and the gate says so.
    let refused = s.activate("release:score-prod@2").problem(409);
    let unknown = finding(&refused["decision"], "lineage.complete").unwrap_or_else(|| panic!("{refused:#}"));
    assert_eq!(unknown["status"], "unknown", "{unknown:#}");
    // What the project says of them is proposed, confirmed, registered.
    let licit = |args: &[&str]| licit_in(&s.ana, Some(project.path()), args);
    let (code, out, said) =
        licit(&["scan", "target/manifest.json", "--namespace", "duckdb://acme.duckdb", "-o", "licit.yaml"]);
    assert_eq!(code, 0, "{out}{said}");
    let path = project.path().join("licit.yaml");
    let proposed = std::fs::read_to_string(&path).unwrap();
    assert!(proposed.contains("# guessed: dbt says `pii: email`"), "{proposed}");
    std::fs::write(&path, proposed.replace("    # origin: collected ", "    origin: collected ")).unwrap();
    let (code, out, said) = licit(&["register"]);
    assert_eq!(code, 0, "{out}{said}");
    let exposure = s.audit.get(&format!("/api/v1/exposure?ref={}", encode("model:score@2"))).good();
    let source = &exposure["contained"][0];
    assert_eq!(source["ref"], table("raw_customers"), "{exposure:#}");
    assert!(
        source["categories"].as_array().unwrap().contains(&json!("https://w3id.org/dpv/pd#EmailAddress")),
        "{source:#}"
    );
    let refused = s.activate("release:score-prod@2").problem(409);
    let uncovered = finding(&refused["decision"], "source.covered").unwrap_or_else(|| panic!("{refused:#}"));
    assert_eq!(uncovered["node"], table("raw_customers"), "{uncovered:#}");
    let path: Vec<&str> = uncovered["path"].as_array().unwrap().iter().map(|node| node.as_str().unwrap()).collect();
    assert!(path.contains(&table("stg_customers").as_str()) && path.contains(&table("features").as_str()), "{path:?}");
}
