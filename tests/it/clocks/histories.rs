//! Histories nobody wrote by hand: registering, approving, revoking, releasing, gating, in an order drawn from a seed. What the
//! gate said in the midst of each comes out of its ledger again, byte for byte.

use std::collections::BTreeMap;

use chrono::Duration;
use harness::{TestDatabase, scenario};
use licit_schemas::access::Role;
use licit_schemas::gate::{Activation, Decision, GateRequest, Intent, Rollback};
use licit_schemas::reference::Ref;
use licit_schemas::review::BoundSubject;
use licit_schemas::time::Timestamp;
use licit_server::catalogue::Stated;
use licit_server::db::Manager;
use licit_server::error::Result;
use licit_server::facts::{Db, Fact, Tx};
use licit_server::gate::{envelope, gaps, operations as gate, replay};
use licit_server::registry::life;
use licit_server::registry::operations::{self as registry, Existing};
use licit_server::review::operations::{self as review, Seat, Terms};
use licit_server::{lawfulness, ledger, lineage, notices};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const HISTORIES: u64 = 13;
const STEPS: usize = 17;
/// Decisions in one write: each sees what those before it in the same group recorded, and nobody else can see yet.
const TOGETHER: usize = 7;

/// Xorshift: the same seed, the same history.
#[derive(Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

pub(super) fn from<T: DeserializeOwned>(value: Value) -> T {
    let text = value.to_string();
    serde_json::from_value(value).unwrap_or_else(|e| panic!("{e}: {text}"))
}

pub(super) const ANA: Uuid = Uuid::from_u128(1);
pub(super) const BEA: Uuid = Uuid::from_u128(2);
pub(super) fn terms(_: &Tx<'_>, _: &[BoundSubject]) -> Terms {
    Terms { quorum: 1, approval_days: 365 }
}
pub(super) const WHOLE: [&str; 4] =
    ["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"];
pub(super) const DATASETS: [&str; 2] = ["people", "panel"];

/// What is there from the start: names, and one of everything that can be approved.
pub(super) fn begin(tx: &mut Tx<'_>) -> Result<()> {
    let seat = json!({
        "actor": BEA, "roles": ["reviewer"], "label": "board", "expires_at": "2099-01-01T00:00:00Z", "secret_hash": scenario::ZEROS,
    });
    tx.record(Fact::TokenIssued(Stated { id: BEA, rev: 1, spec: from(seat) }))?;
    registry::party(tx, from(scenario::party("acme")), Existing::Refuse)?;
    registry::party(tx, from(scenario::party("other")), Existing::Refuse)?;
    let environment = json!({"key": "production", "mode": "enforce", "class": "production"});
    registry::environment(tx, from(environment), Existing::Refuse)?;
    for name in DATASETS {
        registry::dataset(tx, from(json!({"namespace": "crm", "name": name})), Existing::Refuse)?;
    }
    registry::model(tx, from(json!({"name": "score"})), Existing::Refuse)?;
    lawfulness::operations::purpose(tx, from(scenario::purpose("scoring")))?;
    lawfulness::operations::purpose(tx, from(scenario::purpose("research")))?;
    notices::operations::notice(tx, from(scenario::notice("customers", &["scoring", "research"])))?;
    lawfulness::operations::basis(tx, from(scenario::basis("scoring-contract", "scoring")))?;
    registry::system(tx, from(scenario::system()))?;
    registry::dataset_version(tx, from(scenario::people("1")))?;
    registry::model_version(tx, from(scenario::model_version("1", "1")))?;
    lineage::operations::run(tx, from(scenario::training("1", "1")))?;
    registry::deployment(tx, from(scenario::deployment()), Existing::Refuse)?;
    registry::release(tx, from(release("1")))?;
    Ok(())
}

fn release(version: &str) -> Value {
    json!({"deployment": "deployment:score-prod", "composition": [{"part": "base", "model": format!("model:score@{version}")}]})
}

/// A version of a dataset, good or lacking something.
fn version(dice: &mut Dice, name: &str, version: usize) -> Value {
    let mut v = scenario::people(&version.to_string());
    v["dataset"] = json!(format!("dataset:crm/{name}"));
    match dice.roll(12) {
        0 => v["fields"][0]["categories"] = json!([scenario::POLITICS]),
        1 => drop(v.as_object_mut().unwrap().remove("origin")),
        2 => v["fields"] = json!([]),
        3 => v["controllers"] = json!(["party:other"]),
        _ => {}
    }
    v
}

