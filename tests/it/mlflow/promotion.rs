//! Governed aliases and the stage `Production`: inside what was approved it works, else it is refused, and there is no way around.

use serde_json::{Value, json};

use super::{API, Place, deployment, refused};
use crate::support::rebuilds;

/// Everything approved, and version 1 proposed: the board judges what was refused first.
fn approved() -> (Place, String) {
    let place = Place::new();
    place.govern();
    place.classify();
    place.post("registered-models/create", &json!({"name": "score"}));
    let version = place.version(1);
    refused(&place.alias("champion", &version), 403);
    place.approve();
    (place, version)
}

#[track_caller]
fn states(place: &Place) -> Vec<(String, String)> {
    let releases = place.s.ana.get("/api/v1/releases?sort=recorded").good();
    let text = |r: &Value, name: &str| r[name].as_str().unwrap().to_owned();
    releases["items"].as_array().unwrap().iter().map(|r| (text(r, "ref"), text(r, "state"))).collect()
}

#[test]
fn inside_what_was_approved_an_alias_starts_a_release_and_moves_on_and_back() {
    let (place, one) = approved();
    let two = place.version(2);
    place.alias("champion", &one).good();
    assert_eq!(states(&place), [("release:score-prod@1".to_owned(), "active".to_owned())]);
    place.alias("champion", &two).good();
    place.alias("champion", &one).good();
    let found = states(&place);
    assert!(found.contains(&("release:score-prod@1".into(), "active".into())), "{found:?}");
    assert!(found.contains(&("release:score-prod@2".into(), "standby".into())), "{found:?}");
    let stands = place.get("registered-models/alias?name=score&alias=champion");
    assert_eq!(stands["model_version"]["version"], one.as_str());
    rebuilds(&place.s.server.db);
}

#[test]
fn what_is_not_approved_is_refused_and_the_refusal_is_a_decision() {
    let place = Place::new();
    place.govern();
    place.post("registered-models/create", &json!({"name": "score"}));
    let version = place.version(1);
    let (code, message) = refused(&place.alias("champion", &version), 403);
    assert_eq!(code, "PERMISSION_DENIED");
    let id = message.split("/api/v1/decisions/").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let decision = place.s.audit.get(&format!("/api/v1/decisions/{id}")).good();
    assert_eq!(decision["spec"]["verdict"], "deny", "{decision:#}");
    refused(&place.trainer.get(&format!("{API}/registered-models/alias?name=score&alias=champion")), 400);
    rebuilds(&place.s.server.db);
}

#[test]
fn a_governed_alias_that_stands_for_nothing_is_refused_with_what_to_do() {
    let place = Place::new();
    place.post("registered-models/create", &json!({"name": "score"}));
    let version = place.version(1);
    for alias in ["champion", "Champion", "PRODUCTION"] {
        let (_, message) = refused(&place.alias(alias, &version), 403);
        assert!(message.contains("mlflow.model: score"), "{message}");
    }
    place.alias("challenger", &version).good();
}

#[test]
fn the_stage_of_old_is_governed_too() {
    let (place, version) = approved();
    let to = |stage: &str| {
        place.send(
            "POST",
            "model-versions/transition-stage",
            &json!({"name": "score", "version": version, "stage": stage, "archive_existing_versions": true}),
        )
    };
    to("Staging").good();
    assert_eq!(states(&place)[0].1, "proposed");
    assert_eq!(to("production").good()["model_version"]["current_stage"], "Production");
    assert_eq!(states(&place)[0].1, "active");
    place
        .send(
            "POST",
            "model-versions/transition-stage",
            &json!({"name": "score", "version": version, "stage": "Archived", "archive_existing_versions": false}),
        )
        .good();
    assert_eq!(states(&place)[0].1, "withdrawn");
}

