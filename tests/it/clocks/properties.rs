//! What holds of every history, tried on thousands that nobody wrote by hand. Each branches off one beginning, is lived inside an
//! operation that is taken back, and is judged by what its ledger would hold.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use harness::{TestDatabase, scenario};
use licit_schemas::access::Role;
use licit_schemas::gate::{Activation, Decision, Intent};
use licit_schemas::reports::WhatIfRequest;
use licit_schemas::review::{Envelope, EnvelopeSource};
use licit_schemas::time::Timestamp;
use licit_server::db::{Manager, Projection, Rows};
use licit_server::error::{Error, Result};
use licit_server::facts::{Db, Fact, Tx, World, canonical};
use licit_server::gate::evidence::{Ask, Evidence, gather};
use licit_server::gate::{baseline, emergency, envelope, modes, operations as gate, replay};
use licit_server::registry::life;
use licit_server::registry::operations::{self as registry, Existing};
use licit_server::reports::{self, operations::whatif};
use licit_server::review::{Within, operations as review};
use licit_server::{lawfulness, ledger};
use serde_json::{Value, json};

use super::histories::{ANA, Dice, WHOLE, act, begin, decide, from};

/// Histories that are replayed.
const REPLAYED: usize = 2_000;
/// Histories in which something is supposed, then done.
const SUPPOSED: usize = 600;
/// Histories lived in one write; each write has a time of its own.
const TOGETHER: usize = 50;
/// The deployment of every history.
const DEPLOYMENT: &str = "deployment:score-prod";

fn branch(tx: &mut Tx<'_>, reference: &str) -> Result<()> {
    reports::operations::approve(tx, &reference.parse().unwrap(), "").map(drop)
}

/// A policy: what warns, and who may break the glass.
fn policy(dice: &mut Dice) -> Value {
    let level = |dice: &mut Dice| dice.one(&["block", "warn", "silent"]).to_owned();
    let rules = ["release.approved", "compatibility", "retention", "assessment.in_force"];
    let levels: Vec<Value> = rules.iter().map(|rule| json!({"rule": rule, "level": level(dice)})).collect();
    json!({
        "name": "What we decided", "review": {"quorum": 2, "approval_days": 30 + dice.roll(300)}, "levels": levels,
        "break_glass": {"roster": [ANA.to_string()], "hours": 12},
    })
}

/// One thing somebody does, of all there is to do. What is refused records nothing, or what it recorded stays.
fn live(tx: &mut Tx<'_>, dice: &mut Dice, step: usize) -> Result<()> {
    let soon = tx.now().plus(Duration::days(20)).to_string();
    match dice.roll(20) {
        0 => {
            gate::policy(tx, from(policy(dice)))?;
            branch(tx, "policy:organisation")
        }
        1 => {
            let create = json!({"key": "old", "owner": "ml-team", "reason": "It ran before.", "valid_to": soon});
            baseline::create(tx, from(create))?;
            branch(tx, "baseline:old")
        }
        2 => {
            let spec =
                json!({"environment": "environment:production", "mode": "warn", "valid_to": soon, "reason": "A move."});
            modes::propose(tx, from(spec))?;
            branch(tx, "loosening:production")
        }
        3 => {
            gate::policy(tx, from(policy(dice)))?;
            branch(tx, "policy:organisation")?;
            let releases = tx.world().registry.releases(DEPLOYMENT).to_vec();
            let of = releases[dice.roll(releases.len())].id;
            let create = json!({"incident": "inc-1", "reason": "It cannot wait."});
            emergency::break_glass(tx, of, &from(create))?;
            if dice.roll(2) == 0 { branch(tx, "break-glass:inc-1") } else { Ok(()) }
        }
        4 => {
            let mut system = scenario::system();
            system["risk_class"] = json!(dice.one(&["minimal", "transparency", "high"]));
            system["owner"] = json!(dice.one(&["ml-team", "others"]));
            registry::system(tx, from(system))?;
            registry::deployment(tx, from(scenario::deployment()), Existing::Revise)?;
            branch(tx, "system:scorer")
        }
        5 => branch(tx, dice.one(&["purpose:research", "basis:scoring-contract", DEPLOYMENT, "assessment:anonymous"])),
        _ => act(tx, dice, step),
    }
}

