//! Files found where something will run, held against those that were admitted.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::digest::Digest;
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

/// Files found that belong to none of the models: a copy of an admitted file beside the folder its model lies in is one more file.
pub fn strange<'m, 'f>(
    models: impl IntoIterator<Item = &'m [(String, Digest)]>,
    found: &'f [ModelFile],
) -> Vec<&'f str> {
    let mut admitted: HashSet<(String, Digest)> = HashSet::new();
    for files in models {
        let folder = folder(files, found);
        admitted.extend(files.iter().map(|(path, digest)| (format!("{folder}{path}"), *digest)));
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
        assert!(missing(&model, &whole).is_empty() && strange([&model[..]], &whole).is_empty());
        assert_eq!(missing(&model, &whole[..1]), ["b/c.bin"]);
        let swapped = found(&[("a.bin", "2"), ("b/c.bin", "1")]);
        assert_eq!(missing(&model, &swapped).len(), 2);
        assert_eq!(strange([&model[..]], &swapped), ["a.bin", "b/c.bin"]);
        let more = found(&[("a.bin", "1"), ("b/c.bin", "2"), ("d.bin", "3")]);
        assert_eq!((missing(&model, &more).len(), strange([&model[..]], &more)), (0, vec!["d.bin"]));
        // A copy in another folder is no part of it, be it of one file or of all.
        let beside = found(&[("m/a.bin", "1"), ("m/b/c.bin", "2"), ("other/a.bin", "1"), ("m/b/a.bin", "1")]);
        assert_eq!(strange([&model[..]], &beside), ["other/a.bin", "m/b/a.bin"]);
        let other = registered(&[("d.bin", "3")]);
        let two = found(&[("m/a.bin", "1"), ("m/b/c.bin", "2"), ("n/d.bin", "3")]);
        assert!(strange([&model[..], &other[..]], &two).is_empty());
        let changed = found(&[("a.bin", "1"), ("b/c.bin", "3")]);
        assert_eq!((missing(&model, &changed), strange([&model[..]], &changed)), (vec!["b/c.bin"], vec!["b/c.bin"]));
    }
}
