//! The canonical form of the evidence: what was looked at, by reference and digest. Its digest stands in the decision.

use std::collections::BTreeSet;

use licit_schemas::adoption::BaselineSpec;
use serde_json::{Value, json};

use super::{Evidence, Source};
use crate::catalogue::Revision;
use crate::db::Projection;
use crate::gate::baseline;
use crate::gate::coverage::{Question, base};
use crate::gate::envelope::reach;
use crate::gate::policy::Policy;
use crate::lineage::columns::Way;

impl Evidence<'_> {
    /// What was looked at, as a document that stays: every word in it is part of the format.
    pub fn document(&self, policy: &Policy) -> Value {
        let review = &self.world.review;
        let mut document = json!({
            "position": self.world.position(),
            "valid_at": self.ask.valid_at,
            "intent": self.ask.intent,
            "asked": self.ask.release,
            "mode": self.mode,
            "loosened": self.loosened,
            "ends": self.ends,
            "emergencies": crate::gate::emergency::uses(self.world, &self.ask.deployment, self.ask.valid_at).iter().map(|used| json!({
                "ref": &*used.reference, "digest": used.digest,
                "ratification": format!("{:?}", crate::gate::emergency::ratification(self.world, &used.reference)).to_lowercase(),
            })).collect::<Vec<_>>(),
            "policy": policy.document(),
            "deployment": {
                "ref": self.ask.deployment,
                "digest": self.deployment.as_ref().map(|d| d.digest),
                "approvals": review.approvals(&self.ask.deployment).iter().map(|a| json!({
                    "id": a.id.to_string(), "end": a.end(), "envelope": a.spec.subject.digest,
                })).collect::<Vec<_>>(),
            },
            "release": self.release.as_ref().map(|r| json!({"ref": &*r.reference, "digest": r.digest, "state": r.state})),
            "controller": self.controller().map(|c| json!({"ref": &*c.reference, "digest": c.digest})),
            "system": self.system.as_ref().map(|s| json!({"ref": &*s.reference, "digest": s.digest})),
            "purpose": self.purpose.as_ref().map(|p| json!({
                "ref": &*p.reference,
                "digest": p.digest,
                "approvals": review.approvals(&p.reference).iter().map(|a| json!({
                    "id": a.id.to_string(), "end": a.end(),
                })).collect::<Vec<_>>(),
            })),
            "bases": candidates(self.question.as_ref()),
            "named_bases": self.bases.iter().map(|b| json!({
                "ref": &*b.revision.reference, "digest": b.revision.digest, "stands": b.stands,
            })).collect::<Vec<_>>(),
            "sources": self.sources.iter().map(|s| self.source(s)).collect::<Vec<_>>(),
            "trainings": self.trainings.iter().map(|t| json!({
                "ref": self.name(t.node),
                "digest": t.held.as_ref().map(|h| h.digest),
                "controller": t.controller,
                "regularised": t.regularised,
                "bases": candidates(t.question.as_ref()),
            })).collect::<Vec<_>>(),
            "assessments": self.assessments(),
            "cuts": self.assessed.iter().filter(|n| self.cuts(**n)).map(|n| self.name(*n)).collect::<Vec<_>>(),
            "joins": self.joins.iter().map(|j| json!({"ref": self.name(j.run), "risk": j.risk})).collect::<Vec<_>>(),
            "baselines": self.release.iter().flat_map(|release| {
                let about = |b: &&std::sync::Arc<Revision<BaselineSpec>>| {
                    b.spec.items.iter().any(|item| *item.release == *release.reference)
                };
                baseline::in_force(self.world, self.ask.valid_at).filter(about).map(|b| json!({
                    "ref": &*b.reference, "digest": b.digest,
                })).collect::<Vec<_>>()
            }).collect::<Vec<_>>(),
            "incomplete": self.gaps.iter().map(|g| json!({
                "ref": self.name(g.node), "missing": g.missing,
            })).collect::<Vec<_>>(),
            "barred": self.barred.iter().map(|b| json!({
                "ref": self.name(b.node), "life": b.life, "since": b.since,
            })).collect::<Vec<_>>(),
            "models": self.models.iter().map(|m| json!({
                "ref": &*m.reference, "digest": m.held.as_ref().map(|h| h.digest),
            })).collect::<Vec<_>>(),
            "undeclared": self.undeclared.iter().map(|n| self.name(*n)).collect::<Vec<_>>(),
            "unversioned": self.unversioned,
            "closure": self.closure.len(),
            "artifacts": self.ask.artifacts,
        });
        // Of which tables with people nothing personal flows, where runs speak of columns.
        if self.narrowed.is_some() {
            document["left_out"] = self.left_out.iter().map(|node| self.name(*node)).collect();
        }
        // What the organisation's own rules were judged on, in words.
        if policy.has_rules() {
            document["view"] = self.view();
        }
        document
    }

    /// Assessments of the sources, of their datasets, of joins, and of what is said to be anonymous.
    fn assessments(&self) -> Vec<Value> {
        let joins = self.joins.iter().map(|j| j.run);
        let nodes = self.sources.iter().map(|s| s.node).chain(self.assessed.iter().copied()).chain(joins);
        let names = nodes.map(|n| self.name(n));
        let names: BTreeSet<String> = names.flat_map(|name| [base(&name).to_owned(), name]).collect();
        let all = names.iter().flat_map(|name| self.world.lawfulness.assessments_of(name));
        all.map(|assessment| {
            let approvals = self.world.review.approvals(&assessment.reference);
            json!({
                "ref": &*assessment.reference,
                "digest": assessment.digest,
                "approvals": approvals.iter().map(|a| json!({"id": a.id.to_string(), "end": a.end()})).collect::<Vec<_>>(),
            })
        })
        .collect()
    }

    fn source(&self, source: &Source) -> Value {
        let (name, cohort) = (self.name(source.node), self.cohort(source));
        let mut document = json!({
            "digest": self.world.registry.held(&name).map(|h| h.digest),
            "ref": name,
            "reach": reach(cohort.modes),
            "trainings": cohort.trainings,
            "derived": cohort.derived,
            "deployment": cohort.deployment,
            "training": cohort.training,
        });
        let lineage = &self.world.lineage;
        // How far it identifies, where that is more than it states.
        if lineage.graph().node(source.node).implied != 0 {
            document["identifiability"] = json!(cohort.class.identifiability);
        }
        // Which columns flow, where not all do.
        if let Some(flowing) = self.narrowed.as_ref().and_then(|narrowed| narrowed.flowing(lineage, source.node)) {
            let fields = flowing.iter().map(|(field, way)| (field.name.to_string(), word(*way).into()));
            document["columns"] = Value::Object(fields.collect());
        }
        document
    }
}

fn word(way: Way) -> &'static str {
    match way {
        Way::No => "no",
        Way::Masked => "masked",
        Way::Plain => "plain",
    }
}

fn candidates(question: Option<&Question>) -> Value {
    question
        .into_iter()
        .flat_map(|q| &q.candidates)
        .map(|c| {
            json!({
                "ref": &*c.revision.reference,
                "digest": c.revision.digest,
                "approval": c.approval.as_ref().map(|a| a.id.to_string()),
                "stands": c.stands,
            })
        })
        .collect()
}
