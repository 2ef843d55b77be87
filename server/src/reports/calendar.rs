//! What ends when, what begins, and what relies on it. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Duration;
use licit_schemas::lawfulness::LegalBasis;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{ArrangementKind, DeploymentSpec, Life, SystemSpec};
use licit_schemas::reports::{Calendar, Expiry};
use licit_schemas::time::Timestamp;

use crate::catalogue::Revision;
use crate::db::Projection;
use crate::facts::World;
use crate::gate::coverage::{base, broader};
use crate::gate::emergency::{self, Ratification};
use crate::gate::evidence::things_of;
use crate::gate::policy::Policy;
use crate::gate::replay::changed;
use crate::gate::{baseline, modes, passport};
use crate::lawfulness::law::dates;
use crate::lineage::graph::NodeId;
use crate::lineage::walk::{self, Direction};
use crate::notices::Notice;
use crate::registry::{Held, What};

/// Days before an end on which it is warned of, the nearest first.
const WARNINGS: [u16; 3] = [7, 30, 60];

/// Rules that ask for what a table of law says.
const BY_LAW: [&str; 5] = ["purpose.forbids", "prohibited.practice", "risk.documents", "workers", "transparency.ai"];

/// Ends after `from` up to `until`, by date.
pub fn calendar(world: &World, from: Timestamp, until: Timestamp) -> Calendar {
    let book = Book { world, from, until, running: running(world, from) };
    let mut items: Vec<Expiry> = Vec::new();
    book.approvals(&mut items);
    book.documents(&mut items);
    book.contracts(&mut items);
    book.retention(&mut items);
    book.running_out(&mut items);
    book.exceptions(&mut items);
    book.delegations(&mut items);
    book.laws(&mut items);
    book.classes(&mut items);
    book.attestations(&mut items);
    book.notices(&mut items);
    book.passports(&mut items);
    book.tokens(&mut items);
    for item in &mut items {
        item.warn = WARNINGS.into_iter().find(|days| item.on <= from.plus(Duration::days(i64::from(*days))));
    }
    items.sort();
    Calendar { position: world.position(), from, until, items }
}

