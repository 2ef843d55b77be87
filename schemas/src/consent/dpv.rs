//! Consent records of ISO/IEC TS 27560:2023 as JSON-LD of the W3C Data Privacy Vocabulary, by the mapping of its guide
//! *Consent Records* (Final Community Group Report, 15 February 2026).
//!
//! One `dpv:ConsentRecord` for each purpose, and each way of being contacted for it: those are wills of their own. It holds what
//! the registry knows of what one person said, and what the notice they were shown and the purpose say: controller, categories of
//! data, recipients, storage, language, the way to withdraw. A receipt is a copy of it to hand on. What is not known is left out and
//! never invented: addresses, places of storage, and all that a notice says which is not registered here. So is what DPV has no term
//! for: from when consent never was valid, who speaks as a representative of a person (`dpv:Representative` is that of a legal
//! entity), and who holds parental responsibility (parent and guardian are two terms there, and it is not known which).
//! Objections and restrictions are no consent, and not in here.

use serde_json::{Map, Value, json};

use super::{Channel, ConsentRecord, Expression, IndicatedBy, Said};
use crate::digest::Digest;
use crate::json;
use crate::lawfulness::PurposeSpec;
use crate::notices::{Commitment, NoticeSpec};
use crate::reference::Ref;
use crate::registry::{PartySpec, uuid_text};
use crate::subjects::Pseudonym;
use crate::time::Timestamp;

/// What a record conforms to.
const RECORD: &str = "https://w3id.org/dpv/schema/dpv-27560#record";
/// What a receipt conforms to.
const RECEIPT: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt-record";

/// What is registered of what records name.
pub struct Registered<'a> {
    /// A purpose.
    pub purpose: &'a dyn Fn(&Ref) -> Option<PurposeSpec>,
    /// A notice by the digest of what a person was shown.
    pub notice: &'a dyn Fn(&Digest) -> Option<NoticeSpec>,
    /// A party.
    pub party: &'a dyn Fn(&Ref) -> Option<PartySpec>,
}

/// Receipts for what one person said of consent, as a JSON-LD document; each holds its record.
///
/// Records come in the order they were recorded. A consent record is identified by the first of its events, so that it stays the
/// same record as events are added; a receipt by what it is a copy of.
pub fn receipts(
    subject: &Pseudonym,
    records: &[ConsentRecord],
    registered: &Registered<'_>,
    created: Timestamp,
) -> Value {
    let mut kept: Vec<(&Ref, Option<Channel>, Vec<&ConsentRecord>)> = Vec::new();
    for record in records {
        let (Some(purpose), Some(_)) = (&record.purpose, record.said.dpv()) else { continue };
        match kept.iter_mut().find(|(of, by, _)| *of == purpose && *by == record.channel) {
            Some((_, _, events)) => events.push(record),
            None => kept.push((purpose, record.channel, vec![record])),
        }
    }
    let records = kept.iter().filter_map(|(of, by, events)| consent(subject, (of, *by), registered, events));
    json!({
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "loc": "https://w3id.org/dpv/loc#",
            "dct": "http://purl.org/dc/terms/",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "dct:conformsTo": {"@type": "@id"},
            "dpv:hasPurpose": {"@type": "@id"},
            "dpv:hasPersonalData": {"@type": "@id"},
            "dpv:hasLegalBasis": {"@type": "@id"},
            "dpv:hasJurisdiction": {"@type": "@id"},
            "dpv:isExercisedAt": {"@type": "@id"},
            "dpv:isIndicatedBy": {"@type": "@id"},
            "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
        },
        "@graph": records.map(|record| receipt(record, created)).collect::<Vec<_>>(),
    })
}

/// The records alone, of a document of receipts.
pub fn records_of(receipts: &Value) -> Value {
    let records = receipts["@graph"].as_array().into_iter().flatten();
    let records: Vec<&Value> = records.map(|receipt| &receipt["dpv:hasRecordOfActivity"]).collect();
    json!({"@context": receipts["@context"], "@graph": records})
}

