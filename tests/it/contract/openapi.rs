//! `schemas/openapi.json` is what the routes say.

use std::collections::BTreeSet;

use licit_server::routes::ROUTES;
use serde_json::Value;

use crate::support::same_as_committed;

#[test]
fn the_committed_document_is_what_the_routes_say() {
    same_as_committed("schemas/openapi.json", &licit_server::app::openapi_text());
}

#[test]
fn it_names_every_route_and_no_other() {
    let document: Value = serde_json::from_str(&licit_server::app::openapi_text()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item
                .as_object()
                .unwrap()
                .keys()
                .filter(|k| ["get", "post", "put", "patch", "delete"].contains(&k.as_str()));
            methods.map(|m| (m.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let routed: BTreeSet<(String, String)> = ROUTES.iter().map(|r| (r.method.to_string(), r.path.to_owned())).collect();
    assert_eq!(described, routed);
}

#[test]
fn every_reference_in_it_leads_somewhere() {
    let document: Value = serde_json::from_str(&licit_server::app::openapi_text()).unwrap();
    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("`{to}` leaves the document"));
                    assert!(document.pointer(pointer).is_some(), "`{to}` leads nowhere");
                }
                waiting.extend(members.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}