/// What runs, as it is stated for a moment.
fn running(world: &World, at: Timestamp) -> Vec<Arc<Revision<DeploymentSpec>>> {
    let registry = &world.registry;
    let stated =
        |name: &Arc<str>| registry.deployment_at(name, at).or_else(|| registry.deployments.latest(name)).cloned();
    registry.running().iter().filter_map(stated).collect()
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
                warn: None,
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

    /// Documents of the revisions of systems that what runs names; of a system that nothing runs, of the latest.
    fn documents(&self, items: &mut Vec<Expiry>) {
        let registry = &self.world.registry;
        let mut judged: BTreeMap<Arc<str>, (&Arc<Revision<SystemSpec>>, Vec<String>)> = BTreeMap::new();
        let mut named: BTreeSet<String> = BTreeSet::new();
        for deployment in &self.running {
            let Some(system) = registry.system_at(&deployment.spec.system, self.from) else { continue };
            named.insert(base(&system.reference).to_owned());
            let (_, deployments) = judged.entry(system.reference.clone()).or_insert_with(|| (system, Vec::new()));
            deployments.push(deployment.reference.to_string());
        }
        for system in registry.systems.iter().filter(|system| !named.contains(base(&system.reference))) {
            judged.insert(system.reference.clone(), (system, Vec::new()));
        }
        for (system, deployments) in judged.into_values() {
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
                    deployments: deployments.clone(),
                    warn: None,
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
                    ArrangementKind::StandardClauses => "the agreement on standard clauses",
                    ArrangementKind::BindingRules => "the reliance on binding corporate rules",
                    ArrangementKind::Derogation => "the derogation for transfers",
                };
                let with = tie.with.to_string();
                items.push(Expiry {
                    on,
                    what: "contract".to_owned(),
                    r#ref: party.reference.to_string(),
                    says: format!("{what} of `{}` with `{with}` ends", party.reference),
                    deployments: self.naming(|d| {
                        let mut parties = parties(d);
                        parties.any(|p| p == *party.reference || p == with)
                    }),
                    warn: None,
                });
            }
            for entry in &party.spec.certifications {
                let Some(on) = entry.valid_to.filter(|end| self.within(*end)) else { continue };
                items.push(Expiry {
                    on,
                    what: "certification".to_owned(),
                    r#ref: party.reference.to_string(),
                    says: format!("`{}` stands on the list `{}` until then", party.reference, entry.scheme),
                    deployments: self.naming(|d| parties(d).any(|p| p == *party.reference)),
                    warn: None,
                });
            }
        }
    }

    /// Data that are to be erased: those of one dataset that end on one day together.
    fn retention(&self, items: &mut Vec<Expiry>) {
        let mut ends: BTreeMap<(Timestamp, &str), Vec<&Arc<Held>>> = BTreeMap::new();
        for held in self.world.registry.all_held() {
            let What::Dataset(facts) = &held.what else { continue };
            let gone = facts.life_at(self.from).is_some_and(|(life, _)| life == Life::Erased);
            if let Some(end) = facts.retention.filter(|end| self.within(*end) && !gone && held.retired.is_none()) {
                ends.entry((end, &facts.dataset)).or_default().push(held);
            }
        }
        for ((on, dataset), held) in ends {
            let (r#ref, what) = match &held[..] {
                [one] => (one.reference.to_string(), format!("`{}`", one.reference)),
                many => (dataset.to_owned(), format!("{} versions of `{dataset}`", many.len())),
            };
            let seeds = held.iter().filter_map(|held| self.world.lineage.find(&held.reference)).collect::<Vec<_>>();
            let deployments = self.downstream(&seeds);
            let says = format!("the retention of {what} ends: the data are to be erased, and that recorded");
            items.push(Expiry { on, what: "retention".to_owned(), r#ref, says, deployments, warn: None });
        }
    }

    /// What runs where a time to live is set.
    fn running_out(&self, items: &mut Vec<Expiry>) {
        let registry = &self.world.registry;
        for deployment in &self.running {
            let environment = registry.environment_of(deployment.spec.environment.name());
            let hours = environment.and_then(|e| e.spec.time_to_live_hours);
            let (Some(hours), Some(release)) = (hours, registry.active(&deployment.reference)) else { continue };
            let on = release.proposed_at.plus(Duration::hours(i64::from(hours)));
            if self.within(on) {
                items.push(Expiry {
                    on,
                    what: "time_to_live".to_owned(),
                    r#ref: release.reference.to_string(),
                    says: format!("the time of `{}` in `{}` is over", release.reference, deployment.spec.environment),
                    deployments: vec![deployment.reference.to_string()],
                    warn: None,
                });
            }
        }
    }

    /// What is let run although it is refused, while that lasts: baselines, looser modes, emergencies; and until when the board must
    /// have ratified those.
    fn exceptions(&self, items: &mut Vec<Expiry>) {
        let (world, review) = (self.world, &self.world.review);
        let mut add = |on: Timestamp, what: &str, r#ref: &str, says: String, deployments: Vec<String>| {
            if self.within(on) {
                items.push(Expiry {
                    on,
                    what: what.to_owned(),
                    r#ref: r#ref.to_owned(),
                    says,
                    deployments,
                    warn: None,
                });
            }
        };
        for held in baseline::in_force(world, self.from) {
            let says = format!("`{}` ends: what it took over refuses again", held.reference);
            add(held.spec.valid_to, "baseline", &held.reference, says, self.relying(&held.reference));
        }
        for environment in world.registry.environments.iter() {
            if let Some(looser) = modes::loosened(world, &environment.spec, self.from) {
                let says = format!("`{}` enforces again as it states", environment.reference);
                add(looser.spec.valid_to, "loosening", &looser.reference, says, self.relying(&looser.reference));
            }
        }
        for used in review.broken.every().filter(|used| used.spec.valid_from <= self.from) {
            let (own, deployments) = (&used.reference, vec![used.spec.deployment.clone()]);
            let stands = emergency::ratification(world, own);
            if stands != Ratification::Refused {
                let says = format!("`{}` runs no more by `{own}`", used.spec.release);
                add(used.spec.valid_to, "break_glass", own, says, deployments.clone());
            }
            if stands == Ratification::Pending {
                let says = format!("the board must have ratified `{own}` by then");
                add(used.spec.ratify_by, "ratification", own, says, deployments);
            }
        }
    }

    /// Seats of the board that go back.
    fn delegations(&self, items: &mut Vec<Expiry>) {
        for (id, delegation) in self.world.review.delegations() {
            let end = delegation.spec.valid_to;
            if !delegation.ended && self.within(end) {
                let says = format!("`{}` no longer sits for `{}`", delegation.spec.to.0, delegation.spec.from.0);
                let r#ref = format!("delegation:{id}");
                let what = "delegation".to_owned();
                items.push(Expiry { on: end, what, r#ref, says, deployments: Vec::new(), warn: None });
            }
        }
    }

    /// Laws that begin to apply, with what runs that each would find wanting: judged at that moment and just before.
    fn laws(&self, items: &mut Vec<Expiry>) {
        let begins = dates::begins(self.from, self.until);
        let days: BTreeSet<Timestamp> = begins.iter().map(|(on, _)| *on).collect();
        let mut wanting: BTreeMap<Timestamp, Vec<String>> = BTreeMap::new();
        for on in days {
            let before = on.plus(Duration::microseconds(-1));
            let hit = |d: &&Arc<Revision<DeploymentSpec>>| {
                let by_law = |at| {
                    let mut findings = super::stand(self.world, &d.reference, at).findings;
                    findings.retain(|f| BY_LAW.contains(&f.rule.as_str()));
                    findings
                };
                !changed(&by_law(before), &by_law(on)).0.is_empty()
            };
            wanting.insert(on, self.running.iter().filter(hit).map(|d| d.reference.to_string()).collect());
        }
        for (on, law) in begins {
            let says = format!("{law} begins to apply");
            let deployments = wanting.get(&on).cloned().unwrap_or_default();
            items.push(Expiry { on, what: "law".to_owned(), r#ref: law, says, deployments, warn: None });
        }
    }

    /// Default classes: what they answered for is unknown again.
    fn classes(&self, items: &mut Vec<Expiry>) {
        let ending = self.world.registry.classes.catalogue.iter().filter(|class| self.within(class.spec.valid_to));
        let ending: Vec<_> = ending.collect();
        let resting = if ending.is_empty() { Default::default() } else { super::debt::resting(self.world, self.from) };
        items.extend(ending.into_iter().map(|class| Expiry {
            on: class.spec.valid_to,
            what: "class".to_owned(),
            r#ref: class.reference.to_string(),
            says: format!("the default class `{}` answers until then", class.reference),
            deployments: resting.get(&class.reference).into_iter().flatten().map(ToString::to_string).collect(),
            warn: None,
        }));
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
            warn: None,
        }));
    }

    /// Notices of what runs, and until when tests of the way out count.
    fn notices(&self, items: &mut Vec<Expiry>) {
        let counts = Policy::in_force(self.world, self.from).withdrawal_test();
        let (notices, bases) = (&self.world.notices, &self.world.lawfulness.bases);
        let consent = |basis: &Ref| {
            let found = bases.revision(basis.base(), basis.rev().unwrap_or(0));
            found.is_some_and(|basis| basis.spec.legal_basis == LegalBasis::Art6_1A)
        };
        let told = |notice: &Notice, what: &str, on, says, deployments| Expiry {
            on,
            what: what.to_owned(),
            r#ref: notice.reference().to_owned(),
            says,
            deployments,
            warn: None,
        };
        for latest in notices.catalogue.iter() {
            let base = Ref::notice(&latest.spec.key).to_string();
            let Some(notice) = notices.in_force(&base, self.from) else { continue };
            let names = |spec: &DeploymentSpec| notice.names(spec.purpose.base(), spec.purpose.rev().unwrap_or(0));
            let shown_to = self.naming(names);
            if let Some(on) = notice.revision.spec.valid_to.filter(|on| self.within(*on)) {
                let says = format!("`{}` is shown until then", notice.reference());
                items.push(told(notice, "notice", on, says, shown_to));
            }
            // Where no consent governs, nobody withdraws one.
            let withdrawn = self.naming(|spec| names(spec) && spec.bases.iter().any(consent));
            let tested = notices.tested_last(notice, self.from).map(|test| test.at.plus(counts));
            if let Some(on) = tested.filter(|on| self.within(*on) && !withdrawn.is_empty()) {
                let says =
                    format!("the way to withdraw that `{}` names counts as tested until then", notice.reference());
                items.push(told(notice, "withdrawal-test", on, says, withdrawn));
            }
        }
    }

    /// Passports of models of others: what rests on one asks for the next.
    fn passports(&self, items: &mut Vec<Expiry>) {
        for model in self.world.gate.passports.models() {
            let Some(taken) = passport::of(self.world, model, self.from) else { continue };
            let on = taken.spec.says.valid_until;
            if !self.within(on) {
                continue;
            }
            let seeds: Vec<_> = self.world.lineage.find(model).into_iter().collect();
            items.push(Expiry {
                on,
                what: "passport".to_owned(),
                r#ref: model.to_string(),
                says: format!("the passport of `{model}` ends"),
                deployments: self.downstream(&seeds),
                warn: None,
            });
        }
    }

    /// Tokens that let somebody in until then: who is behind one, and what for, is for administrators to see.
    fn tokens(&self, items: &mut Vec<Expiry>) {
        let tokens = self.world.access.tokens();
        let ending = tokens.iter().filter(|token| !token.revoked && self.within(token.spec.expires_at));
        items.extend(ending.map(|token| Expiry {
            on: token.spec.expires_at,
            what: "token".to_owned(),
            r#ref: format!("token:{}", token.id),
            says: format!("a token of `actor:{}` lets nobody in any more", token.spec.actor.0),
            deployments: Vec::new(),
            warn: None,
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
                        set.extend(r.spec.covers.purposes.iter().map(|p| p.base().to_owned()));
                        set
                    });
                self.naming(|d| d.bases.iter().any(is) || covers.contains(d.purpose.base()))
            }
            "system" => self.naming(|d| is(&d.system)),
            "deployment" => self.naming(|d| format!("deployment:{}", d.name) == own || is(&Ref::deployment(&d.name))),
            "assessment" => self.assessed(own),
            "baseline" => {
                let all = world.review.baselines.all(own).iter().flat_map(|b| &b.spec.items);
                let named: BTreeSet<&str> = all.map(|item| item.deployment.as_str()).collect();
                self.naming(|d| named.contains(Ref::deployment(&d.name).to_string().as_str()))
            }
            "loosening" => {
                let looser = world.review.loosenings.latest(own).map(|l| l.spec.environment.name().to_owned());
                self.naming(|d| {
                    let stands = world.registry.environment_of(d.environment.name());
                    stands.is_some_and(|e| looser.as_deref() == Some(e.spec.key.as_str()))
                })
            }
            "policy" => self.naming(|_| true),
            _ => Vec::new(),
        }
    }

    /// Running deployments downstream of what an assessment is of.
    fn assessed(&self, assessment: &str) -> Vec<String> {
        let all = self.world.lawfulness.assessments.all(assessment);
        let of: Vec<String> = all.iter().flat_map(|a| things_of(self.world, &a.spec)).collect();
        // Interests are weighed of a basis, and found compelling of a purpose: who relies on that relies on it.
        if let Some(law) = of.iter().find(|of| of.starts_with("basis:") || of.starts_with("purpose:")) {
            return self.relying(law);
        }
        let seeds: Vec<_> = of.iter().flat_map(|of| super::impact::nodes(self.world, of)).collect();
        self.downstream(&seeds)
    }

    /// Running deployments downstream of nodes.
    fn downstream(&self, seeds: &[NodeId]) -> Vec<String> {
        let lineage = &self.world.lineage;
        let reached = walk::closure(lineage.graph(), seeds, Direction::Downstream);
        let names: BTreeSet<Arc<str>> = reached.iter().map(|r| lineage.name(r.node)).collect();
        let running = self.running.iter().filter(|d| {
            let release = self.world.registry.active(&d.reference).map(|release| release.reference.clone());
            names.contains(&d.reference) || release.is_some_and(|release| names.contains(&release))
        });
        running.map(|d| d.reference.to_string()).collect()
    }
}

/// Everybody a deployment names.
fn parties(d: &DeploymentSpec) -> impl Iterator<Item = String> {
    let recipients = d.discloses.iter().flat_map(|disclosure| &disclosure.to);
    std::iter::once(&d.controller).chain(&d.processors).chain(recipients).map(ToString::to_string)
}
