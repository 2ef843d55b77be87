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
}
