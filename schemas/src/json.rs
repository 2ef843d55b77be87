//! JSON at the border, stricter than `serde_json` (RFC 8259 with the limits of I-JSON, RFC 7493), and the canonical
//! form (RFC 8785) in which the ledger hashes an entry.

use std::{error::Error, fmt};

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, map::Entry};

use crate::text::quoted;

/// Arrays and objects inside one another, at most.
pub const MAX_DEPTH: usize = 64;

/// 2^53 - 1: beyond it, readers that hold numbers as doubles (RFC 7493 §2.2) see another integer.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// What is wrong with a JSON document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// RFC 6901 pointer to the value at fault, as far as it was read; empty for the whole document.
    pub pointer: String,
    /// Line and column in the text, from 1; none when there is no text (a value being written).
    pub line_column: Option<(usize, usize)>,
    /// The sentence.
    pub problem: String,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        if !self.pointer.is_empty() {
            write!(f, " at {}", quoted(&self.pointer))?;
        }
        self.line_column.map_or(Ok(()), |(line, column)| write!(f, " (line {line}, column {column})"))
    }
}

impl Error for JsonFault {}

/// One step of a path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Member(String),
    /// An item of an array, from 0.
    Item(usize),
}

/// The RFC 6901 pointer of a path: `~` becomes `~0`, `/` becomes `~1`; empty for the whole document.
pub fn pointer(path: &[Segment]) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Segment::Item(index) => format!("/{index}"),
    };
    path.iter().map(step).collect()
}

/// Reads a JSON document.
///
/// # Errors
/// Text that is not UTF-8 or not JSON; arrays and objects more than [`MAX_DEPTH`] deep; a member named twice (which of
/// the two did the sender mean?); U+0000 in a string or name (`PostgreSQL` cannot hold it). The first fault ends it.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonFault> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        JsonFault { pointer: String::new(), line_column: Some((line, column)), problem: "not UTF-8".to_owned() }
    })?;
    let mut state = State::default();
    let mut json = serde_json::Deserializer::from_str(text);
    Strict(&mut state).deserialize(&mut json).and_then(|value| json.end().map(|()| value)).map_err(|e| {
        // serde_json says the place inside its sentence; it has a field here.
        let sentence = e.to_string();
        let bare = sentence.rfind(" at line ").map_or(sentence.as_str(), |end| &sentence[..end]);
        let problem = state.problem.take().unwrap_or_else(|| format!("not JSON: {bare}"));
        JsonFault { pointer: pointer(&state.path), line_column: Some((e.line(), e.column())), problem }
    })
}

/// The path to the value being read. Steps are taken back only on success: after a fault it is where the fault was.
#[derive(Default)]
struct State {
    path: Vec<Segment>,
    problem: Option<String>,
}

impl State {
    fn fail<T, E: serde::de::Error>(&mut self, problem: String) -> Result<T, E> {
        let error = E::custom(&problem);
        self.problem = Some(problem);
        Err(error)
    }

    fn deep_enough<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if self.path.len() < MAX_DEPTH { Ok(()) } else { self.fail(too_deep()) }
    }
}

