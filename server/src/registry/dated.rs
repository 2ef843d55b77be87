//! Systems and deployments as they were, or will be: the revision that holds at a moment.

use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::registry::{DeploymentSpec, SystemSpec};
use licit_schemas::time::Timestamp;

use super::State;
use crate::catalogue::Revision;

/// The last of those stated that had begun by a moment.
fn holding<T>(
    all: &[Arc<Revision<T>>],
    valid_from: impl Fn(&T) -> Option<Timestamp>,
    at: Timestamp,
) -> Option<&Arc<Revision<T>>> {
    all.iter().rev().find(|revision| valid_from(&revision.spec).is_none_or(|from| from <= at))
}

impl State {
    /// The revision of a deployment that holds at a moment.
    pub fn deployment_at(&self, deployment: &str, at: Timestamp) -> Option<&Arc<Revision<DeploymentSpec>>> {
        holding(self.deployments.all(deployment), |spec| spec.valid_from, at)
    }

    /// Revisions of deployments that hold at a moment or will: none acts before its time, and none escapes what is asked of it now.
    pub fn deployments_from(&self, at: Timestamp) -> impl Iterator<Item = &Arc<Revision<DeploymentSpec>>> {
        let holds = move |revision: &&Arc<Revision<DeploymentSpec>>| {
            self.deployment_at(&revision.reference, at).is_none_or(|now| now.rev <= revision.rev)
        };
        self.deployments.every().filter(holds)
    }

    /// What a deployment names as its system at a moment: the revision pinned; before that holds, the one that held before it.
    pub fn system_at(&self, system: &Ref, at: Timestamp) -> Option<&Arc<Revision<SystemSpec>>> {
        let all = self.systems.all(system.base());
        let upto = system.rev().and_then(|rev| usize::try_from(rev).ok()).unwrap_or(all.len());
        holding(all.get(..upto)?, |spec| spec.valid_from, at)
    }
}
