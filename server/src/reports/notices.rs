//! A notice drafted from what is registered: what a deployment does, with whose data, for whom, on which basis. Pure.

use std::collections::BTreeSet;

use licit_schemas::lawfulness::LegalBasis;
use licit_schemas::notices::{Bilingual, Language, NamedCategory, NoticeSpec, Refusal, Wording};
use licit_schemas::reference::Ref;
use licit_schemas::registry::{Effect, Reliance};
use licit_schemas::text::{Name, Sentence, Text};
use licit_schemas::time::Timestamp;

use super::question;
use crate::error::{Error, Result};
use crate::facts::World;
use crate::gate::evidence::{Evidence, gather};
use crate::lineage::exposure::{CONTAINED, SERVED};
use crate::registry::vocabulary::{TermId, vocabulary};

/// Characters of a title, at most.
const TITLE: usize = 200;

/// Draft the notice of a deployment. What was promised before for its purpose is kept; what nobody registered is left out, and
/// whoever states the notice adds it.
///
/// # Errors
/// No such deployment, or one that no personal data reach.
pub fn draft(world: &World, deployment: &str, at: Timestamp) -> Result<NoticeSpec> {
    let evidence = gather(world, question(world, deployment, at));
    let missing = || Error::NotFound(format!("there is no `{deployment}`, or its purpose is not registered"));
    let (Some(spec), Some(purpose)) = (evidence.deployment.as_ref().map(|d| &d.spec), &evidence.purpose) else {
        return Err(missing());
    };
    let categories = categories(&evidence);
    if categories.is_empty() {
        return Err(Error::NotFound(format!(
            "no personal data reach `{deployment}`: there is nothing to tell anybody"
        )));
    }
    // Told already, it is a revision of that notice.
    let told = evidence.told.in_force.first().or(evidence.told.ended.as_ref().map(|(notice, _)| notice));
    let told = told.map(|notice| &notice.revision.spec);
    Ok(NoticeSpec {
        key: told.map_or_else(|| purpose.spec.key.clone(), |told| told.key.clone()),
        controller: spec.controller.clone(),
        purposes: vec![spec.purpose.unpinned()],
        wording: Bilingual { en: wording(&evidence, Language::En)?, fr: wording(&evidence, Language::Fr)? },
        categories,
        recipients: recipients(&evidence),
        automated_decisions: decisions(&evidence)?,
        refusal: refusal(&evidence)?.or_else(|| told.and_then(|told| told.refusal.clone())),
        promises: told.map_or_else(Vec::new, |told| told.promises.clone()),
        valid_from: at,
        valid_to: None,
    })
}

/// What is contained in it or served to it; what nobody was asked for, and what it writes about people, is inferred.
fn categories(evidence: &Evidence<'_>) -> Vec<NamedCategory> {
    let running = || evidence.cohorts.iter().filter(|cohort| cohort.modes & (CONTAINED | SERVED) != 0);
    let of = |derived: bool| {
        running().filter(move |c| c.derived == derived).flat_map(|c| c.class.categories.iter().copied())
    };
    let asked: BTreeSet<TermId> = of(false).collect();
    let lineage = &evidence.world.lineage;
    let written = evidence.written().into_iter().flat_map(|node| lineage.class(node).categories.iter().copied());
    let v = vocabulary();
    let inferred: BTreeSet<TermId> =
        of(true).chain(written).filter(|term| !asked.iter().any(|known| v.is_a(*term, *known))).collect();
    let named = |terms: BTreeSet<TermId>, inferred: bool| {
        terms.into_iter().filter_map(move |term| Some(NamedCategory { iri: vocabulary().iri(term)?, inferred }))
    };
    named(asked, false).chain(named(inferred, true)).collect()
}

/// Whom the bases and the deployment name.
fn recipients(evidence: &Evidence<'_>) -> Vec<Ref> {
    let disclosed = evidence.deployment.iter().flat_map(|d| d.spec.discloses.iter().flat_map(|what| &what.to));
    let named = evidence.bases.iter().flat_map(|basis| &basis.revision.spec.covers.recipients);
    let all: BTreeSet<&Ref> = disclosed.chain(named).collect();
    all.into_iter().cloned().collect()
}

fn sentence(text: impl Into<String>) -> Result<Sentence> {
    text.into().try_into().map_err(|e| Error::Internal(format!("draft of a notice: {e}")))
}

fn decisions(evidence: &Evidence<'_>) -> Result<Option<Bilingual<Sentence>>> {
    let decides =
        |s: &licit_schemas::registry::SystemSpec| s.effect == Effect::Decisive || s.reliance == Reliance::Strong;
    let Some(system) = evidence.system.as_ref().filter(|system| decides(&system.spec)) else { return Ok(None) };
    let name = &system.spec.name;
    Ok(Some(Bilingual {
        en: sentence(format!(
            "A machine, “{name}”, takes part in decisions about you. You may ask that a person looks again, say what you think, \
             and contest the decision."
        ))?,
        fr: sentence(format!(
            "Une machine, « {name} », prend part à des décisions qui vous concernent. Vous pouvez demander qu’une personne les \
             revoie, donner votre avis et les contester."
        ))?,
    }))
}

