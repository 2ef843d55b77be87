//! A model goes from one registry to another with its passport: whose data are behind it is known there by signature, and what these
//! people were promised binds.

use harness::Scenario;
use harness::scenario::{
    AGE, basis, deployment, finding, findings, in_days, model_version, notice, party, purpose, system, training,
};
use licit_schemas::digest::Digest;
use licit_schemas::proof::key::SecretKey;
use licit_schemas::proof::passport::Passport;
use licit_schemas::proof::passport::verify::{Asked, verify};
use licit_schemas::proof::statement::Statement;
use licit_schemas::proof::trust::{Outcome, Verified};
use serde_json::{Value, json};

use crate::ledger::ring;
use crate::receipts::keys;
use crate::support::{licit, rebuilds};

mod renewed;

const MARKETING: &str = "https://w3id.org/dpv#Marketing";

/// Who made the model: an approved release, from people who were promised something.
fn vendor(commitments: &[&str]) -> Scenario {
    vendor_of("score", commitments)
}

/// The same, of a model of another name.
pub(crate) fn vendor_of(name: &str, commitments: &[&str]) -> Scenario {
    let renamed = |value: Value| -> Value {
        serde_json::from_str(&value.to_string().replace("model:score", &format!("model:{name}"))).unwrap()
    };
    let s = Scenario::empty();
    s.add("parties", party("acme"));
    s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
    s.add("datasets", json!({"namespace": "crm", "name": "people", "owner": "crm-team"}));
    s.add("purposes", purpose("scoring"));
    let mut ads = purpose("ads");
    ads["iri"] = json!(MARKETING);
    s.add("purposes", ads);
    let mut told = notice("customers", &["scoring"]);
    let words = json!({"en": "We never do that.", "fr": "Nous ne faisons jamais cela."});
    told["promises"] = commitments.iter().map(|c| json!({"commitment": c, "words": words})).collect();
    s.inform(told);
    s.add("dataset-versions", harness::scenario::people("1"));
    s.add("models", json!({"name": name, "owner": "ml-team"}));
    let mut version = model_version("1", "1");
    version["files"] = json!([{"path": "model.json", "digest": Digest::of(b"weights").to_string(), "size": 7}]);
    s.add("model-versions", renamed(version));
    s.add("runs", renamed(training("1", "1")));
    s.add("bases", basis("scoring-contract", "scoring"));
    s.add("systems", system());
    s.add("deployments", deployment());
    let release =
        json!({"deployment": "deployment:score-prod", "composition": [{"part": "base", "model": "model:score@1"}]});
    s.add("releases", renamed(release));
    s.approve(&FOUR);
    s.activate("release:score-prod@1").good();
    s
}

fn passport(s: &Scenario) -> harness::Answer {
    passport_of(s, "model:score@1")
}

pub(crate) fn passport_of(s: &Scenario, model: &str) -> harness::Answer {
    let id = s.ana.resolve(model)["id"].as_str().unwrap().to_owned();
    s.audit.get(&format!("/api/v1/model-versions/{id}/passport"))
}

fn held(s: &Scenario, passport: &Value) -> Verified<Statement<Passport>> {
    let (keys, at) = (keys(s), licit_server::clock::now());
    verify(passport.to_string().as_bytes(), &Asked { keys: &keys, at, max_age: None, files: None })
}

/// Who takes it in: parties, and nothing else.
fn hospital() -> Scenario {
    let s = Scenario::empty();
    s.add("parties", party("vendor"));
    s.add("parties", party("acme"));
    s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
    s
}

fn key(s: &Scenario) -> String {
    ring(&s.audit).keys[0].key.to_string()
}

pub(crate) fn taking(from: &Scenario, passport: &Value) -> Value {
    json!({"passport": passport, "keys": [key(from)], "provider": "party:vendor", "holder": "party:acme", "owner": "ml-team"})
}

