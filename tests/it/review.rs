//! What the board says: who votes, on what, with which effect.

use harness::{Answer, Client, Scenario};
use serde_json::{Value, json};

use crate::support::{entries, faults, head, pages, rebuilds};

fn open(s: &Scenario, references: &[&str]) -> Value {
    let subjects: Vec<Value> = references.iter().map(|r| json!({"ref": r})).collect();
    s.ana.post("/api/v1/reviews", &json!({"title": "Dossier", "subjects": subjects})).good()
}

fn vote(client: &Client, review: &Value, choice: &str) -> Answer {
    let path = format!("/api/v1/reviews/{}/votes", review["id"].as_str().unwrap());
    client.post(&path, &json!({"choice": choice, "digest": review["digest"]}))
}

fn view(s: &Scenario, review: &Value) -> Value {
    s.audit.get(&format!("/api/v1/reviews/{}", review["id"].as_str().unwrap())).good()
}

fn state(s: &Scenario, review: &Value) -> String {
    view(s, review)["review"]["state"].as_str().unwrap().to_owned()
}

fn approved(s: &Scenario) -> Vec<String> {
    let mut list: Vec<String> = pages(&s.audit, "/api/v1/approvals?state=granted", 50)
        .iter()
        .map(|a| a["spec"]["subject"]["ref"].as_str().unwrap().to_owned())
        .collect();
    list.sort();
    list
}

#[test]
fn two_members_approve_and_one_does_not() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    vote(&s.bea, &review, "approve").good();
    assert_eq!((state(&s, &review).as_str(), approved(&s)), ("open", vec![]));
    vote(&s.carl, &review, "approve").good();
    assert_eq!((state(&s, &review).as_str(), approved(&s)), ("approved", vec!["purpose:scoring@1".to_owned()]));
}

#[test]
fn one_person_voting_twice_is_one_vote() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    for _ in 0..3 {
        vote(&s.bea, &review, "approve").good();
    }
    // A second token of the same person is the same person.
    let actor = s.bea.get("/api/v1/whoami").good()["actor"].clone();
    let more = s
        .server
        .admin()
        .post("/api/v1/tokens", &json!({"actor": actor, "roles": ["reviewer"], "label": "second"}))
        .good();
    vote(&Client::new(&s.server.url, more["token"].as_str()), &review, "approve").good();
    assert_eq!(state(&s, &review), "open");
    assert_eq!(view(&s, &review)["votes"].as_array().unwrap().len(), 1);
    assert_eq!(approved(&s), Vec::<String>::new());
}

#[test]
fn a_dossier_is_approved_whole_by_one_vote_each() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    vote(&s.bea, &review, "approve").good();
    vote(&s.carl, &review, "approve").good();
    assert_eq!(
        approved(&s),
        ["basis:scoring-contract@1", "deployment:score-prod", "purpose:scoring@1", "system:scorer@1"]
    );
    let approvals = pages(&s.audit, "/api/v1/approvals", 50);
    let people = [&s.bea, &s.carl].map(|c| c.get("/api/v1/whoami").good()["actor"].clone());
    for approval in &approvals {
        let voters = approval["spec"]["voters"].as_array().unwrap();
        assert!(voters.len() == 2 && people.iter().all(|p| voters.contains(p)), "{approval:#}");
    }
}

#[test]
fn who_requests_or_wrote_what_is_new_does_not_vote() {
    let s = Scenario::registered();
    // Rita registers and is on the board; Ana wrote the purpose.
    let rita = s.server.person("Rita", &["registrar", "reviewer"]);
    let review =
        rita.post("/api/v1/reviews", &json!({"title": "Own", "subjects": [{"ref": "purpose:scoring"}]})).good();
    vote(&rita, &review, "approve").problem(403);
    let actor = s.ana.get("/api/v1/whoami").good()["actor"].clone();
    let made = s
        .server
        .admin()
        .post("/api/v1/tokens", &json!({"actor": actor, "roles": ["reviewer"], "label": "board"}))
        .good();
    let ana = Client::new(&s.server.url, made["token"].as_str());
    let problem = vote(&ana, &review, "approve").problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("author of what is new"), "{problem}");
    vote(&s.bea, &review, "approve").good();
    assert_eq!(state(&s, &review), "open", "their votes count nothing");
}

