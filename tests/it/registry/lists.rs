//! Lists: filter, sort, page, search.

use std::collections::BTreeSet;

use harness::Scenario;
use harness::client::encode;
use serde_json::{Value, json};

use crate::support::pages;

fn names(items: &[Value]) -> Vec<String> {
    items.iter().map(|i| i["spec"]["name"].as_str().unwrap().to_owned()).collect()
}

fn list(s: &Scenario, query: &str) -> Vec<String> {
    names(&pages(&s.ana, &format!("/api/v1/models?{query}"), 500))
}

#[test]
fn every_order_pages_through_all_without_loss_or_double() {
    let s = Scenario::empty();
    for n in 0..47 {
        s.add("models", json!({"name": format!("m{:02}", (n * 29) % 47), "owner": if n % 2 == 0 { "a" } else { "b" }}));
    }
    let all: BTreeSet<String> = list(&s, "sort=recorded").into_iter().collect();
    assert_eq!(all.len(), 47);
    let whole = list(&s, "sort=recorded");
    for (sort, wanted) in [
        ("recorded", whole.clone()),
        ("-recorded", whole.iter().rev().cloned().collect()),
        ("name", all.iter().cloned().collect::<Vec<_>>()),
    ] {
        for limit in [1, 2, 7, 46, 47, 48] {
            let found = names(&pages(&s.ana, &format!("/api/v1/models?sort={sort}"), limit));
            assert_eq!(found, wanted, "{sort} by {limit}");
        }
    }
    assert_eq!(names(&pages(&s.ana, "/api/v1/models?owner=a", 5)).len(), 24);
}

