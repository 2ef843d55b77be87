//! What the risk, the role and the effect of a system ask for: dates, areas, grounds.

use harness::Scenario;
use harness::scenario::{self, POLITICS, document, evidence};
use serde_json::{Value, json};

use super::parts::{
    Parts, allowed, ask, basis, days, denied, made, of_rule, only, other_basis, path, people_with, run, wide_basis,
    world,
};

const EMPLOYEE: &str = "https://w3id.org/dpv#Employee";

fn at(s: &Scenario, moment: &str) -> Value {
    s.dry_at("start", Some(moment))
}

/// Kinds of documents a rule asks for.
#[track_caller]
fn asked(decision: &Value, rule: &str) -> Vec<String> {
    let sentences = of_rule(decision, rule).into_iter().map(|f| f["sentence"].as_str().unwrap().to_owned());
    let mut kinds: Vec<String> =
        sentences.filter_map(|s| Some(s.split_once("(`")?.1.split_once('`')?.0.to_owned())).collect();
    kinds.sort();
    kinds
}

fn high(p: &mut Parts, area: &str, role: &str) {
    p.system["risk_class"] = json!("high");
    p.system["high_risk_area"] = json!(area);
    p.system["role"] = json!(role);
}

fn decisive(p: &mut Parts) {
    p.system["effect"] = json!("decisive");
    p.system["documents"] = json!([document("dpia"), document("human-review")]);
}

#[test]
fn area_role_and_date_decide_which_documents() {
    for (area, role, moment, wanted) in [
        ("annex-iii-5b", "provider_and_deployer", "2027-12-01", &[][..]),
        ("annex-iii-5b", "provider_and_deployer", "2027-12-02", &["annex-iv", "fria"]),
        ("annex-iii-5b", "provider", "2027-12-02", &["annex-iv"]),
        ("annex-iii-5b", "deployer", "2027-12-02", &["fria"]),
        ("annex-iii-5d", "deployer", "2027-12-02", &[]),
        ("annex-i", "provider", "2028-08-01", &[]),
        ("annex-i", "provider", "2028-08-02", &["annex-iv"]),
        ("annex-i-b", "provider", "2028-08-02", &[]),
    ] {
        let s = world(|p| high(p, area, role));
        assert_eq!(asked(&at(&s, moment), "risk.documents"), wanted, "{area} {role} {moment}");
    }
}

#[test]
fn a_public_authority_assesses_fundamental_rights_in_every_area_but_infrastructure() {
    for (area, wanted) in [("annex-iii-5a", &["fria"][..]), ("annex-iii-2", &[])] {
        let s = world(|p| {
            p.parties[0]["public_authority"] = json!(true);
            high(p, area, "deployer");
        });
        assert_eq!(asked(&at(&s, "2027-12-02"), "risk.documents"), wanted, "{area}");
    }
}

#[test]
fn special_categories_and_decisions_ask_for_an_impact_assessment_whatever_the_class() {
    let none = |p: &mut Parts| p.system["documents"] = json!([]);
    assert_eq!(asked(&world(none).dry("start"), "risk.documents"), [""; 0]);
    for edit in [
        |p: &mut Parts| p.system["effect"] = json!("decisive"),
        |p: &mut Parts| p.system["reliance"] = json!("strong"),
        |p: &mut Parts| {
            p.versions[0] = people_with("1", &[POLITICS]);
            p.bases[0] = wide_basis(&[POLITICS], true);
        },
    ] {
        let s = world(|p| {
            none(p);
            edit(p);
        });
        assert_eq!(asked(&s.dry("start"), "risk.documents"), ["dpia"]);
    }
}

#[test]
fn high_risk_without_people_needs_no_assessment_of_data_protection() {
    let s = world(|p| {
        p.versions[0]["fields"] = json!([{"name": "postcode", "identifiability": "none"}]);
        p.versions[0]["origin"] = json!("reference");
        high(p, "annex-iii-2", "deployer");
        p.system["documents"] = json!([]);
    });
    assert_eq!(of_rule(&s.dry("start"), "risk.documents").len(), 0);
}

#[test]
fn a_document_counts_from_its_date_to_its_end_and_the_last_end_is_told() {
    let ended = |n: i64| json!({"kind": "dpia", "evidence": evidence(), "dated": "2026-01-01", "valid_to": days(n)});
    let s = world(|p| {
        p.system["effect"] = json!("decisive");
        p.system["documents"] = json!([ended(20), ended(40), ended(30), document("human-review")]);
    });
    assert!(of_rule(&at(&s, &days(35)), "risk.documents").is_empty(), "one of several holds");
    let finding = at(&s, &days(60));
    let finding = only(&finding, "risk.documents");
    assert_eq!(finding["status"], "expired");
    assert_eq!(finding["since"].as_str().unwrap()[..10], days(40)[..10]);
    let s = world(|p| {
        p.system["effect"] = json!("decisive");
        p.system["documents"] =
            json!([document("human-review"), {"kind": "dpia", "evidence": evidence(), "dated": days(10)}]);
    });
    assert_eq!(only(&s.dry("start"), "risk.documents")["status"], "unmet", "not written yet");
    assert!(of_rule(&at(&s, &days(11)), "risk.documents").is_empty());
}

