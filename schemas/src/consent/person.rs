//! What the registry knows of one person's data (GDPR Art. 15), and a letter that says it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, Family, ModelRemedy, Said};
use crate::lawfulness::Sentences;
use crate::reference::Ref;
use crate::subjects::Pseudonym;
use crate::time::Timestamp;

/// A dataset version that somebody is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnDataset {
    /// The version.
    pub r#ref: String,
    /// Since when the registry knows that they are in it.
    pub since: Timestamp,
    /// What is in it, in words.
    pub categories: Vec<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Until when it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<Timestamp>,
}

/// Something their data went into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnUse {
    /// The dataset version, the model version, or the deployment.
    pub r#ref: String,
    /// `contained`, `shaped`, `validation`, `served`.
    pub how: Vec<String>,
}

/// A deployment that runs and that their data reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnDeployment {
    /// The deployment.
    pub r#ref: String,
    /// How their data are in there.
    pub how: Vec<String>,
    /// What for.
    pub purpose: String,
    /// The three sentences of that purpose.
    pub sentences: Sentences,
    /// Legal bases it relies on.
    pub bases: Vec<String>,
    /// Since when what runs there runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Whether they are to be left out.
    pub left_out: bool,
}

/// Somebody who received what came of their data (GDPR Art. 15(1)(c)).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnRecipient {
    /// The party.
    pub party: String,
    /// Its name.
    pub name: String,
    /// For which purpose.
    pub purpose: String,
    /// Since when.
    pub since: Timestamp,
}

/// What they said last of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnWord {
    /// Of what; absent, of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Ref>,
    /// By which way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What.
    pub said: Said,
    /// When.
    pub at: Timestamp,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What the registry knows of one person's data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonView {
    /// Who.
    pub subject: Pseudonym,
    /// Ledger position it reflects.
    pub position: u64,
    /// The moment.
    pub at: Timestamp,
    /// Datasets they are in.
    pub datasets: Vec<OwnDataset>,
    /// Models their data went into.
    pub models: Vec<OwnUse>,
    /// What runs, and their data reach.
    pub deployments: Vec<OwnDeployment>,
    /// Who received what came of them.
    pub recipients: Vec<OwnRecipient>,
    /// What they said last of each thing.
    pub said: Vec<OwnWord>,
}

/// The language of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Language {
    English,
    French,
}

/// A short letter in plain words. What the registry does not know, such as a name, is for the sender to add.
pub fn letter(view: &PersonView, language: Language) -> String {
    match language {
        Language::English => english(view),
        Language::French => french(view),
    }
}

fn day(at: Timestamp) -> String {
    at.chrono().format("%Y-%m-%d").to_string()
}

fn list(text: &mut String, title: &str, none: &str, items: impl Iterator<Item = String>) {
    text.push_str(&format!("\n{title}\n"));
    let before = text.len();
    items.for_each(|item| text.push_str(&format!("- {item}\n")));
    if text.len() == before {
        text.push_str(&format!("{none}\n"));
    }
}

