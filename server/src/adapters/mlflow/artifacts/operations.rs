//! What a path stands for.

use licit_schemas::digest::Digest;
use uuid::Uuid;

use super::owner;
use crate::adapters::mlflow::fact::ArtifactStored;
use crate::adapters::mlflow::fault;
use crate::error::Result;
use crate::facts::{Fact, Tx, World};

/// The key of the bytes that nothing stands for any more.
pub type Left = Option<Uuid>;

/// Whether anybody may bring a file there: into the folder of a run or a logged model, on which no version rests yet.
///
/// # Errors
/// Nobody's folder; a folder whose files are those of a version, but for one of them with the same bytes.
pub fn may_store(world: &World, path: &str, digest: Option<Digest>) -> Result<()> {
    let own = owner(world, path);
    if own.is_none_or(|_| path.parse::<licit_schemas::text::Path>().is_err()) {
        return Err(fault::none(format!("No run and no logged model has its artifacts at '{path}'.")));
    }
    let Some(version) = world.mlflow.registered.resting(path) else { return Ok(()) };
    let known = world.mlflow.artifact(path).map(|artifact| artifact.digest);
    if known.is_some() && digest.is_none_or(|digest| known == Some(digest)) {
        return Ok(());
    }
    Err(fault::denied(format!(
        "'{path}' lies among the files of `{version}`, whose bytes are registered: log another model, and register it as another version."
    )))
}

/// A file is there, whole; which bytes are not needed.
///
/// # Errors
/// As [`may_store`].
pub fn store(tx: &mut Tx<'_>, stored: &ArtifactStored) -> Result<Left> {
    may_store(tx.world(), &stored.path, Some(stored.digest))?;
    let before = tx.world().mlflow.artifact(&stored.path).cloned();
    match before {
        // The same bytes again are the same file.
        Some(before) if before.digest == stored.digest => Ok(Some(stored.key)),
        before => {
            tx.record(Fact::MlflowArtifactStored(stored.clone()))?;
            Ok(before.map(|before| before.key))
        }
    }
}
