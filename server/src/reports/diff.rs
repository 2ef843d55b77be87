//! What changed for a deployment between two moments, and after which fact. Pure: the worlds are given.

use std::collections::BTreeSet;
use std::sync::Arc;

use licit_schemas::gate::{Finding, Status};
use licit_schemas::reference::Ref;
use licit_schemas::reports::{Change, FactView};
use licit_schemas::time::Timestamp;

use super::question;
use crate::facts::{Fact, World};
use crate::gate::coverage::base;
use crate::gate::evidence::{Evidence, assessments_of, gather};
use crate::registry::{What, deployment_of, version_ref};
use crate::review::Review;

/// Names of everything a deployment rests on at a moment, with and without version: a fact about one of them may turn its verdict.
pub fn rests_on(world: &World, deployment: &str, at: Timestamp) -> BTreeSet<String> {
    let evidence = gather(world, question(world, deployment, at));
    let mut names: BTreeSet<String> = BTreeSet::from([deployment.to_owned()]);
    names.extend(evidence.closure.iter().map(|(node, _)| evidence.name(*node)));
    names.extend(evidence.release.iter().map(|release| release.reference.to_string()));
    names.extend(evidence.classes.iter().flat_map(|class| &class.controllers).map(ToString::to_string));
    names.extend(evidence.classes.iter().flat_map(|class| &class.traits.parties).map(ToString::to_string));
    names.extend(evidence.parties());
    let questions = evidence.question.iter().chain(evidence.trainings.iter().filter_map(|t| t.question.as_ref()));
    names.extend(questions.flat_map(|q| &q.candidates).map(|c| c.revision.reference.to_string()));
    if let Some(stated) = &evidence.deployment {
        let spec = &stated.spec;
        let single = [&spec.system, &spec.environment, &spec.purpose, &spec.controller];
        names.extend(single.into_iter().chain(&spec.bases).chain(&spec.processors).map(ToString::to_string));
        let declared = spec.reads.iter().chain(&spec.writes).flat_map(|d| &d.datasets);
        names.extend(declared.map(ToString::to_string));
        names.extend(world.lawfulness.broader(spec.purpose.base()).iter().map(ToString::to_string));
        let law = world.lawfulness.bases_for(spec.purpose.base());
        names.extend(law.iter().map(ToString::to_string));
    }
    let of: BTreeSet<String> = names.iter().flat_map(|name| [base(name).to_owned(), name.clone()]).collect();
    for assessment in of.iter().flat_map(|name| assessments_of(world, name)) {
        names.insert(assessment.reference.to_string());
        names.extend(assessment.spec.bases_then.iter().map(ToString::to_string));
    }
    for training in &evidence.trainings {
        names.extend(training.run().map(|run| run.purpose.to_string()));
    }
    let held = evidence.assumed.iter().filter_map(|node| world.lineage.record(*node).held.as_deref());
    for held in held {
        if let What::Dataset(facts) = &held.what {
            names.extend(facts.defaults().iter().map(ToString::to_string));
        }
    }
    names.extend(governing(world, &evidence));
    let bases: Vec<String> = names.iter().map(|name| base(name).to_owned()).collect();
    names.extend(bases);
    names
}