#[test]
fn there_is_no_way_around_the_gate() {
    let (place, version) = approved();
    place.alias("champion", &version).good();
    // Another model may not come under the name, and what runs is not taken away by other means.
    place.post("registered-models/create", &json!({"name": "other"}));
    let copy = json!({"name": "other", "source": format!("models:/score/{version}")});
    place.post("model-versions/create", &copy);
    refused(
        &place.send("POST", "registered-models/alias", &json!({"name": "other", "alias": "champion", "version": "1"})),
        403,
    );
    refused(&place.send("POST", "registered-models/rename", &json!({"name": "score", "new_name": "gone"})), 403);
    refused(&place.send("DELETE", "registered-models/delete", &json!({"name": "score"})), 403);
    refused(&place.send("DELETE", "model-versions/delete", &json!({"name": "score", "version": version})), 403);
    // Bytes under a version stay what they are; the same again are the same.
    let source = place.get(&format!("model-versions/get-download-uri?name=score&version={version}"));
    let folder = source["artifact_uri"].as_str().unwrap().trim_start_matches("mlflow-artifacts:/").to_owned();
    refused(&place.put(&format!("{folder}/model.bin"), b"other bytes"), 403);
    refused(&place.put(&format!("{folder}/more.py"), b"import os"), 403);
    assert_eq!(place.put(&format!("{folder}/model.bin"), &[1; 2000]).status, 200);
    // The same by the other prefix.
    let ajax = place.trainer.post(
        "/ajax-api/2.0/mlflow/registered-models/alias",
        &json!({"name": "other", "alias": "champion", "version": "1"}),
    );
    refused(&ajax, 403);
    // A tag that is taken away leaves the gate where it is, as long as something runs.
    place.s.add("environments", json!({"key": "lab", "mode": "observe", "class": "lab"}));
    place.s.add("deployments", deployment("score-prod", "production", &json!({})));
    place.s.add("deployments", deployment("score-lab", "lab", &json!({"mlflow.model": "score"})));
    place.s.revoke("basis:scoring-contract", 0);
    let next = place.version(2);
    let (_, message) = refused(&place.alias("champion", &next), 403);
    assert!(message.contains("deployment:score-prod"), "{message}");
    assert_eq!(
        place.get("registered-models/alias?name=score&alias=champion")["model_version"]["version"],
        version.as_str()
    );
    rebuilds(&place.s.server.db);
}

#[test]
fn who_may_not_move_what_runs_does_not_by_an_alias() {
    let (place, version) = approved();
    let only = place.s.server.service("registrar", &place.s.ana, &["registrar"]);
    let body = json!({"name": "score", "alias": "champion", "version": version});
    let (_, message) = refused(&only.post(&format!("{API}/registered-models/alias"), &body), 403);
    assert!(message.contains("releaser"), "{message}");
    only.post(
        &format!("{API}/registered-models/alias"),
        &json!({"name": "score", "alias": "next", "version": version}),
    )
    .good();
    place.alias("champion", &version).good();
    let gone = only.send("DELETE", &format!("{API}/registered-models/alias"), &[], Some(body.to_string().as_bytes()));
    refused(&gone, 403);
    place.send("DELETE", "registered-models/alias", &body).good();
    assert_eq!(states(&place)[0].1, "withdrawn");
}

#[test]
fn bytes_nobody_has_are_not_promoted() {
    let (place, _) = approved();
    place.post("model-versions/create", &json!({"name": "score", "source": "s3://elsewhere/model"}));
    let (_, message) = refused(&place.alias("champion", "2"), 403);
    assert!(message.contains("Which bytes"), "{message}");
}

#[test]
fn a_version_of_one_file_keeps_its_bytes() {
    let (place, _) = approved();
    let run = place.post("runs/create", &json!({"experiment_id": "0", "start_time": 1_700_000_000_000_i64}));
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let file = format!("0/{run}/artifacts/model.pkl");
    assert_eq!(place.put(&file, b"bytes").status, 200);
    place.post(
        "model-versions/create",
        &json!({"name": "score", "source": format!("runs:/{run}/model.pkl"), "run_id": run}),
    );
    refused(&place.put(&file, b"other"), 403);
    assert_eq!(place.put(&file, b"bytes").status, 200, "the same again");
}

