use std::sync::Arc;

use harness::scenario::people;
use harness::{Client, TestServer};
use serde_json::json;

use super::{begin, finish, lines, members, put, wanted, with_key};
use crate::support::{entries, rebuilds, verified};

#[test]
fn members_count_once_the_load_is_finished() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    let taken = put(&s.ana, &load, 1, &lines("k1", 0..5));
    assert_eq!((taken.status, taken.good()["records"].as_u64()), (201, Some(5)));
    // Two of them were named before.
    put(&s.ana, &load, 2, &lines("k1", 3..9)).good();
    members(&s, &s.dora, "1").problem(404);
    let loaded = finish(&s.ana, &load, 2, 11);
    assert_eq!(loaded.status, 201);
    let loaded = loaded.good();
    assert_eq!((&loaded["outcome"], loaded["members"]["count"].as_u64()), (&json!("created"), Some(9)));
    for client in [&s.ana, &s.dora, &s.audit] {
        let told = members(&s, client, "1").good();
        assert_eq!(told, loaded["members"], "who may read reads the same");
        assert_eq!((&told["scope"], &told["kid"]), (&json!("crm"), &json!("k1")));
    }
    // The ledger holds the count and the root, and nothing of who they are.
    let all = verified(&s.audit);
    let fact = all.iter().find(|one| one.entry.kind == "members.loaded").unwrap();
    let said: Vec<&String> = fact.data["spec"].as_object().unwrap().keys().collect();
    assert_eq!(said, ["count", "dataset_version", "kid", "root", "scope"]);
    rebuilds(&s.server.db);
}

#[test]
fn a_load_that_broke_off_goes_on_where_it_was() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    put(&s.ana, &load, 1, &lines("k1", 0..5)).good();
    put(&s.ana, &load, 3, &lines("k1", 10..15)).good();
    let started = s.ana.clone();
    let db = s.server.kill();
    let server = TestServer::on(db);
    let ana = Client::new(&server.url, started.token.as_deref());
    // The server says what it has; the number and digest of each batch tell what is missing.
    let again = ana.post("/api/v1/member-loads", &wanted("1"));
    assert_eq!((again.status, format!("member-loads/{}", again.good()["id"].as_str().unwrap())), (200, load.clone()));
    let had: Vec<u64> =
        again.good()["batches"].as_array().unwrap().iter().map(|b| b["number"].as_u64().unwrap()).collect();
    assert_eq!(had, [1, 3]);
    let refused = finish(&ana, &load, 3, 15).problem(409);
    assert!(refused["detail"].as_str().unwrap().contains("batch 2 is missing"), "{refused}");
    let known = put(&ana, &load, 1, &lines("k1", 0..5));
    assert_eq!((known.status, &known.good()["outcome"]), (200, &json!("unchanged")), "it is not taken twice");
    let changed = put(&ana, &load, 1, &lines("k1", 0..4)).problem(409);
    assert!(changed["detail"].as_str().unwrap().contains("other content"), "{changed}");
    put(&ana, &load, 2, &lines("k1", 5..10)).good();
    finish(&ana, &load, 3, 14).problem(409);
    finish(&ana, &load, 2, 15).problem(409);
    assert_eq!(finish(&ana, &load, 3, 15).good()["members"]["count"], 15);
    // The answer was lost: asked again, it is the same.
    let again = finish(&ana, &load, 3, 15);
    assert_eq!((again.status, again.good()["outcome"].clone()), (200, json!("unchanged")));
    finish(&ana, &load, 3, 16).problem(409);
    put(&ana, &load, 4, &lines("k1", 20..25)).problem(409);
    ana.send("DELETE", &format!("/api/v1/{load}"), &[], None).problem(409);
    rebuilds(&server.db);
}

