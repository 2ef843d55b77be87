//! The registry's routes: errors as clients match on them, searches, who may.

use harness::Client;
use harness::client::encode;
use serde_json::{Value, json};

use super::{API, Place, base64, refused};
use crate::support::{head, rebuilds};

#[test]
fn errors_are_those_that_clients_match_on() {
    let place = Place::new();
    place.post("registered-models/create", &json!({"name": "m"}));
    place.post("model-versions/create", &json!({"name": "m", "source": "s3://b/1"}));
    let before = head(&place.s.audit).size;
    let invalid = "INVALID_PARAMETER_VALUE";
    let cases = [
        (
            "POST",
            "registered-models/create",
            json!({"name": "m"}),
            400,
            "RESOURCE_ALREADY_EXISTS",
            "Registered Model (name=m) already exists.",
        ),
        (
            "POST",
            "registered-models/create",
            json!({"name": ""}),
            400,
            invalid,
            "Missing value for required parameter 'name'.",
        ),
        (
            "POST",
            "registered-models/create",
            json!({"name": 123}),
            400,
            invalid,
            "Invalid value 123 for parameter 'name' supplied",
        ),
        (
            "POST",
            "registered-models/create",
            json!({"name": "a/b"}),
            400,
            invalid,
            "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
        ),
        (
            "PATCH",
            "registered-models/update",
            json!({"name": "none"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "Registered Model with name=none not found",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "/etc/passwd"}),
            400,
            invalid,
            "Invalid model version source: '/etc/passwd'. To use a local path",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "file:///etc/passwd"}),
            400,
            invalid,
            "Invalid model version source",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "mlflow-artifacts:/../../etc"}),
            400,
            invalid,
            "Invalid model version source",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "mlflow-artifacts:/9/x"}),
            400,
            invalid,
            "Invalid model version source",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "models:/m-0"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "Logged model with ID 'm-0' not found.",
        ),
        (
            "POST",
            "model-versions/create",
            json!({"name": "m", "source": "models:/m/7"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "Model Version (name=m, version=7) not found",
        ),
        (
            "POST",
            "registered-models/alias",
            json!({"name": "m", "alias": "latest", "version": "1"}),
            400,
            invalid,
            "'latest' alias name (case insensitive) is reserved.",
        ),
        (
            "POST",
            "registered-models/alias",
            json!({"name": "m", "alias": "v12", "version": "1"}),
            400,
            invalid,
            "Version alias name 'v12' is reserved.",
        ),
        (
            "POST",
            "registered-models/alias",
            json!({"name": "m", "alias": "x", "version": "99"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "Model Version (name=m, version=99) not found",
        ),
        (
            "POST",
            "model-versions/transition-stage",
            json!({"name": "m", "version": "1", "stage": "Bogus", "archive_existing_versions": false}),
            400,
            invalid,
            "Invalid Model Version stage: Bogus. Value must be one of None, Staging, Production, Archived.",
        ),
        (
            "DELETE",
            "model-versions/delete",
            json!({"name": "m", "version": "abc"}),
            400,
            invalid,
            "Parameter 'version' must be an integer, got 'abc'.",
        ),
        (
            "POST",
            "runs/create",
            json!({"experiment_id": "99"}),
            404,
            "RESOURCE_DOES_NOT_EXIST",
            "No Experiment with id=99 exists",
        ),
        ("POST", "runs/log-batch", json!({"run_id": "0".repeat(32)}), 404, "RESOURCE_DOES_NOT_EXIST", "Run with id="),
    ];
    for (method, path, body, status, code, text) in cases {
        let (found, message) = refused(&place.send(method, path, &body), status);
        assert_eq!(found, code, "{path} {body}: {message}");
        assert!(message.starts_with(text), "{path} {body}: {message}");
    }
    for (path, status, text) in [
        ("registered-models/alias?name=m&alias=none", 400, "Registered model alias none not found."),
        ("model-versions/get?name=m&version=99", 404, "Model Version (name=m, version=99) not found"),
        (
            "registered-models/search?filter=bogus%20%3D%20%27x%27",
            400,
            "Invalid attribute key 'bogus' specified. Valid keys are '{'name'}'",
        ),
        ("model-versions/search?filter=name%20%3E%20%27x%27", 400, "Invalid comparator for attribute: >"),
        (
            "registered-models/search?max_results=100000",
            400,
            "Invalid value \"100000\" for parameter 'max_results' supplied",
        ),
        ("experiments/get-by-name?experiment_name=none", 404, "Could not find experiment with name 'none'"),
    ] {
        let (_, message) = refused(&place.trainer.get(&format!("{API}/{path}")), status);
        assert!(message.starts_with(text), "{path}: {message}");
    }
    assert_eq!(refused(&place.trainer.get(&format!("{API}/nothing/here")), 404).0, "ENDPOINT_NOT_FOUND");
    assert_eq!(head(&place.s.audit).size, before, "what is refused writes nothing");
}

#[test]
fn a_token_is_shown_as_bearer_or_as_password_and_nothing_is_open() {
    let encoded = |text: &str| base64(text.as_bytes());
    let place = Place::new();
    let token = place.trainer.token.clone().unwrap();
    let nobody = place.s.server.nobody();
    let path = format!("{API}/registered-models/search");
    let with = |header: &str| nobody.send("GET", &path, &[("authorization", header)], None);
    assert_eq!(with(&format!("Basic {}", encoded(&format!("anybody:{token}")))).status, 200);
    assert_eq!(with(&format!("Bearer {token}")).status, 200);
    for wrong in
        [String::new(), "Basic !".to_owned(), format!("Basic {}", encoded("a:b")), format!("Basic {}", encoded(&token))]
    {
        let answer = with(&wrong);
        assert_eq!(refused(&answer, 401).0, "UNAUTHENTICATED");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic"), "{answer:?}");
    }
    // The native API knows bearers alone.
    let native = nobody.send(
        "GET",
        "/api/v1/models",
        &[("authorization", &format!("Basic {}", encoded(&format!("x:{token}"))))],
        None,
    );
    native.problem(401);
    let viewer = place.s.server.person("Vera", &["viewer"]);
    assert_eq!(
        refused(&viewer.post(&format!("{API}/registered-models/create"), &json!({"name": "m"})), 403).0,
        "PERMISSION_DENIED"
    );
}

fn names(client: &Client, filter: &str, more: &str) -> Vec<String> {
    let answer = client.get(&format!("{API}/registered-models/search?filter={}{more}", encode(filter))).good();
    let list = answer["registered_models"].as_array().cloned().unwrap_or_default();
    list.iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn searches_find_what_they_say_page_by_page() {
    let place = Place::new();
    for (name, owner) in [("alpha", "risk"), ("Beta", "risk"), ("gamma", "ops")] {
        place.post("registered-models/create", &json!({"name": name, "tags": [{"key": "own.er", "value": owner}]}));
    }
    place.post(
        "registered-models/create",
        &json!({"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}),
    );
    let prompts = " AND tag.`mlflow.prompt.is_prompt` != 'true'";
    let found = |filter: &str| names(&place.trainer, filter, "");
    assert_eq!(found("tag.`mlflow.prompt.is_prompt` != 'true'"), ["Beta", "alpha", "gamma"]);
    assert_eq!(found(&format!("tags.`own.er` = 'risk'{prompts}")), ["Beta", "alpha"]);
    assert_eq!(found("name LIKE '%a'"), ["Beta", "alpha", "gamma"]);
    assert_eq!(found("name ILIKE 'b%' and name != 'x'"), ["Beta"]);
    assert_eq!(names(&place.trainer, "", "&order_by=name%20DESC&max_results=1"), ["p"]);
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page: Value = place.get(&format!("registered-models/search?max_results=1{token}"));
        all.push(page["registered_models"][0]["name"].as_str().unwrap().to_owned());
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={}", encode(next)),
            None => break,
        }
    }
    assert_eq!(all, ["Beta", "alpha", "gamma", "p"]);
}

#[test]
fn numbers_go_on_where_a_name_was_used_before() {
    let place = Place::new();
    let s = &place.s;
    s.add("models", json!({"name": "m"}));
    s.add("model-versions", json!({"model": "model:m", "version": "1", "kind": "built", "files": [{"path": "x", "digest": harness::scenario::ZEROS}]}));
    place.post("registered-models/create", &json!({"name": "m"}));
    let next = || {
        place.post("model-versions/create", &json!({"name": "m", "source": "s3://b/1"}))["model_version"]["version"]
            .clone()
    };
    assert_eq!(next(), "2", "a number that was registered natively is taken");
    assert_eq!(next(), "3");
    place.send("DELETE", "registered-models/delete", &json!({"name": "m"})).good();
    place.post("registered-models/create", &json!({"name": "m"}));
    assert_eq!(next(), "4", "what was deleted stays in the registry");
    s.ana.resolve("model:m@2");
    place.send("POST", "registered-models/rename", &json!({"name": "m", "new_name": "n"})).good();
    assert_eq!(place.get("model-versions/get?name=n&version=4")["model_version"]["name"], "n");
    rebuilds(&s.server.db);
}
