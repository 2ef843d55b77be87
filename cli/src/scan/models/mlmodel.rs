//! `MLmodel`: what MLflow writes beside a model, in YAML.

use std::path::Path;

use serde_json::Value;

use super::Facts;
use crate::error::{Failure, Result};
use crate::scan::bytes::line;
use crate::scan::values;
use crate::scan::{shown, unreadable};
use crate::source;
use crate::yaml;

/// Bytes of the file.
const MOST: usize = 1 << 20;
/// Columns of a signature that are told.
const COLUMNS: usize = 50;

/// Read it.
pub(super) fn read(path: &Path) -> Result<Facts> {
    let bytes = source::bounded(path, MOST).map_err(|e| unreadable(path, &e))?;
    let bytes = bytes.ok_or_else(|| Failure::plain(format!("`{}` is larger than {MOST} bytes", shown(path))))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::plain(format!("`{}` is not UTF-8", shown(path))))?;
    let parsed = yaml::parse(&text).map_err(|fault| {
        let (line, column) = fault.place;
        Failure::Faults(vec![format!("{}:{line}:{column}: {}", shown(path), fault.problem)])
    })?;
    Ok(facts(&parsed.value))
}

fn facts(value: &Value) -> Facts {
    let mut facts = Facts::default();
    let told = |value: &Value| {
        value
            .as_str()
            .map(str::to_owned)
            .or_else(|| value.as_number().map(ToString::to_string))
            .and_then(|text| line(&text))
    };
    let flavors = value["flavors"].as_object();
    // The flavor that made the model; `python_function` only says how any model is called.
    let own = flavors.and_then(|flavors| flavors.iter().find(|(name, _)| *name != "python_function"));
    if let Some((name, flavor)) = own.filter(|(name, _)| line(name).is_some()) {
        let version = flavor
            .as_object()
            .into_iter()
            .flatten()
            .find(|(key, _)| key.ends_with("_version") && key.as_str() != "serialization_version");
        let version =
            version.and_then(|(_, version)| told(version)).map(|version| format!(" {version}")).unwrap_or_default();
        facts.framework = line(&format!("{}{version}", if name == "sklearn" { "scikit-learn" } else { name }));
        for key in ["serialization_format", "model_class", "model_type"] {
            if let Some(value) = told(&flavor[key]) {
                facts.tag(&format!("mlflow.{key}"), &value);
            }
        }
    }
    for key in ["model_uuid", "run_id", "mlflow_version", "utc_time_created", "model_id"] {
        if let Some(value) = told(&value[key]) {
            facts.tag(&format!("mlflow.{key}"), &value);
        }
    }
    for side in ["inputs", "outputs"] {
        if let Some(names) = signature(&value["signature"][side]) {
            facts.tag(&format!("mlflow.signature.{side}"), &names);
        }
    }
    let example = told(&value["saved_input_example_info"]["artifact_path"]);
    if let Some(example) = example.map(|path| crate::scan::shown(Path::new(&path))) {
        facts.warnings.push(format!(
            "`{example}` beside the MLmodel holds rows the model was trained on, as an example: look whether they are of people"
        ));
    }
    facts
}

/// Names of the columns of a signature, which is JSON in a text.
fn signature(value: &Value) -> Option<String> {
    let columns: Vec<Value> = serde_json::from_str(value.as_str()?).ok()?;
    let names: Vec<&str> = columns.iter().filter_map(|column| column["name"].as_str()).take(COLUMNS).collect();
    // Where a table was turned around, what was a value names a column.
    if names.iter().any(|name| values::is_value(name)) {
        return None;
    }
    line(&names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKLEARN: &str = "artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    python_version: 3.11.2
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.7.2
mlflow_version: 3.4.0
model_uuid: 0d1e2f
saved_input_example_info:
  artifact_path: input_example.json
  type: dataframe
signature:
  inputs: '[{\"type\": \"double\", \"name\": \"age\", \"required\": true}, {\"type\": \"string\", \"name\": \"email\"}]'
  outputs: '[{\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"int64\", \"shape\": [-1]}}]'
utc_time_created: '2026-11-01 10:00:00.000000'
";

    #[test]
    fn flavor_and_signature_are_told() {
        let facts = facts(&yaml::parse(SKLEARN).unwrap().value);
        assert_eq!(facts.framework.as_deref(), Some("scikit-learn 1.7.2"));
        let tag = |name: &str| facts.tags.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
        assert_eq!(tag("mlflow.signature.inputs"), Some("age, email"));
        assert_eq!(tag("mlflow.serialization_format"), Some("cloudpickle"));
        assert_eq!(tag("mlflow.signature.outputs"), None);
        assert!(facts.warnings[0].contains("input_example.json"));
    }

    #[test]
    fn anything_else_is_no_fault() {
        for text in
            ["", "flavors: 1", "flavors: {sklearn: [1]}", "signature: {inputs: '[['}", "- a", "flavors: {'': {}}"]
        {
            let _ = facts(&yaml::parse(text).unwrap().value);
        }
    }
}
