//! What would be if people withdrew equals that they do; and where they are is told in counts.

use harness::Scenario;
use harness::scenario::{deployment, in_days, people, purpose};
use serde_json::{Value, json};

use super::covered::{agree, consenting, coverage, load};
use super::remedies::now;
use super::said::batch;
use super::{lines, pseudonym, said};
use crate::support::{faults, licit};

fn running() -> Scenario {
    let s = consenting();
    assert_eq!(s.activate("release:score-prod@1").good()["verdict"], "allow");
    s
}

fn whatif(s: &Scenario, body: &Value) -> Value {
    let before = s.audit.get("/api/v1/ledger/head").text;
    let answer = s.dora.post("/api/v1/whatif", body).good();
    assert_eq!(s.audit.get("/api/v1/ledger/head").text, before, "nothing is recorded");
    answer
}

/// Findings without what follows from when they were asked.
fn bare(findings: &Value) -> Vec<String> {
    let mut list = findings.as_array().unwrap().clone();
    for finding in &mut list {
        let finding = finding.as_object_mut().unwrap();
        finding.remove("since");
        finding.remove("due");
    }
    let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
    list.sort();
    list
}

fn subjects(who: &[u32]) -> Vec<String> {
    who.iter().map(|n| pseudonym("k1", *n)).collect()
}

/// Numbers that look drawn, the same each time.
fn drawn(seed: &mut u32, below: u32) -> u32 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*seed >> 16) % below
}

#[test]
fn people_of_a_list_withdraw_in_thought_and_then_in_truth() {
    let s = running();
    let mut seed = 7;
    for round in 0..6 {
        let mut who: Vec<u32> = (0..1 + drawn(&mut seed, 4)).map(|_| drawn(&mut seed, 14)).collect();
        who.sort_unstable();
        who.dedup();
        let moment = in_days(if round % 2 == 0 { 31 } else { 0 });
        let before = s.dry_at("start", Some(&now()));
        let body = json!({
            "withdraw_consent": [{"purpose": "purpose:scoring", "subjects": subjects(&who)}], "valid_at": moment,
        });
        let supposed = whatif(&s, &body);
        assert_eq!(supposed["supposed"][0], format!("{} people withdraw consent to `purpose:scoring`", who.len()));
        assert!(!supposed.to_string().contains("p1.k1."), "nobody is named: {supposed:#}");
        let at = now();
        let records: Vec<Value> = who.iter().map(|n| said(*n, 2000 + 100 * round + n, "withdrawn", &at)).collect();
        batch(&s.ana, &records).good();
        let after = s.dry_at("start", Some(&moment));
        let turn = &supposed["turned"][0];
        let (came, went) = match turn {
            Value::Null => (json!([]), json!([])),
            turn => (turn["came"].clone(), turn["went"].clone()),
        };
        let gone = bare(&went);
        let mut wanted: Vec<String> = bare(&before["findings"]).into_iter().filter(|one| !gone.contains(one)).collect();
        wanted.extend(bare(&came));
        wanted.sort();
        wanted.dedup();
        // What both findings are about stays one finding: its sentence is that of later.
        let about = |list: &[String]| -> Vec<(Value, Value)> {
            let mut all: Vec<(Value, Value)> = list
                .iter()
                .map(|one| serde_json::from_str::<Value>(one).unwrap())
                .map(|one| (one["rule"].clone(), one["node"].clone()))
                .collect();
            all.sort_by_key(|one| format!("{one:?}"));
            all.dedup();
            all
        };
        let done = bare(&after["findings"]);
        assert_eq!(about(&wanted), about(&done), "round {round}: {supposed:#}");
        assert!(bare(&came).iter().all(|one| done.contains(one)), "round {round}: {came:#} {:#}", after["findings"]);
    }
}

