//! Personal data that leave the European Economic Area.

use licit_schemas::gate::{Finding, Status};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Arrangement, ArrangementKind, PartySpec};
use licit_schemas::text::Country;
use licit_schemas::time::Timestamp;

use super::asked::Grouped;
use super::{GDPR_UPPER, finding};
use crate::gate::evidence::{Cohort, Evidence, Source};
use crate::gate::policy::Policy;
use crate::lawfulness::law::transfers::{self, Covered};
use crate::lineage::exposure::{CONTAINED, SERVED, Want};

const RULE: &str = "transfer";
const ARTICLE: &str = "GDPR Art. 44-49";

/// Where data go, and who has them there.
struct Place<'e> {
    /// What says so: the deployment, a party, a model; the data themselves where they lie there.
    node: Option<&'e str>,
    region: Option<&'e Country>,
    /// Who receives them there.
    importers: Vec<&'e str>,
    /// Who sends them besides those who control or process them.
    exporters: Vec<&'e str>,
    /// Which data: those of one cohort, or all.
    cohort: Option<usize>,
    /// Those a training read, at its start; else those contained or served, now.
    training: Option<usize>,
}

/// Whether data may be there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lawful {
    Yes,
    /// It was, until then.
    Until(Timestamp),
    No,
    /// Nobody said where the place is, or where the data are.
    Unknown,
}

/// `transfer`: personal data under the protection of the GDPR go where no decision on adequacy covers who receives them, and no
/// tool of Art. 46, 47 or 49 is in force between the two (GDPR Art. 44-49).
pub(super) fn transfer(evidence: &Evidence<'_>, _: &Policy) -> Vec<Finding> {
    if evidence.cohorts.is_empty() {
        return Vec::new();
    }
    let mut list = Grouped::new();
    for (number, place) in places(evidence).iter().enumerate() {
        let moment = moment(evidence, place.training);
        // Within the EEA, or covered whoever sends: the usual case.
        let covered = match place.region {
            Some(region) => adequate(evidence, region, &place.importers, moment),
            None => Covered::No,
        };
        if covered == Covered::Yes {
            continue;
        }
        // Each cohort has places of its own: they are not looked at with every other.
        for at in place.cohort.map_or(0..evidence.cohorts.len(), |own| own..own + 1) {
            let cohort = &evidence.cohorts[at];
            if !concerns(place, cohort) {
                continue;
            }
            let from = origin(evidence, cohort, moment);
            if from == Some(false) || (from.is_none() && cohort.derived) {
                continue; // Derived data of which nobody said where they are: their sources speak for them.
            }
            let lawful = match place.region {
                // Wherever a party is, a tool with it carries.
                None if carried(evidence, place, cohort, moment) => Lawful::Yes,
                None => Lawful::Unknown,
                Some(_) => match lawful(evidence, place, cohort, covered, moment) {
                    Lawful::No if from.is_none() => Lawful::Unknown,
                    other => other,
                },
            };
            if lawful == Lawful::Yes {
                continue;
            }
            for source in evidence.sources_of(at) {
                let name = evidence.name(source.node);
                list.add((number, lawful), &name, || say(evidence, place, source, cohort, lawful));
            }
        }
    }
    list.findings()
}

/// The moment a place is judged at.
fn moment(evidence: &Evidence<'_>, training: Option<usize>) -> Timestamp {
    let run = training.and_then(|number| evidence.trainings[number].run());
    run.map_or(evidence.ask.valid_at, |run| run.started_at)
}

/// Whether data that reach so go to a place.
fn concerns(place: &Place<'_>, cohort: &Cohort<'_>) -> bool {
    match place.training {
        Some(training) => cohort.trainings.contains(&training),
        None => cohort.modes & (CONTAINED | SERVED) != 0,
    }
}

fn party<'e>(evidence: &'e Evidence<'_>, key: &str) -> Option<&'e PartySpec> {
    evidence.world.registry.parties.latest(key).map(|party| &party.spec)
}

fn region_of<'e>(evidence: &'e Evidence<'_>, key: &str) -> Option<&'e Country> {
    party(evidence, key)?.region.as_ref()
}