#[test]
fn two_governed_names_of_one_deployment_stand_for_one_version() {
    let (place, one) = approved();
    let two = place.version(2);
    place.alias("champion", &one).good();
    for alias in ["production", "Champion"] {
        let (_, message) = refused(&place.alias(alias, &two), 403);
        assert!(message.contains("the alias 'champion'") && message.contains("deployment:score-prod"), "{message}");
    }
    let staged = |archive: bool| json!({"name": "score", "version": two, "stage": "Production", "archive_existing_versions": archive});
    refused(&place.send("POST", "model-versions/transition-stage", &staged(true)), 403);
    // What stands for the same version is no other.
    place.alias("production", &one).good();
    place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "production"})).good();
    place.alias("champion", &two).good();
    // Two versions in production at once are one too many.
    place.send("POST", "model-versions/transition-stage", &staged(false)).good();
    place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "champion"})).good();
    let back = json!({"name": "score", "version": one, "stage": "Production", "archive_existing_versions": false});
    refused(&place.send("POST", "model-versions/transition-stage", &back), 403);
    let back = json!({"name": "score", "version": one, "stage": "Production", "archive_existing_versions": true});
    place.send("POST", "model-versions/transition-stage", &back).good();
    rebuilds(&place.s.server.db);
}

#[test]
fn what_was_read_to_learn_from_and_to_measure_on_is_in_the_model() {
    let place = Place::new();
    place.govern();
    place.classify();
    let run = place.post("runs/create", &json!({"experiment_id": "0", "start_time": 1_700_000_000_000_i64}));
    let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let mut read = super::inputs(&run, "s3", r#"{"uri": "s3://acme-raw/customers.parquet"}"#);
    let mut again = read["datasets"][0].clone();
    for (input, context) in [(&mut read["datasets"][0], "training"), (&mut again, "test")] {
        input["tags"] = json!([{"key": "mlflow.data.context", "value": context}]);
    }
    read["datasets"].as_array_mut().unwrap().push(again);
    place.post("runs/log-inputs", &read);
    let model = place.post("logged-models", &json!({"experiment_id": "0", "name": "model", "source_run_id": run}));
    let model = model["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    place.post("runs/outputs", &json!({"run_id": run, "models": [{"model_id": model, "step": 0}]}));
    assert_eq!(place.put(&format!("0/models/{model}/artifacts/model.bin"), &[1; 100]).status, 200);
    place.post("registered-models/create", &json!({"name": "score"}));
    place.post(
        "model-versions/create",
        &json!({"name": "score", "source": format!("models:/{model}"), "model_id": model}),
    );
    let exposure = place.s.audit.get("/api/v1/exposure?ref=model:score@1").good();
    assert!(exposure["contained"].to_string().contains("customers.parquet"), "{exposure:#}");
}

/// The id of the release with this number.
#[track_caller]
fn release(place: &Place, n: u32) -> String {
    let releases = place.s.ana.get("/api/v1/releases?sort=recorded").good();
    let named = format!("release:score-prod@{n}");
    let own = releases["items"].as_array().unwrap().iter().find(|r| r["ref"] == named.as_str()).unwrap();
    own["id"].as_str().unwrap().to_owned()
}

/// Let a release run, by the native door.
#[track_caller]
fn natively(place: &Place, n: u32) {
    let id = release(place, n);
    let version = place.s.ana.get(&format!("/api/v1/releases/{id}")).good();
    let model = version["spec"]["composition"][0]["model"].as_str().unwrap().to_owned();
    let files = place.s.ana.resolve(&model)["spec"]["files"].clone();
    place.s.ci.post(&format!("/api/v1/releases/{id}/activate"), &json!({"artifacts": files})).good();
}

#[test]
fn a_governed_name_follows_what_runs_whichever_door_it_was_moved_by() {
    let (place, one) = approved();
    let two = place.version(2);
    place.alias("champion", &one).good();
    place.alias("champion", &two).good();
    let stands = || place.trainer.get(&format!("{API}/registered-models/alias?name=score&alias=champion"));
    let version = || stands().good()["model_version"]["version"].as_str().unwrap().to_owned();
    let named = |number: &str| {
        let own = place.get(&format!("model-versions/get?name=score&version={number}"));
        own["model_version"]["aliases"].clone()
    };
    assert_eq!(version(), two);
    // Rolled back by the native door: the alias is where the deployment is, in every answer.
    natively(&place, 1);
    assert_eq!((version(), named(&one), named(&two)), (one.clone(), json!(["champion"]), Value::Null));
    let model = place.get("registered-models/get?name=score");
    assert_eq!(model["registered_model"]["aliases"], json!([{"alias": "champion", "version": one}]));
    let found = place.get("registered-models/search");
    assert_eq!(found["registered_models"][0]["aliases"], json!([{"alias": "champion", "version": one}]));
    let found = place.get("model-versions/search?filter=name%3D%27score%27&order_by=version_number%20ASC");
    assert_eq!(found["model_versions"][0]["aliases"], json!(["champion"]), "{found:#}");
    // What runs is held to its name, and so is what the name was set to.
    for number in [&one, &two] {
        let delete = json!({"name": "score", "version": number});
        refused(&place.send("DELETE", "model-versions/delete", &delete), 403);
    }
    // Another governed name of the deployment goes with what runs.
    refused(&place.alias("production", &two), 403);
    place.alias("production", &one).good();
    place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "production"})).good();
    assert_eq!(version(), one, "another name still stands for it");
    // Taken away, what runs by it is withdrawn, whatever it was set to.
    place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "champion"})).good();
    assert!(states(&place).contains(&("release:score-prod@1".into(), "withdrawn".into())), "{:?}", states(&place));
    rebuilds(&place.s.server.db);
}

