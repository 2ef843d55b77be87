//! The evidence in words, for the organisation's own rules: what stands behind the references and digests of the canonical document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Cohort, Evidence};
use crate::facts::word;
use crate::gate::coverage::base;
use crate::gate::envelope::reach;
use crate::registry::vocabulary::{TermId, vocabulary};

impl Evidence<'_> {
    /// Where it runs, what for, on what, and whose data reach it. What is not known is null or left out of its list.
    pub(super) fn view(&self) -> Value {
        let spec = self.deployment.as_ref().map(|d| &d.spec);
        let system = self.system.as_ref().map(|s| &s.spec);
        let traits = || self.classes.iter().map(|class| &class.traits);
        let operations: BTreeSet<String> = traits().filter_map(|t| t.operation).map(|o| word(&o)).collect();
        let regions: BTreeSet<&str> = traits().filter_map(|t| t.region.as_ref()).map(|r| r.as_str()).collect();
        let cohorts: Vec<Value> = self.cohorts.iter().map(cohort).collect();
        let sources = self.sources.iter().map(|source| {
            let mut one = cohorts[source.cohort].clone();
            let name = self.name(source.node);
            one["dataset"] = base(&name).into();
            one["ref"] = name.into();
            one
        });
        json!({
            "environment": spec.map(|d| d.environment.name()),
            "controller": spec.map(|d| d.controller.to_string()),
            "processors": spec.map(|d| &d.processors),
            "region": spec.and_then(|d| d.region.as_ref()),
            "recipients": spec.map(|d| d.discloses.iter().flat_map(|disclosure| &disclosure.to).collect::<Vec<_>>()),
            "owner": spec.map(|d| &d.owner),
            "tags": spec.map(|d| &d.tags),
            "purpose": spec.map(|d| d.purpose.unpinned()),
            "purpose_iri": self.purpose.as_ref().map(|p| &p.spec.iri),
            "regulated_as": self.purpose.as_ref().map(|p| &p.spec.regulated_as),
            "system": spec.map(|d| d.system.unpinned()),
            "risk_class": system.map(|s| s.risk_class),
            "role": system.map(|s| s.role),
            "effect": system.map(|s| s.effect),
            "reliance": system.map(|s| s.reliance),
            "documents": system.map(|s| s.documents.iter().map(|d| d.kind.to_string()).collect::<Vec<_>>()),
            "legal_bases": self.bases.iter().map(|b| b.revision.spec.legal_basis).collect::<Vec<_>>(),
            "operations": operations,
            "regions": regions,
            "models": self.models.iter().map(|m| json!({
                "ref": &*m.reference,
                "kind": m.facts().map(|f| f.kind),
                "provider": m.facts().and_then(|f| f.provider.as_ref()),
                "region": m.facts().and_then(|f| f.endpoint.as_ref()).map(|e| &e.region),
            })).collect::<Vec<_>>(),
            "sources": sources.collect::<Vec<_>>(),
        })
    }
}

fn cohort(cohort: &Cohort<'_>) -> Value {
    let class = &cohort.class;
    let terms = |ids: &[TermId]| ids.iter().map(|id| vocabulary().term(*id).iri.clone()).collect::<Vec<_>>();
    json!({
        "reach": reach(cohort.modes),
        "derived": cohort.derived,
        "categories": terms(&class.categories),
        "subjects": terms(&class.subjects),
        "special": class.special,
        "identifiability": class.identifiability,
        "controllers": class.controllers.iter().map(|c| &**c).collect::<Vec<_>>(),
        "processors": class.processors.iter().map(|c| &**c).collect::<Vec<_>>(),
        "region": class.traits.region.as_ref(),
    })
}
