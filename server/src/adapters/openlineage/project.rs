//! What is known of runs and names, put into the registry and the graph by the functions that native facts go through. What somebody
//! stated natively of the same thing stays as it was said: then only edges are added.

use std::collections::BTreeMap;

use licit_schemas::lineage::{EdgeCreate, EdgeName, EdgeOrigin};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{
    Code, DatasetSpec, DatasetVersionSpec, ModelKind, ModelSpec, ModelVersionSpec, Operation, RunInput, RunSpec, Tags,
};
use licit_schemas::text::VersionId;
use uuid::Uuid;

use super::event::Received;
use super::names;
use super::state::{Flows, Run, explicit_run};
use crate::catalogue::Stated;
use crate::db::{At, Rows};
use crate::facts::{World, digest};
use crate::lineage::graph::Origin;

/// The purpose of a run of which nobody stated one: it is never approved, so that the gate refuses what needs one.
const UNSTATED: &str = "purpose:unstated";

impl World {
    /// Fold an event in.
    pub(crate) fn event_received(&mut self, fact: &Received, at: &At, rows: &mut Rows) {
        let mut touched = self.openlineage.fold(&fact.event);
        // What an event adds nothing to is not stated anew; but where somebody recorded the run natively since, its edges are.
        let natively = |id: &Uuid| self.registry.held(&Ref::run(*id).to_string()).is_some_and(|held| !held.reported);
        if touched.runs.is_empty() && natively(&fact.event.run) {
            touched.runs.push(fact.event.run);
        }
        for version in &touched.versions {
            match version.kind() {
                Kind::Model => self.put_model(version, at, rows),
                _ => self.put_dataset(version, at, rows),
            }
        }
        for (one, other) in &touched.aliases {
            self.lineage.same(one, other, at, rows);
        }
        for id in touched.runs {
            let Some(run) = self.openlineage.run(id).filter(|run| run.counts).cloned() else { continue };
            if !run.flow.inputs.is_empty() || !run.flow.outputs.is_empty() {
                let spec = self.run_spec(id, &run, &run.flow);
                self.put_run(id, spec, Origin::Inferred, at, rows);
            }
            for (made, flows) in &run.explicit {
                let own = explicit_run(id, made);
                let mut spec = self.run_spec(id, &run, flows);
                tag(&mut spec.tags, "openlineage.run", &Ref::run(id).to_string());
                self.put_run(own, spec, Origin::Declared, at, rows);
            }
        }
    }

    pub(in crate::adapters) fn put_dataset(&mut self, version: &Ref, at: &At, rows: &mut Rows) {
        let base = version.unpinned();
        let (Some(known), Ok(version_id)) =
            (self.openlineage.version(version).cloned(), version.version().unwrap_or_default().parse::<VersionId>())
        else {
            return;
        };
        let named = base.namespace().and_then(|namespace| namespace.parse().ok()).zip(base.name().parse().ok());
        if let Some((namespace, name)) = named {
            let owner = self.openlineage.owner(&base).cloned();
            let spec = DatasetSpec { namespace, name, description: None, owner, tags: Tags::new() };
            let sum = digest(&spec);
            let latest = self.registry.datasets.latest(&base.to_string()).map(|l| (l.id, l.rev, l.digest));
            if let Some((id, rev)) = self.next(&base, latest, sum) {
                self.registry.dataset(&Stated { id, rev, spec }, sum, at, rows);
                self.openlineage.note(&base, sum);
            }
        }
        let mut tags = version_tags(&version_id);
        if let Some((_, change)) = &known.change {
            tag(&mut tags, "openlineage.lifecycle", change.as_str());
        }
        believed(&mut tags, &known.assessments);
        let spec = DatasetVersionSpec {
            dataset: base,
            version: version_id,
            digest: None,
            fields: known.fields(),
            subjects: known.subjects.iter().cloned().collect(),
            origin: known.origin(),
            region: None,
            retention: None,
            controllers: known.controllers.iter().cloned().collect(),
            processors: Vec::new(),
            collected_for: known.purposes.iter().cloned().collect(),
            collected_under: known.bases.iter().cloned().collect(),
            notices: Vec::new(),
            rows: None,
            measured: None,
            tags,
        };
        let (reference, sum) = (version.to_string(), digest(&spec));
        if !self.registry.takes(&reference, sum) {
            return;
        }
        let fact = Stated { id: names::id(&[&reference]), rev: 1, spec };
        self.registry.dataset_version(&fact, sum, at, rows);
        if let Some(held) = self.registry.report(&reference) {
            self.lineage.dataset_version(&fact, &held, at, rows);
        }
    }

    pub(in crate::adapters) fn put_model(&mut self, version: &Ref, at: &At, rows: &mut Rows) {
        let base = version.unpinned();
        let (Ok(name), Ok(version_id)) = (base.name().parse(), version.version().unwrap_or_default().parse()) else {
            return;
        };
        let owner = self.openlineage.owner(&base).cloned();
        let spec = ModelSpec { name, description: None, owner, tags: Tags::new() };
        let sum = digest(&spec);
        let latest = self.registry.models.latest(&base.to_string()).map(|l| (l.id, l.rev, l.digest));
        if let Some((id, rev)) = self.next(&base, latest, sum) {
            self.registry.model(&Stated { id, rev, spec }, sum, at, rows);
            self.openlineage.note(&base, sum);
        }
        let spec = ModelVersionSpec {
            tags: version_tags(&version_id),
            model: base,
            version: version_id,
            kind: ModelKind::Built,
            files: Vec::new(),
            endpoint: None,
            provider: None,
            framework: None,
            metrics: BTreeMap::new(),
        };
        let (reference, sum) = (version.to_string(), digest(&spec));
        if !self.registry.takes(&reference, sum) {
            return;
        }
        let fact = Stated { id: names::id(&[&reference]), rev: 1, spec };
        self.registry.model_version(&fact, sum, at, rows);
        if let Some(held) = self.registry.report(&reference) {
            self.lineage.model_version(&fact, &held, at);
        }
    }