#[test]
fn the_same_members_are_the_same_load_and_others_are_refused() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    put(&s.ana, &load, 1, &lines("k1", 0..10)).good();
    let first = finish(&s.ana, &load, 1, 10).good();
    let facts = entries(&s.audit).len();

    // In other batches, in another order, by somebody else.
    let olga = s.server.person("Olga", &["registrar"]);
    let same = begin(&olga, "1");
    assert_ne!(same, load);
    put(&olga, &same, 1, &lines("k1", 5..10)).good();
    put(&olga, &same, 2, &lines("k1", 0..5)).good();
    let again = finish(&olga, &same, 2, 10).good();
    assert_eq!((&again["outcome"], &again["members"]), (&json!("unchanged"), &first["members"]));
    assert_eq!(finish(&olga, &same, 2, 10).good()["outcome"], "unchanged", "also when asked again");

    // One more, and one less: a version never changes.
    for (batch, count) in [(lines("k1", 0..11), 11), (lines("k1", 0..9), 9), (lines("k1", 1..11), 10)] {
        let other = begin(&olga, "1");
        put(&olga, &other, 1, &batch).good();
        let refused = finish(&olga, &other, 1, count).problem(409);
        assert!(refused["detail"].as_str().unwrap().contains("immutable"), "{refused}");
        assert_eq!(olga.send("DELETE", &format!("/api/v1/{other}"), &[], None).status, 204);
        olga.get(&format!("/api/v1/{other}")).problem(404);
    }
    assert_eq!(members(&s, &s.audit, "1").good(), first["members"]);
    let recorded = entries(&s.audit).iter().filter(|one| one.entry.kind == "members.loaded").count();
    assert_eq!((recorded, entries(&s.audit).len() - facts), (1, 2), "an actor and a token, and no second load");
    rebuilds(&s.server.db);
}

#[test]
fn a_load_is_of_who_began_it() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    put(&s.ana, &load, 1, &lines("k1", 0..5)).good();
    let olga = s.server.person("Olga", &["registrar"]);
    put(&olga, &load, 2, &lines("k1", 5..9)).problem(403);
    finish(&olga, &load, 1, 5).problem(403);
    olga.get(&format!("/api/v1/{load}")).problem(403);
    olga.send("DELETE", &format!("/api/v1/{load}"), &[], None).problem(403);
    for client in [&s.dora, &s.audit, &s.bea, &s.ci] {
        client.post("/api/v1/member-loads", &wanted("1")).problem(403);
    }
    members(&s, &s.bea, "1").problem(403);
    assert_eq!(finish(&s.ana, &load, 1, 5).good()["members"]["count"], 5);
}