#[test]
fn a_service_counts_as_the_person_who_answers_for_it() {
    let s = Scenario::registered();
    // Bea's pipeline writes the next revision of the purpose: Bea is its author.
    let pipeline = s.server.service("bea-ci", &s.bea, &["registrar"]);
    let mut next = harness::scenario::purpose("scoring");
    next["name"] = json!("Scoring again");
    pipeline.post("/api/v1/purposes", &next).good();
    let review = open(&s, &["purpose:scoring"]);
    assert_eq!(
        view(&s, &review)["review"]["spec"]["subjects"][0]["ref"],
        "purpose:scoring@2",
        "the latest is under review"
    );
    vote(&s.bea, &review, "approve").problem(403);
    // And what her pipeline requests, she requests.
    let review = pipeline
        .post("/api/v1/reviews", &json!({"title": "By pipeline", "subjects": [{"ref": "basis:scoring-contract"}]}))
        .good();
    vote(&s.bea, &review, "approve").problem(403);
    vote(&s.carl, &review, "approve").good();
}

#[test]
fn services_do_not_vote_whatever_their_token() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    vote(&s.ci, &review, "approve").problem(403);
    for other in [&s.ana, &s.dora, &s.audit, &s.server.admin()] {
        vote(other, &review, "approve").problem(403);
    }
    assert_eq!(view(&s, &review)["votes"], json!([]));
}

#[test]
fn a_vote_names_what_was_read() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    let other = json!({"id": review["id"], "digest": harness::scenario::ZEROS});
    let size = head(&s.audit).size;
    let problem = vote(&s.bea, &other, "approve").problem(409);
    assert_eq!(faults(&problem).keys().collect::<Vec<_>>(), ["#/digest"]);
    assert_eq!(head(&s.audit).size, size);
}

#[test]
fn two_that_reject_end_it() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    vote(&s.bea, &review, "reject").good();
    vote(&s.carl, &review, "reject").good();
    assert_eq!(state(&s, &review), "rejected");
    assert_eq!(approved(&s), Vec::<String>::new());
}

#[test]
fn a_changed_vote_takes_the_place_of_the_first() {
    let s = Scenario::registered();
    let dan = s.server.person("Dan", &["reviewer"]);
    let review = open(&s, &["purpose:scoring"]);
    vote(&s.bea, &review, "approve").good();
    vote(&s.bea, &review, "reject").good();
    vote(&s.carl, &review, "approve").good();
    assert_eq!(state(&s, &review), "open");
    let votes = view(&s, &review)["votes"].clone();
    let choices: Vec<&str> = votes.as_array().unwrap().iter().map(|v| v["spec"]["choice"].as_str().unwrap()).collect();
    assert_eq!(choices, ["reject", "approve"]);
    vote(&dan, &review, "abstain").good();
    assert_eq!(state(&s, &review), "open");
    vote(&dan, &review, "approve").good();
    assert_eq!(state(&s, &review), "approved");
    rebuilds(&s.server.db);
}

#[test]
fn nothing_is_said_on_a_closed_review() {
    let s = Scenario::registered();
    let dan = s.server.person("Dan", &["reviewer"]);
    for choice in ["approve", "reject"] {
        let review = open(&s, &["purpose:scoring"]);
        vote(&s.bea, &review, choice).good();
        vote(&s.carl, &review, choice).good();
        let problem = vote(&dan, &review, choice).problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("the review is closed"), "{problem}");
        let path = format!("/api/v1/reviews/{}/opinions", review["id"].as_str().unwrap());
        s.dora.post(&path, &json!({"role": "dpo", "outcome": "favourable"})).problem(409);
    }
}

#[test]
fn an_opinion_stands_beside_the_votes_and_counts_none() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    let path = format!("/api/v1/reviews/{}/opinions", review["id"].as_str().unwrap());
    s.dora.post(&path, &json!({"role": "dpo", "outcome": "unfavourable", "comment": "I advise against."})).good();
    s.bea.post(&path, &json!({"role": "dpo", "outcome": "favourable"})).problem(403);
    let seen = view(&s, &review);
    assert_eq!(seen["opinions"][0]["spec"]["outcome"], "unfavourable");
    let comment = seen["opinions"][0]["spec"]["comment_digest"].as_str().unwrap();
    assert_eq!(seen["comments"][comment], "I advise against.");
    vote(&s.bea, &review, "approve").good();
    vote(&s.carl, &review, "approve").good();
    assert_eq!(state(&s, &review), "approved");
}

