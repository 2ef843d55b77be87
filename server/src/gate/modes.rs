//! How an environment enforces at a moment: as it states, or for a while as the board let it be looser.

use std::sync::Arc;

use chrono::Duration;
use licit_schemas::adoption::LooseningSpec;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::EnvironmentSpec;
use licit_schemas::resource::Registered;
use licit_schemas::time::Timestamp;

use crate::catalogue::{Revision, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, digest};
use crate::resolve::{created, expect, parse, pin, unchanged};
use crate::review::Standing;

/// Days for which an environment may enforce less.
const LONGEST: i64 = 365;

/// The looser mode that the board approved for an environment, if one holds: what it approved last, until its end.
pub fn loosened<'w>(
    world: &'w World,
    environment: &EnvironmentSpec,
    now: Timestamp,
) -> Option<&'w Arc<Revision<LooseningSpec>>> {
    let all = world.review.loosenings.all(Ref::loosening(&environment.key).as_str());
    let holds = |r: &&Arc<Revision<LooseningSpec>>| {
        now < r.spec.valid_to
            && r.spec.mode < environment.mode
            && matches!(world.review.standing(&r.reference, now), Standing::Holds(a) if a.spec.valid_from <= now)
    };
    all.iter().rev().find(holds)
}

/// Propose that an environment enforces less for a while.
///
/// # Errors
/// An unknown environment, a mode that is not looser, an end that is over or too far.
pub fn propose(tx: &mut Tx<'_>, mut spec: LooseningSpec) -> Result<Registered> {
    let now = tx.now();
    expect(&spec.environment, &[Kind::Environment], "/environment")?;
    spec.environment = pin(tx.world(), &spec.environment, now, "/environment")?;
    let found = tx.world().registry.environment_of(spec.environment.name()).cloned();
    let environment =
        found.ok_or_else(|| Error::invalid("/environment", format!("there is no `{}`", spec.environment)))?;
    spec.environment = Ref::environment(&environment.spec.key);
    if spec.mode >= environment.spec.mode {
        return Err(Error::invalid(
            "/mode",
            format!("`{}` is no stricter today: change the environment itself", spec.environment),
        ));
    }
    if spec.valid_to <= now || spec.valid_to > now.plus(Duration::days(LONGEST)) {
        return Err(Error::invalid("/valid_to", format!("must lie in the future, within {LONGEST} days")));
    }
    let base = Ref::loosening(&environment.spec.key);
    let latest = tx.world().review.loosenings.latest(&base.to_string()).cloned();
    if let Some(known) = latest.as_ref().filter(|known| known.spec == spec) {
        return Ok(unchanged(known.id, parse(&known.reference)?, known.digest, known.seq));
    }
    let rev = latest.map_or(1, |known| known.rev + 1);
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::LooseningProposed(Stated { id, rev, spec }))?;
    Ok(created(id, parse(&format!("{base}@{rev}"))?, sum, seq))
}
