//! Malformed, hostile and huge input to every route: an error of the client's in the form of the protocol, and nothing written.

use licit_server::routes::ROUTES;
use serde_json::json;

use super::{API, Place};
use crate::support::head;

#[test]
fn nothing_bad_is_written_and_nothing_breaks() {
    let place = Place::new();
    let (run, model) = place.trained(1);
    let everybody = place.s.server.person("Everybody", &["registrar", "releaser", "admin"]);
    let before = head(&place.s.audit).size;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = "x".repeat(300_000);
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\xff\xfe".to_vec(),
        deep.clone().into_bytes(),
        format!("{{\"name\": {deep}}}").into_bytes(),
        json!({"name": "a\u{0}b", "alias": "a\u{0}b", "version": "1", "experiment_id": "a\u{0}b", "key": "a\u{0}b", "run_id": "a\u{0}b"}).to_string().into_bytes(),
        json!({"name": [], "run_id": {}, "experiment_id": 1.5, "version": -1, "key": null, "source": 7, "stage": [], "filter": 3, "status": 9}).to_string().into_bytes(),
        json!({"name": "a:b", "run_id": "../..", "experiment_id": "-1", "version": "99999999999999999999", "key": "../x", "source": "../x", "stage": "x", "status": "x", "filter": "'", "new_name": "/", "alias": "..", "metrics": "x", "datasets": [1], "models": [{"model_id": {}}], "model_json": "{"}).to_string().into_bytes(),
        json!({"run_id": run, "metrics": [{"key": "m", "value": "x", "timestamp": 1}], "params": [{"key": long, "value": "v"}], "key": long, "value": {}, "status": "DONE", "experiment_id": "0", "name": long, "filter": long, "tags": {"a": 1}, "datasets": [{"dataset": {}}], "models": "m"}).to_string().into_bytes(),
        json!({"run_id": run, "end_time": 1e300, "start_time": "soon", "max_results": -5, "page_token": "!", "order_by": [1], "filter": "name = 'a' OR 1", "status": 1}).to_string().into_bytes(),
    ];
    let mut wrong = Vec::new();
    for route in ROUTES.iter().filter(|route| route.mlflow && route.path.starts_with("/api/2.0/mlflow/")) {
        let path = route.path.replace("{id}", &model).replace("{key}", "no-such-key");
        if route.method.as_str() == "GET" {
            for query in [
                "",
                "name=%00",
                "name=%ff",
                "max_results=x&filter=%27",
                "run_id=..%2F..&metric_key=x&experiment_id=9e9&experiment_name=%00",
                "filter=a.b.c%20%3D%201&page_token=%21",
            ] {
                let answer = everybody.get(&format!("{path}?{query}"));
                if !matches!(answer.status, 200 | 400 | 404)
                    || answer.status != 200 && answer.json()["error_code"].is_null()
                {
                    wrong.push(format!("{} ?{query}: {} {}", route.id, answer.status, answer.text));
                }
            }
            continue;
        }
        for (place_of, body) in bodies.iter().enumerate() {
            // Some need so little that some of this is a request.
            let little = ["mlflow_create_experiment", "mlflow_create_run", "mlflow_delete_run", "mlflow_restore_run"];
            let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body).is_ok();
            if little.contains(&route.id) && object || route.id == "mlflow_delete_logged_model" {
                continue;
            }
            let answer = everybody.send(route.method.as_str(), &path, &[], Some(body));
            if head(&place.s.audit).size != before {
                panic!("{} body {place_of} wrote: {} {}", route.id, answer.status, answer.text);
            }
            let told = answer.status == 200 || !answer.json()["error_code"].is_null();
            if !matches!(answer.status, 200 | 400 | 403 | 404 | 413 | 415) || !told {
                wrong.push(format!("{} body {place_of}: {} {}", route.id, answer.status, answer.text));
            }
        }
        if !route.foreign {
            continue;
        }
        let huge = vec![b' '; route.limit + 1];
        let answer = everybody.send(route.method.as_str(), &path, &[], Some(&huge));
        if answer.status != 413 {
            wrong.push(format!("{} huge: {} {}", route.id, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(head(&place.s.audit).size, before, "nothing of it was written");
}

#[test]
fn a_batch_is_bounded() {
    let place = Place::new();
    let (run, _) = place.trained(1);
    let metrics = |count: u64| {
        (0..count).map(|step| json!({"key": "m", "value": 1.0, "timestamp": 1, "step": step})).collect::<Vec<_>>()
    };
    let many = json!({"run_id": run, "metrics": metrics(1001)});
    let (_, message) = super::refused(&place.send("POST", "runs/log-batch", &many), 400);
    assert!(message.contains("at most 1000 metrics"), "{message}");
    place.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics(1000)}));
    let history = place.get(&format!("metrics/get-history?run_id={run}&metric_key=m"));
    assert_eq!(history["metrics"].as_array().unwrap().len(), 1000);
}

