//! Bounded strings. Each type checks on construction and on deserialisation, and carries a JSON Schema that accepts
//! exactly the same strings. Lengths count Unicode scalar values; nothing is trimmed or normalised.
//!
//! The patterns use neither `\s` nor look-around, and no `.`: ECMA-262 and the linear engine understand them alike.

use thiserror::Error;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, got {got}")]
pub struct TextFault {
    expected: &'static str,
    got: String,
}

/// The user's word for an error sentence: in backticks, at most 60 characters, control characters escaped.
pub(crate) fn quoted(word: &str) -> String {
    let mut shown = String::from("`");
    for c in word.chars().take(60) {
        if control(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown.push_str(if word.chars().nth(60).is_some() { "…`" } else { "`" });
    shown
}

/// Serde and JSON Schema for a type that is a string outside (`FromStr`, `Display`): the schema's members but `type`.
macro_rules! as_text {
    ($name:ident, $title:literal, { $($schema:tt)* }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", $title).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", $($schema)* })
            }
        }
    };
}
pub(crate) use as_text;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident = $title:literal, $min:literal..=$max:literal, $rule:expr, $pattern:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(String);

        impl $name {
            /// The string.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The string, owned.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextFault;

            fn try_from(text: String) -> Result<Self, TextFault> {
                let rule: fn(&str) -> bool = $rule;
                if within(&text, $min, $max) && rule(&text) { Ok(Self(text)) } else { Err(fault(&text, $max, $expected)) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextFault;

            fn from_str(text: &str) -> Result<Self, TextFault> {
                Self::try_from(text.to_owned())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        /// Equal and ordered as the string is.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        as_text!($name, $title, {
            "description": $expected,
            "minLength": $min,
            "maxLength": $max,
            "pattern": $pattern,
        });
    };
}

/// Bytes first: a body of megabytes is not counted character by character.
fn within(text: &str, min: usize, max: usize) -> bool {
    text.len() <= 4 * max && (min..=max).contains(&text.chars().count())
}

fn fault(text: &str, max: usize, expected: &'static str) -> TextFault {
    let characters = text.chars().count();
    let got = if characters > max { format!("{characters} characters: {}", quoted(text)) } else { quoted(text) };
    TextFault { expected, got }
}

/// Controls (C0, DEL, C1) and the two Unicode line breaks: none of them may stand in a line shown to people.
fn control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_name(text: &str) -> bool {
    !text.contains(control) && !text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace)
}

fn is_prose(text: &str) -> bool {
    !text.contains(|c| control(c) && !matches!(c, '\n' | '\t')) && !text.chars().all(char::is_whitespace)
}

fn is_key(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    text.bytes().all(inner) && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'.' | b'-');
    let excluded = |c: char| control(c) || c.is_whitespace() || "<>\"{}|\\^`".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(inner)
        && !rest.is_empty()
        && !rest.contains(excluded)
}

fn is_path(text: &str) -> bool {
    !text.contains(|c| control(c) || c == '\\') && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

fn is_kind_pattern(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b'*' | b'?'))
}

