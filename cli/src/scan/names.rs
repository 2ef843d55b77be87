//! What names of columns say, in English and French.

use std::collections::HashSet;
use std::sync::LazyLock;

use licit_schemas::registry::Identifiability::{self, Direct, None as Nobody, Pseudonym, Quasi};
use unicode_normalization::UnicodeNormalization;

/// What a name is taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// As people say it, after "name looks like".
    pub(super) what: &'static str,
    /// DPV terms after `https://w3id.org/dpv/pd#`, or `https://w3id.org/dpv#` where they begin with `#`.
    pub(super) categories: Vec<&'static str>,
    /// How far it identifies.
    pub(super) identifiability: Identifiability,
    /// People write what they like.
    pub(super) free_text: bool,
}

/// A line of the table.
struct Line {
    what: &'static str,
    categories: Vec<&'static str>,
    identifiability: Identifiability,
    phrases: Vec<&'static str>,
}

/// What names speak of. Its lines have no quotes: `data/README.md` says what stands in them.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let line = |text: &'static str| {
        let mut parts = text.split(',');
        Some(Line {
            what: parts.next()?,
            categories: listed(parts.next()?),
            identifiability: match parts.next()? {
                "none" => Nobody,
                "quasi" => Quasi,
                "pseudonym" => Pseudonym,
                _ => Direct,
            },
            phrases: listed(parts.next()?),
        })
    };
    include_str!("../../data/columns.csv").lines().skip(1).filter_map(line).collect()
});

/// First names that many people in France and the English-speaking countries have.
static FIRST_NAMES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../data/first_names.txt").split_whitespace().collect());

/// Columns in which people write.
const FREE_TEXT: &str = "\
    comment|comments|commentaire|commentaires|remark|remarks|remarque|note|notes|free text|texte libre| \
    message|messages|description|observation|observations|body|review text|verbatim|transcript|feedback| \
    complaint|reclamation|motif|prompt|chat|question|answer|subject line|objet";

/// Columns that are about no person, whatever table they stand in.
const NOBODY: &str = "\
    currency|devise|unit|unite|schema version|row number|rownum|row id|checksum|batch id|etl run id| \
    file path|unnamed 0|index level 0";

/// Words that make of `name`, `nom` or `address` something of a thing.
const OF_THINGS: &str = "\
    product|produit|file|fichier|company|societe|entreprise|organisation|organization|event|table|column| \
    colonne|host|field|item|article|category|categorie|brand|marque|model|department|team|equipe|project| \
    projet|feature|variable|dataset|service|plan|campaign|campagne|sensor|metric|label|class|shop|magasin| \
    store|station|supplier|fournisseur|airport|page|app|short|display|server|domain";

/// Words that say a value was replaced.
const REPLACED: &str = "\
    hash|hashed|sha256|sha1|md5|hmac|pseudo|pseudonymised|pseudonymized|pseudonymise|token|tokenized| \
    tokenised|encrypted|chiffre|masked|hache";

/// The parts of a list.
fn listed(text: &'static str) -> Vec<&'static str> {
    text.split('|').map(str::trim).collect()
}

/// Whether a word is one of a list.
fn is_of(list: &str, word: &str) -> bool {
    list.split('|').any(|one| one.trim() == word)
}

/// Whether a value begins with a first name that many have.
pub(super) fn is_first_name(value: &str) -> bool {
    let first = value.split(|c: char| c.is_whitespace() || c == '-').next().unwrap_or_default();
    if !(2..=20).contains(&first.chars().count()) || value.contains(|c: char| c.is_ascii_digit() || c == '@') {
        return false;
    }
    FIRST_NAMES.contains(plain(first).as_str())
}

/// In lower case, without accents.
fn plain(text: &str) -> String {
    text.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).flat_map(char::to_lowercase).collect()
}

