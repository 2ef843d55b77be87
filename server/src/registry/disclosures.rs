//! What was handed to other parties: for the list of recipients (GDPR Art. 15(1)(c), 19).

use std::sync::Arc;

use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;

use super::State;
use crate::db::At;

/// A release handed to a party, from when it was active on.
#[derive(Clone, Debug)]
pub struct Disclosed {
    /// `release:<deployment>@<n>`.
    pub release: Arc<str>,
    /// Who received it.
    pub to: Arc<str>,
    /// For which purpose, pinned.
    pub purpose: Ref,
    /// Under which bases, pinned.
    pub bases: Vec<Ref>,
    /// Who disclosed it.
    pub controller: Ref,
    /// Since when.
    pub since: Timestamp,
    /// Until when it is handed over; what was received stays received.
    pub until: Option<Timestamp>,
}

impl State {
    /// What was ever disclosed, in the order it began.
    pub fn disclosed(&self) -> impl Iterator<Item = &Disclosed> {
        self.disclosed.iter()
    }

    /// After a deployment or one of its releases changed: what its active release hands to whom from now on. Returns what began:
    /// the release and who receives it.
    pub fn disclose(&mut self, deployment: &str, at: &At) -> Vec<(Arc<str>, Arc<str>)> {
        let active = self.active(deployment).filter(|release| !release.spec.discloses.is_empty());
        let spec = self.deployments.latest(deployment).map(|revision| revision.spec.clone());
        let release = active.map(|release| release.reference.clone());
        let stated = spec.as_ref().and_then(|spec| spec.discloses.as_ref());
        let wanted: Vec<Arc<str>> = match (&release, stated) {
            (Some(_), Some(disclosure)) => disclosure.to.iter().map(|party| party.to_string().into()).collect(),
            _ => Vec::new(),
        };
        let own = |release: &str| {
            super::base(release).trim_start_matches("release:") == deployment.trim_start_matches("deployment:")
        };
        let mut going_on: Vec<Arc<str>> = Vec::new();
        let open: Vec<usize> = (0..self.disclosed.len())
            .filter(|&place| self.disclosed[place].until.is_none() && own(&self.disclosed[place].release))
            .collect();
        for place in open {
            let one = &self.disclosed[place];
            if release.as_ref() == Some(&one.release) && wanted.contains(&one.to) {
                going_on.push(one.to.clone());
            } else if let Some(one) = self.disclosed.get_mut(place) {
                one.until = Some(at.time);
            }
        }
        let (Some(release), Some(spec)) = (release, spec) else { return Vec::new() };
        let mut begun = Vec::new();
        for to in wanted {
            if going_on.contains(&to) {
                continue;
            }
            going_on.push(to.clone());
            self.disclosed.push_back(Disclosed {
                release: release.clone(),
                to: to.clone(),
                purpose: spec.purpose.clone(),
                bases: spec.bases.clone(),
                controller: spec.controller.clone(),
                since: at.time,
                until: None,
            });
            begun.push((release.clone(), to));
        }
        begun
    }
}
