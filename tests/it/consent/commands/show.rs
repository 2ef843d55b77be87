//! What one person said, and how far consent covers many.

use harness::scenario::ZEROS;
use serde_json::json;

use super::super::covered::consenting;
use super::super::said::batch;
use super::super::{pseudonym, said};
use super::Desk;

#[test]
fn a_person_is_told_everything_they_said_with_proof() {
    let desk = Desk::new(crate::consent::with_key());
    let mut explicit = said(1, 2, "given", "2026-02-01T00:00:00Z");
    explicit["expression"] = json!("explicit");
    explicit["until"] = json!("2027-01-01T00:00:00Z");
    let records = [
        said(1, 1, "refused", "2026-01-01T00:00:00Z"),
        said(2, 3, "refused", "2026-01-01T00:00:00Z"),
        explicit,
        said(1, 4, "withdrawn", "2026-03-01T00:00:00Z"),
    ];
    batch(&desk.s.ana, &records).good();
    batch(&desk.s.ana, &[said(1, 5, "objected", "2026-04-01T00:00:00Z")]).good();
    let who = pseudonym("k1", 1);
    let show = ["consent", "show", "--subject", &who];
    let (out, _) = desk.ran(&desk.s.dora, &show, 0);
    assert_eq!(out.lines().count(), 5, "{out}");
    assert!(out.contains("2026-02-01 00:00") && out.contains("given, explicit") && out.contains("2027-01-01"), "{out}");
    assert!(!out.contains(&who), "{out}");
    let (out, _) = desk.ran(&desk.s.dora, &[&show[..], &["--verify"]].concat(), 0);
    assert!(out.contains("4 of 4 records hold"), "{out}");
    let told = desk.json(&desk.s.dora, &[&show[..], &["--verify"]].concat(), 0);
    assert_eq!(told["verified"], json!({"hold": 4, "broken": []}));
    let plain = desk.json(&desk.s.dora, &show, 0);
    assert_eq!(plain, desk.s.dora.post("/api/v1/subjects/records", &json!({"subject": who})).good());
    let (_, refused) = desk.ran(&desk.s.ana, &show, 1);
    assert!(!refused.is_empty());
    let (_, told) = desk.ran(&desk.s.dora, &["consent", "show", "--subject", &pseudonym("k1", 77)], 1);
    assert!(told.contains("nobody is known by this pseudonym"), "{told}");
}

#[test]
fn a_record_is_handed_on_as_linked_data() {
    let desk = Desk::new(consenting());
    let who = pseudonym("k1", 3);
    desk.ran(&desk.s.ana, &["consent", "withdraw", "--subject", &who, "--purpose", "scoring"], 0);
    let show = ["consent", "show", "--subject", &who, "--format", "dpv"];
    let (out, _) = desk.ran(&desk.s.dora, &show, 0);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let record = &document["@graph"][0];
    assert_eq!(record["dct:conformsTo"], "https://w3id.org/dpv/schema/dpv-27560#record");
    assert_eq!(record["dpv:hasDataSubject"]["dct:identifier"], json!(who));
    let purpose = desk.s.ana.resolve("purpose:scoring");
    assert_eq!(record["dpv:hasProcess"]["dpv:hasPurpose"], purpose["spec"]["iri"]);
    assert!(purpose["spec"]["iri"].is_string(), "{purpose}");
    assert_eq!(record["dpv:hasNotice"][0]["dct:identifier"], ZEROS);
    assert_eq!(record["dpv:hasConsentStatus"][0]["@type"], json!(["dpv:ConsentGiven", "dpv:ExpressedConsent"]));
    assert_eq!(record["dpv:hasConsentStatus"][1]["@type"], "dpv:ConsentWithdrawn");
    assert_eq!(document["@graph"].as_array().unwrap().len(), 1);
    desk.ran(&desk.s.dora, &[&show[..], &["--verify"]].concat(), 2);
}

