//! Random histories, against a reference that looks at everything each time: both clocks, in whatever order things are recorded.

use std::collections::{BTreeMap, BTreeSet};

use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use super::covered::{coverage, load};
use super::objected::{compelling, interested};
use super::said::batch;
use super::suppressed::{list, people};
use super::{pseudonym, said, with_key};
use crate::support::rebuilds;

/// People in it.
const PEOPLE: u32 = 12;
/// Days about which anything is said.
const DAYS: u64 = 40;

/// Numbers that look random and are the same each time.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A moment on a day of the history.
fn moment(day: u64, hour: u64) -> Timestamp {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    start.plus(chrono::Duration::hours(i64::try_from(day * 24 + hour).unwrap()))
}

/// What was said, as the reference keeps it: by the entry that recorded it.
struct Kept {
    seq: u64,
    person: u32,
    what: &'static str,
    at: Timestamp,
    until: Option<Timestamp>,
    from: Option<Timestamp>,
    explicit: bool,
}

/// Whether a person's consent holds at a moment, as known at an entry.
fn holds(all: &[Kept], person: u32, known: u64, at: Timestamp, explicit: bool) -> bool {
    let words: Vec<&Kept> = all.iter().filter(|one| one.person == person && one.seq <= known).collect();
    // Sorted by when it was said, those at one instant in the order they were recorded.
    let mut by_time: BTreeMap<(Timestamp, usize), &Kept> = BTreeMap::new();
    for (place, word) in words.iter().enumerate() {
        by_time.insert((word.at, place), word);
    }
    let Some(last) = by_time.range(..=(at, usize::MAX)).next_back().map(|(_, word)| *word) else { return false };
    let never = words
        .iter()
        .any(|word| word.what == "invalidated" && word.at >= last.at && word.from.is_none_or(|from| from <= at));
    ["given", "renewed"].contains(&last.what)
        && last.until.is_none_or(|until| at < until)
        && !never
        && (!explicit || last.explicit)
}

#[test]
fn random_histories_are_as_the_reference_has_them() {
    for seed in 1..=4u64 {
        let s = with_key();
        load(&s, "1", 0..PEOPLE);
        let (mut draws, mut all, mut record) = (Draws(seed * 7919), Vec::new(), 0);
        let mut positions = vec![0];
        let mut members: BTreeSet<u32> = (0..PEOPLE).collect();
        for _ in 0..10 {
            let mut lines: Vec<(Value, Kept)> = Vec::new();
            for _ in 0..1 + draws.below(12) {
                // Everything that may always be said, in any order of time.
                let words = ["given", "given", "given", "refused", "withdrawn", "revoked", "expired", "invalidated"];
                let what = words[usize::try_from(draws.below(8)).unwrap()];
                let person = u32::try_from(draws.below(u64::from(PEOPLE) + 2)).unwrap();
                let at = moment(draws.below(DAYS), draws.below(3) * 8);
                let mut line = said(person, record, what, &at.to_string());
                record += 1;
                let lasts = draws.below(60);
                let until = (what == "given" && lasts < 30)
                    .then(|| at.plus(chrono::Duration::hours(i64::try_from(lasts).unwrap() * 8 + 1)));
                let from = (what == "invalidated" && draws.below(2) == 0)
                    .then(|| moment(draws.below(DAYS), 0))
                    .filter(|from| *from <= at);
                let explicit = what == "given" && draws.below(2) == 0;
                if let Some(until) = until {
                    line["until"] = json!(until);
                }
                if let Some(from) = from {
                    line["invalid_from"] = json!(from);
                }
                if explicit {
                    line["expression"] = json!("explicit");
                }
                lines.push((line, Kept { seq: 0, person, what, at, until, from, explicit }));
            }
            let sent: Vec<Value> = lines.iter().map(|(line, _)| line.clone()).collect();
            let taken = batch(&s.dora, &sent).good();
            assert_eq!(taken["created"].as_u64(), Some(lines.len() as u64), "seed {seed}: {taken:#}");
            let seq = taken["seq"].as_u64().unwrap();
            positions.push(seq);
            all.extend(lines.into_iter().map(|(_, kept)| Kept { seq, ..kept }));
            // Whoever is erased is in no count any more, also of the past. Who comes under the same pseudonym later is no member.
            if draws.below(4) == 0 {
                let person = u32::try_from(draws.below(u64::from(PEOPLE) + 2)).unwrap();
                let known = members.contains(&person) || all.iter().any(|one: &Kept| one.person == person);
                let erased = s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", person)}));
                assert_eq!(erased.status == 200, known, "seed {seed}: {}", erased.text);
                members.remove(&person);
                all.retain(|one| one.person != person);
            }
            // Asked in between, too: an answer is brought forward from the one before.
            for _ in 0..3 {
                let at = moment(draws.below(DAYS + 20), draws.below(24));
                let known = positions[usize::try_from(draws.below(positions.len() as u64)).unwrap()];
                let (explicit, now) = (draws.below(3) == 0, draws.below(2) == 0);
                let known = if now || known == 0 { seq } else { known };
                let missing =
                    members.iter().filter(|person| !holds(&all, **person, known, at, explicit)).count() as u64;
                let more = format!("&valid_at={at}&known_at={known}&explicit={explicit}");
                let told = coverage(&s.dora, "1", &more);
                assert_eq!(told["missing"], missing, "seed {seed}: {more}: {told}");
            }
        }
        let more = format!("&valid_at={}", moment(DAYS / 2, 5));
        let before = coverage(&s.dora, "1", &more);
        rebuilds(&s.server.db);
        // From the tables alone, by a server that remembers nothing.
        let token = s.dora.token.clone();
        let server = harness::TestServer::on(s.server.kill());
        let dora = harness::Client::new(&server.url, token.as_deref());
        assert_eq!(coverage(&dora, "1", &more)["missing"], before["missing"], "seed {seed}");
    }
}

