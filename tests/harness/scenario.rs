//! A registry in which everything holds: one company, one source, one model, one approved deployment. Tests break one thing in it
//! and look what the gate says.

use serde_json::{Value, json};

use crate::client::Client;
use crate::server::TestServer;

/// The people of every scenario, and the server they work with.
pub struct Scenario {
    pub server: TestServer,
    /// Registers.
    pub ana: Client,
    /// Board members.
    pub bea: Client,
    pub carl: Client,
    /// Data protection officer.
    pub dora: Client,
    /// CI.
    pub ci: Client,
    /// Reads and checks.
    pub audit: Client,
}

pub const AGE: &str = "https://w3id.org/dpv/pd#Age";
pub const POLITICS: &str = "https://w3id.org/dpv/pd#PoliticalOpinion";
pub const RELIGION: &str = "https://w3id.org/dpv/pd#Religion";
pub const ADULT: &str = "https://w3id.org/dpv#Adult";
pub const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

impl Scenario {
    /// A server with people and nothing else.
    pub fn empty() -> Self {
        Self::empty_with(&[])
    }

    /// The same, of a server with further arguments.
    pub fn empty_with(args: &[&str]) -> Self {
        Self::of(TestServer::with(std::sync::Arc::new(crate::TestDatabase::new()), args))
    }

    /// The same, of this server.
    pub fn of(server: TestServer) -> Self {
        let ana = server.person("Ana", &["registrar"]);
        let bea = server.person("Bea", &["reviewer"]);
        let carl = server.person("Carl", &["reviewer"]);
        let dora = server.person("Dora", &["dpo"]);
        let audit = server.person("Aude", &["auditor"]);
        let ci = server.service("ci", &ana, &["releaser"]);
        Self { server, ana, bea, carl, dora, ci, audit }
    }

    /// Everything registered; nothing approved.
    pub fn registered() -> Self {
        let s = Self::empty();
        s.register();
        s
    }

    /// Register everything.
    pub fn register(&self) {
        let s = self;
        s.add("parties", party("acme"));
        s.add("environments", json!({"key": "production", "mode": "enforce", "class": "production"}));
        s.add("datasets", json!({"namespace": "crm", "name": "people", "owner": "crm-team"}));
        s.add("purposes", purpose("scoring"));
        s.inform(notice("customers", &["scoring"]));
        s.add("dataset-versions", people("1"));
        s.add("models", json!({"name": "score", "owner": "ml-team"}));
        s.add("model-versions", model_version("1", "1"));
        s.add("runs", training("1", "1"));
        s.add("bases", basis("scoring-contract", "scoring"));
        s.add("systems", system());
        s.add("deployments", deployment());
        s.release("1");
    }

    /// Everything registered and approved: the gate allows.
    pub fn approved() -> Self {
        let s = Self::registered();
        s.approve(&["purpose:scoring", "basis:scoring-contract", "system:scorer", "deployment:score-prod"]);
        s
    }

    /// Approved and running.
    pub fn running() -> Self {
        let s = Self::approved();
        let decision = s.activate("release:score-prod@1").good();
        assert_eq!(decision["verdict"], "allow", "{decision:#}");
        s
    }

    /// Register in a collection as Ana.
    #[track_caller]
    pub fn add(&self, collection: &str, body: Value) -> Value {
        self.ana.post(&format!("/api/v1/{collection}"), &body).good()
    }

    /// State a notice, and that its way out was tested.
    #[track_caller]
    pub fn inform(&self, notice: Value) -> Value {
        let stated = self.add("notices", notice);
        self.add("withdrawal-tests", json!({"notice": stated["ref"], "outcome": "passed", "at": "2026-11-01"}));
        stated
    }

    /// Propose a release of a model version.
    #[track_caller]
    pub fn release(&self, version: &str) -> Value {
        let body = json!({"deployment": "deployment:score-prod", "composition": [{"part": "base", "model": format!("model:score@{version}")}]});
        self.add("releases", body)
    }

    /// A review by Ana, approved by the two board members. Returns the review's id.
    #[track_caller]
    pub fn approve(&self, references: &[&str]) -> String {
        self.approve_until(references, None)
    }

