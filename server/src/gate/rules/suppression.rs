//! Whether those who said no are left out of what runs.

use chrono::Duration;
use licit_schemas::gate::{Finding, Status};

use super::{GDPR_UPPER, finding};
use crate::gate::evidence::Evidence;
use crate::gate::policy::Policy;
use crate::gate::suppression::{FRESH_HOURS, Suppression};

/// Hours for which what runs may go on with a list that is no longer fresh, those on the one before being left out all the while; and
/// after the first said no, before it has any. One person's will stops no service.
const LATE_HOURS: i64 = 72;

fn pull(evidence: &Evidence<'_>) -> Option<String> {
    Some(format!("licit suppression pull {} --acknowledge", evidence.ask.deployment))
}

/// `suppression.fresh`: there are people to leave out, and nobody ever acknowledged a list, or none within a day (GDPR Art. 7(3), 18, 21).
pub(super) fn fresh(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    const RULE: &str = "suppression.fresh";
    const ARTICLE: &str = "GDPR Art. 7(3), 18, 21";
    let own = &evidence.ask.deployment;
    let begin = |status| {
        finding(RULE, status, ARTICLE, own.as_str())
            .fine(GDPR_UPPER)
            .path(vec![own.clone()])
            .to(evidence.deployment_owner())
    };
    let Some(list) = evidence.suppression.as_ref() else { return Vec::new() };
    let Ok(list) = list else {
        return vec![
            begin(Status::Unknown)
                .says("what people said cannot be read from the database: whom to leave out is unknown")
                .to("administrator")
                .remedy("ask again; where it stays so, look at the server's log", None),
        ];
    };
    if list.is_empty() {
        return Vec::new();
    }
    let people = says(list);
    let now = evidence.ask.valid_at;
    let Some(last) = list.acknowledged else {
        return vec![
            begin(Status::Unmet)
                .since(list.since)
                .due(list.since.map(|since| since.plus(Duration::hours(LATE_HOURS))))
                .says(format!("`{own}` is to leave out {people}, and nobody acknowledged that list"))
                .remedy("pull the list, leave out whom it names, and acknowledge it", pull(evidence)),
        ];
    };
    let stale = last.as_of.plus(Duration::hours(FRESH_HOURS));
    if now < stale {
        return Vec::new();
    }
    vec![
        begin(Status::Expired)
            .since(Some(stale))
            .due(Some(stale.plus(Duration::hours(LATE_HOURS))))
            .says(format!("`{own}` is to leave out {people}, and has no list newer than of {}", last.as_of))
            .remedy("pull the list, leave out whom it names, and acknowledge it", pull(evidence)),
    ]
}

/// How many, and why.
fn says(list: &Suppression) -> String {
    let parts = [
        (list.refused, "who refused or withdrew consent"),
        (list.lacking, "in what it is served on without valid consent"),
        (list.objecting, "who object"),
        (list.restricted, "whose data are restricted"),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!("{count} {why}")).collect();
    format!("people ({})", parts.join(", "))
}

/// `objection`: somebody objects, and what runs does not leave them out yet: to direct marketing at once, whatever the basis (GDPR
/// Art. 21(2), (3)); elsewhere within a day, until compelling grounds override it (Art. 21(1)). What models learned from them is
/// acted on within the days of the purpose (Art. 17(1)(c)).
pub(super) fn objection(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    let mut findings = served(evidence);
    findings.extend(super::consent::objected(evidence));
    findings
}

/// Direct marketing that does not leave out who objects.
fn served(evidence: &Evidence<'_>) -> Vec<Finding> {
    let own = &evidence.ask.deployment;
    let Some(Ok(list)) = evidence.suppression.as_ref() else { return Vec::new() };
    let honoured = list.acknowledged.is_some_and(|last| last.position >= list.objections);
    // Elsewhere than in marketing, the list of the day is soon enough: `suppression.fresh` sees to that.
    if list.objecting == 0 || honoured || !list.marketing {
        return Vec::new();
    }
    vec![
        finding("objection", Status::Unmet, "GDPR Art. 21(2), (3)", own.as_str())
            .fine(GDPR_UPPER)
            .path(vec![own.clone()])
            .says(format!(
                "{} people object to direct marketing, and `{own}` has not acknowledged the list that names them all",
                list.objecting
            ))
            .to(evidence.deployment_owner())
            .remedy("pull the list, leave out whom it names at once, and acknowledge it", pull(evidence)),
    ]
}
