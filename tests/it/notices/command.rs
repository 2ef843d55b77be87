//! `licit notice`.

use harness::Scenario;
use harness::scenario::notice;

use crate::gate::parts::{of_rule, world};
use crate::support::{licit, licit_in};

#[track_caller]
fn done(s: &Scenario, args: &[&str]) -> String {
    let (code, out, err) = licit(&s.ana, args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}: {out}");
    out
}

#[test]
fn a_notice_is_drafted_stated_shown_and_tried_on_the_command_line() {
    let s = world(|p| {
        p.notices = Some(vec![]);
        p.parties[0]["dpo_contact"] = serde_json::json!("https://acme.example/dpo");
    });
    let drafted = done(&s, &["notice", "draft", "--deployment", "score-prod"]);
    assert!(drafted.contains("key: \"scoring\"\n") && drafted.contains("text: |-\n"), "{drafted}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notice.yaml"), &drafted).unwrap();
    let (code, out, err) = licit_in(&s.ana, Some(folder.path()), &["notice", "create", "-f", "notice.yaml"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("notice:scoring@1"), "{out}");
    assert!(of_rule(&s.dry("start"), "notice").is_empty());

    assert!(done(&s, &["notice", "list"]).contains("notice:scoring@1"));
    let shown = done(&s, &["notice", "show", "scoring"]);
    assert!(
        shown.contains("measured: en ") && shown.contains("LIX") && shown.contains("way out tested: never"),
        "{shown}"
    );
    let tried = done(&s, &["notice", "test-withdrawal", "scoring", "--failed", "--at", "2026-11-02"]);
    assert!(tried.contains("created") && tried.contains("notice:scoring@1"), "{tried}");
    assert!(done(&s, &["notice", "show", "scoring"]).contains("way out tested: failed on 2026-11-02"));
    done(&s, &["notice", "test-withdrawal", "notice:scoring@1", "--passed"]);
    let tests = done(&s, &["notice", "tests", "--parent", "notice:scoring@1"]);
    assert!(tests.contains("passed") && tests.contains("failed"), "{tests}");
}

#[test]
fn a_test_passes_or_fails_and_a_fault_of_the_file_is_named_by_its_line() {
    let s = world(|_| {});
    for args in [
        &["notice", "test-withdrawal", "customers"][..],
        &["notice", "test-withdrawal", "customers", "--passed", "--failed"],
    ] {
        assert_eq!(licit(&s.ana, args).0, 2, "{args:?}");
    }
    let mut faulty = notice("customers", &["scoring"]);
    faulty["promises"] =
        serde_json::json!([{"commitment": "kept_safe", "words": {"en": "Safe.", "fr": "En sécurité."}}]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notice.json"), serde_json::to_string_pretty(&faulty).unwrap()).unwrap();
    let (code, _, err) = licit_in(&s.ana, Some(folder.path()), &["notice", "create", "-f", "notice.json"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("notice.json:") && err.contains("never_sold"), "{err}");
}