/// All places the release takes data to.
fn places<'e>(evidence: &'e Evidence<'_>) -> Vec<Place<'e>> {
    let Some(deployment) = &evidence.deployment else { return Vec::new() };
    let spec = &deployment.spec;
    let controller = spec.controller.as_str();
    let processors = || spec.processors.iter().map(Ref::as_str);
    let own: Vec<&str> = std::iter::once(controller).chain(processors()).collect();
    let at = |node, region, importers| Place {
        node: Some(node),
        region,
        importers,
        exporters: own.clone(),
        cohort: None,
        training: None,
    };
    let of_party = |key| at(key, region_of(evidence, key), vec![key]);
    let mut places = Vec::new();
    // A handing over computes nowhere unless it says so.
    if spec.region.is_some() || !evidence.only_hands_over() {
        let there = |key: &&str| spec.region.as_ref().is_some_and(|own| same_country(region_of(evidence, key), own));
        let mut importers: Vec<&str> = processors().filter(there).collect();
        if importers.is_empty() {
            importers.clone_from(&own);
        }
        places.push(at(&evidence.ask.deployment, spec.region.as_ref(), importers));
    }
    let recipients = spec.discloses.iter().flat_map(|disclosure| &disclosure.to).map(Ref::as_str);
    places.extend(processors().chain(recipients).map(of_party));
    for model in &evidence.models {
        let Some((facts, endpoint)) = model.facts().and_then(|f| Some((f, f.endpoint.as_ref()?))) else { continue };
        let provider = facts.provider.iter().map(Ref::as_str).collect();
        places.push(at(&model.reference, Some(&endpoint.region), provider));
    }
    for (number, cohort) in evidence.cohorts.iter().enumerate() {
        let class = &cohort.class;
        let mine = |node, region, importers| Place {
            node,
            region,
            importers,
            exporters: Vec::new(),
            cohort: Some(number),
            training: None,
        };
        places.extend(class.processors.iter().map(|key| mine(Some(&**key), region_of(evidence, key), vec![&**key])));
        // Where the data themselves lie.
        if let Some(region) = &class.traits.region {
            let importers = if class.processors.is_empty() { &class.controllers } else { &class.processors };
            places.push(mine(None, Some(region), importers.iter().map(|key| &**key).collect()));
        }
    }
    for (number, training) in evidence.trainings.iter().enumerate().filter(|(_, t)| !t.regularised) {
        for key in training.run().into_iter().flat_map(|run| &run.processors).map(Ref::as_str) {
            places.push(Place { exporters: vec![&training.controller], training: Some(number), ..of_party(key) });
        }
    }
    places
}

fn same_country(one: Option<&Country>, other: &Country) -> bool {
    one.is_some_and(|one| one.as_str().get(..2) == other.as_str().get(..2))
}

/// Whether a region lies in the EEA, or a decision covers one of those who receive data there.
fn adequate(evidence: &Evidence<'_>, region: &Country, importers: &[&str], moment: Timestamp) -> Covered {
    if transfers::is_member(region, moment) {
        return Covered::Yes;
    }
    let each = importers.iter().map(|key| transfers::covers(region, party(evidence, key), moment));
    let mut best = Covered::No;
    for answer in each {
        best = match (best, answer) {
            (_, Covered::Yes) => return Covered::Yes,
            (Covered::Until(one), Covered::Until(other)) => Covered::Until(one.max(other)),
            (Covered::Until(end), Covered::No) | (Covered::No, Covered::Until(end)) => Covered::Until(end),
            (Covered::No, Covered::No) | (Covered::Yes, _) => best,
        };
    }
    best
}

/// Whether data stand under the protection that must travel with them: by where they lie, else by where who controls them is
/// established. None where nobody said either.
fn origin(evidence: &Evidence<'_>, cohort: &Cohort<'_>, moment: Timestamp) -> Option<bool> {
    let protected = |region: &Country| transfers::is_member(region, moment) || transfers::is_adequate(region, moment);
    let own = cohort.class.traits.region.as_ref().map(protected);
    if own == Some(true) {
        return own;
    }
    let mut known = own;
    for key in &cohort.class.controllers {
        match region_of(evidence, key).map(protected) {
            Some(true) => return Some(true),
            Some(false) => known = Some(false),
            None => {}
        }
    }
    known
}

/// Whether a tool carries the data of a cohort to a place.
fn lawful(
    evidence: &Evidence<'_>,
    place: &Place<'_>,
    cohort: &Cohort<'_>,
    covered: Covered,
    moment: Timestamp,
) -> Lawful {
    let class = &cohort.class;
    let exporters =
        place.exporters.iter().copied().chain(class.controllers.iter().chain(&class.processors).map(|p| &**p));
    let mut ended = match covered {
        Covered::Until(end) => Some(end),
        Covered::Yes | Covered::No => None,
    };
    for exporter in exporters {
        for importer in place.importers.iter().copied().filter(|key| *key != exporter) {
            for tool in tools(evidence, exporter, importer).chain(tools(evidence, importer, exporter)) {
                match tool.valid_to {
                    _ if moment < tool.valid_from => {}
                    Some(end) if end <= moment => ended = ended.max(Some(end)),
                    _ => return Lawful::Yes,
                }
            }
        }
    }
    ended.map_or(Lawful::No, Lawful::Until)
}

