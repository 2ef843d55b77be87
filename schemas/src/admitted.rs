//! Files found where something will run, held against those that were admitted.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::digest::Digest;
use crate::registry::ModelFile;

/// A path, and what is left of it when leading folders are taken away.
fn tails(path: &str) -> impl Iterator<Item = &str> {
    std::iter::once(path).chain(path.match_indices('/').filter_map(|(at, _)| path.get(at + 1..)))
}

/// Files of a model that are not there under the names they were registered with. The whole model may lie in some folder; two
/// files that changed names are two other files, whatever their bytes.
pub fn missing<'a>(registered: &'a [(String, Digest)], found: &[ModelFile]) -> Vec<&'a str> {
    let there: HashSet<(&str, &Digest)> = found.iter().map(|file| (file.path.as_str(), &file.digest)).collect();
    let mut by_digest: HashMap<&Digest, Vec<&str>> = HashMap::new();
    for file in found {
        by_digest.entry(&file.digest).or_default().push(file.path.as_str());
    }
    // How many of the files each folder has; that of most is where the model lies, of several the first by name.
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, digest) in registered {
        for place in by_digest.get(digest).into_iter().flatten() {
            let folder = place.strip_suffix(path.as_str()).filter(|folder| folder.is_empty() || folder.ends_with('/'));
            if let Some(folder) = folder {
                *folders.entry(folder).or_default() += 1;
            }
        }
    }
    let folder = folders.iter().rev().max_by_key(|(_, count)| **count).map_or("", |(folder, _)| folder);
    let absent = |(path, digest): &&(String, Digest)| !there.contains(&(format!("{folder}{path}").as_str(), digest));
    registered.iter().filter(absent).map(|(path, _)| path.as_str()).collect()
}

/// Files found that belong to none of the models.
pub fn strange<'f>(registered: impl IntoIterator<Item = &'f (String, Digest)>, found: &'f [ModelFile]) -> Vec<&'f str> {
    let admitted: HashSet<(&str, &Digest)> = registered.into_iter().map(|(path, d)| (path.as_str(), d)).collect();
    let belongs = |file: &ModelFile| tails(file.path.as_str()).any(|tail| admitted.contains(&(tail, &file.digest)));
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
        assert!(missing(&model, &whole).is_empty() && strange(&model, &whole).is_empty());
        assert_eq!(missing(&model, &whole[..1]), ["b/c.bin"]);
        let swapped = found(&[("a.bin", "2"), ("b/c.bin", "1")]);
        assert_eq!(missing(&model, &swapped).len(), 2);
        assert_eq!(strange(&model, &swapped), ["a.bin", "b/c.bin"]);
        let more = found(&[("a.bin", "1"), ("b/c.bin", "2"), ("d.bin", "3")]);
        assert_eq!((missing(&model, &more).len(), strange(&model, &more)), (0, vec!["d.bin"]));
        let changed = found(&[("a.bin", "1"), ("b/c.bin", "3")]);
        assert_eq!((missing(&model, &changed), strange(&model, &changed)), (vec!["b/c.bin"], vec!["b/c.bin"]));
    }
}
