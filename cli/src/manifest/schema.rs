//! The JSON Schema of `licit.yaml`, derived from its types: `schemas/json` holds it, `licit schema` prints it.

use std::sync::OnceLock;

use licit_schemas::document::{self, Document, Form};
use serde_json::Value;

use super::Manifest;

/// Name of the schema's file; editors complete by it.
pub(crate) const SCHEMA_FILE: &str = "licit-yaml.schema.json";

/// The JSON Schema of `licit.yaml`. Optional members are left out, not null: in YAML a null is mostly a value forgotten.
pub(crate) fn published() -> Value {
    let mut schema = document::schema_of::<Manifest>();
    document::without_null(&mut schema);
    schema["$id"] = SCHEMA_FILE.into();
    schema["title"] = "licit.yaml".into();
    schema
}

impl Document for Manifest {
    const NAME: &'static str = "licit-yaml";

    fn form() -> &'static Form {
        static FORM: OnceLock<Form> = OnceLock::new();
        FORM.get_or_init(|| Form::new(published()))
    }
}
