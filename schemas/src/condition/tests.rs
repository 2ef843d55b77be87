use std::time::Instant;

use serde_json::{Value, json};

use super::*;

fn refused(text: &str) -> String {
    read(&[text]).remove(0).err().unwrap_or_else(|| panic!("accepted: {text}"))
}

fn answer(text: &str, evidence: &Value) -> Result<bool, String> {
    let condition = read(&[text]).remove(0).unwrap_or_else(|e| panic!("{text}: {e}"));
    judge(&[&condition], evidence).remove(0)
}

fn evidence(sources: usize) -> Value {
    let source = |n: usize| {
        json!({"ref": format!("dataset:crm/t{n}@1"), "reach": ["contained"], "categories": ["age", format!("c{n}")],
            "controllers": ["party:acme"], "identifiability": "quasi", "derived": false, "nested": {"list": [1, 2, 3]}})
    };
    json!({"mode": "enforce", "closure": 12, "none": null, "sources": (0..sources).map(source).collect::<Vec<_>>()})
}

#[test]
fn a_condition_says_what_holds() {
    let e = evidence(3);
    for (text, holds) in [
        ("evidence.mode == 'enforce'", true),
        ("evidence.closure > 11 && evidence.closure < 13", true),
        ("evidence['closure'] == 12 ? !(evidence.mode in ['observe', 'warn']) : false", true),
        ("size(evidence.sources) == 3 && evidence.sources.size() == 3", true),
        ("evidence.sources.exists(s, 'c2' in s.categories)", true),
        ("evidence.sources.all(s, s.ref.startsWith('dataset:crm/'))", true),
        ("evidence.sources.exists_one(s, s.ref.endsWith('t1@1'))", true),
        ("evidence.sources.filter(s, 'age' in s.categories).size() > 3", false),
        ("'c1' in evidence.sources.map(s, s.categories[1])", true),
        ("evidence.sources.exists(s, s.categories.exists(c, c.contains('2')))", true),
        ("has(evidence.nothing) || evidence.none == null", true),
        ("evidence.closure + 1 == 13 && evidence.closure % 5 == 2 && -evidence.closure < 0", true),
    ] {
        assert_eq!(answer(text, &e), Ok(holds), "{text}");
    }
}

#[test]
fn what_cannot_be_known_is_an_error_in_the_same_words_each_time() {
    let e = evidence(3);
    for (text, why) in [
        ("evidence.nothing == 1", "asks for `nothing`"),
        ("evidence.closure", "neither true nor false"),
        ("evidence.closure / 0 == 1", "fails"),
        ("evidence.mode > 3", "fails"),
        ("evidence.exists(k, k == 'mode')", "no list"),
        ("evidence.mode.exists(k, k == 'mode')", "no list"),
    ] {
        let said = answer(text, &e).expect_err(text);
        assert!(said.contains(why), "{text}: {said}");
        assert_eq!(answer(text, &e), Err(said));
    }
}

#[test]
fn what_may_not_stand_there_is_refused_before_it_runs() {
    for (text, why) in [
        ("", "CEL"),
        ("evidence.", "CEL"),
        ("evidence.mode == 'enforce", "CEL"),
        ("other.mode == 'x'", "names `other`"),
        ("evidence.sources.exists(s, t.mode)", "names `t`"),
        ("evidence.mode.matches('(a+)+$')", "calls `matches`"),
        ("now() > 3", "calls `now`"),
        ("timestamp('2026-01-01T00:00:00Z') == 1", "calls `timestamp`"),
        ("string(evidence.closure) == '1'", "calls `string`"),
        ("size(dyn(evidence)) == 1", "calls `dyn`"),
        ("{'a': 1}.a == 1", "has a map"),
        ("b'abc' == evidence.mode", "has bytes"),
        ("[1, 2].exists(x, x == 1)", "a list of the evidence"),
        ("evidence.sources.map(s, s.ref).exists(r, r == 'x')", "a list of the evidence"),
        ("(evidence.closure > 3 ? evidence.sources : evidence.sources).exists(r, true)", "a list of the evidence"),
        ("evidence.sources.exists(s, evidence.sources.exists(s, true))", "`s` twice"),
        ("evidence.sources.exists(evidence, true)", "`evidence` twice"),
        ("evidence.a.all(x, x.a.all(y, y.a.all(z, z)))", "2 loops"),
        (&"evidence.mode == 'a' || ".repeat(100), "characters long"),
    ] {
        let said = refused(text);
        assert!(said.contains(why), "{text}: {said}");
    }
}

