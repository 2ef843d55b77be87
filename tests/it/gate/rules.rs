//! Rules of the organisation's own: CEL over the canonical evidence, behind a fence.

use harness::scenario::AGE;
use harness::{Client, Scenario};
use serde_json::{Value, json};

use super::parts::{allowed, ask, denied, of_rule, only};
use super::policy::{decide, policy, propose};
use crate::support::{faults, licit, rebuilds};

fn rule(code: &str, when: &str) -> Value {
    json!({
        "code": code, "when": when, "status": "unmet", "level": "block", "article": "House rule 7",
        "sentence": "we do not do this", "addressee": "chief data officer", "remedy": "do something else",
    })
}

fn with(rules: Value) -> Value {
    let mut policy = policy(json!([]));
    policy["rules"] = rules;
    policy
}

fn of(when: &str) -> Value {
    with(json!([rule("org.own", when)]))
}

#[test]
fn a_condition_that_is_true_is_a_finding_and_the_evidence_kept_is_what_it_saw() {
    let s = Scenario::approved();
    let old = format!(
        "evidence.view.environment == 'production' && evidence.view.sources.exists(s, '{AGE}' in s.categories)"
    );
    propose(&s, &of(&old));
    allowed(&s.dry("start"));
    s.approve(&["policy:organisation"]);
    let decision = ask(&s, json!({"intent": "start"}));
    denied(&decision);
    let found = only(&decision, "org.own");
    assert_eq!(
        (&found["status"], &found["blocking"], &found["article"], &found["sentence"], &found["addressee"]),
        (
            &json!("unmet"),
            &json!(true),
            &json!("House rule 7"),
            &json!("we do not do this"),
            &json!("chief data officer")
        )
    );
    assert_eq!(found["path"], json!(["deployment:score-prod", "release:score-prod@1"]));
    assert_eq!(
        (&found["node"], &found["remedy"]["text"]),
        (&json!("release:score-prod@1"), &json!("do something else"))
    );

    let evidence = s.audit.get(&format!("/api/v1/decisions/{}/evidence", decision["id"].as_str().unwrap())).good();
    let view = &evidence["view"];
    for (what, is) in
        [("environment", "production"), ("risk_class", "minimal"), ("purpose", "purpose:scoring"), ("effect", "minor")]
    {
        assert_eq!(view[what], is, "{view:#}");
    }
    assert_eq!(view["sources"][0]["dataset"], "dataset:crm/people");
    assert_eq!(view["legal_bases"], json!(["art6_1_b"]));
    // The same rules say the same of it on the command line.
    let mut file = of(&old);
    file["tests"] = json!([{"name": "as decided", "evidence": evidence, "expect": ["org.own"]}]);
    let (code, out, err) = tested(&s.ana, &file);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");

    // The remedy, and other conditions.
    decide(&s, &of("evidence.view.environment == 'staging'"));
    allowed(&s.dry("start"));
    rebuilds(&s.server.db);
}

#[test]
fn it_warns_or_is_silent_as_it_says_and_takes_no_finding_away() {
    let s = Scenario::approved();
    let (mut warns, mut silent) = (rule("org.warns", "true"), rule("org.silent", "true"));
    warns["level"] = json!("warn");
    silent["level"] = json!("silent");
    decide(&s, &with(json!([warns, silent, rule("org.false", "false")])));
    let decision = s.dry("start");
    allowed(&decision);
    assert_eq!(only(&decision, "org.warns")["blocking"], false);
    assert!(of_rule(&decision, "org.silent").is_empty() && of_rule(&decision, "org.false").is_empty());
    s.revoke("basis:scoring-contract", 0);
    assert!(!of_rule(&s.dry("start"), "source.covered").is_empty());
}

#[test]
fn where_nobody_can_tell_the_finding_is_unknown_and_says_why() {
    let s = Scenario::approved();
    for (when, why) in [
        ("evidence.view.nothing == 1", "asks for `nothing`"),
        ("evidence.view.environment", "neither true nor false"),
        ("evidence.closure / 0 == 1", "fails on this evidence"),
        ("evidence.view.exists(k, k == 'x')", "no list"),
    ] {
        decide(&s, &of(when));
        let decision = s.dry("start");
        denied(&decision);
        let found = only(&decision, "org.own");
        assert_eq!((&found["status"], &found["addressee"]), (&json!("unknown"), &json!("governance board")));
        assert!(found["sentence"].as_str().unwrap().contains(why), "{found:#}");
        assert_eq!(s.dry("start")["findings"], decision["findings"]);
    }
}

