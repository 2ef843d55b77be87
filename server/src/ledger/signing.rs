//! Signing the ledger: who may, and when. Not in the path of writes: a checkpoint is made when somebody asks for one, or every so
//! often, of the tree as it is committed then.

use std::sync::{Arc, Mutex, PoisonError};

use licit_schemas::ledger::TreeHead;
use licit_schemas::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use licit_schemas::proof::key::{PublicKey, SIGNATURE, Vkey, short};
use licit_schemas::proof::note::SignedNote;
use licit_schemas::proof::origin::Origin;
use uuid::Uuid;

use super::operations;
use super::signer::{NoSigner, Signer, Source, create};
use super::store;
use crate::clock;
use crate::db::checkpoint::Promise;
use crate::error::{Error, Result};
use crate::facts::{Db, World};

/// What of signing is shared by all who ask.
pub struct Signing {
    source: Source,
    signer: Mutex<Option<Arc<Signer>>>,
    /// One checkpoint is made at a time: the others wait and find it.
    turn: tokio::sync::Mutex<()>,
    /// Why nothing is signed, where that is so; said in the log once.
    trouble: Mutex<Option<Trouble>>,
}

/// Why nothing is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody here may.
    Unsigned(String),
    /// What would be signed contradicts what was signed before.
    Contradiction(String),
}

impl Signing {
    /// Name the ledger, and make the first key, where it has neither; load the key.
    ///
    /// # Errors
    /// A sentence for the operator: the ledger has another name; a key that others can read; no place to write one.
    pub fn open(db: &Db, source: Source, origin: Option<Origin>) -> std::result::Result<Self, String> {
        let named = db.world().ledger.ring().origin.clone();
        match origin {
            Some(origin) if named.as_ref() == Some(&origin) => {}
            Some(origin) => db
                .write_blocking(Uuid::nil(), clock::now(), move |tx| operations::name(tx, &origin))
                .map_err(|e| e.to_string())?,
            // Nobody stated one: a random one, so that two registries never share it.
            None if named.is_none() => {
                let random: Origin =
                    format!("licit.invalid/{}", Uuid::now_v7()).parse().map_err(|e| format!("origin: {e}"))?;
                db.write_blocking(Uuid::nil(), clock::now(), move |tx| operations::name_unnamed(tx, &random))
                    .map_err(|e| e.to_string())?;
            }
            None => {}
        }
        let signer = match (Signer::load(&source), &source) {
            // Only of a ledger that never had one: a new key in place of a lost one is for a human to introduce.
            (Err(NoSigner::Absent(_)), Source::File(path)) if db.world().ledger.ring().keys.is_empty() => {
                Some(create(path)?)
            }
            (Err(NoSigner::Unusable(sentence)), _) => return Err(sentence),
            (Err(NoSigner::Absent(_)), _) => None,
            (Ok(signer), _) => Some(signer),
        };
        if let Some(signer) = &signer {
            let public = *signer.public();
            db.write_blocking(Uuid::nil(), clock::now(), move |tx| operations::first_key(tx, &public))
                .map_err(|e| e.to_string())?;
        }
        let signing = Self {
            source,
            signer: Mutex::new(signer.map(Arc::new)),
            turn: tokio::sync::Mutex::new(()),
            trouble: Mutex::new(None),
        };
        // Said at the start, and not only when somebody asks for a checkpoint.
        let _ = signing.in_force(&db.world());
        Ok(signing)
    }