#[test]
fn an_area_without_high_risk_says_why() {
    let s = world(|p| p.system["high_risk_area"] = json!("annex-iii-5b"));
    assert_eq!(only(&s.dry("start"), "risk.documents")["status"], "unknown");
    let s = world(|p| {
        p.system["high_risk_area"] = json!("annex-iii-5b");
        p.system["documents"] = json!([document("art6-4")]);
    });
    allowed(&s.dry("start"));
}

#[test]
fn an_area_no_law_names_is_refused() {
    let s = Scenario::empty();
    for area in ["annex-iii-9", "annex-iii", "annex-iii-5"] {
        let mut system = scenario::system();
        system["high_risk_area"] = json!(area);
        let refused = s.ana.post("/api/v1/systems", &system);
        assert_eq!(refused.problem(422)["errors"][0]["pointer"], "#/high_risk_area", "{area}");
    }
}

#[test]
fn a_prohibited_system_is_asked_for_no_documents() {
    let s = world(|p| {
        p.system["risk_class"] = json!("prohibited");
        p.system["effect"] = json!("decisive");
        p.system["documents"] = json!([document("human-review")]);
    });
    let decision = s.dry("start");
    assert_eq!(of_rule(&decision, "risk.documents").len(), 0);
    denied(&decision);
}

#[test]
fn only_workers_it_is_used_on_are_informed() {
    let about = |p: &mut Parts| {
        p.versions[0]["subjects"] = json!([EMPLOYEE]);
        high(p, "annex-iii-5d", "deployer");
    };
    let s = world(about);
    assert_eq!(asked(&at(&s, "2027-12-01"), "workers"), [""; 0]);
    assert_eq!(asked(&at(&s, "2027-12-02"), "workers"), ["workers-informed"]);
    let s = world(|p| {
        about(p);
        p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    });
    assert_eq!(of_rule(&at(&s, "2027-12-02"), "workers").len(), 0, "it only learned from them");
    let s = world(|p| {
        about(p);
        p.system["role"] = json!("provider");
    });
    assert_eq!(of_rule(&at(&s, "2027-12-02"), "workers").len(), 0, "a duty of who uses it");
    let s = world(|p| high(p, "annex-iii-5d", "deployer"));
    assert_eq!(of_rule(&at(&s, "2027-12-02"), "workers").len(), 0, "no workers");
}

#[test]
fn on_whom_it_is_used_may_be_unknown_in_several_ways() {
    for (edit, node) in [
        ((|p| p.system["high_risk_area"] = Value::Null) as fn(&mut Parts), "system:scorer@1"),
        (|p| _ = p.deployment.as_object_mut().unwrap().remove("reads"), "deployment:score-prod"),
        (
            |p| {
                p.datasets.push("calls");
                p.deployment["reads"]["datasets"] = json!(["dataset:crm/people", "dataset:crm/calls"]);
            },
            "deployment:score-prod",
        ),
        (|p| p.versions[0]["subjects"] = json!([]), "dataset:crm/people@1"),
    ] {
        let with = |documents: Value| {
            let s = world(|p| {
                high(p, "annex-iii-5d", "deployer");
                edit(p);
                if p.system["high_risk_area"].is_null() {
                    p.system.as_object_mut().unwrap().remove("high_risk_area");
                }
                p.system["documents"] = documents;
            });
            at(&s, "2027-12-02")
        };
        let decision = with(json!([]));
        let finding = only(&decision, "workers");
        assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!(node)));
        assert_eq!(path(finding).last().unwrap(), node);
        let decision = with(json!([document("workers-informed")]));
        assert_eq!(of_rule(&decision, "workers").len(), 0, "informed all the same");
    }
}