    #[track_caller]
    pub fn approve_until(&self, references: &[&str], valid_to: Option<&str>) -> String {
        let subjects: Vec<Value> = references.iter().map(|r| json!({"ref": r})).collect();
        let mut body = json!({"title": "Dossier", "subjects": subjects});
        if let Some(end) = valid_to {
            body["valid_to"] = json!(end);
        }
        let opened = self.ana.post("/api/v1/reviews", &body).good();
        let id = opened["id"].as_str().unwrap().to_owned();
        for member in [&self.bea, &self.carl] {
            let vote = json!({"choice": "approve", "digest": opened["digest"]});
            member.post(&format!("/api/v1/reviews/{id}/votes"), &vote).good();
        }
        id
    }

    /// Activate a release as CI.
    #[track_caller]
    pub fn activate(&self, release: &str) -> crate::client::Answer {
        let id = self.ci.resolve(release)["id"].as_str().unwrap().to_owned();
        self.ci.post(&format!("/api/v1/releases/{id}/activate"), &json!({}))
    }

    /// Ask the gate as CI, without recording.
    #[track_caller]
    pub fn dry(&self, intent: &str) -> Value {
        self.dry_at(intent, None)
    }

    /// As it would be at a moment.
    #[track_caller]
    pub fn dry_at(&self, intent: &str, valid_at: Option<&str>) -> Value {
        let mut body = json!({"deployment": "deployment:score-prod", "intent": intent, "dry_run": true});
        if let Some(moment) = valid_at {
            body["valid_at"] = json!(moment);
        }
        self.ci.post("/api/v1/gate", &body).good()
    }

    /// Take an approval back.
    #[track_caller]
    pub fn revoke(&self, reference: &str, grace_days: u16) -> Value {
        self.bea
            .post(
                "/api/v1/revocations",
                &json!({"ref": reference, "reason": "it no longer holds", "grace_days": grace_days}),
            )
            .good()
    }
}

/// Rules and statuses of a decision's findings.
pub fn findings(decision: &Value) -> Vec<(String, String)> {
    let list = decision["findings"].as_array().cloned().unwrap_or_default();
    list.iter().map(|f| (f["rule"].as_str().unwrap().to_owned(), f["status"].as_str().unwrap().to_owned())).collect()
}

/// The first finding of a rule.
pub fn finding(decision: &Value, rule: &str) -> Option<Value> {
    decision["findings"].as_array()?.iter().find(|f| f["rule"] == rule).cloned()
}

/// A moment some days from now.
pub fn in_days(days: i64) -> String {
    licit_server::clock::now().plus(chrono::Duration::days(days)).to_string()
}

pub fn evidence() -> Value {
    json!({"uri": "https://docs.example/evidence.pdf", "digest": ZEROS})
}

pub fn party(key: &str) -> Value {
    json!({"key": key, "name": key.to_uppercase(), "region": "FR"})
}

pub fn purpose(key: &str) -> Value {
    let three = |a: &str, b: &str, c: &str| json!({"what_we_do": a, "what_you_get": b, "what_we_never_do": c});
    json!({
        "key": key, "name": "Scoring", "iri": "https://w3id.org/dpv#ServiceProvision", "regulated_as": [],
        "sentences": {
            "en": three("We score.", "You get an offer.", "We never sell your data."),
            "fr": three("Nous calculons un score.", "Vous recevez une offre.", "Nous ne vendons jamais vos données."),
        },
        "valid_from": "2020-01-01",
    })
}

pub fn people(version: &str) -> Value {
    json!({
        "dataset": "dataset:crm/people", "version": version, "origin": "collected", "region": "FR",
        "fields": [
            {"name": "age", "categories": [AGE], "identifiability": "quasi"},
            {"name": "email", "categories": ["https://w3id.org/dpv/pd#EmailAddress"], "identifiability": "direct"},
        ],
        "subjects": [ADULT], "controllers": ["party:acme"], "collected_for": ["purpose:scoring"],
        "retention": {"until": "2099-12-31", "rule": "three years after the contract"},
    })
}