fn english(view: &PersonView) -> String {
    let mut text = format!(
        "You asked which data about you we use in systems of artificial intelligence (GDPR Art. 15). This is what our registry shows on {}.\n",
        day(view.at)
    );
    list(
        &mut text,
        "Data about you",
        "None.",
        view.datasets.iter().map(|one| {
            let what = if one.categories.is_empty() { "not described".to_owned() } else { one.categories.join(", ") };
            let kept = one.kept_until.map(|end| format!(", kept until {}", day(end))).unwrap_or_default();
            format!("{}: {what}; known since {}{kept}", one.r#ref, day(one.since))
        }),
    );
    list(
        &mut text,
        "Models made with them",
        "None.",
        view.models.iter().map(|one| {
            let how = if one.how.iter().any(|how| how == "contained") {
                "your data may be in it"
            } else {
                "your data only shaped it"
            };
            format!("{}: {how}", one.r#ref)
        }),
    );
    list(
        &mut text,
        "Where they are used now",
        "Nowhere.",
        view.deployments.iter().map(|one| {
            let since = one.since.map(|since| format!(" since {}", day(since))).unwrap_or_default();
            let out = if one.left_out { " You are left out of it." } else { "" };
            let words = &one.sentences.en;
            format!(
                "{}{since}: {} {} {} Legal basis: {}.{out}",
                one.r#ref,
                words.what_we_do,
                words.what_you_get,
                words.what_we_never_do,
                one.bases.join(", ")
            )
        }),
    );
    list(
        &mut text,
        "Who received something",
        "Nobody.",
        view.recipients.iter().map(|one| format!("{}, for {}, since {}", one.name, one.purpose, day(one.since))),
    );
    list(
        &mut text,
        "What you told us",
        "Nothing is on record.",
        view.said
            .iter()
            .map(|one| format!("{}: {} on {}", about(one, "everything"), said_in_english(one.said), day(one.at))),
    );
    text.push_str("\nYou may withdraw consent at any time, object, ask for correction or erasure, and complain to the supervisory authority.\n");
    text
}

fn french(view: &PersonView) -> String {
    let mut text = format!(
        "Vous avez demandé quelles données vous concernant nous utilisons dans des systèmes d'intelligence artificielle (RGPD, art. 15). Voici ce que montre notre registre au {}.\n",
        day(view.at)
    );
    list(
        &mut text,
        "Données vous concernant",
        "Aucune.",
        view.datasets.iter().map(|one| {
            let what = if one.categories.is_empty() { "non décrites".to_owned() } else { one.categories.join(", ") };
            let kept = one.kept_until.map(|end| format!(", conservées jusqu'au {}", day(end))).unwrap_or_default();
            format!("{} : {what} ; connues depuis le {}{kept}", one.r#ref, day(one.since))
        }),
    );
    list(
        &mut text,
        "Modèles faits avec elles",
        "Aucun.",
        view.models.iter().map(|one| {
            let how = if one.how.iter().any(|how| how == "contained") {
                "vos données peuvent s'y trouver"
            } else {
                "vos données l'ont seulement formé"
            };
            format!("{} : {how}", one.r#ref)
        }),
    );
    list(
        &mut text,
        "Où elles sont utilisées aujourd'hui",
        "Nulle part.",
        view.deployments.iter().map(|one| {
            let since = one.since.map(|since| format!(" depuis le {}", day(since))).unwrap_or_default();
            let out = if one.left_out { " Vous en êtes exclu." } else { "" };
            let words = &one.sentences.fr;
            format!(
                "{}{since} : {} {} {} Base légale : {}.{out}",
                one.r#ref,
                words.what_we_do,
                words.what_you_get,
                words.what_we_never_do,
                one.bases.join(", ")
            )
        }),
    );
    list(
        &mut text,
        "Qui a reçu quelque chose",
        "Personne.",
        view.recipients.iter().map(|one| format!("{}, pour {}, depuis le {}", one.name, one.purpose, day(one.since))),
    );
    list(
        &mut text,
        "Ce que vous nous avez dit",
        "Rien n'est enregistré.",
        view.said.iter().map(|one| format!("{} : {} le {}", about(one, "tout"), said_in_french(one.said), day(one.at))),
    );
    text.push_str("\nVous pouvez à tout moment retirer votre consentement, vous opposer, demander la rectification ou l'effacement, et saisir l'autorité de contrôle.\n");
    text
}

fn about(word: &OwnWord, everything: &str) -> String {
    let channel = word.channel.map(|channel| format!(" ({channel:?})").to_lowercase()).unwrap_or_default();
    word.purpose.as_ref().map_or_else(|| everything.to_owned(), |purpose| format!("{purpose}{channel}"))
}

fn said_in_english(said: Said) -> &'static str {
    match said {
        Said::Given => "consent given",
        Said::Renewed => "consent renewed",
        Said::Refused => "consent refused",
        Said::Withdrawn => "consent withdrawn",
        Said::Revoked => "consent ended by us",
        Said::Expired => "consent expired",
        Said::Invalidated => "consent found invalid",
        Said::Requested => "consent asked for",
        Said::Deferred => "answer put off",
        Said::Objected => "objection",
        Said::ObjectionWithdrawn => "objection withdrawn",
        Said::ObjectionOverridden => "objection overridden by compelling grounds",
        Said::Restricted => "restriction",
        Said::RestrictionLifted => "restriction lifted",
    }
}

fn said_in_french(said: Said) -> &'static str {
    match said {
        Said::Given => "consentement donné",
        Said::Renewed => "consentement renouvelé",
        Said::Refused => "consentement refusé",
        Said::Withdrawn => "consentement retiré",
        Said::Revoked => "consentement révoqué par nous",
        Said::Expired => "consentement expiré",
        Said::Invalidated => "consentement jugé invalide",
        Said::Requested => "consentement demandé",
        Said::Deferred => "réponse différée",
        Said::Objected => "opposition",
        Said::ObjectionWithdrawn => "opposition retirée",
        Said::ObjectionOverridden => "opposition écartée pour motifs impérieux",
        Said::Restricted => "limitation",
        Said::RestrictionLifted => "limitation levée",
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What is to be done in a model for those who withdrew consent since they were trained on, or object. One for each model and purpose,
/// rolling: it closes once those who are left out are in no training that runs, or a remedy that suffices was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsentAction {
    /// The model that learned from them, or the index that holds them, without its version.
    pub model: String,
    /// Consent that does not hold, or an objection that does.
    pub about: Family,
    /// To what.
    pub purpose: String,
    /// The remedy to take where nobody says otherwise.
    pub remedy: ModelRemedy,
    /// Remedies that suffice besides training again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<ModelRemedy>,
    /// Members of what was trained on, each once.
    pub members: u64,
    /// Of them, those whose consent does not hold now, or who object, and for whom no remedy was taken.
    pub people: u64,
    /// Of them, those for whom one was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub acted: u64,
    /// Of the people, those for whom the time is over.
    pub overdue: u64,
    /// Days within which it is to be acted on.
    pub days: u16,
    /// When the first of them withdrew or objected, or consent ended, as far as it ever stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Until when it is to be acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Where it runs, and from what it learned.
    pub sources: Vec<ActionSource>,
}

/// A source of a model that runs somewhere. The same people may be in several: here they count for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionSource {
    /// The deployment that runs.
    pub deployment: String,
    /// Its release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The source that rests on consent, or on what people may object to.
    pub dataset_version: String,
    /// The parts of the release that hold the source: a remedy is taken for each.
    pub parts: Vec<String>,
    /// Members of what was trained on.
    pub members: u64,
    /// Of them, those for whom something is to be done.
    pub people: u64,
    /// Of them, those for whom the time is over.
    pub overdue: u64,
    /// Team that answers for the deployment.
    pub owner: String,
}