/// A beginning that runs, and many histories that branch off it, each taken back. `each` may fail: a refusal is part of it.
fn histories(count: usize, seed: u64, each: fn(&mut Tx<'_>, &mut Dice, &mut Seen)) -> Seen {
    let database = TestDatabase::new();
    let db = Db::open(Manager::new(&database.url).unwrap(), 2).unwrap();
    let start: Timestamp = "2026-11-25".parse().unwrap();
    let beginning = |tx: &mut Tx<'_>| {
        begin(tx)?;
        WHOLE.iter().try_for_each(|of| branch(tx, of))?;
        let id = tx.world().registry.releases(DEPLOYMENT)[0].id;
        let decision = gate::activate(tx, id, &Activation::default(), Intent::Start)?;
        assert!(decision.passes, "{decision:#?}");
        Ok(())
    };
    db.write_blocking(ANA, start, beginning).unwrap();
    let mut seen = Seen::default();
    let mut dice = Dice(seed);
    for write in 0..count.div_ceil(TOGETHER) {
        // Some live after what was approved at the beginning has ended.
        let now = start.plus(Duration::hours(i64::try_from(write).unwrap() * 300));
        let first = dice.clone();
        let lived = db.write_blocking(ANA, now, move |tx| {
            let (mut dice, mut seen) = (first.clone(), Seen::default());
            for _ in 0..TOGETHER {
                tx.aside(|tx| {
                    each(tx, &mut dice, &mut seen);
                    Ok(())
                })?;
            }
            Ok((dice, seen))
        });
        let (after, lived) = lived.unwrap();
        dice = after;
        seen.add(lived);
    }
    assert_eq!(db.world().position(), seen.position, "nothing of it was recorded");
    db.close();
    seen
}

/// What was met: a property that holds of histories all alike proves little.
#[derive(Clone, Default)]
struct Seen {
    position: u64,
    met: BTreeMap<String, usize>,
}

impl Seen {
    fn meet(&mut self, what: impl Into<String>) {
        *self.met.entry(what.into()).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        self.position = other.position;
        for (what, count) in other.met {
            *self.met.entry(what).or_default() += count;
        }
    }

    #[track_caller]
    fn at_least(&self, what: &str, count: usize) {
        let found = self.met.get(what).copied().unwrap_or_default();
        assert!(found >= count, "{what}: {found} of {count}\n{:#?}", self.met);
    }
}

fn replayed(tx: &mut Tx<'_>, dice: &mut Dice, seen: &mut Seen) {
    let mut world: World = tx.world().clone();
    seen.position = world.position();
    for step in 0..3 {
        drop(live(tx, dice, 2 + step));
        drop(decide(tx, dice));
    }
    let facts: Vec<_> = tx.recorded().map(|(at, fact)| (*at, fact.clone())).collect();
    let mut rows = Rows::discarding();
    for (at, encoded) in &facts {
        let fact = World::decode(encoded.kind, encoded.version, &encoded.data).unwrap();
        seen.meet(encoded.kind);
        if let Fact::DecisionMade(stated) = &fact {
            let recorded: Decision = stated.spec.clone();
            assert_eq!(recorded.position, world.position(), "what was known ends with the entry before");
            let kept = tx.kept_evidence(&recorded.evidence_digest).unwrap();
            let evidence = ledger::store::inflated(kept, &recorded.evidence_digest).unwrap();
            seen.meet(format!("{:?} {:?}", recorded.intent, recorded.verdict));
            recorded.findings.iter().for_each(|f| seen.meet(format!("rule {}", f.rule)));
            let text = canonical(&recorded).unwrap();
            let again = replay::replay(recorded, &text, &evidence, (&world, &world), None).unwrap();
            assert!(again.same && again.same_evidence && again.otherwise.is_none(), "{again:#?}");
        }
        world.apply(at, &fact, &mut rows);
    }
    assert_eq!(world.position(), tx.world().position());
    seen.meet("histories");
}

