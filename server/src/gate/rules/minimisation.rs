//! No more data than the purpose needs.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::PurposeSpec;
use licit_schemas::reference::Ref;

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::catalogue::Revision;
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::lineage::columns::{Narrowed, narrow};
use crate::lineage::exposure::{CONTAINED, NO_CUTS, SERVED, Want};
use crate::lineage::graph::{EdgeKind, NodeId};
use crate::lineage::walk::Label;
use crate::registry::vocabulary::{TermId, vocabulary};

/// `minimisation`: where the purpose says which categories it needs, data contained in what runs, or served to it, are of
/// others too; or those a training read are of others than its own purpose needs (GDPR Art. 5(1)(c)). Columns that nothing reads are
/// no data it uses, where the runs say which they read.
pub(super) fn minimisation(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    let purposes = &evidence.world.lawfulness.purposes;
    // Mostly no purpose says.
    if !evidence.world.lawfulness.needs_said {
        return Vec::new();
    }
    let own = evidence.purpose.as_ref().filter(|purpose| purpose.spec.needs.is_some());
    let mut trained: HashMap<&Ref, Option<Arc<Revision<PurposeSpec>>>> = HashMap::new();
    let trainings: Vec<Option<Arc<Revision<PurposeSpec>>>> = (evidence.trainings.iter())
        .map(|training| {
            let run = training.run().filter(|_| !training.regularised)?;
            let stated = || {
                let revision = purposes.revision(run.purpose.base(), run.purpose.rev()?);
                revision.filter(|purpose| purpose.spec.needs.is_some()).cloned()
            };
            trained.entry(&run.purpose).or_insert_with(stated).clone()
        })
        .collect();
    let mut walks: HashMap<NodeId, Narrowed> = HashMap::new();
    for (place, cohort) in evidence.cohorts.iter().enumerate() {
        let runs = cohort.modes & (CONTAINED | SERVED) != 0;
        if let Some((purpose, more)) =
            own.filter(|_| runs).and_then(|own| Some((own, beyond(own, &cohort.class.categories)?)))
        {
            let mode = if cohort.modes & CONTAINED != 0 { CONTAINED } else { SERVED };
            for source in evidence.sources_of(place) {
                let name = evidence.name(source.node);
                list.add((mode, String::new(), more.clone()), &name, || {
                    said(evidence, &name, &more, &purpose.reference)
                        .path(evidence.path(source.node, Want::Mode(mode)))
                        .remedy(
                            "train and serve on fewer columns, and have the runs state the `columns` they read",
                            Some("licit register".to_owned()),
                        )
                });
            }
        }
        for training in &cohort.trainings {
            // What the deployment's purpose was asked of is not asked again of the same.
            let asked = |purpose: &Arc<Revision<PurposeSpec>>| {
                runs && own.is_some_and(|own| own.reference == purpose.reference)
            };
            let Some(purpose) = trainings[*training].as_ref().filter(|purpose| !asked(purpose)) else { continue };
            if beyond(purpose, &cohort.class.categories).is_none() {
                continue;
            }
            let run = evidence.trainings[*training].node;
            for source in evidence.sources_of(place) {
                let read = read(evidence, &mut walks, run, source.node);
                let read = read.as_deref().unwrap_or(&cohort.class.categories);
                let Some(more) = beyond(purpose, read) else { continue };
                let name = evidence.name(source.node);
                list.add((Label::MAX, evidence.name(run), more.clone()), &name, || {
                    said(evidence, &name, &more, &purpose.reference)
                        .path(evidence.path(source.node, Want::Run(run)))
                        .remedy(
                            "train on fewer columns, and have the run state the `columns` it reads",
                            Some("licit register".to_owned()),
                        )
                });
            }
        }
    }
    list.findings()
}

fn said(evidence: &Evidence<'_>, name: &str, more: &str, purpose: &str) -> super::Build {
    finding("minimisation", Status::Unmet, "GDPR Art. 5(1)(c)", name)
        .fine(GDPR_UPPER)
        .says(format!("`{name}` brings {more}, which `{purpose}` does not need"))
        .to(evidence.deployment_owner())
}

/// The categories of what a run read of a source, where runs say so by column: other columns may reach the release in other ways. None
/// where it read all that reaches it.
fn read(
    evidence: &Evidence<'_>,
    walks: &mut HashMap<NodeId, Narrowed>,
    run: NodeId,
    source: NodeId,
) -> Option<Vec<TermId>> {
    evidence.narrowed.as_ref()?;
    let lineage = &evidence.world.lineage;
    let narrowed = walks.entry(run).or_insert_with(|| {
        let made = lineage.graph().downstream(run).filter(|half| half.kind == EdgeKind::Generated);
        narrow(lineage, &made.map(|half| (half.node, CONTAINED)).collect::<Vec<_>>(), NO_CUTS)
    });
    let flowing = narrowed.flowing(lineage, source)?;
    Some(flowing.iter().flat_map(|(field, _)| field.categories.iter().copied()).collect())
}

/// The categories that a purpose does not need, where it says which it does; none where there are none.
fn beyond(purpose: &Revision<PurposeSpec>, categories: &[TermId]) -> Option<String> {
    let v = vocabulary();
    let needs: Vec<TermId> = purpose.spec.needs.as_ref()?.iter().filter_map(|iri| v.find(iri.as_str())).collect();
    let needed = |term: &TermId| needs.iter().any(|broad| v.is_a(*term, *broad));
    let more = categories.iter().filter(|t| !needed(t)).map(|t| format!("\"{}\"", v.term(*t).label));
    let more: BTreeSet<String> = more.collect();
    (!more.is_empty()).then(|| more.into_iter().collect::<Vec<_>>().join(", "))
}
