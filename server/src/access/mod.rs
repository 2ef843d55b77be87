//! Who may: actors, tokens, roles. Actors are opaque ids; their names live in an erasable table.

pub mod api;
pub mod operations;
pub mod store;

use std::sync::Arc;

use licit_schemas::access::{ActorKind, ActorSpec, Role, TokenSpec};
use licit_schemas::digest::Digest;
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::error::Error;
use crate::maps::HashMap;

/// A token was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRevoked {
    /// The token.
    pub id: Uuid,
}

/// A token in memory.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// What was issued.
    pub spec: TokenSpec,
    /// Taken back.
    pub revoked: bool,
}

impl Token {
    /// Whether it lets anybody in at a moment.
    fn in_force(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.spec.expires_at
    }
}

/// What is answered to a token that lets nobody in, whatever the reason: who guesses learns nothing.
pub fn not_in_force() -> Error {
    Error::Unauthenticated("the token is unknown, expired or revoked".to_owned())
}

/// Who asks: the actor behind a token, and what it allows.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The actor.
    pub actor: Uuid,
    /// Person or service.
    pub kind: ActorKind,
    /// Roles of the token.
    pub roles: Vec<Role>,
    /// The token.
    pub token: Uuid,
    /// End of the token.
    pub expires_at: Timestamp,
}

impl Caller {
    /// Nobody, at this moment: what open routes see.
    pub fn nobody(now: Timestamp) -> Self {
        Self { actor: Uuid::nil(), kind: ActorKind::Service, roles: Vec::new(), token: Uuid::nil(), expires_at: now }
    }

    /// Whether the token has one of the roles.
    pub fn may(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }
}

/// Actors and tokens.
#[derive(Clone, Default)]
pub struct State {
    actors: HashMap<Uuid, Arc<ActorSpec>>,
    tokens: HashMap<Uuid, Arc<Token>>,
    by_hash: HashMap<Digest, Uuid>,
}

impl State {
    /// An actor.
    pub fn actor(&self, id: Uuid) -> Option<&Arc<ActorSpec>> {
        self.actors.get(&id)
    }

    /// Whether anybody was ever let in: only then no bootstrap token is made.
    pub fn has_tokens(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// A token by id.
    pub fn token(&self, id: Uuid) -> Option<&Arc<Token>> {
        self.tokens.get(&id)
    }

    /// All tokens, in order of their ids: oldest first.
    pub fn tokens(&self) -> Vec<Arc<Token>> {
        let mut list: Vec<_> = self.tokens.values().cloned().collect();
        list.sort_by_key(|t| t.id);
        list
    }

    /// Whether a token lets anybody in at a moment.
    pub fn in_force(&self, token: Uuid, now: Timestamp) -> bool {
        self.tokens.get(&token).is_some_and(|token| token.in_force(now))
    }

    /// Who holds a secret, if the token is in force.
    pub fn caller(&self, secret: &str, now: Timestamp) -> Option<Caller> {
        let token = self.tokens.get(self.by_hash.get(&Digest::of(secret.as_bytes()))?)?;
        if !token.in_force(now) {
            return None;
        }
        let actor = self.actors.get(&token.spec.actor.0)?;
        Some(Caller {
            actor: token.spec.actor.0,
            kind: actor.kind,
            roles: token.spec.roles.clone(),
            token: token.id,
            expires_at: token.spec.expires_at,
        })
    }

    /// The person an actor counts as: itself, or for a service who answers for it.
    pub fn person(&self, actor: Uuid) -> Uuid {
        match self.actors.get(&actor).map(|a| (a.kind, a.responsible)) {
            Some((ActorKind::Service, Some(person))) => person.0,
            _ => actor,
        }
    }

    /// Whether an actor has a role at a moment, by any token in force.
    pub fn holds(&self, actor: Uuid, role: Role, now: Timestamp) -> bool {
        let gives = |t: &Arc<Token>| t.spec.actor.0 == actor && t.in_force(now);
        self.tokens.values().any(|t| gives(t) && t.spec.roles.contains(&role))
    }

    /// Fold [`Stated<ActorSpec>`] in.
    pub fn registered(&mut self, fact: &Stated<ActorSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        self.actors.insert(fact.id, Arc::new(fact.spec.clone()));
        rows.put(at, || NewRow {
            kind: "actor",
            id: fact.id.to_string(),
            reference: format!("actor:{}", fact.id),
            state: crate::facts::word(&fact.spec.kind),
            digest: Some(digest),
            doc: crate::facts::text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold [`Stated<TokenSpec>`] in.
    pub fn issued(&mut self, fact: &Stated<TokenSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        self.by_hash.insert(fact.spec.secret_hash, fact.id);
        self.tokens.insert(fact.id, Arc::new(Token { id: fact.id, spec: fact.spec.clone(), revoked: false }));
        rows.put(at, || NewRow {
            kind: "token",
            id: fact.id.to_string(),
            reference: format!("token:{}", fact.id),
            state: "issued".to_owned(),
            name: fact.spec.label.to_string(),
            parent: format!("actor:{}", fact.spec.actor.0),
            digest: Some(digest),
            doc: crate::facts::text(&fact.spec),
            valid_from: Some(at.time),
            valid_to: Some(fact.spec.expires_at),
            ..NewRow::default()
        });
    }

    /// Fold [`TokenRevoked`] in.
    pub fn revoked(&mut self, fact: &TokenRevoked, at: &At, rows: &mut Rows) {
        if let Some(token) = self.tokens.get_mut(&fact.id) {
            Arc::make_mut(token).revoked = true;
            rows.ended(at, "token", fact.id, "revoked", Some(at.time));
        }
    }
}
