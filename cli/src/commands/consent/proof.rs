//! Whether a record's proof holds, without asking anybody.

use licit_schemas::consent::SubjectRecord;
use licit_schemas::{json, merkle};

/// Whether the record stands, under its salt, at its place in the batch with this root (RFC 9162 §2.1.3.2).
pub(crate) fn holds(kept: &SubjectRecord) -> bool {
    let Ok(record) = json::canonical(&kept.record) else { return false };
    let leaf = merkle::leaf_hash(&[kept.salt.as_bytes(), record.as_bytes()].concat());
    merkle::verify_inclusion(&leaf, kept.index, kept.size, &kept.path, &kept.root).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use licit_schemas::digest::Digest;
    use serde_json::json;

    /// The second of three records, with its proof made by hand.
    fn kept() -> SubjectRecord {
        let record = json!({
            "record_id": "00000000-0000-4000-8000-000000000001",
            "subject": "p1.k1._tBKn4hDnnOPLBF0LpqDjWHsUE3fqX62r2BCNXH83H0",
            "purpose": "purpose:ads", "said": "withdrawn", "at": "2026-01-01T00:00:00Z",
        });
        let salt = Digest::of(b"salt");
        let leaf = merkle::leaf_hash(
            &[
                salt.as_bytes().as_slice(),
                br#"{"at":"2026-01-01T00:00:00.000000Z","purpose":"purpose:ads","record_id":"00000000-0000-4000-8000-000000000001","said":"withdrawn","subject":"p1.k1._tBKn4hDnnOPLBF0LpqDjWHsUE3fqX62r2BCNXH83H0"}"#,
            ]
            .concat(),
        );
        let (first, third) = (Digest::of(b"first"), Digest::of(b"third"));
        let root = merkle::node_hash(&merkle::node_hash(&first, &leaf), &third);
        serde_json::from_value(json!({
            "record": record, "seq": 7, "recorded_at": "2026-01-01T00:00:01Z", "index": 1, "size": 3, "salt": salt,
            "path": [first, third], "root": root,
        }))
        .unwrap()
    }

    #[test]
    fn a_proof_holds_as_it_is_and_with_nothing_changed() {
        assert!(holds(&kept()));
        let changes: [fn(&mut SubjectRecord); 9] = [
            |kept| kept.record.said = licit_schemas::consent::Said::Given,
            |kept| kept.record.at = kept.record.at.plus(chrono::Duration::seconds(1)),
            |kept| kept.salt = Digest::of(b"other"),
            |kept| kept.path.reverse(),
            |kept| kept.path.truncate(1),
            |kept| kept.path.push(Digest::of(b"more")),
            |kept| kept.index = 0,
            |kept| kept.size = 2,
            |kept| kept.root = Digest::of(b"root"),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut broken = kept();
            change(&mut broken);
            assert!(!holds(&broken), "change {number} was not noticed");
        }
    }
}
