//! Names of models elsewhere that lead to a deployment: its tags say by which it is reached, and the board approves them with it.

use licit_schemas::registry::Tags;

/// The tag of a deployment that names the registered model of `MLflow` it runs.
pub const MODEL: &str = "mlflow.model";
/// The tag of a deployment that names the alias it runs by, or several with commas between them; without it, every governed one.
pub const ALIAS: &str = "mlflow.alias";

fn tag<'t>(tags: &'t Tags, key: &str) -> Option<&'t str> {
    tags.iter().find(|(own, _)| own.as_str() == key).map(|(_, value)| value.as_str())
}

fn aliases(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(',').map(|own| own.trim().to_lowercase())
}

/// Whether a deployment says that it runs a model by an alias.
pub fn says(tags: &Tags, model: &str, alias: &str) -> bool {
    tag(tags, MODEL) == Some(model) && tag(tags, ALIAS).is_none_or(|list| aliases(list).any(|own| own == alias))
}

/// What leads to a deployment, for the board: `mlflow:score@champion`, or `mlflow:score` by every governed alias.
pub fn names(tags: &Tags) -> Vec<String> {
    match (tag(tags, MODEL), tag(tags, ALIAS)) {
        (None, _) => Vec::new(),
        (Some(model), None) => vec![format!("mlflow:{model}")],
        (Some(model), Some(list)) => aliases(list).map(|alias| format!("mlflow:{model}@{alias}")).collect(),
    }
}

/// Whether a name is among those approved: a model approved by every alias is so by each.
pub fn holds(approved: &[String], name: &str) -> bool {
    let model = name.rsplit_once('@').map(|(model, _)| model);
    approved.iter().any(|own| own == name || Some(own.as_str()) == model)
}
