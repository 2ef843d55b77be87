//! Documents that come in: their JSON Schema 2020-12, and the one way to read them.
//!
//! The schema of a document is derived from its Rust type, so neither can drift; `schemas/json` holds them for editors and clients.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Fault;
use crate::{
    access, adoption, classes, consent, events, gate, json, lawfulness, lineage, notices, policy, registration,
    registry, reports, review, subjects, uses,
};

mod form;

pub use form::{Form, without_null};

/// A type whose instances come in from outside.
pub trait Document: DeserializeOwned + JsonSchema {
    /// Name of the schema: `schemas/json/<NAME>.schema.json`.
    const NAME: &'static str;

    /// The schema as documents are held against it, made at first use.
    fn form() -> &'static Form;
}

macro_rules! documents {
    ($($name:literal => $type:ty),* $(,)?) => {
        $(impl Document for $type {
            const NAME: &'static str = $name;

            fn form() -> &'static Form {
                static FORM: OnceLock<Form> = OnceLock::new();
                FORM.get_or_init(|| Form::new(schema_of::<$type>()))
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
    "retirement" => registry::Retirement,
    "run" => registry::RunSpec,
    "model" => registry::ModelSpec,
    "model-version" => registry::ModelVersionSpec,
    "system" => registry::SystemSpec,
    "environment" => registry::EnvironmentSpec,
    "deployment" => registry::DeploymentSpec,
    "release" => registry::ReleaseSpec,
    "attestation" => registry::AttestationSpec,
    "registration" => registration::Registration,
    "plan" => registration::PlanRequest,
    "edge" => lineage::EdgeCreate,
    "purpose" => lawfulness::PurposeSpec,
    "basis" => lawfulness::BasisSpec,
    "assessment" => lawfulness::AssessmentSpec,
    "notice" => notices::NoticeSpec,
    "withdrawal-test" => notices::WithdrawalTestSpec,
    "baseline" => adoption::BaselineCreate,
    "break-glass" => adoption::BreakGlassCreate,
    "contest" => adoption::ContestCreate,
    "default-class" => classes::DefaultClassSpec,
    "classification" => classes::ClassificationCreate,
    "delegation" => review::DelegationCreate,
    "loosening" => adoption::LooseningSpec,
    "settlement" => adoption::SettlementCreate,
    "policy" => policy::PolicySpec,
    "review" => review::ReviewCreate,
    "vote" => review::VoteCreate,
    "opinion" => review::OpinionCreate,
    "revocation" => review::RevocationCreate,
    "gate-request" => gate::GateRequest,
    "activation" => gate::Activation,
    "rollback" => gate::Rollback,
    "what-if" => reports::WhatIfRequest,
    "affected" => reports::AffectedQuery,
    "actor" => access::ActorCreate,
    "token" => access::TokenCreate,
    "webhook" => events::WebhookCreate,
    "redelivery" => events::Redelivery,
    "subject-key" => subjects::SubjectKeySpec,
    "member-load" => subjects::MemberLoadCreate,
    "load-finish" => subjects::LoadFinish,
    "exclude" => subjects::ExcludeCreate,
    "consent-record" => consent::ConsentRecord,
    "subject-query" => consent::SubjectQuery,
    "proof-query" => consent::ProofQuery,
    "acknowledgement" => consent::AcknowledgementCreate,
    "coverage-sample" => consent::SampleQuery,
    "remedy" => consent::RemedyCreate,
    "use" => uses::UseCreate,
    "passport-import" => crate::proof::passport::PassportImport,
    "subjects-impact" => reports::SubjectsQuery,
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
    let faults = T::form().faults(&value);
    if !faults.is_empty() {
        return Err(faults);
    }
    serde_path_to_error::deserialize(value)
        .map_err(|e| vec![Fault::new(&place(e.path()), sentence(&e.inner().to_string()))])
}

/// A fault without what stood there: that may be somebody's name or address, also where a word or a member's name belongs.
pub fn quiet<T: Document>(fault: Fault) -> Fault {
    let member = fault.pointer.trim_start_matches(['#', '/']);
    if !member.is_empty() && !T::form().has(member) {
        return Fault::new("", "there is a member that does not belong here");
    }
    // What stands there is told last.
    let detail = fault.detail.split(", got ").next().unwrap_or_default().to_owned();
    // Rules of their own say what belongs there in the first words; what they quote is what was sent.
    let detail = if detail.starts_with('`') { "this is not what belongs here".to_owned() } else { detail };
    Fault { detail, ..fault }
}

/// What a type refused. JSON Schema counts `1.0` among the integers, the types do not, and say so in words of Rust.
fn sentence(detail: &str) -> String {
    match detail.strip_prefix("invalid type: floating point ").and_then(|rest| rest.split_once(',')) {
        Some((number, _)) => format!("expected an integer, written without a point, got {number}"),
        None => detail.to_owned(),
    }
}

/// The JSON pointer of what a type refused.
fn place(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", form::escape(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// The self-contained JSON Schema of a type.
pub fn schema_of<T: JsonSchema>() -> Value {
    SchemaGenerator::new(SchemaSettings::draft2020_12()).into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_quiet_fault_names_members_and_places_and_nothing_that_was_sent() {
        let told = |pointer: &str| quiet::<crate::reports::SubjectsQuery>(Fault::new(pointer, "wrong")).pointer;
        assert_eq!((told("/subjects/12").as_str(), told("/purpose").as_str()), ("#/subjects/12", "#/purpose"));
        for sent in ["/jane@example.com", "/35315550142", "/subjects/35315550142", "/subjects/0/jane", "/12"] {
            assert_eq!(told(sent), "#", "{sent}");
        }
    }

    #[test]
    fn a_flood_of_faults_is_bounded() {
        let many: Vec<Value> = (0..5000).map(Value::from).collect();
        let body = serde_json::to_vec(&serde_json::json!({"key":"k","name":"n","arrangements":many})).unwrap();
        assert!(read::<registry::PartySpec>(&body).unwrap_err().len() <= form::MAX_FAULTS);
    }
}
