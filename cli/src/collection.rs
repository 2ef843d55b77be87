//! The collections of the API that people create, list and show: one table, so that their commands are one implementation.

use licit_schemas::document::{self, Document};
use licit_schemas::known::KnownAt;
use licit_schemas::problem::Fault;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::text::Name;
use licit_schemas::time::Timestamp;
use licit_schemas::{adoption, classes, consent, lawfulness, notices, policy, registry, review};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::client::Client;
use crate::error::{Failure, Result};

/// One collection.
pub(crate) struct Collection {
    /// Path under `/api/v1`.
    pub(crate) path: &'static str,
    /// What its references begin with.
    pub(crate) kind: Kind,
    /// Hold a document against its schema.
    pub(crate) check: fn(Value) -> std::result::Result<Value, Vec<Fault>>,
}

macro_rules! collections {
    ($($name:ident = $path:literal, $kind:ident, $spec:ty;)*) => {
        $(#[doc = concat!("`", $path, "`.")]
        pub(crate) const $name: Collection =
            Collection { path: $path, kind: Kind::$kind, check: checked::<$spec> };)*
    };
}

collections! {
    PARTIES = "/parties", Party, registry::PartySpec;
    DATASETS = "/datasets", Dataset, registry::DatasetSpec;
    DATASET_VERSIONS = "/dataset-versions", Dataset, registry::DatasetVersionSpec;
    RUNS = "/runs", Run, registry::RunSpec;
    MODELS = "/models", Model, registry::ModelSpec;
    MODEL_VERSIONS = "/model-versions", Model, registry::ModelVersionSpec;
    ATTESTATIONS = "/attestations", Attestation, registry::AttestationSpec;
    SYSTEMS = "/systems", System, registry::SystemSpec;
    ENVIRONMENTS = "/environments", Environment, registry::EnvironmentSpec;
    DEPLOYMENTS = "/deployments", Deployment, registry::DeploymentSpec;
    RELEASES = "/releases", Release, registry::ReleaseSpec;
    PURPOSES = "/purposes", Purpose, lawfulness::PurposeSpec;
    BASES = "/bases", Basis, lawfulness::BasisSpec;
    ASSESSMENTS = "/assessments", Assessment, lawfulness::AssessmentSpec;
    NOTICES = "/notices", Notice, notices::NoticeSpec;
    WITHDRAWAL_TESTS = "/withdrawal-tests", Notice, notices::WithdrawalTestSpec;
    BASELINES = "/baselines", Baseline, adoption::BaselineCreate;
    DELEGATIONS = "/delegations", Delegation, review::DelegationCreate;
    CONTESTS = "/contests", Contest, adoption::ContestCreate;
    LOOSENINGS = "/loosenings", Loosening, adoption::LooseningSpec;
    CLASSES = "/classes", Class, classes::DefaultClassSpec;
    REVIEWS = "/reviews", Review, review::ReviewCreate;
    REMEDIES = "/remedies", Remedy, consent::RemedyCreate;
}

/// `/decisions`: the gate makes them, nobody else.
pub(crate) const DECISIONS: Collection = Collection {
    path: "/decisions",
    kind: Kind::Decision,
    check: |_| Err(vec![Fault::new("", "a decision is made by `licit gate`, not written")]),
};

/// `/break-glass`.
pub(crate) const BREAK_GLASSES: Collection =
    Collection { path: "/break-glass", kind: Kind::BreakGlass, check: checked::<adoption::BreakGlassCreate> };

/// `/policies`.
pub(crate) const POLICIES: Collection = Collection { path: "/policies", kind: Kind::Policy, check: policy };

/// A file with a policy may hold the tests of its rules: they are tried by `licit policy test`, and not sent.
fn policy(mut value: Value) -> std::result::Result<Value, Vec<Fault>> {
    if let Some(members) = value.as_object_mut() {
        members.remove("tests");
    }
    checked::<policy::PolicySpec>(value)
}