#[test]
fn people_are_told_from_the_day_article_50_applies() {
    let speaks = |since: Option<&'static str>| {
        world(|p| {
            p.system["risk_class"] = json!("transparency");
            p.system["transparency"] = json!({
                "talks_to_people": true, "synthetic_content": true, "emotion_or_biometric": true, "deep_fake_or_public_text": true,
            });
            if let Some(day) = since {
                p.system["transparency"]["in_service_since"] = json!(day);
            }
        })
    };
    let all = ["notice-art50-1", "notice-art50-2", "notice-art50-3", "notice-art50-4"];
    let but_marking = ["notice-art50-1", "notice-art50-3", "notice-art50-4"];
    for (since, moment, wanted) in [
        (None, "2026-08-01", &[][..]),
        (None, "2026-08-02", &all),
        (Some("2026-08-01"), "2026-12-01", &but_marking),
        (Some("2026-08-01"), "2026-12-02", &all),
        (Some("2026-08-02"), "2026-08-02", &all),
    ] {
        assert_eq!(asked(&at(&speaks(since), moment), "transparency.ai"), wanted, "{since:?} {moment}");
    }
}

#[test]
fn silence_on_transparency_counts_where_the_class_asks() {
    for (class, count) in [("minimal", 0), ("transparency", 1), ("high", 1)] {
        let s = world(|p| {
            high(p, "annex-iii-5d", "deployer");
            p.system["risk_class"] = json!(class);
        });
        let decision = at(&s, "2026-12-20");
        assert_eq!(of_rule(&decision, "transparency.ai").len(), count, "{class}");
        assert_eq!(of_rule(&at(&s, "2026-08-01"), "transparency.ai").len(), 0, "{class}");
    }
}

#[test]
fn contract_law_and_explicit_consent_are_grounds_to_decide() {
    let consent = |explicit: bool| {
        let mut consent = other_basis("scoring-contract", "art6_1_a");
        consent["letter"]["explicit"] = json!(explicit);
        consent
    };
    let law = |article: &str, stated: bool| {
        let mut law = other_basis("scoring-contract", "art6_1_c");
        law["legal_basis"] = json!(article);
        if !stated {
            law["letter"] = json!({});
        }
        law
    };
    for (given, holds) in [
        (basis(|_| {}), true),
        (law("art6_1_c", true), true),
        (law("art6_1_e", true), true),
        (law("art6_1_e", false), false),
        (consent(true), true),
        (consent(false), false),
        (other_basis("scoring-contract", "art6_1_f"), false),
        (law("art6_1_d", true), false),
    ] {
        let s = world(|p| {
            decisive(p);
            p.bases[0] = given.clone();
        });
        let decision = s.dry("start");
        let found = of_rule(&decision, "automated.decision");
        assert_eq!(found.is_empty(), holds, "{} {}: {found:#?}", given["legal_basis"], given["letter"]);
        if let Some(finding) = found.first() {
            assert_eq!(finding["status"], "unmet");
            assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/people@1", "basis:scoring-contract@1"]);
        }
    }
}

#[test]
fn a_person_looks_again_or_nothing_is_decided() {
    let s = world(|p| {
        p.system["reliance"] = json!("strong");
        p.system["documents"] = json!([document("dpia")]);
    });
    let decision = s.dry("start");
    assert_eq!(asked(&decision, "automated.decision"), ["human-review"]);
    let s = world(|p| {
        p.bases[0] = other_basis("scoring-contract", "art6_1_f");
        p.system["documents"] = json!([]);
    });
    allowed(&s.dry("start"));
}

/// Served on applicants under one basis, trained on others under another.
#[test]
fn the_ground_is_asked_for_those_it_is_served_on() {
    let s = |served: &'static str| {
        world(|p| {
            decisive(p);
            p.datasets.push("applicants");
            let mut applicants = scenario::people("1");
            applicants["dataset"] = json!("dataset:crm/applicants");
            p.versions.push(applicants);
            let mut balanced = other_basis("development", "art6_1_f");
            balanced["covers"]["datasets"] = json!(["dataset:crm/people"]);
            let mut own = other_basis("scoring-contract", served);
            own["covers"]["datasets"] = json!(["dataset:crm/applicants"]);
            p.bases = vec![own, balanced];
            p.deployment["bases"] = json!(["basis:scoring-contract", "basis:development"]);
            p.deployment["reads"] = json!({"datasets": ["dataset:crm/applicants"]});
        })
    };
    allowed(&s("art6_1_b").dry("start"));
    let decision = s("art6_1_f").dry("start");
    assert_eq!(only(&decision, "automated.decision")["node"], "basis:scoring-contract@1");
}

