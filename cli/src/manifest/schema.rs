//! The JSON Schema of `licit.yaml`, derived from its types: one form for editors, one that faults are named by.

use std::sync::OnceLock;

use jsonschema::{PatternOptions, Validator};
use licit_schemas::document;
use serde_json::Value;

use super::Manifest;

/// Name of the schema's file; `licit schema` prints it, editors complete by it.
pub(crate) const SCHEMA_FILE: &str = "licit-yaml.schema.json";

/// The JSON Schema of `licit.yaml`.
pub(crate) fn published() -> Value {
    let mut schema = document::schema_of::<Manifest>();
    without_null(&mut schema);
    schema["$id"] = SCHEMA_FILE.into();
    schema["title"] = "licit.yaml".into();
    schema
}

/// Optional members are left out, not null: without the alternative *null* each fault is named where it stands, and not as
/// "valid under none of the schemas".
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            let null = |one: &Value| one.get("type").is_some_and(|name| name == "null");
            if let Some(Value::Array(any)) = members.get_mut("anyOf") {
                any.retain(|one| !null(one));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    members.remove("anyOf");
                    // The member's own description says more than that of its type.
                    only.into_iter().for_each(|(name, value)| {
                        members.entry(name).or_insert(value);
                    });
                }
            }
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            members.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// Alternatives that are words only, as a list of words: a fault then names them. Editors get the alternatives, with their
/// descriptions.
fn words_as_enums(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(words_as_enums),
        Value::Object(members) => {
            let words = match members.get("oneOf") {
                Some(Value::Array(any)) => any.iter().map(words_of).collect::<Option<Vec<_>>>(),
                _ => None,
            };
            if let Some(words) = words {
                members.remove("oneOf");
                members.insert("enum".to_owned(), words.concat().into());
            }
            members.values_mut().for_each(words_as_enums);
        }
        _ => {}
    }
}

fn words_of(one: &Value) -> Option<Vec<Value>> {
    one.get("const").map(|word| vec![word.clone()]).or_else(|| one.get("enum")?.as_array().cloned())
}

/// The schema as compiled for checking.
pub(super) fn validator() -> std::result::Result<&'static Validator, String> {
    static VALIDATOR: OnceLock<std::result::Result<Validator, String>> = OnceLock::new();
    let compiled = VALIDATOR.get_or_init(|| {
        let mut schema = published();
        words_as_enums(&mut schema);
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
        options.with_pattern_options(PatternOptions::regex()).build(&schema).map_err(|e| e.to_string())
    });
    compiled.as_ref().map_err(Clone::clone)
}