fn is_signing_secret(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("whsec_") else { return false };
    let digits = rest.trim_end_matches('=');
    (32..=86).contains(&digits.len())
        && rest.len() - digits.len() <= 2
        && digits.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

fn is_country(text: &str) -> bool {
    let (country, part) = text.split_once('-').map_or((text, None), |(country, part)| (country, Some(part)));
    let capital = |b: u8| b.is_ascii_uppercase();
    country.len() == 2
        && country.bytes().all(capital)
        && part.is_none_or(|p| (1..=3).contains(&p.len()) && p.bytes().all(|b| capital(b) || b.is_ascii_digit()))
}

// What `char::is_whitespace` holds beyond the controls: a pattern may not say `\s`, which differs between engines.
macro_rules! space {
    () => {
        r"\u0020\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000"
    };
}
macro_rules! control {
    () => {
        r"\u0000-\u001F\u007F-\u009F\u2028\u2029"
    };
}
macro_rules! control_but_lines {
    () => {
        r"\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029"
    };
}

const KEY: &str = "^[a-z0-9][a-z0-9._-]{0,99}$";
const NAME: &str = concat!("^[^", control!(), space!(), "]([^", control!(), "]*[^", control!(), space!(), "])?$");
const VERSION: &str = concat!("^[^@", control!(), space!(), "]([^@", control!(), "]*[^@", control!(), space!(), "])?$");
const PROSE: &str =
    concat!(r"^[\u0009\u000A", space!(), "]*[^", control!(), space!(), "][^", control_but_lines!(), "]*$");
const IRI: &str = concat!("^[a-z][a-z0-9+.-]*:[^", control!(), space!(), r#"<>"{}|\\\^`]+$"#);
// A segment begins otherwise than with a dot, or with one dot and another character, or with two dots and any.
macro_rules! segment {
    () => {
        concat!(r"([.]?[^./\\", control!(), r"][^/\\", control!(), r"]*|[.][.][^/\\", control!(), "]+)")
    };
}
const PATH: &str = concat!("^", segment!(), "(/", segment!(), ")*$");

text!(
    /// A short handle chosen by people: a party, a purpose, an owner. It never holds `@`, `/` or `%`, so that it
    /// stands in a reference as it is.
    Key = "Key", 1..=100, is_key, KEY,
    "a key of 1 to 100 characters `a-z`, `0-9`, `.`, `_`, `-`, beginning with a letter or digit"
);
text!(
    /// The name of a dataset, model or deployment, as the system that made it calls it: it may hold `/`, `@`, `%`.
    Name = "Name", 1..=200, is_name, NAME,
    "a name of 1 to 200 characters, without control characters, without white space at its ends"
);
text!(
    /// Where a dataset's name is unique: `s3://bucket`, `postgres://host:5432`.
    Namespace = "Namespace", 1..=200, is_name, NAME,
    "a namespace of 1 to 200 characters, without control characters, without white space at its ends"
);
text!(
    /// A version of a dataset or model, as its producer calls it: `2026-11-23`, `v3.1`, a commit.
    VersionId = "VersionId", 1..=100, |text| is_name(text) && !text.contains('@'), VERSION,
    "a version of 1 to 100 characters, without `@`, without control characters, without white space at its ends"
);
text!(
    /// One thing said to people: a reason, a commitment.
    Sentence = "Sentence", 1..=1000, is_prose, PROSE,
    "a text of 1 to 1000 characters, not blank, without control characters but line feed and tab"
);
text!(
    /// Longer prose: a description, an assessment's conclusion.
    Text = "Text", 1..=10000, is_prose, PROSE,
    "a text of 1 to 10000 characters, not blank, without control characters but line feed and tab"
);
text!(
    /// A condition in CEL; `condition` says what may stand in it.
    Expression = "Expression", 1..=2000, is_prose, PROSE,
    "an expression of 1 to 2000 characters, not blank, without control characters but line feed and tab"
);
text!(
    /// An absolute IRI (RFC 3987) that names a concept: a DPV purpose, a data category.
    Iri = "Iri", 3..=1000, is_iri, IRI,
    "an absolute IRI of at most 1000 characters, like `https://w3id.org/dpv#Marketing`"
);
text!(
    /// Where a document or piece of evidence is. Any scheme: who shows it as a link decides which schemes are safe.
    Uri = "Uri", 3..=1000, is_iri, IRI,
    "an absolute URI of at most 1000 characters, like `https://wiki.example/dpia-7`"
);
text!(
    /// Which kinds of facts: a kind, with `*` for any characters and `?` for one.
    KindPattern = "KindPattern", 1..=100, is_kind_pattern, "^[a-z_.*?]+$",
    "a kind of fact, or a pattern of 1 to 100 characters like `gap.*` or `decision.made`"
);
text!(
    /// What signs webhooks, as Standard Webhooks writes it: 24 to 64 random bytes.
    SigningSecret = "SigningSecret", 38..=94, is_signing_secret, "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$",
    "`whsec_` and 24 to 64 bytes in base64"
);
text!(
    /// A file inside a version: relative, with `/`, and it cannot climb out of its directory.
    Path = "Path", 1..=1000, is_path, PATH,
    "a relative path of 1 to 1000 characters with `/` between its parts, none of them empty, `.` or `..`"
);
text!(
    /// A country or subdivision (ISO 3166-1 alpha-2, ISO 3166-2) in shape: `FR`, `FR-69`.
    Country = "Country", 2..=6, is_country, "^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
    "a country or region like `FR` or `FR-69` (ISO 3166)"
);

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jsonschema::{Draft, PatternOptions, Validator};
    use proptest::prelude::*;
    use schemars::JsonSchema;
    use std::{any::TypeId, cell::RefCell, collections::HashMap, fmt::Debug, rc::Rc, str::FromStr};

    /// Whether the JSON Schema of `T`, compiled as the server compiles it, accepts this string.
    pub(crate) fn accepts<T: JsonSchema + 'static>(text: &str) -> bool {
        thread_local!(static COMPILED: RefCell<HashMap<TypeId, Rc<Validator>>> = RefCell::default());
        let compile = || {
            let schema = schemars::schema_for!(T).to_value();
            let options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
            Rc::new(options.with_pattern_options(PatternOptions::regex()).build(&schema).unwrap())
        };
        COMPILED.with_borrow_mut(|all| {
            all.entry(TypeId::of::<T>()).or_insert_with(compile).is_valid(&serde_json::Value::from(text))
        })
    }

    fn agrees<T>(text: &str) -> bool
    where
        T: JsonSchema + FromStr<Err = TextFault> + serde::de::DeserializeOwned + AsRef<str> + Debug + 'static,
    {
        let read = text.parse::<T>();
        assert_eq!(read.is_ok(), accepts::<T>(text), "parser and schema of {} on {text:?}", T::schema_name());
        assert_eq!(read.is_ok(), serde_json::from_value::<T>(text.into()).is_ok());
        read.is_ok_and(|value| value.as_ref() == text)
    }

    fn table<T>(good: &[&str], bad: &[&str])
    where
        T: JsonSchema + FromStr<Err = TextFault> + serde::de::DeserializeOwned + AsRef<str> + Debug + 'static,
    {
        good.iter().for_each(|text| assert!(agrees::<T>(text), "{} refuses {text:?}", T::schema_name()));
        bad.iter().for_each(|text| assert!(!agrees::<T>(text), "{} accepts {text:?}", T::schema_name()));
    }

    #[test]
    fn each_type_takes_what_it_should_and_its_schema_agrees() {
        let long = |n: usize| "é".repeat(n);
        let spaces = ["\u{a0}", "\u{2003}", "\u{3000}", "\u{feff}", "\u{85}", "\u{200b}"];
        table::<Key>(
            &["a", "0", "acme-bank", "a.b_c-d", &"a".repeat(100)],
            &["", "A", "-a", ".a", "_a", "a@b", "a/b", "a b", "é", "a\n", &"a".repeat(101)],
        );
        let names = ["a", "s3://bucket/x", "a@b", "100%", "modèle β", "日本", "a  b", "x\u{a0}y", "😀", "\u{200b}"];
        let not_names = ["", " ", " a", "a ", "a\n", "a\tb", "a\0", "\u{7f}", "a\u{9f}b", "\u{3000}a", "a\u{2028}b"];
        table::<Name>(&names, &not_names);
        table::<Name>(&[&long(200), &"😀".repeat(200)], &[&long(201), &"😀".repeat(201)]);
        table::<Namespace>(&names, &not_names);
        table::<Namespace>(&["s3://bucket", &long(200)], &[&long(201)]);
        table::<VersionId>(&["1", "v3.1", "a/b%", "x y", &long(100)], &["", "@", "1@2", "a@", " 1", "1\n", &long(101)]);
        let (prose, not_prose) =
            (["a", " a\n\tb ", "É. 😀"], ["", " ", "\n\t ", "a\0", "a\r\nb", "\u{3000}", "a\u{85}"]);
        table::<Sentence>(&prose, &not_prose);
        table::<Sentence>(&[&long(1000)], &[&long(1001)]);
        table::<Text>(&prose, &not_prose);
        table::<Expression>(&[&long(2000)], &[&long(2001)]);
        table::<Text>(&[&long(10_000)], &[&long(10_001)]);
        table::<KindPattern>(
            &["*", "gap.*", "decision.made", "a?c"],
            &["", "Gap.*", "gap *", "gap.{a,b}", &"a".repeat(101)],
        );
        let secret = |n: usize, end: &str| format!("whsec_{}{end}", "Az+/".repeat(n));
        table::<SigningSecret>(
            &[&secret(8, ""), &secret(8, "A="), &secret(21, "ab==")],
            &["", "whsec_", &secret(7, ""), &secret(8, "==="), &secret(22, ""), &secret(8, "-"), &secret(8, "")[1..]],
        );
        let iri =
            ["a:b", "https://w3id.org/dpv#Marketing", "urn:isbn:1", "s3+x.y-z:é", "a:b:c", &format!("a:{}", long(998))];
        let not_iri = [
            "",
            "a",
            ":b",
            "a:",
            "A:b",
            "1a:b",
            "a b:c",
            "a:b c",
            "a:<",
            "a:>",
            "a:\"",
            "a:{",
            "a:}",
            "a:|",
            "a:\\",
            "a:^",
            "a:`",
            "a:b\n",
            "a:\u{a0}",
            "é:b",
            &format!("a:{}", long(999)),
        ];
        table::<Iri>(&iri, &not_iri);
        table::<Uri>(&iri, &not_iri);
        table::<Path>(
            &["a", "a/b.parquet", ".a", "...", "..a", ".a/..b", "a b/é", &long(1000)],
            &["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "../a", "a/..", "a\\b", "a\0", "a\nb", &long(1001)],
        );
        table::<Country>(
            &["FR", "FR-69", "US-CA", "GB-ENG"],
            &["", "F", "fr", "FRA", "FR-", "FR-ABCD", "FR-a", "F1", "FR69"],
        );
        for space in spaces {
            agrees::<Name>(space);
            agrees::<Name>(&format!("{space}a"));
            agrees::<VersionId>(&format!("a{space}a"));
            agrees::<Sentence>(space);
            agrees::<Iri>(&format!("a:{space}"));
            agrees::<Path>(space);
        }
    }

    #[test]
    fn every_character_is_judged_alike_by_parser_and_schema() {
        for c in (0..=0x3100).chain(0xfe00..=0xffff).filter_map(char::from_u32) {
            agrees::<Name>(&format!("{c}"));
            agrees::<VersionId>(&format!("a{c}b"));
            agrees::<Sentence>(&format!("{c}"));
            agrees::<Sentence>(&format!("{c}a"));
            agrees::<Text>(&format!("a{c}"));
            agrees::<Iri>(&format!("a:{c}"));
            agrees::<Path>(&format!("{c}"));
        }
    }

    #[test]
    fn refusals_quote_the_word_and_shorten_it() {
        let sentence = "A@b\n".parse::<Key>().unwrap_err().to_string();
        assert!(sentence.ends_with(", got `A@b\\n`"), "{sentence}");
        let sentence = "x".repeat(500).parse::<Name>().unwrap_err().to_string();
        assert!(sentence.ends_with(&format!(", got 500 characters: `{}…`", "x".repeat(60))), "{sentence}");
        assert!(serde_json::from_str::<Key>("\"A\"").unwrap_err().to_string().contains("expected a key"));
    }

    fn any_text() -> impl Strategy<Value = String> {
        let char = prop_oneof![
            any::<char>(),
            prop::sample::select("aZ09._-/@%: \n\t\r\0\\é\u{a0}\u{2028}😀".chars().collect::<Vec<_>>())
        ];
        prop::collection::vec(char, 0..130).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn parser_and_schema_agree(text in any_text(), path in "[a./\\\\]{0,8}", iri in "[aA1]{0,2}:?.{0,4}", region in "[A-Z]{1,3}-?[A-Z0-9a]{0,4}", key in "[a-z0-9._@-]{0,5}") {
            for text in [&text, &path, &iri, &region, &key] {
                agrees::<Key>(text);
                agrees::<Name>(text);
                agrees::<Namespace>(text);
                agrees::<VersionId>(text);
                agrees::<Sentence>(text);
                agrees::<Text>(text);
                agrees::<Expression>(text);
                agrees::<Iri>(text);
                agrees::<Uri>(text);
                agrees::<Path>(text);
                agrees::<Country>(text);
            }
        }
    }
}
