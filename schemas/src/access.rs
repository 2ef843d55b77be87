//! Who may: actors, roles, tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::registry::uuid_text::Uuid;
use crate::text::{Key, Name};
use crate::time::Timestamp;

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Registers what exists, proposes what may be.
    Registrar,
    /// Board member: votes, approves, revokes.
    Reviewer,
    /// Data protection officer: gives opinions, reads everything.
    Dpo,
    /// Works council: gives opinions, reads everything.
    WorksCouncil,
    /// CI: asks the gate, activates releases.
    Releaser,
    /// Reads and checks the ledger.
    Auditor,
    /// Manages actors, tokens and environments. Passes no gate and casts no vote by that.
    Admin,
}

/// All roles, in the order of the documentation.
pub const ROLES: [Role; 8] = [
    Role::Viewer,
    Role::Registrar,
    Role::Reviewer,
    Role::Dpo,
    Role::WorksCouncil,
    Role::Releaser,
    Role::Auditor,
    Role::Admin,
];

/// A person or a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Somebody who can vote.
    Person,
    /// A pipeline; it counts as the person who answers for it.
    Service,
}

/// Make an actor known. The name is kept erasable; the ledger knows the id only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActorCreate {
    /// Person or service.
    pub kind: ActorKind,
    /// Display name.
    pub name: Name,
    /// For a service: the person who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Uuid>,
}

/// An actor as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActorSpec {
    /// Person or service.
    pub kind: ActorKind,
    /// For a service: the person who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Uuid>,
    /// Salted digest of the display name, which is kept erasable; absent of actors from before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_digest: Option<Digest>,
}

/// Issue a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenCreate {
    /// Whose it is.
    pub actor: Uuid,
    /// What it allows.
    #[schemars(length(min = 1, max = 8))]
    pub roles: Vec<Role>,
    /// What it is for.
    pub label: Key,
    /// Until when; absent, 90 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token as recorded: only the hash of the secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Whose it is.
    pub actor: Uuid,
    /// What it allows.
    pub roles: Vec<Role>,
    /// What it is for.
    pub label: Key,
    /// Until when.
    pub expires_at: Timestamp,
    /// SHA-256 of the 256-bit random secret.
    pub secret_hash: Digest,
}

/// Answer to [`TokenCreate`]: the only time the secret is seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenCreated {
    /// Id of the token.
    pub id: Uuid,
    /// The secret.
    pub token: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A token as listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenView {
    /// Id of the token.
    pub id: Uuid,
    /// Whose it is.
    pub actor: Uuid,
    /// What it allows.
    pub roles: Vec<Role>,
    /// What it is for.
    pub label: Key,
    /// Until when.
    pub expires_at: Timestamp,
    /// Taken back.
    pub revoked: bool,
}

/// Who the caller is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// The actor.
    pub actor: Uuid,
    /// Person or service.
    pub kind: ActorKind,
    /// Display name, unless erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the token allows.
    pub roles: Vec<Role>,
    /// Until when.
    pub expires_at: Timestamp,
}