#[test]
fn what_is_added_meanwhile_loses_nothing_that_was_there() {
    for sort in ["recorded", "-recorded", "name"] {
        let s = Scenario::empty();
        for n in 0..20 {
            s.add("models", json!({"name": format!("old{n:02}")}));
        }
        let (mut seen, mut cursor, mut added) = (Vec::new(), String::new(), 0);
        loop {
            let page = s.ana.get(&format!("/api/v1/models?limit=3&sort={sort}{cursor}")).good();
            seen.extend(names(page["items"].as_array().unwrap()));
            for name in ["new-a", "old05-b", "zz"] {
                s.add("models", json!({"name": format!("{name}-{added}")}));
            }
            added += 1;
            match page["next"].as_str() {
                // New ones behind the cursor would make it endless.
                Some(next) if added < 30 => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        for n in 0..20 {
            let name = format!("old{n:02}");
            assert_eq!(seen.iter().filter(|s| **s == name).count(), 1, "{name} by {sort}");
        }
    }
}

#[test]
fn what_moves_to_another_state_meanwhile_is_not_lost_by_name() {
    let s = Scenario::empty();
    for n in 0..9 {
        s.add("models", json!({"name": format!("m{n}")}));
    }
    let first = s.ana.get("/api/v1/models?limit=4&sort=name").good();
    let id = s.ana.resolve("model:m7")["id"].as_str().unwrap().to_owned();
    let etag = s.ana.get(&format!("/api/v1/models/{id}")).header("etag").unwrap().to_owned();
    s.ana.put(&format!("/api/v1/models/{id}"), &etag, &json!({"name": "m7", "owner": "moved"})).good();
    let rest =
        s.ana.get(&format!("/api/v1/models?limit=100&sort=name&cursor={}", first["next"].as_str().unwrap())).good();
    assert_eq!(names(rest["items"].as_array().unwrap()), ["m4", "m5", "m6", "m7", "m8"]);
}

#[test]
fn words_are_found_in_name_tag_owner_and_description_whatever_their_case() {
    let s = Scenario::empty();
    s.add("models", json!({"name": "Fraud-Détection", "owner": "risk-team", "tags": {"Domain": "Payments"}}));
    s.add(
        "models",
        json!({"name": "churn", "owner": "crm-team", "description": "Who LEAVES next month, 100% guessed_by us"}),
    );
    s.add("models", json!({"name": "other"}));
    for (q, wanted) in [
        ("fraud", vec!["Fraud-Détection"]),
        ("FRAUD", vec!["Fraud-Détection"]),
        ("détection", vec!["Fraud-Détection"]),
        ("DÉTECTION", vec!["Fraud-Détection"]),
        ("payments", vec!["Fraud-Détection"]),
        ("domain", vec!["Fraud-Détection"]),
        ("RISK-team", vec!["Fraud-Détection"]),
        ("leaves month", vec!["churn"]),
        ("month leaves", vec!["churn"]),
        ("0%", vec!["churn"]),
        ("guessed_by", vec!["churn"]),
        ("guessed%by", vec![]),
        ("guessedxby", vec![]),
        ("-team", vec!["Fraud-Détection", "churn"]),
        ("fraud leaves", vec![]),
        ("model:", vec!["Fraud-Détection", "churn", "other"]),
    ] {
        assert_eq!(list(&s, &format!("sort=recorded&q={}", encode(q))), wanted, "{q}");
    }
}

#[test]
fn filters_are_exact_and_add_up() {
    let s = Scenario::empty();
    for (name, owner, tags) in [
        ("a", "x", json!({"tier": "1", "lang": "fr"})),
        ("b", "x", json!({"tier": "2"})),
        ("c", "y", json!({"tier": "1"})),
        ("d", "x-team", json!({"tier-group": "1", "a|b": "c=d"})),
    ] {
        s.add("models", json!({"name": name, "owner": owner, "tags": tags}));
    }
    for (query, wanted) in [
        ("owner=x", vec!["a", "b"]),
        ("tag=tier", vec!["a", "b", "c"]),
        ("tag=tier=1", vec!["a", "c"]),
        ("tag=tier=1&owner=x", vec!["a"]),
        ("tag=tier-group", vec!["d"]),
        ("tag=a%7Cb=c%3Dd", vec!["d"]),
        ("tag=b=c", vec![]),
        ("name=a", vec!["a"]),
        ("name=A", vec![]),
        ("state=registered", vec!["a", "b", "c", "d"]),
        ("state=active", vec![]),
        ("ref=model:c", vec!["c"]),
        ("owner=%25", vec![]),
    ] {
        assert_eq!(list(&s, &format!("sort=name&{query}")), wanted, "{query}");
    }
}

#[test]
fn versions_and_releases_are_listed_by_what_they_belong_to() {
    let s = Scenario::running();
    s.add("model-versions", harness::scenario::model_version("2", "2"));
    s.release("2");
    let of = |path: &str| -> Vec<String> {
        pages(&s.ana, path, 1).iter().map(|i| i["ref"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of("/api/v1/model-versions?parent=model:score"), ["model:score@2", "model:score@1"]);
    assert_eq!(
        of("/api/v1/releases?parent=deployment:score-prod&sort=recorded"),
        ["release:score-prod@1", "release:score-prod@2"]
    );
    assert_eq!(of("/api/v1/releases?state=active"), ["release:score-prod@1"]);
    assert_eq!(of("/api/v1/deployments?parent=environment:production"), ["deployment:score-prod"]);
    assert_eq!(of("/api/v1/dataset-versions?parent=dataset:crm/nobody"), Vec::<String>::new());
}

#[test]
fn many_approvals_of_one_moment_are_paged_one_by_one() {
    let s = Scenario::approved();
    let all = pages(&s.ana, "/api/v1/approvals", 1);
    let ids: BTreeSet<&str> = all.iter().map(|i| i["id"].as_str().unwrap()).collect();
    assert_eq!((all.len(), ids.len()), (4, 4));
    assert!(all.iter().all(|i| i["ref"].as_str().unwrap() == format!("approval:{}", i["id"].as_str().unwrap())));
}
