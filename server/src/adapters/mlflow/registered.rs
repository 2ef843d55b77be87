//! What is known of registered models, their versions and aliases.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use licit_schemas::reference::Ref;

use super::fact::{Made, ModelChange, ModelChanged, Stage, Texts, VersionChange, VersionChanged};
use super::state::millis;
use crate::db::At;

/// A registered model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name.
    pub name: Arc<str>,
    /// In words.
    pub description: String,
    /// Its tags.
    pub tags: Texts,
    /// What its aliases stand for.
    pub aliases: BTreeMap<String, u32>,
    /// Its versions.
    pub versions: OrdMap<u32, Arc<Version>>,
    /// The greatest number ever given to one.
    pub greatest: u32,
    /// When it was made, and last changed, in milliseconds.
    pub times: (i64, i64),
}

/// A version.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// What was said when it was made.
    pub made: Made,
    /// In words, as of now.
    pub description: String,
    /// Its tags, as of now.
    pub tags: Texts,
    /// Its stage.
    pub stage: Stage,
    /// When it was made, and last changed, in milliseconds.
    pub times: (i64, i64),
}

impl Model {
    /// Aliases of a version.
    pub fn aliases_of(&self, version: u32) -> impl Iterator<Item = &str> {
        self.aliases.iter().filter(move |(_, of)| **of == version).map(|(alias, _)| alias.as_str())
    }

    /// The latest version of each stage, in the order of the stages.
    pub fn latest(&self) -> impl Iterator<Item = &Arc<Version>> {
        Stage::ALL.into_iter().filter_map(|stage| self.versions.values().rev().find(|version| version.stage == stage))
    }
}

/// All of them.
#[derive(Clone, Default)]
pub struct Registered {
    models: OrdMap<Arc<str>, Arc<Model>>,
    /// Folders of artifacts that versions rest on.
    roots: OrdMap<Arc<str>, Ref>,
    /// The greatest number ever given under a name that is gone.
    gone: OrdMap<Arc<str>, u32>,
}

impl Registered {
    /// A model.
    pub fn get(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.get(name)
    }

    /// Models whose names begin so, by name.
    pub fn beginning(&self, with: &str) -> impl DoubleEndedIterator<Item = &Arc<Model>> {
        // The least text beyond all that begin so: the last character that has a next one, with that in its place.
        let last = with.char_indices().rev().find_map(|(at, last)| Some((at, (last..=char::MAX).nth(1)?)));
        let beyond = last.map(|(at, next)| format!("{}{next}", &with[..at]));
        let end = beyond.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        self.models.range::<(Bound<&str>, Bound<&str>), str>((Bound::Included(with), end)).map(|(_, model)| model)
    }

    /// The greatest number ever given under a name.
    pub fn greatest(&self, name: &str) -> u32 {
        let gone = self.gone.get(name).copied().unwrap_or(0);
        self.get(name).map_or(gone, |model| model.greatest.max(gone))
    }

    /// The version that rests on an artifact, by its path.
    pub fn resting(&self, path: &str) -> Option<&Ref> {
        // A version may rest on one file, too.
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
        folders.filter_map(|folder| self.roots.get(folder)).next()
    }