/// Whether a tool carries data to a party of which nobody said where it is.
fn carried(evidence: &Evidence<'_>, place: &Place<'_>, cohort: &Cohort<'_>, moment: Timestamp) -> bool {
    place.node != Some(&*evidence.ask.deployment) && lawful(evidence, place, cohort, Covered::No, moment) == Lawful::Yes
}

/// Tools that one party recorded with another.
fn tools<'e>(evidence: &'e Evidence<'_>, one: &str, other: &'e str) -> impl Iterator<Item = &'e Arrangement> {
    let all = party(evidence, one).into_iter().flat_map(|party| &party.arrangements);
    all.filter(move |tool| ArrangementKind::carries_transfers(tool.kind) && tool.with.as_str() == other)
}

fn say(evidence: &Evidence<'_>, place: &Place<'_>, source: &Source, cohort: &Cohort<'_>, lawful: Lawful) -> Finding {
    let name = evidence.name(source.node);
    let want = match place.training {
        Some(training) => Want::Run(evidence.trainings[training].node),
        None if cohort.modes & CONTAINED != 0 => Want::Mode(CONTAINED),
        None => Want::Mode(SERVED),
    };
    let mut path = evidence.path(source.node, want);
    let deployment = &evidence.ask.deployment;
    // Data that go to somebody end there; those that only lie or are computed elsewhere are where the matter is.
    let mut node = name.clone();
    if let Some(to) = place.node.filter(|to| to != deployment) {
        path.push(to.to_owned());
        to.clone_into(&mut node);
    }
    let there = match (place.node, place.region) {
        (None, region) => format!("lies in {}", shown(region)),
        (Some(to), Some(region)) if to == deployment => format!("is used by `{to}` in {region}"),
        (Some(to), Some(region)) => format!("goes to `{to}` in {region}"),
        (Some(to), None) => format!("goes to `{to}`"),
    };
    let begin = |status, node: &str, path| finding(RULE, status, ARTICLE, node).fine(GDPR_UPPER).path(path);
    let importer = place.importers.iter().find(|key| !cohort.class.controllers.iter().any(|own| **own == ***key));
    let command =
        importer.map(|key| format!("licit party create --replace -f {}.yaml", key.trim_start_matches("party:")));
    let between = match importer {
        Some(key) => format!("with `{key}`"),
        None => "with whoever has them there, named as processor".to_owned(),
    };
    let record = format!(
        "record standard clauses, binding rules or a derogation {between}, or move it to where the law covers it: `licit whatif --move-region` shows what that would do"
    );
    match lawful {
        Lawful::Unknown if place.region.is_none() => {
            let (at, owner) = match place.node {
                Some(to) if to == deployment => ("computes", evidence.deployment_owner()),
                _ => ("is established", "dpo".to_owned()),
            };
            let to = place.node.unwrap_or_default().to_owned();
            let since = match evidence.world.registry.parties.latest(&to) {
                Some(party) => Some(party.at),
                None => evidence.deployment.as_ref().map(|d| d.at),
            };
            let path = if at == "computes" { vec![to.clone()] } else { path };
            let revise = if at == "computes" {
                format!("licit deployment create --replace -f {}.yaml", to.trim_start_matches("deployment:"))
            } else {
                format!("licit party create --replace -f {}.yaml", to.trim_start_matches("party:"))
            };
            begin(Status::Unknown, &to, path)
                .since(since)
                .says(format!(
                    "nobody said where `{to}` {at}: whether `{name}` leaves the European Economic Area there is unknown"
                ))
                .to(owner)
                .remedy("state its `region`", Some(revise))
        }
        Lawful::Unknown => begin(Status::Unknown, &node, path)
            .since(Some(evidence.world.lineage.record(source.node).at))
            .says(format!(
                "`{name}` {there}, and nobody said where it comes from: neither it nor who controls it states a region"
            ))
            .to(evidence.owner(&name))
            .remedy(format!("register a version that states its `region`; {record}"), command),
        Lawful::Until(end) => begin(Status::Expired, &node, path)
            .since(Some(end))
            .says(format!("`{name}` {there}; what carried that ended on {end}"))
            .to("dpo")
            .remedy(record, command),
        Lawful::No | Lawful::Yes => begin(Status::Unmet, &node, path)
            .says(format!(
                "`{name}` {there}: no decision on adequacy covers that, and no tool for transfers is on record"
            ))
            .to("dpo")
            .remedy(record, command),
    }
}

fn shown(region: Option<&Country>) -> String {
    region.map(ToString::to_string).unwrap_or_default()
}