#[test]
fn thousands_of_histories_give_their_decisions_again() {
    let seen = histories(REPLAYED, 0x9E37_79B9_7F4A_7C15, replayed);
    seen.at_least("histories", REPLAYED);
    seen.at_least("decision.made", 2 * REPLAYED);
    for kind in [
        "policy.revised",
        "baseline.revised",
        "loosening.proposed",
        "break_glass.used",
        "system.revised",
        "approval.revoked",
    ] {
        seen.at_least(kind, REPLAYED / 50);
    }
    for verdict in ["Start Allow", "Start Deny", "Continue Allow", "Continue Deny"] {
        seen.at_least(verdict, REPLAYED / 50);
    }
    assert!(seen.met.keys().filter(|what| what.starts_with("rule ")).count() >= 10, "{:#?}", seen.met);
}

/// Something to suppose, and how it is done.
fn hypothesis(dice: &mut Dice, step: usize) -> Value {
    let of = |dice: &mut Dice| dice.one(&["purpose:scoring", "basis:scoring-contract", "system:scorer"]).to_owned();
    match dice.roll(8) {
        0 => json!({"revoke": [of(dice)]}),
        1 => json!({"withdraw": [DEPLOYMENT]}),
        2 => json!({"withdraw": [of(dice)]}),
        3 => json!({"drop": ["dataset:crm/people"]}),
        4 => json!({"move_region": [{"ref": DEPLOYMENT, "region": dice.one(&["US", "FR"])}]}),
        5 => {
            let mut basis = scenario::basis("scoring-contract", "scoring");
            basis["covers"]["categories"].as_array_mut().unwrap().truncate(1 + step % 2);
            json!({"narrow": [basis]})
        }
        6 => json!({"policy": policy(dice)}),
        _ => {
            json!({"approve": [dice.one(&["basis:scoring-contract", DEPLOYMENT, "purpose:scoring", "system:scorer"])]})
        }
    }
}

/// Do for good what a hypothesis supposes, by the operations people use.
fn do_it(tx: &mut Tx<'_>, what: &Value) -> Result<()> {
    let revoke = |tx: &mut Tx<'_>, of: &str| {
        review::revoke(tx, &from(json!({"ref": of, "reason": "no longer", "grace_days": 0}))).map(drop)
    };
    if let Some(of) = what["revoke"][0].as_str() {
        return revoke(tx, of);
    }
    if what["withdraw"][0] == DEPLOYMENT {
        let id = tx.world().registry.active(DEPLOYMENT).map(|release| release.id);
        return registry::withdraw(tx, id.ok_or(Error::NotFound("nothing runs".to_owned()))?).map(drop);
    }
    if let Some(of) = what["withdraw"][0].as_str() {
        let now = tx.now();
        let approved = tx.world().review.every().filter(|(name, list)| {
            name.split('@').next() == Some(of) && list.iter().any(|approval| approval.holds(now))
        });
        let mut names: Vec<String> = approved.map(|(name, _)| name.to_string()).collect();
        names.sort();
        return names.iter().try_for_each(|name| revoke(tx, name));
    }
    if let Some(of) = what["drop"][0].as_str() {
        let versions = tx.world().registry.versions(of);
        let erase = |tx: &mut Tx<'_>, id| {
            life::change_life(tx, id, &from(json!({"life": "erased"})), &[Role::Registrar]).map(drop)
        };
        return versions.iter().try_for_each(|version| erase(tx, version.id));
    }
    if let Some(region) = what["move_region"][0]["region"].as_str() {
        let mut spec = tx.world().registry.deployments.latest(DEPLOYMENT).unwrap().spec.clone();
        spec.region = Some(region.parse().unwrap());
        return registry::deployment(tx, spec, Existing::Revise).map(drop);
    }
    if let Some(basis) = what["narrow"].get(0) {
        let revised = lawfulness::operations::basis(tx, from(basis.clone()))?.r#ref;
        return branch(tx, &revised.to_string());
    }
    if what["policy"].is_object() {
        gate::policy(tx, from(what["policy"].clone()))?;
        return branch(tx, "policy:organisation");
    }
    branch(tx, what["approve"][0].as_str().unwrap())
}

