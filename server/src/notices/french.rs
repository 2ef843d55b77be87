//! French names of the categories of personal data that notices name most: DPV has English labels only.

const PD: &str = "https://w3id.org/dpv/pd#";

/// By the last part of the IRI, sorted.
const NAMES: &[(&str, &str)] = &[
    ("AccountIdentifier", "identifiant de compte"),
    ("Age", "âge"),
    ("AgeExact", "âge exact"),
    ("AgeRange", "tranche d’âge"),
    ("BankAccount", "compte bancaire"),
    ("Behavioural", "comportement"),
    ("Biometric", "données biométriques"),
    ("BirthDate", "date de naissance"),
    ("BirthPlace", "lieu de naissance"),
    ("BrowsingBehaviour", "navigation"),
    ("City", "ville"),
    ("Contact", "coordonnées"),
    ("Country", "pays"),
    ("CreditScore", "score de crédit"),
    ("CreditWorthiness", "solvabilité"),
    ("CriminalConviction", "condamnations pénales"),
    ("CriminalOffence", "infractions pénales"),
    ("CurrentEmployment", "emploi actuel"),
    ("Disability", "handicap"),
    ("Education", "niveau d’études"),
    ("EmailAddress", "adresse électronique"),
    ("EthnicOrigin", "origine ethnique"),
    ("Family", "famille"),
    ("Financial", "données financières"),
    ("FinancialStatus", "situation financière"),
    ("GPSCoordinate", "position GPS"),
    ("Gender", "genre"),
    ("Genetic", "données génétiques"),
    ("Health", "santé"),
    ("HealthRecord", "dossier de santé"),
    ("HomeLocation", "lieu de résidence"),
    ("Household", "foyer"),
    ("IPAddress", "adresse IP"),
    ("Identifying", "données d’identification"),
    ("Income", "revenu"),
    ("IncomeBracket", "tranche de revenu"),
    ("Insurance", "assurance"),
    ("Interest", "centres d’intérêt"),
    ("Job", "métier"),
    ("Language", "langue"),
    ("LoanRecord", "historique de prêts"),
    ("Location", "localisation"),
    ("MaritalStatus", "situation matrimoniale"),
    ("MedicalHealth", "santé (médicale)"),
    ("MentalHealth", "santé mentale"),
    ("Name", "nom"),
    ("Nationality", "nationalité"),
    ("OfficialID", "numéro d’identité officiel"),
    ("Opinion", "opinions"),
    ("PhilosophicalBelief", "convictions philosophiques"),
    ("PhysicalAddress", "adresse postale"),
    ("PhysicalHealth", "santé physique"),
    ("Picture", "photo"),
    ("PoliticalAffiliation", "affiliation politique"),
    ("PoliticalOpinion", "opinions politiques"),
    ("PostalCode", "code postal"),
    ("Preference", "préférences"),
    ("Prescription", "ordonnances"),
    ("Purchase", "achats"),
    ("PurchasesAndSpendingHabit", "habitudes d’achat et de dépense"),
    ("Race", "origine raciale"),
    ("Religion", "religion"),
    ("ReligiousBelief", "convictions religieuses"),
    ("Salary", "salaire"),
    ("Sexual", "vie sexuelle"),
    ("SexualPreference", "orientation sexuelle"),
    ("SocialMedia", "réseaux sociaux"),
    ("TVViewingBehaviour", "habitudes télévisuelles"),
    ("Tax", "impôts"),
    ("TelephoneNumber", "numéro de téléphone"),
    ("TradeUnionMembership", "appartenance syndicale"),
    ("Transaction", "transactions"),
    ("TravelHistory", "déplacements"),
    ("Vehicle", "véhicule"),
    ("WorkHistory", "parcours professionnel"),
];

/// The French name of a category, where there is one here.
pub(super) fn label(iri: &str) -> Option<&'static str> {
    let name = iri.strip_prefix(PD)?;
    NAMES.binary_search_by_key(&name, |(known, _)| known).ok().map(|place| NAMES[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::vocabulary::vocabulary;

    #[test]
    fn every_name_is_of_a_term_and_found() {
        for (name, french) in NAMES {
            let iri = format!("{PD}{name}");
            assert!(vocabulary().find(&iri).is_some(), "{iri}");
            assert_eq!(label(&iri), Some(*french));
        }
        assert_eq!(label("https://w3id.org/dpv#PersonalData"), None);
    }
}
