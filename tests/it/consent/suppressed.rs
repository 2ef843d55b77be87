//! One person's will excludes that person, and never stops the service.

use harness::scenario::{basis, deployment, finding, findings, in_days, purpose};
use harness::{Answer, Scenario};
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::covered::{consenting, load};
use super::said::batch;
use super::{pseudonym, said};
use crate::gate::parts::world;
use crate::gate::purposes::approve;
use crate::support::rebuilds;

fn path(s: &Scenario) -> String {
    let id = s.ci.resolve("deployment:score-prod")["id"].as_str().unwrap().to_owned();
    format!("/api/v1/deployments/{id}/suppressions")
}

/// The list, or what changed since one.
#[track_caller]
pub(super) fn list(s: &Scenario, more: &str) -> Value {
    s.ci.get(&format!("{}{more}", path(s))).good()
}

#[track_caller]
fn acknowledge(s: &Scenario, position: &Value) -> Answer {
    s.ci.post(&format!("{}/acknowledgements", path(s)), &json!({"position": position}))
}

pub(super) fn people(list: &Value) -> Vec<u32> {
    let known: Vec<String> = (0..20).map(|n| pseudonym("k1", n)).collect();
    let named = list.as_array().unwrap().iter();
    let mut who: Vec<u32> = named
        .map(|p| {
            let place = known.iter().position(|k| k == p.as_str().unwrap()).unwrap();
            u32::try_from(place).unwrap()
        })
        .collect();
    who.sort_unstable();
    who
}

#[test]
fn whoever_says_no_is_left_out_at_once_and_the_service_goes_on() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let empty = list(&s, "");
    assert_eq!((people(&empty["add"]), &empty["whole"]), (vec![], &json!(true)));
    let now = licit_server::clock::now().to_string();
    // Somebody in it, and somebody who may be in the table of tomorrow.
    batch(&s.ana, &[said(3, 1, "withdrawn", &now), said(15, 2, "refused", &now)]).good();
    let refused = finding(&s.dry("start"), "suppression.fresh").expect("nobody has the list");
    assert_eq!(refused["status"], "unmet");
    assert_eq!(refused["remedy"]["command"], "licit suppression pull deployment:score-prod --acknowledge");
    let first = list(&s, "");
    assert_eq!(people(&first["add"]), [3, 15]);
    acknowledge(&s, &first["position"]).good();
    assert_eq!(findings(&s.dry("continue")), []);
    // What changed since: one more, and one who agreed again.
    let later = licit_server::clock::now().to_string();
    batch(&s.ana, &[said(4, 3, "withdrawn", &later), said(15, 4, "given", &later)]).good();
    let changed = list(&s, &format!("?since={}", first["position"]));
    assert_eq!(
        (people(&changed["add"]), people(&changed["remove"]), &changed["whole"]),
        (vec![4], vec![15], &json!(false))
    );
    assert_eq!(people(&list(&s, "")["add"]), [3, 4]);
    assert_eq!(people(&list(&s, &format!("?position={}", first["position"]))["add"]), [3, 15], "as it was");
    // A day later the list is late; three more, and what runs may not go on with it.
    assert_eq!(finding(&s.dry_at("continue", Some(&in_days(0))), "suppression.fresh"), None);
    let late = s.dry_at("continue", Some(&in_days(2)));
    assert_eq!(late["verdict"], "allow");
    assert!(late["actions_due"].as_array().unwrap().iter().any(|f| f["rule"] == "suppression.fresh"), "{late:#}");
    assert_eq!(finding(&s.dry_at("start", Some(&in_days(2))), "suppression.fresh").unwrap()["status"], "expired");
    assert!(finding(&s.dry_at("continue", Some(&in_days(5))), "suppression.fresh").is_some());
    rebuilds(&s.server.db);
}

#[test]
fn the_pages_of_one_list_agree_on_whose_consent_ended() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let now = licit_server::clock::now();
    let end = now.plus(chrono::Duration::milliseconds(700));
    let mut ends = said(3, 1, "renewed", &now.to_string());
    ends["until"] = json!(end);
    batch(&s.ana, &[ends]).good();
    while licit_server::clock::now() <= end {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let first = list(&s, "");
    assert_eq!(people(&first["add"]), [3], "nothing was recorded: time went on");
    // Something is recorded before the next page is asked for.
    s.add("parties", harness::scenario::party("somebody"));
    assert_eq!(people(&list(&s, &format!("?position={}&after=0", first["position"]))["add"]), [3]);
}

