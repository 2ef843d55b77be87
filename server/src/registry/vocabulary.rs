//! Vocabularies: purposes, data categories, subjects … as dated data, read once from the binary.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use licit_schemas::digest::Digest;
use licit_schemas::text::Iri;

/// A term, dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TermId(pub u16);

/// One term of a vocabulary.
#[derive(Debug)]
pub struct Term {
    /// IRI, or Fideslang key.
    pub iri: String,
    /// Label in English.
    pub label: String,
    /// File it came from, such as `dpv_purposes`.
    pub scheme: &'static str,
    /// Broader terms; several, the hierarchy is a directed acyclic graph.
    pub parents: Vec<String>,
    /// All broader terms and itself, sorted.
    broader: Vec<TermId>,
    /// The IRI, checked once.
    checked: Option<Iri>,
}

/// All vocabularies.
#[derive(Debug)]
pub struct Vocabulary {
    terms: Vec<Term>,
    by_iri: HashMap<String, TermId, RandomState>,
    digest: Digest,
    special: Option<TermId>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../data/vocabulary/", $name, ".csv")))),*] };
}

const FILES: [(&str, &str); 16] = files![
    "dpv_purposes",
    "dpv_personal_data",
    "dpv_data_subjects",
    "dpv_legal_bases",
    "dpv_measures",
    "dpv_processing",
    "dpv_processing_context",
    "dpv_consent_status",
    "dpv_consent_controls",
    "dpv_gdpr_other",
    "dpv_gdpr_purpose_compatibility",
    "dpv_eu_aiact",
    "dpv_ai",
    "fideslang_data_categories",
    "fideslang_data_uses",
    "fideslang_data_subjects",
];

/// Art. 9(1) is reachability to this term, not a list kept by hand.
const SPECIAL: &str = "https://w3id.org/dpv#SpecialCategoryPersonalData";

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(load);

/// Names of the vocabularies.
pub fn schemes() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The vocabularies of this program.
pub fn vocabulary() -> &'static Vocabulary {
    &VOCABULARY
}

impl Vocabulary {
    /// A term by IRI.
    pub fn find(&self, iri: &str) -> Option<TermId> {
        self.by_iri.get(iri).copied()
    }

    /// A term.
    pub fn term(&self, id: TermId) -> &Term {
        &self.terms[usize::from(id.0)]
    }

    /// A term's IRI, as documents spell it.
    pub fn iri(&self, id: TermId) -> Option<Iri> {
        self.term(id).checked.clone()
    }

    /// Whether `term` is `broader` or narrower than it.
    pub fn is_a(&self, term: TermId, broader: TermId) -> bool {
        self.term(term).broader.binary_search(&broader).is_ok()
    }

    /// Whether a category is special (GDPR Art. 9(1)).
    pub fn is_special(&self, term: TermId) -> bool {
        self.special.is_some_and(|special| self.is_a(term, special))
    }

    /// All terms, in order of the files.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Digest of vocabularies and dated tables: a decision records it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Terms of a list of IRIs, sorted; the first unknown one as error.
    ///
    /// # Errors
    /// Place and IRI of the first term that is in no vocabulary of the given scheme.
    pub fn terms_of(&self, iris: &[Iri], scheme: &str) -> Result<Vec<TermId>, (usize, String)> {
        let mut terms = Vec::with_capacity(iris.len());
        for (place, iri) in iris.iter().enumerate() {
            match self.find(iri.as_str()) {
                Some(id) if self.term(id).scheme == scheme => terms.push(id),
                _ => return Err((place, iri.to_string())),
            }
        }
        terms.sort_unstable();
        terms.dedup();
        Ok(terms)
    }
}

fn load() -> Vocabulary {
    let mut terms: Vec<Term> = Vec::new();
    let mut by_iri = HashMap::default();
    let mut bytes = Vec::new();
    for (scheme, text) in FILES {
        bytes.extend_from_slice(text.as_bytes());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        // Fideslang has its parent before its name, DPV after its label.
        let fides = scheme.starts_with("fideslang");
        for record in reader.records().filter_map(Result::ok) {
            let at = |i: usize| record.get(i).unwrap_or_default().to_owned();
            let (label, parent) = if fides { (at(2), at(1)) } else { (at(1), at(2)) };
            let parents = parent.split(';').filter(|p| !p.is_empty()).map(str::to_owned).collect();
            let iri = at(0);
            let Ok(id) = u16::try_from(terms.len()) else { continue };
            // A term that two modules list is the first one's.
            by_iri.entry(iri.clone()).or_insert_with(|| {
                let checked = iri.parse().ok();
                terms.push(Term { iri, label, scheme, parents, broader: Vec::new(), checked });
                TermId(id)
            });
        }
    }
    for table in [
        include_str!("../../data/law/forbidden.json"),
        include_str!("../../data/law/prohibited_practices.json"),
        include_str!("../../data/law/high_risk_areas.json"),
        include_str!("../../data/law/system_documents.json"),
        include_str!("../../data/law/adequacy.json"),
        include_str!("../../data/law/consent_age.json"),
        include_str!("../../data/identification/sets.json"),
    ] {
        bytes.extend_from_slice(table.as_bytes());
    }
    for place in 0..terms.len() {
        let Ok(own) = u16::try_from(place) else { continue };
        let mut broader = vec![TermId(own)];
        let mut next = 0;
        while let Some(&TermId(at)) = broader.get(next) {
            for parent in &terms[usize::from(at)].parents {
                if let Some(&id) = by_iri.get(parent)
                    && !broader.contains(&id)
                {
                    broader.push(id);
                }
            }
            next += 1;
        }
        broader.sort_unstable();
        terms[place].broader = broader;
    }
    let special = by_iri.get(SPECIAL).copied();
    Vocabulary { terms, by_iri, digest: Digest::of(&bytes), special }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_categories_are_reached() {
        let v = vocabulary();
        for (iri, special) in [
            ("https://w3id.org/dpv/pd#PoliticalOpinion", true),
            ("https://w3id.org/dpv/pd#Religion", true),
            ("https://w3id.org/dpv/pd#Genetic", true),
            ("https://w3id.org/dpv/pd#Age", false),
            ("https://w3id.org/dpv/pd#EmailAddress", false),
        ] {
            assert_eq!(v.is_special(v.find(iri).unwrap()), special, "{iri}");
        }
    }

    #[test]
    fn narrower_terms_are_covered_by_broader_ones() {
        let v = vocabulary();
        let [targeted, marketing] =
            ["https://w3id.org/dpv#TargetedAdvertising", "https://w3id.org/dpv#Marketing"].map(|i| v.find(i).unwrap());
        assert!(v.is_a(targeted, marketing));
        assert!(!v.is_a(marketing, targeted));
    }
}
