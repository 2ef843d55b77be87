//! Whose consent counts where data are about children (GDPR Art. 8(1)).

use licit_schemas::lawfulness::{BasisSpec, LegalBasis};
use licit_schemas::time::Timestamp;

use crate::lawfulness::law::transfers::age_of_consent;
use crate::lineage::Class;
use crate::registry::vocabulary::vocabulary;

/// The DPV term for children.
pub const CHILD: &str = "https://w3id.org/dpv#Child";

/// How far data are about children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// Not at all, as far as it is said.
    None,
    /// Among others: which of the people they are, nobody says.
    Some,
    /// About nobody else.
    All,
}

/// How far data of a class are about children.
pub fn of(class: &Class) -> Children {
    let v = vocabulary();
    let Some(child) = v.find(CHILD) else { return Children::None };
    match class.subjects.iter().filter(|term| v.is_a(**term, child)).count() {
        0 => Children::None,
        some if some < class.subjects.len() => Children::Some,
        _ => Children::All,
    }
}

/// Whether a basis asks nobody who may not consent alone: children from an age on at which the law of a country lets them.
pub fn old_enough(basis: &BasisSpec, at: Timestamp) -> bool {
    let minimum = basis.letter.minimum_age.as_ref();
    minimum.is_some_and(|asked| age_of_consent(&asked.country, at).is_some_and(|law| asked.age >= law))
}

/// Whether only consent given by whoever holds parental responsibility counts: the data are about children alone, and a consent that
/// governs them asks some who may not consent alone. Where children are among others, nobody knows whom to ask for it: the rule
/// `minors` says so.
pub fn parents_give<'b>(class: &Class, mut governing: impl Iterator<Item = &'b BasisSpec>, at: Timestamp) -> bool {
    of(class) == Children::All
        && governing.any(|basis| basis.legal_basis == LegalBasis::Art6_1A && !old_enough(basis, at))
}
