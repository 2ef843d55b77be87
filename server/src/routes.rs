//! Every route, grouped by what it is for. Router, guard, OpenAPI document and tests read this one table; a handler that is not
//! here cannot be reached, and a route without roles is open only where it says so.

use actix_web::web::{delete, get, patch, post, put, route};
use licit_schemas::access::Role::{self, Admin, Auditor, Dpo, Registrar, Releaser, Reviewer, Viewer, WorksCouncil};
use licit_schemas::access::{ActorCreate, TokenCreate, TokenCreated, TokenView, WhoAmI};
use licit_schemas::adoption::{
    BaselineCreate, BaselineProgress, BaselineSpec, BreakGlassCreate, BreakGlassSpec, ContestCreate, ContestSpec,
    LooseningSpec, RuleContests, SettlementCreate,
};
use licit_schemas::classes::{ClassificationCreate, ClassificationResult, ClassificationSpec, Debt, DefaultClassSpec};
use licit_schemas::consent::{
    AcknowledgementCreate, AcknowledgementView, ConsentAction, ConsentRecord, Coverage, CoverageQuery, Erased,
    KeptProofs, PersonView, ProofQuery, Recorded, RecordsTaken, RemedyCreate, RemedySpec, Sample, SampleQuery,
    SubjectQuery, SubjectRecords, SuppressionList, SuppressionQuery,
};
use licit_schemas::events::{
    DeliveriesQuery, Delivery, EventsQuery, Redelivery, WebhookCreate, WebhookCreated, WebhookView,
};
use licit_schemas::exports::ExportQuery;
use licit_schemas::gate::{Activation, Decision, Gap, GapQuery, GateAnswer, GateRequest, Plan, Rollback};
use licit_schemas::lawfulness::{AssessmentSpec, BasisSpec, PurposeSpec};
use licit_schemas::ledger::{
    CheckpointView, CheckpointsQuery, ConsistencyProof, ConsistencyQuery, EntriesQuery, EntryView, InclusionProof,
    InclusionQuery, TreeHead,
};
use licit_schemas::lineage::{Closure, EdgeCreate, ExposureQuery, ExposureView, LineageQuery, PathQuery, PathView};
use licit_schemas::notices::{NoticePageQuery, NoticeSpec, NoticeView, WithdrawalTestSpec};
use licit_schemas::openlineage::{EventTaken, EventsTaken, FACET_PATH, KeptEvent, QuarantineQuery, QuarantinedEvent};
use licit_schemas::policy::PolicySpec;
use licit_schemas::proof::in_force::InForceProof;
use licit_schemas::proof::passport::{PassportFile, PassportImport, PassportTaken};
use licit_schemas::proof::receipt::Receipt;
use licit_schemas::proof::receipt::status::DecisionStatus;
use licit_schemas::proof::ring::KeyRing;
use licit_schemas::registration::{PlanRequest, Registration, RegistrationResult};
use licit_schemas::registry::{
    AttestationSpec, DatasetSpec, DatasetVersionSpec, DeploymentSpec, EnvironmentSpec, LifeChange, ModelSpec,
    ModelVersionSpec, PartySpec, ReleaseSpec, Retirement, RunSpec, SystemSpec,
};
use licit_schemas::reports::{
    AffectedDeployments, AffectedQuery, Calendar, CalendarQuery, Diff, DiffQuery, Drift, DriftQuery, Impact,
    ImpactQuery, Recipients, RecipientsQuery, Renewals, RenewalsQuery, Replay, ReplayQuery, RuleClearing,
    SubjectsImpact, SubjectsQuery, SuggestQuery, Suggestions, WhatIf, WhatIfRequest,
};
use licit_schemas::resource::{GetQuery, ListQuery, MomentQuery, Page, Registered, Resource};
use licit_schemas::review::{
    ApprovalSpec, DelegationCreate, DelegationSpec, OpinionCreate, ReviewCreate, ReviewSpec, ReviewView,
    RevocationCreate, RevocationSpec, VoteCreate,
};
use licit_schemas::subjects::{
    BatchQuery, BatchTaken, CorrectedView, ExcludeCreate, Excluded, ExcludedQuery, LINES, LoadFinish, MemberLoadCreate,
    MemberLoadView, MembersLoaded, MembersView, SubjectKeySpec, SubjectKeyView,
};
use licit_schemas::uses::{UseCreate, UseFigures, UseFiguresQuery, UseSpec, UseTaken, UsesQuery};

use crate::adapters::mlflow::artifacts::api as artifacts;
use crate::adapters::mlflow::handlers as mlflow;
use crate::adapters::mlflow::hooks::api as hooks;
use crate::adapters::openlineage;
use crate::api::{self, ByRef, Health, TermView, Terms};
use crate::http::Ctx;
use crate::http::route::Route;
use crate::{access, consent, events, gate, lawfulness, ledger, lineage, notices, registry, reports, review};

/// Reads.
const READ: &[Role] = &[Viewer, Registrar, Reviewer, Dpo, WorksCouncil, Releaser, Auditor, Admin];
/// Registers what exists and proposes what may be.
const REGISTER: &[Role] = &[Registrar];
/// Shapes where things run.
const OPERATE: &[Role] = &[Registrar, Admin];
/// Asks the gate and moves releases.
const RELEASE: &[Role] = &[Releaser];
/// Proposes releases.
const PROPOSE: &[Role] = &[Registrar, Releaser];
/// Votes and revokes.
const BOARD: &[Role] = &[Reviewer];
/// Votes: in another's seat, whoever it was delegated to, but for those who advise the board, and by no token that makes tokens.
const SEATED: &[Role] = &[Viewer, Registrar, Reviewer, Releaser, Auditor];
/// Advises the board: each in their own office, see `OpinionRole::token`.
const ADVISE: &[Role] = &[Dpo, WorksCouncil];
/// Proposes how the organisation governs.
const GOVERN: &[Role] = &[Reviewer, Admin];
/// Tells people, and tries whether they can refuse.
const INFORM: &[Role] = &[Registrar, Dpo];
/// Reads entries of the ledger.
const ENTRIES: &[Role] = &[Auditor, Dpo, Admin, Reviewer];
/// Bytes that events may have: those of production reach ten megabytes.
const EVENTS: usize = 16 << 20;
/// Reads what engines sent and nobody could read.
const QUARANTINE: &[Role] = &[Registrar, Auditor, Dpo, Admin];
/// Reads events as they came: they may name people.
const KEPT: &[Role] = &[Auditor, Dpo, Admin];
/// Reads how many people are in what.
const MEMBERS: &[Role] = &[Registrar, Dpo, Auditor];
/// Restricts data; who of them lifts a restriction or erases, the operation says.
const LIFE: &[Role] = &[Registrar, Dpo, Reviewer];
/// Manages who may.
const MANAGE: &[Role] = &[Admin];
/// Who records what people say.
const RECORD: &[Role] = &[Registrar, Dpo];
/// Gives loads of members up: one's own, or as an officer anybody's.
const UNLOAD: &[Role] = &[Registrar, Dpo, Admin];
/// Who leaves people out of what is served.
const SUPPRESS: &[Role] = &[Registrar, Releaser, Dpo];
/// Who may see what one person said.
const PEOPLE: &[Role] = &[Dpo];

/// Erases what is kept beside the ledger about people.
const ERASE: &[Role] = &[Dpo, Admin];

/// Bodies that list many files or fields.
const LARGE: usize = 8 << 20;

