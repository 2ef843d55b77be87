//! What may be: purposes, legal bases, assessments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consent::ModelRemedy;
use crate::reference::Ref;
use crate::registry::{Code, Evidence};
use crate::text::{Country, Iri, Key, Name, Sentence, Text, Uri};
use crate::time::Timestamp;

/// What people read, in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThreeSentences {
    /// What we do.
    pub what_we_do: Sentence,
    /// What you get.
    pub what_you_get: Sentence,
    /// What we never do.
    pub what_we_never_do: Sentence,
}

/// The three sentences in both languages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sentences {
    /// English.
    pub en: ThreeSentences,
    /// French.
    pub fr: ThreeSentences,
}

/// What this purpose must not touch, beyond the dated table of laws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forbids {
    /// Data categories, narrower ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub categories: Vec<Iri>,
    /// Datasets, `dataset:<namespace>/<name>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub sources: Vec<Ref>,
}

/// A specified, explicit purpose (GDPR Art. 5(1)(b)). Each change is a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurposeSpec {
    /// Short key, as in `purpose:election-research`.
    pub key: Key,
    /// Name for people.
    pub name: Name,
    /// DPV purpose, such as `https://w3id.org/dpv#ScientificResearch`.
    pub iri: Iri,
    /// Broader purpose, `purpose:<key>`; covers this one only if its approval says *include narrower*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Ref>,
    /// The three sentences people read.
    pub sentences: Sentences,
    /// Regulated fields of activity that the dated table of laws names: `political_targeting`, `credit_assessment`,
    /// `anti_money_laundering`. Required, possibly empty: a statement the board votes on.
    #[schemars(length(max = 20))]
    pub regulated_as: Vec<Key>,
    /// What this purpose must not touch.
    #[serde(default)]
    pub forbids: Forbids,
    /// Categories of personal data it needs, DPV IRIs, narrower ones included; other data are more than it needs. Absent,
    /// nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub needs: Option<Vec<Iri>>,
    /// What follows for models from consent withdrawn; absent, it is acted on within thirty days (GDPR Art. 12(3)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<WithdrawalPolicy>,
    /// From when it is pursued.
    pub valid_from: Timestamp,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
}

/// What follows for models from consent withdrawn. In serving it counts at once; what a model learned before stays lawful (GDPR
/// Art. 7(3)) and is acted on within a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalPolicy {
    /// Days within which it is acted on, counted from the oldest withdrawal that no training left out.
    #[schemars(range(min = 1, max = 365))]
    pub days: u16,
    /// Days between trainings, where models are trained again by schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650))]
    pub retraining_days: Option<u16>,
    /// Days a release waits for its review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 365))]
    pub review_days: Option<u16>,
    /// Remedies that suffice besides training again, which always does; absent, none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub remedies: Vec<ModelRemedy>,
    /// The one to take where nobody says otherwise; absent, training again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_remedy: Option<ModelRemedy>,
}

impl WithdrawalPolicy {
    /// Within how many days withdrawals are acted on where a purpose does not say.
    pub const DAYS: u16 = 30;

    /// Whether a remedy suffices.
    pub fn allows(&self, remedy: ModelRemedy) -> bool {
        remedy == ModelRemedy::Retrain || self.remedies.contains(&remedy)
    }

    /// The remedy to take where nobody says otherwise.
    pub fn remedy(&self) -> ModelRemedy {
        self.default_remedy.unwrap_or(ModelRemedy::Retrain)
    }

    /// Why training by schedule comes too late, if it does.
    pub fn too_late(&self) -> Option<String> {
        let (every, review) = (u32::from(self.retraining_days?), u32::from(self.review_days.unwrap_or(0)));
        (every + review > u32::from(self.days)).then(|| {
            format!(
                "withdrawals are to be acted on within {} days, and a model trained every {every} days with {review} for its review comes later: train more often, or give the action another remedy",
                self.days
            )
        })
    }
}

/// Legal bases of GDPR Art. 6(1), and the statement that no personal data are touched (Art. 2(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum LegalBasis {
    /// Consent.
    #[serde(rename = "art6_1_a")]
    Art6_1A,
    /// Contract or steps before one.
    #[serde(rename = "art6_1_b")]
    Art6_1B,
    /// Legal obligation.
    #[serde(rename = "art6_1_c")]
    Art6_1C,
    /// Vital interests.
    #[serde(rename = "art6_1_d")]
    Art6_1D,
    /// Public interest or official authority.
    #[serde(rename = "art6_1_e")]
    Art6_1E,
    /// Legitimate interests.
    #[serde(rename = "art6_1_f")]
    Art6_1F,
    /// The statement that no personal data are touched; void when exposure appears.
    #[serde(rename = "no_personal_data")]
    NoPersonalData,
}

