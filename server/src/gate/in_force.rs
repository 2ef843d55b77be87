//! What the registry says of a moment: that a deployment ran under a decision that allowed it. Pure: the world of then is given.

use licit_schemas::gate::Intent;
use licit_schemas::proof::in_force::{InForce, PREDICATE, UseSaid};
use licit_schemas::proof::origin::Origin;
use licit_schemas::proof::statement::{Descriptor, STATEMENT, Statement};
use licit_schemas::time::Timestamp;

use super::decide;
use super::evidence::{Ask, gather};
use super::policy::Policy;
use super::receipt::{Recorded, subjects};
use super::rules::VERSION;
use crate::db::Projection;
use crate::error::Result;
use crate::facts::World;
use crate::resolve::parse;

/// The statement on a moment at which there was a right. `then` is the world as it was known at that moment.
///
/// # Errors
/// A stored reference that is none.
pub fn statement(
    then: &World,
    recorded: &Recorded,
    (at, activation): (Timestamp, u64),
    uses: (Vec<UseSaid>, bool),
    origin: &Origin,
) -> Result<Statement<InForce>> {
    let decision = &recorded.decision;
    let release = decision.release.clone().unwrap_or_default();
    let policy = Policy::in_force(then, at);
    let evidence = gather(
        then,
        Ask {
            deployment: decision.deployment.clone(),
            release: Some(parse(&release)?),
            intent: Intent::Continue,
            artifacts: Vec::new(),
            valid_at: at,
        },
    );
    let judgement = decide::judge(&evidence, &policy);
    let (uri, digest) = policy.named();
    Ok(Statement {
        r#type: STATEMENT.to_owned(),
        subject: subjects(&evidence),
        predicate_type: PREDICATE.to_owned(),
        predicate: InForce {
            registry: format!("https://{origin}"),
            at,
            position: then.position(),
            deployment: decision.deployment.clone(),
            release,
            activation,
            decision: format!("decision:{}", decision.id.0),
            entry: recorded.entry,
            data: recorded.data,
            evidence: Descriptor {
                uri: format!("decision:{}/evidence", decision.id.0),
                digest: decision.evidence_digest.into(),
            },
            policy: Descriptor { uri, digest: digest.into() },
            rules: VERSION.to_owned(),
            judged: judgement.verdict,
            actions_due: judgement.actions_due.len() as u64,
            uses: uses.0,
            more_uses: uses.1,
        },
    })
}
