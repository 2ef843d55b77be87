//! What people are told: notices, their promises, and tests of the way out.

pub mod api;
mod french;
pub mod operations;
pub mod page;

use std::sync::Arc;

use licit_schemas::digest::Digest;
use licit_schemas::notices::{Measured, NoticeSpec, WithdrawalTestSpec};
use licit_schemas::reference::Ref;
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use crate::catalogue::{Catalogue, Revision, Stated};
use crate::db::{At, NewRow, Rows};
use crate::facts::{text, word};
use crate::maps::HashMap;
use crate::registry::vocabulary::{TermId, vocabulary};

/// One revision of a notice, its names resolved once.
#[derive(Debug)]
pub struct Notice {
    /// What was stated.
    pub revision: Arc<Revision<NoticeSpec>>,
    /// `notice:<key>`.
    pub base: Arc<str>,
    /// Who tells them.
    pub controller: Arc<str>,
    /// Purposes without revision, and the one revision where one is named; sorted, there may be hundreds.
    purposes: Vec<(Arc<str>, Option<u32>)>,
    /// Categories it names.
    categories: Vec<TermId>,
    /// Those it says are inferred.
    inferred: Vec<TermId>,
    /// How long and how readable it is.
    pub measured: Measured,
}

impl Notice {
    fn of(revision: &Arc<Revision<NoticeSpec>>, base: &Arc<str>) -> Self {
        let spec = &revision.spec;
        let terms = |inferred: bool| {
            let named = spec.categories.iter().filter(move |c| !inferred || c.inferred);
            named.filter_map(|c| vocabulary().find(c.iri.as_str())).collect()
        };
        let mut purposes: Vec<_> = spec.purposes.iter().map(|p| (p.base().into(), p.rev())).collect();
        purposes.sort();
        Self {
            revision: revision.clone(),
            base: base.clone(),
            controller: spec.controller.as_str().into(),
            purposes,
            categories: terms(false),
            inferred: terms(true),
            measured: Measured::of(spec),
        }
    }

    /// Its reference, pinned.
    pub fn reference(&self) -> &str {
        &self.revision.reference
    }

    /// Whether it names a purpose, `purpose:<key>`, in this revision.
    pub fn names(&self, purpose: &str, rev: u32) -> bool {
        let first = self.purposes.partition_point(|(base, _)| **base < *purpose);
        let named = self.purposes[first..].iter().take_while(|(base, _)| **base == *purpose);
        named.into_iter().any(|(_, only)| only.is_none_or(|only| only == rev))
    }

    /// Whether it names a category of data. A broader term names narrower ones; that special categories are among "personal data"
    /// tells nobody.
    pub fn tells(&self, category: TermId) -> bool {
        within(category, &self.categories)
    }

    /// Whether it says of a category that it is inferred.
    pub fn tells_inferred(&self, category: TermId) -> bool {
        within(category, &self.inferred)
    }

    /// When it begins and ends to be shown.
    fn shown(&self, at: Timestamp) -> bool {
        let spec = &self.revision.spec;
        spec.valid_from <= at && spec.valid_to.is_none_or(|end| at < end)
    }
}

fn within(category: TermId, named: &[TermId]) -> bool {
    let v = vocabulary();
    named.iter().any(|by| v.is_a(category, *by) && (v.is_special(*by) || !v.is_special(category)))
}

/// A test of the way out.
#[derive(Debug)]
pub struct Test {
    /// Opaque id.
    pub id: Uuid,
    /// What was stated.
    pub spec: WithdrawalTestSpec,
    /// When.
    pub at: Timestamp,
    /// Digest of what was stated.
    pub digest: Digest,
    /// Ledger position.
    pub seq: u64,
}

/// Notices and tests.
#[derive(Clone, Default)]
pub struct State {
    /// Notices by `notice:<key>`.
    pub catalogue: Catalogue<NoticeSpec>,
    /// The same, resolved, oldest first.
    revisions: HashMap<Arc<str>, Arc<Vec<Arc<Notice>>>>,
    /// Revisions that name a purpose, by `purpose:<key>`.
    naming: HashMap<Arc<str>, Arc<Vec<Arc<Notice>>>>,
    by_digest: HashMap<Digest, Arc<Notice>>,
    /// Tests by `notice:<key>`, in the order in which they were recorded.
    tests: HashMap<Arc<str>, Arc<Vec<Arc<Test>>>>,
}

impl State {
    /// Revisions of a notice, oldest first.
    pub fn revisions(&self, base: &str) -> &[Arc<Notice>] {
        self.revisions.get(base).map_or(&[], |list| list.as_slice())
    }