#[test]
fn a_receipt_says_what_the_person_was_told() {
    let desk = Desk::new(consenting());
    let who = pseudonym("k1", 3);
    let notice = desk.s.ana.resolve("notice:customers");
    let mut renewed = said(3, 70_001, "renewed", "2026-02-01T00:00:00Z");
    renewed["notice"] = notice["digest"].clone();
    batch(&desk.s.ana, &[renewed]).good();
    let show = ["consent", "show", "--subject", &who, "--format", "receipt"];
    let (out, _) = desk.ran(&desk.s.dora, &show, 0);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let receipt = &document["@graph"][0];
    assert_eq!(receipt["dct:conformsTo"], "https://w3id.org/dpv/schema/dpv-27560#receipt-record");
    let record = &receipt["dpv:hasRecordOfActivity"];
    assert_eq!(record["dpv:hasDataController"]["dct:identifier"], "party:acme");
    let categories = record["dpv:hasProcess"]["dpv:hasPersonalData"].as_array().map(Vec::len);
    assert_eq!(categories, notice["spec"]["categories"].as_array().map(Vec::len), "{receipt:#}");
    assert!(record["dpv:hasConsentControl"]["dpv:isExercisedAt"].is_string(), "{receipt:#}");
    assert_eq!(record["dpv:hasNotice"].as_array().map(Vec::len), Some(2), "the one before is not registered");
    let ask = json!({"subject": who});
    let by_api = desk.s.dora.post("/api/v1/subjects/receipts", &ask).good();
    assert_eq!(by_api["@graph"][0]["dct:identifier"], receipt["dct:identifier"]);
    desk.s.ana.post("/api/v1/subjects/receipts", &ask).problem(403);
}

#[test]
fn coverage_is_counted_at_any_moment() {
    let desk = Desk::new(consenting());
    let who = pseudonym("k1", 3);
    desk.ran(&desk.s.ana, &["consent", "withdraw", "--subject", &who, "--purpose", "scoring"], 0);
    let asked = ["consent", "coverage", "crm/people@1", "--purpose", "scoring"];
    let with = |more: &[&str]| desk.json(&desk.s.dora, &[&asked[..], more].concat(), 0);
    let now = with(&[]);
    assert_eq!(
        (now["members"].as_u64(), now["covered"].as_u64(), now["missing"].as_u64()),
        (Some(10), Some(9), Some(1))
    );
    assert_eq!(with(&["--valid-at", "2025-07-01"])["covered"], 10);
    assert_eq!(with(&["--valid-at", "2025-05-01"])["covered"], 0);
    let before = (now["position"].as_u64().unwrap() - 1).to_string();
    assert_eq!(with(&["--known-at", &before])["covered"], 10);
    assert_eq!(with(&["--explicit"])["covered"], 0);
    assert_eq!(with(&["--channel", "email"])["channel"], "email");
    assert_eq!(with(&["--sample", "5"])["sample"], json!({"missing": 1, "subjects": [who]}));
    let (out, _) = desk.ran(&desk.s.dora, &[&asked[..], &["--sample", "5"]].concat(), 0);
    assert!(out.contains("9 (90.0 %)") && out.contains(&who) && out.contains("1 of 1 without consent"), "{out}");
    let (out, _) = desk.ran(&desk.s.ana, &asked, 0);
    assert!(out.contains("missing     1") && !out.contains("p1."), "{out}");
    let refused = desk.json(&desk.s.ana, &[&asked[..], &["--sample", "5"]].concat(), 1);
    assert_eq!(refused["status"], 403);
    for more in [&["--sample", "0"][..], &["--sample", "5", "--known-at", "3"], &["--valid-at", "yesterday"]] {
        desk.ran(&desk.s.dora, &[&asked[..], more].concat(), 2);
    }
    desk.ran(&desk.s.dora, &["consent", "coverage", "crm/people@9", "--purpose", "scoring"], 1);
    desk.ran(&desk.s.dora, &["consent", "coverage", "crm/people@1", "--purpose", "nothing"], 1);
}