fn supposed(tx: &mut Tx<'_>, dice: &mut Dice, seen: &mut Seen) {
    seen.position = tx.world().position();
    for step in 0..dice.roll(5) {
        drop(live(tx, dice, 2 + step));
    }
    let step = dice.roll(2);
    let what = hypothesis(dice, step);
    let word = what.as_object().unwrap().keys().next().unwrap().clone();
    let mut request: WhatIfRequest = from(what.clone());
    request.deployments = vec![DEPLOYMENT.parse().unwrap()];
    let (position, now) = (tx.world().position(), tx.now());
    let thought = tx.aside(|tx| whatif(tx, &request));
    assert_eq!(tx.world().position(), position, "what is only thought leaves nothing");
    let before = reports::stand(tx.world(), DEPLOYMENT, now);
    let done = do_it(tx, &what);
    let thought = match (thought, done) {
        (Ok(thought), Ok(())) => thought,
        // What cannot be done cannot be thought, and the other way round.
        (Err(_), Err(_)) => return seen.meet("neither"),
        (thought, done) => {
            // Withdrawing what nobody approved does nothing, and is no hypothesis.
            assert!(
                word == "withdraw" && matches!(thought, Err(Error::Invalid(_))) && done.is_ok(),
                "{what}: {thought:?} {done:?}"
            );
            return seen.meet("nothing");
        }
    };
    let after = reports::stand(tx.world(), DEPLOYMENT, now);
    let gone = before.runs && !after.runs;
    let (came, went) = if gone { (Vec::new(), Vec::new()) } else { replay::changed(&before.findings, &after.findings) };
    match thought.turned.first() {
        None => assert!(!gone && before.verdict == after.verdict && came.is_empty() && went.is_empty(), "{what}"),
        Some(turn) => {
            assert_eq!((&turn.came, &turn.went), (&came, &went), "{what}");
            assert_eq!((turn.before, turn.after), (before.verdict, (!gone).then_some(after.verdict)), "{what}");
            seen.meet(format!("turned by {word}"));
        }
    }
    seen.meet(format!("supposed {word}"));
}

#[test]
fn what_is_supposed_is_what_doing_it_gives() {
    let seen = histories(SUPPOSED, 0xD1B5_4A32_D192_ED03, supposed);
    for word in ["revoke", "withdraw", "drop", "move_region", "narrow", "policy", "approve"] {
        seen.at_least(&format!("supposed {word}"), 10);
        seen.at_least(&format!("turned by {word}"), 3);
    }
}

fn ask(world: &World, now: Timestamp) -> Ask {
    reports::question(world, DEPLOYMENT, now)
}

/// An envelope that allows more than there is, in every member that may be wider.
fn wider(actual: &Envelope, dice: &mut Dice) -> Envelope {
    let mut wide = actual.clone();
    for list in lists(&mut wide) {
        for more in 0..dice.roll(3) {
            list.insert(dice.roll(list.len() + 1), format!("more:{more}"));
        }
    }
    for source in &mut wide.sources {
        source.reach = ["contained", "shaped", "served", "validation"].map(str::to_owned).to_vec();
        source.identifiability = "direct".to_owned();
        source.subjects.insert(0, "https://w3id.org/dpv#DataSubject".parse().unwrap());
        source.categories.push("https://w3id.org/dpv/pd#Religion".parse().unwrap());
        // To promise more than was approved is no widening.
        source.promises.truncate(dice.roll(source.promises.len() + 1));
    }
    let other = EnvelopeSource {
        dataset: "dataset:crm/other".to_owned(),
        reach: vec!["contained".to_owned()],
        subjects: Vec::new(),
        categories: Vec::new(),
        identifiability: "none".to_owned(),
        promises: Vec::new(),
    };
    wide.sources.insert(0, other);
    // A document more on file than was approved is no widening; one less than approved would be.
    let kept = dice.roll(wide.documents.len() + 1);
    wide.documents.truncate(kept);
    wide
}