    /// Fold in what was said of a model.
    pub fn model_changed(&mut self, fact: &ModelChanged, at: &At) {
        let now = millis(at.time);
        if let ModelChange::Created { description, tags } = &fact.change {
            let name: Arc<str> = fact.name.as_str().into();
            let model = Model {
                name: name.clone(),
                description: description.clone(),
                tags: tags.clone(),
                aliases: BTreeMap::new(),
                versions: OrdMap::new(),
                greatest: self.gone.get(&name).copied().unwrap_or(0),
                times: (now, now),
            };
            self.models.insert(name, Arc::new(model));
            return;
        }
        let Some(entry) = self.models.get_mut(fact.name.as_str()) else { return };
        let model = Arc::make_mut(entry);
        match &fact.change {
            ModelChange::Created { .. } => {}
            ModelChange::Described { description } => {
                model.description.clone_from(description);
                model.times.1 = now;
            }
            ModelChange::Tagged { key, value } => {
                model.tags.insert(key.clone(), value.clone());
            }
            ModelChange::Untagged { key } => {
                model.tags.remove(key);
            }
            ModelChange::Aliased { alias, version, .. } => {
                model.aliases.insert(alias.clone(), *version);
            }
            ModelChange::Unaliased { alias } => {
                model.aliases.remove(alias);
            }
            ModelChange::Renamed { to } => {
                let mut model = model.clone();
                self.leave(&fact.name, model.greatest);
                model.name = to.as_str().into();
                model.times.1 = now;
                let versions = model.versions.values().map(|version| {
                    let mut version = (**version).clone();
                    version.times.1 = now;
                    (version.number, Arc::new(version))
                });
                model.versions = versions.collect();
                model.greatest = model.greatest.max(self.gone.get(to.as_str()).copied().unwrap_or(0));
                self.models.insert(to.as_str().into(), Arc::new(model));
            }
            ModelChange::Deleted => {
                let greatest = model.greatest;
                self.leave(&fact.name, greatest);
            }
        }
    }

    fn leave(&mut self, name: &str, greatest: u32) {
        self.models.remove(name);
        let known = self.gone.get(name).copied().unwrap_or(0);
        self.gone.insert(name.into(), greatest.max(known));
    }

    /// Fold in what was said of a version.
    pub fn version_changed(&mut self, fact: &VersionChanged, at: &At) {
        let now = millis(at.time);
        let Some(model) = self.models.get_mut(fact.name.as_str()) else { return };
        let model = Arc::make_mut(model);
        if let VersionChange::Created(made) = &fact.change {
            let version = Version {
                number: fact.version,
                description: made.description.clone(),
                tags: made.tags.clone(),
                stage: Stage::None,
                times: (now, now),
                made: (**made).clone(),
            };
            model.versions.insert(fact.version, Arc::new(version));
            model.greatest = model.greatest.max(fact.version);
            model.times.1 = now;
            if let Some(root) = &made.root {
                self.roots.entry(root.as_str().into()).or_insert_with(|| made.native.clone());
            }
            return;
        }
        let Some(version) = model.versions.get_mut(&fact.version) else { return };
        let version = Arc::make_mut(version);
        match &fact.change {
            VersionChange::Created(_) => {}
            VersionChange::Described { description } => {
                version.description.clone_from(description);
                version.times.1 = now;
            }
            VersionChange::Tagged { key, value } => {
                version.tags.insert(key.clone(), value.clone());
            }
            VersionChange::Untagged { key } => {
                version.tags.remove(key);
            }
            VersionChange::Staged { stage, archived, .. } => {
                version.stage = *stage;
                version.times.1 = now;
                for number in archived {
                    if let Some(other) = model.versions.get_mut(number) {
                        let other = Arc::make_mut(other);
                        other.stage = Stage::Archived;
                        other.times.1 = now;
                    }
                }
                model.times.1 = now;
            }
            VersionChange::Deleted => {
                model.versions.remove(&fact.version);
                model.aliases.retain(|_, of| *of != fact.version);
                model.times.1 = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use licit_schemas::time::Timestamp;

    use super::*;

    #[test]
    fn names_that_begin_so() {
        let mut all = Registered::default();
        let names = ["a", "ab", "ab\u{10FFFF}x", "ac", "b", "\u{D7FF}", "\u{E000}", "\u{10FFFF}"];
        let at = At { seq: 1, time: Timestamp::EPOCH, actor: uuid::Uuid::nil() };
        for name in names {
            let change = ModelChange::Created { description: String::new(), tags: Texts::new() };
            all.model_changed(&ModelChanged { name: name.to_owned(), change }, &at);
        }
        for with in ["", "a", "ab", "ab\u{10FFFF}", "abc", "\u{D7FF}", "\u{10FFFF}", "\u{10FFFF}\u{10FFFF}", "c"] {
            let found: Vec<&str> = all.beginning(with).map(|model| &*model.name).collect();
            let wanted: Vec<&str> = names.into_iter().filter(|name| name.starts_with(with)).collect();
            assert_eq!(found, wanted, "{with}");
        }
    }
}
