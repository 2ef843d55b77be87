//! What rules and decisions read off the evidence: paths, names, owners, and what stands behind a node.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::gate::Intent;
use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::reference::Ref;
use licit_schemas::registry::PartySpec;
use licit_schemas::time::Timestamp;

use super::super::coverage::base;
use super::{Cohort, Evidence, Missing, Source, assessed};
use crate::catalogue::Revision;
use crate::lineage::exposure::{self, CONTAINED, SERVED, SHAPED, VALIDATION, Want};
use crate::lineage::graph::{EdgeKind, Flags, NodeId, NodeKind};
use crate::lineage::walk::Label;
use crate::registry::attestations::Attestation;

/// Sources of one cohort, and which collected ones are contained in them.
pub struct Behind<'a> {
    /// Place of their cohort.
    pub cohort: usize,
    sources: &'a [Source],
    /// By place of a cohort, a bit for each of the sources that holds one of it.
    held: &'a [Label],
    /// The bit of the first of these sources.
    first: usize,
}

impl Behind<'_> {
    /// A bit for each of the sources that holds a collected source of a cohort.
    pub fn holders(&self, cohort: usize) -> Label {
        let own = Label::MAX >> (Label::BITS as usize - self.sources.len());
        self.held[cohort] >> self.first & own
    }

    /// The sources whose bits are set.
    pub fn among(&self, bits: Label) -> impl Iterator<Item = &Source> {
        self.sources.iter().enumerate().filter(move |(bit, _)| bits >> bit & 1 == 1).map(|(_, source)| source)
    }
}

