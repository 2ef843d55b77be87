//! Parameters of a request, from its query or its body, read as the protocol does: what is unknown is passed over, and each fault
//! has the text its clients know.

use std::collections::BTreeMap;

use licit_schemas::json;
use serde_json::{Map, Value};

use super::fact::Texts;
use super::fault;
use crate::error::{Error, Result};

/// Parameters.
pub struct Params(Map<String, Value>);

/// Texts in a list that is given.
const MOST_TEXTS: usize = 1000;

impl Params {
    /// Of a body.
    ///
    /// # Errors
    /// No JSON object.
    pub fn body(bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        match json::parse(bytes) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(Error::foreign(400, "BAD_REQUEST", "Request body must be a JSON object.")),
            Err(fault) => Err(Error::foreign(400, "BAD_REQUEST", format!("Malformed request body: {}", fault))),
        }
    }

    /// Of a query: what stands twice is a list.
    pub fn query(pairs: Vec<(String, String)>) -> Self {
        let mut map = Map::new();
        for (name, value) in pairs {
            let value = Value::String(value);
            match map.get_mut(&name) {
                None => {
                    map.insert(name, value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        Self(map)
    }

    /// Of an object within.
    fn within(value: &Value) -> Option<Self> {
        value.as_object().cloned().map(Self)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether it is given.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text; empty is none.
    ///
    /// # Errors
    /// Of another type.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            // The last of several in a query counts.
            Some(other) => Err(fault::mistyped(name, other)),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Missing, empty, or of another type.
    pub fn need(&self, name: &str) -> Result<String> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| fault::missing(name))
    }

    /// A text that must be there, under either of two names.
    ///
    /// # Errors
    /// As [`Params::need`].
    pub fn either(&self, name: &str, other: &str) -> Result<String> {
        if self.text(name)?.is_some_and(|text| !text.is_empty()) {
            self.need(name)
        } else {
            self.need(other).or_else(|_| self.need(name))
        }
    }

    /// An integer, in figures or as text.
    ///
    /// # Errors
    /// Anything else.
    pub fn integer(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let read = match value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        // Integers of the ledger lie within 2^53.
        match read.filter(|number| number.unsigned_abs() < 1 << 53) {
            Some(number) => Ok(Some(number)),
            None => Err(fault::mistyped(name, value)),
        }
    }

    /// How many are wanted of a list.
    ///
    /// # Errors
    /// None, or too many.
    pub fn limit(&self, default: usize, most: usize) -> Result<usize> {
        match self.integer("max_results")? {
            None => Ok(default),
            Some(number) => match usize::try_from(number) {
                Ok(number) if (1..=most).contains(&number) => Ok(number),
                _ => Err(fault::mistyped("max_results", self.get("max_results").unwrap_or(&Value::Null))),
            },
        }
    }

    /// A figure as text.
    ///
    /// # Errors
    /// None.
    pub fn figure(&self, name: &str) -> Result<String> {
        let value = self.get(name).ok_or_else(|| fault::missing(name))?;
        let read = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                text => text.parse().ok().filter(|figure: &f64| figure.is_finite()),
            },
            _ => None,
        };
        read.map(written).ok_or_else(|| fault::mistyped(name, value))
    }

    /// Whether something is so.
    ///
    /// # Errors
    /// Neither true nor false.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(other) => Err(fault::mistyped(name, other)),
        }
    }

    /// Texts; one alone is a list of one.
    ///
    /// # Errors
    /// Anything else.
    pub fn texts(&self, name: &str) -> Result<Vec<String>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(all @ Value::Array(list)) if list.len() <= MOST_TEXTS => list
                .iter()
                .map(|item| item.as_str().map(str::to_owned).ok_or_else(|| fault::mistyped(name, all)))
                .collect(),
            Some(other) => Err(fault::mistyped(name, other)),
        }
    }

    /// Objects in a list.
    ///
    /// # Errors
    /// Anything else, or more than so many.
    pub fn list(&self, name: &str, most: usize) -> Result<Vec<Self>> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) if list.len() > most => Err(fault::parameter(format!(
                "A batch logging request can contain at most {most} {name}. Got {} {name}. Please split up {name} across multiple requests and try again.",
                list.len()
            ))),
            Some(all @ Value::Array(list)) => {
                list.iter().map(|item| Self::within(item).ok_or_else(|| fault::mistyped(name, all))).collect()
            }
            Some(other) => Err(fault::mistyped(name, other)),
        }
    }

    /// An object.
    ///
    /// # Errors
    /// Missing, or anything else.
    pub fn object(&self, name: &str) -> Result<Self> {
        let value = self.get(name).ok_or_else(|| fault::missing(name))?;
        Self::within(value).ok_or_else(|| fault::mistyped(name, value))
    }

    /// Keys and values in a list of `{key, value}`; the last of a key counts.
    ///
    /// # Errors
    /// Anything else; keys or values that are too long.
    pub fn pairs(&self, name: &str, most: usize, bounds: Bounds) -> Result<Texts> {
        let mut texts = BTreeMap::new();
        for item in self.list(name, most)? {
            let (key, value) = (item.need("key")?, item.text("value")?.unwrap_or_default());
            texts.insert(bounds.key(&key)?, bounds.value(&key, value)?);
        }
        Ok(texts)
    }
}

