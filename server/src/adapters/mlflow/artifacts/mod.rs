//! Artifacts: files that clients bring and fetch. Their bytes pass through to a directory or a bucket under a key of their own, are
//! hashed on the way and never held; what a path stands for is a fact, so that nobody sees a file that is not whole.

pub mod api;
pub mod depot;
pub mod operations;

use serde_json::Value;
use uuid::Uuid;

use super::project::run_of;
use super::state::{Logged, Run};
use crate::facts::World;

/// The scheme of what lies here.
pub const BELOW: &str = "mlflow-artifacts:";

/// Whose folder it is.
#[derive(Debug, PartialEq)]
pub enum Owner {
    /// A run's.
    Run(Uuid),
    /// A logged model's.
    Model(String),
}

/// The address of an experiment's artifacts.
fn location(world: &World, experiment: u32) -> String {
    world.mlflow.experiment(experiment).map_or_else(|| format!("{BELOW}/{experiment}"), |own| own.location.clone())
}

/// The address of a run's artifacts.
pub fn address(world: &World, run: &Run) -> String {
    format!("{}/{}/artifacts", location(world, run.experiment), run.id.simple())
}

/// The address of a logged model's artifacts.
pub fn address_of_model(world: &World, model: &Logged) -> Option<String> {
    Some(format!("{}/models/{}/artifacts", location(world, model.experiment), model.id))
}

/// An address as a folder here; none where it lies elsewhere.
fn here(address: &str) -> Option<String> {
    let path = address.strip_prefix(BELOW)?;
    let path = path.strip_prefix("//").map_or(path, |rest| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.trim_matches('/');
    path.parse::<licit_schemas::text::Path>().ok().map(|_| path.to_owned())
}

/// The folder of a run.
pub fn folder(world: &World, run: &Uuid) -> Option<String> {
    here(&address(world, world.mlflow.run(*run)?))
}

/// The folder of a logged model.
pub fn folder_of_model(world: &World, model: &Logged) -> Option<String> {
    here(&address_of_model(world, model)?)
}

/// Whose folder a path lies in; none where nobody has it.
pub fn owner(world: &World, path: &str) -> Option<Owner> {
    let lies = |folder: Option<String>| {
        folder.is_some_and(|folder| {
            path.strip_prefix(&folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    path.split('/').find_map(|part| {
        if let Some(run) = run_of(part).filter(|run| lies(folder(world, run))) {
            return Some(Owner::Run(run));
        }
        let model = world.mlflow.logged(part).filter(|model| !model.deleted)?;
        lies(folder_of_model(world, model)).then(|| Owner::Model(part.to_owned()))
    })
}

/// Whether a file is an example of what a model is asked: rows of data, as often as not of people.
pub fn is_example(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("input_example.json" | "serving_input_example.json"))
}

/// Rows of data in such a file; one where it cannot be told.
pub fn rows(bytes: &[u8]) -> u32 {
    let counted = serde_json::from_slice::<Value>(bytes).ok().map(|value| count(&value));
    u32::try_from(counted.unwrap_or(1)).unwrap_or(u32::MAX)
}

fn count(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(list) => list.len(),
        Value::Object(map) => {
            let within = ["dataframe_split", "data", "dataframe_records", "inputs", "instances"];
            within.iter().find_map(|name| map.get(*name)).map_or(usize::from(!map.is_empty()), count)
        }
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_examples_are_counted() {
        assert_eq!(rows(br#"{"columns":["age"],"data":[[30],[40]]}"#), 2);
        assert_eq!(rows(br#"{"dataframe_split":{"columns":["age"],"data":[[30]]}}"#), 1);
        assert_eq!(rows(b"not json"), 1);
        assert_eq!(rows(b"{}"), 0);
        assert!(is_example("1/m/input_example.json") && !is_example("1/m/other.json"));
    }

    #[test]
    fn addresses_lie_here_or_elsewhere() {
        assert_eq!(here("mlflow-artifacts:/1/x").as_deref(), Some("1/x"));
        assert_eq!(here("mlflow-artifacts://host/1/x").as_deref(), Some("1/x"));
        assert_eq!(here("s3://b/1"), None);
        assert_eq!(here("mlflow-artifacts:/../x"), None);
    }
}
