//! Malformed, hostile and huge input to every route: an error of the client's in the form of the protocol, and nothing written.

use licit_server::routes::ROUTES;
use serde_json::json;

use super::Place;
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
            if matches!(
                route.id,
                "mlflow_delete_logged_model"
                    | "mlflow_create_experiment"
                    | "mlflow_create_run"
                    | "mlflow_delete_run"
                    | "mlflow_restore_run"
            ) {
                continue; // They need nothing, or little enough for some of this to be a request.
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
