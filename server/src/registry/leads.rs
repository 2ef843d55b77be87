//! Names of models elsewhere that lead to a deployment: its tags say by which it is reached, and the board approves them with it.

use std::sync::Arc;

use imbl::OrdSet;
use licit_schemas::registry::Tags;

use crate::maps::HashMap;

/// The tag of a deployment that names the registered model of `MLflow` it runs.
pub const MODEL: &str = "mlflow.model";
/// The tag of a deployment that names the alias it runs by, or several with commas between them; without it, every governed one.
pub const ALIAS: &str = "mlflow.alias";

fn tag<'t>(tags: &'t Tags, key: &str) -> Option<&'t str> {
    tags.iter().find(|(own, _)| own.as_str() == key).map(|(_, value)| value.as_str())
}

/// Deployments by the model elsewhere that a revision of theirs names: who loads a model by an alias is answered without looking at
/// every deployment there is.
#[derive(Clone, Default)]
pub struct Led(HashMap<Arc<str>, OrdSet<Arc<str>>>);

impl Led {
    /// Fold a revision of a deployment in.
    pub fn note(&mut self, deployment: &str, tags: &Tags) {
        if let Some(model) = tag(tags, MODEL) {
            self.0.entry(model.into()).or_default().insert(deployment.into());
        }
    }

    /// The deployments of which some revision names a model, sorted.
    pub fn of(&self, model: &str) -> impl Iterator<Item = &Arc<str>> {
        self.0.get(model).into_iter().flatten()
    }
}

fn aliases(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(',').map(|own| own.trim().to_lowercase())
}

/// Whether a deployment says that it runs a model by an alias.
pub fn says(tags: &Tags, model: &str, alias: &str) -> bool {
    tag(tags, MODEL) == Some(model) && tag(tags, ALIAS).is_none_or(|list| aliases(list).any(|own| own == alias))
}

/// A part of a name as it stands there: what divides the parts is written otherwise within them, so that no two names are the same text.
fn part(text: &str) -> String {
    text.replace('%', "%25").replace('@', "%40")
}

/// What leads to a deployment, for the board: `mlflow:score@champion`, or `mlflow:score` by every governed alias. `@` and `%` within a
/// part are percent-encoded, as in references.
pub fn names(tags: &Tags) -> Vec<String> {
    let Some(model) = tag(tags, MODEL).map(part) else { return Vec::new() };
    match tag(tags, ALIAS) {
        None => vec![format!("mlflow:{model}")],
        Some(list) => aliases(list).map(|alias| format!("mlflow:{model}@{}", part(&alias))).collect(),
    }
}

/// Whether a name is among those approved: a model approved by every alias is so by each.
pub fn holds(approved: &[String], name: &str) -> bool {
    // The only `@` is the one between the parts.
    let model = name.split_once('@').map(|(model, _)| model);
    approved.iter().any(|own| own == name || Some(own.as_str()) == model)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(model: &str, list: Option<&str>) -> Tags {
        let named = [(MODEL, Some(model)), (ALIAS, list)];
        let one = |(key, value): (&str, Option<&str>)| Some((key.parse().unwrap(), value?.parse().unwrap()));
        named.into_iter().filter_map(one).collect()
    }

    #[test]
    fn names_of_two_models_are_never_the_same() {
        let (alias, whole) = (names(&tags("score", Some("champion"))), names(&tags("score@champion", None)));
        assert_eq!((&*alias[0], &*whole[0]), ("mlflow:score@champion", "mlflow:score%40champion"));
        let every = names(&tags("score", None));
        assert!(holds(&every, &alias[0]) && !holds(&every, &whole[0]) && !holds(&whole, &alias[0]));
        assert!(!holds(&every, &names(&tags("score@champion", Some("production")))[0]));
        assert_ne!(names(&tags("a%40b", None)), names(&tags("a@b", None)));
    }

    proptest! {
        #[test]
        fn an_approval_holds_what_it_says_and_no_other(
            one in "[a-b@%]{1,4}", other in "[a-b@%]{1,4}",
            by in prop::option::of("[a-b@%]{1,3}"), with in prop::option::of("[a-b@%]{1,3}"),
        ) {
            let (approved, now) = (names(&tags(&one, by.as_deref())), names(&tags(&other, with.as_deref())));
            let inside = one == other && (by.is_none() || by == with);
            prop_assert_eq!(holds(&approved, &now[0]), inside);
        }
    }
}