    /// One revision, pinned.
    pub fn revision(&self, reference: &str) -> Option<&Arc<Notice>> {
        let (base, rev) = reference.rsplit_once('@')?;
        let place = rev.parse::<usize>().ok()?.checked_sub(1)?;
        self.revisions(base).get(place)
    }

    /// The revision that counts at a moment: the last that had begun by then, whether or not it ended.
    pub fn deciding(&self, base: &str, at: Timestamp) -> Option<&Arc<Notice>> {
        self.revisions(base).iter().rev().find(|notice| notice.revision.spec.valid_from <= at)
    }

    /// The revision in force at a moment. An earlier one does not come back when a later one ends.
    pub fn in_force(&self, base: &str, at: Timestamp) -> Option<&Arc<Notice>> {
        self.deciding(base, at).filter(|notice| notice.shown(at))
    }

    /// Revisions that name a purpose, `purpose:<key>`, in one revision or all.
    pub fn naming(&self, purpose: &str) -> &[Arc<Notice>] {
        self.naming.get(purpose).map_or(&[], |list| list.as_slice())
    }

    /// The revision of a digest.
    pub fn by_digest(&self, digest: Digest) -> Option<&Arc<Notice>> {
        self.by_digest.get(&digest)
    }

    /// Tests of a notice, `notice:<key>`, in the order in which they were recorded.
    pub fn tests(&self, base: &str) -> &[Arc<Test>] {
        self.tests.get(base).map_or(&[], |list| list.as_slice())
    }

    /// The last test by a moment of the way out that a revision names: of another place it says nothing.
    pub fn tested_last(&self, notice: &Notice, at: Timestamp) -> Option<&Arc<Test>> {
        let place = |notice: &Notice| notice.revision.spec.refusal.as_ref().map(|refusal| refusal.url.clone());
        let own = place(notice)?;
        let same = |test: &&Arc<Test>| {
            let then = self.revision(test.spec.notice.as_str());
            test.at <= at && then.and_then(|then| place(then)).as_ref() == Some(&own)
        };
        self.tests(&notice.base).iter().filter(same).max_by_key(|test| (test.at, test.seq))
    }

    /// When the ways out that latest revisions name were last tested by a moment.
    pub fn tests_last(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let latest = self.revisions.values().filter_map(|list| list.last());
        latest.filter_map(move |notice| self.tested_last(notice, at)).map(|test| test.at)
    }

    /// Fold a revision in.
    pub fn revised(&mut self, fact: &Stated<NoticeSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let base: Arc<str> = Ref::notice(&spec.key).to_string().into();
        let reference = format!("{base}@{}", fact.rev);
        self.catalogue.put(&base, reference.clone(), fact, digest, at);
        if let Some(revision) = self.catalogue.latest(&base) {
            let notice = Arc::new(Notice::of(revision, &base));
            Arc::make_mut(self.revisions.entry(base.clone()).or_default()).push(notice.clone());
            for (purpose, _) in &notice.purposes {
                let list = Arc::make_mut(self.naming.entry(purpose.clone()).or_default());
                if !list.iter().any(|known| Arc::ptr_eq(known, &notice)) {
                    list.push(notice.clone());
                }
            }
            // Said again after it was said otherwise, the same words have the same digest.
            self.by_digest.insert(digest, notice);
        }
        rows.put(at, || NewRow {
            kind: "notice",
            id: fact.id.to_string(),
            state: "stated".to_owned(),
            name: spec.wording.en.title.to_string(),
            parent: base.to_string(),
            search: vec![spec.wording.fr.title.to_string(), spec.key.to_string()],
            reference,
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(spec.valid_from),
            valid_to: spec.valid_to,
            ..NewRow::default()
        });
    }

    /// Fold a test in.
    pub fn tested(&mut self, fact: &Stated<WithdrawalTestSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let spec = &fact.spec;
        let when = spec.at.unwrap_or(at.time);
        let base: Arc<str> = spec.notice.base().into();
        let test = Test { id: fact.id, spec: spec.clone(), at: when, digest, seq: at.seq };
        Arc::make_mut(self.tests.entry(base).or_default()).push(Arc::new(test));
        rows.put(at, || NewRow {
            kind: "withdrawal-test",
            id: fact.id.to_string(),
            reference: spec.notice.to_string(),
            state: word(&spec.outcome),
            name: spec.notice.name().to_owned(),
            parent: spec.notice.to_string(),
            digest: Some(digest),
            doc: text(spec),
            valid_from: Some(when),
            ..NewRow::default()
        });
    }
}