#[test]
fn conditions_come_with_the_approval() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    let path = format!("/api/v1/reviews/{}/votes", review["id"].as_str().unwrap());
    s.bea
        .post(&path, &json!({"choice": "approve", "digest": review["digest"], "conditions": ["Report monthly."]}))
        .good();
    vote(&s.carl, &review, "approve").good();
    assert_eq!(pages(&s.audit, "/api/v1/approvals", 9)[0]["spec"]["conditions"], json!(["Report monthly."]));
}

#[test]
fn an_approval_ends_when_it_says() {
    let s = Scenario::registered();
    let all = ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];
    let end = (now(&s) + 30 * 86_400_000_000).max(0);
    let end = serde_json::to_value(licit_schemas::time::Timestamp::from_micros(end).unwrap()).unwrap();
    s.approve_until(&all, end.as_str());
    assert_eq!(s.dry("start")["verdict"], "allow");
    let after = licit_schemas::time::Timestamp::from_micros(now(&s) + 31 * 86_400_000_000).unwrap();
    let later = s.dry_at("start", serde_json::to_value(after).unwrap().as_str());
    assert_eq!(later["verdict"], "deny");
    assert!(later["findings"].as_array().unwrap().iter().any(|f| f["status"] == "expired"), "{later:#}");
    for bad in ["2020-01-01", "2999-01-01"] {
        let body = json!({"title": "t", "subjects": [{"ref": "purpose:scoring"}], "valid_to": bad});
        assert!(faults(&s.ana.post("/api/v1/reviews", &body).problem(422)).contains_key("#/valid_to"));
    }
}

/// The server's time, as the last entry tells it.
fn now(s: &Scenario) -> i64 {
    entries(&s.audit).last().unwrap().entry.at.micros()
}

#[test]
fn what_cannot_be_approved_is_named() {
    let s = Scenario::registered();
    for (subjects, pointer) in [
        (json!([{"ref": "model:score@1"}]), "#/subjects/0/ref"),
        (json!([{"ref": "purpose:scoring"}, {"ref": "purpose:nobody"}]), "#/subjects/1/ref"),
        (json!([{"ref": "purpose:scoring"}, {"ref": "purpose:scoring@1"}]), "#/subjects/1/ref"),
        (json!([{"ref": "purpose:scoring@7"}]), "#/subjects/0/ref"),
        (json!([{"ref": "system:scorer", "include_narrower": true}]), "#/subjects/0/include_narrower"),
        (json!([]), "#/subjects"),
    ] {
        let problem = s.ana.post("/api/v1/reviews", &json!({"title": "t", "subjects": subjects})).problem(422);
        assert!(faults(&problem).contains_key(pointer), "{pointer}: {problem}");
    }
}

#[test]
fn a_revocation_needs_something_that_holds() {
    let s = Scenario::approved();
    let revoke = |reference: &str| s.bea.post("/api/v1/revocations", &json!({"ref": reference, "reason": "It ended."}));
    revoke("basis:scoring-contract").good();
    revoke("basis:scoring-contract").problem(409);
    assert!(faults(&revoke("purpose:nobody").problem(422)).contains_key("#/ref"));
    assert!(faults(&revoke("model:score@1").problem(422)).contains_key("#/ref"));
    for other in [&s.ana, &s.dora, &s.ci, &s.server.admin()] {
        other.post("/api/v1/revocations", &json!({"ref": "purpose:scoring", "reason": "x"})).problem(403);
    }
    assert_eq!(pages(&s.audit, "/api/v1/revocations", 9).len(), 1);
    assert!(!approved(&s).contains(&"basis:scoring-contract@1".to_owned()));
    rebuilds(&s.server.db);
}