    /// Why nothing is signed; none where all is well.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, trouble: Option<Trouble>) {
        let mut kept = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        // That the ledger contradicts itself does not pass by itself: what was signed stays signed.
        if *kept == trouble
            || (matches!(*kept, Some(Trouble::Contradiction(_))) && !matches!(trouble, Some(Trouble::Contradiction(_))))
        {
            return;
        }
        match &trouble {
            Some(Trouble::Contradiction(why)) => {
                tracing::error!(%why, "the ledger contradicts what was signed: it is not signed any more")
            }
            Some(Trouble::Unsigned(why)) => tracing::error!(%why, "the ledger is not signed"),
            None => tracing::info!("the ledger is signed again"),
        }
        *kept = trouble;
    }

    /// Who signs here, and under which name, if the ledger lets them.
    ///
    /// # Errors
    /// Nobody is there, or the ledger does not know their key, or not any more.
    pub fn in_force(&self, world: &World) -> Result<(Arc<Signer>, Vkey)> {
        let found = self.allowed(world).or_else(|refused| {
            // A key file may have been rotated under a running server.
            match &self.source {
                Source::File(_) => {
                    let again = Signer::load(&self.source).map_err(|e| e.sentence().to_owned())?;
                    *self.signer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(again));
                    self.allowed(world)
                }
                _ => Err(refused),
            }
        });
        match found {
            Ok(found) => {
                self.say(None);
                Ok(found)
            }
            Err(why) => {
                self.say(Some(Trouble::Unsigned(why.clone())));
                Err(Error::Unavailable(format!("the ledger is not signed here: {why}")))
            }
        }
    }

    fn allowed(&self, world: &World) -> std::result::Result<(Arc<Signer>, Vkey), String> {
        let ring = world.ledger.ring();
        let signer = self.signer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(signer) = signer else {
            let absent = Signer::load(&self.source).err().map(|e| e.sentence().to_owned());
            return Err(absent.unwrap_or_else(|| "the signing key was not loaded".to_owned()));
        };
        let origin = ring.origin.as_ref().ok_or("the ledger has no name")?;
        let vkey = signer.public().named(origin);
        match ring.find(&vkey) {
            Some(known) if known.retired.is_none() => Ok((signer, vkey)),
            Some(_) => Err(format!("{} was retired: give this server the key in force", short(&vkey))),
            None => Err(format!(
                "the ledger does not know {}: give this server the key in force, or make this one known with `licit-server key rotate`",
                short(&vkey)
            )),
        }
    }

    /// Sign bytes that are neither note nor checkpoint, such as the encoding of an attestation, by the key in force.
    ///
    /// # Errors
    /// As [`Signing::in_force`], or the signing failed.
    pub async fn sign(&self, world: &World, message: Vec<u8>) -> Result<(Vkey, PublicKey, [u8; SIGNATURE])> {
        let (signer, vkey) = self.in_force(world)?;
        let own = signer.clone();
        let signature = apart(&signer, move || own.sign(&message).map_err(Error::Unavailable)).await?;
        let public = *vkey.key();
        Ok((vkey, public, signature))
    }

    /// The signed checkpoint of the ledger as it stands: the one that was made, or a new one. Where nobody may sign, the last that
    /// was made.
    ///
    /// # Errors
    /// The ledger contradicts what was signed before; or nothing was ever signed, and nobody may.
    pub async fn checkpoint(&self, db: &Db) -> Result<SignedCheckpoint> {
        let _turn = self.turn.lock().await;
        let (head, last) = db.read(|conn| Ok((store::head(conn)?, store::newest_signed(conn)?))).await?;
        if let Some(last) = last.as_ref().filter(|last| last.checkpoint.head == head) {
            return Ok(last.clone());
        }
        match self.sign_head(db).await {
            // What was signed stays true while nobody may sign what came since.
            Err(error) if !matches!(self.trouble(), Some(Trouble::Contradiction(_))) => last.ok_or(error),
            outcome => outcome,
        }
    }

    async fn sign_head(&self, db: &Db) -> Result<SignedCheckpoint> {
        // Where nobody may sign nothing is promised: anybody may ask for a checkpoint of a public log, and a promise takes the lock.
        self.in_force(&*db.fresh().await?)?;
        let promised = db.write(Uuid::nil(), clock::now(), |tx| tx.promise_checkpoint()).await?;
        let head = match promised {
            Promise::Contradicts(why) => {
                self.say(Some(Trouble::Contradiction(why.clone())));
                return Err(Error::Unavailable(why));
            }
            Promise::Made(head, note) => {
                if let Some(note) = note {
                    return store::read_kept(&note);
                }
                head
            }
        };
        // Asked once it is promised: the key may have been rotated before, and the one of before signs no tree of after.
        let world = db.fresh().await?;
        let (signer, vkey) = self.in_force(&world)?;
        if !world.ledger.ring().find(&vkey).is_some_and(|key| key.signs(head.size)) {
            let why = format!("the key in force does not sign a tree of {} entries: ask again", head.size);
            return Err(Error::Unavailable(why));
        }
        let own = signer.clone();
        let made = apart(&signer, move || make_note(&[(own, vkey)], head)).await?;
        let note = made.note.to_string();
        db.write(Uuid::nil(), clock::now(), move |tx| tx.keep_signed(&head, note.clone())).await?;
        Ok(made)
    }
}

/// A checkpoint of a promised tree, signed by all of these; of commands, this waits.
pub(super) fn make_note(signers: &[(Arc<Signer>, Vkey)], head: TreeHead) -> Result<SignedCheckpoint> {
    let origin = signers.first().map(|(_, vkey)| vkey.name().clone());
    let origin = origin.ok_or_else(|| Error::Internal("nobody signs".to_owned()))?;
    let checkpoint = Checkpoint { origin, head };
    let text = checkpoint.text();
    let mut note = SignedNote::unsigned(&text).map_err(|e| Error::Internal(e.to_string()))?;
    for (signer, vkey) in signers {
        let signature = signer.sign(text.as_bytes()).map_err(Error::Unavailable)?;
        note = note.signed(vkey, &signature).map_err(|e| Error::Internal(e.to_string()))?;
    }
    Ok(SignedCheckpoint { checkpoint, note })
}

/// Sign: at once by a key at hand, off the async threads by a command.
async fn apart<T: Send + 'static>(signer: &Signer, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if !signer.is_slow() {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
}