#[test]
fn what_is_supposed_is_never_taken_for_what_was_said() {
    let s = running();
    let all = json!({"withdraw_consent": [{"purpose": "purpose:scoring", "per_mille": 1000}], "valid_at": in_days(31)});
    let first = whatif(&s, &all);
    let sentence = |answer: &Value| -> String {
        let came = answer["turned"][0]["came"].as_array().unwrap();
        let found = came.iter().find(|finding| finding["rule"] == "consent.coverage");
        found.map(|found| found["sentence"].as_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert!(sentence(&first).starts_with("10 of 10 people"), "{first:#}");
    assert_eq!(coverage(&s.dora, "1", "")["missing"], 0, "nothing was remembered");
    // The entry that was supposed is another one now.
    batch(&s.ana, &[said(3, 3000, "withdrawn", &now())]).good();
    assert_eq!(coverage(&s.dora, "1", "")["missing"], 1);
    let position = s.audit.get("/api/v1/ledger/head").good()["size"].as_u64().unwrap() - 1;
    let mut then = all.clone();
    then["known_at"] = json!(position.to_string());
    assert!(sentence(&whatif(&s, &then)).starts_with("10 of 10 people"), "as if it were then");
    assert_eq!(coverage(&s.dora, "1", "")["missing"], 1);
    assert!(sentence(&whatif(&s, &all)).starts_with("10 of 10 people"));
    // A number and a share of those whose consent stands, who are nine.
    for (how, people) in [(json!({"people": 4}), 5), (json!({"per_mille": 500}), 6), (json!({"people": 50}), 10)] {
        let mut one = json!({"purpose": "purpose:scoring"});
        one.as_object_mut().unwrap().extend(how.as_object().unwrap().clone());
        let answer = whatif(&s, &json!({"withdraw_consent": [one], "valid_at": in_days(31)}));
        assert!(sentence(&answer).starts_with(&format!("{people} of 10 people")), "{how} {answer:#}");
    }
}

#[test]
fn consent_that_ends_is_supposed_by_a_later_moment() {
    let s = running();
    let mut with_end = said(3, 3000, "renewed", &now());
    with_end["until"] = json!(in_days(20));
    batch(&s.ana, &[with_end]).good();
    let answer = whatif(&s, &json!({"valid_at": in_days(19)}));
    assert!(!answer.to_string().contains("suppression.fresh"), "{answer:#}");
    let answer = whatif(&s, &json!({"valid_at": in_days(21)}));
    assert!(answer.to_string().contains("1 who refused or withdrew consent"), "{answer:#}");
    let answer = whatif(&s, &json!({"valid_at": in_days(51)}));
    assert!(answer.to_string().contains("1 of 10 people"), "thirty days later it was to be acted on: {answer:#}");
}

#[test]
fn bad_suppositions_are_refused_without_repeating_them() {
    let s = running();
    let ask = |one: Value| s.dora.post("/api/v1/whatif", &json!({"withdraw_consent": [one]}));
    for (one, at) in [
        (json!({"purpose": "purpose:scoring"}), "#/withdraw_consent/0"),
        (json!({"purpose": "purpose:scoring", "people": 3, "per_mille": 3}), "#/withdraw_consent/0"),
        (json!({"purpose": "purpose:scoring", "people": 0}), "#/withdraw_consent/0/people"),
        (json!({"purpose": "purpose:nothing", "people": 3}), "#/withdraw_consent/0/purpose"),
        (
            json!({"purpose": "purpose:scoring", "subjects": ["jane.doe@example.com"]}),
            "#/withdraw_consent/0/subjects/0",
        ),
        (json!({"purpose": "purpose:scoring", "subjects": [pseudonym("k9", 1)]}), "#/withdraw_consent/0/subjects/0"),
    ] {
        let problem = ask(one.clone()).problem(422);
        assert!(faults(&problem).contains_key(at), "{one} {problem}");
        assert!(
            !problem.to_string().contains("jane") && !problem.to_string().contains(&pseudonym("k9", 1)),
            "{problem}"
        );
    }
    let list = json!({"withdraw_consent": [{"purpose": "purpose:scoring", "subjects": subjects(&[1])}]});
    s.audit.post("/api/v1/whatif", &list).problem(403);
    s.audit.post("/api/v1/whatif", &json!({"withdraw_consent": [{"purpose": "purpose:scoring", "people": 1}]})).good();
    let query = json!({"subjects": subjects(&[1]), "purpose": "purpose:scoring"});
    for client in [&s.ana, &s.bea, &s.audit, &s.ci] {
        client.post("/api/v1/impact/subjects", &query).problem(403);
    }
    for (bad, at) in [
        (json!({"subjects": [], "purpose": "purpose:scoring"}), "#/subjects"),
        (json!({"subjects": ["jane"], "purpose": "purpose:scoring"}), "#/subjects/0"),
        (json!({"subjects": subjects(&[1]), "purpose": "purpose:nothing"}), "#/purpose"),
    ] {
        let problem = s.dora.post("/api/v1/impact/subjects", &bad).problem(422);
        assert!(faults(&problem).contains_key(at) && !problem.to_string().contains("jane"), "{problem}");
    }
}

#[test]
fn where_people_of_a_list_are_is_told_in_counts() {
    let s = running();
    s.add("dataset-versions", people("2"));
    load(&s, "2", 8..12);
    agree(&s, 10..12);
    let head = s.audit.get("/api/v1/ledger/head").text;
    // Two of the first version, one of both, one of the second, one known nowhere, and one twice.
    let mut who = subjects(&[1, 2, 9, 11, 50]);
    who.push(pseudonym("k1", 1));
    let asked = s.dora.post("/api/v1/impact/subjects", &json!({"subjects": who, "purpose": "purpose:scoring"})).good();
    assert_eq!(s.audit.get("/api/v1/ledger/head").text, head);
    assert_eq!(
        (&asked["asked"], &asked["known"], &asked["consenting"]),
        (&json!(5), &json!(4), &json!(4)),
        "{asked:#}"
    );
    let at = |list: &str| -> Vec<(String, u64)> {
        let all = asked[list].as_array().unwrap().iter();
        all.map(|one| (one["ref"].as_str().unwrap().to_owned(), one["people"].as_u64().unwrap())).collect()
    };
    let one = |name: &str, people: u64| (name.to_owned(), people);
    assert_eq!(at("datasets"), [one("dataset:crm/people@1", 3), one("dataset:crm/people@2", 2)]);
    assert_eq!(at("models"), [one("model:score@1", 3)]);
    assert_eq!(at("deployments"), [one("deployment:score-prod", 4)], "trained on some, and served on others");
    let turn = &asked["turned"][0];
    assert_eq!((&turn["deployment"], &turn["after"]), (&json!("deployment:score-prod"), &json!("deny")), "{asked:#}");
    assert!(turn["came"].to_string().contains("suppression.fresh"));
    let action = &asked["actions"][0];
    assert_eq!(
        (&action["people"], &action["overdue"], &action["sources"][0]["dataset_version"]),
        (&json!(3), &json!(0), &json!("dataset:crm/people@1"))
    );
    assert_eq!(action["due"].as_str().unwrap()[..10], in_days(30)[..10]);
    assert!(!asked.to_string().contains("p1."), "nobody is named");
    // As known before the second version had members.
    let size = serde_json::from_str::<Value>(&head).unwrap()["size"].as_u64().unwrap();
    let earlier = json!({"subjects": who, "purpose": "purpose:scoring", "known_at": (size - 2).to_string()});
    let earlier = s.dora.post("/api/v1/impact/subjects", &earlier).good();
    assert_eq!(earlier["position"], size - 2, "{earlier:#}");
    assert_eq!(earlier["consenting"], 3, "the last two agreed after that: {earlier:#}");
    // Done: the same action is there.
    let records: Vec<Value> = [1, 2, 9, 11].map(|n| said(n, 4000 + n, "withdrawn", &now())).to_vec();
    batch(&s.ana, &records).good();
    let open = s.audit.get("/api/v1/consent-actions").good()["items"].clone();
    assert_eq!((&open[0]["people"], &open[1]), (&json!(3), &Value::Null));
    let again = s.dora.post("/api/v1/impact/subjects", &json!({"subjects": who, "purpose": "purpose:scoring"})).good();
    assert_eq!(
        (&again["consenting"], &again["actions"]),
        (&json!(0), &json!([])),
        "nothing more is to be done: {again:#}"
    );
}

#[test]
fn the_command_line_reads_pseudonyms_or_hashes_identifiers() {
    let s = running();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("list.txt"), lines("k1", 1..4)).unwrap();
    let (code, out, err) = licit(&s.dora, &["impact", "--subject-file", &path("list.txt"), "--purpose", "scoring"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.contains("3 of 3 people are known") && out.contains("suppression.fresh") && !out.contains("p1."),
        "{out}"
    );
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let (code, out, err) = licit(
        &s.dora,
        &["whatif", "--subject-file", &path("list.txt"), "--purpose", "scoring", "--valid-at", &in_days(31)],
    );
    assert_eq!((code, err.as_str()), (3, ""), "{out}");
    assert!(out.contains("3 people withdraw consent") && out.contains("3 of 10 people"), "{out}");
    let (code, out, _) =
        licit(&s.audit, &["whatif", "--withdraw-consent", "scoring=20%", "--withdraw-consent", "scoring=1"]);
    assert!(
        code == 3 && out.contains("2 people withdraw consent") && out.contains("1 people withdraw consent"),
        "{out}"
    );
    assert_eq!(licit(&s.audit, &["whatif", "--withdraw-consent", "scoring"]).0, 2);
    assert_eq!(licit(&s.audit, &["whatif", "--withdraw-consent", "scoring=1.25%"]).0, 2);
    // Identifiers need their key, and a line that is none is told by its number.
    std::fs::write(path("people.csv"), "id,email\n1,jane.doe@example.com\n2,john.doe@example.com\n").unwrap();
    let (code, _, err) = licit(&s.dora, &["impact", "--subject-file", &path("people.csv"), "--purpose", "scoring"]);
    assert!(code == 1 && err.contains("line 1") && !err.contains("email") && !err.contains("jane"), "{err}");
    assert_eq!(licit(&s.ana, &["subjects", "keygen", "--scope", "crm", "--kid", "k2", "-o", &path("crm.key")]).0, 0);
    assert_eq!(licit(&s.ana, &["subjects", "register-key", &path("crm.key")]).0, 0);
    let hashed =
        ["--subject-file", &path("people.csv"), "--column", "email", "--key", &path("crm.key"), "--purpose", "scoring"];
    let (code, out, err) = licit(&s.dora, &[&["impact"][..], &hashed[..]].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("0 of 2 people are known"), "{out}");
}

#[test]
fn how_long_there_is_follows_from_the_purpose() {
    let s = running();
    let mut longer = purpose("scoring");
    longer["withdrawal"] = json!({"days": 90});
    s.add("purposes", longer);
    let mut own = deployment();
    (own["bases"], own["purpose"]) = (json!(["basis:scoring-consent"]), json!("purpose:scoring@2"));
    s.add("deployments", own);
    let asked = s
        .dora
        .post("/api/v1/impact/subjects", &json!({"subjects": subjects(&[1]), "purpose": "purpose:scoring"}))
        .good();
    assert_eq!(asked["actions"][0]["due"].as_str().unwrap()[..10], in_days(90)[..10]);
}