/// Everything around the model that was taken in: a purpose, a basis for the people behind it, a deployment that reads nobody.
fn put_to_use(s: &Scenario, iri: &str) {
    let mut purpose = purpose("scoring");
    purpose["iri"] = json!(iri);
    s.add("purposes", purpose);
    s.inform(notice("customers", &["scoring"]));
    let mut covering = basis("scoring-contract", "scoring");
    covering["covers"]["datasets"] = json!(["dataset:passport/score-1"]);
    s.add("bases", covering);
    s.add("systems", system());
    let mut deployed = deployment();
    deployed["reads"] = json!({"nobody": "It reads nobody."});
    s.add("deployments", deployed);
    s.release("1");
}

const FOUR: [&str; 4] = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];

#[test]
fn a_passport_says_what_is_behind_a_model_and_not_who() {
    let s = vendor(&["never_sold", "not_for:ads"]);
    let passport = passport(&s).good();
    let verified = held(&s, &passport);
    assert_eq!(verified.outcome(), Outcome::Holds, "{verified:#?}");
    let said = verified.statement.unwrap().predicate;
    assert_eq!((said.model.as_str(), said.files.len()), ("model:score@1", 1));
    let people = &said.exposure[0];
    assert_eq!((said.exposure.len(), people.sources, people.promises_known), (1, 1, true), "{said:#?}");
    assert!(people.categories.iter().any(|iri| iri.as_str() == AGE));
    assert_eq!(json!([people.reach, people.identifiability]), json!(["contained", "direct"]));
    let commitments: Vec<&str> = people.promises.iter().map(|p| p.commitment.as_str()).collect();
    assert_eq!(commitments, ["never_sold", "not_for:ads"]);
    assert_eq!(people.promises[1].purposes["ads"].as_str(), MARKETING);
    assert_eq!(
        json!(said.bases),
        json!([
            {"stage": "deployment", "legal_basis": "art6_1_b"}, {"stage": "training", "legal_basis": "art6_1_b"},
        ])
    );
    let stages: Vec<(&str, &str)> = said.purposes.iter().map(|p| (p.stage.as_str(), p.key.as_str())).collect();
    assert_eq!(stages, [("deployment", "scoring"), ("training", "scoring")]);
    // Neither names of datasets, nor data of entries, nor people.
    let whole = serde_json::to_string(&said).unwrap() + &passport.to_string();
    for hidden in ["crm", "people@", "Ana", "dataset:"] {
        assert!(!whole.contains(hidden), "{hidden}: {whole}");
    }
    assert_eq!((passport["decision"].get("data"), passport["model"].get("data")), (None, None));
    s.server.nobody().get(&format!("/api/v1/model-versions/{}/passport", uuid::Uuid::nil())).problem(401);
    s.audit.get(&format!("/api/v1/model-versions/{}/passport", uuid::Uuid::nil())).problem(404);
}

#[test]
fn what_the_gate_would_refuse_has_none() {
    let s = Scenario::approved();
    let refused = |words: &str| {
        let problem = passport(&s).problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem:#}");
    };
    refused("no release with it was ever allowed");
    s.activate("release:score-prod@1").good();
    assert_eq!(held(&s, &passport(&s).good()).outcome(), Outcome::Holds);
    s.revoke("basis:scoring-contract", 0);
    refused("`basis.approved`");
}

