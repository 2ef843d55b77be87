//! The root digest of OpenSSF Model Signing (OMS v1.0): one digest of all files of a model.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// SHA-256 over the digests of the files, in the order of their names by Unicode code points (OMS v1.0, method `files`). None of a
/// model without files, which the specification refuses.
///
/// Names do not enter it, only their order: who relies on it alone takes a model with renamed files for the same. Statements of
/// receipts name every file beside it.
pub fn root<'a>(files: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> Option<Digest> {
    let mut files: Vec<(&str, &Digest)> = files.into_iter().collect();
    // Bytes of UTF-8 sort as code points do.
    files.sort_unstable_by_key(|(path, _)| *path);
    over(&files)
}

/// Every root a model may be known by: [`root`], and where that is another one, the root in the order of folders, which the reference
/// implementation makes (`model-signing` 1.1: `a/b` stands before `a.txt` there, though the full stop sorts before the slash).
pub fn roots<'a>(files: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> Vec<Digest> {
    let mut files: Vec<(&str, &Digest)> = files.into_iter().collect();
    let first = root(files.iter().copied());
    files.sort_by(|(one, _), (other, _)| one.split('/').cmp(other.split('/')));
    let second = over(&files).filter(|second| Some(*second) != first);
    first.into_iter().chain(second).collect()
}

fn over(files: &[(&str, &Digest)]) -> Option<Digest> {
    let mut hasher = Sha256::new();
    files.iter().for_each(|(_, digest)| hasher.update(digest.as_bytes()));
    (!files.is_empty()).then(|| Digest::from_bytes(hasher.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_over_the_digests_in_the_order_of_names() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let both = Digest::of(&[*one.as_bytes(), *two.as_bytes()].concat());
        assert_eq!(root([("b", &two), ("a", &one)]), Some(both));
        assert_ne!(root([("a", &two), ("b", &one)]), Some(both));
        // A full stop sorts before the slash.
        assert_eq!(root([("a/b", &two), ("a.txt", &one)]), Some(both));
        assert_eq!(root([("m", &one)]), Some(Digest::of(one.as_bytes())));
        assert_eq!(root([]), None);
    }

    #[test]
    fn where_folders_sort_otherwise_there_are_two_roots() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        assert_eq!(roots([("a", &one), ("b/c", &two)]), [root([("a", &one), ("b/c", &two)]).unwrap()]);
        let both = roots([("a/b", &two), ("a.txt", &one)]);
        assert_eq!(both, [root([("1", &one), ("2", &two)]).unwrap(), root([("1", &two), ("2", &one)]).unwrap()]);
        assert_eq!(roots([]), []);
    }
}
