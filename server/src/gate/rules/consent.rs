//! Whether the people behind what rests on consent gave it.

use licit_schemas::gate::{Finding, Status};

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::db::people::Form;
use crate::gate::evidence::{Consent, Consented, Evidence};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};

const RULE: &str = "consent.coverage";
const ARTICLE: &str = "GDPR Art. 7(1), 7(3)";

/// `consent.coverage`: members of a source that rests on consent had none when a training began, or withdrew it since and nobody
/// acted on it in time (GDPR Art. 7(1), 7(3)). Whose consent it is, is named to the data protection officer only.
pub(super) fn coverage(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for consent in &evidence.consents {
        let tolerated = |members: u64| {
            let most = u128::from(members) * u128::from(policy.unconsented_per_million()) / 1_000_000;
            u64::try_from(most).unwrap_or(u64::MAX)
        };
        match (consent.members, consent.missing) {
            (Some(_), Some(0)) => {}
            (Some((_, members)), Some(missing)) => {
                let within = matches!(consent.asked, Consented::Training(_)) && missing <= tolerated(members);
                if !within {
                    lacking(evidence, consent, (members, missing), &mut list);
                }
            }
            (Some(_), None) => unread(evidence, consent, &mut list),
            (None, _) => unknown(evidence, consent, &mut list),
        }
    }
    list.findings()
}

type List = Grouped<(u8, String)>;

fn path(evidence: &Evidence<'_>, consent: &Consent) -> Vec<String> {
    match consent.asked {
        Consented::Training(training) => evidence.path(consent.source, Want::Run(evidence.trainings[training].node)),
        Consented::Overdue(_) => evidence.path(consent.source, Want::Mode(CONTAINED)),
        Consented::Served => evidence.path(consent.source, Want::Mode(SERVED)),
    }
}

/// How many lack it.
fn lacking(evidence: &Evidence<'_>, consent: &Consent, (members, missing): (u64, u64), list: &mut List) {
    let name = evidence.name(consent.source);
    let kind = match consent.form {
        Form { explicit: true, parental: true } => "explicit consent of whoever holds parental responsibility",
        Form { parental: true, .. } => "consent of whoever holds parental responsibility",
        Form { explicit: true, .. } => "explicit consent",
        Form { .. } => "consent",
    };
    let purpose = &consent.purpose;
    let explicit = if consent.form.explicit { " --explicit" } else { "" };
    let parental = if consent.form.parental { " --parental" } else { "" };
    let begin = || finding(RULE, Status::Unmet, ARTICLE, &name).fine(GDPR_UPPER).path(path(evidence, consent));
    match consent.asked {
        Consented::Training(training) => {
            let training = &evidence.trainings[training];
            let run = evidence.name(training.node);
            let erased = match consent.erased {
                0 => String::new(),
                erased => format!("; {erased} of them erased since, which repairs no training"),
            };
            list.add((0, format!("{run} {name}")), &name, || {
                begin()
                    .since(Some(consent.at))
                    .due(consent.due)
                    .says(format!(
                        "{missing} of {members} people in `{name}` had no valid {kind} for `{purpose}` when `{run}` began on {}{erased}",
                        consent.at
                    ))
                    .to(evidence.owner(&name))
                    .remedy(
                        "leave them out, train again on the corrected member set, and name it in the run's `member_sets`",
                        Some(format!("licit subjects exclude {name} --purpose {purpose}{explicit}{parental}")),
                    )
            });
        }
        Consented::Served => {}
        Consented::Overdue(days) => list.add((1, name.clone()), &name, || {
            begin()
                .due(consent.due)
                .says(format!(
                    "{missing} of {members} people in `{name}` withdrew, or were erased, more than {days} days ago: they have no valid {kind} for `{purpose}`, and what runs still contains their data"
                ))
                .to(evidence.deployment_owner())
                .remedy(
                    "leave them out, train again on the corrected member set, and release that",
                    Some(format!("licit subjects exclude {name} --purpose {purpose}{explicit}{parental}")),
                )
        }),
    }
}

/// Nobody said who is in it.
fn unknown(evidence: &Evidence<'_>, consent: &Consent, list: &mut List) {
    let name = evidence.name(consent.source);
    list.add((2, name.clone()), &name, || {
        finding(RULE, Status::Unknown, ARTICLE, &name)
            .fine(GDPR_UPPER)
            .path(path(evidence, consent))
            .since(Some(evidence.world.lineage.record(consent.source).at))
            .says(format!("`{name}` rests on consent, and nobody said who is in it: whether they gave it is unknown"))
            .to(evidence.owner(&name))
            .remedy(
                "load its members by their pseudonyms",
                Some(format!("licit subjects add {name} --from people.csv --column email --key subjects.key")),
            )
    });
}

/// What people said cannot be read.
fn unread(evidence: &Evidence<'_>, consent: &Consent, list: &mut List) {
    let name = evidence.name(consent.source);
    list.add((3, name.clone()), &name, || {
        finding(RULE, Status::Unknown, ARTICLE, &name)
            .path(path(evidence, consent))
            .says(format!("what the people in `{name}` said cannot be read from the database"))
            .to("administrator")
            .remedy("ask again; where it stays so, look at the server's log", None)
    });
}
