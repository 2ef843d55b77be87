//! The form documents are held against: the JSON Schema of a type, and every fault in a sentence of ours.
//!
//! A validator tells of alternatives only that none of them holds. So the form has no alternatives: it takes exactly what the
//! published schema takes, but says the fault, where it stands.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::known::KnownAt;
use crate::notices::{Commitment, Period};
use crate::problem::Fault;
use crate::reference::Ref;
use crate::registry::uuid_text;
use crate::subjects::{KeyId, Pseudonym};
use crate::text::{
    Country, Expression, Iri, Key, KindPattern, Name, Namespace, Path, Sentence, SigningSecret, Text, Uri, VersionId,
    quoted,
};
use crate::time::Timestamp;

/// Faults named at most in one answer: a hostile body could have hundreds of thousands.
pub(super) const MAX_FAULTS: usize = 50;

/// A schema as compiled for checking.
pub struct Form {
    schema: Value,
    validator: Validator,
}

impl Form {
    /// The form of a published schema.
    pub fn new(mut schema: Value) -> Self {
        null_apart(&mut schema);
        words_as_enums(&mut schema);
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        let validator = options
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .unwrap_or_else(|e| unreachable!("a derived schema compiles; a test builds them all: {e}"));
        Self { schema, validator }
    }

    /// Whether every name in a JSON pointer is one that members of such a document have; places in a list count for nothing.
    pub fn has(&self, pointer: &str) -> bool {
        fn named(schema: &Value, name: &str) -> bool {
            match schema {
                Value::Object(all) => {
                    all.get("properties").is_some_and(|members| members.get(name).is_some())
                        || all.values().any(|one| named(one, name))
                }
                Value::Array(all) => all.iter().any(|one| named(one, name)),
                _ => false,
            }
        }
        // No list is so long that a place in it could be somebody's telephone number.
        let place = |name: &str| (1..=6).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_digit());
        let mut names = pointer.split('/').enumerate();
        names.all(|(depth, name)| (depth > 0 && place(name)) || named(&self.schema, name))
    }

    /// What is wrong with a value, at most fifty faults.
    pub fn faults(&self, value: &Value) -> Vec<Fault> {
        let mut faults = Vec::new();
        for fault in self.validator.iter_errors(value).take(MAX_FAULTS).flat_map(|error| self.told(&error)) {
            // An empty name is too short and of a wrong pattern: one fault.
            if faults.len() < MAX_FAULTS && !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        faults
    }

    fn told(&self, error: &ValidationError<'_>) -> Vec<Fault> {
        let place = error.instance_path().as_str();
        let member = |name: &str, detail: String| Fault::new(&format!("{place}/{}", escape(name)), detail);
        match error.kind() {
            // The validator points at the parent: people want the member.
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                let names = self.around(error).and_then(|map| map.get("patternProperties")?.as_object());
                unexpected.iter().take(MAX_FAULTS).map(|name| member(name, self.unexpected(name, names))).collect()
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![member(name, format!("missing field `{name}`"))]
            }
            _ => vec![Fault::new(place, self.sentence(error))],
        }
    }

    /// The schema that the keyword of an error stands in.
    fn around(&self, error: &ValidationError<'_>) -> Option<&Value> {
        self.schema.pointer(error.schema_path().as_str().rsplit_once('/')?.0)
    }

    /// Why a name may not stand here: among fixed names there is no such field; where names are free, this one is badly formed.
    fn unexpected(&self, name: &str, patterns: Option<&Map<String, Value>>) -> String {
        let Some((pattern, _)) = patterns.and_then(|all| all.iter().next()) else {
            return format!("unknown field {}", quoted(name));
        };
        let definitions = self.schema.get("$defs").and_then(Value::as_object).into_iter().flatten();
        let kind =
            definitions.filter(|(_, one)| one.get("pattern").is_some_and(|p| p == pattern)).map(|(kind, _)| kind);
        let refused = kind.filter_map(|kind| refusal(kind, name)).next();
        refused.unwrap_or_else(|| format!("expected a name that matches `{pattern}`, got {}", quoted(name)))
    }

    fn sentence(&self, error: &ValidationError<'_>) -> String {
        let value = error.instance().as_ref();
        let got = got(value);
        match error.kind() {
            ValidationErrorKind::Type { kind: TypeKind::Single(name) } => {
                let name = name.to_string();
                let article = if name.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
                format!("expected {article} {name}, got {got}")
            }
            ValidationErrorKind::Enum { options } => {
                let words = options.as_array().into_iter().flatten().map(word).collect::<Vec<_>>().join(", ");
                format!("expected one of {words}, got {}", value.as_str().map_or(got, quoted))
            }
            ValidationErrorKind::Pattern { .. }
            | ValidationErrorKind::MinLength { .. }
            | ValidationErrorKind::MaxLength { .. } => self.text(error, value.as_str().unwrap_or_default()),
            ValidationErrorKind::MinItems { limit } => few("least", *limit, "item", value),
            ValidationErrorKind::MaxItems { limit } => few("most", *limit, "item", value),
            ValidationErrorKind::MinProperties { limit } => few("least", *limit, "member", value),
            ValidationErrorKind::MaxProperties { limit } => few("most", *limit, "member", value),
            ValidationErrorKind::Minimum { limit } => format!("expected at least {limit}, got {got}"),
            ValidationErrorKind::Maximum { limit } => format!("expected at most {limit}, got {got}"),
            _ => error.masked_with(got).to_string(),
        }
    }

    /// What is wrong with a text: its type says it best.
    fn text(&self, error: &ValidationError<'_>, text: &str) -> String {
        let schema = error.schema_path().as_str();
        let kind = schema.strip_prefix("/$defs/").and_then(|rest| rest.split_once('/')).map(|(kind, _)| kind);
        if let Some(sentence) = kind.and_then(|kind| refusal(kind, text)) {
            return sentence;
        }
        match error.kind() {
            ValidationErrorKind::Pattern { pattern } if pattern == uuid_text::PATTERN => {
                format!("expected a UUID, got {}", quoted(text))
            }
            _ => error.masked_with(quoted(text)).to_string(),
        }
    }
}

