//! The grammar of references, and that each has one text.

use super::*;
use crate::text::tests::accepts;
use proptest::prelude::*;

fn read(text: &str) -> Ref {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_grammar_of_each_kind() {
    for kind in Kind::ALL {
        let reference = read(kind.example());
        assert_eq!((reference.kind(), reference.to_string().as_str()), (kind, kind.example()));
        assert!(reference.is_pinned() && accepts::<Ref>(kind.example()));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    let dataset = read("dataset:s3:%2f%2fbucket/a%20b%40%25@2026-11-23");
    assert_eq!(
        (dataset.namespace(), dataset.name(), dataset.version()),
        (Some("s3://bucket"), "a b@%", Some("2026-11-23"))
    );
    assert_eq!(dataset.to_string(), "dataset:s3:%2F%2Fbucket/a%20b%40%25@2026-11-23");
    assert_eq!(dataset.base().to_owned(), "dataset:s3:%2F%2Fbucket/a%20b%40%25");
    assert!(!dataset.unpinned().is_pinned() && read("party:a").is_pinned());
    assert_eq!(read("model:mod%C3%A8le@%61").to_string(), "model:modèle@a");
    assert_eq!(
        read("run:01939F00-0000-7000-8000-00000000000A").to_string(),
        "run:01939f00-0000-7000-8000-00000000000a"
    );
    assert_eq!((read("purpose:a@12").rev(), read("model:a@12").rev(), read("purpose:a").rev()), (Some(12), None, None));
    assert_eq!(read("release:a%2Fb@1000000").rev(), Some(MAX_REV));
    assert!(read(Kind::Run.example()).uuid().is_some() && read("party:a").uuid().is_none());
}

#[test]
fn refusals_say_what_is_wrong_and_how_it_is_written() {
    for (text, problem) in [
        ("", "does not begin with one of `dataset:`, `model:`"),
        ("fraud", "does not begin with one of"),
        ("Model:fraud", "does not begin with one of"),
        ("table:fraud", "does not begin with one of"),
        ("model:", "the name: expected a name"),
        ("model:meta/llama@1", "in the name, `/` is written `%2F`; write it like `model:fraud@3`"),
        ("model:a@b@1", "in the name, `@` is written `%40`"),
        ("model:a b", "in the name, ` ` is written `%20`"),
        ("model:100%", "`%` itself is written `%25`"),
        ("model:%zz", "`%` itself is written `%25`"),
        ("model:%2", "`%` itself is written `%25`"),
        ("model:%é1", "`%` itself is written `%25`"),
        ("model:%ff", "the name is not UTF-8"),
        ("model:%00", "the name: expected a name"),
        ("model:a@", "the version: expected a version"),
        ("model:a@%40", "the version: expected a version"),
        ("dataset:customers@1", "there is no `/` between namespace and name"),
        ("dataset:s3://bucket/customers@1", "in the name, `/` is written `%2F`"),
        ("dataset:/a", "the namespace: expected"),
        ("party:Acme", "expected a key"),
        ("party:%61", "expected a key"),
        ("party:a@1", "a party has no versions, but got `@` and `1`"),
        ("run:7", "`7` is not a UUID"),
        ("run:01939f00000070008000000000000000", "is not a UUID"),
        ("run:01939f00-0000-7000-8000-000000000000@1", "a run has no versions"),
        ("system:a@0", "the revision after `@` is a number from 1 to 1000000, got `0`"),
        ("system:a@01", "got `01`"),
        ("system:a@+1", "got `+1`"),
        ("system:a@1000001", "got `1000001`"),
        ("release:a@v1", "got `v1`"),
        (&format!("model:{}", "a".repeat(1600)), "longer than 1600 characters"),
    ] {
        let sentence = text.parse::<Ref>().expect_err(text).to_string();
        assert!(sentence.contains(problem), "{text}: {sentence}");
    }
}

#[test]
fn versions_are_given_only_where_the_grammar_has_them() {
    let (key, name): (Key, Name) = ("a".parse().unwrap(), "a/b".parse().unwrap());
    let v1: VersionId = "v 1".parse().unwrap();
    assert_eq!(Ref::model(&name).at(&v1).unwrap().to_string(), "model:a%2Fb@v%201");
    assert_eq!(Ref::basis(&key).at_rev(3).unwrap().to_string(), "basis:a@3");
    assert_eq!(Ref::release(&name).at(&"3".parse().unwrap()).unwrap().rev(), Some(3));
    assert!(Ref::basis(&key).at(&v1).is_err());
    assert!(Ref::basis(&key).at_rev(0).is_err());
    assert!(Ref::basis(&key).at_rev(MAX_REV + 1).is_err());
    assert!(Ref::model(&name).at_rev(1).is_err());
    assert!(Ref::party(&key).at(&v1).is_err());
    assert!(Ref::run(Uuid::nil()).at_rev(1).is_err());
}

fn part<T: FromStr + fmt::Debug>(max: usize) -> impl Strategy<Value = T> {
    let tricky = prop::sample::select("/@% :.a2Fé\u{a0}\u{202e}😀".chars().collect::<Vec<_>>());
    // Allowed by construction as far as possible: filtering would leave hardly any of the long ones.
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { 'x' } else { c };
    let char = prop_oneof![any::<char>().prop_map(plain), tricky];
    let text = prop::collection::vec(char, 1..=max).prop_map(|chars| String::from_iter(chars).trim().to_owned());
    text.prop_filter_map("not allowed", |text| text.parse().or_else(|_| text.replace('@', "/").parse()).ok())
}

fn any_dataset() -> impl Strategy<Value = Ref> {
    let short = (part::<Namespace>(2), part::<Name>(2), prop::option::of(part::<VersionId>(2)));
    let long = (part::<Namespace>(200), part::<Name>(200), prop::option::of(part::<VersionId>(100)));
    prop_oneof![short, long].prop_map(|(namespace, name, version)| {
        let dataset = Ref::dataset(&namespace, &name);
        version.map_or(dataset.clone(), |version| dataset.at(&version).unwrap())
    })
}

#[test]
fn the_longest_reference_fits() {
    let (part, version) = ("/".repeat(200), "%".repeat(100));
    let longest = Ref::dataset(&part.parse().unwrap(), &part.parse().unwrap()).at(&version.parse().unwrap()).unwrap();
    assert_eq!(read(&longest.to_string()), longest);
    assert!(accepts::<Ref>(&longest.to_string()));
}

proptest! {
    #[test]
    fn every_reference_reads_back_and_has_its_own_text(a in any_dataset(), b in any_dataset()) {
        let (one, other) = (a.to_string(), b.to_string());
        prop_assert_eq!(read(&one), a.clone());
        prop_assert!(accepts::<Ref>(&one));
        prop_assert_eq!(a == b, one == other);
        // Spelled with every byte encoded, in small letters, it is still the same.
        let spell = |part: &str| part.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
        let version = a.version().map(|v| format!("@{}", spell(v))).unwrap_or_default();
        let spelled = format!("dataset:{}/{}{version}", spell(a.namespace().unwrap()), spell(a.name()));
        if spelled.len() <= MAX_CHARS {
            prop_assert_eq!(read(&spelled).to_string(), one);
        }
    }

    #[test]
    fn nothing_panics_and_what_is_read_is_canonical_once_written(
        kind in prop::sample::select(Kind::ALL.to_vec()), free in "\\PC*", close in "[a/@%:2Fé 01]{0,12}",
    ) {
        for text in [free.clone(), format!("{kind}:{free}"), format!("{kind}:{close}")] {
            if let Ok(reference) = text.parse::<Ref>() {
                let canonical = reference.to_string();
                prop_assert_eq!(read(&canonical).to_string(), canonical);
                prop_assert_eq!(read(&reference.to_string()), reference);
                prop_assert!(accepts::<Ref>(&text));
            }
        }
    }
}
