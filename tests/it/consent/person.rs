//! What the registry tells one person, and what is to be done for those who withdrew.

use harness::scenario::in_days;
use serde_json::{Value, json};

use super::covered::consenting;
use super::said::batch;
use super::{pseudonym, said};
use crate::support::licit;

#[test]
fn a_person_learns_where_their_data_went() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let now = licit_server::clock::now().to_string();
    batch(&s.ana, &[said(3, 1, "withdrawn", &now)]).good();
    let ask = json!({"subject": pseudonym("k1", 3)});
    for client in [&s.ana, &s.bea, &s.audit, &s.ci] {
        client.post("/api/v1/subjects/view", &ask).problem(403);
    }
    s.dora.post("/api/v1/subjects/view", &json!({"subject": pseudonym("k1", 99)})).problem(404);
    let view = s.dora.post("/api/v1/subjects/view", &ask).good();
    assert_eq!(view["datasets"][0]["ref"], "dataset:crm/people@1");
    assert!(view["datasets"][0]["categories"].as_array().unwrap().contains(&json!("Age")), "{view:#}");
    assert_eq!(view["models"][0]["ref"], "model:score@1");
    let runs = &view["deployments"][0];
    assert_eq!(
        (&runs["ref"], &runs["purpose"], &runs["left_out"]),
        (&json!("deployment:score-prod"), &json!("purpose:scoring"), &json!(true))
    );
    assert_eq!(runs["bases"], json!(["basis:scoring-consent@1"]));
    assert!(runs["since"].is_string());
    assert_eq!((&view["said"][0]["said"], view["said"].as_array().unwrap().len()), (&json!("withdrawn"), 1));
    // Whoever said nothing else is not left out.
    let other = s.dora.post("/api/v1/subjects/view", &json!({"subject": pseudonym("k1", 4)})).good();
    assert_eq!(other["deployments"][0]["left_out"], false);
    // As a letter, in both languages.
    let who = pseudonym("k1", 3);
    for (language, words) in [
        ("en", ["You asked which data", "We never sell your data.", "You are left out of it."]),
        ("fr", ["Vous avez demandé", "Nous ne vendons jamais vos données.", "Vous en êtes exclu."]),
    ] {
        let (code, out, said) = licit(&s.dora, &["subjects", "view", "--subject", &who, "--letter", language]);
        assert_eq!(code, 0, "{said}");
        assert!(words.iter().all(|words| out.contains(words)) && !out.contains(&who), "{out}");
    }
    let (code, ..) = licit(&s.dora, &["subjects", "erase", "--subject", &who]);
    assert_eq!(code, 2, "it cannot be undone, and wants to be said");
    let (code, out, _) = licit(&s.dora, &["subjects", "erase", "--subject", &who, "--yes"]);
    for words in
        ["was in dataset:crm/people@1", "learned from it: model:score@1 (contained)", "runs: deployment:score-prod"]
    {
        assert!(code == 0 && out.contains(words), "{out}");
    }
    s.dora.post("/api/v1/subjects/view", &ask).problem(404);
}