#[test]
fn a_governed_name_of_what_was_withdrawn_stands_for_nothing() {
    let (place, one) = approved();
    place.alias("champion", &one).good();
    let id = release(&place, 1);
    place.s.ci.post(&format!("/api/v1/releases/{id}/withdraw"), &json!({"reason": "It ended."})).good();
    let stands = place.trainer.get(&format!("{API}/registered-models/alias?name=score&alias=champion"));
    let (_, message) = refused(&stands, 400);
    assert!(message.contains("champion not found"), "{message}");
    assert_eq!(place.get("registered-models/get?name=score")["registered_model"]["aliases"], Value::Null);
    // It is set again by the gate, as what is new.
    place.alias("champion", &one).good();
    rebuilds(&place.s.server.db);
}

#[test]
fn the_stage_of_old_follows_what_runs_too() {
    let (place, one) = approved();
    let two = place.version(2);
    let to = |version: &str, stage: &str, archive: bool| {
        let body = json!({"name": "score", "version": version, "stage": stage, "archive_existing_versions": archive});
        place.send("POST", "model-versions/transition-stage", &body)
    };
    let stage = |version: &str| {
        let own = place.get(&format!("model-versions/get?name=score&version={version}"));
        own["model_version"]["current_stage"].as_str().unwrap().to_owned()
    };
    to(&one, "Production", true).good();
    to(&two, "Production", true).good();
    natively(&place, 1);
    assert_eq!((stage(&one), stage(&two)), ("Production".to_owned(), "Archived".to_owned()));
    let latest = place.get("registered-models/get-latest-versions?name=score&stages=Production");
    assert_eq!(latest["model_versions"][0]["version"], one.as_str());
    // Leaving it withdraws what runs, and leaves no other behind that does not.
    to(&one, "Staging", false).good();
    assert!(states(&place).iter().all(|(_, state)| state != "active"), "{:?}", states(&place));
    assert_eq!((stage(&one), stage(&two)), ("Staging".to_owned(), "Archived".to_owned()));
    rebuilds(&place.s.server.db);
}

#[test]
fn what_leads_to_a_deployment_is_approved_with_it() {
    let (place, one) = approved();
    // Said on promotion: which deployment moved, and by whose word.
    let answer = place.alias("champion", &one).good();
    assert_eq!(answer["licit"][0]["deployment"], "deployment:score-prod", "{answer:#}");
    assert_eq!(answer["licit"][0]["revision"], 1);
    assert!(answer["licit"][0]["stated_by"].as_str().unwrap().starts_with("actor:"), "{answer:#}");
    // A registrar lets one more name lead to it: the board did not see that.
    place.s.add("deployments", deployment("score-prod", "production", &json!({"mlflow.model": "score"})));
    let two = place.version(2);
    let (_, message) = refused(&place.alias("champion", &two), 403);
    assert!(message.contains("`mlflow:score` leads to it is new"), "{message}");
    assert!(message.contains("tags of its revision 2, which `actor:"), "{message}");
    // Fewer are inside.
    place.s.add(
        "deployments",
        deployment("score-prod", "production", &json!({"mlflow.model": "score", "mlflow.alias": "champion"})),
    );
    place.alias("champion", &two).good();
}

