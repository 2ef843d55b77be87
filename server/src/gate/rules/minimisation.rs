//! No more data than the purpose needs.

use std::collections::BTreeSet;

use licit_schemas::gate::{Finding, Status};

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};
use crate::registry::vocabulary::{TermId, vocabulary};

/// `minimisation`: where the purpose says which categories it needs, data contained in what runs, or served to it, are of
/// others too (GDPR Art. 5(1)(c)). Columns that nothing reads are no data it uses, where the runs say which they read.
pub(super) fn minimisation(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    let Some(purpose) = &evidence.purpose else { return Vec::new() };
    let Some(needs) = &purpose.spec.needs else { return Vec::new() };
    let v = vocabulary();
    let needs: Vec<TermId> = needs.iter().filter_map(|iri| v.find(iri.as_str())).collect();
    for (place, cohort) in evidence.cohorts.iter().enumerate().filter(|(_, c)| c.modes & (CONTAINED | SERVED) != 0) {
        let needed = |term: &TermId| needs.iter().any(|broad| v.is_a(*term, *broad));
        let more: BTreeSet<String> = cohort
            .class
            .categories
            .iter()
            .filter(|t| !needed(t))
            .map(|t| format!("\"{}\"", v.term(*t).label))
            .collect();
        if more.is_empty() {
            continue;
        }
        let more = more.into_iter().collect::<Vec<_>>().join(", ");
        let mode = if cohort.modes & CONTAINED != 0 { CONTAINED } else { SERVED };
        for source in evidence.sources_of(place) {
            let name = evidence.name(source.node);
            list.add((mode, more.clone()), &name, || {
                finding("minimisation", Status::Unmet, "GDPR Art. 5(1)(c)", &name)
                    .fine(GDPR_UPPER)
                    .path(evidence.path(source.node, Want::Mode(mode)))
                    .says(format!("`{name}` brings {more}, which `{}` does not need", purpose.reference))
                    .to(evidence.deployment_owner())
                    .remedy(
                        "train and serve on fewer columns, and have the runs state the `columns` they read",
                        Some("licit register".to_owned()),
                    )
            });
        }
    }
    list.findings()
}
