//! Making actors known, issuing and revoking tokens.

use licit_schemas::access::{ActorCreate, ActorKind, ActorSpec, Role, TokenCreate, TokenCreated, TokenSpec};
use licit_schemas::digest::Digest;
use licit_schemas::registry::uuid_text;
use licit_schemas::text::Key;
use uuid::Uuid;

use super::TokenRevoked;
use crate::catalogue::Stated;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx};

/// Days a token lasts unless asked otherwise.
const DEFAULT_DAYS: i64 = 90;
/// Days a token lasts at most.
const MAX_DAYS: i64 = 730;

/// Make an actor known.
///
/// # Errors
/// A service without a known person to answer for it, or a person with one.
pub fn register_actor(tx: &mut Tx<'_>, create: &ActorCreate) -> Result<Uuid> {
    match (create.kind, create.responsible) {
        (ActorKind::Service, None) => {
            return Err(Error::invalid("/responsible", "a service needs the person who answers for it"));
        }
        (ActorKind::Service, Some(person)) => {
            if tx.world().access.actor(person.0).is_none_or(|a| a.kind != ActorKind::Person) {
                return Err(Error::invalid("/responsible", format!("there is no person `{}`", person.0)));
            }
        }
        (ActorKind::Person, Some(_)) => {
            return Err(Error::invalid("/responsible", "a person answers for themselves: leave it out"));
        }
        (ActorKind::Person, None) => {}
    }
    let id = tx.new_id();
    let name_digest = Some(tx.name_actor(id, create.name.as_str())?);
    let spec = ActorSpec { kind: create.kind, responsible: create.responsible, name_digest };
    tx.record(Fact::ActorRegistered(Stated { id, rev: 1, spec }))?;
    Ok(id)
}

/// Erase an actor's display name (GDPR Art. 17). Doing so again changes nothing.
///
/// # Errors
/// An unknown actor.
pub fn erase_name(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    if tx.world().access.actor(id).is_none() {
        return Err(Error::NotFound(format!("there is no actor `{id}`")));
    }
    tx.erase_name(id);
    Ok(())
}

/// Issue a token. The secret was drawn before; only its hash is recorded.
///
/// # Errors
/// An unknown actor, a vote for a service, an end in the past or beyond two years.
pub fn issue_token(tx: &mut Tx<'_>, create: &TokenCreate, secret: &str) -> Result<TokenCreated> {
    let Some(actor) = tx.world().access.actor(create.actor.0) else {
        return Err(Error::invalid("/actor", format!("there is no actor `{}`", create.actor.0)));
    };
    if actor.kind == ActorKind::Service
        && let Some(place) =
            create.roles.iter().position(|r| matches!(r, Role::Reviewer | Role::Dpo | Role::WorksCouncil))
    {
        return Err(Error::invalid(&format!("/roles/{place}"), "a service casts no votes and gives no opinions"));
    }
    let expires_at = create.expires_at.unwrap_or(tx.now().plus(chrono::Duration::days(DEFAULT_DAYS)));
    if expires_at <= tx.now() || expires_at > tx.now().plus(chrono::Duration::days(MAX_DAYS)) {
        return Err(Error::invalid("/expires_at", format!("must lie within the next {MAX_DAYS} days")));
    }
    let mut roles = create.roles.clone();
    roles.sort_unstable();
    roles.dedup();
    let id = tx.new_id();
    let spec = TokenSpec {
        actor: create.actor,
        roles,
        label: create.label.clone(),
        expires_at,
        secret_hash: Digest::of(secret.as_bytes()),
    };
    tx.record(Fact::TokenIssued(Stated { id, rev: 1, spec }))?;
    Ok(TokenCreated { id: uuid_text::Uuid(id), token: secret.to_owned(), expires_at })
}

/// Take a token back. Doing so again changes nothing.
///
/// # Errors
/// An unknown token.
pub fn revoke_token(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    match tx.world().access.token(id) {
        None => Err(Error::NotFound(format!("there is no token `{id}`"))),
        Some(token) if token.revoked => Ok(()),
        Some(_) => tx.record(Fact::TokenRevoked(TokenRevoked { id })).map(|_| ()),
    }
}

/// The first administrator, or one in place of a lost one.
///
/// # Errors
/// As [`register_actor`] and [`issue_token`].
pub fn admin(tx: &mut Tx<'_>, secret: &str, label: &Key) -> Result<TokenCreated> {
    let name = "administrator".parse().map_err(|e| Error::Internal(format!("name: {e}")))?;
    let actor = register_actor(tx, &ActorCreate { kind: ActorKind::Person, name, responsible: None })?;
    let create =
        TokenCreate { actor: uuid_text::Uuid(actor), roles: vec![Role::Admin], label: label.clone(), expires_at: None };
    issue_token(tx, &create, secret)
}

/// A secret: 256 random bits, as `licit_` and 64 hexadecimal digits.
///
/// # Errors
/// No random bytes to be had.
pub fn new_secret() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
    Ok(format!("licit_{}", hex::encode(bytes)))
}