#[test]
fn comments_are_read_with_the_review_and_are_in_no_entry() {
    let s = Scenario::registered();
    let secret = "Mrs Undiscoverable complained";
    let opened = s
        .ana
        .post("/api/v1/reviews", &json!({"title": "t", "subjects": [{"ref": "purpose:scoring"}], "comment": secret}))
        .good();
    let path = format!("/api/v1/reviews/{}", opened["id"].as_str().unwrap());
    let said = json!({"choice": "abstain", "digest": opened["digest"], "comment": secret});
    s.bea.post(&format!("{path}/votes"), &said).good();
    s.carl.post(&format!("{path}/votes"), &said).good();
    s.dora.post(&format!("{path}/opinions"), &json!({"role": "dpo", "outcome": "reserved", "comment": secret})).good();
    let seen = view(&s, &opened);
    assert_eq!(seen["comments"].as_object().unwrap().len(), 4, "the same words have another digest each: {seen:#}");
    assert!(seen["comments"].as_object().unwrap().values().all(|c| c == secret));
    assert!(!serde_json::to_string(&entries(&s.audit)).unwrap().contains("Undiscoverable"));
    assert!(!s.server.db.sql("SELECT doc, search FROM resource").contains("ndiscoverable"));
    assert!(!s.server.db.sql("SELECT answer FROM idempotency").contains("ndiscoverable"));
    s.server.db.sql("DELETE FROM note");
    assert_eq!(view(&s, &opened)["comments"], json!({}));
    rebuilds(&s.server.db);
}

#[test]
fn who_wrote_an_earlier_proposal_does_not_vote_on_it_under_another_hand() {
    let s = Scenario::registered();
    let eve = s.server.person("Eve", &["registrar", "reviewer"]);
    let mut purpose = harness::scenario::purpose("offers");
    eve.post("/api/v1/purposes", &purpose).good();
    purpose["name"] = json!("Offers");
    s.ana.post("/api/v1/purposes", &purpose).good();
    let review = open(&s, &["purpose:offers"]);
    vote(&eve, &review, "approve").problem(403);
    for member in [&s.bea, &s.carl] {
        vote(member, &review, "approve").good();
    }
    // What the board approved is no longer new.
    purpose["name"] = json!("Offers again");
    s.ana.post("/api/v1/purposes", &purpose).good();
    vote(&eve, &open(&s, &["purpose:offers"]), "approve").good();
}

#[test]
fn who_wrote_an_earlier_revision_of_a_deployment_does_not_vote_on_it() {
    let s = Scenario::registered();
    let eve = s.server.person("Eve", &["registrar", "reviewer"]);
    let redeploy = |by: &Client, region: &str| {
        let path = format!("/api/v1/deployments/{}", by.resolve("deployment:score-prod")["id"].as_str().unwrap());
        let present = by.get(&path);
        let mut spec = present.good()["spec"].clone();
        spec["region"] = json!(region);
        by.put(&path, present.header("etag").unwrap(), &spec).good();
    };
    redeploy(&eve, "DE");
    redeploy(&s.ana, "IT");
    let review = open(&s, &["deployment:score-prod"]);
    vote(&eve, &review, "approve").problem(403);
    for member in [&s.bea, &s.carl] {
        vote(member, &review, "approve").good();
    }
    redeploy(&s.ana, "ES");
    vote(&eve, &open(&s, &["deployment:score-prod"]), "approve").good();
}

#[test]
fn who_advises_casts_no_vote_whatever_else_they_are() {
    let s = Scenario::registered();
    let review = open(&s, &["purpose:scoring"]);
    for office in ["dpo", "works_council"] {
        let both = s.server.person("Both", &["reviewer", office]);
        vote(&both, &review, "approve").problem(403);
        delegated(&s.bea, &both).problem(422);
    }
    assert!(view(&s, &review)["votes"].as_array().unwrap().is_empty());
}