/// What of the organisation's word a deployment stands under: the policy, modes loosened, baselines that name it, denied releases
/// of it let through and the reviews that ratify or refuse them.
fn governing(world: &World, evidence: &Evidence<'_>) -> BTreeSet<String> {
    let (deployment, review) = (&evidence.ask.deployment, &world.review);
    let mut names = BTreeSet::from([Ref::policy().to_string()]);
    if let Some(environment) = &evidence.environment {
        names.insert(environment.reference.to_string());
        names.insert(Ref::loosening(&environment.spec.key).to_string());
    }
    let baselines = review.baselines.every().filter(|b| b.spec.items.iter().any(|item| item.deployment == *deployment));
    names.extend(baselines.map(|baseline| base(&baseline.reference).to_owned()));
    let broken: BTreeSet<&str> =
        review.broken.every().filter(|used| used.spec.deployment == *deployment).map(|used| &*used.reference).collect();
    if !broken.is_empty() {
        let names_one =
            |r: &&Arc<Review>| r.spec.subjects.iter().any(|s| broken.contains(s.r#ref.to_string().as_str()));
        names.extend(review.reviews().filter(names_one).map(|r| format!("review:{}", r.id)));
    }
    names.extend(broken.into_iter().map(str::to_owned));
    names
}

/// Names a fact is about, its own first; none for what is only said or found.
pub fn about(fact: &Fact) -> Vec<String> {
    let revised = |reference: Ref, rev: u32| vec![format!("{reference}@{rev}")];
    match fact {
        Fact::PartyRegistered(f) => vec![Ref::party(&f.spec.key).to_string()],
        Fact::DatasetRegistered(f) => vec![Ref::dataset(&f.spec.namespace, &f.spec.name).to_string()],
        Fact::DatasetVersionRegistered(f) => vec![version_ref(&f.spec.dataset, &f.spec.version)],
        Fact::ClassStated(f) => vec![format!("class:{}@{}", f.spec.key, f.rev)],
        Fact::DatasetVersionClassified(f) => vec![f.spec.version.to_string()],
        Fact::DatasetVersionLifeChanged(f) => vec![f.reference.to_string()],
        Fact::RunRecorded(f) => {
            let ends = f.spec.inputs.iter().map(|input| &input.r#ref).chain(&f.spec.outputs);
            std::iter::once(Ref::run(f.id).to_string()).chain(ends.map(Ref::to_string)).collect()
        }
        Fact::ModelRegistered(f) => vec![Ref::model(&f.spec.name).to_string()],
        Fact::ModelVersionRegistered(f) => vec![version_ref(&f.spec.model, &f.spec.version)],
        Fact::ResourceRetired(f) => vec![f.reference.to_string()],
        Fact::NoticeRevised(f) => revised(Ref::notice(&f.spec.key), f.rev),
        Fact::WithdrawalTested(f) => vec![f.spec.notice.to_string()],
        Fact::EndpointAttested(f) => vec![f.spec.model.to_string()],
        Fact::MembersLoaded(f) => vec![f.spec.dataset_version.to_string()],
        Fact::SuppressionAcknowledged(f) => vec![f.deployment.to_string()],
        Fact::MembersCorrected(f) => vec![f.spec.dataset_version.to_string()],
        Fact::ConsentRecorded(f) => {
            f.about.iter().filter_map(|about| about.purpose.as_ref()).map(Ref::to_string).collect()
        }
        Fact::RemedyTaken(f) => vec![f.spec.of.to_string()],
        Fact::PassportImported(f) => {
            std::iter::once(&f.spec.model).chain(&f.spec.datasets).map(Ref::to_string).collect()
        }
        Fact::SystemRevised(f) => revised(Ref::system(&f.spec.key), f.rev),
        Fact::EnvironmentRevised(f) => vec![Ref::environment(&f.spec.key).to_string()],
        Fact::DeploymentRevised(f) => vec![Ref::deployment(&f.spec.name).to_string()],
        Fact::ReleaseProposed(f) => {
            let deployment = f.spec.deployment.to_string();
            vec![format!("{}@{}", deployment.replacen("deployment:", "release:", 1), f.rev), deployment]
        }
        Fact::ReleaseMoved(f) => vec![f.reference.to_string(), deployment_of(&f.reference)],
        Fact::LineageEventReceived(f) => {
            let tables = f.event.tables.iter().map(|table| table.r#ref.to_string());
            std::iter::once(Ref::run(f.event.run).to_string()).chain(tables).collect()
        }
        Fact::LineageRunOverflowed(f) => {
            std::iter::once(Ref::run(f.run)).chain(f.versions.iter().cloned()).map(|one| one.to_string()).collect()
        }
        Fact::EdgeRecorded(f) => vec![f.from.to_string(), f.to.to_string()],
        Fact::MlflowRunChanged(f) => f.about(),
        Fact::MlflowVersionChanged(f) => f.about(),
        Fact::PurposeRevised(f) => revised(Ref::purpose(&f.spec.key), f.rev),
        Fact::BasisRevised(f) => revised(Ref::basis(&f.spec.key), f.rev),
        Fact::AssessmentRevised(f) => {
            let families = f.spec.recipe.iter().flat_map(|recipe| &recipe.families);
            let of = f.spec.of.iter().chain(families).map(Ref::to_string);
            std::iter::once(format!("{}@{}", Ref::assessment(&f.spec.key), f.rev)).chain(of).collect()
        }
        Fact::ApprovalGranted(f) => approved(&f.spec.subject.r#ref),
        Fact::ApprovalRevoked(f) => approved(&f.spec.r#ref),
        Fact::BaselineRevised(f) => {
            let named: BTreeSet<&String> = f.spec.items.iter().map(|item| &item.deployment).collect();
            let own = format!("{}@{}", Ref::baseline(&f.spec.key), f.rev);
            std::iter::once(own).chain(named.into_iter().cloned()).collect()
        }
        Fact::BreakGlassUsed(f) => {
            vec![format!("{}@{}", Ref::break_glass(&f.spec.incident), f.rev), f.spec.deployment.clone()]
        }
        Fact::LooseningProposed(f) => vec![format!("loosening:{}@{}", f.spec.environment.name(), f.rev)],
        Fact::PolicyRevised(f) => revised(Ref::policy(), f.rev),
        Fact::ReviewClosed(f) => vec![format!("review:{}", f.id)],
        Fact::DelegationMade(f) => vec![format!("delegation:{}", f.id)],
        Fact::DelegationEnded(f) => vec![format!("delegation:{}", f.id)],
        // Who may, what is said on the way to a vote, and what the gate itself says or finds, turn no verdict.
        Fact::ActorRegistered(_)
        | Fact::TokenIssued(_)
        | Fact::TokenRevoked(_)
        | Fact::ReviewOpened(_)
        | Fact::VoteCast(_)
        | Fact::OpinionGiven(_)
        | Fact::ContestRaised(_)
        | Fact::ContestSettled(_)
        | Fact::DecisionMade(_)
        | Fact::UseRecorded(_)
        | Fact::GapOpened(_)
        | Fact::GapChanged(_)
        | Fact::GapClosed(_)
        | Fact::SubjectKeyRegistered(_)
        | Fact::SubjectKeyRetired(_)
        | Fact::SubjectErased(_)
        | Fact::ConsentProofKept(_)
        | Fact::ConsentProofRead(_)
        | Fact::ConsentProofShredded(_)
        | Fact::WebhookSubscribed(_)
        | Fact::WebhookUnsubscribed(_)
        // What of these turns a verdict, facts of the registry say besides.
        | Fact::MlflowExperimentChanged(_)
        | Fact::MlflowLoggedModelChanged(_)
        | Fact::MlflowModelChanged(_)
        | Fact::MlflowWebhookChanged(_)
        | Fact::MlflowArtifactStored(_)
        | Fact::LedgerNamed(_)
        | Fact::SigningKeyIntroduced(_)
        | Fact::SigningKeyRetired(_) => Vec::new(),
    }
}

fn approved(reference: &Ref) -> Vec<String> {
    vec![reference.to_string()]
}

/// What was found after a fact; `None` before the first of them.
pub struct Seen {
    /// The fact.
    pub after: Option<FactView>,
    /// What did not hold then.
    pub findings: Vec<Finding>,
}

/// Each finding with the last fact after which it came (or went: `there` says whether it is there at the end).
pub fn because(findings: Vec<Finding>, seen: &[Seen], there: bool) -> Vec<Change> {
    let turned = |finding: &Finding| {
        let holds = |step: &Seen| step.findings.iter().any(|f| key(f) == key(finding)) == there;
        // The last step at which it turned; steps after it all say the same.
        let stays = seen.iter().rposition(|step| !holds(step)).map_or(0, |place| place + 1);
        seen.get(stays).and_then(|step| step.after.clone())
    };
    findings.into_iter().map(|finding| Change { after: turned(&finding), finding }).collect()
}

fn key(finding: &Finding) -> (&str, Status, &str, bool) {
    (&finding.rule, finding.status, &finding.node, finding.blocking)
}