#[test]
fn two_writers_at_once_make_one_set_of_members() {
    let s = with_key();
    s.add("dataset-versions", people("2"));
    let s = Arc::new(s);
    // Eight clients of four registrars load the same people, four of them into another version, in batches that overlap.
    let registrars: Vec<Client> = (0..4).map(|n| s.server.person(&format!("R{n}"), &["registrar"])).collect();
    let outcomes: Vec<(String, serde_json::Value)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8u32)
            .map(|n| {
                let client = registrars[n as usize % 4].clone();
                scope.spawn(move || {
                    let version = if n < 4 { "1" } else { "2" };
                    let load = begin(&client, version);
                    for batch in 0..10u32 {
                        put(&client, &load, batch + 1, &lines("k1", batch * 50..batch * 50 + 100)).good();
                    }
                    (version.to_owned(), finish(&client, &load, 10, 1000).good())
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for version in ["1", "2"] {
        let of: Vec<_> = outcomes.iter().filter(|(of, _)| of == version).map(|(_, answer)| answer).collect();
        assert_eq!(of.iter().filter(|answer| answer["outcome"] == "created").count(), 1, "{of:#?}");
        assert!(of.iter().all(|answer| answer["members"]["count"] == 550), "{of:#?}");
    }
    assert_eq!(s.server.db.sql("SELECT count(*) FROM subject").trim(), "550", "each person is known once");
    verified(&s.audit);
    rebuilds(&s.server.db);
}

#[test]
fn two_servers_on_one_database_know_the_same_people() {
    let s = with_key();
    s.add("dataset-versions", people("2"));
    let other = TestServer::on(s.server.db.clone());
    let there = Client::new(&other.url, s.ana.token.as_deref());
    let load = begin(&s.ana, "1");
    put(&s.ana, &load, 1, &lines("k1", 0..20)).good();
    // The other server never saw these people; half of them are new.
    put(&there, &load, 2, &lines("k1", 10..30)).good();
    put(&s.ana, &load, 3, &lines("k1", 25..40)).good();
    assert_eq!(finish(&there, &load, 3, 55).good()["members"]["count"], 40);
    assert_eq!(s.server.db.sql("SELECT count(*) FROM subject").trim(), "40");
    // What was loaded there is compared here.
    let olga = s.server.person("Olga", &["registrar"]);
    let same = begin(&olga, "1");
    put(&olga, &same, 1, &lines("k1", 0..40)).good();
    assert_eq!(finish(&olga, &same, 1, 40).good()["outcome"], "unchanged");
    rebuilds(&s.server.db);
}

#[test]
fn who_changes_the_tables_is_found_out() {
    let s = with_key();
    let load = begin(&s.ana, "1");
    put(&s.ana, &load, 1, &lines("k1", 0..10)).good();
    finish(&s.ana, &load, 1, 10).good();
    rebuilds(&s.server.db);
    for (change, back) in [
        ("UPDATE subject SET kid = 'k2' WHERE n = 3", "UPDATE subject SET kid = 'k1' WHERE n = 3"),
        ("UPDATE subject SET n = 99 WHERE n = 3", "UPDATE subject SET n = 3 WHERE n = 99"),
        (
            "UPDATE member_batch SET member_load = 'x'",
            "UPDATE member_batch SET member_load = (SELECT id FROM member_load)",
        ),
        (
            "UPDATE member_set SET dataset_version = 'dataset:crm/people@2'",
            "UPDATE member_set SET dataset_version = 'dataset:crm/people@1'",
        ),
    ] {
        s.server.db.sql(change);
        let (code, stdout, stderr) = TestServer::run(&s.server.db, &["rebuild", "--check"]);
        assert!(code != 0 && stderr.contains("member_set"), "{change}: {code} {stdout}{stderr}");
        s.server.db.sql(back);
        rebuilds(&s.server.db);
    }
}

#[test]
fn loads_that_nobody_adds_to_keep_nobody_from_loading() {
    let s = with_key();
    let olga = s.server.person("Olga", &["registrar"]);
    let left = begin(&olga, "1");
    put(&olga, &left, 1, &lines("k1", 0..3)).good();
    // Somebody leaves as many open as there may be.
    let rows: Vec<String> = (1..100)
        .map(|n| {
            format!(
                "('00000000-0000-4000-8000-{n:012}', 'dataset:crm/people@1', 'crm', 'k1', '{:032}', '2026-01-01 00:00:00', \
                 'open', 0, 0, '2999-01-01 00:00:00')",
                7
            )
        })
        .collect();
    let columns = "id, dataset_version, scope, kid, actor, created_at, state, batches, records, touched_at";
    s.server.db.sql(&format!("INSERT INTO member_load ({columns}) VALUES {}", rows.join(", ")));
    let refused = s.ana.post("/api/v1/member-loads", &super::wanted("1"));
    assert!(refused.problem(409)["detail"].as_str().unwrap().contains("100 loads are open"), "{}", refused.text);
    // An officer makes room, and nobody else.
    let any = "/api/v1/member-loads/00000000-0000-4000-8000-000000000001";
    s.ana.send("DELETE", any, &[], None).problem(403);
    assert_eq!(s.dora.send("DELETE", any, &[], None).status, 204);
    let own = begin(&s.ana, "1");
    // So does time.
    s.server
        .db
        .sql("UPDATE member_load SET touched_at = '2026-01-02 00:00:00' WHERE touched_at > '2900-01-01 00:00:00'");
    s.add("dataset-versions", people("2"));
    begin(&s.ana, "2");
    assert_eq!(s.server.db.sql("SELECT count(*) FROM member_load").trim(), "3", "those that somebody adds to stay");
    put(&s.ana, &own, 1, &lines("k1", 0..3)).good();
    assert_eq!(finish(&olga, &left, 1, 3).good()["members"]["count"], 3);
    rebuilds(&s.server.db);
}
