//! The collections of the API that people create, list and show: one table, so that their commands are one implementation.

use licit_schemas::document::{self, Document};
use licit_schemas::known::KnownAt;
use licit_schemas::problem::Fault;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::text::Name;
use licit_schemas::{adoption, lawfulness, policy, registry, review};
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
    BASELINES = "/baselines", Baseline, adoption::BaselineCreate;
    DELEGATIONS = "/delegations", Delegation, review::DelegationCreate;
    CONTESTS = "/contests", Contest, adoption::ContestCreate;
    LOOSENINGS = "/loosenings", Loosening, adoption::LooseningSpec;
    REVIEWS = "/reviews", Review, review::ReviewCreate;
}

/// `/decisions`: the gate makes them, nobody else.
pub(crate) const DECISIONS: Collection = Collection {
    path: "/decisions",
    kind: Kind::Decision,
    check: |_| Err(vec![Fault::new("", "a decision is made by `licit gate`, not written")]),
};

/// `/policies`.
pub(crate) const POLICIES: Collection = Collection { path: "/policies", kind: Kind::Policy, check: policy };

/// A file with a policy may hold the tests of its rules: they are tried by `licit policy test`, and not sent.
fn policy(mut value: Value) -> std::result::Result<Value, Vec<Fault>> {
    if let Some(members) = value.as_object_mut() {
        members.remove("tests");
    }
    checked::<policy::PolicySpec>(value)
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
        self.find_known(client, text, None)
    }

    /// [`Self::find`], as known at a position or time.
    pub(crate) fn find_known(&self, client: &Client, text: &str, known_at: Option<KnownAt>) -> Result<Value> {
        let known_at = known_at.map(|at| at.to_string());
        let known_at = ("known_at", known_at.as_deref());
        match Uuid::try_parse(text) {
            Ok(id) => client.get(&format!("{}/{id}", self.path), &[known_at]),
            Err(_) => client.get("/resolve", &[("ref", Some(&self.reference(text)?.to_string())), known_at]),
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
