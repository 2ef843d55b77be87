//! `--json` everywhere: one JSON text on stdout and nothing else there, of what succeeds and of what fails.

use harness::{Client, Scenario};
use serde_json::Value;

use super::{folder, pipeline};
use crate::support::licit;

#[track_caller]
fn answered(client: &Client, args: &[&str], code: i32) -> Value {
    let (ended, out, said) = licit(client, &[args, &["--json"]].concat());
    assert_eq!(ended, code, "licit {args:?}: {out}{said}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("licit {args:?}: {e}: {out}"))
}

#[test]
fn what_reads_answers_in_json() {
    let s = Scenario::running();
    let decision = s.ci.post("/api/v1/gate", &serde_json::json!({"deployment": "deployment:score-prod"})).good();
    let decision = decision["id"].as_str().unwrap();
    let review = s.ana.get("/api/v1/reviews").good()["items"][0]["id"].as_str().unwrap().to_owned();
    for collection in [
        "party",
        "dataset",
        "run",
        "model",
        "purpose",
        "basis",
        "assessment",
        "policy",
        "system",
        "env",
        "deployment",
        "release",
        "decision",
        "review",
        "baseline",
        "contest",
        "delegation",
        "actor",
    ] {
        assert!(answered(&s.audit, &[collection, "list"], 0)["items"].is_array(), "{collection}");
    }
    for args in [
        &["dataset", "versions", "crm/people"][..],
        &["model", "versions", "score"],
        &["env", "loosenings"],
        &["break-glass", "list"],
        &["review", "approvals"],
        &["review", "revocations"],
        &["contest", "figures"],
        &["history", "deployment:score-prod"],
        &["vocabulary", "dpv_purposes", "--q", "research"],
        &["gaps"],
        &["calendar"],
        &["impact", "dataset:crm/people"],
    ] {
        assert!(answered(&s.audit, args, 0)["items"].is_array(), "{args:?}");
    }
    for (args, member) in [
        (&["model", "show", "score@1"][..], "spec"),
        (&["deployment", "show", "score-prod"], "spec"),
        (&["decision", "show", decision], "spec"),
        (&["decision", "evidence", decision], "deployment"),
        (&["decision", "replay", decision], "recorded"),
        (&["review", "show", &review], "review"),
        (&["lineage", "model:score@1"], "nodes"),
        (&["lineage", "path", "model:score@1", "dataset:crm/people@1"], "path"),
        (&["exposure", "model:score@1"], "ref"),
        (&["diff", "score-prod", "--from", "1"], "facts"),
        (&["ledger", "head"], "root"),
        (&["ledger", "entries"], "items"),
        (&["ledger", "verify"], "verified"),
        (&["ledger", "prove", "1"], "verified"),
        (&["ledger", "consistency", "--from", "1"], "verified"),
        (&["whoami"], "roles"),
    ] {
        let answer = answered(&s.audit, args, 0);
        assert!(!answer[member].is_null(), "licit {args:?}: no `{member}` in {answer:#}");
    }
    assert_eq!(answered(&s.audit, &["whatif", "--drop", "crm/people"], 3)["judged"], 1);
    answered(&s.server.admin(), &["token", "list"], 0);
    answered(&s.ci, &["gate", "score-prod", "--dry-run"], 0);
    answered(&s.ci, &["explain", "score-prod"], 0);
    answered(&s.audit, &["schema"], 0);
}

#[test]
fn what_writes_answers_in_json() {
    let s = Scenario::registered();
    let desk = pipeline();
    let file = desk.path().join("licit.yaml");
    let file = file.to_str().unwrap();
    answered(&s.ana, &["register", "-f", file, "--dry-run"], 0);
    assert!(!answered(&s.ana, &["plan", "-f", file], 3)["decisions"].is_null());
    assert!(answered(&s.ana, &["register", "-f", file], 0)["items"].is_array());
    assert_eq!(answered(&s.ana, &["party", "create", "eve", "--name", "Eve"], 0)["outcome"], "created");
    answered(&s.ana, &["party", "create", "eve", "--name", "Eve SA", "--replace"], 0);
    answered(&s.ana, &["env", "create", "lab", "--mode", "warn", "--class", "test"], 0);
    answered(&s.ana, &["dataset", "life", "crm/visits@1", "restricted"], 0);
    answered(&s.ana, &["model", "retire", "score@visits-1", "--reason", "twice"], 0);
    let loosening = ["env", "loosen", "production", "--mode", "warn", "--until", "2026-12-15", "--reason", "Migration"];
    let loosening = loosening.map(|word| if word == "2026-12-15" { soon() } else { word.to_owned() });
    answered(&s.ana, &loosening.iter().map(String::as_str).collect::<Vec<_>>(), 0);
    assert_eq!(answered(&s.audit, &["env", "loosening", "show", "production@1"], 0)["spec"]["mode"], "warn");
    let opened = answered(&s.ana, &["review", "create", "--title", "One", "purpose:scoring"], 0);
    let review = opened["id"].as_str().unwrap();
    answered(&s.dora, &["review", "opinion", review, "favourable", "--role", "dpo"], 0);
    answered(&s.bea, &["review", "vote", review, "approve"], 0);
    answered(&s.carl, &["review", "vote", review, "approve"], 0);
    answered(&s.bea, &["review", "revoke", "purpose:scoring@1", "--reason", "over"], 0);
    let released = answered(&s.ci, &["release", "create", "score-prod", "--model", "score@1"], 0);
    answered(&s.ci, &["release", "withdraw", released["id"].as_str().unwrap()], 0);
    let carl = s.carl.get("/api/v1/whoami").good()["actor"].as_str().unwrap().to_owned();
    let seat = answered(&s.bea, &["delegation", "create", &carl, "--until", &soon()], 0);
    let seat = seat["id"].as_str().unwrap();
    assert_eq!(answered(&s.audit, &["delegation", "show", seat], 0)["spec"]["to"], carl.as_str());
    answered(&s.bea, &["delegation", "end", seat], 0);
    let desk = folder(&[]);
    let at = |name: &str| desk.path().join(name).to_str().unwrap().to_owned();
    answered(&s.ana, &["init", "--file", &at("licit.yaml")], 0);
    answered(&s.ana, &["config", "set", "--config", &at("config.json")], 0);
}

fn soon() -> String {
    harness::scenario::in_days(20)
}

#[test]
fn a_refusal_is_json_too() {
    let s = Scenario::registered();
    let decision = answered(&s.ci, &["gate", "score-prod"], 3);
    assert_eq!(decision["verdict"], "deny");
    let problem = answered(&s.ci, &["release", "activate", "score-prod@1"], 3);
    assert_eq!((&problem["status"], &problem["decision"]["verdict"]), (&409.into(), &"deny".into()));
    let problem = answered(&s.ci, &["model", "show", "nobody"], 1);
    assert_eq!(problem["status"], 404);
}

#[test]
fn several_files_are_one_array() {
    let s = Scenario::empty();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let party =
        |key: &str, name: &str| file(&format!("{key}-{name}.yaml"), &format!("key: {key}\nname: {name}\nregion: FR\n"));
    let (one, two, other) = (party("one", "One"), party("two", "Two"), party("one", "Other"));
    let create = |files: &[&str], code: i32| {
        let args: Vec<&str> = ["party", "create"].into_iter().chain(files.iter().flat_map(|f| ["-f", f])).collect();
        answered(&s.ana, &args, code)
    };
    let both = create(&[&one, &two], 0);
    let told = |answer: &Value| (answer["ref"].clone(), answer["outcome"].clone());
    assert_eq!(told(&both[0]), ("party:one".into(), "created".into()), "{both:#}");
    assert_eq!((told(&both[1]), both.as_array().unwrap().len()), (("party:two".into(), "created".into()), 2));
    assert_eq!(told(&create(&[&one], 0)), ("party:one".into(), "unchanged".into()), "one is no array");
    // What went well is told beside what did not, and nothing after it was sent.
    let part = create(&[&two, &other, &one], 1);
    assert_eq!((told(&part[0]).1, &part[1]["status"]), ("unchanged".into(), &409.into()), "{part:#}");
    assert_eq!(part.as_array().unwrap().len(), 2);
}

#[test]
fn a_story_is_not_told_to_machines() {
    let s = Scenario::empty();
    let (code, out, said) = licit(&s.ana, &["demo", "--json"]);
    assert_eq!((code, out.as_str()), (2, ""), "{said}");
    assert!(said.contains("JSON"), "{said}");
}