/// One thing somebody does. What is refused records nothing, or what it recorded stays: both are histories.
pub(super) fn act(tx: &mut Tx<'_>, dice: &mut Dice, step: usize) -> Result<()> {
    let now = tx.now();
    let past = |days: i64| now.plus(Duration::days(-days)).to_string();
    let dataset = dice.one(&DATASETS);
    match dice.roll(12) {
        0 => drop(registry::dataset_version(tx, from(version(dice, dataset, step)))?),
        1 | 2 => {
            let name = step.to_string();
            registry::model_version(tx, from(scenario::model_version(&name, "2")))?;
            let mut run = scenario::training(&name, "1");
            run["started_at"] = json!(past(i64::try_from(dice.roll(400)).unwrap()));
            run["purpose"] = json!(dice.one(&["purpose:scoring", "purpose:research"]));
            let read = match dice.roll(4) {
                0 => "dataset:crm/nowhere@1".to_owned(),
                1 => format!("dataset:crm/{dataset}@{}", dice.roll(step + 1)),
                _ => "dataset:crm/people@1".to_owned(),
            };
            run["inputs"][0]["ref"] = json!(read);
            if dice.roll(3) == 0 {
                let age = json!([{"input": read, "field": "age", "masking": dice.roll(2) == 0}]);
                run["columns"] = json!([{"output": format!("model:score@{name}"), "from": age}]);
            }
            lineage::operations::run(tx, from(run))?;
            registry::release(tx, from(release(&name)))?;
        }
        3 => {
            let mut basis = scenario::basis(dice.one(&["scoring-contract", "second"]), "scoring");
            basis["valid_from"] = json!(past(i64::try_from(dice.roll(800)).unwrap()));
            if dice.roll(3) == 0 {
                basis["valid_to"] = json!(tx.now().plus(Duration::days(30)).to_string());
            }
            basis["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/panel"]);
            lawfulness::operations::basis(tx, from(basis))?;
        }
        4 => {
            let mut deployment = scenario::deployment();
            deployment["reads"] = json!({"datasets": [format!("dataset:crm/{dataset}")]});
            deployment["region"] = json!(dice.one(&["FR", "US"]));
            registry::deployment(tx, from(deployment), Existing::Revise)?;
        }
        5 => {
            let held = tx.world().registry.held(&format!("dataset:crm/people@{}", dice.roll(step + 1))).cloned();
            if let Some(held) = held {
                let life = dice.one(&["restricted", "held", "erased"]);
                let change = from(json!({"life": life, "reason": "It was settled."}));
                life::change_life(tx, held.id, &change, &[Role::Registrar, Role::Dpo])?;
            }
        }
        6 => {
            let held = tx.world().registry.held(&format!("model:score@{}", dice.roll(step + 1))).cloned();
            if let Some(held) = held {
                life::retire(tx, "model_version", held.id, &from(json!({"reason": "a mistake"})))?;
            }
        }
        7 => {
            let edge = json!({"kind": "serves_on", "from": "deployment:score-prod", "to": format!("dataset:crm/{dataset}"), "origin": "observed"});
            lineage::operations::edge(tx, from(edge))?;
        }
        8 => {
            let assessment = json!({
                "key": "anonymous", "kind": "anonymity", "of": format!("dataset:crm/{dataset}"), "holder": "party:acme",
                "statement": "nobody is singled out", "attack_model": "an insider", "evidence": [scenario::evidence()],
                "valid_from": past(10), "valid_to": tx.now().plus(Duration::days(60)).to_string(),
            });
            lawfulness::operations::assessment(tx, from(assessment))?;
        }
        9 => {
            let of = dice.one(&["purpose:scoring", "basis:scoring-contract", "deployment:score-prod", "system:scorer"]);
            let grace = dice.roll(40);
            let body = json!({"ref": of, "reason": "no longer", "grace_days": grace});
            review::revoke(tx, &from(body))?;
        }
        10 => {
            let news = gaps::news(tx.world(), &gaps::open(tx.world(), None, tx.now()));
            gaps::notice(tx, &news)?;
        }
        _ => {
            let releases = tx.world().registry.releases("deployment:score-prod").to_vec();
            let of = &releases[dice.roll(releases.len())];
            registry::withdraw(tx, of.id)?;
        }
    }
    Ok(())
}

/// One decision of any kind, and with what it was asked.
pub(super) fn decide(tx: &mut Tx<'_>, dice: &mut Dice) -> Result<Decision> {
    let releases = tx.world().registry.releases("deployment:score-prod").to_vec();
    let intent = if dice.roll(2) == 0 { Intent::Start } else { Intent::Continue };
    match dice.roll(6) {
        0 => return gate::activate(tx, releases[dice.roll(releases.len())].id, &Activation::default(), Intent::Start),
        1 => {
            let id = tx.world().registry.deployments.latest("deployment:score-prod").map(|d| d.id);
            return gate::rollback(tx, id.unwrap(), &Rollback::default());
        }
        _ => {}
    }
    let named = |n: usize| format!("release:score-prod@{n}").parse::<Ref>().ok();
    let digit = dice.one(&["1", "2"]);
    let artifacts: Vec<Value> = match dice.roll(3) {
        0 => vec![json!({"path": "model.json", "digest": format!("sha256:{}", digit.repeat(64))})],
        _ => Vec::new(),
    };
    let request = GateRequest {
        deployment: Ref::deployment(&"score-prod".parse().unwrap()).into(),
        // Absent, named, or a number nobody proposed.
        release: if dice.roll(2) == 0 { named(1 + dice.roll(releases.len() + 1)) } else { None },
        intent,
        artifacts: from(Value::Array(artifacts)),
        ..GateRequest::default()
    };
    let ask = gate::ask(&request, tx.now())?;
    gate::decide(tx, ask)
}

