//! Naming the ledger, and making known who signs it.

use licit_schemas::ledger::{KeyIntroduced, KeyRetired, LedgerNamed};
use licit_schemas::proof::key::{PublicKey, Vkey, short};
use licit_schemas::proof::origin::Origin;

use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};

/// Give the ledger its name. It has one name for good: a second one is refused, the same one changes nothing.
///
/// # Errors
/// It has another name.
pub fn name(tx: &mut Tx<'_>, origin: &Origin) -> Result<()> {
    match &tx.world().ledger.ring().origin {
        Some(named) if named == origin => Ok(()),
        Some(named) => Err(Error::conflict(format!(
            "the ledger is named `{named}` for good, not `{origin}`: checkpoints of another name would be those of another ledger"
        ))),
        None => tx.record(Fact::LedgerNamed(LedgerNamed { origin: origin.clone() })).map(|_| ()),
    }
}

/// Give a ledger that has no name this one. Two servers may start together: the first one's stands.
///
/// # Errors
/// What the ledger cannot hold.
pub fn name_unnamed(tx: &mut Tx<'_>, origin: &Origin) -> Result<()> {
    if tx.world().ledger.ring().origin.is_some() { Ok(()) } else { name(tx, origin) }
}

/// The first key of a ledger that never had one; `None` where it has or had one, whoever's that is.
///
/// # Errors
/// The ledger has no name.
pub fn first_key(tx: &mut Tx<'_>, key: &PublicKey) -> Result<Option<Vkey>> {
    if !tx.world().ledger.ring().keys.is_empty() {
        return Ok(None);
    }
    introduce(tx, key).map(Some)
}

/// A key may sign from here on. One that may already changes nothing.
///
/// # Errors
/// The ledger has no name; a key that was retired does not come back.
pub fn introduce(tx: &mut Tx<'_>, key: &PublicKey) -> Result<Vkey> {
    let ring = tx.world().ledger.ring();
    let origin = ring.origin.clone();
    let origin = origin.ok_or_else(|| Error::conflict("the ledger has no name yet: start the server once"))?;
    let vkey = key.named(&origin);
    match ring.find(&vkey) {
        Some(known) if known.retired.is_none() => {}
        Some(_) => return Err(Error::conflict(format!("{} was retired and does not come back", short(&vkey)))),
        None => {
            tx.record(Fact::SigningKeyIntroduced(KeyIntroduced { key: vkey.clone() }))?;
        }
    }
    Ok(vkey)
}

/// Every key in force but one signs no more.
///
/// # Errors
/// What the ledger cannot hold.
pub fn retire_others(tx: &mut Tx<'_>, stays: &Vkey) -> Result<()> {
    let ring = tx.world().ledger.ring();
    let going: Vec<Vkey> =
        ring.keys.iter().filter(|k| k.retired.is_none() && k.key != *stays).map(|k| k.key.clone()).collect();
    for key in going {
        tx.record(Fact::SigningKeyRetired(KeyRetired { key }))?;
    }
    Ok(())
}