/// The words of a name: `dateNaissance`, `DATE_NAISSANCE` and `date de naissance` are two.
fn words(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for c in name.chars().take(200) {
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        spaced.push(if c.is_alphanumeric() { c } else { ' ' });
        before = c;
    }
    let plain = plain(&spaced);
    let small = |word: &&str| !matches!(*word, "de" | "du" | "des" | "la" | "le" | "les" | "l" | "d" | "the" | "a");
    plain.split_whitespace().filter(small).map(str::to_owned).collect()
}

/// Where a phrase stands in a name, if it does.
fn stands(phrase: &str, words: &[String]) -> Option<usize> {
    let count = phrase.split(' ').count();
    words.windows(count).rposition(|window| window.iter().map(String::as_str).eq(phrase.split(' ')))
}

/// What a name says; none where it says nothing.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let words = words(name);
    if is_of(NOBODY, &words.join(" ")) {
        return Some(Meaning {
            what: "something about no person",
            categories: Vec::new(),
            identifiability: Nobody,
            free_text: false,
        });
    }
    let mut best: Option<((usize, usize), &Line)> = None;
    for line in LINES.iter() {
        for phrase in &line.phrases {
            let Some(place) = stands(phrase, &words) else { continue };
            // The longest phrase, then the one nearest the end: an `email_consent_date` is less an address than an `email`.
            let rank = (phrase.split(' ').count(), place);
            if best.is_none_or(|(before, _)| rank > before) && !of_a_thing(phrase, place, &words) {
                best = Some((rank, line));
            }
        }
    }
    let replaced = words.iter().any(|word| is_of(REPLACED, word));
    if let Some((_, Line { what, categories, identifiability, .. })) = best {
        // What was hashed is a pseudonym: never anonymous, and no longer direct.
        let identifiability = if replaced { Pseudonym } else { *identifiability };
        return Some(Meaning { what, categories: categories.clone(), identifiability, free_text: false });
    }
    if listed(FREE_TEXT).iter().any(|phrase| stands(phrase, &words).is_some()) {
        // Who writes what they like names themselves and others.
        return Some(Meaning {
            what: "a text in which people write what they like",
            categories: Vec::new(),
            identifiability: Direct,
            free_text: true,
        });
    }
    replaced.then_some(Meaning {
        what: "a hash or token, which is a pseudonym",
        categories: vec!["Identifier"],
        identifiability: Pseudonym,
        free_text: false,
    })
}

/// Whether a word before says that this is the name, address or place of a thing.
fn of_a_thing(phrase: &str, place: usize, words: &[String]) -> bool {
    matches!(
        phrase,
        "name" | "nom" | "address" | "addr" | "adresse" | "location" | "place" | "title" | "rating" | "vote"
    ) && (words[..place].iter().chain(words.get(place + 1))).any(|word| is_of(OF_THINGS, word))
}

/// Whom datasets of such names are about: DPV terms after `https://w3id.org/dpv#`.
const SUBJECTS: &[(&str, &[&str])] = &[
    ("Customer", &["customer", "customers", "client", "clients", "clientele", "acheteur", "acheteurs", "buyers"]),
    ("Patient", &["patient", "patients", "sejour", "sejours", "admissions", "hospital"]),
    (
        "Employee",
        &[
            "employee",
            "employees",
            "salarie",
            "salaries",
            "staff",
            "personnel",
            "payroll",
            "paie",
            "hr",
            "rh",
            "agents",
        ],
    ),
    ("JobApplicant", &["applicant", "applicants", "candidate", "candidates", "candidat", "candidats", "cv", "resumes"]),
    ("Student", &["student", "students", "eleve", "eleves", "etudiant", "etudiants", "pupils"]),
    ("User", &["user", "users", "utilisateur", "utilisateurs", "usager", "usagers", "accounts"]),
    ("Member", &["member", "members", "adherent", "adherents", "membre", "membres"]),
    ("Subscriber", &["subscriber", "subscribers", "abonne", "abonnes", "newsletter"]),
    (
        "Citizen",
        &[
            "citizen",
            "citizens",
            "citoyen",
            "citoyens",
            "habitants",
            "population",
            "voters",
            "electeurs",
            "respondents",
        ],
    ),
    ("Visitor", &["visitor", "visitors", "visiteur", "visiteurs", "sessions"]),
    ("Child", &["child", "children", "enfant", "enfants"]),
];

