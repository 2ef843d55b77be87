//! Exit codes are an interface: pipelines branch on them.

use harness::{Client, Scenario};

use super::{bare, pipeline, typed};
use crate::support::licit;

#[test]
fn each_exit_code_is_what_the_help_says() {
    let s = Scenario::approved();
    let code = |client: &Client, args: &[&str]| {
        let (code, out, said) = licit(client, args);
        assert!(!said.contains("panicked"), "{args:?}: {said}");
        (code, out + &said)
    };
    // 0: allowed, or done.
    assert_eq!(code(&s.ci, &["gate", "score-prod"]).0, 0);
    assert_eq!(code(&s.ci, &["release", "activate", "score-prod@1"]).0, 0);
    // 1: not found, not allowed to ask, contradicts what is registered, faults in a document.
    assert_eq!(code(&s.ci, &["model", "show", "nobody"]).0, 1);
    assert_eq!(code(&s.ana, &["release", "activate", "score-prod@1"]).0, 1);
    assert_eq!(code(&s.ana, &["env", "create", "production", "--mode", "warn", "--class", "test"]).0, 1);
    assert_eq!(code(&s.ana, &["party", "create", "Bad Key", "--name", "x"]).0, 1);
    let stranger = Client::new(&s.server.url, Some("licit_stranger"));
    let (refused, said) = code(&stranger, &["whoami"]);
    assert_eq!(refused, 1);
    assert!(said.contains("set LICIT_TOKEN"), "{said}");
    // 2: wrong usage.
    for args in [
        &["gate"][..],
        &["gate", "score-prod", "--sideways"],
        &["gate", "score-prod", "--known-at", "3"],
        &["model", "list", "--sort", "sideways"],
        &["model", "list", "--limit", "501"],
        &["sing"],
        &[],
    ] {
        assert_eq!(code(&s.ci, args).0, 2, "{args:?}");
    }
    // 3: refused by the gate, whether it is asked, told to activate, or planned with.
    s.revoke("basis:scoring-contract", 0);
    let (refused, said) = code(&s.ci, &["gate", "score-prod", "--dry-run"]);
    assert_eq!(refused, 3);
    assert!(said.contains("basis.approved"), "{said}");
    assert_eq!(code(&s.ci, &["explain", "score-prod"]).0, 3);
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    s.release("2");
    assert_eq!(code(&s.ci, &["release", "activate", "score-prod@2"]).0, 3);
    let desk = pipeline();
    assert_eq!(code(&s.ana, &["plan", "-f", desk.path().join("licit.yaml").to_str().unwrap()]).0, 3);
    // 5: nobody there; a pipeline takes that for refused.
    let nobody = Client::new("http://127.0.0.1:9", Some("licit_x"));
    let (reached, said) = code(&nobody, &["gate", "score-prod"]);
    assert_eq!(reached, 5);
    assert!(said.contains("treat this as refused"), "{said}");
    // And without any setting: the usual port of this machine, with a URL nobody could mean as usage.
    assert_eq!(typed(bare().args(["whoami", "--url", "localhost:8700"]), "").0, 2);
}