fn receipt(record: Value, created: Timestamp) -> Value {
    let mut receipt = json!({
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": number(&record),
        "dct:conformsTo": RECEIPT,
        "dct:created": created,
    });
    if let Some(controller) = record.get("dpv:hasDataController") {
        receipt["dct:publisher"] = controller["dct:identifier"].clone();
    }
    receipt["dpv:hasRecordOfActivity"] = record;
    receipt
}

/// An id that follows from what a receipt is a copy of: the same again is the same receipt.
fn number(record: &Value) -> uuid_text::Uuid {
    let text = json::canonical(record).unwrap_or_default();
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&Digest::of(text.as_bytes()).as_bytes()[..16]);
    uuid_text::Uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn consent(
    subject: &Pseudonym,
    (purpose, channel): (&Ref, Option<Channel>),
    registered: &Registered<'_>,
    events: &[&ConsentRecord],
) -> Option<Value> {
    let stated = (registered.purpose)(purpose);
    let mut process = json!({"@type": "dpv:Process", "dct:identifier": purpose, "dpv:hasLegalBasis": "dpv:Consent"});
    if let Some(stated) = &stated {
        process["dpv:hasPurpose"] = json!(stated.iri);
        process["dct:title"] = json!(stated.name);
        if let Some(needs) = &stated.needs {
            process["dpv:hasPersonalData"] = json!(needs);
        }
    }
    // DPV has no terms for ways of being contacted.
    if let Some(word) = channel.and_then(|channel| serde_json::to_value(channel).ok()?.as_str().map(str::to_owned)) {
        process["dct:description"] = json!(format!("being contacted by {word}"));
    }
    let mut record = json!({
        "@type": "dpv:ConsentRecord",
        "dct:identifier": events.first()?.record_id,
        "dct:conformsTo": RECORD,
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": subject},
        "dpv:hasConsentStatus": in_time(events).iter().filter_map(|event| status(event)).collect::<Vec<_>>(),
    });
    let mut shown: Vec<Digest> = Vec::new();
    for digest in in_time(events).iter().filter_map(|event| event.notice) {
        if !shown.contains(&digest) {
            shown.push(digest);
        }
    }
    let notices: Vec<(Digest, Option<NoticeSpec>)> =
        shown.into_iter().map(|digest| (digest, (registered.notice)(&digest))).collect();
    // What somebody was shown last is what holds of the processing.
    if let Some(told) = notices.iter().rev().find_map(|(_, told)| told.as_ref()) {
        tell(&mut record, &mut process, told, registered);
    }
    record["dpv:hasProcess"] = process;
    if !notices.is_empty() {
        record["dpv:hasNotice"] = notices.iter().map(|(digest, told)| notice(digest, told.as_ref())).collect();
    }
    Some(record)
}

/// A party, as far as it is registered.
fn party(kind: &str, reference: &Ref, registered: &Registered<'_>) -> (Value, Option<PartySpec>) {
    let mut party = json!({"@type": kind, "dct:identifier": reference});
    let known = (registered.party)(reference);
    if let Some(known) = &known {
        party["dpv:hasName"] = json!(known.name);
        if let Some(contact) = &known.dpo_contact {
            party["dpv:hasContact"] = json!(contact);
        }
    }
    (party, known)
}

/// What the notice says of the processing.
fn tell(record: &mut Value, process: &mut Value, told: &NoticeSpec, registered: &Registered<'_>) {
    let (controller, known) = party("dpv:DataController", &told.controller, registered);
    record["dpv:hasDataController"] = controller;
    if let Some(region) = known.and_then(|known| known.region) {
        record["dpv:hasJurisdiction"] = json!(format!("loc:{region}"));
    }
    process["dpv:hasPersonalData"] = told.categories.iter().map(|category| json!(category.iri)).collect();
    if !told.recipients.is_empty() {
        let recipients = told.recipients.iter().map(|one| party("dpv:Recipient", one, registered).0);
        process["dpv:hasRecipient"] = recipients.collect();
    }
    let periods = told.promises.iter().filter_map(|promise| match &promise.commitment {
        Commitment::DeletedAfter(period) => Some(period.to_string()),
        _ => None,
    });
    let storage: Vec<Value> =
        periods.map(|period| json!({"@type": "dpv:StorageDuration", "dpv:hasDuration": period})).collect();
    if !storage.is_empty() {
        process["dpv:hasStorageCondition"] = Value::Array(storage);
    }
    if let Some(refusal) = &told.refusal {
        record["dpv:hasConsentControl"] = json!({"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": refusal.url});
    }
}