/// What the text type of this name in the schema says against a text.
fn refusal(kind: &str, text: &str) -> Option<String> {
    macro_rules! kinds {
        ($($name:ident)*) => {
            match kind {
                $(stringify!($name) => text.parse::<$name>().err().map(|e| e.to_string()),)*
                _ => None,
            }
        };
    }
    kinds!(
        Commitment Country Digest Expression Iri Key KeyId KindPattern KnownAt Name Namespace Path Period Pseudonym Ref Sentence SigningSecret Text Timestamp Uri
        VersionId
    )
}

/// What stands there instead, not echoed whole.
fn got(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => quoted(&value.to_string()),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| quoted(&value.to_string()), quoted)
}

fn few(bound: &str, limit: u64, what: &str, value: &Value) -> String {
    let got = value.as_array().map(Vec::len).or_else(|| value.as_object().map(Map::len)).unwrap_or_default();
    format!("expected at {bound} {limit} {what}{}, got {got}", if limit == 1 { "" } else { "s" })
}

/// A name as a segment of a JSON pointer; a hostile one is not echoed whole.
pub(super) fn escape(name: &str) -> String {
    let shown = match name.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    };
    shown.replace('~', "~0").replace('/', "~1")
}

/// For documents whose optional members are left out, not null: the schema without the alternative *null*.
pub fn without_null(schema: &mut Value) {
    each_schema(schema, &mut |members| {
        take_null(members);
        if members.get("default").is_some_and(Value::is_null) {
            members.remove("default");
        }
    });
}

/// *Null or this* as *if it is null, fine, else this*: the faults of *this* are then told.
fn null_apart(schema: &mut Value) {
    each_schema(schema, &mut |members| {
        if take_null(members) {
            let this = std::mem::take(members);
            members.insert("if".to_owned(), json!({ "type": "null" }));
            members.insert("else".to_owned(), this.into());
        }
    });
}

/// Alternatives that are words only, as a list of words: a fault then names them. Editors get the alternatives, with their
/// descriptions.
fn words_as_enums(schema: &mut Value) {
    each_schema(schema, &mut |members| {
        let words = match members.get("oneOf") {
            Some(Value::Array(any)) => any.iter().map(words_of).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        if let Some(words) = words {
            members.remove("oneOf");
            members.insert("enum".to_owned(), words.concat().into());
        }
        if members.get("enum").is_some_and(Value::is_array) {
            // What is none of the words is one fault, of whatever type it is.
            members.remove("type");
        }
    });
}

fn words_of(one: &Value) -> Option<Vec<Value>> {
    one.get("const").map(|word| vec![word.clone()]).or_else(|| one.get("enum")?.as_array().cloned())
}

/// Take the alternative *null* out of one schema. Whether it was there.
fn take_null(members: &mut Map<String, Value>) -> bool {
    let mut taken = false;
    if let Some(Value::Array(types)) = members.get_mut("type") {
        let before = types.len();
        types.retain(|name| name != "null");
        taken |= types.len() < before;
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(any)) = members.get_mut("anyOf") {
        let before = any.len();
        any.retain(|one| one.get("type").is_none_or(|name| name != "null"));
        taken |= any.len() < before;
        if let [Value::Object(only)] = any.as_slice() {
            let only = only.clone();
            members.remove("anyOf");
            // The member's own description says more than that of its type.
            only.into_iter().for_each(|(name, value)| {
                members.entry(name).or_insert(value);
            });
        }
    }
    taken
}

/// Change every schema within a schema, the inner ones first.
fn each_schema(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_schema(item, change)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| each_schema(member, change));
            change(members);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_has_alternatives() {
        for (name, schema) in crate::document::all() {
            let mut form = Form::new(schema);
            each_schema(&mut form.schema, &mut |members| {
                // A type that is one of several shapes would be refused with a sentence that says nothing: teach `Form::new` its tag.
                let vague =
                    ["anyOf", "oneOf"].into_iter().find(|keyword| members.get(*keyword).is_some_and(Value::is_array));
                assert_eq!(vague, None, "{name}: {members:?}");
            });
        }
    }

    #[test]
    fn every_kind_of_text_speaks_for_itself() {
        for (name, schema) in crate::document::all() {
            for (kind, one) in schema["$defs"].as_object().into_iter().flatten() {
                if one.get("pattern").is_some() {
                    assert!(
                        refusal(kind, "\n").is_some(),
                        "{name} has texts of the kind `{kind}`: add it to `refusal`"
                    );
                }
            }
        }
    }

    #[test]
    fn without_null_refuses_null_and_names_what_it_is_instead() {
        let mut schema = json!({"properties": {
            "a": {"type": ["string", "null"], "default": null},
            "b": {"anyOf": [{"$ref": "#/$defs/b", "description": "of the type"}, {"type": "null"}], "description": "of the member"},
        }});
        without_null(&mut schema);
        let wanted = json!({"properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/b", "description": "of the member"}}});
        assert_eq!(schema, wanted);
    }
}
