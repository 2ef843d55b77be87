//! Webhooks in the form of MLflow: after the commit, signed, and never with a secret shown.

use harness::receiver::{Receiver, wait};
use licit_schemas::digest::Digest;
use serde_json::{Value, json};

use super::{API, Place, base64, refused};
use crate::support::rebuilds;

/// HMAC-SHA-256 (RFC 2104), by hand.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|byte| byte ^ with).to_vec();
    let inner = Digest::of(&[pad(0x36), text.to_vec()].concat());
    *Digest::of(&[pad(0x5c), inner.as_bytes().to_vec()].concat()).as_bytes()
}

fn events(list: &[(&str, &str)]) -> Value {
    json!(list.iter().map(|(entity, action)| json!({"entity": entity, "action": action})).collect::<Vec<_>>())
}

#[test]
fn receivers_are_told_in_the_form_they_know_and_the_signature_holds() {
    let place = Place::with(&["--webhooks-allow-private", "--webhooks-retry", "1,1,1,1"]);
    let (admin, receiver) = (place.s.server.admin(), Receiver::start());
    let told =
        events(&[("MODEL_VERSION", "CREATED"), ("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_TAG", "SET")]);
    let made = admin
        .post(
            &format!("{API}/webhooks"),
            &json!({"name": "gov", "url": receiver.url, "events": told, "secret": "s3cr3t"}),
        )
        .good();
    assert_eq!((&made["webhook"]["status"], &made["webhook"]["events"]), (&json!("ACTIVE"), &told));
    assert!(!made.to_string().contains("s3cr3t"));
    let path = format!("{API}/webhooks/{}", made["webhook"]["webhook_id"].as_str().unwrap());

    let tried = admin.post(&format!("{path}/test"), &json!({})).good();
    assert_eq!(
        (&tried["result"]["success"], &tried["result"]["response_status"]),
        (&json!(true), &json!(200)),
        "{tried}"
    );

    place.post("registered-models/create", &json!({"name": "m"}));
    place.post(
        "model-versions/create",
        &json!({"name": "m", "source": "s3://b/1", "tags": [{"key": "k", "value": "v"}]}),
    );
    place.post("model-versions/set-tag", &json!({"name": "m", "version": "1", "key": "approved", "value": "yes"}));
    place.post("registered-models/alias", &json!({"name": "m", "alias": "hooked", "version": "1"}));
    let posted = receiver.wait(4);
    let kinds: Vec<String> = posted
        .iter()
        .map(|p| format!("{}.{}", p.json()["entity"].as_str().unwrap(), p.json()["action"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        ["model_version.created", "model_version.created", "model_version_tag.set", "model_version_alias.created"]
    );
    assert_eq!(posted[0].json()["data"]["name"], "example_model");
    assert_eq!(
        posted[1].json()["data"],
        json!({"name": "m", "version": "1", "source": "s3://b/1", "run_id": "", "tags": {"k": "v"}, "description": ""})
    );
    assert_eq!(posted[3].json()["data"], json!({"name": "m", "alias": "hooked", "version": "1"}));
    for one in &posted {
        let signed =
            format!("{}.{}.{}", one.header("x-mlflow-delivery-id"), one.header("x-mlflow-timestamp"), one.body);
        assert_eq!(one.header("x-mlflow-signature"), format!("v1,{}", base64(&hmac(b"s3cr3t", signed.as_bytes()))));
    }

    // Put off, it is told nothing; under another secret it is told by that.
    let change = |body: Value| admin.send("PATCH", &path, &[], Some(body.to_string().as_bytes())).good();
    assert_eq!(change(json!({"status": "DISABLED", "name": "gov2"}))["webhook"]["name"], "gov2");
    place.post("model-versions/set-tag", &json!({"name": "m", "version": "1", "key": "a", "value": "b"}));
    change(json!({"status": "ACTIVE", "secret": "other"}));
    place.post("model-versions/set-tag", &json!({"name": "m", "version": "1", "key": "c", "value": "d"}));
    let last = wait(|| receiver.posted().into_iter().find(|p| p.body.contains("\"c\"")));
    let signed = format!("{}.{}.{}", last.header("x-mlflow-delivery-id"), last.header("x-mlflow-timestamp"), last.body);
    assert_eq!(last.header("x-mlflow-signature"), format!("v1,{}", base64(&hmac(b"other", signed.as_bytes()))));
    admin.send("DELETE", &path, &[], None).good();
    assert_eq!(admin.get(&format!("{API}/webhooks")).good(), json!({}));
    assert!(!place.s.server.db.sql("SELECT data FROM ledger_entry").contains("s3cr3t"));
    assert_eq!(place.s.server.db.sql("SELECT count(*) FROM webhook").trim(), "0");
    rebuilds(&place.s.server.db);
}

#[test]
fn the_network_of_the_server_is_no_receiver() {
    let place = Place::new();
    let admin = place.s.server.admin();
    let created = events(&[("MODEL_VERSION", "CREATED")]);
    for url in ["http://127.0.0.1:9/", "http://169.254.169.254/latest", "ftp://example.com/", "http://u:p@8.8.8.8/"] {
        let body = json!({"name": "w", "url": url, "events": created});
        refused(&admin.post(&format!("{API}/webhooks"), &body), 400);
    }
    let body = json!({"name": "w", "url": "http://192.0.2.1/", "events": events(&[("MODEL_VERSION", "SOLD")])});
    refused(&admin.post(&format!("{API}/webhooks"), &body), 400);
    refused(&place.trainer.get(&format!("{API}/webhooks")), 403);
    refused(&admin.get(&format!("{API}/webhooks/none")), 404);
}