#[test]
fn members_who_never_agreed_are_left_out_of_what_is_served() {
    let s = consenting();
    s.add("dataset-versions", harness::scenario::people("2"));
    load(&s, "2", 5..12);
    assert_eq!(people(&list(&s, "")["add"]), [10, 11], "tonight's table has two whom nobody asked");
    let refused = finding(&s.dry("start"), "suppression.fresh").unwrap();
    assert!(
        refused["sentence"].as_str().unwrap().contains("2 in what it is served on without valid consent"),
        "{refused}"
    );
}

#[test]
fn an_objection_counts_where_the_law_lets_it() {
    let s = Scenario::registered();
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    load(&s, "1", 0..10);
    let now = licit_server::clock::now().to_string();
    batch(&s.dora, &[said(2, 1, "objected", &now)]).good();
    assert_eq!(people(&list(&s, "")["add"]), Vec::<u32>::new(), "a contract is not objected to (Art. 21(1))");
    let mut interest = basis("scoring-interest", "scoring");
    interest["legal_basis"] = json!("art6_1_f");
    interest["letter"] = json!({"balancing_test": harness::scenario::evidence()});
    interest["replaces"] = json!(["basis:scoring-contract"]);
    s.add("bases", interest);
    let mut own = deployment();
    own["bases"] = json!(["basis:scoring-interest"]);
    s.add("deployments", own);
    s.revoke("basis:scoring-contract", 0);
    s.approve(&["basis:scoring-interest", "deployment:score-prod"]);
    assert_eq!(people(&list(&s, "")["add"]), [2]);
    // Withdrawn by the person: nobody is left out any more.
    batch(&s.dora, &[said(2, 2, "objection_withdrawn", &licit_server::clock::now().to_string())]).good();
    assert_eq!(people(&list(&s, "")["add"]), Vec::<u32>::new());
    // An objection to everything, and a restriction, count without a purpose.
    let mut all = said(3, 3, "objected", &licit_server::clock::now().to_string());
    let mut restricted = said(4, 4, "restricted", &licit_server::clock::now().to_string());
    for one in [&mut all, &mut restricted] {
        one.as_object_mut().unwrap().remove("purpose");
    }
    batch(&s.dora, &[all, restricted]).good();
    assert_eq!(people(&list(&s, "")["add"]), [3, 4]);
}

#[test]
fn an_objection_to_marketing_is_honoured_at_once_whatever_the_basis() {
    let s = Scenario::registered();
    let mut marketing = purpose("scoring");
    marketing["iri"] = json!("https://w3id.org/dpv#DirectMarketing");
    s.add("purposes", marketing);
    let mut own = deployment();
    own["purpose"] = json!("purpose:scoring@2");
    s.add("deployments", own);
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    load(&s, "1", 0..10);
    let now = licit_server::clock::now().to_string();
    batch(&s.dora, &[said(2, 1, "objected", &now)]).good();
    let first = list(&s, "");
    assert_eq!(people(&first["add"]), [2]);
    assert!(finding(&s.dry("start"), "objection").is_some());
    acknowledge(&s, &first["position"]).good();
    assert_eq!(finding(&s.dry("start"), "objection"), None);
    batch(&s.dora, &[said(3, 2, "objected", &licit_server::clock::now().to_string())]).good();
    let refused = finding(&s.dry("continue"), "objection").expect("the list is of before that");
    assert!(refused["sentence"].as_str().unwrap().starts_with("2 people object to direct marketing"), "{refused}");
    // Compelling grounds never override it (Art. 21(3)).
    let overridden = said(2, 3, "objection_overridden", &licit_server::clock::now().to_string());
    let problem = s.dora.post("/api/v1/consent-records", &overridden).problem(422);
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("direct marketing"), "{problem}");
}

#[test]
fn an_old_list_is_old_however_often_it_is_acknowledged() {
    let s = consenting();
    let now = licit_server::clock::now().to_string();
    batch(&s.ana, &[said(3, 1, "withdrawn", &now)]).good();
    for _ in 0..2 {
        let told = acknowledge(&s, &json!(0)).good();
        assert_eq!(told["position"], 0);
    }
    // The server is minutes old: so is the list of nothing. A day later it is late, also when it is acknowledged again.
    assert!(finding(&s.dry_at("start", Some(&in_days(1))), "suppression.fresh").is_some());
    let first = told_as_of(&acknowledge(&s, &json!(0)).good());
    let again = told_as_of(&acknowledge(&s, &json!(0)).good());
    assert_eq!(first, again, "it is of the moment at which it was the newest");
    let newest = list(&s, "")["position"].clone();
    assert!(told_as_of(&acknowledge(&s, &newest).good()) > first);
}

