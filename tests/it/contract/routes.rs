//! Who may do what: every route with every role.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Answer, Client, TestServer};
use licit_schemas::access::ROLES;
use licit_server::http::openapi;
use licit_server::http::route::Route;
use licit_server::routes::ROUTES;

/// Something well formed that does no harm: ids nobody has, empty documents.
fn ask(client: &Client, route: &Route) -> Answer {
    let path = route
        .path
        .replace("{id}", "01939f00-0000-7000-8000-000000000000")
        .replace("{seq}", "1")
        .replace("{tile}", "000.p/1")
        .replace("{artifact}", "0/none");
    let method = route.method.as_str();
    let body: Option<&[u8]> = matches!(method, "POST" | "PUT" | "PATCH").then_some(b"{}");
    client.send(method, &path, &[], body)
}

fn name(role: &licit_schemas::access::Role) -> String {
    serde_json::to_value(role).unwrap().as_str().unwrap().to_owned()
}

#[test]
fn every_role_passes_where_the_table_lets_it_and_nowhere_else() {
    let server = TestServer::start();
    let mut wrong = Vec::new();
    for role in ROLES {
        let client = server.person(&name(&role), &[&name(&role)]);
        for route in ROUTES {
            let status = ask(&client, route).status;
            let passed = !matches!(status, 401 | 403);
            let may = route.open || route.roles.contains(&role);
            if passed != may || status >= 500 || (!may && status != 403) {
                wrong.push(format!("{} as {}: {status}", route.id, name(&role)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_parameter_that_a_route_does_not_know_is_refused_never_ignored() {
    let server = TestServer::start();
    let everybody: Vec<String> = ROLES.iter().map(name).collect();
    let client = server.person("Everybody", &everybody.iter().map(String::as_str).collect::<Vec<_>>());
    // Clients of a foreign protocol send what their version sends.
    for route in ROUTES.iter().filter(|route| !route.mlflow) {
        let path = route
            .path
            .replace("{id}", "01939f00-0000-7000-8000-000000000000")
            .replace("{seq}", "1")
            .replace("{tile}", "000.p/1");
        let body: Option<&[u8]> = matches!(route.method.as_str(), "POST" | "PUT").then_some(b"{}");
        for query in ["surprise=1", "surprise", "known_at=now&surprise=", "limit=1&surprise=1&surprise=2"] {
            let answer = client.send(route.method.as_str(), &format!("{path}?{query}"), &[], body);
            assert_eq!(answer.status, 422, "{}?{query}: {}", route.id, answer.text);
            assert!(answer.text.contains("#/surprise"), "{}?{query}: {}", route.id, answer.text);
        }
    }
}

/// Reads that answer alike whatever is known: what never changes, what is no part of the registry, what is about the present alone, and
/// what asks for its own moments.
const TIMELESS: [&str; 37] = [
    "show_notice",
    "show_notice_by_digest",
    "get_openapi",
    "get_health",
    "get_ready",
    "get_metrics",
    "get_whoami",
    "list_terms",
    "get_decision_evidence",
    "get_receipt",
    "get_receipt_bundle",
    "get_decision_status",
    "get_proof",
    "get_passport",
    "get_ledger_head",
    "list_ledger_entries",
    "get_ledger_entry",
    "get_inclusion_proof",
    "get_consistency_proof",
    "list_ledger_keys",
    "list_ledger_checkpoints",
    "get_checkpoint",
    "get_entry_bundle",
    "get_tile",
    "get_deployment_diff",
    "stream_events",
    "list_webhooks",
    "get_webhook",
    "list_webhook_deliveries",
    "get_member_load",
    "list_excluded",
    "list_suppressions",
    "list_quarantined_events",
    "get_quarantined_event",
    "list_lineage_events",
    "get_lineage_event",
    "get_licit_facet",
];

#[test]
fn every_read_takes_both_clocks_or_says_why_not() {
    // Another's protocol has no words for it: what its routes show, the native ones show as it was.
    for route in ROUTES.iter().filter(|route| route.method.as_str() == "GET" && !route.mlflow) {
        let takes = openapi::parameters(route).iter().any(|name| name == "known_at");
        assert_eq!(takes, !TIMELESS.contains(&route.id), "{}", route.id);
    }
    let server = TestServer::start();
    let client = server.person("Aude", &["auditor", "admin"]);
    for route in
        ROUTES.iter().filter(|r| r.id.starts_with("list_") && openapi::parameters(r).contains(&"valid_at".into()))
    {
        let answer = client.get(&format!("{}?valid_at=2026-01-01", route.path));
        let stated = [
            "systems",
            "purposes",
            "bases",
            "assessments",
            "approvals",
            "revocations",
            "baselines",
            "loosenings",
            "break-glass",
            "delegations",
            "tokens",
            "notices",
            "uses",
            "passports",
            // Judged at that moment.
            "gaps",
        ];
        let valid = stated.iter().any(|collection| route.path.ends_with(&format!("/{collection}")));
        assert_eq!(answer.status, if valid { 200 } else { 422 }, "{}: {}", route.id, answer.text);
    }
}

#[test]
fn without_a_token_only_the_open_routes_answer() {
    let server = TestServer::start();
    for client in
        [server.nobody(), Client::new(&server.url, Some("licit_0000")), Client::new(&server.url, Some("Bearer"))]
    {
        for route in ROUTES {
            let answer = ask(&client, route);
            if route.open {
                // No notice has the key or digest asked for here.
                let found = if route.path.starts_with("/notices/") { 404 } else { 200 };
                assert_eq!(answer.status, found, "{}: {}", route.id, answer.text);
            } else if route.mlflow {
                assert_eq!(
                    (answer.status, &answer.json()["error_code"]),
                    (401, &"UNAUTHENTICATED".into()),
                    "{}",
                    route.id
                );
                assert!(answer.header("www-authenticate").unwrap().starts_with("Basic"), "{}", route.id);
            } else {
                answer.problem(401);
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", route.id);
            }
        }
    }
}

#[test]
fn nothing_is_open_but_health_readiness_the_description_and_what_people_are_told() {
    let open: BTreeSet<&str> = ROUTES.iter().filter(|r| r.open).map(|r| r.path).collect();
    assert_eq!(
        open,
        BTreeSet::from([
            "/health",
            "/ready",
            "/openapi.json",
            "/notices/{key}",
            "/notices/by-digest/{digest}",
            "/openlineage/licit-facet.json"
        ])
    );
    for route in ROUTES {
        assert_eq!(route.open, route.roles.is_empty(), "{} is open and has roles, or neither", route.id);
    }
}

#[test]
fn the_documentation_is_open_and_needs_no_internet() {
    let server = TestServer::start();
    let page = server.nobody().get("/docs/");
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("src=\"http") && !page.text.contains("href=\"http"), "{}", page.text);
    let start = server.nobody().get("/docs/swagger-initializer.js");
    assert!(start.text.contains("/openapi.json"), "{}", start.text);
    assert_eq!(server.nobody().get("/docs/nothing-here.js").status, 404);
    for path in ["/docsx", "/docs../api/v1/models", "/docs/../api/v1/models", "/docs/%2e%2e/api/v1/models"] {
        let answer = server.nobody().get(path);
        assert!(matches!(answer.status, 401 | 404), "{path}: {}", answer.status);
    }
}

#[test]
fn what_is_not_in_the_table_does_not_exist() {
    let server = TestServer::start();
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v1/modelz",
        "/api/v1/models/",
        "/API/v1/models",
        "//health",
        "/api/v2/models",
    ] {
        server.admin().get(path).problem(404);
    }
    for (method, path) in
        [("DELETE", "/api/v1/models"), ("PATCH", "/api/v1/models"), ("POST", "/health"), ("PUT", "/api/v1/runs")]
    {
        let problem = server.admin().send(method, path, &[], None).problem(405);
        assert!(problem["detail"].as_str().unwrap().contains("this path offers"), "{problem}");
    }
}

#[test]
fn probes_may_ask_with_head() {
    let server = TestServer::start();
    for path in ["/health", "/ready"] {
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = crate::support::raw(&server.url, head.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-type: application/json"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "a body in {answer}");
    }
    let head = "HEAD /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = crate::support::raw(&server.url, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[test]
fn operation_ids_and_places_are_unique() {
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for route in ROUTES {
        *ids.entry(route.id).or_default() += 1;
        *places.entry((route.method.as_str(), route.path)).or_default() += 1;
    }
    assert!(ids.values().all(|n| *n == 1), "{ids:?}");
    assert!(places.values().all(|n| *n == 1), "{places:?}");
}

#[test]
fn who_may_do_what_is_as_committed() {
    // The table above is tested against itself: this file shows every change of authority in a diff.
    let lines: Vec<String> = ROUTES
        .iter()
        .map(|route| {
            let roles: Vec<String> = route.roles.iter().map(name).collect();
            let roles = if route.open { "open".to_owned() } else { roles.join(" ") };
            format!("{:<6} {:<45} {roles}\n", route.method.as_str(), route.path)
        })
        .collect();
    crate::support::same_as_committed("tests/golden/who-may.txt", &lines.concat());
}