pub fn model_version(version: &str, digit: &str) -> Value {
    json!({
        "model": "model:score", "version": version, "kind": "built",
        "files": [{"path": "model.json", "digest": format!("sha256:{}", digit.repeat(64)), "size": 10}],
        "framework": "scikit-learn", "metrics": {"auc": 0.9},
    })
}

/// Training of a model version from a version of the people.
pub fn training(model: &str, people: &str) -> Value {
    json!({
        "operation": "train", "purpose": "purpose:scoring", "started_at": "2026-01-01T00:00:00Z", "controller": "party:acme",
        "inputs": [{"ref": format!("dataset:crm/people@{people}"), "role": "training"}],
        "outputs": [format!("model:score@{model}")],
    })
}

pub fn basis(key: &str, purpose: &str) -> Value {
    json!({
        "key": key, "name": "Contract", "legal_basis": "art6_1_b",
        "covers": {
            "purposes": [format!("purpose:{purpose}")], "datasets": ["dataset:crm/people"],
            "categories": [AGE, "https://w3id.org/dpv/pd#EmailAddress"], "subjects": [ADULT], "controllers": ["party:acme"],
            "stages": ["training", "deployment"],
        },
        "letter": {"contract": evidence(), "necessity": "The offer cannot be made without it."},
        "valid_from": "2020-01-01", "evidence": [evidence()],
    })
}

/// What people are told: of everything, so that a test which is about something else need not.
pub fn notice(key: &str, purposes: &[&str]) -> Value {
    let both = |en: &str, fr: &str| json!({"en": en, "fr": fr});
    let wording = |title: &str, text: &str| json!({"title": title, "text": text});
    let iris = ["https://w3id.org/dpv#PersonalData", "https://w3id.org/dpv#SpecialCategoryPersonalData"];
    let asked = iris.iter().map(|iri| json!({"iri": iri}));
    let inferred = iris.iter().map(|iri| json!({"iri": iri, "inferred": true}));
    let refusal = both("You can say no at any time.", "Vous pouvez refuser à tout moment.");
    json!({
        "key": key, "controller": "party:acme", "purposes": purposes.iter().map(|p| format!("purpose:{p}")).collect::<Vec<_>>(),
        "wording": {
            "en": wording("Your data", "We use what you tell us.\n\n- We make you an offer.\n- We keep your data for three years."),
            "fr": wording("Vos données", "Nous utilisons ce que vous nous dites.\n\n- Nous vous faisons une offre.\n- Nous gardons vos données trois ans."),
        },
        "categories": asked.chain(inferred).collect::<Vec<_>>(),
        "automated_decisions": both("A machine scores you.", "Une machine calcule votre score."),
        "refusal": {"url": "https://acme.example/no", "words": refusal},
        "valid_from": "2020-01-01",
    })
}

/// Answers "no" to every question of both questionnaires' letters.
pub fn practices(version: &str, ids: &[&str]) -> Value {
    let answers: serde_json::Map<String, Value> =
        ids.iter().map(|id| ((*id).to_owned(), json!({"applies": false}))).collect();
    json!({"version": version, "answers": answers})
}

pub const LETTERS: [&str; 10] = ["a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h"];

pub fn system() -> Value {
    json!({
        "key": "scorer", "name": "Scorer", "intended_purpose": "Scores offers.", "risk_class": "minimal",
        "risk_reason": "No effect on rights.", "role": "deployer", "effect": "minor", "reliance": "weak", "owner": "ml-team",
        "practices": practices("2026-12-02", &LETTERS), "documents": [document("dpia")],
    })
}

/// A document of a system's file that holds without end.
pub fn document(kind: &str) -> Value {
    json!({"kind": kind, "evidence": evidence(), "dated": "2026-01-01"})
}

pub fn deployment() -> Value {
    json!({
        "name": "score-prod", "system": "system:scorer", "environment": "environment:production", "purpose": "purpose:scoring",
        "bases": ["basis:scoring-contract"], "controller": "party:acme", "owner": "ml-team",
        "reads": {"datasets": ["dataset:crm/people"]}, "writes": {"nobody": "Scores are shown and forgotten."}, "region": "FR",
    })
}
