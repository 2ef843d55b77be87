//! Remedies taken in models for those who withdrew or object, as the ledger tells them: of what, for which purpose, up to where.

use std::sync::Arc;

use imbl::Vector;
use licit_schemas::consent::RemedySpec;
use licit_schemas::digest::Digest;

use super::Recorded;
use crate::catalogue::Stated;
use crate::db::{At, NewRow, Rows};
use crate::facts::text;
use crate::maps::HashMap;

/// Remedies taken, by what they were taken for, oldest first.
#[derive(Clone, Default)]
pub struct Remedies(HashMap<String, Vector<Arc<Recorded<RemedySpec>>>>);

impl Remedies {
    /// Whether nobody ever took one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those taken for a model version or an index.
    pub fn of(&self, reference: &str) -> impl Iterator<Item = &Arc<Recorded<RemedySpec>>> {
        self.0.get(reference).into_iter().flatten()
    }

    /// Fold one in.
    pub fn taken(&mut self, fact: &Stated<RemedySpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let of = fact.spec.of.to_string();
        rows.put(at, || NewRow {
            kind: "remedy",
            id: fact.id.to_string(),
            reference: format!("remedy:{}", fact.id),
            state: "taken".to_owned(),
            name: fact.spec.remedy.to_string(),
            parent: of.clone(),
            search: vec![fact.spec.purpose.base().to_owned()],
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
        let said = Recorded { id: fact.id, spec: fact.spec.clone(), at: *at };
        self.0.entry(of).or_default().push_back(Arc::new(said));
    }
}
