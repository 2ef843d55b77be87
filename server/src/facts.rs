//! Every kind of fact, once. Live writes, catching up and rebuilding all come through [`World`].
//!
//! A released kind and version never changes: what must change gets version 2 and is lifted in [`World::decode`]. Golden files in
//! `tests/golden/facts` hold every version ever released.

use std::sync::Arc;

use serde::Serialize;

use crate::adapters::mlflow::fact as mlflow;
use crate::catalogue::{Revision, Stated};
use crate::db::people::People;
use crate::db::{At, Encoded, Projection, Rows};
use crate::error::{Error, Result};
use crate::registry::What;
use crate::{access, adapters, consent, events, gate, lawfulness, ledger, lineage, notices, registry, review};
use licit_schemas::access::{ActorSpec, TokenSpec};
use licit_schemas::adoption::{BaselineSpec, BreakGlassSpec, ContestSpec, LooseningSpec};
use licit_schemas::classes::{ClassificationSpec, DefaultClassSpec};
use licit_schemas::consent::RemedySpec;
use licit_schemas::digest::Digest;
use licit_schemas::events::WebhookSpec;
use licit_schemas::gate::{Decision, GapSpec};
use licit_schemas::json;
use licit_schemas::lawfulness::{AssessmentKind, AssessmentSpec, BasisSpec, PurposeSpec};
use licit_schemas::ledger::{KeyIntroduced, KeyRetired, LedgerNamed};
use licit_schemas::lineage::EdgeCreate;
use licit_schemas::notices::{NoticeSpec, WithdrawalTestSpec};
use licit_schemas::policy::PolicySpec;
use licit_schemas::proof::passport::PassportSpec;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::{
    AttestationSpec, DatasetSpec, DatasetVersionSpec, DeploymentSpec, EnvironmentSpec, ModelSpec, ModelVersionSpec,
    PartySpec, ReleaseSpec, RunSpec, SystemSpec,
};
use licit_schemas::review::{ApprovalSpec, DelegationSpec, OpinionSpec, ReviewSpec, RevocationSpec, VoteSpec};
use licit_schemas::subjects::{CorrectedSpec, MembersSpec, SubjectKeySpec};
use licit_schemas::uses::UseSpec;

/// A running operation over the whole projection.
pub type Tx<'a> = crate::db::Tx<'a, World>;
/// The database with the whole projection.
pub type Db = crate::db::Db<World>;

