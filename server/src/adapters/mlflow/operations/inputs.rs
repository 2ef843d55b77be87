//! Datasets that runs read.

use std::collections::BTreeMap;

use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{DatasetOrigin, Field, InputRole};
use licit_schemas::text::{Iri, Name};
use serde_json::Value;

use crate::adapters::mlflow::fact::{Input, Texts};
use crate::adapters::mlflow::names::{kept, source};
use crate::adapters::openlineage::event::Table;
use crate::adapters::openlineage::names;
use crate::error::Result;
use crate::facts::Tx;
use crate::registry::vocabulary::vocabulary;

/// Columns that are read of one dataset; of more, none is, and what it holds is unknown.
const MOST_COLUMNS: usize = 5000;
/// Categories of people that are stated of one dataset.
const MOST_SUBJECTS: usize = 50;
/// Where categories of people are.
const DPV: &str = "https://w3id.org/dpv#";

/// A dataset as a client states it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the protocol's own words")]
pub struct Stated {
    pub name: String,
    pub digest: String,
    pub source_type: String,
    pub source: String,
    pub schema: Option<String>,
    pub profile: Option<String>,
    pub tags: Texts,
}

/// What it is in the registry.
///
/// What its tags state and nobody can read is noted: of a list of people of whom one is a slip, nobody is stated.
pub(super) fn input(tx: &mut Tx<'_>, stated: &Stated, unread: &mut Vec<String>) -> Result<Input> {
    let table = table(tx, stated, unread);
    let slipped = stated.tags.get("licit.subjects").is_some_and(|text| subjects(text).is_none());
    let tags = super::tags(tx, &stated.tags)?;
    Ok(Input {
        name: stated.name.clone(),
        digest: stated.digest.clone(),
        source_type: stated.source_type.clone(),
        source: tx.note(&kept(&stated.source))?,
        schema: stated.schema.clone(),
        profile: stated.profile.clone(),
        role: stated.tags.get("mlflow.data.context").and_then(|context| role(context)),
        tags,
        table,
        slipped,
    })
}

/// Why it was read, by the words scripts use.
fn role(context: &str) -> Option<InputRole> {
    match context.trim().to_lowercase().as_str() {
        "train" | "training" => Some(InputRole::Training),
        "validation" | "validate" | "val" | "eval" | "evaluation" => Some(InputRole::Validation),
        "test" | "testing" => Some(InputRole::Test),
        _ => None,
    }
}

/// The dataset behind a source, at the version that the source states, else at the one that was registered for the digest of the
/// client, else as it was read by name alone: 32 bits of a sample are no identity.
fn table(tx: &Tx<'_>, stated: &Stated, unread: &mut Vec<String>) -> Option<Table> {
    let found = source(&stated.source_type, &stated.source)?;
    let registered =
        |reference: &Ref| tx.world().registry.held(&reference.to_string()).is_some_and(|held| !held.reported);
    let sampled = names::at(&found.base, &format!("mlflow-{}", stated.digest)).filter(registered);
    let reference = match &found.version {
        Some(version) => names::at(&found.base, version)?,
        None => match sampled {
            Some(sampled) => sampled,
            None => names::reported(&found.base)?,
        },
    };
    let mut table = Table { fields: fields(stated.schema.as_deref()), ..Table::named(reference) };
    for (key, value) in &stated.tags {
        let read = match key.as_str() {
            "licit.subjects" => subjects(value).map(|read| table.subjects = read),
            "licit.origin" => serde_json::from_value::<DatasetOrigin>(Value::String(value.trim().to_owned()))
                .ok()
                .map(|read| table.origin = Some(read)),
            "licit.controller" => super::reference(tx, value, Kind::Party).map(|read| table.controller = Some(read)),
            "licit.purpose" => super::reference(tx, value, Kind::Purpose).map(|read| table.purpose = Some(read)),
            "licit.basis" => super::reference(tx, value, Kind::Basis).map(|read| table.basis = Some(read)),
            "licit.assessments" => super::references(tx, value, Kind::Assessment).map(|read| table.assessments = read),
            _ => continue,
        };
        if read.is_none() {
            unread.push(super::unread(key, value));
        }
    }
    Some(table)
}

/// Categories of people: DPV IRIs, or their last words, with commas between them; none where one of them is no such category.
pub(super) fn subjects(text: &str) -> Option<Vec<Iri>> {
    let word = |word: &str| -> Option<Iri> {
        let word = word.trim();
        let full = if word.contains("://") { word.to_owned() } else { format!("{DPV}{word}") };
        let iri: Iri = full.parse().ok()?;
        vocabulary().terms_of(std::slice::from_ref(&iri), "dpv_data_subjects").is_ok().then_some(iri)
    };
    let mut list: Vec<Iri> = text.split(',').map(word).collect::<Option<_>>()?;
    list.sort();
    list.dedup();
    (list.len() <= MOST_SUBJECTS).then_some(list)
}

/// Columns of a schema. A tensor has none that anybody named.
fn fields(schema: Option<&str>) -> Vec<Field> {
    let Some(Value::Object(map)) = schema.and_then(|text| serde_json::from_str(text).ok()) else { return Vec::new() };
    // A list, or the text of one.
    let columns = match map.get("mlflow_colspec") {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut found: BTreeMap<Name, Field> = BTreeMap::new();
    for column in &columns {
        let member = |name: &str| column.get(name).and_then(Value::as_str);
        let Some(name) = member("name").and_then(names::name) else { continue };
        let data_type = member("type").and_then(names::name);
        let field = Field {
            name: name.clone(),
            data_type,
            categories: Vec::new(),
            identifiability: None,
            pseudonym: None,
            free_text: None,
        };
        found.insert(name, field);
    }
    if found.len() > MOST_COLUMNS { Vec::new() } else { found.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_people_are_read() {
        let schema = r#"{"mlflow_colspec": [{"type": "long", "name": "age", "required": true}, {"type": "string"}]}"#;
        assert_eq!(fields(Some(schema)).iter().map(|f| f.name.to_string()).collect::<Vec<_>>(), ["age"]);
        assert!(fields(Some(r#"{"mlflow_tensorspec": {}}"#)).is_empty() && fields(Some("x")).is_empty());
        assert_eq!(subjects("Adult, https://w3id.org/dpv#Child").map(|list| list.len()), Some(2));
        assert_eq!(subjects("Adult, Childs"), None, "who was meant is not known: nobody is stated");
        assert_eq!(role("train"), Some(InputRole::Training));
        assert_eq!(role("production"), None);
    }
}