impl LegalBasis {
    /// The article, as findings quote it.
    pub fn article(self) -> &'static str {
        match self {
            Self::Art6_1A => "GDPR Art. 6(1)(a)",
            Self::Art6_1B => "GDPR Art. 6(1)(b)",
            Self::Art6_1C => "GDPR Art. 6(1)(c)",
            Self::Art6_1D => "GDPR Art. 6(1)(d)",
            Self::Art6_1E => "GDPR Art. 6(1)(e)",
            Self::Art6_1F => "GDPR Art. 6(1)(f)",
            Self::NoPersonalData => "GDPR Art. 2(1)",
        }
    }
}

/// Exceptions of GDPR Art. 9(2), needed besides the legal basis when special categories are touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Exception {
    /// Explicit consent.
    #[serde(rename = "art9_2_a")]
    Art9_2A,
    /// Employment and social security law.
    #[serde(rename = "art9_2_b")]
    Art9_2B,
    /// Vital interests.
    #[serde(rename = "art9_2_c")]
    Art9_2C,
    /// Members of a foundation, association or other not-for-profit body.
    #[serde(rename = "art9_2_d")]
    Art9_2D,
    /// Manifestly made public by the person.
    #[serde(rename = "art9_2_e")]
    Art9_2E,
    /// Legal claims.
    #[serde(rename = "art9_2_f")]
    Art9_2F,
    /// Substantial public interest, on law.
    #[serde(rename = "art9_2_g")]
    Art9_2G,
    /// Health care.
    #[serde(rename = "art9_2_h")]
    Art9_2H,
    /// Public health.
    #[serde(rename = "art9_2_i")]
    Art9_2I,
    /// Archiving, research, statistics under Art. 89(1), on law.
    #[serde(rename = "art9_2_j")]
    Art9_2J,
}

/// The two processing operations a model's life has (EDPB Opinion 28/2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words")]
pub enum Stage {
    Training,
    Deployment,
}

/// What a basis covers. Each list is closed: what it does not name is not covered. A broader DPV term covers narrower ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Covers {
    /// Purposes, `purpose:<key>`.
    #[schemars(length(min = 1, max = 50))]
    pub purposes: Vec<Ref>,
    /// Datasets, `dataset:<namespace>/<name>`, all their versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub datasets: Vec<Ref>,
    /// Data categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 300))]
    pub categories: Vec<Iri>,
    /// Subject categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub subjects: Vec<Iri>,
    /// Controllers, `party:<key>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub controllers: Vec<Ref>,
    /// Parties the data may be disclosed to, `party:<key>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub recipients: Vec<Ref>,
    /// Stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub stages: Vec<Stage>,
}

/// How old children are who consent themselves, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MinimumAge {
    /// The member state whose law counts.
    pub country: Country,
    /// Nobody younger is asked.
    #[schemars(range(min = 1, max = 25))]
    pub age: u8,
}

/// What the letter of the law asks of a basis; `basis.holds` reads it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// The notice people were shown (Art. 13, 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Evidence>,
    /// Where consent is withdrawn as easily as given (Art. 7(3)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal_means: Option<Uri>,
    /// Consent is explicit (Art. 9(2)(a), 22(2)(c)).
    #[serde(default)]
    pub explicit: bool,
    /// How those who hold parental responsibility gave or authorised the consent of children (Art. 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parental_consent: Option<Evidence>,
    /// Children consent themselves from this age on, in this member state (Art. 8(1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_age: Option<MinimumAge>,
    /// Why employees' consent is free although presumed not to be (EDPB 05/2020).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freely_given: Option<Text>,
    /// The contract (Art. 6(1)(b)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Evidence>,
    /// Why the processing is necessary (Art. 6(1)(b) to (f)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub necessity: Option<Text>,
    /// The Union or Member State law (Art. 6(3), 9(2)(b), (g), (h), (i), (j)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Sentence>,
    /// The balancing test (Art. 6(1)(f)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancing_test: Option<Evidence>,
    /// Safeguards for research and statistics (Art. 89(1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safeguards: Option<Evidence>,
}