impl Evidence<'_> {
    /// The shortest path from the release to a node along which `want` is carried, as references.
    pub fn path(&self, node: NodeId, want: Want) -> Vec<String> {
        let lineage = &self.world.lineage;
        let over = |carries: &dyn Fn(NodeId, NodeId) -> bool| {
            exposure::path_over(lineage.graph(), &self.seeds, &|node| self.cuts(node), carries, node, want)
        };
        // Along columns that flow, where one does.
        let narrowed = self.narrowed.as_ref().map(|narrowed| over(&|from, to| narrowed.carries(lineage, from, to)));
        let path = narrowed.filter(|path| !path.is_empty()).unwrap_or_else(|| over(&|_, _| true));
        let mut names: Vec<String> = path.into_iter().map(|n| lineage.name(n).to_string()).collect();
        // What is read when it runs begins at the deployment, not at the release.
        let own = self.release.as_ref().map(|r| &*r.reference);
        if names.first().is_some_and(|first| Some(first.as_str()) != own) {
            names.insert(0, self.ask.deployment.clone());
        }
        names
    }

    /// The path by whatever way the node is reached.
    pub fn any_path(&self, node: NodeId) -> Vec<String> {
        let label = self.closure.iter().find(|(n, _)| *n == node).map_or(0, |(_, l)| *l);
        let mode = [CONTAINED, SERVED, SHAPED, VALIDATION].into_iter().find(|m| label & m != 0);
        mode.map_or_else(Vec::new, |mode| self.path(node, Want::Mode(mode)))
    }

    /// `None` when an assessment of the kind holds of something for the deployment's controller; else why not.
    pub fn assessed(&self, reference: &str, kind: AssessmentKind) -> Option<Missing> {
        match &self.deployment {
            Some(deployment) => {
                let holder = &deployment.spec.controller;
                assessed::assessed(self.world, reference, kind, None, holder, self.ask.valid_at)
            }
            None => Some(Missing::Assessment(None)),
        }
    }

    /// What was observed of an endpoint last.
    pub fn attestation(&self, model: &str) -> Option<&Attestation> {
        self.world.registry.attestations.latest(model, self.ask.valid_at).map(|seen| &**seen)
    }

    /// `None` when an approved balancing of interests holds for who relies on a basis, at a moment; else why not.
    pub fn balanced(&self, basis: &str, controller: &str, at: Timestamp) -> Option<Missing> {
        let Ok(holder) = controller.parse::<Ref>() else { return Some(Missing::Assessment(None)) };
        let of = |name| assessed::assessed(self.world, name, AssessmentKind::Balancing, None, &holder, at);
        let all = of(base(basis))?;
        let own = of(basis)?;
        Some(if assessed::rank(&own) > assessed::rank(&all) { own } else { all })
    }

    /// `None` when an approved assessment of one of these holds for the deployment's controller; else why not.
    pub fn assessed_any(&self, names: &[&str], kind: AssessmentKind) -> Option<Missing> {
        let mut why = Missing::Assessment(None);
        for name in names {
            let missing = self.assessed(name, kind)?;
            if assessed::rank(&missing) > assessed::rank(&why) {
                why = missing;
            }
        }
        Some(why)
    }

    /// Whether the exposure ends at a node whose anonymity was assessed: only while that is approved and in force, for this
    /// deployment's controller. What runs relies on it still when it ended; for how long, `assessment.in_force` says.
    pub fn cuts(&self, node: NodeId) -> bool {
        if let Some((_, known)) = self.cuts.borrow().iter().find(|(n, _)| *n == node) {
            return *known;
        }
        let cuts = match self.assessed(&self.world.lineage.name(node), AssessmentKind::Anonymity) {
            None => true,
            Some(Missing::AssessmentEnded(..)) => self.ask.intent == Intent::Continue,
            Some(_) => false,
        };
        self.cuts.borrow_mut().push((node, cuts));
        cuts
    }

    /// `None` when an approved assessment found the use of a source for a purpose compatible with its collection
    /// (GDPR Art. 6(4)): of the version, or of its whole dataset.
    pub fn compatible(&self, version: &str, purpose: &str, controller: &str, at: Timestamp) -> Option<Missing> {
        let Ok(holder) = controller.parse::<Ref>() else { return Some(Missing::Assessment(None)) };
        let of = |name| assessed::assessed(self.world, name, AssessmentKind::Compatibility, Some(purpose), &holder, at);
        let dataset = of(base(version))?;
        match of(version)? {
            Missing::Assessment(None) => Some(dataset),
            version => Some(version),
        }
    }

    /// Runs that lineage names and nobody registered.
    pub fn unregistered_runs(&self) -> impl Iterator<Item = NodeId> + '_ {
        let graph = self.world.lineage.graph();
        self.gaps
            .iter()
            .filter(|g| matches!(g.missing, Missing::Dangling | Missing::BasesThen(..)))
            .map(|g| (g.node, graph.node(g.node)))
            .filter(|(_, node)| node.kind == NodeKind::Run && node.flags.has(Flags::DANGLING))
            .map(|(id, _)| id)
    }

    /// The cohort of a source.
    pub fn cohort(&self, source: &Source) -> &Cohort<'_> {
        &self.cohorts[source.cohort]
    }

    /// Runs of the closure that read a node, but for those the board took over as lawful then, oldest edge first.
    pub fn readers(&self, closure: &HashSet<NodeId>, node: NodeId) -> Vec<NodeId> {
        let holder = self.deployment.as_ref().map(|deployment| &deployment.spec.controller);
        let lawful = |run: NodeId| {
            let (kind, name) = (AssessmentKind::Regularisation, self.world.lineage.name(run));
            holder.is_some_and(|holder| {
                assessed::assessed(self.world, &name, kind, None, holder, self.ask.valid_at).is_none()
            })
        };
        let read = self.world.lineage.graph().downstream(node).filter(|half| half.kind == EdgeKind::Used);
        let mut runs: Vec<NodeId> = read.map(|half| half.node).filter(|run| closure.contains(run)).collect();
        runs.dedup();
        runs.retain(|run| !lawful(*run));
        runs
    }

    /// The sources of a cohort, in order of discovery.
    pub fn sources_of(&self, cohort: usize) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |s| s.cohort == cohort)
    }

    /// Judge the sources of some cohorts by the collected ones contained in them, all in as few walks as can tell them apart.
    /// People who only formed the model that wrote a table are not in it.
    pub fn behind(&self, which: impl Fn(&Cohort<'_>) -> bool, mut judge: impl FnMut(&Behind<'_>)) {
        if !self.cohorts.iter().any(&which) {
            return;
        }
        let mut holders: Vec<Source> = self.sources.iter().filter(|s| which(self.cohort(s))).copied().collect();
        holders.sort_by_key(|source| source.cohort);
        let collected: HashMap<NodeId, usize> =
            self.sources.iter().filter(|s| !self.cohort(s).derived).map(|s| (s.node, s.cohort)).collect();
        let mut held = vec![0; self.cohorts.len()];
        for chunk in holders.chunks(exposure::HOLDERS) {
            held.fill(0);
            let nodes: Vec<NodeId> = chunk.iter().map(|source| source.node).collect();
            for (node, by) in exposure::held_by(self.world.lineage.graph(), &nodes, exposure::NO_CUTS) {
                if let Some(&cohort) = collected.get(&node) {
                    held[cohort] |= by;
                }
            }
            let mut first = 0;
            for alike in chunk.chunk_by(|one, other| one.cohort == other.cohort) {
                judge(&Behind { cohort: alike[0].cohort, sources: alike, held: &held, first });
                first += alike.len();
            }
        }
    }

    /// The dataset of a source, `dataset:<namespace>/<name>`.
    pub fn dataset(&self, source: &Source) -> String {
        base(&self.world.lineage.name(source.node)).to_owned()
    }

    /// Name of a node.
    pub fn name(&self, node: NodeId) -> String {
        self.world.lineage.name(node).to_string()
    }

    /// Team that answers for a dataset or model, for findings.
    pub fn owner(&self, reference: &str) -> String {
        let base = reference.parse::<Ref>().map(|r| r.base().to_owned()).unwrap_or_default();
        let registry = &self.world.registry;
        let owner = registry
            .datasets
            .latest(&base)
            .and_then(|d| d.spec.owner.clone())
            .or_else(|| registry.models.latest(&base).and_then(|m| m.spec.owner.clone()));
        owner.map_or_else(|| format!("owner of {base}"), |o| o.to_string())
    }

    /// The controller of the deployment, as it last stated itself.
    pub fn controller(&self) -> Option<&Arc<Revision<PartySpec>>> {
        self.world.registry.parties.latest(&self.deployment.as_ref()?.spec.controller.to_string())
    }

    /// Whether it hands something over and runs nothing: no model, no index.
    pub fn only_hands_over(&self) -> bool {
        let discloses = self.deployment.as_ref().is_some_and(|d| d.spec.discloses.is_some());
        let runs = |r: &crate::registry::Release| !r.spec.composition.is_empty() || !r.spec.indexes.is_empty();
        discloses && !self.release.is_some_and(runs)
    }

    /// Versions the deployment writes about people, as it declares: pinned ones, the latest of followed datasets.
    pub fn written(&self) -> Vec<NodeId> {
        let declared = self.deployment.iter().flat_map(|d| d.spec.writes.iter().flat_map(|writes| &writes.datasets));
        let pinned = declared.filter_map(|dataset| match dataset.is_pinned() {
            true => Some(dataset.to_string()),
            false => self.world.registry.latest(&dataset.to_string()).map(ToString::to_string),
        });
        pinned.filter_map(|name| self.world.lineage.find(&name)).collect()
    }

    /// Everybody the data are controlled, processed, provided or received by.
    pub fn parties(&self) -> BTreeSet<String> {
        let spec = self.deployment.as_ref().map(|d| &d.spec);
        let own = spec.into_iter().flat_map(|d| {
            let recipients = d.discloses.iter().flat_map(|disclosure| &disclosure.to);
            std::iter::once(&d.controller).chain(&d.processors).chain(recipients).map(ToString::to_string)
        });
        let classes = self.cohorts.iter().map(|cohort| &*cohort.class);
        let held = classes.flat_map(|class| class.controllers.iter().chain(&class.processors)).map(ToString::to_string);
        let trained = self.trainings.iter().flat_map(|t| {
            let processors = t.run().into_iter().flat_map(|run| &run.processors).map(ToString::to_string);
            std::iter::once(t.controller.clone()).chain(processors)
        });
        let provided = self.models.iter().filter_map(|m| m.facts()?.provider.as_ref().map(ToString::to_string));
        own.chain(held).chain(trained).chain(provided).collect()
    }

    /// Team that answers for the deployment.
    pub fn deployment_owner(&self) -> String {
        self.deployment.as_ref().map_or_else(|| "registrar".to_owned(), |d| d.spec.owner.to_string())
    }

    /// Digests of the files the release may run, by model.
    pub fn admitted(&self) -> std::collections::BTreeMap<String, Vec<Digest>> {
        self.models
            .iter()
            .filter_map(|m| m.facts().map(|f| (m.reference.to_string(), f.files.iter().map(|(_, d)| *d).collect())))
            .collect()
    }
}