/// A notice that was shown: by its digest, and what is registered of it.
fn notice(digest: &Digest, told: Option<&NoticeSpec>) -> Value {
    let mut notice = json!({"@type": "dpv:ConsentNotice", "dct:identifier": digest});
    if let Some(told) = told {
        notice["dct:date"] = json!(told.valid_from);
        notice["dct:language"] = json!(["en", "fr"]);
        notice["dct:title"] = json!([
            {"@value": told.wording.en.title, "@language": "en"},
            {"@value": told.wording.fr.title, "@language": "fr"},
        ]);
        if let Some(end) = told.valid_to {
            notice["dct:coverage"] = json!(format!("{}/{end}", told.valid_from));
        }
    }
    notice
}

/// Events in the order in which they were said; of those said at one instant, the later recorded comes last, as it counts.
fn in_time<'a>(events: &[&'a ConsentRecord]) -> Vec<&'a ConsentRecord> {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.at);
    events
}

fn status(event: &ConsentRecord) -> Option<Value> {
    let state = event.said.dpv()?;
    let mut status = Map::new();
    // Only what allows was expressed in a way that matters.
    let kind = match (event.said, event.expression) {
        (Said::Given | Said::Renewed, Expression::Expressed) => json!([state, "dpv:ExpressedConsent"]),
        (Said::Given | Said::Renewed, Expression::Explicit) => json!([state, "dpv:ExplicitlyExpressedConsent"]),
        _ => json!(state),
    };
    status.insert("@type".to_owned(), kind);
    status.insert("dct:identifier".to_owned(), json!(event.record_id));
    if let Some(who) = indicated_by(event.indicated_by) {
        status.insert("dpv:isIndicatedBy".to_owned(), json!(who));
    }
    status.insert("dpv:isIndicatedAtTime".to_owned(), json!(event.at));
    if let Some(until) = event.until {
        let value = json!({"@type": "xsd:dateTime", "@value": until});
        status.insert("dpv:hasDuration".to_owned(), json!({"@type": "dpv:UntilTimeDuration", "rdf:value": value}));
    }
    if let Some(method) = event.method {
        status.insert("dpv:hasIndicationMethod".to_owned(), json!(method));
    }
    Some(Value::Object(status))
}

