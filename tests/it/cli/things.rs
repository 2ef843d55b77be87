//! Registering and finding things: manifests, lists, history, edges, people.

use harness::{Client, Scenario};
use serde_json::Value;

use super::{bare, pipeline, typed};
use crate::support::licit;

#[track_caller]
fn done(client: &Client, args: &[&str]) -> String {
    let (code, out, said) = licit(client, args);
    assert_eq!((code, said.as_str()), (0, ""), "licit {args:?}: {out}");
    out
}

#[test]
fn a_manifest_is_planned_registered_and_explained() {
    let s = Scenario::approved();
    let desk = pipeline();
    let file = desk.path().join("licit.yaml");
    let file = file.to_str().unwrap();
    let seen = done(&s.ana, &["register", "-f", file, "--dry-run"]);
    assert!(seen.contains("nothing was sent"), "{seen}");
    let (code, planned, _) = licit(&s.ana, &["plan", "-f", file]);
    assert_eq!(code, 3, "{planned}");
    assert!(planned.contains("dataset:crm/visits@1") && planned.contains("nothing was written"), "{planned}");
    assert_eq!(licit(&s.ana, &["dataset", "show", "crm/visits@1"]).0, 1, "a plan writes nothing");
    let registered = done(&s.ana, &["register", "-f", file]);
    assert!(registered.contains("model:score@visits-1") && registered.contains("created"), "{registered}");
    let again = done(&s.ana, &["register", "-f", file]);
    assert!(again.contains("unchanged") && !again.contains("created"), "{again}");
    // Other bytes under the same version are refused, and the answer says what differs.
    std::fs::write(desk.path().join("model.bin"), "other weights").unwrap();
    let (code, _, said) = licit(&s.ana, &["register", "-f", file]);
    assert_eq!(code, 1);
    assert!(said.contains("/files/0/digest"), "{said}");

    let (code, explained, _) = licit(&s.ci, &["explain", "score-prod"]);
    assert_eq!(code, 0, "{explained}");
    for word in ["the deployment", "approvals", "dataset:crm/people@1", "basis:scoring-contract"] {
        assert!(explained.contains(word), "`{word}` in {explained}");
    }
}

