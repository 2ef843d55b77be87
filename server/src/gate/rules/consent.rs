//! Whether the people behind what rests on consent gave it.

use licit_schemas::consent::ModelRemedy;
use licit_schemas::gate::{Finding, Status};
use licit_schemas::lawfulness::WithdrawalPolicy;

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::db::people::Form;
use crate::gate::evidence::{Consent, Consented, Evidence};
use crate::gate::policy::Policy;
use crate::lineage::exposure::{CONTAINED, SERVED, Want};

const RULE: &str = "consent.coverage";
const OBJECTION: &str = "objection";
const ARTICLE: &str = "GDPR Art. 7(1), 7(3)";

/// `consent.coverage`: members of a source that rests on consent had none when a training began, or withdrew it since and nobody
/// acted on it in time (GDPR Art. 7(1), 7(3)). Whose consent it is, is named to the data protection officer only.
pub(super) fn coverage(evidence: &Evidence<'_>, policy: &Policy) -> Vec<Finding> {
    let mut list = Grouped::new();
    for consent in evidence.consents.iter().filter(|consent| of_consent(consent)) {
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
            (Some(_), None) => unread_of(RULE, evidence, consent, &mut list),
            (None, _) => unknown(evidence, consent, &mut list),
        }
    }
    list.findings()
}

type List = Grouped<(u8, String)>;

/// Whether it is consent that is asked for, and not that nobody objects.
fn of_consent(consent: &Consent) -> bool {
    matches!(consent.asked, Consented::Training(_) | Consented::Overdue(_) | Consented::Served)
}

fn path(evidence: &Evidence<'_>, consent: &Consent) -> Vec<String> {
    match consent.asked {
        Consented::Training(training) | Consented::Opposed(training) | Consented::Restricted(training) => {
            evidence.path(consent.source, Want::Run(evidence.trainings[training].node))
        }
        Consented::Overdue(_) | Consented::Objected(_) => evidence.path(consent.source, Want::Mode(CONTAINED)),
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
            let erased = erased(consent);
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
        Consented::Served | Consented::Objected(_) | Consented::Opposed(_) | Consented::Restricted(_) => {}
        Consented::Overdue(days) => list.add((1, name.clone()), &name, || {
            let exclude = format!("licit subjects exclude {name} --purpose {purpose}{explicit}{parental}");
            let (remedy, command) = remedy(evidence, purpose, exclude);
            begin()
                .due(consent.due)
                .says(format!(
                    "{missing} of {members} people in `{name}` withdrew, or were erased, more than {days} days ago: they have no valid {kind} for `{purpose}`, and what runs still contains their data"
                ))
                .to(evidence.deployment_owner())
                .remedy(remedy, command)
        }),
    }
}

/// Those who were erased since, as the end of a sentence.
fn erased(consent: &Consent) -> String {
    match consent.erased {
        0 => String::new(),
        erased => format!("; {erased} of them erased since, which repairs no training"),
    }
}

/// The remedy of the purpose in words, and the command that begins or records it: `exclude` for training again. Where several models
/// run, it would have to be recorded for each that holds them, and no command is told.
fn remedy(evidence: &Evidence<'_>, purpose: &str, exclude: String) -> (&'static str, Option<String>) {
    let policy = evidence.purpose.as_ref().and_then(|purpose| purpose.spec.withdrawal.as_ref());
    let remedy = policy.map_or(ModelRemedy::Retrain, WithdrawalPolicy::remedy);
    let record = |more: &str| match &evidence.models[..] {
        [model] => Some(format!("licit consent act {} --purpose {purpose} --remedy {remedy}{more}", model.reference)),
        _ => None,
    };
    let claim = || record(" --evidence-uri URI --evidence-digest DIGEST --reason REASON");
    match remedy {
        ModelRemedy::Retrain => {
            ("leave them out, train again on the corrected member set, and release that", Some(exclude))
        }
        ModelRemedy::Suppress => (
            "acknowledge the suppression list in every deployment of the model, and record that they are left out there",
            record(""),
        ),
        ModelRemedy::UnlearnCertified => (
            "take out of the model what it learned from them, have that certified, and record it with its evidence",
            claim(),
        ),
        ModelRemedy::AdapterRemoval => ("release a composition without the adapter that learned from them", None),
        ModelRemedy::RemoveFromIndex => ("make a version of the index without them, release it, and record that", None),
        ModelRemedy::OutputFilter => {
            ("filter what the model says about them, and record that with its evidence", claim())
        }
        ModelRemedy::AnonymisedExempt => ("have the model assessed as anonymous, and the assessment approved", None),
        ModelRemedy::NoAction => ("record why nothing is to be done, with its evidence", claim()),
    }
}