/// Where consent is withdrawn, else where the data protection officer is reached.
fn refusal(evidence: &Evidence<'_>) -> Result<Option<Refusal>> {
    let letters = evidence.bases.iter().map(|basis| &basis.revision.spec.letter);
    let withdrawn = letters.filter_map(|letter| letter.withdrawal_means.clone()).next();
    let url = withdrawn.or_else(|| evidence.controller().and_then(|party| party.spec.dpo_contact.clone()));
    let words = Bilingual {
        en: sentence("You may say no, or change your mind, at any time and at no cost.")?,
        fr: sentence("Vous pouvez refuser, ou changer d’avis, à tout moment et sans frais.")?,
    };
    Ok(url.map(|url| Refusal { url, words }))
}

/// The three sentences of the purpose, and what Art. 13 asks for besides.
fn wording(evidence: &Evidence<'_>, language: Language) -> Result<Wording> {
    let internal = |e: licit_schemas::text::TextFault| Error::Internal(format!("draft of a notice: {e}"));
    let Some(purpose) = &evidence.purpose else { return Err(Error::Internal("no purpose".to_owned())) };
    let sentences = match language {
        Language::En => &purpose.spec.sentences.en,
        Language::Fr => &purpose.spec.sentences.fr,
    };
    let mut text = format!("{}\n\n{}\n\n{}", sentences.what_we_do, sentences.what_you_get, sentences.what_we_never_do);
    let mut section = |heading: &str, body: String| text.push_str(&format!("\n\n## {heading}\n\n{body}"));
    let bases: BTreeSet<&str> =
        evidence.bases.iter().filter_map(|basis| ground(basis.revision.spec.legal_basis, language)).collect();
    if !bases.is_empty() {
        let points: Vec<String> = bases.into_iter().map(|ground| format!("- {ground}")).collect();
        section(language_of(language, "What allows it", "Ce qui le permet"), points.join("\n"));
    }
    if let Some(until) = kept_until(evidence) {
        let day = until.to_string();
        let day = day.get(..10).unwrap_or(&day);
        let body = match language {
            Language::En => format!("We keep your data until {day} at the latest."),
            Language::Fr => format!("Nous gardons vos données jusqu’au {day} au plus tard."),
        };
        section(language_of(language, "How long", "Combien de temps"), body);
    }
    let rights = language_of(
        language,
        "You may see your data, have them put right or erased, take them with you, or object. You may complain to the data \
         protection authority.",
        "Vous pouvez voir vos données, les faire corriger ou effacer, les emporter, ou vous opposer. Vous pouvez saisir l’autorité \
         de protection des données (en France, la CNIL).",
    );
    section(language_of(language, "Your rights", "Vos droits"), rights.to_owned());
    // The purpose has one name; people read what it means below.
    let title = format!("{}: {}", language_of(language, "Your data", "Vos données"), purpose.spec.name);
    let title: String = title.chars().take(TITLE).collect();
    let title: Name = title.trim_end().parse().map_err(internal)?;
    let text: Text = text.try_into().map_err(internal)?;
    Ok(Wording { title, text })
}

fn language_of<'t>(language: Language, en: &'t str, fr: &'t str) -> &'t str {
    match language {
        Language::En => en,
        Language::Fr => fr,
    }
}

/// A basis of Art. 6(1) in words that people read.
fn ground(basis: LegalBasis, language: Language) -> Option<&'static str> {
    let (en, fr) = match basis {
        LegalBasis::Art6_1A => ("You agreed (GDPR Art. 6(1)(a)).", "Vous avez accepté (RGPD, art. 6(1)(a))."),
        LegalBasis::Art6_1B => (
            "Our contract with you needs it (GDPR Art. 6(1)(b)).",
            "Notre contrat avec vous l’exige (RGPD, art. 6(1)(b)).",
        ),
        LegalBasis::Art6_1C => ("A law obliges us (GDPR Art. 6(1)(c)).", "Une loi nous y oblige (RGPD, art. 6(1)(c))."),
        LegalBasis::Art6_1D => ("A life depends on it (GDPR Art. 6(1)(d)).", "Une vie en dépend (RGPD, art. 6(1)(d))."),
        LegalBasis::Art6_1E => (
            "It is a task in the public interest (GDPR Art. 6(1)(e)).",
            "C’est une mission d’intérêt public (RGPD, art. 6(1)(e)).",
        ),
        LegalBasis::Art6_1F => (
            "We have a legitimate interest (GDPR Art. 6(1)(f)).",
            "Nous y avons un intérêt légitime (RGPD, art. 6(1)(f)).",
        ),
        LegalBasis::NoPersonalData => return None,
    };
    Some(language_of(language, en, fr))
}

/// The latest end of retention among what is contained or served; none where one states none.
fn kept_until(evidence: &Evidence<'_>) -> Option<Timestamp> {
    let running = |cohort: usize| evidence.cohorts[cohort].modes & (CONTAINED | SERVED) != 0;
    let collected = evidence.sources.iter().filter(|s| running(s.cohort) && !evidence.cohorts[s.cohort].derived);
    let ends: Option<Vec<Timestamp>> = collected.map(|source| evidence.world.lineage.end(source.end)).collect();
    ends?.into_iter().max()
}