fn indicated_by(who: IndicatedBy) -> Option<&'static str> {
    match who {
        IndicatedBy::DataSubject => Some("dpv:DataSubject"),
        IndicatedBy::Controller => Some("dpv:DataController"),
        IndicatedBy::Authority => Some("dpv:Authority"),
        IndicatedBy::ParentalHolder | IndicatedBy::Representative => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "p1.k1._tBKn4hDnnOPLBF0LpqDjWHsUE3fqX62r2BCNXH83H0";

    fn said(number: u32, more: &Value) -> ConsentRecord {
        let mut record = json!({
            "record_id": format!("00000000-0000-4000-8000-{number:012}"), "subject": SUBJECT, "purpose": "purpose:ads",
        });
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(record).unwrap()
    }

    fn receipts_of(records: &[ConsentRecord]) -> Value {
        let three = json!({"what_we_do": "We advertise.", "what_you_get": "You see offers.", "what_we_never_do": "We sell nothing."});
        let ads = json!({
            "key": "ads", "name": "Advertising", "iri": "https://w3id.org/dpv#Advertising", "regulated_as": [],
            "sentences": {"en": three, "fr": three}, "valid_from": "2020-01-01",
        });
        let both = |text: &str| json!({"en": text, "fr": text});
        let wording = json!({"title": "What we do", "text": "We advertise."});
        let told = json!({
            "key": "customers", "controller": "party:acme", "purposes": ["purpose:ads"],
            "wording": {"en": wording, "fr": wording}, "categories": [{"iri": "https://w3id.org/dpv/pd#Age"}],
            "recipients": ["party:bureau"], "refusal": {"url": "https://acme.example/no", "words": both("Say no here.")},
            "promises": [{"commitment": "deleted_after:P6M", "words": both("Gone after six months.")}],
            "valid_from": "2025-01-01", "valid_to": "2028-01-01",
        });
        let acme = json!({"key": "acme", "name": "Acme", "region": "IE", "dpo_contact": "https://acme.example/dpo"});
        let purpose =
            |of: &Ref| (of.to_string() == "purpose:ads").then(|| serde_json::from_value(ads.clone()).unwrap());
        let notice = |of: &Digest| (*of == Digest::of(b"shown")).then(|| serde_json::from_value(told.clone()).unwrap());
        let party = |of: &Ref| (of.to_string() == "party:acme").then(|| serde_json::from_value(acme.clone()).unwrap());
        let registered = Registered { purpose: &purpose, notice: &notice, party: &party };
        receipts(&SUBJECT.parse().unwrap(), records, &registered, "2026-06-01".parse().unwrap())
    }

    fn graph_of(records: &[ConsentRecord]) -> Vec<Value> {
        let document = records_of(&receipts_of(records));
        assert_eq!(document["@context"]["dpv"], "https://w3id.org/dpv#");
        document["@graph"].as_array().unwrap().clone()
    }

    #[test]
    fn a_receipt_says_what_the_person_was_told() {
        let shown = Digest::of(b"shown");
        let made = receipts_of(&[said(1, &json!({"said": "given", "at": "2026-01-01", "notice": shown}))]);
        let receipt = &made["@graph"][0];
        assert_eq!(receipt["@type"], "dpv:ConsentReceipt");
        assert_eq!(receipt["dct:conformsTo"], "https://w3id.org/dpv/schema/dpv-27560#receipt-record");
        assert_eq!(
            (&receipt["dct:publisher"], &receipt["dct:created"]),
            (&json!("party:acme"), &json!("2026-06-01T00:00:00.000000Z"))
        );
        let again = receipts_of(&[said(1, &json!({"said": "given", "at": "2026-01-01", "notice": shown}))]);
        assert_eq!(receipt["dct:identifier"], again["@graph"][0]["dct:identifier"]);
        let record = &receipt["dpv:hasRecordOfActivity"];
        assert_eq!(
            record["dpv:hasDataController"],
            json!({
                "@type": "dpv:DataController", "dct:identifier": "party:acme", "dpv:hasName": "Acme",
                "dpv:hasContact": "https://acme.example/dpo",
            })
        );
        assert_eq!(record["dpv:hasJurisdiction"], "loc:IE");
        assert_eq!(
            record["dpv:hasProcess"],
            json!({
                "@type": "dpv:Process", "dct:identifier": "purpose:ads", "dct:title": "Advertising",
                "dpv:hasLegalBasis": "dpv:Consent", "dpv:hasPurpose": "https://w3id.org/dpv#Advertising",
                "dpv:hasPersonalData": ["https://w3id.org/dpv/pd#Age"],
                "dpv:hasRecipient": [{"@type": "dpv:Recipient", "dct:identifier": "party:bureau"}],
                "dpv:hasStorageCondition": [{"@type": "dpv:StorageDuration", "dpv:hasDuration": "P6M"}],
            })
        );
        assert_eq!(
            record["dpv:hasConsentControl"],
            json!({"@type": "dpv:WithdrawConsent", "dpv:isExercisedAt": "https://acme.example/no"})
        );
        let notice = &record["dpv:hasNotice"][0];
        assert_eq!((&notice["dct:identifier"], &notice["dct:language"]), (&json!(shown), &json!(["en", "fr"])));
        assert_eq!(notice["dct:coverage"], "2025-01-01T00:00:00.000000Z/2028-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_record_tells_what_is_known_and_nothing_else() {
        let notice = format!("sha256:{}", "0".repeat(64));
        let given = json!({
            "said": "given", "at": "2026-01-01", "until": "2027-01-01", "notice": notice, "expression": "explicit",
            "method": "web_form",
        });
        let made = graph_of(&[
            said(1, &given),
            said(2, &json!({"said": "invalidated", "at": "2026-02-01", "indicated_by": "authority"})),
        ]);
        assert_eq!(
            made,
            [json!({
                "@type": "dpv:ConsentRecord",
                "dct:identifier": "00000000-0000-4000-8000-000000000001",
                "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#record",
                "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": SUBJECT},
                "dpv:hasProcess": {
                    "@type": "dpv:Process",
                    "dct:identifier": "purpose:ads",
                    "dct:title": "Advertising",
                    "dpv:hasLegalBasis": "dpv:Consent",
                    "dpv:hasPurpose": "https://w3id.org/dpv#Advertising",
                },
                "dpv:hasNotice": [{"@type": "dpv:ConsentNotice", "dct:identifier": notice}],
                "dpv:hasConsentStatus": [
                    {
                        "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
                        "dct:identifier": "00000000-0000-4000-8000-000000000001",
                        "dpv:isIndicatedBy": "dpv:DataSubject",
                        "dpv:isIndicatedAtTime": "2026-01-01T00:00:00.000000Z",
                        "dpv:hasDuration": {
                            "@type": "dpv:UntilTimeDuration",
                            "rdf:value": {"@type": "xsd:dateTime", "@value": "2027-01-01T00:00:00.000000Z"},
                        },
                        "dpv:hasIndicationMethod": "web_form",
                    },
                    {
                        "@type": "dpv:ConsentInvalidated",
                        "dct:identifier": "00000000-0000-4000-8000-000000000002",
                        "dpv:isIndicatedBy": "dpv:Authority",
                        "dpv:isIndicatedAtTime": "2026-02-01T00:00:00.000000Z",
                    },
                ],
            })]
        );
    }

    #[test]
    fn each_purpose_and_channel_is_a_record_and_what_is_no_consent_is_none() {
        let on = |at: &str, what: &str, more: &Value| {
            let mut body = json!({"said": what, "at": at});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let made = graph_of(&[
            said(1, &on("2026-03-01", "refused", &json!({}))),
            said(2, &on("2026-03-01", "refused", &json!({"channel": "email"}))),
            said(3, &on("2026-03-01", "requested", &json!({"purpose": "purpose:other"}))),
            said(4, &on("2026-03-01", "objected", &json!({}))),
            said(5, &on("2026-03-01", "restricted", &json!({"purpose": null}))),
            // Recorded later, said earlier.
            said(6, &on("2026-02-01", "deferred", &json!({"indicated_by": "representative"}))),
        ]);
        let ids: Vec<&str> = made.iter().map(|one| one["dct:identifier"].as_str().unwrap()).collect();
        assert_eq!(ids.iter().map(|id| &id[35..]).collect::<Vec<_>>(), ["1", "2", "3"]);
        let states = made[0]["dpv:hasConsentStatus"].as_array().unwrap();
        let states: Vec<&Value> = states.iter().map(|status| &status["@type"]).collect();
        assert_eq!(states, ["dpv:ConsentRequestDeferred", "dpv:ConsentRefused"]);
        assert_eq!(made[0]["dpv:hasConsentStatus"][0].get("dpv:isIndicatedBy"), None);
        assert_eq!(made[1]["dpv:hasProcess"]["dct:description"], "being contacted by email");
        assert_eq!(made[2]["dpv:hasProcess"].get("dpv:hasPurpose"), None, "it is not known");
        assert!(made.iter().all(|one| one.get("dpv:hasNotice").is_none()));
    }
}
