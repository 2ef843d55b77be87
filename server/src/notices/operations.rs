//! Stating notices, and recording that the way out was tested.

use licit_schemas::notices::{Commitment, NoticeSpec, WithdrawalTestSpec};
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::resource::Registered;
use licit_schemas::text::Key;

use crate::catalogue::Stated;
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, digest};
use crate::registry::operations::{Existing, Lasting, state};
use crate::registry::vocabulary::vocabulary;
use crate::resolve::{created, expect, pin, unchanged};

/// State a notice, or its next revision.
///
/// # Errors
/// Unknown controller, purposes, recipients, categories; a category or commitment that stands twice; an end before the beginning.
pub fn notice(tx: &mut Tx<'_>, spec: NoticeSpec) -> Result<Registered> {
    let now = tx.now();
    expect(&spec.controller, &[Kind::Party], "/controller")?;
    pin(tx.world(), &spec.controller, now, "/controller")?;
    for (list, kind, at) in
        [(&spec.purposes, Kind::Purpose, "/purposes"), (&spec.recipients, Kind::Party, "/recipients")]
    {
        for (place, reference) in list.iter().enumerate() {
            let at = format!("{at}/{place}");
            expect(reference, &[kind], &at)?;
            pin(tx.world(), reference, now, &at)?;
        }
    }
    let iris: Vec<_> = spec.categories.iter().map(|category| category.iri.clone()).collect();
    vocabulary().terms_of(&iris, "dpv_personal_data").map_err(|(place, iri)| {
        Error::invalid(&format!("/categories/{place}/iri"), format!("`{iri}` is not a DPV category of personal data"))
    })?;
    for (place, category) in spec.categories.iter().enumerate() {
        if spec.categories[..place].contains(category) {
            return Err(Error::invalid(&format!("/categories/{place}"), format!("`{}` stands twice", category.iri)));
        }
    }
    for (place, promise) in spec.promises.iter().enumerate() {
        let at = format!("/promises/{place}/commitment");
        if spec.promises[..place].iter().any(|other| other.commitment == promise.commitment) {
            return Err(Error::invalid(&at, format!("`{}` is promised twice", promise.commitment)));
        }
        for purpose in purposes(&promise.commitment) {
            // What is never done may have no approval, but a misspelt purpose would never be broken.
            pin(tx.world(), &Ref::purpose(purpose), now, &at)?;
        }
    }
    if spec.valid_to.is_some_and(|to| to <= spec.valid_from) {
        return Err(Error::invalid("/valid_to", "must lie after `valid_from`"));
    }
    let thing = Lasting {
        reference: Ref::notice(&spec.key),
        catalogue: |w| &w.notices.catalogue,
        fact: Fact::NoticeRevised,
        kind: "notice",
        pinned: true,
    };
    state(tx, &thing, spec, Existing::Revise)
}

/// Purposes that a commitment names.
fn purposes(commitment: &Commitment) -> &[Key] {
    match commitment {
        Commitment::NotFor(purpose) => std::slice::from_ref(purpose),
        Commitment::NoTrainingBeyond(purposes) => purposes,
        _ => &[],
    }
}

/// Record that somebody went the way a notice names to withdraw. The same test again is the same fact.
///
/// # Errors
/// A notice that is not registered or names no way; a moment that has not come.
pub fn test(tx: &mut Tx<'_>, mut spec: WithdrawalTestSpec) -> Result<Registered> {
    let now = tx.now();
    expect(&spec.notice, &[Kind::Notice], "/notice")?;
    spec.notice = pin(tx.world(), &spec.notice, now, "/notice")?;
    if spec.at.is_some_and(|at| at > now) {
        return Err(Error::invalid("/at", "has not come yet: a test says what came of it"));
    }
    spec.at = spec.at.or(Some(now));
    let reference = spec.notice.clone();
    let notices = &tx.world().notices;
    if notices.revision(&reference.to_string()).is_none_or(|notice| notice.revision.spec.refusal.is_none()) {
        let sentence = format!("`{reference}` names no way to withdraw or refuse: state `refusal` in a revision of it");
        return Err(Error::invalid("/notice", sentence));
    }
    let sum = digest(&spec);
    let base = reference.base().to_owned();
    if let Some(known) = notices.tests(&base).iter().find(|test| test.digest == sum) {
        return Ok(unchanged(known.id, reference, sum, known.seq));
    }
    let id = tx.new_id();
    let seq = tx.record(Fact::WithdrawalTested(Stated { id, rev: 1, spec }))?;
    Ok(created(id, reference, sum, seq))
}