/// Members of which an approval holds what is allowed.
fn lists(envelope: &mut Envelope) -> [&mut Vec<String>; 7] {
    [
        &mut envelope.bases,
        &mut envelope.serves,
        &mut envelope.emits,
        &mut envelope.regions,
        &mut envelope.parties,
        &mut envelope.operations,
        &mut envelope.models,
    ]
}

#[track_caller]
fn covers(evidence: &Evidence<'_>, actual: &Envelope, approved: &Envelope, expected: bool) {
    let mut numbers = evidence.world.registry.numbers.clone();
    let within = Within::of(approved, &mut numbers);
    let words = envelope::widened(evidence, approved, actual).len();
    assert_eq!(envelope::inside(evidence, approved, &within), expected, "{approved:#?}\n{actual:#?}");
    assert_eq!(words == 0, expected, "what is said and what is judged agree");
}

fn narrowed(tx: &mut Tx<'_>, dice: &mut Dice, seen: &mut Seen) {
    seen.position = tx.world().position();
    for step in 0..4 {
        drop(live(tx, dice, 2 + step));
    }
    let evidence = gather(tx.world(), ask(tx.world(), tx.now()));
    if evidence.release.is_none() {
        return;
    }
    let actual = envelope::of(&evidence);
    let approved = wider(&actual, dice);
    covers(&evidence, &actual, &actual, true);
    covers(&evidence, &actual, &approved, true);
    // The other way round it is no narrowing: whatever is in use and not allowed is outside.
    for place in 0..7 {
        let mut less = approved.clone();
        let used = lists(&mut actual.clone())[place].clone();
        if let Some(member) = used.first() {
            lists(&mut less)[place].retain(|m| m != member);
            covers(&evidence, &actual, &less, false);
            seen.meet(format!("member {place}"));
        }
    }
    for source in &actual.sources {
        let mut less = approved.clone();
        less.sources.retain(|s| s.dataset != source.dataset);
        covers(&evidence, &actual, &less, false);
        seen.meet("source");
    }
    seen.meet("envelopes");
}

#[test]
fn narrowing_never_voids_an_approval_and_widening_always_does() {
    let seen = histories(400, 0x2545_F491_4F6C_DD1D, narrowed);
    seen.at_least("envelopes", 200);
    seen.at_least("source", 200);
    for place in [0, 1, 3, 4, 5, 6] {
        seen.at_least(&format!("member {place}"), 50);
    }
}

fn timeless(tx: &mut Tx<'_>, dice: &mut Dice, seen: &mut Seen) {
    seen.position = tx.world().position();
    for step in 0..3 {
        drop(live(tx, dice, 2 + step));
    }
    let (world, now) = (tx.world().clone(), tx.now());
    let moments = [now, now.plus(Duration::days(40)), now.plus(Duration::days(-400))];
    let judge = || moments.map(|at| canonical(&gate::dry(&world, ask(&world, at)).unwrap()).unwrap());
    let first = judge();
    std::thread::sleep(std::time::Duration::from_millis(3));
    let others: BTreeSet<[String; 3]> = std::thread::scope(|scope| {
        let threads = [(); 2].map(|()| scope.spawn(judge));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(others, BTreeSet::from([first.clone()]), "whoever judges, whenever");
    seen.meet(if first[0].contains("\"deny\"") { "deny" } else { "allow" });
}

#[test]
fn a_decision_never_depends_on_the_clock_on_the_wall() {
    let seen = histories(100, 0x5851_F42D_4C95_7F2D, timeless);
    seen.at_least("deny", 10);
    seen.at_least("allow", 10);
}
