//! Releases proposed from the command line: every part of a composition, and the indexes served with it.

use harness::Scenario;
use harness::scenario::{model_version, people};
use serde_json::json;

use crate::support::licit;

/// More models of the same team.
fn models(s: &Scenario, names: &[&str]) {
    for name in names {
        s.add("models", json!({"name": name}));
        let mut version = model_version("1", "5");
        version["model"] = json!(format!("model:{name}"));
        s.add("model-versions", version);
    }
}

#[test]
fn a_composition_of_parts_and_indexes_is_proposed_by_flags() {
    let s = Scenario::registered();
    models(&s, &["tuning", "e5", "toxicity"]);
    s.add("dataset-versions", people("2"));
    let args = [
        "release",
        "create",
        "score-prod",
        "--model",
        "score@1",
        "--part",
        "adapter=tuning@1",
        "--part",
        "guard=model:toxicity@1",
        "--part",
        "embedder=e5",
        "--index",
        "crm/people@1",
        "--index",
        "dataset:crm/people@2",
    ];
    let (code, stdout, stderr) = licit(&s.ana, &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.starts_with("created  release:score-prod@2  ledger entry "), "{stdout}");
    let spec = s.ana.resolve("release:score-prod@2")["spec"].clone();
    assert_eq!(
        spec,
        json!({
            "deployment": "deployment:score-prod",
            "composition": [
                {"part": "base", "model": "model:score@1"}, {"part": "adapter", "model": "model:tuning@1"},
                {"part": "guard", "model": "model:toxicity@1"}, {"part": "embedder", "model": "model:e5@1"},
            ],
            "indexes": ["dataset:crm/people@1", "dataset:crm/people@2"],
        })
    );
    let (code, stdout, _) = licit(&s.ana, &args);
    assert_eq!((code, stdout.split("  ").next()), (0, Some("unchanged")));
    // All of it is behind the release.
    let exposure = s.ana.get("/api/v1/exposure?ref=release:score-prod@2").good();
    let contained: Vec<&str> =
        exposure["contained"].as_array().unwrap().iter().map(|c| c["ref"].as_str().unwrap()).collect();
    assert_eq!(contained, ["dataset:crm/people@1", "dataset:crm/people@2"]);
}

#[test]
fn parts_alone_make_a_release() {
    let s = Scenario::registered();
    models(&s, &["toxicity"]);
    let (code, _, stderr) =
        licit(&s.ana, &["release", "create", "score-prod", "--part", "reranker=toxicity@1", "--part", "base=score@1"]);
    assert_eq!(code, 0, "{stderr}");
    let composition = s.ana.resolve("release:score-prod@2")["spec"]["composition"].clone();
    assert_eq!(composition[0], json!({"part": "reranker", "model": "model:toxicity@1"}));
    assert_eq!(composition[1], json!({"part": "base", "model": "model:score@1"}));
}

#[test]
fn wrong_flags_are_wrong_usage_and_wrong_names_are_named() {
    let s = Scenario::registered();
    for (args, said) in [
        (&["score-prod"][..], "--model"),
        (&["score-prod", "--index", "crm/people@1"], "--model"),
        (&["score-prod", "--part", "tokenizer=score@1"], "base, adapter, embedder, reranker or guard"),
        (&["score-prod", "--part", "adapter"], "NAME=MODEL"),
        (&["score-prod", "--model", "score@1", "--index", "people@1"], "namespace"),
        (&["score-prod", "--part", "base=score@1", "-f", "release.yaml"], "cannot be used with"),
    ] {
        let (code, stdout, stderr) = licit(&s.ana, &[&["release", "create"], args].concat());
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    let (code, _, stderr) = licit(&s.ana, &["release", "create", "score-prod", "--part", "adapter=nobody"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("/composition/0/model") && stderr.contains("model:nobody"), "{stderr}");
    assert_eq!(s.ana.get("/api/v1/releases").good()["items"].as_array().unwrap().len(), 1);
    let (_, help, _) = licit(&s.ana, &["release", "create", "--help"]);
    assert!(help.contains("--part adapter=") && help.contains("--index kb/articles@"), "{help}");
}