/// What was said against something: of everything, or of the purpose.
struct Against {
    seq: u64,
    person: u32,
    what: &'static str,
    everything: bool,
    at: Timestamp,
}

/// Whether an objection, or a restriction, of one scope stands at a moment, as known at an entry.
fn stands(all: &[Against], (person, begins): (u32, &str), everything: bool, known: u64, at: Timestamp) -> bool {
    let restricts = |what: &str| what.starts_with("restrict");
    let words = all.iter().filter(|one| {
        one.person == person
            && one.everything == everything
            && one.seq <= known
            && one.at <= at
            && restricts(one.what) == restricts(begins)
    });
    // Of those at one instant the later recorded counts: `max_by_key` takes the last.
    words.max_by_key(|one| one.at).is_some_and(|last| last.what == begins)
}

#[test]
fn random_objections_and_restrictions_are_as_the_reference_has_them() {
    let words =
        ["objected", "objected", "objection_withdrawn", "objection_overridden", "restricted", "restriction_lifted"];
    for seed in 1..=3u64 {
        let s = interested(true);
        compelling(&s);
        let mut members: BTreeSet<u32> = (0..10).collect();
        let (mut draws, mut all, mut record) = (Draws(seed * 104_729), Vec::<Against>::new(), 0);
        let mut positions = Vec::new();
        for _ in 0..60 {
            let person = u32::try_from(draws.below(14)).unwrap();
            if draws.below(12) == 0 {
                let known = members.contains(&person) || all.iter().any(|one| one.person == person);
                let erased = s.dora.post("/api/v1/subjects/erasures", &json!({"subject": pseudonym("k1", person)}));
                assert_eq!(erased.status == 200, known, "seed {seed}: {}", erased.text);
                members.remove(&person);
                all.retain(|one| one.person != person);
                continue;
            }
            let what = words[usize::try_from(draws.below(6)).unwrap()];
            let at = moment(draws.below(DAYS), draws.below(3) * 8);
            let everything = draws.below(3) == 0 && what != "objection_overridden";
            let mut body = said(person, record, what, &at.to_string());
            record += 1;
            if everything {
                body.as_object_mut().unwrap().remove("purpose");
            }
            let follows = match what {
                "objected" | "restricted" => true,
                "restriction_lifted" => stands(&all, (person, "restricted"), everything, u64::MAX, at),
                _ => stands(&all, (person, "objected"), everything, u64::MAX, at),
            };
            let answer = s.dora.post("/api/v1/consent-records", &body);
            assert_eq!(answer.status == 201, follows, "seed {seed}: {body} {}", answer.text);
            if follows {
                let seq = answer.good()["seq"].as_u64().unwrap();
                positions.push(seq);
                all.push(Against { seq, person, what, everything, at });
            }
            // As it is now, and as it was known at some entry before.
            let Some(last) = positions.last().copied() else { continue };
            let known = if draws.below(2) == 0 {
                last
            } else {
                positions[usize::try_from(draws.below(positions.len() as u64)).unwrap()]
            };
            let now = licit_server::clock::now();
            let out = |person: &u32| {
                let says = |begins| [true, false].iter().any(|e| stands(&all, (*person, begins), *e, known, now));
                says("objected") || (says("restricted") && members.contains(person))
            };
            let expected: Vec<u32> = (0..14).filter(out).collect();
            let told = list(&s, &format!("?position={known}"));
            assert_eq!(people(&told["add"]), expected, "seed {seed}: known at {known}");
        }
        rebuilds(&s.server.db);
    }
}
