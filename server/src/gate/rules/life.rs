//! Data that no basis carries, whatever it covers: restricted, or erased; and rows of people who were.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::registry::Life;

use super::{GDPR_UPPER, finding};
use crate::gate::evidence::Evidence;
use crate::lineage::exposure::{CONTAINED, Want};

/// One finding for each.
pub(super) fn barred<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Finding> + 'a {
    evidence.barred.iter().map(|barred| {
        let name = evidence.name(barred.node);
        let since = barred.since;
        let begin = |article| {
            finding("source.covered", Status::Unmet, article, &name)
                .fine(GDPR_UPPER)
                .path(evidence.path(barred.node, barred.by))
                .since(Some(since))
        };
        if barred.life == Life::Erased {
            return begin("GDPR Art. 17(1)")
                .to(evidence.deployment_owner())
                .says(format!("`{name}` was erased on {since}, and is named as what is read when this deployment runs"))
                .remedy("take it out: read a version that is held, or register the one that is read", None);
        }
        let used = match barred.by {
            Want::Run(run) => format!("`{}` began to train on it after that", evidence.name(run)),
            Want::Mode(CONTAINED) => "it can be contained in what runs".to_owned(),
            Want::Mode(_) => "it is read when this deployment runs".to_owned(),
        };
        begin("GDPR Art. 18(1)")
            .to("dpo")
            .says(format!("`{name}` is restricted since {since} and may only be stored, but {used}"))
            .remedy(
                "lift the restriction when its ground is gone, or take it out",
                Some(format!("licit dataset life {name} held --reason REASON")),
            )
    })
}

/// Versions that still hold rows of people who were erased: no list of those to leave out can name them.
pub(super) fn still_held<'a>(evidence: &'a Evidence<'_>) -> impl Iterator<Item = Finding> + 'a {
    evidence.still_held.iter().map(|held| {
        let name = evidence.name(held.node);
        finding("retention", Status::Unmet, "GDPR Art. 17(1)", &name)
            .fine(GDPR_UPPER)
            .path(evidence.any_path(held.node))
            .since(Some(held.since))
            .due(Some(held.due))
            .says(format!(
                "{} people behind `{name}` were erased since {}, it holds their rows, and no list can name whom to leave out",
                held.people, held.since
            ))
            .to(evidence.owner(&name))
            .remedy("register a version without them, serve that, and erase this one", Some("licit register".to_owned()))
    })
}