#[test]
fn what_would_take_too_long_on_this_evidence_is_unknown() {
    let s = Scenario::approved();
    let fields: Vec<Value> =
        (0..400).map(|n| json!({"path": format!("f{n}"), "digest": format!("sha256:{}", "7".repeat(64))})).collect();
    decide(
        &s,
        &of("evidence.artifacts.exists(a, evidence.artifacts.exists(b, a.path == b.path && a.digest != b.digest))"),
    );
    let question = |files: &[Value]| json!({"intent": "start", "dry_run": true, "artifacts": files});
    assert!(of_rule(&ask(&s, question(&fields[..20])), "org.own").is_empty());
    let decision = ask(&s, question(&fields));
    assert!(
        only(&decision, "org.own")["sentence"].as_str().unwrap().contains("steps on this evidence"),
        "{decision:#}"
    );
}

#[test]
fn what_cannot_be_judged_safely_is_refused_when_it_is_proposed() {
    let s = Scenario::empty();
    let deep = format!("{}evidence{}", "(".repeat(200), ")".repeat(200));
    for (when, why) in [
        (deep.as_str(), "brackets"),
        ("evidence.a.all(x, x.a.all(y, y.a.all(z, z)))", "loops"),
        ("evidence.mode.matches('(a+)+$')", "calls `matches`"),
        ("now() > 1", "calls `now`"),
        ("secrets.token == ''", "names `secrets`"),
        ("evidence.mode ==", "not a CEL expression"),
    ] {
        let problem = faults(&s.server.admin().post("/api/v1/policies", &of(when)).problem(422));
        assert!(problem["#/rules/0/when"].contains(why), "{problem:?}");
    }
    let codes = with(json!([
        rule("org.a", "true"),
        rule("source.covered", "true"),
        rule("org.a", "true"),
        rule("org.", "true")
    ]));
    let problem = faults(&s.server.admin().post("/api/v1/policies", &codes).problem(422));
    assert_eq!(
        problem.keys().collect::<Vec<_>>(),
        ["#/rules/1/code", "#/rules/2/code", "#/rules/3/code"],
        "{problem:?}"
    );
    let long = of(&format!("true{}", " || true".repeat(400)));
    let problem = faults(&s.server.admin().post("/api/v1/policies", &long).problem(422));
    assert!(problem.contains_key("#/rules/0/when"), "{problem:?}");
}

fn tested(client: &Client, policy: &Value) -> (i32, String, String) {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), policy.to_string()).unwrap();
    licit(client, &["policy", "test", file.path().to_str().unwrap()])
}

#[test]
fn a_policy_is_tried_without_a_server() {
    let nobody = Client::new("http://127.0.0.1:1", None);
    let mut policy = of("evidence.view.sources.exists(s, s.special)");
    let special = |special: Value| json!({"view": {"sources": [{"special": special}]}});
    policy["tests"] = json!([
        {"name": "special data are found", "evidence": special(json!(true)), "expect": ["org.own"]},
        {"name": "others are not", "evidence": special(json!(false)), "expect": []},
        {"name": "nobody knows", "evidence": {}, "expect": ["org.own unknown"]},
    ]);
    let (code, out, err) = tested(&nobody, &policy);
    assert!(code == 0 && out.contains("others are not"), "{code} {out}{err}");

    policy["tests"][1]["expect"] = json!(["org.own"]);
    let (code, out, err) = tested(&nobody, &policy);
    assert!(code == 1 && out.contains("failed") && err.contains("1 of 3"), "{code} {out}{err}");

    policy["tests"][1]["expect"] = json!(["org.other"]);
    let (code, _, err) = tested(&nobody, &policy);
    assert!(code == 1 && err.contains("/tests/1/expect/0") && err.contains("no rule of this policy"), "{code} {err}");

    let (code, _, err) = tested(&nobody, &of("evidence.mode.matches('x')"));
    assert!(code == 1 && err.contains("/rules/0/when") && err.contains("matches"), "{code} {err}");
}

#[test]
fn tests_in_the_file_are_not_sent() {
    let s = Scenario::empty();
    let mut policy = of("evidence.mode == 'observe'");
    policy["tests"] = json!([{"name": "it observes", "evidence": {"mode": "observe"}, "expect": ["org.own"]}]);
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), policy.to_string()).unwrap();
    let (code, out, err) = licit(&s.server.admin(), &["policy", "create", "-f", file.path().to_str().unwrap()]);
    assert!(code == 0 && out.contains("policy:organisation@1"), "{out}{err}");
    assert!(s.ana.resolve("policy:organisation@1")["spec"].get("tests").is_none());
}