    /// Id and revision under which a name is stated anew; none where it says the same, or somebody else stated it.
    fn next(
        &self,
        base: &Ref,
        latest: Option<(Uuid, u32, licit_schemas::digest::Digest)>,
        sum: licit_schemas::digest::Digest,
    ) -> Option<(Uuid, u32)> {
        match latest {
            None => Some((names::id(&[&base.to_string()]), 1)),
            Some((id, rev, own)) if own != sum && self.openlineage.stated(base) == Some(own) => Some((id, rev + 1)),
            Some(_) => None,
        }
    }

    fn run_spec(&self, id: Uuid, run: &Run, flows: &Flows) -> RunSpec {
        let facet = self.openlineage.facet(id);
        let mut tags = Tags::new();
        if let Some((_, job)) = &run.job {
            tag(&mut tags, "openlineage.job", job.as_str());
        }
        if let Some((_, parent)) = &run.parent {
            tag(&mut tags, "openlineage.parent", &Ref::run(*parent).to_string());
        }
        if let Some(basis) = &facet.basis {
            tag(&mut tags, "licit.basis", &basis.to_string());
        }
        believed(&mut tags, &facet.assessments);
        let code = run
            .code
            .as_ref()
            .and_then(|(_, (uri, revision))| Some(Code { uri: uri.parse().ok()?, revision: revision.clone() }));
        RunSpec {
            id: None,
            operation: facet.operation.unwrap_or(Operation::Derive),
            purpose: facet.purpose.unwrap_or_else(unstated),
            inputs: flows.inputs.iter().map(|input| RunInput { r#ref: input.clone(), role: None }).collect(),
            outputs: flows.outputs.iter().cloned().collect(),
            columns: flows.columns(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            code,
            controller: facet.controller,
            processors: Vec::new(),
            member_sets: Vec::new(),
            tags,
        }
    }

    pub(in crate::adapters) fn put_run(&mut self, id: Uuid, spec: RunSpec, origin: Origin, at: &At, rows: &mut Rows) {
        let own = Ref::run(id);
        let (reference, sum) = (own.to_string(), digest(&spec));
        if !self.registry.takes(&reference, sum) {
            if self.registry.held(&reference).is_some_and(|held| !held.reported) {
                self.add_edges(&own, &spec, origin, at, rows);
            }
            return;
        }
        let fact = Stated { id, rev: 1, spec };
        self.registry.run(&fact, sum, at, rows);
        if let Some(held) = self.registry.report(&reference) {
            self.lineage.run(&fact, &held, origin, at, rows);
            self.by_recipe(&reference);
        }
    }

    /// What an engine reports of a run that was recorded natively.
    fn add_edges(&mut self, own: &Ref, spec: &RunSpec, origin: Origin, at: &At, rows: &mut Rows) {
        let origin = match origin {
            Origin::Declared => EdgeOrigin::Declared,
            Origin::Observed => EdgeOrigin::Observed,
            _ => EdgeOrigin::Inferred,
        };
        let edge = |kind, from: &Ref, to: &Ref, role| EdgeCreate {
            kind,
            from: from.clone(),
            to: to.clone(),
            role,
            origin,
            valid_from: None,
        };
        let read = spec.inputs.iter().map(|input| edge(EdgeName::Used, own, &input.r#ref, input.role));
        let made = spec.outputs.iter().map(|output| edge(EdgeName::Generated, output, own, None));
        for edge in read.chain(made).collect::<Vec<_>>() {
            self.lineage.edge_reported(&edge, at, rows);
        }
    }
}

#[expect(clippy::expect_used, reason = "the text is a reference, and a test reads it")]
pub(in crate::adapters) fn unstated() -> Ref {
    UNSTATED.parse().expect("a reference")
}

/// That nobody stated a version is said where it is shown.
fn version_tags(version: &VersionId) -> Tags {
    let how = match version.as_str() {
        names::REPORTED => "reported by name alone",
        minted if names::is_minted(minted) => "minted for the run",
        _ => "stated by the engine",
    };
    let mut tags = Tags::new();
    tag(&mut tags, "openlineage.version", how);
    tags
}

/// Assessments that somebody believes to hold, in a tag: as many as it can have.
pub(in crate::adapters) fn believed<'r>(tags: &mut Tags, assessments: impl IntoIterator<Item = &'r Ref>) {
    /// Characters of the tag.
    const MOST: usize = 200;
    let mut text = String::new();
    for one in assessments.into_iter().map(ToString::to_string) {
        if text.len() + one.len() + 2 > MOST {
            break;
        }
        text = if text.is_empty() { one } else { format!("{text}, {one}") };
    }
    if !text.is_empty() {
        tag(tags, "licit.assessments", &text);
    }
}

pub(in crate::adapters) fn tag(tags: &mut Tags, key: &str, value: &str) {
    if let (Some(key), Some(value)) = (names::name(key), names::name(value)) {
        tags.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_s_purpose_is_a_reference() {
        assert_eq!(super::unstated().to_string(), super::UNSTATED);
    }
}
