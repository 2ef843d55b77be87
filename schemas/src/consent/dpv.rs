//! Consent records of ISO/IEC TS 27560:2023 as JSON-LD of the W3C Data Privacy Vocabulary, by the mapping of its guide
//! *Consent Records* (Final Community Group Report, 15 February 2026).
//!
//! One `dpv:ConsentRecord` for each purpose, and each way of being contacted for it: those are wills of their own. It holds what
//! the registry knows of what one person said. What it does not know is left out and never invented: name and contact of the
//! controller, categories of data, recipients, storage, jurisdiction, language of the notice, means of withdrawal (27560 asks for
//! some of them: whoever hands the record on adds them from the basis and the notice). So is what DPV has no term for: from when
//! consent never was valid, who speaks as a representative of a person (`dpv:Representative` is that of a legal entity), and who
//! holds parental responsibility (parent and guardian are two terms there, and it is not known which).
//! Objections and restrictions are no consent, and not in here.

use serde_json::{Map, Value, json};

use super::{Channel, ConsentRecord, Expression, IndicatedBy, Said};
use crate::reference::Ref;
use crate::subjects::Pseudonym;
use crate::text::Iri;

/// What a record conforms to.
const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#record";

/// What one person said of consent, as a JSON-LD document; `iri` knows the DPV purpose of a purpose.
///
/// Records come in the order they were recorded. A consent record is identified by the first of its events, so that it stays the
/// same record as events are added.
pub fn graph(subject: &Pseudonym, records: &[ConsentRecord], iri: impl Fn(&Ref) -> Option<Iri>) -> Value {
    let mut kept: Vec<(&Ref, Option<Channel>, Vec<&ConsentRecord>)> = Vec::new();
    for record in records {
        let (Some(purpose), Some(_)) = (&record.purpose, record.said.dpv()) else { continue };
        match kept.iter_mut().find(|(of, by, _)| *of == purpose && *by == record.channel) {
            Some((_, _, events)) => events.push(record),
            None => kept.push((purpose, record.channel, vec![record])),
        }
    }
    let graph = kept.iter().filter_map(|(of, by, events)| consent(subject, (of, *by), iri(of), events));
    json!({
        "@context": {
            "dpv": "https://w3id.org/dpv#",
            "dct": "http://purl.org/dc/terms/",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
            "dct:conformsTo": {"@type": "@id"},
            "dpv:hasPurpose": {"@type": "@id"},
            "dpv:isIndicatedBy": {"@type": "@id"},
            "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
        },
        "@graph": graph.collect::<Vec<_>>(),
    })
}

fn consent(
    subject: &Pseudonym,
    (purpose, channel): (&Ref, Option<Channel>),
    iri: Option<Iri>,
    events: &[&ConsentRecord],
) -> Option<Value> {
    let mut process = json!({"@type": "dpv:Process", "dct:identifier": purpose});
    if let Some(iri) = iri {
        process["dpv:hasPurpose"] = json!(iri);
    }
    // DPV has no terms for ways of being contacted.
    if let Some(word) = channel.and_then(|channel| serde_json::to_value(channel).ok()?.as_str().map(str::to_owned)) {
        process["dct:description"] = json!(format!("being contacted by {word}"));
    }
    let mut record = json!({
        "@type": "dpv:ConsentRecord",
        "dct:identifier": events.first()?.record_id,
        "dct:conformsTo": PROFILE,
        "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "dct:identifier": subject},
        "dpv:hasProcess": process,
        "dpv:hasConsentStatus": in_time(events).iter().filter_map(|event| status(event)).collect::<Vec<_>>(),
    });
    let mut notices = Vec::new();
    for notice in events.iter().filter_map(|event| event.notice) {
        let notice = json!({"@type": "dpv:ConsentNotice", "dct:identifier": notice});
        if !notices.contains(&notice) {
            notices.push(notice);
        }
    }
    if !notices.is_empty() {
        record["dpv:hasNotice"] = Value::Array(notices);
    }
    Some(record)
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

    fn graph_of(records: &[ConsentRecord]) -> Vec<Value> {
        let iri = |purpose: &Ref| {
            (purpose.to_string() == "purpose:ads").then(|| "https://w3id.org/dpv#Advertising".parse().unwrap())
        };
        let document = graph(&SUBJECT.parse().unwrap(), records, iri);
        assert_eq!(document["@context"]["dpv"], "https://w3id.org/dpv#");
        document["@graph"].as_array().unwrap().clone()
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