fn told_as_of(answer: &Value) -> String {
    answer["as_of"].as_str().unwrap().to_owned()
}

#[test]
fn no_proposal_takes_an_objection_away() {
    let s = Scenario::registered();
    let mut marketing = purpose("scoring");
    marketing["iri"] = json!("https://w3id.org/dpv#DirectMarketing");
    s.add("purposes", marketing);
    let mut own = deployment();
    own["purpose"] = json!("purpose:scoring@2");
    s.add("deployments", own);
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    batch(&s.dora, &[said(2, 1, "objected", &licit_server::clock::now().to_string())]).good();
    assert_eq!(people(&list(&s, "")["add"]), [2]);
    s.add("purposes", purpose("scoring"));
    assert_eq!(people(&list(&s, "")["add"]), [2], "a revision that nobody approved changes nothing");
    assert!(finding(&s.dry("start"), "objection").is_some());
    s.dora.post("/api/v1/consent-records", &said(2, 9, "objection_overridden", "2026-11-01T00:00:00Z")).problem(422);
}

#[test]
fn who_is_served_is_to_be_known_where_consent_governs() {
    let s = consenting();
    s.add("dataset-versions", harness::scenario::people("2"));
    let refused = finding(&s.dry("start"), "consent.coverage").expect("tonight's table may hold anybody");
    assert_eq!((&refused["status"], &refused["node"]), (&json!("unknown"), &json!("dataset:crm/people@2")));
    load(&s, "2", 0..5);
    assert_eq!(finding(&s.dry("start"), "consent.coverage"), None);
}

#[test]
fn lists_are_for_those_who_serve() {
    let s = consenting();
    for client in [&s.bea, &s.audit] {
        client.get(&path(&s)).problem(403);
    }
    acknowledge(&s, &json!(999_999)).problem(422);
    s.ci.get(&format!("{}?since=999999", path(&s))).problem(422);
    s.ci.get(&format!("{}?position=999999", path(&s))).problem(422);
    let nowhere = path(&s).replace(|c: char| c.is_ascii_digit(), "0");
    s.ci.get(&nowhere).problem(404);
    let newest = list(&s, "")["position"].clone();
    acknowledge(&s, &newest).good();
    let older = acknowledge(&s, &json!(1)).good();
    assert_eq!(older["position"], newest, "an older list is no news");
}

#[test]
fn what_still_holds_rows_of_the_erased_is_served_no_longer_than_withdrawals_may_wait() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let now = licit_server::clock::now().to_string();
    batch(&s.ana, &[said(3, 1, "withdrawn", &now)]).good();
    let first = list(&s, "");
    assert_eq!(people(&first["add"]), [3]);
    acknowledge(&s, &first["position"]).good();
    assert_eq!(finding(&s.dry("start"), "retention"), None);
    s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", 3)})).good();
    // Nobody can name them: the list is taken whole.
    let refused = s.ci.get(&format!("{}?since={}", path(&s), first["position"]));
    assert!(refused.problem(409)["detail"].as_str().unwrap().contains("take the whole list"), "{}", refused.text);
    let whole = list(&s, "");
    assert_eq!(people(&whole["add"]), Vec::<u32>::new());
    acknowledge(&s, &whole["position"]).good();
    assert_eq!(people(&list(&s, &format!("?since={}", whole["position"]))["add"]), Vec::<u32>::new());
    let found = finding(&s.dry("start"), "retention").expect("the table still holds their rows");
    assert_eq!((&found["node"], &found["status"]), (&json!("dataset:crm/people@1"), &json!("unmet")));
    assert!(found["sentence"].as_str().unwrap().starts_with("1 people behind"), "{found}");
    let going = s.dry_at("continue", Some(&in_days(29)));
    assert!(going["actions_due"].as_array().unwrap().iter().any(|f| f["rule"] == "retention"), "{going:#}");
    assert!(finding(&s.dry_at("continue", Some(&in_days(31))), "retention").is_some());
    rebuilds(&s.server.db);
    // Another version is served.
    s.add("dataset-versions", harness::scenario::people("2"));
    load(&s, "2", 4..10);
    assert_eq!(finding(&s.dry("start"), "retention"), None);
}