#[test]
fn its_people_are_sources_where_it_is_taken_in() {
    let from = vendor(&[]);
    let passport = passport(&from).good();
    let s = hospital();
    let answer = s.ana.post("/api/v1/passports", &taking(&from, &passport));
    assert_eq!(answer.status, 201);
    let taken = answer.good();
    assert_eq!(
        (&taken["model"], &taken["datasets"]),
        (&json!("model:score@1"), &json!(["dataset:passport/score-1@1"]))
    );
    let again = s.ana.post("/api/v1/passports", &taking(&from, &passport));
    assert_eq!((again.status, &again.good()["id"]), (200, &taken["id"]));
    // What reaches the model is known.
    let exposure = s.audit.get("/api/v1/exposure?ref=model:score@1").good();
    assert_eq!(
        (&exposure["contained"][0]["ref"], &exposure["identifiability"]),
        (&json!("dataset:passport/score-1@1"), &json!("direct"))
    );
    assert_eq!(exposure["contained"][0]["path"], json!(["model:score@1", "dataset:passport/score-1@1"]));
    put_to_use(&s, "https://w3id.org/dpv#ServiceProvision");
    s.approve(&FOUR);
    // Nobody's signature takes the place of the board's.
    let decision = s.dry("start");
    let open = finding(&decision, "lineage.complete").unwrap();
    assert!(open["sentence"].as_str().unwrap().contains("the board has not approved it"), "{open:#}");
    s.approve(&[taken["assessment"].as_str().unwrap(), "deployment:score-prod"]);
    let decision = s.dry("start");
    assert_eq!((&decision["verdict"], findings(&decision)), (&json!("allow"), vec![]), "{decision:#}");
    // For another purpose than theirs, somebody has to find it compatible.
    let mut other = purpose("scoring");
    other["iri"] = json!("https://w3id.org/dpv#Marketing");
    s.add("purposes", other);
    s.approve(&["purpose:scoring@2"]);
    let mut moved = deployment();
    moved["reads"] = json!({"nobody": "It reads nobody."});
    moved["purpose"] = json!("purpose:scoring@2");
    s.add("deployments", moved);
    let asked = finding(&s.dry("start"), "compatibility").unwrap();
    let sentence = asked["sentence"].as_str().unwrap();
    assert!(asked["status"] == "unmet" && sentence.contains("`https://w3id.org/dpv#ServiceProvision`"), "{asked:#}");
    let mut back = deployment();
    back["reads"] = json!({"nobody": "It reads nobody."});
    back["purpose"] = json!("purpose:scoring@1");
    s.add("deployments", back);
    // When it ends, it counts as nothing.
    let later = s.dry_at("start", Some(&in_days(91)));
    let ended = finding(&later, "lineage.complete").unwrap();
    assert_eq!((&ended["status"], &ended["node"]), (&json!("expired"), &json!("model:score@1")), "{ended:#}");
    // Without a basis for the people behind it, it may not run.
    s.revoke("basis:scoring-contract", 0);
    assert!(finding(&s.dry("start"), "source.covered").is_some());
    crate::support::rebuilds(&s.server.db);
    let list = s.audit.get("/api/v1/passports").good();
    assert_eq!(list["items"][0]["spec"]["says"]["model"], "model:score@1");
}

#[test]
fn what_its_people_were_promised_binds() {
    // By the vendor's word, and whether this registry's deployment for a purpose breaks it.
    for (commitments, iri, status) in [
        (&["not_for:ads"][..], "https://w3id.org/dpv#ServiceProvision", None),
        (&["not_for:ads"], MARKETING, Some("unmet")),
        // A narrower purpose is within.
        (&["not_for:ads"], "https://w3id.org/dpv#DirectMarketing", Some("unmet")),
    ] {
        let from = vendor(commitments);
        let passport = passport(&from).good();
        let s = hospital();
        let taken = s.ana.post("/api/v1/passports", &taking(&from, &passport)).good();
        put_to_use(&s, iri);
        s.approve(&[&FOUR[..], &[taken["assessment"].as_str().unwrap()]].concat());
        let decision = s.dry("start");
        let found = finding(&decision, "promise");
        assert_eq!(found.as_ref().map(|f| f["status"].as_str().unwrap()), status, "{iri} {decision:#}");
        if let Some(found) = found {
            let sentence = found["sentence"].as_str().unwrap();
            assert!(
                sentence.contains("“We never do that.”") && sentence.contains("https://licit.invalid/"),
                "{sentence}"
            );
            assert_eq!(found["path"], json!(["release:score-prod@1", "model:score@1", "dataset:passport/score-1@1"]));
        }
    }
}