#[test]
fn what_is_to_be_done_rolls_until_a_training_leaves_them_out() {
    let s = consenting();
    let actions = |more: &str| -> Vec<Value> {
        s.audit.get(&format!("/api/v1/consent-actions{more}")).good()["items"].as_array().unwrap().clone()
    };
    s.activate("release:score-prod@1").good();
    assert_eq!(actions(""), Vec::<Value>::new());
    let (first, second) = (in_days(-3), in_days(-1));
    batch(&s.ana, &[said(4, 4, "withdrawn", &second), said(3, 3, "withdrawn", &first)]).good();
    let open = actions("");
    assert_eq!(open.len(), 1, "{open:#?}");
    let one = &open[0];
    assert_eq!(
        (&one["people"], &one["overdue"], &one["days"], &one["members"]),
        (&json!(2), &json!(0), &json!(30), &json!(10))
    );
    assert_eq!((one["oldest"].as_str(), &one["model"]), (Some(first.as_str()), &json!("model:score")));
    let source = &one["sources"][0];
    assert_eq!(
        (&source["release"], &source["dataset_version"], &one["sources"][1]),
        (&json!("release:score-prod@1"), &json!("dataset:crm/people@1"), &Value::Null)
    );
    let due = in_days(27);
    assert_eq!(one["due"].as_str().unwrap()[..10], due[..10]);
    assert_eq!(actions(&format!("?valid_at={}", in_days(28)))[0]["overdue"], 1, "the first of them is late by then");
    let (code, out, _) = licit(&s.audit, &["consent", "actions"]);
    assert!(code == 0 && out.contains("2 of 10") && out.lines().all(|line| line.chars().count() <= 80), "{out}");
    // Trained again without them.
    let set = s.add("member-sets", json!({"dataset_version": "dataset:crm/people@1", "purpose": "purpose:scoring"}));
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    let mut again = harness::scenario::training("2", "1");
    (again["started_at"], again["member_sets"]) = (json!(in_days(0)), json!([set["id"]]));
    s.add("runs", again);
    s.release("2");
    let list = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    let position = s.ci.get(&format!("/api/v1/deployments/{list}/suppressions")).good()["position"].clone();
    s.ci.post(&format!("/api/v1/deployments/{list}/suppressions/acknowledgements"), &json!({"position": position}))
        .good();
    assert_eq!(s.activate("release:score-prod@2").good()["verdict"], "allow");
    assert_eq!(actions(""), Vec::<Value>::new());
}

#[test]
fn a_purpose_that_leaves_no_time_for_withdrawals_is_told_so_when_it_is_written() {
    let s = consenting();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("purpose.json");
    for (days, warned) in [(90, true), (96, false)] {
        let mut purpose = harness::scenario::purpose("scoring");
        purpose["withdrawal"] = json!({"days": days, "retraining_days": 91, "review_days": 5});
        let late = "a model trained every 91 days with 5 for its review";
        for outcome in ["created", "unchanged"] {
            let answer = s.ana.post("/api/v1/purposes", &purpose).good();
            assert_eq!(answer["outcome"], outcome);
            let warnings = answer["warnings"].as_array().map_or(0, Vec::len);
            assert_eq!((warnings, answer.to_string().contains(late)), (usize::from(warned), warned), "{answer}");
        }
        std::fs::write(&file, purpose.to_string()).unwrap();
        let (code, out, said) = licit(&s.ana, &["purpose", "create", "-f", file.to_str().unwrap()]);
        assert_eq!((code, said.contains(late)), (0, warned), "{out}{said}");
    }
}

#[test]
fn whoever_is_in_several_sources_of_a_model_counts_once() {
    let s = consenting();
    s.add("dataset-versions", harness::scenario::people("2"));
    super::covered::load(&s, "2", 5..15);
    super::covered::agree(&s, 10..15);
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    let mut again = harness::scenario::training("2", "1");
    again["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/people@2", "role": "training"}));
    s.add("runs", again);
    s.release("2");
    assert_eq!(s.activate("release:score-prod@2").good()["verdict"], "allow");
    let first = in_days(-3);
    batch(&s.ana, &[said(5, 1, "withdrawn", &first), said(12, 2, "withdrawn", &in_days(-1))]).good();
    let open = s.audit.get("/api/v1/consent-actions").good()["items"].clone();
    assert_eq!(open.as_array().map(Vec::len), Some(1), "{open:#}");
    let one = &open[0];
    assert_eq!((&one["model"], &one["purpose"]), (&json!("model:score"), &json!("purpose:scoring")));
    assert_eq!((&one["people"], &one["members"], &one["oldest"]), (&json!(2), &json!(15), &json!(first)));
    let people: Vec<u64> =
        one["sources"].as_array().unwrap().iter().map(|source| source["people"].as_u64().unwrap()).collect();
    assert_eq!(people.iter().sum::<u64>(), 3, "one of them is in both: {one:#}");
    let later = s.audit.get(&format!("/api/v1/consent-actions?valid_at={}", in_days(40))).good();
    assert_eq!(later["items"][0]["overdue"], 2);
}
