//! Signing by another key from now on: the old one signs that the new one follows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use licit_schemas::proof::key::Vkey;
use uuid::Uuid;

use super::operations;
use super::signer::{NoSigner, Signer, Source, create};
use super::signing::make_note;
use crate::clock;
use crate::db::checkpoint::Promise;
use crate::error::Error;
use crate::facts::{Db, Tx};

/// What came of it.
pub struct Rotated {
    /// The key that signs.
    pub key: Vkey,
    /// Where the old key lies now, if it lay in a file that the new one took.
    pub kept: Option<PathBuf>,
}

/// Rotate. Each step finds done what an earlier, interrupted run did.
///
/// # Errors
/// A sentence for the operator: the old key is not there or not in force, the new one cannot be had, the ledger cannot be written.
pub fn rotate(db: &Db, old: &Source, new: Option<&Source>, old_key_lost: bool) -> Result<Rotated, String> {
    let next = match (new, old) {
        (Some(source), _) => source.clone(),
        (None, Source::File(path)) => Source::File(beside(path, "next")),
        (None, _) => return Err("say --to or --to-command: only a key in a file is replaced in its place".to_owned()),
    };
    let ring = db.world().ledger.ring().clone();
    let origin = ring.origin.ok_or("the ledger has no name yet: start the server once")?;
    let in_force = |signer: &Signer| ring.keys.iter().any(|k| k.key.key() == signer.public() && k.retired.is_none());
    let (old_signer, new_signer) = (Signer::load(old), Signer::load(&next));
    // An earlier run may have come as far as that.
    let begun = new_signer.as_ref().is_ok_and(in_force);
    let old_signer = match old_signer {
        Ok(signer) if in_force(&signer) => Some(signer),
        _ if old_key_lost || begun => None,
        Ok(_) => {
            return Err(
                "the old key is not one the ledger has in force: give that one, or say --old-key-lost".to_owned()
            );
        }
        Err(e) => return Err(format!("{}; if the key is lost, say --old-key-lost", e.sentence())),
    };
    let new_signer = match (new_signer, &next) {
        (Err(NoSigner::Absent(_)), Source::File(path)) => create(path)?,
        (loaded, _) => loaded.map_err(|e| e.sentence().to_owned())?,
    };
    let public = *new_signer.public();
    let write = |work: fn(&mut Tx<'_>, &Vkey) -> Result<(), Error>, key: &Vkey| {
        let key = key.clone();
        db.write_blocking(Uuid::nil(), clock::now(), move |tx| work(tx, &key)).map_err(|e| e.to_string())
    };
    let key = public.named(&origin);
    write(|tx, key| operations::introduce(tx, key.key()).map(|_| ()), &key)?;
    if let Some(old_signer) = old_signer.filter(|signer| !old_key_lost && signer.public() != &public) {
        let promised =
            db.write_blocking(Uuid::nil(), clock::now(), |tx| tx.promise_checkpoint()).map_err(|e| e.to_string())?;
        let head = match promised {
            Promise::Made(head, _) => head,
            Promise::Contradicts(why) => return Err(why),
        };
        let former = old_signer.public().named(&origin);
        let both = [(Arc::new(old_signer), former), (Arc::new(new_signer), key.clone())];
        let note = make_note(&both, head).map_err(|e| e.to_string())?.note.to_string();
        db.write_blocking(Uuid::nil(), clock::now(), move |tx| tx.keep_signed(&head, note.clone()))
            .map_err(|e| e.to_string())?;
    }
    write(operations::retire_others, &key)?;
    let kept = match (new, old, &next) {
        (None, Source::File(path), Source::File(fresh)) => take_place(path, fresh)?,
        _ => None,
    };
    Ok(Rotated { key, kept })
}

fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{word}"));
    path.with_file_name(name)
}

/// Put the new key where the old one lies; the old one is kept beside it.
fn take_place(path: &Path, fresh: &Path) -> Result<Option<PathBuf>, String> {
    let failed = |e: std::io::Error| format!("the new key in {} cannot take its place: {e}", fresh.display());
    let old = beside(path, "retired");
    let kept = path.exists();
    if kept {
        fs::rename(path, &old).map_err(failed)?;
    }
    fs::rename(fresh, path).map_err(failed)?;
    Ok(kept.then_some(old))
}