#[test]
fn an_opinion_is_given_in_the_office_of_the_token_and_in_no_other() {
    let s = Scenario::registered();
    let council = s.server.person("Wanda", &["works_council"]);
    let both = s.server.person("Both", &["dpo", "works_council"]);
    let review = open(&s, &["purpose:scoring"]);
    let path = format!("/api/v1/reviews/{}/opinions", review["id"].as_str().unwrap());
    let opine = |who: &Client, office: &str| who.post(&path, &json!({"role": office, "outcome": "reserved"}));
    let problem = opine(&s.dora, "works_council").problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("`works_council`"), "{problem}");
    opine(&council, "dpo").problem(403);
    vote(&council, &review, "approve").problem(403);
    opine(&s.dora, "dpo").good();
    opine(&council, "works_council").good();
    opine(&both, "dpo").good();
    opine(&both, "works_council").good();
    assert_eq!(view(&s, &review)["opinions"].as_array().unwrap().len(), 4);
}

#[test]
fn an_administrator_sits_in_no_seat() {
    let s = Scenario::registered();
    let admin = s.server.admin();
    delegated(&s.bea, &admin).good();
    seated(&admin, &open(&s, &["purpose:scoring"]), &s.bea).problem(403);
}

#[test]
fn a_revocation_is_not_put_off_by_another() {
    let s = Scenario::registered();
    s.approve(&["purpose:scoring"]);
    let revoke = |from: Option<&str>, grace_days: u16| {
        let mut body = json!({"ref": "purpose:scoring", "reason": "over", "grace_days": grace_days});
        if let Some(from) = from {
            body["effective_at"] = json!(from);
        }
        s.bea.post("/api/v1/revocations", &body)
    };
    revoke(Some("2098-01-01"), 0).good();
    revoke(Some("2099-01-01"), 0).problem(409);
    revoke(Some("2098-01-01"), 1).problem(409);
    revoke(None, 0).good();
}

fn actor(client: &Client) -> Value {
    client.get("/api/v1/whoami").good()["actor"].clone()
}

fn seated(client: &Client, review: &Value, member: &Client) -> Answer {
    let path = format!("/api/v1/reviews/{}/votes", review["id"].as_str().unwrap());
    let body = json!({"choice": "approve", "digest": review["digest"], "on_behalf_of": actor(member)});
    client.post(&path, &body)
}

fn delegated(member: &Client, to: &Client) -> Answer {
    let body = json!({"to": actor(to), "valid_to": harness::scenario::in_days(30)});
    member.post("/api/v1/delegations", &body)
}

#[test]
fn a_seat_is_delegated_by_name_and_for_a_time_and_counts_once() {
    let s = Scenario::registered();
    let eve = s.server.person("Eve", &["viewer"]);
    let review = open(&s, &["purpose:scoring"]);
    vote(&eve, &review, "approve").problem(403);
    seated(&eve, &review, &s.bea).problem(403);
    let seat = delegated(&s.bea, &eve).good();
    delegated(&eve, &s.carl).problem(403);
    seated(&eve, &review, &s.bea).good();
    let shown = view(&s, &review);
    assert_eq!(shown["votes"][0]["spec"]["on_behalf_of"], actor(&s.bea), "{shown:#}");
    vote(&s.bea, &review, "approve").problem(409);
    assert_eq!(state(&s, &review), "open", "one seat, one vote");
    vote(&s.carl, &review, "approve").good();
    assert_eq!(state(&s, &review), "approved");

    let next = open(&s, &["system:scorer"]);
    s.carl.send("DELETE", &format!("/api/v1/delegations/{}", seat["id"].as_str().unwrap()), &[], None).problem(403);
    s.bea.send("DELETE", &format!("/api/v1/delegations/{}", seat["id"].as_str().unwrap()), &[], None).good();
    seated(&eve, &next, &s.bea).problem(403);
}

#[test]
fn nobody_sits_for_who_may_not_vote_and_two_seats_are_one_person() {
    let s = Scenario::registered();
    let eve = s.server.person("Eve", &["viewer"]);
    delegated(&s.bea, &s.dora).problem(422);
    delegated(&s.bea, &s.bea).problem(422);
    delegated(&s.bea, &s.ci).problem(422);
    let late = json!({"to": actor(&eve), "valid_to": harness::scenario::in_days(200)});
    s.bea.post("/api/v1/delegations", &late).problem(422);
    delegated(&s.bea, &eve).good();
    delegated(&s.carl, &eve).good();
    let review = open(&s, &["purpose:scoring"]);
    seated(&eve, &review, &s.bea).good();
    seated(&eve, &review, &s.carl).good();
    assert_eq!(state(&s, &review), "open", "the second vote of one person takes the place of the first");
    // Who asked for the review is not sat in for.
    let asked = s.bea.post("/api/v1/reviews", &json!({"title": "Mine", "subjects": [{"ref": "system:scorer"}]})).good();
    seated(&eve, &asked, &s.bea).problem(403);
}