#[test]
fn what_nobody_trusted_signed_counts_as_nothing() {
    let from = vendor(&[]);
    let passport = passport(&from).good();
    let s = hospital();
    let refused = |body: Value, words: &str| {
        let problem = s.ana.post("/api/v1/passports", &body).problem(422);
        let told = problem["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(told.starts_with(words), "{words}: {problem:#}");
    };
    let other = SecretKey::from_seed(&[9; 32]).public().to_string();
    let mut body = taking(&from, &passport);
    body["keys"] = json!([other]);
    refused(body, "signature: ");
    let mut unsigned = passport.clone();
    unsigned["envelope"]["signatures"] = json!([]);
    refused(taking(&from, &unsigned), "signature: ");
    let mut entry = passport.clone();
    entry["decision"]["entry"]["seq"] = json!(1);
    refused(taking(&from, &entry), "decision: ");
    let mut body = taking(&from, &passport);
    body["artifacts"] = json!([{"path": "model.json", "digest": Digest::of(b"other").to_string()}]);
    refused(body, "artifact: ");
    let mut body = taking(&from, &passport);
    body["provider"] = json!("party:nobody");
    refused(body, "there is no `party:nobody`");
    assert_eq!(s.audit.get("/api/v1/model-versions").good()["items"], json!([]), "all or nothing");
    s.ci.post("/api/v1/passports", &taking(&from, &passport)).problem(403);
    // The right files are no fault.
    let mut body = taking(&from, &passport);
    body["artifacts"] = json!([{"path": "model/model.json", "digest": Digest::of(b"weights").to_string()}]);
    s.ana.post("/api/v1/passports", &body).good();
}

#[test]
fn the_commands_export_and_import() {
    let from = vendor(&["never_sold"]);
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("model")).unwrap();
    std::fs::write(at("model/model.json"), "weights").unwrap();
    std::fs::write(at("vendor.pub"), format!("# the vendor\n{}\n", key(&from))).unwrap();
    let file = at("score.passport");
    let (code, out, said) = licit(&from.audit, &["export", "--passport", "model:score@1", "-o", &file]);
    assert_eq!(code, 0, "{out}{said}");
    let s = hospital();
    let nobody = s.server.nobody();
    let (code, out, said) = licit(&nobody, &["verify", &file, "--key", &at("vendor.pub"), "--artifact", &at("model")]);
    assert!(code == 0 && out.contains("VALID") && out.contains("model:score@1"), "{code} {out}{said}");
    assert_eq!(licit(&nobody, &["verify", &file, "--key", &at("vendor.pub"), "--at", &in_days(100)]).0, 3);
    let import = |key: &str, artifact: &str| {
        let (key, artifact) = (at(key), at(artifact));
        licit(
            &s.ana,
            &["import", &file, "--key", &key, "--provider", "vendor", "--holder", "acme", "--artifact", &artifact],
        )
    };
    std::fs::create_dir(at("other")).unwrap();
    std::fs::write(at("other/model.json"), "else").unwrap();
    assert_eq!(import("vendor.pub", "other").0, 3);
    std::fs::write(at("other.pub"), SecretKey::from_seed(&[9; 32]).public().to_string()).unwrap();
    assert_eq!(import("other.pub", "model").0, 4);
    let (code, out, said) = import("vendor.pub", "model");
    assert!(
        code == 0 && out.contains("dataset:passport/score-1@1") && out.contains("ask the board"),
        "{code} {out}{said}"
    );
}

#[test]
fn nobody_else_says_what_takes_the_place_of_a_passport() {
    let (first, other, s) = (vendor(&["never_sold"]), vendor(&[]), hospital());
    let old = passport(&first).good();
    std::thread::sleep(std::time::Duration::from_millis(3));
    let new = passport(&first).good();
    s.ana.post("/api/v1/passports", &taking(&first, &new)).good();
    assert_eq!(s.ana.post("/api/v1/passports", &taking(&first, &new)).good()["outcome"], "unchanged");
    // Signed before the one that was taken in; signed by somebody else, of the same model and the same files.
    let problem = s.ana.post("/api/v1/passports", &taking(&first, &old)).problem(409);
    assert!(problem.to_string().contains("a later one was taken in before"), "{problem}");
    let strange = passport(&other).good();
    let problem = s.ana.post("/api/v1/passports", &taking(&other, &strange)).problem(409);
    assert!(problem.to_string().contains("another key, or another registry"), "{problem}");
    rebuilds(&s.server.db);
}
