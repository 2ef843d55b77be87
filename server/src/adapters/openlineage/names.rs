//! Names of OpenLineage as references.
//!
//! A dataset is `dataset:<namespace>/<name>`: both parts as they are, written as references write them, so that `s3://b` and `k`
//! meet `dataset:s3:%2F%2Fb/k`. A text no reference can hold (empty, longer than 200 characters, with control characters) stands
//! as `sha256:` and its digest, and so does one that looks like that. No two names become one.

use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::text::{Name, Namespace, VersionId};
use uuid::Uuid;

/// The namespace in which names of models are ours.
const OURS: &str = "licit";

/// The version under which everything stands that was read or written by name alone.
pub const REPORTED: &str = "reported";

/// Begins the names of texts that cannot stand for themselves.
const HASHED: &str = "sha256:";

/// A text as one of ours.
fn kept<T: TryFrom<String>>(raw: &str) -> Option<T> {
    let own = if raw.starts_with(HASHED) { None } else { T::try_from(raw.to_owned()).ok() };
    own.or_else(|| T::try_from(format!("{HASHED}{}", Digest::of(raw.as_bytes()).hex())).ok())
}

/// A name, such as that of a column or a job.
pub fn name(raw: &str) -> Option<Name> {
    kept(raw)
}

/// A dataset, without version.
pub fn dataset(namespace: &str, name: &str) -> Option<Ref> {
    Some(Ref::dataset(&kept::<Namespace>(namespace)?, &kept(name)?))
}

/// A model, without version. In the namespace `licit` its name is ours; elsewhere `<namespace>/<name>`, the namespace with `%` and
/// `/` percent-encoded.
pub fn model(namespace: &str, name: &str) -> Option<Ref> {
    if namespace == OURS {
        return Some(Ref::model(&kept(name)?));
    }
    let namespace = namespace.replace('%', "%25").replace('/', "%2F");
    Some(Ref::model(&kept(&format!("{namespace}/{name}"))?))
}

/// At a version that was stated.
pub fn at(base: &Ref, version: &str) -> Option<Ref> {
    base.clone().at(&kept::<VersionId>(version)?).ok()
}

/// As it was read or written by name alone.
pub fn reported(base: &Ref) -> Option<Ref> {
    at(base, REPORTED)
}

/// As a run left it that stated no version.
pub fn minted(base: &Ref, run: Uuid) -> Option<Ref> {
    at(base, &format!("run-{run}"))
}

/// Whether a version was minted for a run.
pub fn is_minted(version: &str) -> bool {
    version.strip_prefix("run-").is_some_and(|run| run.parse::<Uuid>().is_ok())
}

/// An id that follows from what it is of.
pub fn id(of: &[&str]) -> Uuid {
    let digest = Digest::of(of.join("\n").as_bytes());
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_meet_the_native_ones() {
        let text = |reference: Option<Ref>| reference.unwrap().to_string();
        assert_eq!(text(dataset("s3://b", "k")), "dataset:s3:%2F%2Fb/k");
        assert_eq!(text(dataset("postgres://h:5432", "db.public.t")), "dataset:postgres:%2F%2Fh:5432/db.public.t");
        assert_eq!(text(model("licit", "churn")), "model:churn");
        assert_eq!(text(model("mlflow://h", "churn")), "model:mlflow:%252F%252Fh%2Fchurn");
        assert_eq!(text(reported(&dataset("a", "b").unwrap())), "dataset:a/b@reported");
        assert!(text(dataset("", &"x".repeat(5000))).starts_with("dataset:sha256:"));
        assert!(is_minted("run-01939f00-0000-7000-8000-000000000000") && !is_minted("run-away"));
    }

    proptest! {
        #[test]
        fn no_two_names_become_one(a in ".{0,12}", b in ".{0,12}", c in ".{0,12}", d in ".{0,12}") {
            let same = (&a, &b) == (&c, &d);
            prop_assert_eq!(dataset(&a, &b) == dataset(&c, &d), same);
            let written = |r: Option<Ref>| r.unwrap().to_string();
            prop_assert_eq!(written(dataset(&a, &b)) == written(dataset(&c, &d)), same);
            if a != "licit" && c != "licit" {
                prop_assert_eq!(model(&a, &b) == model(&c, &d), same);
            }
        }

        #[test]
        fn every_name_is_a_reference(a in any::<String>(), b in any::<String>(), v in any::<String>()) {
            let reference = at(&dataset(&a, &b).unwrap(), &v).unwrap();
            prop_assert_eq!(reference.to_string().parse::<Ref>().unwrap(), reference);
        }
    }
}
