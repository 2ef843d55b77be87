//! The writer alone, over a projection that only counts: operations that fail or panic roll back alone, in memory too.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::TestDatabase;
use licit_schemas::digest::Digest;
use licit_server::clock;
use licit_server::db::people::People;
use licit_server::db::{At, Db, Encoded, Manager, NewRow, Projection, Rows, position};
use licit_server::error::{Error, Result};
use licit_server::ledger::rebuild;
use uuid::Uuid;

#[derive(Clone, Default)]
struct Names {
    position: u64,
    names: BTreeSet<String>,
    people: People,
}

impl Projection for Names {
    fn corrected_sets(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn people(&self) -> &People {
        &self.people
    }

    fn people_mut(&mut self) -> &mut People {
        &mut self.people
    }

    type Fact = String;

    fn encode(fact: &String) -> Result<Encoded> {
        Ok(Encoded {
            kind: "name.given",
            version: 1,
            data: licit_schemas::json::canonical(fact).map_err(|e| Error::Internal(e.to_string()))?,
        })
    }

    fn decode(_: &str, _: u16, data: &str) -> Result<String> {
        serde_json::from_str(data).map_err(|e| Error::Internal(e.to_string()))
    }

    fn apply(&mut self, at: &At, fact: &String, rows: &mut Rows) {
        self.position = at.seq;
        self.names.insert(fact.clone());
        // The id is the name: a second row of it in one kind and position cannot be.
        let id = if fact.starts_with("clash") { "clash".to_owned() } else { fact.clone() };
        rows.put(at, || NewRow { kind: "name", id, digest: Some(Digest::of(b"")), ..NewRow::default() });
        if fact.starts_with("clash") {
            rows.put(at, || NewRow { kind: "name", id: "clash".to_owned(), ..NewRow::default() });
        }
    }

    fn position(&self) -> u64 {
        self.position
    }
}

#[test]
fn what_fails_rolls_back_alone() {
    let database = TestDatabase::new();
    let manager = Manager::new(&database.url).unwrap();
    let db: Db<Names> = Db::open(manager.clone(), 2).unwrap();
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let (db, good, bad) = (db.clone(), good.clone(), bad.clone());
            scope.spawn(move || {
                for n in 0..50 {
                    let name = match n % 10 {
                        3 => format!("clash-{thread}-{n}"),
                        _ => format!("name-{thread}-{n}"),
                    };
                    let outcome = db.write_blocking(Uuid::nil(), clock::now(), move |tx| {
                        let seq = tx.record(name.clone())?;
                        match n % 10 {
                            5 => Err(Error::conflict("refused after recording")),
                            7 => panic!("an operation that panics after recording"),
                            _ => Ok(seq),
                        }
                    });
                    let counter = if outcome.is_ok() { &good } else { &bad };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    // Of each ten: one breaks the database's rules, one is refused, one panics.
    assert_eq!((good.load(Ordering::Relaxed), bad.load(Ordering::Relaxed)), (16 * 35, 16 * 15));
    let world = db.world();
    assert_eq!(world.position, 16 * 35);
    assert_eq!(world.names.len(), 16 * 35);
    assert!(!world.names.iter().any(|n| n.starts_with("clash")));
    db.close();
    let report = rebuild::check::<Names>(&manager).unwrap();
    assert_eq!((report.entries, report.faults), (16 * 35, Vec::new()));
}

#[test]
fn every_earlier_position_is_folded_anew() {
    use licit_schemas::known::KnownAt;
    let database = TestDatabase::new();
    let db: Db<Names> = Db::open(Manager::new(&database.url).unwrap(), 2).unwrap();
    let start = clock::now();
    let second = |n: i64| start.plus(chrono::Duration::seconds(n));
    // More than one page, three entries a second.
    for n in 0..1500i64 {
        db.write_blocking(Uuid::nil(), second(n / 3), move |tx| tx.record(format!("name-{n:04}"))).unwrap();
    }
    // Back and forth: from nothing, from what is kept, and past what was dropped.
    for position in [1_200, 3, 1_201, 700, 1_499, 0, 3, 1_500, 1_200] {
        let world = db.at_blocking(position).unwrap();
        assert_eq!((world.position, world.names.len() as u64), (position, position));
        let last = world.names.last().cloned();
        assert_eq!(last, position.checked_sub(1).map(|n| format!("name-{n:04}")));
    }
    let known = |at: KnownAt| db.read_blocking(move |conn| position(conn, at));
    for (moment, position) in [(-1, 0), (0, 3), (1, 6), (499, 1_500), (4_000, 1_500)] {
        assert_eq!(known(KnownAt::Time(second(moment))).unwrap(), position, "{moment}");
    }
    assert_eq!(known(KnownAt::Time(second(2).plus(-chrono::Duration::microseconds(1)))).unwrap(), 6);
    assert_eq!(known(KnownAt::Now).unwrap(), 1_500);
    assert!(known(KnownAt::Position(1_501)).is_err());
    db.close();
}
