//! Documents that come in: their JSON Schema 2020-12, and the one way to read them.
//!
//! The schema of a document is derived from its Rust type, so neither can drift; `schemas/json` holds them for editors and clients.

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Validator};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Fault;
use crate::{access, gate, json, lawfulness, lineage, registration, registry, review};

/// Faults named at most in one answer: a hostile body could have hundreds of thousands.
const MAX_FAULTS: usize = 50;

/// A type whose instances come in from outside.
pub trait Document: DeserializeOwned + JsonSchema {
    /// Name of the schema: `schemas/json/<NAME>.schema.json`.
    const NAME: &'static str;

    /// The compiled schema, made at first use.
    fn validator() -> &'static Validator;
}

macro_rules! documents {
    ($($name:literal => $type:ty),* $(,)?) => {
        $(impl Document for $type {
            const NAME: &'static str = $name;

            fn validator() -> &'static Validator {
                static VALIDATOR: OnceLock<Validator> = OnceLock::new();
                VALIDATOR.get_or_init(|| compile(&schema_of::<$type>()))
            }
        })*

        /// Every document with its JSON Schema, by name.
        pub fn all() -> Vec<(&'static str, Value)> {
            vec![$(($name, schema_of::<$type>())),*]
        }
    };
}

documents! {
    "party" => registry::PartySpec,
    "dataset" => registry::DatasetSpec,
    "dataset-version" => registry::DatasetVersionSpec,
    "life-change" => registry::LifeChange,
    "run" => registry::RunSpec,
    "model" => registry::ModelSpec,
    "model-version" => registry::ModelVersionSpec,
    "system" => registry::SystemSpec,
    "environment" => registry::EnvironmentSpec,
    "deployment" => registry::DeploymentSpec,
    "release" => registry::ReleaseSpec,
    "registration" => registration::Registration,
    "plan" => registration::PlanRequest,
    "edge" => lineage::EdgeCreate,
    "purpose" => lawfulness::PurposeSpec,
    "basis" => lawfulness::BasisSpec,
    "assessment" => lawfulness::AssessmentSpec,
    "review" => review::ReviewCreate,
    "vote" => review::VoteCreate,
    "opinion" => review::OpinionCreate,
    "revocation" => review::RevocationCreate,
    "gate-request" => gate::GateRequest,
    "activation" => gate::Activation,
    "actor" => access::ActorCreate,
    "token" => access::TokenCreate,
}

/// Read a document from bytes: strict JSON, then the schema, then the type. Every fault is named by JSON pointer.
///
/// # Errors
/// The faults, at most fifty.
pub fn read<T: Document>(bytes: &[u8]) -> Result<T, Vec<Fault>> {
    let value = json::parse(bytes).map_err(|fault| vec![Fault::new(&fault.pointer, fault.to_string())])?;
    from_value(value)
}

/// [`read`] for a value that is already parsed.
///
/// # Errors
/// The faults, at most fifty.
pub fn from_value<T: Document>(value: Value) -> Result<T, Vec<Fault>> {
    let faults = faults(T::validator(), &value);
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_path_to_error::deserialize(value).map_err(|e| vec![Fault::new(&place(e.path()), e.inner().to_string())])
}

/// The JSON pointer of what a type refused.
fn place(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// What a schema finds wrong with a value.
pub fn faults(validator: &Validator, value: &Value) -> Vec<Fault> {
    validator
        .iter_errors(value)
        .take(MAX_FAULTS)
        .flat_map(|error| {
            let place = error.instance_path().as_str().to_owned();
            match error.kind() {
                // The validator points at the parent: people want the member.
                ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                    .iter()
                    .take(MAX_FAULTS)
                    .map(|name| {
                        Fault::new(&format!("{place}/{}", escape(name)), format!("unknown field `{}`", shorten(name)))
                    })
                    .collect(),
                ValidationErrorKind::Required { property } => {
                    let name = property.as_str().unwrap_or_default();
                    vec![Fault::new(&format!("{place}/{}", escape(name)), format!("missing field `{name}`"))]
                }
                _ => vec![Fault::new(&place, shorten(&error.to_string()))],
            }
        })
        .take(MAX_FAULTS)
        .collect()
}

fn escape(name: &str) -> String {
    shorten(name).replace('~', "~0").replace('/', "~1")
}

/// A hostile value is not echoed whole.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The self-contained JSON Schema of a type.
pub fn schema_of<T: JsonSchema>() -> Value {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value()
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .unwrap_or_else(|e| unreachable!("a derived schema compiles; a test builds them all: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles() {
        for (name, schema) in all() {
            assert!(
                compile(&schema).is_valid(&Value::Null) != compile(&schema).is_valid(&serde_json::json!({}))
                    || !compile(&schema).is_valid(&Value::Null),
                "{name}"
            );
        }
    }

    #[test]
    fn every_fault_is_named() {
        let body = br#"{"key":"Bad Key","name":"","unknown/field":1,"arrangements":[{"kind":"marriage"}]}"#;
        let faults = read::<registry::PartySpec>(body).unwrap_err();
        let at: Vec<&str> = faults.iter().map(|f| f.pointer.as_str()).collect();
        for pointer in ["#/key", "#/name", "#/unknown~1field", "#/arrangements/0/kind", "#/arrangements/0/with"] {
            assert!(at.contains(&pointer), "{pointer} in {at:?}");
        }
    }

    #[test]
    fn what_only_the_type_refuses_is_named_too() {
        let body = br#"{"key":"k","name":"n","arrangements":[{"kind":"processing_contract","with":"dataset:x",
            "evidence":{"uri":"a:b","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000"},
            "valid_from":"2026-01-01"}]}"#;
        let faults = read::<registry::PartySpec>(body).unwrap_err();
        assert_eq!(faults.iter().map(|f| f.pointer.as_str()).collect::<Vec<_>>(), ["#/arrangements/0/with"]);
    }

    #[test]
    fn a_flood_of_faults_is_bounded() {
        let many: Vec<Value> = (0..5000).map(Value::from).collect();
        let body = serde_json::to_vec(&serde_json::json!({"key":"k","name":"n","arrangements":many})).unwrap();
        assert!(read::<registry::PartySpec>(&body).unwrap_err().len() <= MAX_FAULTS);
    }
}
