//! What an organisation may decide about the gate. The hard core is not among it.

use chrono::Duration;
use licit_schemas::gate::{Level, Status};

use crate::facts::World;

/// The policy in force.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its revision, as decisions record it.
    pub revision: String,
    /// Board members that must agree.
    pub quorum: u16,
    /// Days an approval lasts unless the review asks for less.
    pub approval_days: i64,
    /// Days *continue* passes after an approval, a document or a validity ended.
    pub grace_expired_days: i64,
    /// Days *continue* passes after something unknown appeared upstream.
    pub grace_unknown_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            revision: "policy:default@1".to_owned(),
            quorum: 2,
            approval_days: 365,
            grace_expired_days: 30,
            grace_unknown_days: 14,
        }
    }
}

impl Policy {
    /// The policy in force.
    pub fn in_force(_: &World) -> Self {
        Self::default()
    }

    /// What a finding of a rule does. Asked only for rules outside the hard core.
    pub fn level(&self, _: &str) -> Level {
        Level::Block
    }

    /// For how long what already runs may go on with a finding: nothing for wrong bytes and what a law forbids outright.
    pub fn grace(&self, rule: &str, status: Status) -> Duration {
        match (rule, status) {
            ("artifact.digest" | "prohibited.practice" | "purpose.forbids", _) | (_, Status::Unmet) => Duration::zero(),
            (_, Status::Expired) => Duration::days(self.grace_expired_days),
            (_, Status::Unknown) => Duration::days(self.grace_unknown_days),
        }
    }
}