/// None of them may end the program: each is tried in full.
#[test]
fn hostile_texts_are_refused_and_soon() {
    let repeat = |s: &str, n: usize| s.repeat(n);
    let hostile = [
        format!("{}evidence{}", repeat("(", 1000), repeat(")", 990)),
        format!("{}evidence{}", repeat("(", 99), repeat(")", 99)),
        format!("{}1{}", repeat("[", 99), repeat("]", 99)),
        format!("{}1{}", repeat("{1:", 99), repeat("}", 99)),
        format!("evidence{}", repeat("[evidence", 99) + &repeat("]", 99)),
        repeat("!", 1990) + "true",
        repeat("-", 1990) + "1",
        repeat("1+", 990) + "1",
        repeat("1<", 990) + "1",
        repeat("true&&", 330) + "true",
        repeat("true||", 330) + "true",
        format!("evidence{}", repeat(".b", 990)),
        repeat("1?1:", 99) + "1",
        repeat("1?1:", 490) + "1",
        repeat("1?", 99) + &repeat("1:", 99),
        repeat("evidence.a.all(x,", 99) + "true",
        repeat("size(", 99) + "evidence" + &repeat(")", 99),
        repeat("\"", 1999),
        repeat("'", 1999),
        repeat("\"))))\"+((((", 24),
        repeat("\\", 1999),
        repeat("\u{0}", 1999),
        repeat("é", 1999),
        repeat("😀.", 999),
        repeat("a.b[", 99),
        repeat("`a`.", 499),
        repeat("evidence.?a", 180),
        repeat("//", 999),
        repeat("0x", 999),
        repeat("9", 1999),
        repeat("1.e", 600),
        repeat(",", 1999),
        repeat("in ", 660),
    ];
    for text in hostile {
        let begun = Instant::now();
        let said = read(&[&text]).remove(0).err().unwrap_or_default();
        let shown: String = text.chars().take(30).collect();
        assert!(begun.elapsed().as_secs() < 5, "{shown}: {:?}", begun.elapsed());
        assert!(said.chars().count() < 500, "{shown}: {said}");
        // Two negations are none.
        assert!(!said.is_empty() || text.starts_with(['!', '-']), "{shown} is accepted");
    }
}

#[test]
fn what_would_take_too_long_is_not_begun() {
    let e = evidence(1000);
    for text in [
        "evidence.sources.all(a, evidence.sources.all(b, a.ref != b.ref || a == b))",
        "evidence.sources.all(a, a in evidence.sources)",
        "evidence.sources.map(a, evidence.sources).size() > 0 && evidence.sources.all(a, evidence.sources == evidence.sources)",
    ] {
        let begun = Instant::now();
        let said = answer(text, &e).expect_err(text);
        assert!(said.contains("steps on this evidence"), "{said}");
        assert!(begun.elapsed().as_millis() < 2000, "{:?}", begun.elapsed());
    }
    // One loop over as many is nothing.
    assert_eq!(answer("evidence.sources.exists(s, s.identifiability == 'direct')", &e), Ok(false));
    assert_eq!(answer("evidence.sources.all(a, evidence.sources.all(b, a.ref == b.ref))", &evidence(1)), Ok(true));
}

#[test]
fn what_is_allowed_at_most_ends_soon() {
    let e = evidence(1000);
    let mut slowest = 0;
    for text in [
        "evidence.sources.exists(s, s.identifiability == 'direct' || 'x' in s.categories)",
        "evidence.sources.filter(s, 'age' in s.categories).size() == 0",
        "evidence.sources.map(s, s.ref).size() == 0",
        "evidence.sources.exists(s, s.categories.exists(c, c == 'nothing'))",
        "evidence.sources == evidence.sources && false",
    ] {
        let condition = read(&[text]).remove(0).unwrap();
        let cost = cost::of(condition.0.expression(), &e).unwrap();
        let begun = Instant::now();
        assert_eq!(judge(&[&condition], &e), [Ok(false)], "{text}");
        slowest = slowest.max(begun.elapsed().as_millis());
        println!("{cost} steps, {:?}: {text}", begun.elapsed());
    }
    assert!(slowest < 2000, "{slowest} ms");
}
