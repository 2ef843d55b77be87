//! What a law forbids for a purpose: no basis helps, and the remedy does not pretend one would.

use harness::scenario::{self, AGE, POLITICS, purpose};
use serde_json::{Value, json};

use super::parts::{
    Parts, allowed, ask, denied, explicitly, field, made, of_rule, only, path, people_with, retrain, run, wide_basis,
    world,
};

const CAMPAIGN: &str = "https://w3id.org/dpv#PoliticalCampaign";

/// The model is trained on a table derived from the survey.
fn through_a_table(p: &mut Parts, survey: &[&str], table: Vec<Value>) {
    p.datasets.push("features");
    p.versions[0] = people_with("1", survey);
    p.versions.push(made("features", "1", table));
    p.runs[0]["inputs"][0]["ref"] = json!("dataset:crm/features@1");
    p.runs.push(run("derive", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/features@1"]));
    p.bases[0] = wide_basis(&[POLITICS], true);
}

fn no_way_out(finding: &Value) {
    let remedy = finding["remedy"]["text"].as_str().unwrap();
    assert!(!remedy.contains("consent") && !remedy.contains("ask the board"), "{remedy}");
    assert!(remedy.contains("without these data"), "{remedy}");
}

#[test]
fn political_targeting_with_opinions_is_forbidden_by_every_name() {
    let names: [fn(&mut Value); 3] = [
        |p| p["iri"] = json!(CAMPAIGN),
        |p| p["regulated_as"] = json!(["political_targeting"]),
        |p| {
            p["iri"] = json!("https://w3id.org/dpv#TargetedAdvertising");
            p["regulated_as"] = json!(["political_targeting"]);
        },
    ];
    for name in names {
        let s = world(|p| {
            through_a_table(p, &[POLITICS], vec![field("age", AGE)]);
            name(&mut p.purposes[0]);
        });
        let decision = s.dry("start");
        denied(&decision);
        let finding = only(&decision, "purpose.forbids");
        let way = path(finding);
        assert_eq!(
            (way.first().unwrap().as_str(), way.last().unwrap().as_str()),
            ("release:score-prod@1", "dataset:crm/people@1")
        );
        assert!(way.contains(&"dataset:crm/features@1".to_owned()), "{way:?}");
        assert!(finding["article"].as_str().unwrap().contains("2024/900"));
        assert_eq!(finding["addressee"], "crm-team");
        no_way_out(finding);
    }
}

#[test]
fn a_narrower_purpose_is_regulated_by_its_parent() {
    let s = world(|p| {
        through_a_table(p, &[POLITICS], vec![field("age", AGE)]);
        let mut parent = purpose("campaigning");
        parent["regulated_as"] = json!(["political_targeting"]);
        p.purposes.insert(0, parent);
        p.purposes[1]["parent"] = json!("purpose:campaigning");
    });
    assert_eq!(of_rule(&s.dry("start"), "purpose.forbids").len(), 1);
}

#[test]
fn what_was_only_inferred_is_forbidden_too() {
    let s = world(|p| {
        through_a_table(p, &[], vec![field("age", AGE), field("leaning", POLITICS)]);
        p.runs[1]["operation"] = json!("infer");
        p.purposes[0]["iri"] = json!(CAMPAIGN);
        explicitly(&mut p.bases[0]);
    });
    let decision = s.dry("start");
    let finding = only(&decision, "purpose.forbids");
    assert_eq!(finding["node"], "dataset:crm/features@1");
    no_way_out(finding);
}

#[test]
fn an_inferred_special_category_needs_an_exception_of_a_basis_behind_it() {
    let with = |exception: bool, categories: &[&str]| {
        let s = world(|p| {
            through_a_table(p, &[], vec![field("age", AGE), field("leaning", POLITICS)]);
            p.bases[0] = wide_basis(categories, exception);
        });
        s.dry("start")
    };
    allowed(&with(true, &[POLITICS]));
    for decision in [with(false, &[POLITICS]), with(true, &[])] {
        let findings = of_rule(&decision, "special.category");
        assert!(!findings.is_empty(), "{decision:#}");
        assert!(findings.iter().all(|f| f["node"] == "dataset:crm/features@1"), "{findings:#?}");
    }
}

#[test]
fn research_on_the_same_survey_is_not_targeting() {
    let s = world(|p| {
        through_a_table(p, &[POLITICS], vec![field("age", AGE)]);
        p.purposes[0]["iri"] = json!("https://w3id.org/dpv#ScientificResearch");
    });
    allowed(&s.dry("start"));
}

#[test]
fn data_collected_against_money_laundering_serve_nothing_else_once_the_law_applies() {
    let with = |own: Value| {
        world(|p| {
            let mut aml = purpose("aml");
            aml["regulated_as"] = json!(["anti_money_laundering"]);
            p.purposes.push(aml);
            p.purposes[0]["regulated_as"] = own;
            p.versions[0]["collected_for"] = json!(["purpose:aml"]);
        })
    };
    let on = |s: &harness::Scenario, day: &str| ask(s, json!({"dry_run": true, "valid_at": day}));
    let s = with(json!([]));
    assert!(of_rule(&on(&s, "2027-07-09"), "purpose.forbids").is_empty());
    let decision = on(&s, "2027-07-10");
    let finding = only(&decision, "purpose.forbids");
    assert!(finding["article"].as_str().unwrap().contains("2024/1624"));
    assert_eq!(path(finding).last().unwrap(), "dataset:crm/people@1");
    no_way_out(finding);
    assert!(of_rule(&on(&with(json!(["anti_money_laundering"])), "2027-07-10"), "purpose.forbids").is_empty());
}

#[test]
fn credit_is_not_assessed_with_social_networks_once_the_law_applies() {
    const FRIEND: &str = "https://w3id.org/dpv/pd#Friend";
    let s = world(|p| {
        p.purposes[0]["regulated_as"] = json!(["credit_assessment"]);
        p.versions[0] = people_with("1", &[FRIEND]);
        p.bases[0] = wide_basis(&[FRIEND], false);
    });
    let on = |day: &str| ask(&s, json!({"dry_run": true, "valid_at": day}));
    assert!(of_rule(&on("2026-11-19"), "purpose.forbids").is_empty());
    let decision = on("2026-11-20");
    let finding = only(&decision, "purpose.forbids");
    assert!(finding["sentence"].as_str().unwrap().contains("\"Friend\""), "{finding:#}");
    retrain(&s, "2", scenario::people("2"));
    assert!(of_rule(&on("2026-11-20"), "purpose.forbids").is_empty());
}

#[test]
fn a_purpose_may_exclude_sources_and_categories_by_itself() {
    let s = world(|p| p.purposes[0]["forbids"] = json!({"sources": ["dataset:crm/people"]}));
    let decision = s.dry("start");
    assert!(
        only(&decision, "purpose.forbids")["sentence"].as_str().unwrap().contains("itself excludes"),
        "{decision:#}"
    );
    let s = world(|p| p.purposes[0]["forbids"] = json!({"categories": ["https://w3id.org/dpv/pd#Contact"]}));
    assert_eq!(of_rule(&s.dry("start"), "purpose.forbids").len(), 1, "an e-mail address is a way of contact");
}

#[test]
fn a_system_that_calls_itself_prohibited_is() {
    let s = world(|p| p.system["risk_class"] = json!("prohibited"));
    let decision = s.dry("start");
    assert_eq!(only(&decision, "prohibited.practice")["status"], "unmet");
}

#[test]
fn bias_checks_may_look_at_what_must_not_shape() {
    let s = world(|p| {
        p.purposes[0]["regulated_as"] = json!(["political_targeting"]);
        p.datasets.push("audit");
        let mut audit = people_with("1", &[POLITICS]);
        audit["dataset"] = json!("dataset:crm/audit");
        p.versions.push(audit);
        p.runs[0]["inputs"].as_array_mut().unwrap().push(json!({"ref": "dataset:crm/audit@1", "role": "bias_check"}));
        p.bases[0] = wide_basis(&[POLITICS], true);
        p.bases[0]["covers"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/audit"]);
        explicitly(&mut p.bases[0]);
    });
    allowed(&s.dry("start"));
}

#[test]
fn what_a_political_campaign_infers_about_people_is_forbidden_as_much_as_what_it_reads() {
    let s = world(|p| {
        p.purposes[0]["iri"] = json!(CAMPAIGN);
        explicitly(&mut p.bases[0]);
        p.datasets.push("leanings");
        p.versions.push(made("leanings", "1", vec![field("leaning", POLITICS)]));
        p.deployment["writes"] = json!({"datasets": ["dataset:crm/leanings"]});
    });
    let decision = s.dry("start");
    let finding = only(&decision, "purpose.forbids");
    assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/leanings@1"]);
    assert!(finding["article"].as_str().unwrap().contains("18(1)(c)"), "{finding:#}");
    assert!(!finding["remedy"]["text"].as_str().unwrap().contains("consent"));
    // Scores that say nothing of the kind are no such thing.
    s.add("dataset-versions", made("leanings", "2", vec![field("age", AGE)]));
    assert!(of_rule(&s.dry("start"), "purpose.forbids").is_empty());
}

#[test]
fn a_political_campaign_uses_data_from_the_people_themselves_only() {
    for (origin, fits) in [("collected", true), ("received", false), ("acquired", false), ("public", false)] {
        let s = world(|p| {
            p.purposes[0]["iri"] = json!(CAMPAIGN);
            explicitly(&mut p.bases[0]);
            p.versions[0]["origin"] = json!(origin);
        });
        let decision = s.dry("start");
        let found = of_rule(&decision, "purpose.forbids");
        assert_eq!(found.is_empty(), fits, "{origin}: {decision:#}");
        for finding in found {
            assert!(finding["article"].as_str().unwrap().contains("18(1)(a)"), "{finding:#}");
            no_way_out(finding);
        }
        let before = ask(&s, json!({"dry_run": true, "valid_at": "2025-10-09"}));
        assert!(of_rule(&before, "purpose.forbids").is_empty(), "the law came later");
    }
}

#[test]
fn a_political_campaign_stands_on_explicit_consent_alone() {
    let s = world(|p| p.purposes[0]["iri"] = json!(CAMPAIGN));
    let decision = s.dry("start");
    denied(&decision);
    let finding = only(&decision, "purpose.forbids");
    assert!(finding["article"].as_str().unwrap().contains("18(1)(b)"), "{finding:#}");
    assert_eq!(path(finding).last().unwrap(), "dataset:crm/people@1");
    let remedy = finding["remedy"]["text"].as_str().unwrap();
    assert!(remedy.contains("explicit consent"), "here it helps: {remedy}");
    assert!(of_rule(&ask(&s, json!({"dry_run": true, "valid_at": "2025-10-09"})), "purpose.forbids").is_empty());
    // Consent that is not explicit is not enough; explicit consent is.
    for (explicit, fits) in [(false, false), (true, true)] {
        let s = world(|p| {
            p.purposes[0]["iri"] = json!(CAMPAIGN);
            explicitly(&mut p.bases[0]);
            p.bases[0]["letter"]["explicit"] = json!(explicit);
        });
        assert_eq!(of_rule(&s.dry("start"), "purpose.forbids").is_empty(), fits, "explicit: {explicit}");
    }
}

#[test]
fn a_political_campaign_targets_no_children() {
    let with = |served: bool| {
        world(|p| {
            p.purposes[0]["iri"] = json!(CAMPAIGN);
            p.datasets.push("pupils");
            let mut pupils = scenario::people("1");
            pupils["dataset"] = json!("dataset:crm/pupils");
            pupils["subjects"] = json!(["https://w3id.org/dpv#Child"]);
            p.versions.push(pupils);
            let reads = if served { "dataset:crm/pupils" } else { "dataset:crm/people" };
            p.deployment["reads"] = json!({"datasets": [reads]});
            explicitly(&mut p.bases[0]);
        })
    };
    let decision = with(true).dry("start");
    let finding = only(&decision, "purpose.forbids");
    assert!(finding["article"].as_str().unwrap().contains("18(2)"), "{finding:#}");
    assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/pupils@1"]);
    no_way_out(finding);
    assert!(of_rule(&with(false).dry("start"), "purpose.forbids").is_empty());
}
