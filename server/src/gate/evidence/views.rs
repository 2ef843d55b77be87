//! What rules and decisions read off the evidence: paths, names, owners, and what stands behind a node.

use std::collections::HashMap;

use licit_schemas::digest::Digest;
use licit_schemas::lawfulness::AssessmentKind;
use licit_schemas::reference::Ref;

use super::super::coverage::base;
use super::{Cohort, Evidence, Missing, Source, inspect};
use crate::lineage::exposure::{self, CONTAINED, SERVED, SHAPED, VALIDATION, Want};
use crate::lineage::graph::{NodeId, NodeKind};

impl Evidence<'_> {
    /// The shortest path from the release to a node along which `want` is carried, as references.
    pub fn path(&self, node: NodeId, want: Want) -> Vec<String> {
        let lineage = &self.world.lineage;
        let path = exposure::path(lineage.graph(), &self.seeds, node, want);
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

    /// Whether an assessment of the kind holds for the deployment's controller; else why not.
    pub fn assessed(&self, reference: &str, kind: AssessmentKind) -> Option<Missing> {
        let holder = self.deployment.as_ref().map(|d| &d.spec.controller);
        match (self.world.lineage.find(reference), holder) {
            (Some(node), Some(holder)) => inspect::assessed(self.world, node, kind, holder, self.ask.valid_at),
            _ => Some(Missing::Assessment(None)),
        }
    }

    /// Runs that lineage names and nobody registered.
    pub fn unregistered_runs(&self) -> impl Iterator<Item = NodeId> + '_ {
        let graph = self.world.lineage.graph();
        self.gaps
            .iter()
            .filter(|g| g.missing == Missing::Dangling)
            .map(|g| g.node)
            .filter(|n| graph.node(*n).kind == NodeKind::Run)
    }

    /// The cohort of a source.
    pub fn cohort(&self, source: &Source) -> &Cohort<'_> {
        &self.cohorts[source.cohort]
    }

    /// The sources of a cohort, in order of discovery.
    pub fn sources_of(&self, cohort: usize) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(move |s| s.cohort == cohort)
    }

    /// For each of these derived nodes: the cohorts, by place, of which a collected source is contained in it. People who only
    /// formed the model that wrote it are not in it.
    pub fn cohorts_in(&self, derived: &[NodeId]) -> Vec<Vec<bool>> {
        let collected: HashMap<NodeId, usize> =
            self.sources.iter().filter(|s| !self.cohort(s).derived).map(|s| (s.node, s.cohort)).collect();
        let mut rows = vec![vec![false; self.cohorts.len()]; derived.len()];
        for (holders, rows) in derived.chunks(exposure::HOLDERS).zip(rows.chunks_mut(exposure::HOLDERS)) {
            for (node, held) in exposure::held_by(self.world.lineage.graph(), holders) {
                let Some(&cohort) = collected.get(&node) else { continue };
                for (bit, row) in rows.iter_mut().enumerate() {
                    row[cohort] |= held >> bit & 1 == 1;
                }
            }
        }
        rows
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
        let base = reference.parse::<Ref>().map(|r| r.unpinned().to_string()).unwrap_or_default();
        let registry = &self.world.registry;
        let owner = registry
            .datasets
            .latest(&base)
            .and_then(|d| d.spec.owner.clone())
            .or_else(|| registry.models.latest(&base).and_then(|m| m.spec.owner.clone()));
        owner.map_or_else(|| format!("owner of {base}"), |o| o.to_string())
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
