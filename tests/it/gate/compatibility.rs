//! Data collected for one purpose and used for another.

use harness::scenario::{self, evidence};
use serde_json::{Value, json};

use super::parts::{Parts, allowed, assessment, basis, only, other_basis, world};

/// The people were asked for something else, on a contract.
pub(crate) fn elsewhere(p: &mut Parts) {
    p.purposes.push(scenario::purpose("billing"));
    p.versions[0]["collected_for"] = json!(["purpose:billing"]);
    p.versions[0]["collected_under"] = json!(["basis:scoring-contract"]);
}

pub(crate) fn compatible(of: &str) -> Value {
    let mut assessment = assessment("further-use", "compatibility", of);
    assessment["purpose"] = json!("purpose:scoring");
    assessment["compatibility"] = json!({
        "link": "Offers follow from what was bought.", "context": "Customers expect offers.", "nature": "Nothing sensitive.",
        "consequences": "Another offer.", "safeguards": "Pseudonyms.",
    });
    assessment
}

#[test]
fn a_further_purpose_needs_an_approved_assessment_of_this_purpose() {
    let s = world(elsewhere);
    let decision = s.dry("start");
    let finding = only(&decision, "compatibility");
    assert_eq!((&finding["status"], &finding["addressee"]), (&json!("unmet"), &json!("dpo")), "{finding:#}");
    s.add("purposes", scenario::purpose("resale"));
    let mut other = compatible("dataset:crm/people");
    other["key"] = json!("other-use");
    other["purpose"] = json!("purpose:resale");
    s.add("assessments", other);
    s.approve(&["assessment:other-use"]);
    assert!(only(&s.dry("start"), "compatibility")["sentence"].as_str().unwrap().contains("nobody assessed"));
    s.add("assessments", compatible("dataset:crm/people"));
    assert!(only(&s.dry("start"), "compatibility")["sentence"].as_str().unwrap().contains("has not approved it"));
    s.approve(&["assessment:further-use"]);
    allowed(&s.dry("start"));
}

#[test]
fn what_was_collected_on_consent_needs_fresh_consent_and_no_assessment_helps() {
    let s = world(|p| {
        elsewhere(p);
        let mut consent = other_basis("asked", "art6_1_a");
        consent["covers"]["purposes"] = json!(["purpose:billing"]);
        p.bases.push(consent);
        p.versions[0]["collected_under"] = json!(["basis:asked"]);
        p.assessments.push(compatible("dataset:crm/people"));
    });
    let decision = s.dry("start");
    let finding = only(&decision, "compatibility");
    assert!(finding["sentence"].as_str().unwrap().contains("on consent"), "{finding:#}");
}

#[test]
fn an_assessment_does_not_help_while_nobody_said_on_what_the_data_were_collected() {
    let s = world(|p| {
        elsewhere(p);
        p.versions[0]["collected_under"] = json!([]);
        p.assessments.push(compatible("dataset:crm/people"));
    });
    assert_eq!(only(&s.dry("start"), "compatibility")["status"], "unknown");
}

#[test]
fn fresh_consent_or_a_law_or_research_under_safeguards_carry_another_purpose() {
    for kind in ["art6_1_a", "art6_1_c"] {
        let s = world(|p| {
            elsewhere(p);
            p.versions[0]["collected_under"] = json!([]);
            p.bases[0] = other_basis("scoring-contract", kind);
        });
        allowed(&s.dry("start"));
    }
    let research = |iri: &'static str, safeguards: bool| {
        world(move |p| {
            elsewhere(p);
            p.purposes[0]["iri"] = json!(iri);
            if safeguards {
                p.bases[0] = basis(|b| b["letter"]["safeguards"] = evidence());
            }
        })
    };
    allowed(&research("https://w3id.org/dpv#ScientificResearch", true).dry("start"));
    only(&research("https://w3id.org/dpv#ScientificResearch", false).dry("start"), "compatibility");
    only(&research("https://w3id.org/dpv#CommercialResearch", true).dry("start"), "compatibility");
}

#[test]
fn an_assessment_of_compatibility_says_of_what_for_what_and_why() {
    let s = world(elsewhere);
    let refused = |edit: fn(&mut Value), pointer: &str| {
        let mut body = compatible("dataset:crm/people");
        edit(&mut body);
        let problem = s.ana.post("/api/v1/assessments", &body).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], format!("#{pointer}"), "{problem:#}");
    };
    refused(|b| _ = b.as_object_mut().unwrap().remove("purpose"), "/purpose");
    refused(|b| _ = b.as_object_mut().unwrap().remove("compatibility"), "/compatibility");
    refused(|b| b["of"] = json!("dataset:crm/nothing"), "/of");
    refused(|b| b["of"] = json!("model:score@1"), "/of");
    refused(|b| b["kind"] = json!("regularisation"), "/purpose");
}