#[test]
fn a_history_is_read_page_by_page() {
    let place = Place::new();
    let (run, _) = place.trained(1);
    // Later steps first, and some of them twice, as clients bring them.
    for from in [200, 100, 0, 100] {
        let metrics: Vec<_> = (from..from + 100)
            .map(|step| json!({"key": "m", "value": f64::from(step) / 8.0, "timestamp": 1, "step": step}))
            .collect();
        place.post("runs/log-batch", &json!({"run_id": run, "metrics": metrics}));
    }
    let page = |token: &str| {
        let token = token.replace('+', "%2B").replace('=', "%3D");
        place.get(&format!("metrics/get-history?run_id={run}&metric_key=m&max_results=70&page_token={token}"))
    };
    let (mut steps, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = page(&token);
        let own: Vec<i64> =
            page["metrics"].as_array().unwrap().iter().map(|one| one["step"].as_i64().unwrap()).collect();
        assert!(own.is_sorted(), "{own:?}");
        steps.extend(own);
        pages += 1;
        if pages == 1 {
            // What comes while somebody turns the pages is on a later one, whatever its step.
            let late = json!({"run_id": run, "key": "m", "value": 1, "timestamp": 1, "step": -1});
            place.post("runs/log-metric", &late);
        }
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    // A page goes on where the one before ended, and looks at nothing twice: 401 figures in pages of 70.
    assert_eq!((pages, steps.len()), (6, 401));
    steps.sort_unstable();
    steps.dedup();
    assert_eq!(steps, (-1..300).collect::<Vec<i64>>());
    let path = format!("{API}/metrics/get-history?run_id={run}&metric_key=m");
    for wrong in ["page_token=eyJvZmZzZXQiOiAxfQ%3D%3D", "page_token=%21", "max_results=25001"] {
        let (code, _) = super::refused(&place.trainer.get(&format!("{path}&{wrong}")), 400);
        assert_eq!(code, "INVALID_PARAMETER_VALUE");
    }
}

#[test]
fn a_page_begins_where_one_of_ours_ended() {
    let place = Place::new();
    let search =
        |token: &str| place.trainer.get(&format!("{API}/registered-models/search?max_results=1&page_token={token}"));
    // Offsets of 2^64 - 1 and of nothing.
    for token in ["eyJvZmZzZXQiOiAxODQ0Njc0NDA3MzcwOTU1MTYxNX0%3D", "e30%3D", "%21"] {
        let (code, message) = super::refused(&search(token), 400);
        assert_eq!((code.as_str(), message.contains("page token")), ("INVALID_PARAMETER_VALUE", true), "{message}");
    }
    assert_eq!(search("eyJvZmZzZXQiOiA5MDA3MTk5MjU0NzQwOTkyfQ%3D%3D").status, 200);
}

#[test]
fn a_pattern_is_bounded_in_every_search() {
    let place = Place::new();
    let (code, message) = super::refused(
        &place.trainer.get(&format!("{API}/registered-models/search?filter=name%20LIKE%20%27{}%27", "a".repeat(501))),
        400,
    );
    assert_eq!(code, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("500 characters"), "{message}");
    for path in ["runs/search", "experiments/search", "logged-models/search"] {
        let filter = format!("tags.a ILIKE '{}'", "%".repeat(501));
        let body = json!({"experiment_ids": ["0"], "filter": filter, "max_results": 5});
        let (_, message) = super::refused(&place.send("POST", path, &body), 400);
        assert!(message.contains("500 characters"), "{path}: {message}");
    }
}

#[test]
fn nothing_has_more_than_two_thousand_tags() {
    let place = Place::new();
    let (run, model) = place.trained(1);
    place.post("registered-models/create", &json!({"name": "score"}));
    let made = json!({"name": "score", "source": format!("models:/{model}"), "model_id": model});
    place.post("model-versions/create", &made);
    let tags = |from: usize, count: usize| {
        (from..from + count).map(|n| json!({"key": format!("t{n}"), "value": "v"})).collect::<Vec<_>>()
    };
    // Many at once where the protocol has it; one by one, what has as many as it may is what counts.
    for from in (0..2000).step_by(100) {
        let body = json!({"run_id": run, "tags": tags(from, 100)});
        if from < 1900 {
            place.post("runs/log-batch", &body);
            place.send("PATCH", &format!("logged-models/{model}/tags"), &json!({"tags": tags(from, 100)})).good();
            continue;
        }
        // Some are there already, of the client's own.
        let (code, message) = super::refused(&place.send("POST", "runs/log-batch", &body), 400);
        assert_eq!((code.as_str(), message.contains("2000 tags")), ("INVALID_PARAMETER_VALUE", true), "{message}");
        let body = json!({"tags": tags(from, 101)});
        let (_, message) = super::refused(&place.send("PATCH", &format!("logged-models/{model}/tags"), &body), 400);
        assert!(message.contains("at most 100") || message.contains("2000 tags"), "{message}");
        let body = json!({"tags": tags(from, 100)});
        let (_, message) = super::refused(&place.send("PATCH", &format!("logged-models/{model}/tags"), &body), 400);
        assert!(message.contains("2000 tags"), "{message}");
    }
    for n in 0..2000 {
        for (path, body) in [
            ("registered-models/set-tag", json!({"name": "score", "key": format!("t{n}"), "value": "v"})),
            ("model-versions/set-tag", json!({"name": "score", "version": "1", "key": format!("t{n}"), "value": "v"})),
            ("experiments/set-experiment-tag", json!({"experiment_id": "0", "key": format!("t{n}"), "value": "v"})),
        ] {
            place.post(path, &body);
        }
    }
    for (path, mut body, what) in [
        ("registered-models/set-tag", json!({"name": "score"}), "A registered model"),
        ("model-versions/set-tag", json!({"name": "score", "version": "1"}), "A model version"),
        ("experiments/set-experiment-tag", json!({"experiment_id": "0"}), "An experiment"),
    ] {
        (body["key"], body["value"]) = (json!("one-more"), json!("v"));
        let (code, message) = super::refused(&place.send("POST", path, &body), 400);
        assert_eq!(code, "INVALID_PARAMETER_VALUE");
        assert!(message.contains(what) && message.contains("may have 2000 tags"), "{message}");
        // What is there may change.
        body["key"] = json!("t7");
        place.post(path, &body);
    }
}
