//! A notice drafted from what is registered, which the gate then finds to say all.

use harness::Scenario;
use harness::scenario::{AGE, party};
use serde_json::{Value, json};

use crate::gate::parts::{Parts, explicitly, field, made, of_rule, run, world};

const SCORE: &str = "https://w3id.org/dpv/pd#CreditScore";

fn draft(s: &Scenario) -> Value {
    let id = s.audit.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    s.audit.get(&format!("/api/v1/deployments/{id}/notice-draft")).good()
}

fn deciding(p: &mut Parts) {
    p.notices = Some(vec![]);
    p.system["reliance"] = json!("strong");
    explicitly(&mut p.bases[0]);
    p.parties.push(party("bureau"));
    p.bases[0]["covers"]["recipients"] = json!(["party:bureau"]);
    p.datasets.push("scored");
    let mut scored = made("scored", "1", vec![field("score", SCORE)]);
    scored["retention"] = json!({"until": "2099-12-31"});
    p.versions.push(scored);
    p.runs.push(run("infer", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/scored@1"]));
    p.deployment["reads"] = json!({"datasets": ["dataset:crm/people", "dataset:crm/scored"]});
}

#[test]
fn the_draft_says_what_is_registered_and_clears_the_gate() {
    let s = world(deciding);
    assert_eq!(of_rule(&s.dry("start"), "notice").len(), 1);
    let drafted = draft(&s);
    assert_eq!((&drafted["key"], &drafted["purposes"]), (&json!("scoring"), &json!(["purpose:scoring"])));
    assert_eq!(drafted["recipients"], json!(["party:bureau"]));
    assert_eq!(drafted["refusal"]["url"], "https://acme.example/withdraw");
    let categories = drafted["categories"].as_array().unwrap();
    assert!(categories.contains(&json!({"iri": AGE})), "{categories:#?}");
    assert!(categories.contains(&json!({"iri": SCORE, "inferred": true})), "{categories:#?}");
    for (language, parts) in [
        ("en", ["We score.", "You get an offer.", "We never sell your data.", "until 2099-12-31", "You agreed"]),
        (
            "fr",
            ["Nous calculons", "Vous recevez", "Nous ne vendons jamais", "jusqu’au 2099-12-31", "Vous avez accepté"],
        ),
    ] {
        let text = drafted["wording"][language]["text"].as_str().unwrap();
        parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not in {text}"));
        assert!(drafted["automated_decisions"][language].as_str().unwrap().contains("Scorer"));
    }
    s.add("notices", drafted);
    assert!(of_rule(&s.dry("start"), "notice").is_empty(), "{:#}", s.dry("start"));
}

#[test]
fn a_draft_revises_the_notice_there_is_and_keeps_what_was_promised() {
    let s = world(|p| p.notices = Some(vec![super::promising("customers", &["never_sold"])]));
    let drafted = draft(&s);
    assert_eq!((&drafted["key"], &drafted["promises"][0]["commitment"]), (&json!("customers"), &json!("never_sold")));
    assert_eq!(drafted["refusal"]["url"], "https://acme.example/no", "as it was told before");
    assert_eq!(s.add("notices", drafted)["ref"], "notice:customers@2");
}

#[test]
fn where_nobodys_data_are_there_is_nothing_to_tell() {
    let s = world(|p| p.versions[0]["origin"] = json!("synthetic"));
    let id = s.audit.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let problem = s.audit.get(&format!("/api/v1/deployments/{id}/notice-draft")).problem(404);
    assert!(problem["detail"].as_str().unwrap().contains("no personal data reach"), "{problem}");
    s.audit.get("/api/v1/deployments/01939f00-0000-7000-8000-000000000000/notice-draft").problem(404);
}
