//! What ends when, and what relies on it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{ArrangementKind, DeploymentSpec};
use licit_schemas::reports::{Calendar, Expiry};
use licit_schemas::time::Timestamp;

use crate::catalogue::Revision;
use crate::db::Projection;
use crate::facts::World;
use crate::gate::coverage::{base, broader};
use crate::gate::evidence::things_of;
use crate::gate::policy::Policy;
use crate::lineage::walk::{self, Direction};

/// Ends after `from` up to `until`, by date.
pub fn calendar(world: &World, from: Timestamp, until: Timestamp) -> Calendar {
    let book = Book { world, from, until, running: running(world) };
    let mut items: Vec<Expiry> = Vec::new();
    book.approvals(&mut items);
    book.documents(&mut items);
    book.contracts(&mut items);
    book.attestations(&mut items);
    items.sort();
    Calendar { position: world.position(), from, until, items }
}

fn running(world: &World) -> Vec<Arc<Revision<DeploymentSpec>>> {
    let running = world.registry.running();
    running.iter().filter_map(|name| world.registry.deployments.latest(name).cloned()).collect()
}

struct Book<'w> {
    world: &'w World,
    from: Timestamp,
    until: Timestamp,
    running: Vec<Arc<Revision<DeploymentSpec>>>,
}