/// People who object, and whose data what runs still contains (GDPR Art. 17(1)(c), 21(1)).
pub(super) fn objected(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut list = Grouped::new();
    for consent in &evidence.consents {
        let days = match consent.asked {
            Consented::Objected(days) => days,
            Consented::Opposed(training) => {
                opposed(evidence, consent, training, &mut list);
                continue;
            }
            _ => continue,
        };
        let (name, purpose) = (evidence.name(consent.source), &consent.purpose);
        let begin = |status| {
            finding(OBJECTION, status, "GDPR Art. 17(1)(c), 21(1)", &name)
                .fine(GDPR_UPPER)
                .path(path(evidence, consent))
        };
        match (consent.members, consent.missing) {
            (_, Some(0)) => {}
            (_, None) => unread_of(OBJECTION, evidence, consent, &mut list),
            (Some((_, members)), Some(missing)) => list.add((0, name.clone()), &name, || {
                let exclude = format!("licit subjects exclude {name} --purpose {purpose} --objecting");
                let (remedy, command) = remedy(evidence, purpose, exclude);
                let erased = erased(consent);
                begin(Status::Unmet)
                    .due(consent.due)
                    .says(format!(
                        "{missing} of {members} people in `{name}` objected to `{purpose}` more than {days} days ago, no grounds override that, and what runs still contains their data{erased}"
                    ))
                    .to(evidence.deployment_owner())
                    .remedy(remedy, command)
            }),
            (None, Some(objecting)) => list.add((2, name.clone()), &name, || {
                begin(Status::Unknown)
                    .since(Some(evidence.world.lineage.record(consent.source).at))
                    .says(format!(
                        "{objecting} people objected to `{purpose}` more than {days} days ago, what runs contains `{name}`, and nobody said who is in it"
                    ))
                    .to(evidence.owner(&name))
                    .remedy("load its members by their pseudonyms", load(&name))
            }),
        }
    }
    list.findings()
}

/// People whose data were restricted when a training began that read them all the same (GDPR Art. 18(1)).
pub(super) fn restricted(evidence: &Evidence<'_>) -> Vec<Finding> {
    const RULE: &str = "source.covered";
    let mut list = Grouped::new();
    for consent in &evidence.consents {
        let Consented::Restricted(training) = consent.asked else { continue };
        let Some((members, missing)) = among(RULE, evidence, consent, &mut list) else { continue };
        let (name, run) = (evidence.name(consent.source), evidence.name(evidence.trainings[training].node));
        list.add((0, format!("{run} {name}")), &name, || {
            finding(RULE, Status::Unmet, "GDPR Art. 18(1)", &name)
                .fine(GDPR_UPPER)
                .path(path(evidence, consent))
                .since(Some(consent.at))
                .due(consent.due)
                .says(format!(
                    "the data of {missing} of {members} people in `{name}` were restricted and might only be stored when `{run}` began on {}",
                    consent.at
                ))
                .to(evidence.owner(&name))
                .remedy(
                    "leave them out, train again on the corrected member set, and name it in the run's `member_sets`",
                    Some(format!("licit subjects exclude {name} --purpose {} --restricted", consent.purpose)),
                )
        });
    }
    list.findings()
}

/// How many members there are, and how many of them are concerned; none where none is, or, which is told, where what people said
/// cannot be read.
fn among(rule: &str, evidence: &Evidence<'_>, consent: &Consent, list: &mut List) -> Option<(u64, u64)> {
    match (consent.members, consent.missing) {
        (Some((_, members)), Some(missing)) if missing > 0 => Some((members, missing)),
        (Some(_), None) => {
            unread_of(rule, evidence, consent, list);
            None
        }
        _ => None,
    }
}

/// People who had objected when a training began, and whose data it read all the same (GDPR Art. 21(1), (3)).
fn opposed(evidence: &Evidence<'_>, consent: &Consent, training: usize, list: &mut List) {
    let (name, purpose) = (evidence.name(consent.source), &consent.purpose);
    let Some((members, missing)) = among(OBJECTION, evidence, consent, list) else { return };
    let run = evidence.name(evidence.trainings[training].node);
    let erased = erased(consent);
    list.add((1, format!("{run} {name}")), &name, || {
        finding(OBJECTION, Status::Unmet, "GDPR Art. 21(1), (3)", &name)
            .fine(GDPR_UPPER)
            .path(path(evidence, consent))
            .since(Some(consent.at))
            .due(consent.due)
            .says(format!(
                "{missing} of {members} people in `{name}` had objected to `{purpose}` when `{run}` began on {}, and no grounds override that{erased}",
                consent.at
            ))
            .to(evidence.owner(&name))
            .remedy(
                "leave them out, train again on the corrected member set, and name it in the run's `member_sets`",
                Some(format!("licit subjects exclude {name} --purpose {purpose} --objecting")),
            )
    });
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
            .remedy("load its members by their pseudonyms", load(&name))
    });
}

fn load(name: &str) -> Option<String> {
    Some(format!("licit subjects add {name} --from people.csv --column email --key subjects.key"))
}

/// What people said cannot be read.
fn unread_of(rule: &str, evidence: &Evidence<'_>, consent: &Consent, list: &mut List) {
    let name = evidence.name(consent.source);
    list.add((3, name.clone()), &name, || {
        finding(rule, Status::Unknown, ARTICLE, &name)
            .path(path(evidence, consent))
            .says(format!("what the people in `{name}` said cannot be read from the database"))
            .to("administrator")
            .remedy("ask again; where it stays so, look at the server's log", None)
    });
}
