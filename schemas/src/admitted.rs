//! Files found where something will run, held against those that were admitted.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::digest::Digest;
use crate::reference::Ref;
use crate::registry::ModelFile;

/// The folder a model lies in, with a slash at its end: the one in which most of its files are found under their names; of several the
/// first by name.
fn folder<'f>(registered: &[(String, Digest)], found: &'f [ModelFile]) -> &'f str {
    let mut by_digest: HashMap<&Digest, Vec<&str>> = HashMap::new();
    for file in found {
        by_digest.entry(&file.digest).or_default().push(file.path.as_str());
    }
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, digest) in registered {
        for place in by_digest.get(digest).into_iter().flatten() {
            let folder = place.strip_suffix(path.as_str()).filter(|folder| folder.is_empty() || folder.ends_with('/'));
            if let Some(folder) = folder {
                *folders.entry(folder).or_default() += 1;
            }
        }
    }
    folders.iter().rev().max_by_key(|(_, count)| **count).map_or("", |(folder, _)| folder)
}

/// Files of a model that are not there under the names they were registered with. The whole model may lie in some folder; two
/// files that changed names are two other files, whatever their bytes.
pub fn missing<'a>(registered: &'a [(String, Digest)], found: &[ModelFile]) -> Vec<&'a str> {
    let there: HashSet<(&str, &Digest)> = found.iter().map(|file| (file.path.as_str(), &file.digest)).collect();
    let folder = folder(registered, found);
    let absent = |(path, digest): &&(String, Digest)| !there.contains(&(format!("{folder}{path}").as_str(), digest));
    registered.iter().filter(absent).map(|(path, _)| path.as_str()).collect()
}

/// What clients of `MLflow` write beside the files of a version that they fetched by the name of its model.
const FETCHED: &str = "registered_model_meta";

/// The bytes which that note has for a version, as the client writes YAML: nothing else passes under its name.
fn fetched(model: &str) -> Vec<Digest> {
    let Ok(model) = model.parse::<Ref>() else { return Vec::new() };
    let (name, version) = (model.name(), model.version().unwrap_or_default());
    let names = [name.to_owned(), format!("'{}'", name.replace('\'', "''"))];
    let note = |name: &String| Digest::of(format!("model_name: {name}\nmodel_version: '{version}'\n").as_bytes());
    names.iter().map(note).collect()
}

/// Files found that belong to none of the models, each with its reference: a copy of an admitted file beside the folder its model lies
/// in is one more file.
pub fn strange<'m, 'f>(
    models: impl IntoIterator<Item = (&'m str, &'m [(String, Digest)])>,
    found: &'f [ModelFile],
) -> Vec<&'f str> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut admitted: HashSet<(String, Digest)> = HashSet::new();
    for (model, files) in models {
        let folder = folder(files, found);
        admitted.extend(files.iter().map(|(path, digest)| (format!("{folder}{path}"), *digest)));
        let note = format!("{folder}{FETCHED}");
        if found.iter().any(|file| file.path.as_str() == note) {
            admitted.extend(fetched(model).into_iter().map(|digest| (note.clone(), digest)));
        }
    }
    let belongs = |file: &ModelFile| admitted.contains(&(file.path.to_string(), file.digest));
    found.iter().filter(|file| !belongs(file)).map(|file| file.path.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registered(files: &[(&str, &str)]) -> Vec<(String, Digest)> {
        files.iter().map(|(path, bytes)| ((*path).to_owned(), Digest::of(bytes.as_bytes()))).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<ModelFile> {
        let file = |(path, bytes): &(&str, &str)| ModelFile {
            path: path.parse().unwrap(),
            digest: Digest::of(bytes.as_bytes()),
            size: None,
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn every_file_is_there_under_its_name_in_one_folder_and_no_other_is() {
        let model = registered(&[("a.bin", "1"), ("b/c.bin", "2")]);
        let whole = found(&[("m/a.bin", "1"), ("m/b/c.bin", "2")]);
        assert!(missing(&model, &whole).is_empty() && strange([("model:m@1", &model[..])], &whole).is_empty());
        assert_eq!(missing(&model, &whole[..1]), ["b/c.bin"]);
        let swapped = found(&[("a.bin", "2"), ("b/c.bin", "1")]);
        assert_eq!(missing(&model, &swapped).len(), 2);
        assert_eq!(strange([("model:m@1", &model[..])], &swapped), ["a.bin", "b/c.bin"]);
        let more = found(&[("a.bin", "1"), ("b/c.bin", "2"), ("d.bin", "3")]);
        assert_eq!((missing(&model, &more).len(), strange([("model:m@1", &model[..])], &more)), (0, vec!["d.bin"]));
        // A copy in another folder is no part of it, be it of one file or of all.
        let beside = found(&[("m/a.bin", "1"), ("m/b/c.bin", "2"), ("other/a.bin", "1"), ("m/b/a.bin", "1")]);
        assert_eq!(strange([("model:m@1", &model[..])], &beside), ["other/a.bin", "m/b/a.bin"]);
        let other = registered(&[("d.bin", "3")]);
        let two = found(&[("m/a.bin", "1"), ("m/b/c.bin", "2"), ("n/d.bin", "3")]);
        assert!(strange([("model:m@1", &model[..]), ("model:n@1", &other[..])], &two).is_empty());
        let changed = found(&[("a.bin", "1"), ("b/c.bin", "3")]);
        assert_eq!(
            (missing(&model, &changed), strange([("model:m@1", &model[..])], &changed)),
            (vec!["b/c.bin"], vec!["b/c.bin"])
        );
    }

    #[test]
    fn what_a_client_notes_of_the_version_it_fetched_passes_and_nothing_else_under_that_name() {
        let model = registered(&[("MLmodel", "1")]);
        let beside = |of: &str, note: &str| {
            let there = found(&[("m/MLmodel", "1"), ("m/registered_model_meta", note)]);
            strange([(of, &model[..])], &there).len()
        };
        let note = "model_name: score\nmodel_version: '1'\n";
        assert_eq!(beside("model:score@1", note), 0);
        assert_eq!(beside("model:it's@1", "model_name: it's\nmodel_version: '1'\n"), 0);
        assert_eq!(beside("model:123@7", "model_name: '123'\nmodel_version: '7'\n"), 0);
        for (of, note) in [
            ("model:score@2", note),
            ("model:other@1", note),
            ("model:score@1", "model_name: score\nmodel_version: '1'\n# and more\n"),
            ("model:score@1", "import os\n"),
        ] {
            assert_eq!(beside(of, note), 1, "{of}: {note}");
        }
        let elsewhere = found(&[("m/MLmodel", "1"), ("m/code/registered_model_meta", note)]);
        assert_eq!(strange([("model:score@1", &model[..])], &elsewhere), ["m/code/registered_model_meta"]);
        // Where it was registered with the version, it is one of its files.
        let whole = registered(&[("MLmodel", "1"), ("registered_model_meta", note)]);
        assert_eq!(missing(&whole, &found(&[("MLmodel", "1")])), ["registered_model_meta"]);
    }
}