impl Book<'_> {
    fn within(&self, on: Timestamp) -> bool {
        self.from < on && on <= self.until
    }

    /// Approvals that hold, each until the last of them ends; and the validity of what they approve.
    fn approvals(&self, items: &mut Vec<Expiry>) {
        for (reference, approvals) in self.world.review.every() {
            let Some(end) = approvals.iter().filter(|a| a.holds(self.from)).map(|a| a.end()).max() else { continue };
            let mut ends = Vec::new();
            if self.within(end) {
                ends.push((end, "approval", format!("the approval of `{reference}` ends")));
            }
            if let Some(end) = self.valid_to(reference).filter(|end| self.within(*end)) {
                ends.push((end, "validity", format!("`{reference}` is valid until then")));
            }
            if ends.is_empty() {
                continue;
            }
            let deployments = self.relying(reference);
            items.extend(ends.into_iter().map(|(on, what, says)| Expiry {
                on,
                what: what.to_owned(),
                r#ref: reference.to_string(),
                says,
                deployments: deployments.clone(),
            }));
        }
    }

    fn valid_to(&self, reference: &str) -> Option<Timestamp> {
        let parsed: Ref = reference.parse().ok()?;
        let (own, rev, law) = (base(reference), parsed.rev()?, &self.world.lawfulness);
        match parsed.kind() {
            Kind::Purpose => law.purposes.revision(own, rev)?.spec.valid_to,
            Kind::Basis => law.bases.revision(own, rev)?.spec.valid_to,
            Kind::Assessment => Some(law.assessments.revision(own, rev)?.spec.valid_to),
            _ => None,
        }
    }

    /// Documents of the latest revisions of systems.
    fn documents(&self, items: &mut Vec<Expiry>) {
        for system in self.world.registry.systems.iter() {
            for document in &system.spec.documents {
                let Some(on) = document.valid_to.filter(|end| self.within(*end)) else { continue };
                items.push(Expiry {
                    on,
                    what: "document".to_owned(),
                    r#ref: system.reference.to_string(),
                    says: format!(
                        "the document `{}` of `{}` may be relied on until then",
                        document.kind, system.reference
                    ),
                    deployments: self.relying(&system.reference),
                });
            }
        }
    }

    /// Contracts and arrangements between parties.
    fn contracts(&self, items: &mut Vec<Expiry>) {
        for party in self.world.registry.parties.iter() {
            for tie in &party.spec.arrangements {
                let Some(on) = tie.valid_to.filter(|end| self.within(*end)) else { continue };
                let what = match tie.kind {
                    ArrangementKind::JointControllers => "the joint arrangement",
                    ArrangementKind::ProcessingContract => "the processor's contract",
                };
                let with = tie.with.to_string();
                items.push(Expiry {
                    on,
                    what: "contract".to_owned(),
                    r#ref: party.reference.to_string(),
                    says: format!("{what} of `{}` with `{with}` ends", party.reference),
                    deployments: self.naming(|d| {
                        let mut parties = std::iter::once(&d.controller).chain(&d.processors).map(ToString::to_string);
                        parties.any(|p| p == *party.reference || p == with)
                    }),
                });
            }
        }
    }

    /// Endpoints of what runs: until when what was observed of them counts.
    fn attestations(&self, items: &mut Vec<Expiry>) {
        let counts = Policy::in_force(self.world, self.from).attestation();
        let mut ends: BTreeMap<(Timestamp, String), Vec<String>> = BTreeMap::new();
        for deployment in &self.running {
            let Some(release) = self.world.registry.active(&deployment.reference) else { continue };
            for part in &release.spec.composition {
                let model = part.model.to_string();
                let Some(seen) = self.world.registry.attestations.latest(&model, self.from) else { continue };
                let end = seen.at.plus(counts);
                if self.within(end) {
                    ends.entry((end, model)).or_default().push(deployment.reference.to_string());
                }
            }
        }
        items.extend(ends.into_iter().map(|((on, model), deployments)| Expiry {
            on,
            what: "attestation".to_owned(),
            says: format!("what was observed of `{model}` counts until then"),
            r#ref: model,
            deployments,
        }));
    }

    fn naming(&self, by: impl Fn(&DeploymentSpec) -> bool) -> Vec<String> {
        self.running.iter().filter(|d| by(&d.spec)).map(|d| d.reference.to_string()).collect()
    }

    /// Running deployments that rely on something approved.
    fn relying(&self, reference: &str) -> Vec<String> {
        let (own, world) = (base(reference), self.world);
        let is = |r: &Ref| base(&r.to_string()) == own;
        match reference.split_once(':').map_or("", |(kind, _)| kind) {
            "purpose" => self.naming(|d| {
                let chain = broader(world, &d.purpose, self.from);
                is(&d.purpose) || chain.iter().any(|p| base(&p.reference) == own)
            }),
            "basis" => {
                let covers: BTreeSet<String> =
                    world.lawfulness.bases.all(own).iter().fold(BTreeSet::new(), |mut set, r| {
                        set.extend(r.spec.covers.purposes.iter().map(|p| p.unpinned().to_string()));
                        set
                    });
                self.naming(|d| d.bases.iter().any(is) || covers.contains(&d.purpose.unpinned().to_string()))
            }
            "system" => self.naming(|d| is(&d.system)),
            "deployment" => self.naming(|d| format!("deployment:{}", d.name) == own || is(&Ref::deployment(&d.name))),
            "assessment" => self.assessed(own),
            _ => Vec::new(),
        }
    }

    /// Running deployments downstream of what an assessment is of.
    fn assessed(&self, assessment: &str) -> Vec<String> {
        let lineage = &self.world.lineage;
        let all = self.world.lawfulness.assessments.all(assessment);
        let of = all.iter().flat_map(|a| things_of(self.world, &a.spec));
        let of: Vec<String> = of.collect();
        // Interests are weighed of a basis: who relies on that relies on it.
        if let Some(basis) = of.iter().find(|of| of.starts_with("basis:")) {
            return self.relying(basis);
        }
        let seeds: Vec<_> = of.iter().flat_map(|of| super::impact::nodes(self.world, of)).collect();
        let reached = walk::closure(lineage.graph(), &seeds, Direction::Downstream);
        let names: BTreeSet<Arc<str>> = reached.iter().map(|r| lineage.name(r.node)).collect();
        let running = self.running.iter().filter(|d| {
            let release = self.world.registry.active(&d.reference).map(|release| release.reference.clone());
            names.contains(&d.reference) || release.is_some_and(|release| names.contains(&release))
        });
        running.map(|d| d.reference.to_string()).collect()
    }
}