struct Strict<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(large(value.unsigned_abs(), if value < 0 { -1.0 } else { 1.0 }).unwrap_or_else(|| value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(large(value, 1.0).unwrap_or_else(|| value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') { self.0.fail(nul()) } else { Ok(value.into()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.deep_enough()?;
        let mut array = Vec::new();
        loop {
            self.0.path.push(Segment::Item(array.len()));
            let item = items.next_element_seed(Strict(&mut *self.0))?;
            self.0.path.pop();
            match item {
                Some(item) => array.push(item),
                None => return Ok(array.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.0.deep_enough()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.0.path.push(Segment::Member(name.clone()));
            if name.contains('\0') {
                return self.0.fail(nul());
            }
            let Entry::Vacant(place) = object.entry(name) else {
                return self.0.fail("a member of this name stands twice".to_owned());
            };
            place.insert(members.next_value_seed(Strict(&mut *self.0))?);
            self.0.path.pop();
        }
        Ok(object.into())
    }
}

/// A double of 2^53 or more, which RFC 8785 writes without a point below 10^21: it is what it was written from. Digits that no double is
/// written with are an integer, which is not read as another one.
fn large(size: u64, sign: f64) -> Option<Value> {
    if size <= MAX_INTEGER {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "whether it was lost is what is asked")]
    let double = size as f64;
    let written = serde_json_canonicalizer::to_string(&Value::from(double)).ok()?;
    (written == size.to_string()).then(|| Value::from(sign * double))
}

fn nul() -> String {
    "the character U+0000 is not allowed".to_owned()
}

fn too_deep() -> String {
    format!("more than {MAX_DEPTH} arrays and objects inside one another")
}

/// The RFC 8785 canonical form: members in UTF-16 order, no white space, numbers as ECMAScript prints them.
///
/// A double of 2^53 or more prints without a point, and [`parse`] reads it as that double again. NaN and infinity become `null`
/// unseen (serde's JSON has no place for them, and the canonicaliser refuses them at the top only): a type that holds
/// a float has to be checked when it is made.
///
/// # Errors
/// An integer beyond ±[`MAX_INTEGER`], U+0000, more than [`MAX_DEPTH`] levels, a map whose keys are not strings: none
/// of them may reach the ledger silently changed.
pub fn canonical(value: &impl Serialize) -> Result<String, JsonFault> {
    let unwritable = |e: serde_json::Error| at(&[], format!("cannot be written as JSON: {e}"));
    let json = serde_json::to_value(value).map_err(unwritable)?;
    // The canonicaliser reads every member's name back, and is asked only where its order or its numbers may differ.
    let is_plain = check(&json, 0)?;
    let text = if is_plain { serde_json::to_string(&json) } else { serde_json_canonicalizer::to_string(&json) };
    text.map_err(unwritable)
}

fn at(path: &[Segment], problem: String) -> JsonFault {
    JsonFault { pointer: pointer(path), line_column: None, problem }
}

/// Refuses what [`canonical`] does not take; else says whether it is canonical as serde's JSON prints it: names in ASCII, which has
/// one order in UTF-8 and UTF-16, in that order, and no number with a fraction or an exponent. The path is put together only
/// where something is wrong.
fn check(value: &Value, depth: usize) -> Result<bool, JsonFault> {
    let here = |problem: String| Err(at(&[], problem));
    let below = |step: Segment, mut fault: JsonFault| {
        fault.pointer.insert_str(0, &pointer(&[step]));
        fault
    };
    match value {
        Value::Null | Value::Bool(_) => Ok(true),
        Value::Number(number) => {
            let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match size {
                Some(size) if size > MAX_INTEGER => here(format!("the integer `{number}` is beyond 2^53 - 1")),
                size => Ok(size.is_some()),
            }
        }
        Value::String(text) if text.contains('\0') => here(nul()),
        Value::String(_) => Ok(true),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => here(too_deep()),
        Value::Array(items) => items.iter().enumerate().try_fold(true, |plain, (i, item)| {
            Ok(check(item, depth + 1).map_err(|fault| below(Segment::Item(i), fault))? & plain)
        }),
        Value::Object(members) => members.iter().try_fold(members.keys().is_sorted(), |plain, (name, member)| {
            let checked = if name.contains('\0') { here(nul()) } else { check(member, depth + 1) };
            Ok(checked.map_err(|fault| below(Segment::Member(name.clone()), fault))? & plain & name.is_ascii())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn fault(text: impl AsRef<[u8]>) -> (String, Option<(usize, usize)>, String) {
        let fault = parse(text.as_ref()).expect_err("a fault");
        (fault.pointer, fault.line_column, fault.problem)
    }

    fn nested(depth: usize) -> String {
        "[".repeat(depth) + &"]".repeat(depth)
    }

    #[test]
    fn faults_name_the_place() {
        assert_eq!(fault("{\"a\": [1, 2,\n x]}"), ("/a/2".into(), Some((2, 2)), "not JSON: expected value".into()));
        let twice = fault(r#"{"a":{"b/c~":[{"x":1,"x":2}]}}"#);
        assert_eq!((twice.0.as_str(), twice.2.as_str()), ("/a/b~1c~0/0/x", "a member of this name stands twice"));
        assert!(fault(r#"{"a":1,"\u0061":2}"#).2.contains("twice"));
        assert_eq!(fault(r#"{"a":["b\u0000"]}"#).0, "/a/0");
        assert!(fault(r#"{"a":["b\u0000"]}"#).2.contains("U+0000"));
        assert!(fault(r#"{"b\u0000":1}"#).2.contains("U+0000"));
        assert_eq!(fault(b"{\n\"a\":\"\xff\"}"), (String::new(), Some((2, 6)), "not UTF-8".into()));
        assert_eq!(fault("1 2").1, Some((1, 3)));
        assert_eq!(fault("").2, "not JSON: EOF while parsing a value");
        assert!(fault(r#"["\ud800"]"#).2.starts_with("not JSON: "));
        let shown = parse(br#"{"a":{"b":1,"b":2}}"#).unwrap_err().to_string();
        assert!(shown.starts_with("a member of this name stands twice at `/a/b` (line 1, column "), "{shown}");
    }

    #[test]
    fn depth_stops_at_the_limit_both_ways() {
        let deepest = parse(nested(MAX_DEPTH).as_bytes()).unwrap();
        assert_eq!(canonical(&deepest).unwrap(), nested(MAX_DEPTH));
        assert!(fault(nested(MAX_DEPTH + 1)).2.contains("more than 64"));
        assert!(fault("{\"a\":".repeat(100_000)).2.contains("more than 64"));
        assert!(canonical(&json!({ "a": deepest })).unwrap_err().problem.contains("more than 64"));
    }

    #[test]
    fn what_json_cannot_carry_is_not_canonicalised() {
        let problem = |value: Value| canonical(&value).unwrap_err().to_string();
        assert_eq!(
            problem(json!({"a": [9_007_199_254_740_992_u64]})),
            "the integer `9007199254740992` is beyond 2^53 - 1 at `/a/0`"
        );
        assert!(problem(json!({"a": -9_007_199_254_740_992_i64})).contains("beyond"));
        assert!(problem(json!({"a": u64::MAX})).contains("beyond"));
        assert!(problem(json!({"a": i64::MIN})).contains("beyond"));
        assert!(problem(json!({"a": "\0"})).contains("U+0000"));
        assert!(problem(json!({"a": {"\0": 1}})).contains("U+0000"));
        // Wrong, and known: see `canonical`. Should this begin to fail, the sentence there can go.
        assert_eq!(canonical(&[f64::NAN]).unwrap(), "[null]");
        assert!(canonical(&BTreeMap::from([(vec![1], 1)])).is_err());
        assert_eq!(
            canonical(&json!([9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64])).unwrap(),
            "[9007199254740991,-9007199254740991]"
        );
        assert_eq!(canonical(&BTreeMap::from([(2, 1), (10, 1)])).unwrap(), r#"{"10":1,"2":1}"#);
    }

    /// Doubles beyond 2^53 are read again as what they were, as RFC 8785 writes them; other digits stay an integer, and are refused.
    #[test]
    fn large_doubles_are_read_again() {
        for (double, text) in [
            (9_007_199_254_740_992.0, "9007199254740992"),
            (-9_007_199_254_740_994.0, "-9007199254740994"),
            (9_223_372_036_854_775_808.0, "9223372036854776000"),
            (1.234_567_890_123_456_7e20, "123456789012345670000"),
            (999_999_999_999_999_900_000.0, "999999999999999900000"),
            (1e21, "1e+21"),
        ] {
            assert_eq!(canonical(&json!([double])).unwrap(), format!("[{text}]"));
            let again = parse(format!("[{text}]").as_bytes()).unwrap();
            assert_eq!((canonical(&again).unwrap(), again[0].as_f64()), (format!("[{text}]"), Some(double)));
        }
        for integer in ["9007199254740993", "-9007199254740993", "9223372036854775808", "18446744073709551615"] {
            let again = parse(format!("[{integer}]").as_bytes()).unwrap();
            assert!(canonical(&again).unwrap_err().problem.contains("beyond 2^53 - 1"), "{integer}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            (-1e6..1e6).prop_map(Value::from),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
            (9e15..1e22).prop_map(Value::from),
            "[^\0]{0,8}".prop_map(Value::from),
            "[\u{1}-\u{20}\"\\\\/<\u{7f}\u{2028}]{0,4}".prop_map(Value::from),
        ];
        let name = || prop_oneof!["[^\0]{0,4}", "[\u{1}-\u{7f}]{0,4}"];
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name(), inner, 0..5).prop_map(|m| m.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_is_a_fixed_point(value in any_json()) {
            let text = canonical(&value).unwrap();
            let again = parse(text.as_bytes()).unwrap();
            prop_assert_eq!(&canonical(&again).unwrap(), &text);
            // Printed otherwise, it is the same document: numbers are told by their value, not by their spelling.
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(canonical(&parse(&pretty).unwrap()).unwrap(), text);
        }

        #[test]
        fn what_is_printed_directly_is_what_the_canonicaliser_prints(value in any_json()) {
            prop_assert_eq!(canonical(&value).unwrap(), serde_json_canonicalizer::to_string(&value).unwrap());
        }

        #[test]
        fn nothing_panics_and_what_is_taken_serde_json_takes(bytes: Vec<u8>, text in "[\\[\\]{}\",:0-9.eE+\\-\\\\u0a-f \n]{0,40}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(value) = parse(bytes) {
                    let taken = serde_json::from_slice::<Value>(bytes).unwrap();
                    prop_assert!(taken == value || bytes.windows(16).any(|w| w.iter().all(u8::is_ascii_digit)));
                }
            }
        }
    }
}