/// Live through a history. The clock is the history's own.
fn live(db: &Db, dice: &mut Dice, start: Timestamp) {
    let mut now = start;
    db.write_blocking(ANA, now, begin).unwrap();
    approve(db, &WHOLE, now, now.plus(Duration::days(90)));
    for step in 2..STEPS {
        now = now.plus(Duration::hours(i64::try_from(dice.roll(200)).unwrap()));
        let (first, mut rest) = (dice.clone(), dice.clone());
        for _ in 0..32 {
            rest.roll(2);
        }
        *dice = rest;
        db.write_blocking(ANA, now, move |tx| {
            // The operation may be run twice: it begins with the same dice.
            let mut dice = first.clone();
            for round in 0..TOGETHER {
                if round % 3 == 1 {
                    drop(act(tx, &mut dice, step));
                }
                drop(decide(tx, &mut dice));
            }
            Ok(())
        })
        .unwrap();
        if step % 2 == 0 {
            board(db, dice, now);
        }
    }
}

/// The board approves something; alone it is a quorum here.
fn board(db: &Db, dice: &mut Dice, now: Timestamp) {
    let part =
        ["basis:second", "assessment:anonymous", "purpose:research", "deployment:score-prod", "basis:scoring-contract"];
    let of: Vec<&str> = if dice.roll(2) == 0 { WHOLE.to_vec() } else { vec![dice.one(&part)] };
    let end = now.plus(Duration::days(10 + i64::try_from(dice.roll(200)).unwrap()));
    approve(db, &of, now, end);
}

pub(super) fn approve(db: &Db, of: &[&str], now: Timestamp, end: Timestamp) {
    let subjects: Vec<Value> = of.iter().map(|r| json!({"ref": r})).collect();
    let create = from(json!({"title": "Dossier", "subjects": subjects, "valid_to": end.to_string()}));
    let Ok(opened) = db.write_blocking(ANA, now, move |tx| review::open(tx, &create, terms, envelope::under_review))
    else {
        return;
    };
    let vote = from(json!({"choice": "approve", "digest": opened.digest}));
    db.write_blocking(BEA, now, move |tx| review::vote(tx, opened.id.0, &vote, Seat::Member)).unwrap();
}

/// Every decision of the ledger: its canonical text by position of the entry.
fn decisions(db: &Db) -> BTreeMap<u64, String> {
    let mut found = BTreeMap::new();
    let mut from = 1;
    loop {
        let page = db.read_blocking(|conn| ledger::store::entries(conn, from, 1000)).unwrap();
        for entry in page.items.iter().filter(|e| e.entry.kind == "decision.made") {
            let text = licit_schemas::json::canonical(&entry.data["spec"]).unwrap();
            found.insert(entry.entry.seq, text);
        }
        match page.next {
            Some(next) => from = next.parse().unwrap(),
            None => return found,
        }
    }
}

#[test]
fn what_was_decided_comes_out_of_the_ledger_again() {
    let (mut replayed, mut verdicts, mut rules) = (0, BTreeMap::new(), BTreeMap::new());
    for seed in 1..=HISTORIES {
        let database = TestDatabase::new();
        let db = Db::open(Manager::new(&database.url).unwrap(), 2).unwrap();
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        live(&db, &mut dice, "2026-01-01".parse().unwrap());
        let live = db.world();
        let all = decisions(&db);
        // In their order each world is folded on from the one before; backwards, from the first entry.
        for (seq, text) in all.iter().chain(all.iter().rev().step_by(40)) {
            let decision: Decision = serde_json::from_str(text).unwrap();
            assert_eq!(decision.position, seq - 1, "what was known ends with the entry before");
            let digest = decision.evidence_digest;
            let evidence = db.read_blocking(|conn| ledger::store::kept_evidence(conn, &digest)).unwrap();
            let then = db.at_blocking(decision.position).unwrap();
            *verdicts.entry(format!("{:?} {:?}", decision.intent, decision.verdict)).or_insert(0) += 1;
            for finding in &decision.findings {
                *rules.entry(finding.rule.clone()).or_insert(0) += 1;
            }
            let again = replay::replay(decision, text, &evidence, (&then, &live), Some(&live)).unwrap();
            assert!(
                again.same && again.same_evidence && again.otherwise.is_none(),
                "seed {seed}, entry {seq}: {:#?}\n{:#?}",
                again.recorded,
                again.replayed
            );
            replayed += 1;
        }
        db.close();
    }
    // It would prove little if all of them were alike.
    assert!(replayed > 1_000, "{replayed}");
    assert!(verdicts.len() == 4 && verdicts.values().all(|n| *n > 15), "{verdicts:?}");
    assert!(rules.len() >= 9, "{rules:?}");
}
