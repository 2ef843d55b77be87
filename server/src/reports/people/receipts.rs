//! Receipts of consent, for a person to keep: what they said, with what they were told.

use licit_schemas::consent::{ConsentRecord, SubjectRecords, dpv};
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use serde_json::Value;

use crate::facts::World;

/// Receipts for what one person said, one for each purpose and channel, as JSON-LD.
pub fn receipts(world: &World, said: SubjectRecords, now: Timestamp) -> Value {
    let records: Vec<ConsentRecord> = said.records.into_iter().map(|kept| kept.record).collect();
    let purpose = |of: &Ref| {
        let latest = world.lawfulness.purposes.latest(of.base());
        latest.map(|revision| revision.spec.clone())
    };
    let notice = |of: &Digest| world.notices.by_digest(*of).map(|notice| notice.revision.spec.clone());
    let party = |of: &Ref| {
        let latest = world.registry.parties.latest(of.base());
        latest.map(|revision| revision.spec.clone())
    };
    let registered = dpv::Registered { purpose: &purpose, notice: &notice, party: &party };
    dpv::receipts(&said.subject, &records, &registered, now)
}