macro_rules! facts {
    ($($variant:ident($data:ty) = $kind:literal v $version:literal;)*) => {
        /// A fact: something that happened, for good.
        #[derive(Clone, Debug)]
        pub enum Fact {
            $(#[doc = concat!("`", $kind, "` version ", stringify!($version), ".")] $variant($data),)*
        }

        /// Every kind with its present version, in the order of the documentation.
        pub const KINDS: &[(&str, u16)] = &[$(($kind, $version)),*];

        fn encode(fact: &Fact) -> Result<Encoded> {
            match fact {
                $(Fact::$variant(data) => canonical(data).map(|data| Encoded { kind: $kind, version: $version, data }),)*
            }
        }

        fn decode(kind: &str, version: u16, data: &str) -> Result<Fact> {
            match (kind, version) {
                $(($kind, $version) => serde_json::from_str(data).map(Fact::$variant)
                    .map_err(|e| Error::Internal(format!("fact `{kind}` v{version}: {e}"))),)*
                _ => Err(Error::Internal(format!("fact `{kind}` v{version} is unknown to this version of the program"))),
            }
        }
    };
}

facts! {
    ActorRegistered(Stated<ActorSpec>) = "actor.registered" v 1;
    TokenIssued(Stated<TokenSpec>) = "token.issued" v 1;
    TokenRevoked(access::TokenRevoked) = "token.revoked" v 1;
    PartyRegistered(Stated<PartySpec>) = "party.registered" v 1;
    DatasetRegistered(Stated<DatasetSpec>) = "dataset.registered" v 1;
    DatasetVersionRegistered(Stated<DatasetVersionSpec>) = "dataset_version.registered" v 1;
    DatasetVersionLifeChanged(registry::LifeChanged) = "dataset_version.life_changed" v 1;
    DatasetVersionClassified(Stated<ClassificationSpec>) = "dataset_version.classified" v 1;
    ClassStated(Stated<DefaultClassSpec>) = "class.stated" v 1;
    RunRecorded(Stated<RunSpec>) = "run.recorded" v 1;
    ModelRegistered(Stated<ModelSpec>) = "model.registered" v 1;
    ModelVersionRegistered(Stated<ModelVersionSpec>) = "model_version.registered" v 1;
    EndpointAttested(Stated<AttestationSpec>) = "endpoint.attested" v 1;
    ResourceRetired(registry::Retired) = "resource.retired" v 1;
    SystemRevised(Stated<SystemSpec>) = "system.revised" v 1;
    EnvironmentRevised(Stated<EnvironmentSpec>) = "environment.revised" v 1;
    DeploymentRevised(Stated<DeploymentSpec>) = "deployment.revised" v 1;
    ReleaseProposed(Stated<ReleaseSpec>) = "release.proposed" v 1;
    ReleaseMoved(registry::ReleaseMoved) = "release.moved" v 1;
    EdgeRecorded(EdgeCreate) = "edge.recorded" v 1;
    PurposeRevised(Stated<PurposeSpec>) = "purpose.revised" v 1;
    BasisRevised(Stated<BasisSpec>) = "basis.revised" v 1;
    AssessmentRevised(Stated<AssessmentSpec>) = "assessment.revised" v 1;
    NoticeRevised(Stated<NoticeSpec>) = "notice.revised" v 1;
    WithdrawalTested(Stated<WithdrawalTestSpec>) = "withdrawal.tested" v 1;
    BaselineRevised(Stated<BaselineSpec>) = "baseline.revised" v 1;
    BreakGlassUsed(Stated<BreakGlassSpec>) = "break_glass.used" v 1;
    LooseningProposed(Stated<LooseningSpec>) = "loosening.proposed" v 1;
    PolicyRevised(Stated<PolicySpec>) = "policy.revised" v 1;
    ReviewOpened(Stated<ReviewSpec>) = "review.opened" v 1;
    VoteCast(Stated<VoteSpec>) = "vote.cast" v 1;
    OpinionGiven(Stated<OpinionSpec>) = "opinion.given" v 1;
    ApprovalGranted(Stated<ApprovalSpec>) = "approval.granted" v 1;
    ReviewClosed(review::ReviewClosed) = "review.closed" v 1;
    ApprovalRevoked(Stated<RevocationSpec>) = "approval.revoked" v 1;
    DelegationMade(Stated<DelegationSpec>) = "delegation.made" v 1;
    DelegationEnded(review::DelegationEnded) = "delegation.ended" v 1;
    ContestRaised(Stated<ContestSpec>) = "contest.raised" v 1;
    ContestSettled(gate::contest::ContestSettled) = "contest.settled" v 1;
    DecisionMade(Stated<Decision>) = "decision.made" v 1;
    GapOpened(Stated<GapSpec>) = "gap.opened" v 2;
    GapChanged(gate::gaps::GapChanged) = "gap.changed" v 1;
    GapClosed(gate::gaps::GapClosed) = "gap.closed" v 1;
    WebhookSubscribed(Stated<WebhookSpec>) = "webhook.subscribed" v 1;
    WebhookUnsubscribed(events::Unsubscribed) = "webhook.unsubscribed" v 1;
    SubjectKeyRegistered(Stated<SubjectKeySpec>) = "subject_key.registered" v 1;
    SubjectKeyRetired(consent::KeyRetired) = "subject_key.retired" v 1;
    MembersLoaded(Stated<MembersSpec>) = "members.loaded" v 1;
    MembersCorrected(Stated<CorrectedSpec>) = "members.corrected" v 1;
    SuppressionAcknowledged(consent::suppression::SuppressionAcknowledged) = "suppression.acknowledged" v 1;
    SubjectErased(consent::erase::SubjectErased) = "subject.erased" v 1;
    ConsentRecorded(consent::ConsentRecorded) = "consent.recorded" v 1;
    ConsentProofKept(consent::proof::ProofKept) = "consent_proof.kept" v 1;
    ConsentProofRead(consent::proof::ProofRead) = "consent_proof.read" v 1;
    ConsentProofShredded(consent::proof::ProofShredded) = "consent_proof.shredded" v 1;
    LedgerNamed(LedgerNamed) = "ledger.named" v 1;
    SigningKeyIntroduced(KeyIntroduced) = "signing_key.introduced" v 1;
    SigningKeyRetired(KeyRetired) = "signing_key.retired" v 1;
    RemedyTaken(Stated<RemedySpec>) = "remedy.taken" v 1;
    UseRecorded(Stated<UseSpec>) = "use.recorded" v 1;
    PassportImported(Stated<PassportSpec>) = "passport.imported" v 1;
    LineageEventReceived(adapters::openlineage::event::Received) = "lineage_event.received" v 1;
    LineageRunOverflowed(adapters::openlineage::event::Overflowed) = "lineage_run.overflowed" v 1;
    MlflowExperimentChanged(mlflow::ExperimentChanged) = "mlflow_experiment.changed" v 1;
    MlflowRunChanged(mlflow::RunChanged) = "mlflow_run.changed" v 1;
    MlflowLoggedModelChanged(mlflow::LoggedModelChanged) = "mlflow_logged_model.changed" v 1;
    MlflowModelChanged(mlflow::ModelChanged) = "mlflow_model.changed" v 1;
    MlflowVersionChanged(mlflow::VersionChanged) = "mlflow_version.changed" v 1;
    MlflowWebhookChanged(mlflow::WebhookChanged) = "mlflow_webhook.changed" v 1;
    MlflowArtifactStored(mlflow::ArtifactStored) = "mlflow_artifact.stored" v 1;
}

/// The projection in memory: a fold over the ledger. A copy costs a few dozen reference counts.
#[derive(Clone, Default)]
pub struct World {
    position: u64,
    /// Who may.
    pub access: access::State,
    /// What exists.
    pub registry: registry::State,
    /// What came from what.
    pub lineage: lineage::State,
    /// What may be.
    pub lawfulness: lawfulness::State,
    /// What people are told.
    pub notices: notices::State,
    /// What the board says.
    pub review: review::State,
    /// What the gate remembers.
    pub gate: gate::State,
    /// Who is told.
    pub events: events::State,
    /// Its name, and who signs it.
    pub ledger: ledger::State,
    /// Keys of subjects, and whose members are known.
    pub consent: consent::State,
    /// Who they are: of the present only, since no fact says it.
    pub people: People,
    /// What engines reported.
    pub openlineage: adapters::openlineage::State,
    /// What clients of `MLflow` do.
    pub mlflow: adapters::mlflow::State,
}

impl Projection for World {
    type Fact = Fact;

    fn encode(fact: &Fact) -> Result<Encoded> {
        encode(fact)
    }

    fn decode(kind: &str, version: u16, data: &str) -> Result<Fact> {
        match (kind, version) {
            // Version 1 was of one deployment and one finding.
            ("gap.opened", 1) => serde_json::from_str::<Stated<gate::gaps::GapV1>>(data)
                .map(|Stated { id, rev, spec }| Fact::GapOpened(Stated { id, rev, spec: spec.lift() }))
                .map_err(|e| Error::Internal(format!("fact `{kind}` v{version}: {e}"))),
            _ => decode(kind, version, data),
        }
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn corrected_sets(&self) -> Vec<(String, String)> {
        self.consent.corrected_sets().collect()
    }

    fn people(&self) -> &People {
        &self.people
    }

    fn people_mut(&mut self) -> &mut People {
        &mut self.people
    }

    fn apply(&mut self, at: &At, fact: &Fact, rows: &mut Rows) {
        self.position = at.seq;
        match fact {
            Fact::ActorRegistered(f) => self.access.registered(f, digest(&f.spec), at, rows),
            Fact::TokenIssued(f) => self.access.issued(f, digest(&f.spec), at, rows),
            Fact::TokenRevoked(f) => self.access.revoked(f, at, rows),
            Fact::PartyRegistered(f) => self.registry.party(f, digest(&f.spec), at, rows),
            Fact::DatasetRegistered(f) => self.registry.dataset(f, digest(&f.spec), at, rows),
            Fact::DatasetVersionRegistered(f) => {
                self.registry.dataset_version(f, digest(&f.spec), at, rows);
                let reference = registry::version_ref(&f.spec.dataset, &f.spec.version);
                if let Some(held) = self.registry.held(&reference) {
                    self.lineage.dataset_version(f, held, at, rows);
                }
            }
            Fact::DatasetVersionLifeChanged(f) => {
                self.registry.life(f, at, rows);
                self.lineage.life(f, self.registry.held(&f.reference.to_string()));
            }
            Fact::DatasetVersionClassified(f) => {
                self.registry.classified(f, digest(&f.spec), at, rows);
                if let Some(held) = self.registry.held(&f.spec.version.to_string()) {
                    self.lineage.reclassified(held);
                }
            }
            Fact::ClassStated(f) => {
                for held in self.registry.class_stated(f, digest(&f.spec), at, rows) {
                    self.lineage.reclassified(&held);
                }
            }
            Fact::RunRecorded(f) => {
                self.registry.run(f, digest(&f.spec), at, rows);
                if let Some(held) = self.registry.held(&Ref::run(f.id).to_string()) {
                    self.lineage.run(f, held, lineage::graph::Origin::Declared, at, rows);
                    self.by_recipe(&held.reference.clone());
                }
            }
            Fact::ModelRegistered(f) => self.registry.model(f, digest(&f.spec), at, rows),
            Fact::ModelVersionRegistered(f) => {
                self.registry.model_version(f, digest(&f.spec), at, rows);
                let reference = registry::version_ref(&f.spec.model, &f.spec.version);
                if let Some(held) = self.registry.held(&reference) {
                    self.lineage.model_version(f, held, at);
                }
            }
            Fact::EndpointAttested(f) => self.registry.attestations.attested(f, digest(&f.spec), at, rows),
            Fact::ResourceRetired(f) => {
                self.registry.retired(f, at, rows);
                self.lineage.retired(self.registry.held(&f.reference.to_string()));
            }
            Fact::SystemRevised(f) => self.registry.system(f, digest(&f.spec), at, rows),
            Fact::EnvironmentRevised(f) => self.registry.environment(f, digest(&f.spec), at, rows),
            Fact::DeploymentRevised(f) => {
                self.registry.deployment(f, digest(&f.spec), at, rows);
                let registry = &self.registry;
                self.lineage.deployment(&f.spec, |base| registry.latest(base).cloned(), at, rows);
                self.disclose(&Ref::deployment(&f.spec.name).to_string(), at, rows);
            }
            Fact::ReleaseProposed(f) => {
                self.registry.proposed(f, digest(&f.spec), at, rows);
                self.lineage.release(f, at, rows);
            }
            Fact::ReleaseMoved(f) => {
                self.registry.moved(f, at, rows);
                self.lineage.moved(f, at, rows);
                self.gate.uses.moved(f, at);
                self.disclose(&registry::deployment_of(&f.reference), at, rows);
            }
            Fact::EdgeRecorded(f) => {
                self.lineage.edge(f, at, rows);
                self.by_recipe(&f.to.to_string());
            }
            Fact::PurposeRevised(f) => self.lawfulness.purpose(f, digest(&f.spec), at, rows),
            Fact::BasisRevised(f) => self.lawfulness.basis(f, digest(&f.spec), &mut self.registry.numbers, at, rows),
            Fact::AssessmentRevised(f) => {
                self.lawfulness.assessment(f, digest(&f.spec), at, rows);
                if f.spec.kind == AssessmentKind::Anonymity {
                    self.assessed(&f.spec);
                }
            }
            Fact::NoticeRevised(f) => self.notices.revised(f, digest(&f.spec), at, rows),
            Fact::WithdrawalTested(f) => self.notices.tested(f, digest(&f.spec), at, rows),
            Fact::BaselineRevised(f) => self.review.baseline(f, digest(&f.spec), at, rows),
            Fact::BreakGlassUsed(f) => self.review.broke(f, digest(&f.spec), at, rows),
            Fact::LooseningProposed(f) => self.review.loosening(f, digest(&f.spec), at, rows),
            Fact::PolicyRevised(f) => self.lawfulness.policy(f, digest(&f.spec), at, rows),
            Fact::ReviewOpened(f) => self.review.opened(f, digest(&f.spec), at, rows),
            Fact::VoteCast(f) => self.review.voted(f, digest(&f.spec), at, rows),
            Fact::OpinionGiven(f) => self.review.opined(f, digest(&f.spec), at, rows),
            Fact::ApprovalGranted(f) => {
                self.review.granted(f, digest(&f.spec), &mut self.registry.numbers, at, rows);
                self.restate(&f.spec.subject.r#ref, "approved", at, rows);
            }
            Fact::ReviewClosed(f) => self.review.closed(f, at, rows),
            Fact::ApprovalRevoked(f) => {
                self.review.revoked(f, digest(&f.spec), at, rows);
                self.restate(&f.spec.r#ref, "revoked", at, rows);
            }
            Fact::DelegationMade(f) => self.review.delegated(f, digest(&f.spec), at, rows),
            Fact::DelegationEnded(f) => self.review.undelegated(f, at, rows),
            Fact::ContestRaised(f) => self.gate.contests.raised(f, digest(&f.spec), at, rows),
            Fact::ContestSettled(f) => self.gate.contests.settled(f, at, rows),
            Fact::DecisionMade(f) => self.gate.decided(f, digest(&f.spec), at, rows),
            Fact::GapOpened(f) => self.gate.opened(f, digest(&f.spec), at, rows),
            Fact::GapChanged(f) => self.gate.changed(f, at, rows),
            Fact::GapClosed(f) => self.gate.closed(f, at, rows),
            Fact::WebhookSubscribed(f) => self.events.subscribe(f, digest(&f.spec), at, rows),
            Fact::WebhookUnsubscribed(f) => self.events.unsubscribe(f, at, rows),
            Fact::SubjectKeyRegistered(f) => self.consent.registered(f, digest(&f.spec), at, rows),
            Fact::SubjectKeyRetired(f) => self.consent.retired(f, at, rows),
            Fact::MembersLoaded(f) => {
                self.consent.loaded(f, digest(&f.spec), at, rows);
                self.lineage.members(&f.spec.dataset_version.to_string(), at);
            }
            Fact::MembersCorrected(f) => self.consent.corrected(f, digest(&f.spec), at, rows),
            Fact::SuppressionAcknowledged(f) => self.consent.acknowledged.acknowledged(f, at),
            Fact::SubjectErased(f) => self.consent.erased(f, at),
            Fact::ConsentRecorded(f) => self.consent.recorded(f, at),
            Fact::ConsentProofKept(f) => self.consent.proofs.kept(f),
            // Who read it and why is the entry's to say.
            Fact::ConsentProofRead(_) => {}
            Fact::ConsentProofShredded(f) => self.consent.proofs.shredded(f),
            Fact::LedgerNamed(f) => self.ledger.named(f),
            Fact::SigningKeyIntroduced(f) => self.ledger.introduced(f, at),
            Fact::SigningKeyRetired(f) => self.ledger.retired(f, at),
            Fact::RemedyTaken(f) => self.consent.remedies.taken(f, digest(&f.spec), at, rows),
            Fact::UseRecorded(f) => self.gate.uses.recorded(f, digest(&f.spec), at, rows),
            Fact::PassportImported(f) => {
                self.lineage.behind(&f.spec.model, &f.spec.datasets, at, rows);
                self.gate.passports.imported(f, digest(&f.spec), at, rows);
            }
            Fact::LineageEventReceived(f) => self.event_received(f, at, rows),
            Fact::LineageRunOverflowed(f) => self.openlineage.overflowed(f),
            Fact::MlflowExperimentChanged(f) => self.mlflow_experiment(f, at, rows),
            Fact::MlflowRunChanged(f) => self.mlflow_run(f, at, rows),
            Fact::MlflowLoggedModelChanged(f) => self.mlflow_logged(f, at, rows),
            Fact::MlflowModelChanged(f) => self.mlflow_model(f, at, rows),
            Fact::MlflowVersionChanged(f) => self.mlflow_version(f, at, rows),
            Fact::MlflowWebhookChanged(f) => self.mlflow_webhook(f, at, rows),
            Fact::MlflowArtifactStored(f) => self.mlflow_artifact(f, at, rows),
        }
    }
}

impl World {
    /// What an active release hands to other parties from now on.
    fn disclose(&mut self, deployment: &str, at: &At, rows: &mut Rows) {
        for (release, party) in self.registry.disclose(deployment, at) {
            self.lineage.disclosed(&release, &party, at, rows);
        }
    }

    /// Mark what an assessment of anonymity may be of: whether it is, is asked when it matters.
    fn assessed(&mut self, spec: &AssessmentSpec) {
        if let Some(of) = &spec.of {
            self.lineage.assessed(&of.to_string());
        }
        if let Some(recipe) = &spec.recipe {
            for run in self.registry.made_by(&recipe.code) {
                self.lineage.assessed_made(&run.reference);
            }
        }
    }

    /// Mark what a run made whose program is that of an assessed recipe.
    pub(crate) fn by_recipe(&mut self, run: &str) {
        if !self.lawfulness.has_recipes() {
            return;
        }
        if let Some(What::Run(registry::RunFacts { code: Some(code), .. })) = self.registry.held(run).map(|h| &h.what) {
            let of_anonymity = |r: &Arc<Revision<AssessmentSpec>>| r.spec.kind == AssessmentKind::Anonymity;
            if self.lawfulness.recipes_of(code).iter().any(of_anonymity) {
                self.lineage.assessed_made(run);
            }
        }
    }

    /// What the board said of a revision shows in lists: its row is *approved* or *revoked*. A deployment's approval binds an
    /// envelope, not the row.
    fn restate(&self, reference: &Ref, state: &str, at: &At, rows: &mut Rows) {
        let (base, rev) = (reference.base().to_owned(), reference.rev().unwrap_or(0));
        let (law, registry) = (&self.lawfulness, &self.registry);
        let found = match reference.kind() {
            Kind::Purpose => law.purposes.revision(&base, rev).map(|r| ("purpose", r.id)),
            Kind::Basis => law.bases.revision(&base, rev).map(|r| ("basis", r.id)),
            Kind::Assessment => law.assessments.revision(&base, rev).map(|r| ("assessment", r.id)),
            Kind::Baseline => self.review.baselines.revision(&base, rev).map(|r| ("baseline", r.id)),
            Kind::BreakGlass => self.review.broken.revision(&base, rev).map(|r| ("break-glass", r.id)),
            Kind::Loosening => self.review.loosenings.revision(&base, rev).map(|r| ("loosening", r.id)),
            Kind::Policy => law.policies.revision(&base, rev).map(|r| ("policy", r.id)),
            Kind::System => registry.systems.revision(&base, rev).map(|r| ("system", r.id)),
            _ => None,
        };
        if let Some((kind, id)) = found {
            rows.restate(at, kind, id, state);
        }
    }
}

/// RFC 8785 text of a document.
///
/// # Errors
/// A number that cannot be kept exactly, a NUL, too deep nesting: the caller's fault, by pointer.
pub fn canonical(value: &impl Serialize) -> Result<String> {
    json::canonical(value).map_err(|fault| Error::invalid(&fault.pointer, fault.problem))
}

/// Digest of the canonical form; a document that has none was refused before it became a fact.
pub fn digest(value: &impl Serialize) -> Digest {
    Digest::of(text(value).as_bytes())
}

/// Canonical text of a document that is known to have one.
pub fn text(value: &impl Serialize) -> String {
    json::canonical(value).unwrap_or_default()
}

/// An enum's name on the wire.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