#[test]
fn lists_are_sorted_narrowed_and_paged() {
    let s = Scenario::registered();
    for name in ["b", "a", "c"] {
        done(&s.ana, &["party", "create", name, "--name", &format!("Bureau {name}")]);
    }
    let listed = |args: &[&str]| -> Vec<String> {
        let out = done(&s.ci, &[&["party", "list", "--json", "--q", "bureau"], args].concat());
        let page: Value = serde_json::from_str(&out).unwrap();
        page["items"].as_array().unwrap().iter().map(|item| item["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed(&[]), ["party:c", "party:a", "party:b"]);
    assert_eq!(listed(&["--sort", "newest"]), ["party:c", "party:a", "party:b"]);
    assert_eq!(listed(&["--sort", "oldest"]), ["party:b", "party:a", "party:c"]);
    assert_eq!(listed(&["--sort", "name"]), ["party:a", "party:b", "party:c"]);
    assert_eq!(listed(&["--sort", "name", "--limit", "2"]), ["party:a", "party:b"]);
    assert_eq!(listed(&["--ref", "party:a"]), ["party:a"]);
    assert_eq!(listed(&["--ref", "a"]), ["party:a"], "as people shorten it");
    assert!(done(&s.ci, &["party", "list", "--limit", "1"]).contains("there is more"));
}

#[test]
fn history_shows_every_state() {
    let s = Scenario::registered();
    done(&s.ana, &["dataset", "life", "crm/people@1", "restricted"]);
    let out = done(&s.ci, &["history", "dataset:crm/people@1"]);
    assert!(out.contains("held") && out.contains("restricted"), "{out}");
    let page: Value = serde_json::from_str(&done(&s.ci, &["history", "dataset:crm/people@1", "--json"])).unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    for reference in [
        "party:acme",
        "dataset:crm/people",
        "model:score",
        "model:score@1",
        "system:scorer",
        "environment:production",
        "deployment:score-prod",
        "release:score-prod@1",
        "purpose:scoring",
        "basis:scoring-contract@1",
    ] {
        assert!(done(&s.ci, &["history", reference]).contains(reference), "{reference}");
    }
    let (code, _, said) = licit(&s.ci, &["history", "delegation:01939f00-0000-7000-8000-000000000000"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn an_edge_that_became_known_late_is_recorded() {
    let s = Scenario::registered();
    let run = s.ana.get("/api/v1/runs").good()["items"][0]["ref"].as_str().unwrap().to_owned();
    let mut notes = harness::scenario::people("1");
    notes["dataset"] = "dataset:crm/notes".into();
    s.add("datasets", serde_json::json!({"namespace": "crm", "name": "notes"}));
    s.add("dataset-versions", notes);
    let out = done(&s.ana, &["edge", "create", "used", &run, "dataset:crm/notes@1", "--role", "bias-check"]);
    assert!(out.contains("recorded") && out.contains("dataset:crm/notes@1"), "{out}");
    assert!(done(&s.ci, &["lineage", "model:score@1"]).contains("dataset:crm/notes@1"));
    let file = |text: &str| {
        let mut command = bare();
        command.env("LICIT_URL", &s.ana.url).env("LICIT_TOKEN", s.ana.token.as_deref().unwrap());
        typed(command.args(["edge", "create", "-f", "-"]), text)
    };
    // A deployment may read what it wrote: that closes a cycle, and walks go on.
    let (code, _, said) = file("kind: emits\nfrom: dataset:crm/notes@1\nto: deployment:score-prod\norigin: observed\n");
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = file("kind: emits\nfrom: 3\n");
    assert_eq!(code, 1);
    assert!(said.contains("stdin:2:1: /from"), "{said}");
}

#[test]
fn people_get_tokens_and_lose_them() {
    let s = Scenario::empty();
    let admin = s.server.admin();
    let created: Value = serde_json::from_str(&done(&admin, &["actor", "create", "person", "Eve", "--json"])).unwrap();
    let id = created["id"].as_str().unwrap();
    assert!(done(&admin, &["actor", "list", "--sort", "newest"]).contains("Eve"));
    let args = ["token", "create", id, "--role", "viewer", "--role", "works_council", "--label", "eve", "--json"];
    let issued: Value = serde_json::from_str(&done(&admin, &args)).unwrap();
    let eve = Client::new(&admin.url, issued["token"].as_str());
    assert!(done(&eve, &["whoami"]).contains("viewer works_council"));
    assert!(done(&admin, &["token", "list"]).contains("eve"));
    assert!(done(&admin, &["token", "list", "--json"]).contains("works_council"));
    done(&admin, &["token", "revoke", issued["id"].as_str().unwrap()]);
    assert_eq!(licit(&eve, &["whoami"]).0, 1);
}

#[test]
fn terms_are_shown_whole_and_an_unknown_vocabulary_is_refused() {
    let s = Scenario::empty();
    let seen = done(&s.audit, &["vocabulary", "dpv_gdpr_other"]);
    let iri = "https://w3id.org/dpv/legal/eu/gdpr#CertificationMechanismsForDataTransfers";
    assert!(seen.lines().any(|line| line.trim() == iri), "{seen}");
    assert!(seen.lines().all(|line| line.chars().count() <= 80), "{seen}");
    assert_eq!(done(&s.audit, &["vocabulary", "dpv_purposes", "--q", "nosuchterm"]).trim(), "nothing found");
    let (code, out, said) = licit(&s.audit, &["vocabulary", "nosuchscheme"]);
    assert_eq!((code, out.as_str()), (1, ""), "{said}");
    assert!(said.contains("dpv_purposes") && said.contains("fideslang_data_uses"), "{said}");
}
