//! The client that engines use, unchanged.

use std::process::Command;

use harness::Scenario;
use serde_json::json;

use super::RUN;
use super::story::refused_for_the_addresses;
use crate::receipts::outside::python;
use crate::support::root;

#[test]
fn the_client_of_openlineage_reports_and_it_stands() {
    let s = Scenario::running();
    let script = root().join("tests/outside/report.py");
    let out = Command::new(python()).arg(script).args([&s.server.url, s.ana.token.as_ref().unwrap()]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let spec = s.ana.resolve(&format!("run:{RUN}"))["spec"].clone();
    assert_eq!(spec["inputs"], json!([{"ref": "dataset:shop/customers@reported"}]), "{spec:#}");
    let from = json!([{"input": "dataset:shop/customers@reported", "field": "email", "masking": true}]);
    assert_eq!((&spec["columns"][0]["field"], &spec["columns"][0]["from"]), (&json!("who"), &from));
    assert_eq!(spec["tags"]["openlineage.parent"], "run:01939f00-0000-7000-8000-0000000000aa");
    s.server.nobody().get("/api/v1/lineage/quarantine").problem(401);
    assert_eq!(s.ana.get("/api/v1/lineage/quarantine").good()["items"], json!([]));
    refused_for_the_addresses(&s, "dataset:shop/customers@reported", "dataset:s3:%2F%2Flake/features@reported");
}