/// The entry since which a list is due that nobody acknowledged, three days after it was recorded.
#[track_caller]
fn due_since(s: &Scenario, going: &Value) -> u64 {
    let due = going["actions_due"].as_array().unwrap().iter().find(|f| f["rule"] == "suppression.fresh").unwrap();
    let since: Timestamp = due["since"].as_str().unwrap().parse().unwrap();
    assert_eq!(due["due"], since.plus(chrono::Duration::hours(72)).to_string());
    let entries = s.audit.get("/api/v1/ledger/entries?limit=1000").good();
    let mut entries = entries["items"].as_array().unwrap().iter().map(|one| &one["entry"]);
    let recorded = entries.find(|entry| entry["at"] == due["since"] && entry["kind"] == "consent.recorded");
    recorded.expect("since it was recorded")["seq"].as_u64().unwrap()
}

#[test]
fn the_first_who_says_no_stops_nothing_for_three_days() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let said_at = licit_server::clock::now();
    let words = [said(3, 1, "withdrawn", &said_at.to_string()), said(15, 2, "refused", &said_at.to_string())];
    let recorded = batch(&s.ana, &words).good();
    assert!(finding(&s.dry("start"), "suppression.fresh").is_some(), "nothing new begins without the list");
    let going = s.dry("continue");
    assert_eq!(going["verdict"], "allow", "{going:#}");
    assert_eq!(due_since(&s, &going), recorded["seq"].as_u64().unwrap());
    assert!(finding(&s.dry_at("continue", Some(&in_days(4))), "suppression.fresh").is_some());
    rebuilds(&s.server.db);
}

#[test]
fn what_was_said_long_ago_and_recorded_today_leaves_as_much_time() {
    let s = consenting();
    s.activate("release:score-prod@1").good();
    let recorded = batch(&s.ana, &[said(15, 2, "refused", &in_days(-40))]).good();
    let going = s.dry("continue");
    assert_eq!(going["verdict"], "allow", "{going:#}");
    assert_eq!(due_since(&s, &going), recorded["seq"].as_u64().unwrap());
    // Whoever refuses again takes no time away, and gives none.
    batch(&s.ana, &[said(15, 3, "refused", &in_days(-1))]).good();
    assert_eq!(due_since(&s, &s.dry("continue")), recorded["seq"].as_u64().unwrap());
    assert!(finding(&s.dry_at("continue", Some(&in_days(4))), "suppression.fresh").is_some());
}

#[test]
fn so_does_what_was_said_of_a_broader_purpose() {
    let s = world(|p| {
        let mut parent = purpose("service");
        parent["iri"] = json!("https://w3id.org/dpv#ServiceProvision");
        p.purposes.insert(0, parent);
        p.purposes[1]["parent"] = json!("purpose:service");
        p.purposes[1]["iri"] = json!("https://w3id.org/dpv#RequestedServiceProvision");
        p.bases[0]["legal_basis"] = json!("art6_1_a");
        p.bases[0]["letter"] =
            json!({"notice": harness::scenario::evidence(), "withdrawal_means": "https://acme.example/no"});
        p.deferred.push("purpose:service");
    });
    approve(&s, "purpose:service", true);
    s.activate("release:score-prod@1").good();
    let mut no = said(15, 99, "refused", &in_days(-40));
    no["purpose"] = json!("purpose:service");
    let recorded = batch(&s.ana, &[no]).good();
    let going = s.dry("continue");
    assert_eq!(going["verdict"], "allow", "{going:#}");
    assert_eq!(due_since(&s, &going), recorded["seq"].as_u64().unwrap());
    // To refuse the narrower one as well takes no time away, and gives none.
    batch(&s.ana, &[said(15, 100, "refused", &in_days(-1))]).good();
    assert_eq!(due_since(&s, &s.dry("continue")), recorded["seq"].as_u64().unwrap());
}

#[test]
fn whose_data_are_restricted_is_asked_of_what_can_hold_them() {
    let s = Scenario::registered();
    s.add("subject-keys", super::key("k1", "crm", harness::scenario::ZEROS));
    s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
    let now = licit_server::clock::now().to_string();
    batch(&s.dora, &[said(3, 1, "restricted", &now), said(15, 2, "restricted", &now)]).good();
    assert_eq!(people(&list(&s, "")["add"]), [3, 15], "nobody knows who is in it");
    load(&s, "1", 4..10);
    assert_eq!(people(&list(&s, "")["add"]), Vec::<u32>::new());
    assert_eq!(finding(&s.dry("start"), "suppression.fresh"), None);
    // Tomorrow's table has one of them.
    s.add("dataset-versions", harness::scenario::people("2"));
    load(&s, "2", 0..4);
    assert_eq!(people(&list(&s, "")["add"]), [3]);
    assert!(finding(&s.dry("start"), "suppression.fresh").is_some());
}