/// Whom a dataset is about by its name: DPV terms after `https://w3id.org/dpv#`.
pub(super) fn subjects(name: &str) -> Option<(&'static str, &'static str)> {
    let words = words(name);
    SUBJECTS.iter().find_map(|(term, phrases)| {
        let phrase = phrases.iter().find(|phrase| words.iter().any(|word| word == *phrase))?;
        Some((*term, *phrase))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_both_languages_say_what_they_are() {
        for (name, category, level) in [
            ("email", "EmailAddress", Direct),
            ("contactEmail", "EmailAddress", Direct),
            ("Courriel", "EmailAddress", Direct),
            ("email_sha256", "EmailAddress", Pseudonym),
            ("téléphone", "TelephoneNumber", Direct),
            ("Prénom", "Name", Direct),
            ("nom_de_famille", "Name", Direct),
            ("customer_name", "Name", Direct),
            ("date de naissance", "BirthDate", Quasi),
            ("DateOfBirth", "BirthDate", Quasi),
            ("code_postal", "PostalCode", Quasi),
            ("adresse_ip", "IPAddress", Pseudonym),
            ("adresse_mail", "EmailAddress", Direct),
            ("numéro de sécurité sociale", "OfficialID", Direct),
            ("IBAN", "BankAccount", Direct),
            ("user.id", "Identifier", Pseudonym),
            ("id_client", "Identifier", Pseudonym),
            ("revenu_fiscal", "Income", Quasi),
            ("diagnostic_principal", "Health", Quasi),
            ("sexe", "Gender", Quasi),
            ("lat", "GPSCoordinate", Quasi),
            ("orientation_sexuelle", "Sexual", Quasi),
            ("ville", "City", Quasi),
        ] {
            let found = meaning(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((found.categories, found.identifiability), (vec![category], level), "{name}");
        }
    }

    #[test]
    fn what_says_nothing_stays_unknown() {
        for name in [
            "x1",
            "value",
            "product_name",
            "file_name",
            "amount",
            "created_at",
            "status",
            "V12",
            "",
            "___",
            "nom_produit",
            "language_model_name",
        ] {
            let found = meaning(name).filter(|found| found.categories != ["Language"]);
            assert_eq!(found, None, "{name}");
        }
        assert_eq!(meaning("currency").unwrap().identifiability, Nobody);
        assert!(meaning("commentaire_client").unwrap().free_text);
    }

    #[test]
    fn tables_are_what_the_code_takes_them_for() {
        assert!(is_first_name("Zo\u{e9} Martin") && is_first_name("JEAN-PIERRE"));
        assert!(!is_first_name("Table 4") && !is_first_name("blue"));
        assert!(LINES.len() > 50 && FIRST_NAMES.len() > 100);
        for line in include_str!("../../data/columns.csv").lines().skip(1) {
            let parts: Vec<&str> = line.split(',').collect();
            assert!(parts.len() == 4 && ["none", "quasi", "pseudonym", "direct"].contains(&parts[2]), "{line}");
        }
        for line in LINES.iter() {
            assert!(line.phrases.iter().all(|phrase| *phrase == plain(phrase) && !phrase.is_empty()), "{}", line.what);
        }
        let (data, people) = (
            include_str!("../../../server/data/vocabulary/dpv_personal_data.csv"),
            include_str!("../../../server/data/vocabulary/dpv_data_subjects.csv"),
        );
        for term in LINES.iter().flat_map(|line| &line.categories) {
            assert!(data.contains(&format!("https://w3id.org/dpv/pd#{term},")), "{term} is no category");
        }
        for (term, _) in SUBJECTS {
            assert!(people.contains(&format!("https://w3id.org/dpv#{term},")), "{term} is nobody");
        }
        assert_eq!(subjects("dim_customers"), Some(("Customer", "customers")));
        assert_eq!(subjects("Patients-2024"), Some(("Patient", "patients")));
        assert_eq!(subjects("weather"), None);
    }
}