/// A second deployment of the model, approved, which the same names lead to.
#[track_caller]
fn second(place: &Place, tags: &Value) {
    place.s.add("deployments", deployment("score-other", "production", tags));
    let release =
        json!({"deployment": "deployment:score-other", "composition": [{"part": "base", "model": "model:score@1"}]});
    place.s.ana.post("/api/v1/releases", &release).good();
    place.s.approve(&["deployment:score-other"]);
}

/// What runs, sorted.
#[track_caller]
fn active(place: &Place) -> Vec<String> {
    let mut found: Vec<String> =
        states(place).into_iter().filter(|(_, state)| state == "active").map(|(release, _)| release).collect();
    found.sort();
    found
}

/// Who registers, and may not move what runs.
fn registrar(place: &Place, method: &str, path: &str, body: &Value) -> harness::Answer {
    let only = place.s.server.service("only", &place.s.ana, &["registrar"]);
    only.send(method, &format!("{API}/{path}"), &[], Some(body.to_string().as_bytes()))
}

#[test]
fn leaving_the_stage_asks_for_the_role_whatever_runs_by_it() {
    let (place, one) = approved();
    let two = place.version(2);
    let to = |version: &str, stage: &str| json!({"name": "score", "version": version, "stage": stage, "archive_existing_versions": stage == "Production"});
    let path = "model-versions/transition-stage";
    for version in [&two, &one] {
        place.send("POST", path, &to(version, "Production")).good();
    }
    // The deployment is moved on by the native door: the version that was set to the stage is shown as archived, and is still said.
    natively(&place, 2);
    let own = place.get(&format!("model-versions/get?name=score&version={one}"));
    assert_eq!(own["model_version"]["current_stage"], "Archived");
    let (_, message) = refused(&registrar(&place, "POST", path, &to(&one, "None")), 403);
    assert!(message.contains("releaser"), "{message}");
    let own = place.get("registered-models/get-latest-versions?name=score&stages=Production");
    assert_eq!(own["model_versions"][0]["version"], two.as_str());
    place.send("POST", path, &to(&one, "None")).good();
    assert_eq!(active(&place), [] as [&str; 0], "what ran by the stage ran on without it");
    rebuilds(&place.s.server.db);
}

#[test]
fn a_name_taken_away_takes_what_all_its_deployments_run() {
    let both = json!({"mlflow.model": "score", "mlflow.alias": "champion, production"});
    for stage in [false, true] {
        let (place, one) = approved();
        let two = place.version(2);
        second(&place, &both);
        let staged = |version: &str, stage: &str| json!({"name": "score", "version": version, "stage": stage, "archive_existing_versions": stage == "Production"});
        let path = "model-versions/transition-stage";
        let set = |version: &str| match stage {
            true => place.send("POST", path, &staged(version, "Production")).good(),
            false => place.alias("champion", version).good(),
        };
        set(&one);
        set(&two);
        // One of the two goes back by the native door: the name is shown as nothing.
        natively(&place, 1);
        assert_eq!(active(&place).len(), 2, "{:?}", states(&place));
        // Another name that leads to both is not set past it.
        if stage {
            let (_, message) = refused(&place.alias("champion", &one), 403);
            assert!(message.contains("the stage 'Production'"), "{message}");
            refused(&registrar(&place, "POST", path, &staged(&two, "None")), 403);
            place.send("POST", path, &staged(&two, "None")).good();
        } else {
            let (_, message) = refused(&place.alias("production", &one), 403);
            assert!(message.contains("the alias 'champion'"), "{message}");
            place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "champion"})).good();
        }
        assert_eq!(active(&place), [] as [&str; 0], "{:?}", states(&place));
        rebuilds(&place.s.server.db);
    }
}

#[test]
fn what_another_name_leads_to_runs_on() {
    let (place, one) = approved();
    second(&place, &json!({"mlflow.model": "score", "mlflow.alias": "champion"}));
    place.alias("champion", &one).good();
    place.alias("production", &one).good();
    place.send("DELETE", "registered-models/alias", &json!({"name": "score", "alias": "champion"})).good();
    assert_eq!(active(&place).len(), 1, "{:?}", states(&place));
    assert!(active(&place)[0].starts_with("release:score-prod@"), "{:?}", active(&place));
}