/// All of them.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    // Is it there: for load balancers, and for whoever wants to know the API. Open: they reveal nothing.
    Route::get("/health", "get_health", "Whether the process lives", || route().to(api::health)).open().gives::<Health>().headed(),
    Route::get("/ready", "get_ready", "Whether the database answers", || route().to(api::ready)).open().gives::<Health>().headed(),
    Route::get("/openapi.json", "get_openapi", "This document", || get().to(api::openapi)).open(),
    Route::get("/metrics", "get_metrics", "Figures for Prometheus", || get().to(api::metrics)).may(READ).gives_text("text/plain"),

    // Used by pipelines: register what was made, in one call.
    Route::post("/api/v1/registrations", "create_registration", "Register what a pipeline made, all or nothing", || post().to(lineage::api::create_registration)).may(REGISTER).takes::<Registration>().gives::<RegistrationResult>().limit(LARGE).keyed(),
    Route::post("/api/v1/plans", "create_plan", "What a registration and releases would lead to; nothing is written", || post().to(gate::api::plan)).may(PROPOSE).takes::<PlanRequest>().gives::<Plan>().limit(LARGE),
    Route::post("/api/v1/edges", "create_edge", "Record a lineage edge that became known late", || post().to(lineage::api::create_edge)).may(REGISTER).takes::<EdgeCreate>().gives::<lineage::api::EdgeCreated>().keyed(),

    // The registry, resource by resource.
    Route::post("/api/v1/parties", "create_party", "Register a party", || post().to(registry::api::create_party)).may(OPERATE).takes::<PartySpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/parties", "list_parties", "List parties", || get().to(|ctx: Ctx| api::list(ctx, "party"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<PartySpec>>>(),
    Route::get("/api/v1/parties/{id}", "get_party", "Read a party", || get().to(|ctx: Ctx| api::get(ctx, "party"))).may(READ).asks::<GetQuery>().gives::<Resource<PartySpec>>(),
    Route::put("/api/v1/parties/{id}", "change_party", "Change a party", || put().to(registry::api::change_party)).may(OPERATE).takes::<PartySpec>().gives::<Registered>().success(&[200, 201]).matched(),
    Route::get("/api/v1/parties/{id}/history", "list_party_history", "Every state of a party", || get().to(|ctx: Ctx| api::history(ctx, "party"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<PartySpec>>>(),
    Route::post("/api/v1/datasets", "create_dataset", "Register a dataset", || post().to(registry::api::create_dataset)).may(REGISTER).takes::<DatasetSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/datasets", "list_datasets", "List datasets", || get().to(|ctx: Ctx| api::list(ctx, "dataset"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<DatasetSpec>>>(),
    Route::get("/api/v1/datasets/{id}", "get_dataset", "Read a dataset", || get().to(|ctx: Ctx| api::get(ctx, "dataset"))).may(READ).asks::<GetQuery>().gives::<Resource<DatasetSpec>>(),
    Route::put("/api/v1/datasets/{id}", "change_dataset", "Change a dataset", || put().to(registry::api::change_dataset)).may(REGISTER).takes::<DatasetSpec>().gives::<Registered>().success(&[200, 201]).matched(),
    Route::get("/api/v1/datasets/{id}/history", "list_dataset_history", "Every state of a dataset", || get().to(|ctx: Ctx| api::history(ctx, "dataset"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<DatasetSpec>>>(),
    Route::post("/api/v1/dataset-versions", "create_dataset_version", "Register a dataset version", || post().to(registry::api::create_dataset_version)).may(REGISTER).takes::<DatasetVersionSpec>().gives::<Registered>().success(&[200, 201]).keyed().limit(LARGE),
    Route::get("/api/v1/dataset-versions", "list_dataset_versions", "List dataset versions", || get().to(|ctx: Ctx| api::list(ctx, "dataset_version"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<DatasetVersionSpec>>>(),
    Route::get("/api/v1/dataset-versions/{id}", "get_dataset_version", "Read a dataset version", || get().to(|ctx: Ctx| api::get(ctx, "dataset_version"))).may(READ).asks::<GetQuery>().gives::<Resource<DatasetVersionSpec>>(),
    Route::get("/api/v1/dataset-versions/{id}/history", "list_dataset_version_history", "Every state of a dataset version", || get().to(|ctx: Ctx| api::history(ctx, "dataset_version"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<DatasetVersionSpec>>>(),
    Route::post("/api/v1/runs", "create_run", "Record a run", || post().to(lineage::api::create_run)).may(REGISTER).takes::<RunSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/runs", "list_runs", "List runs", || get().to(|ctx: Ctx| api::list(ctx, "run"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<RunSpec>>>(),
    Route::get("/api/v1/runs/{id}", "get_run", "Read a run", || get().to(|ctx: Ctx| api::get(ctx, "run"))).may(READ).asks::<GetQuery>().gives::<Resource<RunSpec>>(),
    Route::get("/api/v1/runs/{id}/history", "list_run_history", "Every state of a run", || get().to(|ctx: Ctx| api::history(ctx, "run"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<RunSpec>>>(),
    Route::post("/api/v1/models", "create_model", "Register a model", || post().to(registry::api::create_model)).may(REGISTER).takes::<ModelSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/models", "list_models", "List models", || get().to(|ctx: Ctx| api::list(ctx, "model"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ModelSpec>>>(),
    Route::get("/api/v1/models/{id}", "get_model", "Read a model", || get().to(|ctx: Ctx| api::get(ctx, "model"))).may(READ).asks::<GetQuery>().gives::<Resource<ModelSpec>>(),
    Route::put("/api/v1/models/{id}", "change_model", "Change a model", || put().to(registry::api::change_model)).may(REGISTER).takes::<ModelSpec>().gives::<Registered>().success(&[200, 201]).matched(),
    Route::get("/api/v1/models/{id}/history", "list_model_history", "Every state of a model", || get().to(|ctx: Ctx| api::history(ctx, "model"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<ModelSpec>>>(),
    Route::post("/api/v1/model-versions", "create_model_version", "Register a model version", || post().to(registry::api::create_model_version)).may(REGISTER).takes::<ModelVersionSpec>().gives::<Registered>().success(&[200, 201]).keyed().limit(LARGE),
    Route::get("/api/v1/model-versions", "list_model_versions", "List model versions", || get().to(|ctx: Ctx| api::list(ctx, "model_version"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ModelVersionSpec>>>(),
    Route::get("/api/v1/model-versions/{id}", "get_model_version", "Read a model version", || get().to(|ctx: Ctx| api::get(ctx, "model_version"))).may(READ).asks::<GetQuery>().gives::<Resource<ModelVersionSpec>>(),
    Route::get("/api/v1/model-versions/{id}/history", "list_model_version_history", "Every state of a model version", || get().to(|ctx: Ctx| api::history(ctx, "model_version"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<ModelVersionSpec>>>(),
    Route::post("/api/v1/attestations", "create_attestation", "Record what was observed when an endpoint was called", || post().to(registry::api::create_attestation)).may(PROPOSE).takes::<AttestationSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/attestations", "list_attestations", "List attestations of endpoints", || get().to(|ctx: Ctx| api::list(ctx, "attestation"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<AttestationSpec>>>(),
    Route::get("/api/v1/attestations/{id}", "get_attestation", "Read an attestation", || get().to(|ctx: Ctx| api::get(ctx, "attestation"))).may(READ).asks::<GetQuery>().gives::<Resource<AttestationSpec>>(),
    Route::post("/api/v1/systems", "create_system", "Register a system", || post().to(registry::api::create_system)).may(REGISTER).takes::<SystemSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/systems", "list_systems", "List systems", || get().to(|ctx: Ctx| api::list(ctx, "system"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<SystemSpec>>>(),
    Route::get("/api/v1/systems/{id}", "get_system", "Read a system", || get().to(|ctx: Ctx| api::get(ctx, "system"))).may(READ).asks::<GetQuery>().gives::<Resource<SystemSpec>>(),
    Route::get("/api/v1/systems/{id}/history", "list_system_history", "Every state of a system", || get().to(|ctx: Ctx| api::history(ctx, "system"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<SystemSpec>>>(),
    Route::post("/api/v1/environments", "create_environment", "Register an environment", || post().to(registry::api::create_environment)).may(OPERATE).takes::<EnvironmentSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/environments", "list_environments", "List environments", || get().to(|ctx: Ctx| api::list(ctx, "environment"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<EnvironmentSpec>>>(),
    Route::get("/api/v1/environments/{id}", "get_environment", "Read an environment", || get().to(|ctx: Ctx| api::get(ctx, "environment"))).may(READ).asks::<GetQuery>().gives::<Resource<EnvironmentSpec>>(),
    Route::put("/api/v1/environments/{id}", "change_environment", "Change an environment", || put().to(registry::api::change_environment)).may(OPERATE).takes::<EnvironmentSpec>().gives::<Registered>().success(&[200, 201]).matched(),
    Route::get("/api/v1/environments/{id}/history", "list_environment_history", "Every state of an environment", || get().to(|ctx: Ctx| api::history(ctx, "environment"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<EnvironmentSpec>>>(),
    Route::post("/api/v1/deployments", "create_deployment", "Register a deployment", || post().to(registry::api::create_deployment)).may(OPERATE).takes::<DeploymentSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/deployments", "list_deployments", "List deployments", || get().to(|ctx: Ctx| api::list(ctx, "deployment"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<DeploymentSpec>>>(),
    Route::get("/api/v1/deployments/{id}", "get_deployment", "Read a deployment", || get().to(|ctx: Ctx| api::get(ctx, "deployment"))).may(READ).asks::<GetQuery>().gives::<Resource<DeploymentSpec>>(),
    Route::put("/api/v1/deployments/{id}", "change_deployment", "Change a deployment", || put().to(registry::api::change_deployment)).may(OPERATE).takes::<DeploymentSpec>().gives::<Registered>().success(&[200, 201]).matched(),
    Route::get("/api/v1/deployments/{id}/history", "list_deployment_history", "Every state of a deployment", || get().to(|ctx: Ctx| api::history(ctx, "deployment"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<DeploymentSpec>>>(),
    Route::post("/api/v1/releases", "create_release", "Propose a release", || post().to(registry::api::create_release)).may(PROPOSE).takes::<ReleaseSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/releases", "list_releases", "List releases", || get().to(|ctx: Ctx| api::list(ctx, "release"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ReleaseSpec>>>(),
    Route::get("/api/v1/releases/{id}", "get_release", "Read a release", || get().to(|ctx: Ctx| api::get(ctx, "release"))).may(READ).asks::<GetQuery>().gives::<Resource<ReleaseSpec>>(),
    Route::get("/api/v1/releases/{id}/history", "list_release_history", "Every state of a release", || get().to(|ctx: Ctx| api::history(ctx, "release"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<ReleaseSpec>>>(),
    Route::post("/api/v1/purposes", "create_purpose", "Propose a purpose", || post().to(lawfulness::api::create_purpose)).may(REGISTER).takes::<PurposeSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/purposes", "list_purposes", "List purposes", || get().to(|ctx: Ctx| api::list(ctx, "purpose"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<PurposeSpec>>>(),
    Route::get("/api/v1/purposes/{id}", "get_purpose", "Read a purpose", || get().to(|ctx: Ctx| api::get(ctx, "purpose"))).may(READ).asks::<GetQuery>().gives::<Resource<PurposeSpec>>(),
    Route::get("/api/v1/purposes/{id}/history", "list_purpose_history", "Every state of a purpose", || get().to(|ctx: Ctx| api::history(ctx, "purpose"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<PurposeSpec>>>(),
    Route::post("/api/v1/bases", "create_basis", "Propose a basis", || post().to(lawfulness::api::create_basis)).may(REGISTER).takes::<BasisSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/bases", "list_bases", "List bases", || get().to(|ctx: Ctx| api::list(ctx, "basis"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<BasisSpec>>>(),
    Route::get("/api/v1/bases/{id}", "get_basis", "Read a basis", || get().to(|ctx: Ctx| api::get(ctx, "basis"))).may(READ).asks::<GetQuery>().gives::<Resource<BasisSpec>>(),
    Route::get("/api/v1/bases/{id}/history", "list_basis_history", "Every state of a basis", || get().to(|ctx: Ctx| api::history(ctx, "basis"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<BasisSpec>>>(),
    Route::post("/api/v1/assessments", "create_assessment", "Propose an assessment", || post().to(lawfulness::api::create_assessment)).may(REGISTER).takes::<AssessmentSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/assessments", "list_assessments", "List assessments", || get().to(|ctx: Ctx| api::list(ctx, "assessment"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<AssessmentSpec>>>(),
    Route::get("/api/v1/assessments/{id}", "get_assessment", "Read an assessment", || get().to(|ctx: Ctx| api::get(ctx, "assessment"))).may(READ).asks::<GetQuery>().gives::<Resource<AssessmentSpec>>(),
    Route::get("/api/v1/assessments/{id}/history", "list_assessment_history", "Every state of an assessment", || get().to(|ctx: Ctx| api::history(ctx, "assessment"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<AssessmentSpec>>>(),
    Route::post("/api/v1/policies", "create_policy", "Propose a revision of the organisation's policy", || post().to(gate::api::create_policy)).may(GOVERN).takes::<PolicySpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/policies", "list_policies", "List revisions of the policy", || get().to(|ctx: Ctx| api::list(ctx, "policy"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<PolicySpec>>>(),
    Route::get("/api/v1/policies/{id}", "get_policy", "Read a revision of the policy", || get().to(|ctx: Ctx| api::get(ctx, "policy"))).may(READ).asks::<GetQuery>().gives::<Resource<PolicySpec>>(),
    Route::get("/api/v1/policies/{id}/history", "list_policy_history", "Every state of a revision of the policy", || get().to(|ctx: Ctx| api::history(ctx, "policy"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<PolicySpec>>>(),
    Route::post("/api/v1/dataset-versions/{id}/life", "change_dataset_version_life", "Restrict or erase a dataset version, or lift a restriction", || post().to(registry::api::change_life)).may(LIFE).takes::<LifeChange>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::post("/api/v1/dataset-versions/{id}/retire", "retire_dataset_version", "Retire a dataset version that was registered by mistake", || post().to(registry::api::retire_dataset_version)).may(REGISTER).takes::<Retirement>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::post("/api/v1/model-versions/{id}/retire", "retire_model_version", "Retire a model version that was registered by mistake", || post().to(registry::api::retire_model_version)).may(REGISTER).takes::<Retirement>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::post("/api/v1/runs/{id}/retire", "retire_run", "Retire a run that was registered by mistake", || post().to(registry::api::retire_run)).may(REGISTER).takes::<Retirement>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::post("/api/v1/classes", "create_class", "State the default class of namespaces nobody classified yet", || post().to(registry::api::create_class)).may(REGISTER).takes::<DefaultClassSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/classes", "list_classes", "List default classes", || get().to(|ctx: Ctx| api::list(ctx, "class"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<DefaultClassSpec>>>(),
    Route::get("/api/v1/classes/{id}", "get_class", "Read a default class", || get().to(|ctx: Ctx| api::get(ctx, "class"))).may(READ).asks::<GetQuery>().gives::<Resource<DefaultClassSpec>>(),
    Route::post("/api/v1/classifications", "create_classification", "Classify fields nobody classified, one fact per version", || post().to(registry::api::create_classification)).may(REGISTER).takes::<ClassificationCreate>().gives::<ClassificationResult>().keyed(),
    Route::get("/api/v1/classifications", "list_classifications", "List later classifications", || get().to(|ctx: Ctx| api::list(ctx, "classification"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ClassificationSpec>>>(),
    Route::get("/api/v1/classifications/{id}", "get_classification", "Read a later classification", || get().to(|ctx: Ctx| api::get(ctx, "classification"))).may(READ).asks::<GetQuery>().gives::<Resource<ClassificationSpec>>(),
    Route::get("/api/v1/resolve", "resolve_reference", "The thing a reference names", || get().to(api::resolve)).may(READ).asks::<ByRef>().gives::<Resource<serde_json::Value>>(),
    Route::get("/api/v1/vocabulary", "list_terms", "Terms of the vocabularies", || get().to(api::terms)).may(READ).asks::<Terms>().gives::<Page<TermView>>(),

    // Lineage.
    Route::get("/api/v1/lineage", "get_lineage", "Upstream or downstream closure, whole", || get().to(lineage::api::closure)).may(READ).asks::<LineageQuery>().gives::<Closure>(),
    Route::get("/api/v1/lineage/path", "get_lineage_path", "Shortest path from an effect to a cause", || get().to(lineage::api::path)).may(READ).asks::<PathQuery>().gives::<PathView>(),
    Route::get("/api/v1/exposure", "get_exposure", "Personal data that reach a node", || get().to(reports::api::exposure)).may(READ).asks::<ExposureQuery>().gives::<ExposureView>(),

    // Used by the board.
    Route::post("/api/v1/reviews", "create_review", "Open a review or a dossier of several things", || post().to(gate::api::create_review)).may(&[Registrar, Reviewer]).takes::<ReviewCreate>().gives::<Registered>().success(&[201]).keyed(),
    Route::get("/api/v1/reviews", "list_reviews", "List reviews", || get().to(|ctx: Ctx| api::list(ctx, "review"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ReviewSpec>>>(),
    Route::get("/api/v1/reviews/{id}", "get_review", "A review with all that was said on it", || get().to(review::api::get_review)).may(READ).asks::<GetQuery>().gives::<ReviewView>(),
    Route::post("/api/v1/reviews/{id}/votes", "create_vote", "Cast a vote, in one's own seat or one delegated", || post().to(review::api::create_vote)).may(SEATED).takes::<VoteCreate>().gives::<Registered>().success(&[201]).keyed(),
    Route::post("/api/v1/reviews/{id}/opinions", "create_opinion", "Give an opinion", || post().to(review::api::create_opinion)).may(ADVISE).takes::<OpinionCreate>().gives::<Registered>().success(&[201]).keyed(),
    Route::get("/api/v1/approvals", "list_approvals", "List approvals", || get().to(|ctx: Ctx| api::list(ctx, "approval"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ApprovalSpec>>>(),
    Route::post("/api/v1/revocations", "create_revocation", "Take an approval back", || post().to(review::api::create_revocation)).may(BOARD).takes::<RevocationCreate>().gives::<Registered>().success(&[201]).keyed(),
    Route::get("/api/v1/revocations", "list_revocations", "List revocations", || get().to(|ctx: Ctx| api::list(ctx, "revocation"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<RevocationSpec>>>(),

    // What people are told. The pages are open: a notice is read by people, who have no token.
    Route::get("/notices/{key}", "show_notice", "The notice in force, as a page or as JSON", || get().to(notices::api::show_notice)).open().asks::<NoticePageQuery>().gives::<NoticeView>().as_page(),
    Route::get("/notices/by-digest/{digest}", "show_notice_by_digest", "What a person saw, as a page or as JSON, for ever", || get().to(notices::api::show_notice_by_digest)).open().asks::<NoticePageQuery>().gives::<NoticeView>().as_page(),
    Route::post("/api/v1/notices", "create_notice", "State a notice, or its next revision", || post().to(notices::api::create_notice)).may(INFORM).takes::<NoticeSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/notices", "list_notices", "List notices", || get().to(|ctx: Ctx| api::list(ctx, "notice"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<NoticeSpec>>>(),
    Route::get("/api/v1/notices/{id}", "get_notice", "Read a notice", || get().to(|ctx: Ctx| api::get(ctx, "notice"))).may(READ).asks::<GetQuery>().gives::<Resource<NoticeSpec>>(),
    Route::post("/api/v1/withdrawal-tests", "create_withdrawal_test", "Record that somebody went the way a notice names to withdraw", || post().to(notices::api::create_withdrawal_test)).may(INFORM).takes::<WithdrawalTestSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/withdrawal-tests", "list_withdrawal_tests", "List tests of the means of withdrawal", || get().to(|ctx: Ctx| api::list(ctx, "withdrawal-test"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<WithdrawalTestSpec>>>(),
    Route::get("/api/v1/withdrawal-tests/{id}", "get_withdrawal_test", "Read one of them", || get().to(|ctx: Ctx| api::get(ctx, "withdrawal-test"))).may(READ).asks::<GetQuery>().gives::<Resource<WithdrawalTestSpec>>(),
    Route::get("/api/v1/deployments/{id}/notice-draft", "draft_notice", "A notice drafted from what is registered of a deployment", || get().to(reports::api::draft_notice)).may(READ).asks::<MomentQuery>().gives::<NoticeSpec>(),

    // Used by CI and clusters.
    Route::post("/api/v1/gate", "ask_gate", "May it run", || post().to(gate::api::ask)).may(&[Registrar, Releaser]).takes::<GateRequest>().gives::<GateAnswer>().limit(LARGE),
    Route::post("/api/v1/releases/{id}/activate", "activate_release", "Activate a release; refused unless the gate allows", || post().to(gate::api::activate)).may(RELEASE).takes::<Activation>().gives::<Decision>().limit(LARGE).keyed(),
    Route::post("/api/v1/releases/{id}/withdraw", "withdraw_release", "Take a release out for good", || post().to(registry::api::withdraw_release)).may(RELEASE).gives::<Registered>(),
    Route::post("/api/v1/deployments/{id}/rollback", "roll_back_deployment", "Back to a release on standby: the one named, else the one that ran before", || post().to(gate::api::rollback)).may(RELEASE).takes::<Rollback>().gives::<Decision>().limit(LARGE).keyed(),
    Route::get("/api/v1/gaps", "list_gaps", "Active releases that would not be allowed today", || get().to(gate::api::list_gaps)).may(READ).asks::<GapQuery>().gives::<Page<Gap>>(),
    Route::post("/api/v1/delegations", "create_delegation", "Let another person sit in one's seat on the board for a while", || post().to(review::api::create_delegation)).may(BOARD).takes::<DelegationCreate>().gives::<Registered>().success(&[201]).keyed(),
    Route::get("/api/v1/delegations", "list_delegations", "List delegations", || get().to(|ctx: Ctx| api::list(ctx, "delegation"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<DelegationSpec>>>(),
    Route::get("/api/v1/delegations/{id}", "get_delegation", "Read a delegation", || get().to(|ctx: Ctx| api::get(ctx, "delegation"))).may(READ).asks::<GetQuery>().gives::<Resource<DelegationSpec>>(),
    Route::delete("/api/v1/delegations/{id}", "end_delegation", "End a delegation before its time", || delete().to(review::api::end_delegation)).may(BOARD).success(&[204]),
    Route::post("/api/v1/contests", "create_contest", "Say that a finding of a recorded decision is wrong", || post().to(gate::api::create_contest)).may(&[Registrar, Releaser, Reviewer, Dpo]).takes::<ContestCreate>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/contests", "list_contests", "List contests", || get().to(|ctx: Ctx| api::list(ctx, "contest"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<ContestSpec>>>(),
    Route::get("/api/v1/contests/{id}", "get_contest", "Read a contest", || get().to(|ctx: Ctx| api::get(ctx, "contest"))).may(READ).asks::<GetQuery>().gives::<Resource<ContestSpec>>(),
    Route::post("/api/v1/contests/{id}/settlement", "settle_contest", "Settle a contest: the finding was wrong, or right", || post().to(gate::api::settle_contest)).may(&[Reviewer, Dpo]).takes::<SettlementCreate>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/reports/contests", "get_contest_figures", "By rule, how often findings were contested, and rightly", || get().to(gate::api::contest_figures)).may(READ).asks::<GetQuery>().gives::<Page<RuleContests>>(),
    Route::post("/api/v1/releases/{id}/break-glass", "create_break_glass", "Let a denied release through in an emergency", || post().to(gate::api::break_glass)).may(&[Reviewer, Releaser]).takes::<BreakGlassCreate>().gives::<Decision>().limit(LARGE).keyed(),
    Route::get("/api/v1/break-glass", "list_break_glass", "Releases let through in emergencies", || get().to(|ctx: Ctx| api::list(ctx, "break-glass"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<BreakGlassSpec>>>(),
    Route::get("/api/v1/break-glass/{id}", "get_break_glass", "Read one of them", || get().to(|ctx: Ctx| api::get(ctx, "break-glass"))).may(READ).asks::<GetQuery>().gives::<Resource<BreakGlassSpec>>(),
    Route::post("/api/v1/loosenings", "create_loosening", "Propose that an environment enforces less for a while", || post().to(gate::api::create_loosening)).may(&[Registrar, Reviewer]).takes::<LooseningSpec>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/loosenings", "list_loosenings", "List proposals to enforce less", || get().to(|ctx: Ctx| api::list(ctx, "loosening"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<LooseningSpec>>>(),
    Route::get("/api/v1/loosenings/{id}", "get_loosening", "Read a proposal to enforce less", || get().to(|ctx: Ctx| api::get(ctx, "loosening"))).may(READ).asks::<GetQuery>().gives::<Resource<LooseningSpec>>(),
    Route::post("/api/v1/baselines", "create_baseline", "Take over today's findings of what runs, for the board to vote on", || post().to(gate::api::create_baseline)).may(&[Registrar, Reviewer]).takes::<BaselineCreate>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/baselines", "list_baselines", "List baselines", || get().to(|ctx: Ctx| api::list(ctx, "baseline"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<BaselineSpec>>>(),
    Route::get("/api/v1/baselines/{id}", "get_baseline", "Read a baseline", || get().to(|ctx: Ctx| api::get(ctx, "baseline"))).may(READ).asks::<GetQuery>().gives::<Resource<BaselineSpec>>(),
    Route::get("/api/v1/baselines/{id}/progress", "get_baseline_progress", "What of a baseline stands and what is cleared", || get().to(gate::api::baseline_progress)).may(READ).asks::<MomentQuery>().gives::<BaselineProgress>(),
    Route::get("/api/v1/decisions", "list_decisions", "List decisions", || get().to(|ctx: Ctx| api::list(ctx, "decision"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<Decision>>>(),
    Route::get("/api/v1/decisions/{id}", "get_decision", "Read a decision", || get().to(|ctx: Ctx| api::get(ctx, "decision"))).may(READ).asks::<GetQuery>().gives::<Resource<Decision>>(),
    Route::get("/api/v1/decisions/{id}/evidence", "get_decision_evidence", "The canonical evidence of a decision", || get().to(gate::api::evidence)).may(READ).gives::<serde_json::Value>(),
    Route::get("/api/v1/decisions/{id}/receipt", "get_receipt", "The receipt of a decision that allowed: signed, with the proof that the ledger holds it", || get().to(gate::api::receipt)).may(READ).gives::<Receipt>(),
    Route::get("/api/v1/decisions/{id}/bundle", "get_receipt_bundle", "The signed statement of a receipt as a Sigstore bundle, for tools that read no other form", || get().to(gate::api::receipt_bundle)).may(READ).gives::<serde_json::Value>(),
    Route::get("/api/v1/decisions/{id}/status", "get_decision_status", "What became of a decision since, as no receipt can say it", || get().to(gate::api::status)).may(READ).gives::<DecisionStatus>(),
    Route::get("/api/v1/decisions/{id}/replay", "replay_decision", "A decision computed again from the ledger", || get().to(gate::api::replay_decision)).may(READ).asks::<ReplayQuery>().gives::<Replay>(),

    // What ran, and whether it had a right to: uses are recorded, never refused.
    Route::post("/api/v1/uses", "create_use", "Record uses of a deployment by batch, against the decision in force; the answer says whether there was a right", || post().to(gate::uses::api::create_use)).may(PROPOSE).takes::<UseCreate>().gives::<UseTaken>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/uses", "list_uses", "List uses recorded, of one deployment, with or without a right, or at a moment", || get().to(gate::uses::api::list_uses)).may(READ).asks::<UsesQuery>().gives::<Page<Resource<UseSpec>>>(),
    Route::get("/api/v1/uses/{id}", "get_use", "Read uses recorded", || get().to(|ctx: Ctx| api::get(ctx, "use"))).may(READ).asks::<GetQuery>().gives::<Resource<UseSpec>>(),
    Route::get("/api/v1/reports/uses", "list_use_figures", "By deployment, how often it was used, and how often without a right", || get().to(gate::uses::api::figures)).may(READ).asks::<UseFiguresQuery>().gives::<Page<UseFigures>>(),
    Route::get("/api/v1/deployments/{id}/proof", "get_proof", "That a deployment ran at a moment under a decision that allowed it: signed, with what the ledger proves of it", || get().to(gate::uses::api::proof)).may(READ).asks::<gate::uses::api::ProofQuery>().gives::<InForceProof>(),

    // Models that go to others, and those that come from them: upstream known by signature.
    Route::get("/api/v1/model-versions/{id}/passport", "get_passport", "The passport of a model version: whose data are behind it, for what, on which bases, promised what; signed", || get().to(gate::passport::api::passport)).may(READ).gives::<PassportFile>(),
    Route::post("/api/v1/passports", "create_passport", "Take in a model of another registry with its passport, by a key that is trusted", || post().to(gate::passport::api::create_passport)).may(REGISTER).takes::<PassportImport>().gives::<PassportTaken>().success(&[200, 201]).keyed().limit(LARGE),
    Route::get("/api/v1/passports", "list_passports", "List passports taken in", || get().to(|ctx: Ctx| api::list(ctx, "passport"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<serde_json::Value>>>(),
    Route::get("/api/v1/passports/{id}", "get_passport_taken", "Read a passport taken in", || get().to(|ctx: Ctx| api::get(ctx, "passport"))).may(READ).asks::<GetQuery>().gives::<Resource<serde_json::Value>>(),

    // Seen ahead and behind: what would be, what lies downstream, what ends, what changed.
    Route::post("/api/v1/whatif", "ask_whatif", "What would be if; nothing is written", || post().to(reports::api::whatif)).may(READ).takes::<WhatIfRequest>().gives::<WhatIf>().limit(LARGE),
    Route::get("/api/v1/reports/suggest", "get_suggestions", "What would clear a refusal, each change tried", || get().to(reports::api::suggest)).may(READ).asks::<SuggestQuery>().gives::<Suggestions>(),
    Route::get("/api/v1/reports/drift", "get_drift", "Per source, purposes agreed and purposes of use", || get().to(reports::api::drift)).may(READ).asks::<DriftQuery>().gives::<Drift>(),
    Route::get("/api/v1/impact", "get_impact", "Everything downstream of something, with its state", || get().to(reports::api::impact)).may(READ).asks::<ImpactQuery>().gives::<Impact>(),
    Route::post("/api/v1/impact/subjects", "get_subjects_impact", "Where some people are, and what would follow if they all withdrew; how many, never who", || post().to(reports::api::subjects_impact)).may(PEOPLE).takes::<SubjectsQuery>().gives::<SubjectsImpact>().limit(LARGE),
    Route::get("/api/v1/exports", "get_export", "What is registered, or one thing with all behind it, as CycloneDX, PROV or OpenLineage, at one position", || get().to(reports::exports::api::export)).may(READ).asks::<ExportQuery>().gives::<serde_json::Value>(),
    Route::get("/api/v1/reports/recipients", "list_recipients", "Every party that something downstream was disclosed to", || get().to(reports::api::recipients)).may(READ).asks::<RecipientsQuery>().gives::<Recipients>(),
    Route::get("/api/v1/calendar", "get_calendar", "What ends when, and what relies on it", || get().to(reports::api::calendar)).may(READ).asks::<CalendarQuery>().gives::<Calendar>(),
    Route::post("/api/v1/affected", "ask_affected", "Deployments in which datasets and models are used; nothing is written", || post().to(reports::api::affected)).may(READ).takes::<AffectedQuery>().gives::<AffectedDeployments>(),
    Route::get("/api/v1/reports/renewals", "get_renewals", "Approvals that end soon, and whether anything changed since", || get().to(reports::api::renewals)).may(READ).asks::<RenewalsQuery>().gives::<Renewals>(),
    Route::get("/api/v1/reports/clearing", "get_clearing_figures", "By rule and addressee, how long refusals stayed", || get().to(reports::api::clearing)).may(READ).asks::<GetQuery>().gives::<Page<RuleClearing>>(),
    Route::get("/api/v1/reports/debt", "get_debt", "What default classes answer for, and what runs on it", || get().to(reports::api::debt)).may(READ).asks::<MomentQuery>().gives::<Debt>(),
    Route::get("/api/v1/deployments/{id}/diff", "get_deployment_diff", "What changed for a deployment between two moments, and why", || get().to(reports::api::diff)).may(READ).asks::<DiffQuery>().gives::<Diff>(),

    // Used by auditors.
    Route::get("/api/v1/ledger/head", "get_ledger_head", "The Merkle tree as it stands", || get().to(ledger::api::head)).may(READ).gives::<TreeHead>(),
    Route::get("/api/v1/ledger/entries", "list_ledger_entries", "Entries, oldest first", || get().to(ledger::api::entries)).may(ENTRIES).asks::<EntriesQuery>().gives::<Page<EntryView>>(),
    Route::get("/api/v1/ledger/entries/{seq}", "get_ledger_entry", "One entry", || get().to(ledger::api::entry)).may(ENTRIES).gives::<EntryView>(),
    Route::get("/api/v1/ledger/proofs/inclusion", "get_inclusion_proof", "Proof that an entry is in the tree", || get().to(ledger::api::inclusion)).may(READ).asks::<InclusionQuery>().gives::<InclusionProof>(),
    Route::get("/api/v1/ledger/proofs/consistency", "get_consistency_proof", "Proof that one tree continues another", || get().to(ledger::api::consistency)).may(READ).asks::<ConsistencyQuery>().gives::<ConsistencyProof>(),
    Route::get("/api/v1/ledger/keys", "list_ledger_keys", "Name of the ledger, and the keys that sign it or did", || get().to(ledger::api::keys)).may(READ).gives::<KeyRing>(),
    Route::get("/api/v1/ledger/checkpoints", "list_ledger_checkpoints", "Signed checkpoints, smallest first", || get().to(ledger::api::checkpoints)).may(READ).asks::<CheckpointsQuery>().gives::<Page<CheckpointView>>(),
    // As C2SP tlog-tiles has it, for monitors and witnesses; without a token where the log is public.
    Route::get("/log/checkpoint", "get_checkpoint", "The signed checkpoint of the ledger as it stands", || get().to(ledger::api::checkpoint)).may(READ).published().gives_text("text/plain"),
    Route::get("/log/tile/entries/{tile}", "get_entry_bundle", "A bundle of up to 256 entries", || get().to(ledger::api::entry_bundle)).may(ENTRIES).published().gives_text("application/octet-stream"),
    Route::get("/log/tile/{tile}", "get_tile", "A tile of up to 256 hashes", || get().to(ledger::api::tile)).may(READ).published().gives_text("application/octet-stream"),

    // What happens, told to others.
    Route::get("/api/v1/events", "stream_events", "What happens, as server-sent events", || get().to(events::api::stream_events)).may(ENTRIES).asks::<EventsQuery>().gives_text("text/event-stream"),
    Route::post("/api/v1/webhooks", "create_webhook", "Tell a receiver what happens; the secret that signs is shown this once", || post().to(events::api::create_webhook)).may(MANAGE).takes::<WebhookCreate>().gives::<WebhookCreated>().success(&[201]).keyed(),
    Route::get("/api/v1/webhooks", "list_webhooks", "List receivers, without secrets", || get().to(events::api::list_webhooks)).may(MANAGE).gives::<Page<WebhookView>>(),
    Route::get("/api/v1/webhooks/{id}", "get_webhook", "Read a receiver, without its secret", || get().to(events::api::get_webhook)).may(MANAGE).gives::<WebhookView>(),
    Route::delete("/api/v1/webhooks/{id}", "delete_webhook", "Tell a receiver no more", || delete().to(events::api::delete_webhook)).may(MANAGE).success(&[204]),
    Route::get("/api/v1/webhooks/{id}/deliveries", "list_webhook_deliveries", "Deliveries that failed: waiting, or given up", || get().to(events::api::list_deliveries)).may(MANAGE).asks::<DeliveriesQuery>().gives::<Page<Delivery>>(),
    Route::post("/api/v1/webhooks/{id}/redeliveries", "create_webhook_redelivery", "Deliver one event again, or everything given up", || post().to(events::api::redeliver)).may(MANAGE).takes::<Redelivery>().success(&[204]),

    // What engines report, by the protocol of OpenLineage.
    Route::post("/api/v1/lineage", "receive_lineage_event", "Take an event of OpenLineage; what cannot be read waits in quarantine", || post().to(openlineage::api::receive)).may(REGISTER).takes_foreign().gives::<EventTaken>().success(&[200, 201]).limit(EVENTS),
    Route::post("/api/v1/lineage/batch", "receive_lineage_events", "Take many events of OpenLineage, each for itself", || post().to(openlineage::api::receive_batch)).may(REGISTER).takes_foreign().gives::<EventsTaken>().limit(EVENTS),
    Route::get("/api/v1/lineage/quarantine", "list_quarantined_events", "List events that could not be read", || get().to(openlineage::api::list_quarantine)).may(QUARANTINE).asks::<QuarantineQuery>().gives::<Page<QuarantinedEvent>>(),
    Route::get("/api/v1/lineage/quarantine/{id}", "get_quarantined_event", "Read an event that could not be read, as it came", || get().to(openlineage::api::get_quarantined)).may(QUARANTINE).gives::<QuarantinedEvent>(),
    Route::post("/api/v1/lineage/quarantine/{id}/replay", "replay_quarantined_event", "Read an event in quarantine again", || post().to(openlineage::api::replay)).may(REGISTER).gives::<EventTaken>(),
    Route::delete("/api/v1/lineage/quarantine/{id}", "erase_quarantined_event", "Erase an event that could not be read", || delete().to(openlineage::api::erase_quarantined)).may(ERASE).success(&[204]),
    Route::get("/api/v1/lineage/events", "list_lineage_events", "List events of OpenLineage that were recorded", || get().to(openlineage::api::list_kept)).may(KEPT).asks::<QuarantineQuery>().gives::<Page<KeptEvent>>(),
    Route::get("/api/v1/lineage/events/{digest}", "get_lineage_event", "Read an event of OpenLineage as it came", || get().to(openlineage::api::get_kept)).may(KEPT).gives::<KeptEvent>(),
    Route::delete("/api/v1/lineage/events/{digest}", "erase_lineage_event", "Erase an event of OpenLineage as it came; what was derived of it stays", || delete().to(openlineage::api::erase_kept)).may(ERASE).success(&[204]),
    Route::get(FACET_PATH, "get_licit_facet", "The JSON Schema of the facet `licit`", || get().to(openlineage::api::facet_schema)).open().gives::<serde_json::Value>(),

    // What training scripts do, by the protocol of MLflow: the registry, experiments and runs, logged models, artifacts.
    Route::post("/api/2.0/mlflow/registered-models/create", "mlflow_create_registered_model", "Register a model", || post().to(mlflow::registry::create)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/registered-models/get", "mlflow_get_registered_model", "Read a registered model", || get().to(mlflow::registry::get)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/registered-models/rename", "mlflow_rename_registered_model", "Give a registered model another name", || post().to(mlflow::registry::rename)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::patch("/api/2.0/mlflow/registered-models/update", "mlflow_update_registered_model", "Describe a registered model", || patch().to(mlflow::registry::update)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/registered-models/delete", "mlflow_delete_registered_model", "Put a registered model away", || delete().to(mlflow::registry::delete)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/registered-models/search", "mlflow_search_registered_models", "Look for registered models", || get().to(mlflow::registry::search)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/registered-models/get-latest-versions", "mlflow_get_latest_versions", "Read the latest version of each stage", || post().to(mlflow::registry::latest)).may(READ).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/registered-models/get-latest-versions", "mlflow_list_latest_versions", "Read the latest version of each stage", || get().to(mlflow::registry::latest_by_query)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/registered-models/set-tag", "mlflow_set_registered_model_tag", "Tag a registered model", || post().to(mlflow::registry::set_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/registered-models/delete-tag", "mlflow_delete_registered_model_tag", "Take a tag off a registered model", || delete().to(mlflow::registry::delete_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/registered-models/alias", "mlflow_set_alias", "Let an alias stand for a version; a governed one asks the gate", || post().to(mlflow::registry::set_alias)).may(PROPOSE).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/registered-models/alias", "mlflow_get_alias", "Read the version an alias stands for", || get().to(mlflow::registry::get_alias)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/registered-models/alias", "mlflow_delete_alias", "Let an alias stand for nothing; what ran under a governed one is withdrawn", || delete().to(mlflow::registry::delete_alias)).may(PROPOSE).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/model-versions/create", "mlflow_create_model_version", "Register a version; no rule of the gate keeps it from being made", || post().to(mlflow::registry::create_version)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/model-versions/get", "mlflow_get_model_version", "Read a version", || get().to(mlflow::registry::get_version)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::patch("/api/2.0/mlflow/model-versions/update", "mlflow_update_model_version", "Describe a version", || patch().to(mlflow::registry::update_version)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/model-versions/delete", "mlflow_delete_model_version", "Put a version away", || delete().to(mlflow::registry::delete_version)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/model-versions/transition-stage", "mlflow_transition_model_version_stage", "Put a version into a stage; `Production` asks the gate", || post().to(mlflow::registry::transition)).may(PROPOSE).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/model-versions/search", "mlflow_search_model_versions", "Look for versions", || get().to(mlflow::registry::search_versions)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/model-versions/get-download-uri", "mlflow_get_model_version_download_uri", "Read where the files of a version are", || get().to(mlflow::registry::download_uri)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/model-versions/set-tag", "mlflow_set_model_version_tag", "Tag a version", || post().to(mlflow::registry::set_version_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/model-versions/delete-tag", "mlflow_delete_model_version_tag", "Take a tag off a version", || delete().to(mlflow::registry::delete_version_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),

    Route::post("/api/2.0/mlflow/experiments/create", "mlflow_create_experiment", "Begin an experiment", || post().to(mlflow::experiments::create)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/experiments/get", "mlflow_get_experiment", "Read an experiment", || get().to(mlflow::experiments::get)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/experiments/get-by-name", "mlflow_get_experiment_by_name", "Read an experiment by its name", || get().to(mlflow::experiments::get_by_name)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/search", "mlflow_search_experiments", "Look for experiments", || post().to(mlflow::experiments::search)).may(READ).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/experiments/search", "mlflow_list_experiments", "Look for experiments", || get().to(mlflow::experiments::search_by_query)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/update", "mlflow_update_experiment", "Give an experiment another name", || post().to(mlflow::experiments::update)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/set-experiment-tag", "mlflow_set_experiment_tag", "Tag an experiment", || post().to(mlflow::experiments::set_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/delete-experiment-tag", "mlflow_delete_experiment_tag", "Take a tag off an experiment", || post().to(mlflow::experiments::delete_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/delete", "mlflow_delete_experiment", "Put an experiment away", || post().to(mlflow::experiments::delete)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/experiments/restore", "mlflow_restore_experiment", "Take an experiment back", || post().to(mlflow::experiments::restore)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),

    Route::post("/api/2.0/mlflow/runs/create", "mlflow_create_run", "Begin a run", || post().to(mlflow::runs::create)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/runs/get", "mlflow_get_run", "Read a run", || get().to(mlflow::runs::get)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/update", "mlflow_update_run", "Say how far a run is", || post().to(mlflow::runs::update)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/delete", "mlflow_delete_run", "Put a run away", || post().to(mlflow::runs::delete)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/restore", "mlflow_restore_run", "Take a run back", || post().to(mlflow::runs::restore)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/search", "mlflow_search_runs", "Look for runs", || post().to(mlflow::runs::search)).may(READ).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/log-batch", "mlflow_log_batch", "Log parameters, figures and tags", || post().to(mlflow::runs::log_batch)).may(REGISTER).mlflow().takes_foreign().limit(LARGE).gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/log-metric", "mlflow_log_metric", "Log a figure", || post().to(mlflow::runs::log_metric)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/log-parameter", "mlflow_log_parameter", "Log a parameter", || post().to(mlflow::runs::log_parameter)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/set-tag", "mlflow_set_run_tag", "Tag a run", || post().to(mlflow::runs::set_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/delete-tag", "mlflow_delete_run_tag", "Take a tag off a run", || post().to(mlflow::runs::delete_tag)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/log-inputs", "mlflow_log_inputs", "Say what a run read: it becomes lineage", || post().to(mlflow::runs::log_inputs)).may(REGISTER).mlflow().takes_foreign().limit(LARGE).gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/outputs", "mlflow_log_outputs", "Say which models a run wrote: it becomes lineage", || post().to(mlflow::runs::outputs)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/runs/log-model", "mlflow_log_model", "Say what a model is, as version 2 of the clients does", || post().to(mlflow::runs::log_model)).may(REGISTER).mlflow().takes_foreign().limit(LARGE).gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/metrics/get-history", "mlflow_get_metric_history", "Read every figure of a key", || get().to(mlflow::runs::history)).may(READ).mlflow().gives::<serde_json::Value>(),

    Route::post("/api/2.0/mlflow/logged-models", "mlflow_create_logged_model", "Begin a logged model", || post().to(mlflow::logged::create)).may(REGISTER).mlflow().takes_foreign().limit(LARGE).gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/logged-models/search", "mlflow_search_logged_models", "Look for logged models", || post().to(mlflow::logged::search)).may(READ).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/logged-models/{id}", "mlflow_get_logged_model", "Read a logged model", || get().to(mlflow::logged::get)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::patch("/api/2.0/mlflow/logged-models/{id}", "mlflow_finish_logged_model", "Say that a logged model is ready, or failed", || patch().to(mlflow::logged::finish)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/logged-models/{id}", "mlflow_delete_logged_model", "Put a logged model away", || delete().to(mlflow::logged::delete)).may(REGISTER).mlflow().gives::<serde_json::Value>(),
    Route::patch("/api/2.0/mlflow/logged-models/{id}/tags", "mlflow_set_logged_model_tags", "Tag a logged model", || patch().to(mlflow::logged::set_tags)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/logged-models/{id}/tags/{key}", "mlflow_delete_logged_model_tag", "Take a tag off a logged model", || delete().to(mlflow::logged::delete_tag)).may(REGISTER).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/logged-models/{id}/params", "mlflow_log_logged_model_params", "Log parameters of a logged model", || post().to(mlflow::logged::log_params)).may(REGISTER).mlflow().takes_foreign().gives::<serde_json::Value>(),

    Route::post("/api/2.0/mlflow/webhooks", "mlflow_create_webhook", "Tell a receiver of changes of models, in the form of MLflow", || post().to(hooks::create)).may(MANAGE).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/webhooks", "mlflow_list_webhooks", "List receivers, without secrets", || get().to(hooks::list)).may(MANAGE).mlflow().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow/webhooks/{id}", "mlflow_get_webhook", "Read a receiver, without its secret", || get().to(hooks::get)).may(MANAGE).mlflow().gives::<serde_json::Value>(),
    Route::patch("/api/2.0/mlflow/webhooks/{id}", "mlflow_update_webhook", "Change a receiver", || patch().to(hooks::update)).may(MANAGE).mlflow().takes_foreign().gives::<serde_json::Value>(),
    Route::delete("/api/2.0/mlflow/webhooks/{id}", "mlflow_delete_webhook", "Tell a receiver no more", || delete().to(hooks::delete)).may(MANAGE).mlflow().gives::<serde_json::Value>(),
    Route::post("/api/2.0/mlflow/webhooks/{id}/test", "mlflow_test_webhook", "Post an example to a receiver", || post().to(hooks::test)).may(MANAGE).mlflow().takes_foreign().gives::<serde_json::Value>(),

    Route::get("/api/2.0/mlflow-artifacts/artifacts", "mlflow_list_artifacts", "List what lies in a folder of artifacts", || get().to(artifacts::list)).may(READ).mlflow().gives::<serde_json::Value>(),
    Route::get("/api/2.0/mlflow-artifacts/artifacts/{artifact}", "mlflow_download_artifact", "Fetch an artifact", || get().to(artifacts::get)).may(READ).mlflow().gives_text("application/octet-stream"),
    Route::put("/api/2.0/mlflow-artifacts/artifacts/{artifact}", "mlflow_upload_artifact", "Bring an artifact, which is hashed as it comes", || put().to(artifacts::put)).may(REGISTER).mlflow().takes_bytes(),

    // Whose data it is: pseudonyms made by the client, under keys known by fingerprint.
    Route::post("/api/v1/subject-keys", "create_subject_key", "Make a key of subjects known by its fingerprint, never the key", || post().to(consent::api::create_key)).may(REGISTER).takes::<SubjectKeySpec>().gives::<SubjectKeyView>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/subject-keys", "list_subject_keys", "List keys of subjects", || get().to(consent::api::list_keys)).may(MEMBERS).asks::<GetQuery>().gives::<Page<SubjectKeyView>>(),
    Route::delete("/api/v1/subject-keys/{id}", "retire_subject_key", "Load nothing under a key any more", || delete().to(consent::api::retire_key)).may(REGISTER).success(&[204]),
    Route::post("/api/v1/member-loads", "create_member_load", "Begin to load the members of a dataset version, or go on with a load that broke off", || post().to(consent::api::create_load)).may(REGISTER).takes::<MemberLoadCreate>().gives::<MemberLoadView>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/member-loads/{id}", "get_member_load", "Read a load of the caller, and what of it came", || get().to(consent::api::get_load)).may(REGISTER).gives::<MemberLoadView>(),
    Route::put("/api/v1/member-loads/{id}/batches/{seq}", "put_member_batch", "Take a batch of pseudonyms, one JSON text a line; it counts when the load is finished", || put().to(consent::api::put_batch)).may(REGISTER).takes_lines(LINES).asks::<BatchQuery>().gives::<BatchTaken>().success(&[200, 201]),
    Route::post("/api/v1/member-loads/{id}/finish", "finish_member_load", "State that all was sent: the members count from here on", || post().to(consent::api::finish_load)).may(REGISTER).takes::<LoadFinish>().gives::<MembersLoaded>().success(&[200, 201]),
    Route::delete("/api/v1/member-loads/{id}", "delete_member_load", "Give an open load up, with its batches", || delete().to(consent::api::delete_load)).may(UNLOAD).success(&[204]),
    Route::get("/api/v1/dataset-versions/{id}/members", "get_members", "How many members a dataset version has, and the commitment to them; never who", || get().to(consent::api::get_members)).may(MEMBERS).asks::<GetQuery>().gives::<MembersView>(),

    // What they say.
    Route::post("/api/v1/consent-records", "create_consent_record", "Record one thing somebody said: consent given or withdrawn, an objection, a restriction", || post().to(consent::api::create_record)).may(RECORD).takes::<ConsentRecord>().gives::<Recorded>().success(&[200, 201]).keyed(),
    Route::post("/api/v1/consent-batches", "create_consent_batch", "Record many, one JSON document a line; each line is recorded, known before, or refused for itself", || post().to(consent::api::create_records)).may(RECORD).takes_lines(LINES).gives::<RecordsTaken>().limit(LARGE),
    Route::post("/api/v1/subjects/records", "list_subject_records", "Everything one person said, each with its proof", || post().to(consent::api::list_subject_records)).may(PEOPLE).takes::<SubjectQuery>().gives::<SubjectRecords>(),
    Route::post("/api/v1/subjects/receipts", "list_subject_receipts", "Receipts of one person's consent, to hand on: ISO/IEC TS 27560 as JSON-LD of the Data Privacy Vocabulary", || post().to(reports::people::api::receipts)).may(PEOPLE).takes::<SubjectQuery>().gives::<serde_json::Value>(),
    Route::post("/api/v1/subjects/view", "view_subject", "What the registry knows of one person's data: datasets, models, deployments, purposes, bases, recipients", || post().to(reports::people::api::view_subject)).may(PEOPLE).takes::<SubjectQuery>().gives::<PersonView>(),
    Route::get("/api/v1/consent-actions", "get_consent_actions", "What is to be done in models for those who withdrew consent since they were trained, or object", || get().to(reports::people::api::actions)).may(READ).asks::<MomentQuery>().gives::<Page<ConsentAction>>(),
    Route::post("/api/v1/remedies", "create_remedy", "Record a remedy taken in a model for those who withdrew or object", || post().to(reports::people::api::create_remedy)).may(RECORD).takes::<RemedyCreate>().gives::<Registered>().success(&[200, 201]).keyed(),
    Route::get("/api/v1/remedies", "list_remedies", "List remedies taken", || get().to(|ctx: Ctx| api::list(ctx, "remedy"))).may(READ).asks::<ListQuery>().gives::<Page<Resource<RemedySpec>>>(),
    Route::get("/api/v1/remedies/{id}", "get_remedy", "Read a remedy taken", || get().to(|ctx: Ctx| api::get(ctx, "remedy"))).may(READ).asks::<GetQuery>().gives::<Resource<RemedySpec>>(),
    Route::get("/api/v1/remedies/{id}/history", "list_remedy_history", "Every state of a remedy taken", || get().to(|ctx: Ctx| api::history(ctx, "remedy"))).may(READ).asks::<GetQuery>().gives::<Page<Resource<RemedySpec>>>(),
    Route::post("/api/v1/subjects/erasures", "erase_subject", "Take one person out of everything the registry holds; every proof stays as it is", || post().to(reports::people::api::erase_subject)).may(PEOPLE).takes::<SubjectQuery>().gives::<Erased>(),
    Route::post("/api/v1/subjects/proofs", "read_consent_proof", "What is kept, restricted, of an erased person's consent; each reading is recorded with its reason", || post().to(consent::api::read_proof)).may(PEOPLE).takes::<ProofQuery>().gives::<KeptProofs>(),
    Route::get("/api/v1/dataset-versions/{id}/coverage", "get_coverage", "How many members' consent holds for a purpose at a moment; never whose", || get().to(reports::people::api::coverage)).may(MEMBERS).asks::<CoverageQuery>().gives::<Coverage>(),
    Route::post("/api/v1/dataset-versions/{id}/coverage/sample", "sample_coverage", "Some members whose consent does not hold, by pseudonym", || post().to(reports::people::api::sample)).may(PEOPLE).takes::<SampleQuery>().gives::<Sample>(),
    Route::post("/api/v1/member-sets", "create_member_set", "Make the member set without those who have no valid consent now", || post().to(reports::people::api::exclude)).may(RECORD).takes::<ExcludeCreate>().gives::<CorrectedView>().success(&[201]).keyed(),
    Route::get("/api/v1/member-sets/{id}/excluded", "list_excluded", "Those left out of a corrected member set, by pseudonym", || get().to(reports::people::api::excluded)).may(RECORD).asks::<ExcludedQuery>().gives::<Excluded>(),
    Route::get("/api/v1/deployments/{id}/suppressions", "list_suppressions", "Whom a deployment leaves out, by pseudonym: the whole list, or what changed since one", || get().to(reports::people::api::suppressions)).may(SUPPRESS).asks::<SuppressionQuery>().gives::<SuppressionList>(),
    Route::post("/api/v1/deployments/{id}/suppressions/acknowledgements", "create_acknowledgement", "Say that a serving system has the list of a position, and leaves out whom it names", || post().to(reports::people::api::create_acknowledgement)).may(SUPPRESS).takes::<AcknowledgementCreate>().gives::<AcknowledgementView>().success(&[201]).keyed(),

    // Who may.
    Route::get("/api/v1/whoami", "get_whoami", "Who the caller is", || get().to(access::api::whoami)).may(READ).gives::<WhoAmI>(),
    Route::post("/api/v1/actors", "create_actor", "Make a person or a service known", || post().to(access::api::create_actor)).may(MANAGE).takes::<ActorCreate>().gives::<access::api::ActorCreated>().success(&[201]).keyed(),
    Route::get("/api/v1/actors", "list_actors", "List actors", || get().to(access::api::list_actors)).may(READ).asks::<ListQuery>().gives::<Page<access::api::ActorView>>(),
    Route::delete("/api/v1/actors/{id}/name", "erase_actor_name", "Erase an actor's display name", || delete().to(access::api::erase_name)).may(ERASE).success(&[204]),
    Route::delete("/api/v1/comments/{digest}", "erase_comment", "Erase a comment or a reason by its salted digest", || delete().to(access::api::erase_comment)).may(ERASE).success(&[204]),
    Route::post("/api/v1/tokens", "create_token", "Issue a token; its secret is shown this once", || post().to(access::api::create_token)).may(MANAGE).takes::<TokenCreate>().gives::<TokenCreated>().success(&[201]).keyed(),
    Route::get("/api/v1/tokens", "list_tokens", "List tokens, without secrets", || get().to(access::api::list_tokens)).may(MANAGE).asks::<ListQuery>().gives::<Page<TokenView>>(),
    Route::delete("/api/v1/tokens/{id}", "revoke_token", "Take a token back", || delete().to(access::api::revoke_token)).may(MANAGE).success(&[204]),
];
