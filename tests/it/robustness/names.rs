//! Names are data: whatever stands in them is kept, found and shown as it is, and never read as SQL, pattern, path or markup.

use harness::Scenario;
use harness::client::encode;
use serde_json::{Value, json};

use super::Victim;
use crate::support::{pages, rebuilds, verified};

const NAMES: [&str; 22] = [
    "'; DROP TABLE resource; --",
    "\" OR \"\"=\"",
    "../../etc",
    "..",
    ".",
    "/",
    "%",
    "%%",
    "_",
    "a/b@c%d",
    "%2F",
    "a\\b",
    "a|b=c",
    "😀 emoji 👩‍👩‍👧",
    "שלום עולם",
    "\u{202e}gnp.exe",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "null",
    "e\u{301}",
    "é",
];

/// A reference to it, as the grammar writes names.
fn reference(kind: &str, name: &str) -> String {
    let body: String = name
        .chars()
        .map(|c| if " %/@".contains(c) { format!("%{:02X}", u32::from(c)) } else { c.to_string() })
        .collect();
    format!("{kind}:{body}")
}

#[test]
fn any_name_is_kept_and_found_as_it_is() {
    let s = Scenario::empty();
    for name in NAMES {
        let made = s.add("models", json!({"name": name, "description": name, "tags": {name: name}}));
        let text = reference("model", name);
        assert_eq!(made["ref"], text);
        assert_eq!(s.ana.resolve(&text)["spec"], json!({"name": name, "description": name, "tags": {name: name}}));
        let read = s.ana.get(&format!("/api/v1/models/{}", made["id"].as_str().unwrap())).good();
        assert_eq!(read["spec"]["name"], name);
        s.add("datasets", json!({"namespace": name, "name": name}));
        s.add(
            "model-versions",
            json!({
                "model": text, "version": name.replace('@', "-"), "kind": "built",
                "files": [{"path": "m", "digest": harness::scenario::ZEROS}], "framework": name,
            }),
        );
    }
    for name in NAMES {
        let mut filters = vec![format!("name={}", encode(name)), format!("ref={}", encode(&reference("model", name)))];
        // A tag is asked for as `key` or `key=value`.
        if !name.contains('=') {
            filters.push(format!("tag={}", encode(name)));
            filters.push(format!("tag={}", encode(&format!("{name}={name}"))));
        }
        for filter in filters {
            let items = pages(&s.ana, &format!("/api/v1/models?{filter}"), 100);
            assert_eq!(items.iter().map(|i| &i["spec"]["name"]).collect::<Vec<_>>(), [name], "{filter}");
        }
    }
    assert_eq!(pages(&s.ana, "/api/v1/models", 7).len(), NAMES.len());
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn wildcards_in_a_search_are_letters() {
    let s = Scenario::empty();
    for name in ["50%off", "50off", "a_b", "axb", "back\\slash", "plain"] {
        s.add("models", json!({"name": name}));
    }
    let found = |q: &str| -> Vec<String> {
        let items = s.ana.get(&format!("/api/v1/models?q={}&sort=name", encode(q))).good()["items"].clone();
        items.as_array().unwrap().iter().map(|i| i["spec"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("0%"), ["50%off"]);
    assert_eq!(found("a_b"), ["a_b"]);
    assert_eq!(found("k\\s"), ["back\\slash"]);
    assert!(found("'; DROP TABLE resource; --").is_empty());
    assert_eq!(found("off").len(), 2);
}

#[test]
fn control_characters_are_not_letters() {
    let v = Victim::new();
    for bad in ["a\nb", "a\tb", "\u{7f}", "a\u{85}b", "a\u{2028}b", " a", "a ", "\u{3000}a"] {
        v.refuses("models", &json!({"name": bad}), &["#/name"]);
    }
}

#[test]
fn files_of_a_model_cannot_climb_out() {
    let v = Victim::new();
    for path in ["../x", "/etc/passwd", "a/../../b", "a//b", "a/./b", "..", ".", "", "a\\..\\b", "a\nb", "a/"] {
        let body = json!({"model": "model:score", "version": "1", "kind": "built", "files": [{"path": path, "digest": harness::scenario::ZEROS}]});
        v.refuses("model-versions", &body, &["#/files/0/path"]);
    }
}

#[test]
fn refusals_do_not_echo_a_hostile_value_whole() {
    let v = Victim::new();
    let problem: Value = v.refuses("models", &json!({"name": "x", "owner": "é".repeat(100_000)}), &["#/owner"]);
    assert!(problem.to_string().len() < 5_000, "{} bytes", problem.to_string().len());
}