#[test]
fn a_contest_is_settled_by_another_and_counts_against_its_rule() {
    let s = Scenario::registered();
    let denied = s.ci.post("/api/v1/gate", &json!({"deployment": "deployment:score-prod"})).good();
    let finding = &denied["findings"][0];
    let body = json!({
        "decision": format!("decision:{}", denied["id"].as_str().unwrap()), "rule": finding["rule"], "node": finding["node"],
        "reason": "It was approved by letter.",
    });
    let mut wrong = body.clone();
    wrong["node"] = json!("dataset:crm/other@1");
    s.ana.post("/api/v1/contests", &wrong).problem(422);
    let raised = s.bea.post("/api/v1/contests", &body).good();
    assert_eq!(s.bea.post("/api/v1/contests", &body).good()["id"], raised["id"], "said again: the same");
    let path = format!("/api/v1/contests/{}/settlement", raised["id"].as_str().unwrap());
    let upheld = json!({"outcome": "upheld", "reason": "The letter holds."});
    s.bea.post(&path, &upheld).problem(403);
    s.carl.post(&path, &upheld).good();
    s.carl.post(&path, &upheld).good();
    s.carl.post(&path, &json!({"outcome": "dismissed", "reason": "No."})).problem(409);
    let figures = s.audit.get("/api/v1/reports/contests").good();
    let figure = figures["items"].as_array().unwrap().iter().find(|f| f["rule"] == finding["rule"]).unwrap().clone();
    assert_eq!((&figure["upheld"], &figure["open"], &figure["upheld_per_mille"]), (&json!(1), &json!(0), &json!(1000)));
    assert!(figure["refusals"].as_u64().unwrap() >= 1, "{figure:#}");
    assert_eq!(s.dry("start")["verdict"], "deny", "a contest changes no verdict");
}

#[test]
fn who_registered_what_is_new_behind_a_deployment_does_not_vote_on_it() {
    let s = Scenario::running();
    let both = s.server.person("Bo", &["registrar", "reviewer"]);
    both.post("/api/v1/dataset-versions", &harness::scenario::people("2")).good();
    both.post("/api/v1/model-versions", &harness::scenario::model_version("2", "2")).good();
    both.post("/api/v1/runs", &harness::scenario::training("2", "2")).good();
    s.release("2");
    let review = open(&s, &["deployment:score-prod"]);
    vote(&both, &review, "approve").problem(403);
    vote(&s.bea, &review, "approve").good();
}

#[test]
fn a_revocation_asks_everybody_again() {
    let s = Scenario::approved();
    let review = open(&s, &["purpose:scoring"]);
    vote(&s.bea, &review, "approve").good();
    s.revoke("purpose:scoring", 0);
    assert_eq!(view(&s, &review)["votes"], json!([]), "what counts no more is not shown to count");
    vote(&s.carl, &review, "approve").good();
    assert_eq!(state(&s, &review), "open", "Bea voted before she knew");
    vote(&s.bea, &review, "approve").good();
    assert_eq!(state(&s, &review), "approved");
    rebuilds(&s.server.db);
}

#[test]
fn a_vote_counts_while_its_seat_is_held() {
    let s = Scenario::registered();
    let gone = s.server.person("Gus", &["reviewer"]);
    let review = open(&s, &["purpose:scoring"]);
    vote(&gone, &review, "approve").good();
    let admin = s.server.admin();
    let own = gone.get("/api/v1/whoami").good()["actor"].clone();
    for token in pages(&admin, "/api/v1/tokens", 50).iter().filter(|t| t["actor"] == own) {
        admin.send("DELETE", &format!("/api/v1/tokens/{}", token["id"].as_str().unwrap()), &[], None);
    }
    vote(&s.bea, &review, "approve").good();
    assert_eq!(state(&s, &review), "open");
    vote(&s.carl, &review, "approve").good();
    assert_eq!(state(&s, &review), "approved");
}
