//! The canonical form of the evidence: what was looked at, by reference and digest. Its digest stands in the decision.

use std::collections::{BTreeMap, BTreeSet};

use licit_schemas::adoption::BaselineSpec;
use licit_schemas::lawfulness::{AssessmentSpec, LegalBasis};
use serde_json::{Value, json};

use super::{Consented, Evidence, Source, assessed, bringing_together, consents_of, measured, outputs};
use crate::catalogue::Revision;
use crate::db::Projection;
use crate::gate::baseline;
use crate::gate::coverage::{Question, base};
use crate::gate::envelope::reach;
use crate::gate::passport;
use crate::gate::policy::Policy;
use crate::lineage::columns::Way;
use crate::lineage::graph::NodeId;
use crate::registry::What;
use crate::registry::vocabulary::{TermId, vocabulary};

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
            "environment": self.environment.as_ref().map(|e| json!({"ref": &*e.reference, "digest": e.digest})),
            "parties": self.parties().iter().map(|party| json!({
                "ref": party, "digest": self.world.registry.parties.latest(party).map(|p| p.digest),
            })).collect::<Vec<_>>(),
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
                "controller": t.unsaid.is_none().then_some(&t.controller),
                "controllers": t.unsaid.iter().flatten().map(|c| &**c).collect::<Vec<_>>(),
                "regularised": t.regularised,
                "bases": candidates(t.question.as_ref()),
            })).collect::<Vec<_>>(),
            "assessments": self.assessments(policy),
            "figures": self.figures(policy),
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
                "attested": self.attestation(&m.reference).map(|seen| json!({
                    "id": seen.id.to_string(), "digest": seen.digest, "at": seen.at,
                })),
            })).collect::<Vec<_>>(),
            "undeclared": self.undeclared.iter().map(|n| self.name(*n)).collect::<Vec<_>>(),
            "unversioned": self.unversioned,
            "written": self.written().into_iter().map(|node| {
                let name = self.name(node);
                json!({"digest": self.world.registry.held(&name).map(|h| h.digest), "ref": name})
            }).collect::<Vec<_>>(),
            "notices": self.told_document(),
            "closure": self.closure.len(),
            "artifacts": self.ask.artifacts,
        });
        // How many people, and how many of them lack consent: never who.
        let consents = consents_of(self);
        if !consents.is_empty() {
            let asked = |asked| match asked {
                Consented::Training(place) => json!({"training": place}),
                Consented::Opposed(place) => json!({"opposed": place}),
                Consented::Restricted(place) => json!({"restricted": place}),
                Consented::Overdue(days) => json!({"overdue": days}),
                Consented::Objected(days) => json!({"objected": days}),
                Consented::Served => json!("served"),
            };
            document["consents"] = consents
                .iter()
                .map(|consent| {
                    let mut one = json!({
                        "ref": self.name(consent.source),
                        "asked": asked(consent.asked),
                        "purpose": consent.purpose,
                        "at": consent.at,
                        "explicit": consent.form.explicit,
                        "members": consent.members.map(|(entry, count)| json!({"seq": entry, "count": count})),
                        "missing": consent.missing,
                        "due": consent.due,
                    });
                    if consent.form.parental {
                        one["parental"] = json!(true);
                    }
                    if consent.erased > 0 {
                        one["erased"] = json!(consent.erased);
                    }
                    let acted = consent.acted.entries();
                    if !acted.is_empty() {
                        one["acted"] = json!(acted);
                    }
                    one
                })
                .collect();
        }
        if let Some(list) = &self.suppression {
            document["suppression"] = match list {
                Err(_) => json!("unread"),
                Ok(list) => json!({
                    "refused": list.refused, "lacking": list.lacking, "objecting": list.objecting,
                    "restricted": list.restricted, "objections": list.objections, "marketing": list.marketing,
                    "since": list.since, "acknowledged": list.acknowledged.map(|last| json!({"position": last.position, "at": last.at, "as_of": last.as_of})),
                }),
            };
        }
        // How many people were erased from what is read, and how long ago: never who.
        if !self.still_held.is_empty() {
            let each = self.still_held.iter();
            document["still_held"] = each
                .map(|h| json!({"ref": self.name(h.node), "people": h.people, "since": h.since, "due": h.due}))
                .collect();
        }
        // What rests on no registration but on what an owner assumes of a whole namespace.
        if !self.assumed.is_empty() {
            document["assumed"] = self.assumed.iter().map(|node| self.assumption(*node)).collect();
        }
        // What others said of their models.
        if !self.world.gate.passports.is_empty() {
            let names = self.closure.iter().map(|(node, _)| self.name(*node)).filter(|name| name.starts_with("model:"));
            let each = names.filter_map(|name| passport::of(self.world, &name, self.ask.valid_at));
            document["passports"] =
                each.map(|taken| json!({"ref": taken.spec.model, "digest": taken.digest})).collect();
        }
        // What a number that policy asks for was held against.
        if policy.min_k().is_some() {
            let tables = bringing_together(self).flat_map(|run| measured(self, run));
            document["measured"] = tables.map(|(table, k)| json!({"ref": self.name(table), "k": k})).collect();
        }
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
    fn assessments(&self, policy: &Policy) -> Vec<Value> {
        let joins = self.judged(policy);
        let trainings = self.trainings.iter().map(|t| t.node);
        let nodes =
            self.sources.iter().map(|s| s.node).chain(self.assessed.iter().copied()).chain(joins.iter().copied());
        let results = joins.iter().flat_map(|run| outputs(&self.world.lineage, *run));
        let gaps = self.gaps.iter().map(|g| g.node);
        let names = nodes.chain(trainings).chain(results).chain(gaps).map(|n| self.name(n));
        let questions = self.question.iter().chain(self.trainings.iter().filter_map(|t| t.question.as_ref()));
        let candidates = questions.flat_map(|q| &q.candidates).map(|c| &c.revision);
        let weighed = candidates.filter(|r| r.spec.legal_basis == LegalBasis::Art6_1F).map(|r| r.reference.to_string());
        let names: BTreeSet<String> = names.chain(weighed).flat_map(|name| [base(&name).to_owned(), name]).collect();
        let all = names.iter().flat_map(|name| assessed::of(self.world, name));
        let all: BTreeMap<&str, &Revision<AssessmentSpec>> = all.map(|a| (&*a.reference, &**a)).collect();
        let approvals = |reference: &str| {
            let all = self.world.review.approvals(reference).iter();
            all.map(|a| json!({"id": a.id.to_string(), "end": a.end()})).collect::<Vec<_>>()
        };
        all.into_values()
            .map(|assessment| {
                let mut document = json!({
                    "ref": &*assessment.reference,
                    "digest": assessment.digest,
                    "approvals": approvals(&assessment.reference),
                });
                let then = &assessment.spec.bases_then;
                if !then.is_empty() {
                    let bases = then.iter().map(|b| json!({"ref": b, "approvals": approvals(&b.to_string())}));
                    document["bases_then"] = bases.collect();
                }
                document
            })
            .collect()
    }

    /// Joins that are judged: those that may identify people, and where policy asks for a number all others.
    fn judged(&self, policy: &Policy) -> BTreeSet<NodeId> {
        let others = policy.min_k().map(|_| bringing_together(self)).into_iter().flatten();
        self.joins.iter().map(|join| join.run).chain(others).collect()
    }

    /// What recipes asked to be measured, and what was.
    fn figures(&self, policy: &Policy) -> Vec<Value> {
        if !self.world.lawfulness.has_recipes() {
            return Vec::new();
        }
        let joins = self.judged(policy);
        let results = joins.iter().flat_map(|run| outputs(&self.world.lineage, *run));
        let names = self.assessed.iter().copied().chain(results).map(|n| self.name(n));
        let each = names.map(|name| {
            let figures: BTreeMap<String, Option<f64>> = assessed::figures(self.world, &name).into_iter().collect();
            (name, figures)
        });
        each.filter(|(_, figures)| !figures.is_empty()).map(|(name, f)| json!({"ref": name, "figures": f})).collect()
    }

    /// The default classes behind a dataset version, and until when each answers.
    fn assumption(&self, node: NodeId) -> Value {
        let classes = &self.world.registry.classes.catalogue;
        let held = self.world.lineage.record(node).held.as_deref();
        let defaults = match held.map(|held| &held.what) {
            Some(What::Dataset(facts)) => facts.defaults(),
            _ => Vec::new(),
        };
        let stated = defaults.iter().filter_map(|d| classes.every().find(|revision| revision.reference == *d));
        json!({
            "ref": self.name(node),
            "defaults": stated.map(|revision| json!({
                "ref": &*revision.reference, "digest": revision.digest, "end": revision.spec.valid_to,
            })).collect::<Vec<_>>(),
        })
    }

    fn source(&self, source: &Source) -> Value {
        let (name, cohort) = (self.name(source.node), self.cohort(source));
        let held = self.world.registry.held(&name);
        let mut document = json!({
            "digest": held.map(|h| h.digest),
            "ref": name,
            "reach": reach(cohort.modes),
            "trainings": cohort.trainings,
            "derived": cohort.derived,
            "deployment": cohort.deployment,
            "training": cohort.training,
        });
        // What people were promised when it was collected, where it was.
        if !cohort.derived {
            document["notices"] = json!(self.bound_to(source.cohort));
        }
        if let Some(What::Dataset(facts)) = held.map(|held| &held.what)
            && let Some(classified) = &facts.classified
        {
            let iri = |term: &TermId| vocabulary().iri(*term);
            document["classified"] = classified
                .iter()
                .map(|(name, (categories, identifiability))| {
                    let categories: Vec<_> = categories.iter().filter_map(iri).collect();
                    json!({"name": name, "categories": categories, "identifiability": identifiability})
                })
                .collect();
        }
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