/// One contract is no ground for people it is not made with.
#[test]
fn everybody_it_decides_on_needs_a_ground() {
    let s = |subjects: Value| {
        world(|p| {
            decisive(p);
            p.datasets.push("guarantors");
            let mut guarantors = scenario::people("1");
            guarantors["dataset"] = json!("dataset:crm/guarantors");
            guarantors["subjects"] = subjects;
            p.versions.push(guarantors);
            let mut balanced = other_basis("guarantees", "art6_1_f");
            balanced["covers"]["datasets"] = json!(["dataset:crm/guarantors"]);
            balanced["covers"]["subjects"] = json!([scenario::ADULT, "https://w3id.org/dpv#Client"]);
            p.bases.push(balanced);
            p.deployment["bases"] = json!(["basis:scoring-contract", "basis:guarantees"]);
            p.deployment["reads"] = json!({"datasets": ["dataset:crm/people", "dataset:crm/guarantors"]});
        })
    };
    allowed(&s(json!([scenario::ADULT])).dry("start"));
    let decision = s(json!(["https://w3id.org/dpv#Client"])).dry("start");
    assert_eq!(only(&decision, "automated.decision")["node"], "basis:guarantees@1");
}

#[test]
fn special_categories_decide_only_on_explicit_consent_or_law() {
    for (exception, letter, holds) in [
        ("art9_2_a", json!({"explicit": true}), true),
        ("art9_2_g", json!({"law": "Law on something, Article 1"}), true),
        ("art9_2_j", json!({"law": "Law on research, Article 5", "safeguards": evidence()}), false),
    ] {
        let s = world(|p| {
            decisive(p);
            p.versions[0] = people_with("1", &[POLITICS]);
            p.bases[0] = wide_basis(&[POLITICS], false);
            p.bases[0]["exception"] = json!(exception);
            p.bases[0]["letter"].as_object_mut().unwrap().extend(letter.as_object().unwrap().clone());
        });
        let decision = s.dry("start");
        if holds {
            allowed(&decision);
        } else {
            let finding = only(&decision, "automated.decision");
            assert_eq!((&finding["article"], &finding["status"]), (&json!("GDPR Art. 22(4)"), &json!("unmet")));
        }
    }
}

#[test]
fn special_categories_it_infers_count_too() {
    let s = |exception: &'static str| {
        world(|p| {
            decisive(p);
            p.datasets.push("features");
            p.versions.push(made("features", "1", vec![super::parts::field("leaning", POLITICS)]));
            p.runs.push(run("infer", "purpose:scoring", &["dataset:crm/people@1"], &["dataset:crm/features@1"]));
            p.bases[0] = wide_basis(&[POLITICS], true);
            p.bases[0]["exception"] = json!(exception);
            p.deployment["reads"] = json!({"datasets": ["dataset:crm/features"]});
        })
    };
    let decision = s("art9_2_j").dry("start");
    let finding = only(&decision, "automated.decision");
    assert_eq!((&finding["article"], &finding["node"]), (&json!("GDPR Art. 22(4)"), &json!("dataset:crm/features@1")));
    assert_eq!(path(finding), ["deployment:score-prod", "dataset:crm/features@1"]);
    assert!(of_rule(&s("art9_2_g").dry("start"), "automated.decision").is_empty());
}

#[test]
fn who_decides_and_reads_nobody_names_no_ground() {
    let s = world(|p| {
        decisive(p);
        p.versions[0]["fields"] = json!([{"name": "postcode", "identifiability": "none"}]);
        p.versions[0]["origin"] = json!("reference");
        p.deployment["reads"] = json!({"nobody": "It is asked about no person."});
    });
    let decision = s.dry("start");
    let finding = only(&decision, "automated.decision");
    assert_eq!((&finding["status"], &finding["node"]), (&json!("unknown"), &json!("deployment:score-prod")));
}

#[test]
fn a_ground_that_ends_leaves_what_runs_its_grace() {
    let s = world(decisive);
    allowed(&s.activate("release:score-prod@1").good());
    s.revoke("basis:scoring-contract", 14);
    let decision = ask(&s, json!({"dry_run": true, "intent": "continue"}));
    allowed(&decision);
    let due = decision["actions_due"].as_array().unwrap().iter().find(|f| f["rule"] == "automated.decision").unwrap();
    assert_eq!(due["status"], "expired");
    let decision = s.dry("start");
    assert_eq!(only(&decision, "automated.decision")["status"], "expired");
}

/// What the verdict rests on is under its digest: another statement of the controller is other evidence.
#[test]
fn evidence_names_the_controller_as_it_stood() {
    let s = Scenario::running();
    let controller = |s: &Scenario| {
        let id = ask(s, json!({}))["id"].as_str().unwrap().to_owned();
        s.audit.get(&format!("/api/v1/decisions/{id}/evidence")).good()["controller"].clone()
    };
    let before = controller(&s);
    assert_eq!(before["ref"], "party:acme");
    super::parts::change(&s, "parties", "party:acme", |party| party["public_authority"] = json!(true));
    assert_ne!(before["digest"], controller(&s)["digest"]);
}