/// How long keys and values may be.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Characters of a key.
    pub key: usize,
    /// Characters of a value.
    pub value: usize,
    /// Whether a longer value is cut.
    pub cut: bool,
}

/// Tags of registered models and their versions.
pub const REGISTRY: Bounds = Bounds { key: 250, value: 100_000, cut: false };
/// Tags of runs, experiments, inputs and logged models.
pub const TAGS: Bounds = Bounds { key: 250, value: 8000, cut: true };
/// Parameters.
pub const PARAMS: Bounds = Bounds { key: 250, value: 6000, cut: true };

impl Bounds {
    /// A key that does.
    ///
    /// # Errors
    /// Too long, or with characters that keys do not have.
    pub fn key(self, key: &str) -> Result<String> {
        if key.chars().count() > self.key {
            return Err(fault::parameter(format!("'key' exceeds the maximum length of {} characters", self.key)));
        }
        let sound = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | ':' | '@');
        if key.chars().all(sound) {
            return Ok(key.to_owned());
        }
        let shown: String = key.chars().filter(|c| !c.is_control()).take(100).collect();
        Err(fault::parameter(format!(
            "Invalid value \"{shown}\" for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )))
    }

    /// A value that does.
    ///
    /// # Errors
    /// Too long, where it is not cut.
    pub fn value(self, key: &str, value: String) -> Result<String> {
        if value.len() <= self.value || value.chars().count() <= self.value {
            return Ok(value);
        }
        if self.cut {
            return Ok(value.chars().take(self.value).collect());
        }
        let shown: String = key.chars().take(100).collect();
        Err(fault::parameter(format!("The value of '{shown}' exceeds the maximum length of {} characters", self.value)))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole figure within 2^53")]
fn whole(figure: f64) -> Option<i64> {
    (figure.fract() == 0.0 && figure.abs() < 9_007_199_254_740_992.0).then_some(figure as i64)
}

/// A figure as text that reads back as the same.
pub fn written(figure: f64) -> String {
    if figure.is_nan() {
        "NaN".to_owned()
    } else if figure.is_infinite() {
        if figure > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{figure:?}")
    }
}

/// The figure behind such a text.
pub fn figure(text: &str) -> f64 {
    match text {
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_back_as_they_were() {
        for value in [0.0, -0.5, 1e300, 5e-324, 0.1, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(figure(&written(value)), value);
        }
        assert!(figure(&written(f64::NAN)).is_nan());
    }

    #[test]
    fn what_is_wrong_is_told_in_the_words_clients_know() {
        let params = Params::body(br#"{"name": 123, "max_results": "x", "big": 9007199254740991}"#).unwrap();
        let text = |e: Error| e.to_string();
        assert!(text(params.need("name").unwrap_err()).starts_with("Invalid value 123 for parameter 'name' supplied"));
        assert!(text(params.need("other").unwrap_err()).starts_with("Missing value for required parameter 'other'."));
        assert!(params.limit(10, 100).is_err() && params.integer("big").is_ok());
        let twice = Params::query(vec![("a".into(), "1".into()), ("a".into(), "2".into())]);
        assert_eq!(twice.texts("a").unwrap(), ["1", "2"]);
        assert!(Params::body(b"[]").is_err() && Params::body(b"{").is_err() && Params::body(b"").is_ok());
    }
}
