//! Runs and versions of which engines reported more than is kept: what is known of them is not all.

use licit_schemas::lawfulness::AssessmentKind;

use super::assessed::assessed;
use super::{Evidence, Gap, Missing};

/// Note those in the closure that nobody registered natively, and that no regularisation closes.
pub(super) fn partial(evidence: &mut Evidence<'_>) {
    let world = evidence.world;
    // Nearly always there is none.
    if !world.openlineage.has_partial() {
        return;
    }
    let Some(holder) = evidence.deployment.as_ref().map(|deployment| &deployment.spec.controller) else { return };
    let mut gaps = Vec::new();
    for (node, _) in &evidence.closure {
        let name = world.lineage.name(*node);
        // Who registers it is heard instead of the engine.
        if !world.openlineage.is_partial(&name) || world.registry.held(&name).is_some_and(|held| !held.reported) {
            continue;
        }
        let missing = match assessed(world, &name, AssessmentKind::Regularisation, None, holder, evidence.ask.valid_at)
        {
            None => continue,
            Some(why @ Missing::BasesThen(..)) => why,
            Some(_) => Missing::Partial,
        };
        gaps.push(Gap { node: *node, missing });
    }
    evidence.gaps.extend(gaps);
}