/// What flags describe, held against its schema like a file: nothing is sent that the server would not read.
pub(crate) fn from_flags<T: Document>(value: Value) -> Result<T> {
    document::from_value(value).map_err(|faults| named(&faults))
}

/// [`from_flags`] for a request that has its type already, but whose lists may be longer than the server takes.
pub(crate) fn within_bounds<T: Document + Serialize>(request: T) -> Result<T> {
    let value = serde_json::to_value(&request).map_err(|e| Failure::plain(e.to_string()))?;
    let faults = T::form().faults(&value);
    if faults.is_empty() { Ok(request) } else { Err(named(&faults)) }
}

/// Faults of what flags describe: there is no file whose lines could be named.
pub(crate) fn named(faults: &[Fault]) -> Failure {
    let line = |fault: &Fault| format!("{}: {}", fault.pointer.trim_start_matches("#/"), fault.detail);
    Failure::Faults(faults.iter().map(line).collect())
}

fn checked<T: Document + Serialize>(value: Value) -> std::result::Result<Value, Vec<Fault>> {
    let document = document::from_value::<T>(value)?;
    serde_json::to_value(document).map_err(|e| vec![Fault::new("", e.to_string())])
}

impl Collection {
    /// A reference of this kind, as people shorten it: `vote-forecast` for `deployment:vote-forecast`.
    pub(crate) fn reference(&self, text: &str) -> Result<Ref> {
        let whole = if text.starts_with(&format!("{}:", self.kind)) {
            text.to_owned()
        } else {
            format!("{}:{text}", self.kind)
        };
        whole.parse().map_err(|e| Failure::Usage(format!("{e}")))
    }

    /// The reference of a document of a kind that can be replaced.
    pub(crate) fn stated(&self, document: &Value) -> Result<Ref> {
        let part = |name: &str| document[name].as_str().unwrap_or_default();
        let name = part("name").parse::<Name>().map_err(|e| Failure::plain(e.to_string()));
        match self.kind {
            Kind::Party | Kind::Environment => self.reference(part("key")),
            Kind::Model => Ok(Ref::model(&name?)),
            Kind::Dataset => {
                let namespace = part("namespace").parse().map_err(|e| Failure::plain(format!("{e}")))?;
                Ok(Ref::dataset(&namespace, &name?))
            }
            kind => Err(Failure::Usage(format!("a {kind} is never replaced: another content makes the next revision"))),
        }
    }

    /// The resource with this id or reference, as the API shows it.
    pub(crate) fn find(&self, client: &Client, text: &str) -> Result<Value> {
        self.find_at(client, text, None, None)
    }

    /// [`Self::find`], as known at a position or time, and of a thing with revisions the one meant at a moment.
    pub(crate) fn find_at(
        &self,
        client: &Client,
        text: &str,
        known_at: Option<KnownAt>,
        valid_at: Option<Timestamp>,
    ) -> Result<Value> {
        let (known_at, valid_at) = (known_at.map(|at| at.to_string()), valid_at.map(|at| at.to_string()));
        let clocks = [("known_at", known_at.as_deref()), ("valid_at", valid_at.as_deref())];
        match Uuid::try_parse(text) {
            Ok(id) => client.get(&format!("{}/{id}", self.path), &clocks),
            Err(_) => {
                let reference = self.reference(text)?.to_string();
                client.get("/resolve", &[("ref", Some(reference.as_str())), clocks[0], clocks[1]])
            }
        }
    }

    /// The id of what this id or reference names.
    pub(crate) fn id(&self, client: &Client, text: &str) -> Result<String> {
        if let Ok(id) = Uuid::try_parse(text) {
            return Ok(id.to_string());
        }
        let found = self.find(client, text)?;
        let id = found.get("id").and_then(Value::as_str);
        Ok(id.ok_or_else(|| Failure::plain(format!("the server names no id for `{text}`")))?.to_owned())
    }
}

/// A reference of any kind.
pub(crate) fn any_reference(text: &str) -> Result<Ref> {
    text.parse().map_err(|e| Failure::Usage(format!("{e}")))
}