/// A legal basis relied on. Each change is a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasisSpec {
    /// Short key, as in `basis:research-public-interest`.
    pub key: Key,
    /// Name for people.
    pub name: Name,
    /// Which basis.
    pub legal_basis: LegalBasis,
    /// The exception relied on besides, when special categories are touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// What it covers.
    pub covers: Covers,
    /// What its letter requires.
    #[serde(default)]
    pub letter: Letter,
    /// Bases this one openly takes the place of, `basis:<key>`; consent once relied on cannot be replaced (EDPB 05/2020 §122).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub replaces: Vec<Ref>,
    /// From when it holds.
    pub valid_from: Timestamp,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Documents that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub evidence: Vec<Evidence>,
}

/// What an assessment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentKind {
    /// Of a model made elsewhere: not built unlawfully (EDPB Opinion 28/2024).
    Provider,
    /// Of what ran before the first entry: bases valid then, recorded now.
    Regularisation,
    /// Of using data for another purpose than that of their collection (GDPR Art. 6(4)).
    Compatibility,
    /// That nobody is identifiable any more: in a dataset (GDPR Rec. 26), or from a model (EDPB Opinion 28/2024). It cuts the
    /// exposure at that version.
    Anonymity,
    /// That what a join brings together identifies nobody it should not (GDPR Rec. 26, Art. 35).
    Combination,
    /// That legitimate interests are not overridden by those of the people (GDPR Art. 6(1)(f)): stands for the balancing test in
    /// the letter of a basis.
    Balancing,
    /// That there are compelling legitimate grounds which may override objections to a purpose (GDPR Art. 21(1)), or that research is
    /// necessary for a task in the public interest (Art. 21(6)): while it is approved and in force, it can be recorded of single people
    /// that they override theirs.
    CompellingGrounds,
}

/// What a measured figure must be. Besides `metrics`, the only place where fractions are allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Name of the figure: of a model version one of its `metrics`, of a dataset version `k`, `l` or `records` of `measured`.
    pub figure: Name,
    /// It must not be less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// It must not be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
}

/// How versions are made that one assessment covers: each brings figures of its own, and those that miss a threshold are not
/// covered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The program that makes them; without revision, every revision of it.
    pub code: Code,
    /// How the figures are measured.
    pub method: Text,
    /// Models or datasets it holds for, without version; absent, whatever that program makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub families: Vec<Ref>,
    /// What each version must meet, all of it.
    #[schemars(length(min = 1, max = 50))]
    pub thresholds: Vec<Threshold>,
}

/// The five questions on whether a further purpose is compatible with that of collection (GDPR Art. 6(4)(a) to (e)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompatibilityTest {
    /// The link between the two purposes.
    pub link: Text,
    /// The context of collection, and the relation between the people and the controller.
    pub context: Text,
    /// The nature of the data, special and criminal ones above all.
    pub nature: Text,
    /// Possible consequences for the people.
    pub consequences: Text,
    /// Safeguards, such as encryption or pseudonymisation.
    pub safeguards: Text,
}

/// Evidence with approval and expiry: closes lineage where no run can, or shows that a further purpose is compatible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentSpec {
    /// Short key, as in `assessment:mistral-7b`.
    pub key: Key,
    /// What kind.
    pub kind: AssessmentKind,
    /// The dataset or model version, or the run, it is of; for `compatibility` and `combination` a dataset without version stands
    /// for all of them, for `balancing` a basis, for `compelling_grounds` a purpose without revision. Either this or a recipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Ref>,
    /// For `anonymity` and `combination`: how the versions are made that it covers, those to come included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// For `compatibility`: the further purpose, `purpose:<key>`, all its revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// For `compatibility`: the five questions answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility: Option<CompatibilityTest>,
    /// For whom it holds, `party:<key>`.
    pub holder: Ref,
    /// What was found.
    pub statement: Text,
    /// Attack model considered, where data could be got out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attack_model: Option<Text>,
    /// Bases that held then, for a regularisation; of a run, at least one, each approved and valid when it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub bases_then: Vec<Ref>,
    /// Documents that show it.
    #[schemars(length(min = 1, max = 50))]
    pub evidence: Vec<Evidence>,
    /// From when it may be relied on.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_to: Timestamp,
}
