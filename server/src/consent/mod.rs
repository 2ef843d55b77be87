//! Whose data it is, and what they say: keys of subjects, the members of dataset versions, and records of consent, objection and
//! restriction.
//!
//! A member counts once the load that brought it is finished: that is the fact. Who the members are stands in erasable tables
//! (`db/people.rs`); the ledger holds how many, under which key, and a salted root.

pub mod api;
pub mod batch;
pub mod erase;
pub mod lanes;
pub mod lines;
pub mod operations;
pub mod proof;
pub mod records;
pub mod remedies;
pub mod store;
pub mod suppression;
pub mod upkeep;

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use licit_schemas::digest::Digest;
use licit_schemas::reference::Ref;
use licit_schemas::registry::uuid_text;
use licit_schemas::subjects::{
    CorrectedSpec, MembersSpec, MembersView, SubjectKeySpec, SubjectKeyState, SubjectKeyView,
};
use licit_schemas::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::lanes::Lanes;
pub use self::lanes::{ConsentRecorded, Lane};
use self::remedies::Remedies;
pub use self::store::records as said_by;
use self::suppression::Acknowledged;
use crate::catalogue::Stated;
use crate::db::people::Form;
use crate::db::{At, NewRow, Rows};
use crate::facts::text;
use crate::maps::HashMap;

/// A key makes no pseudonyms any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRetired {
    /// The key.
    pub id: Uuid,
}

/// Something recorded, with its place.
#[derive(Clone, Debug)]
pub struct Recorded<T> {
    /// Opaque id.
    pub id: Uuid,
    /// What was said.
    pub spec: T,
    /// Its place.
    pub at: At,
}

/// A key of subjects.
#[derive(Clone, Debug)]
pub struct SubjectKey {
    /// What was said of it.
    pub said: Recorded<SubjectKeySpec>,
    /// Whether it makes pseudonyms.
    pub state: SubjectKeyState,
}

/// Keys, and whose members are known.
#[derive(Clone, Default)]
pub struct State {
    keys: OrdMap<Uuid, Arc<SubjectKey>>,
    by_kid: HashMap<Arc<str>, Uuid>,
    members: HashMap<Arc<str>, Arc<Recorded<MembersSpec>>>,
    corrected: HashMap<Uuid, Arc<Recorded<CorrectedSpec>>>,
    /// What people speak of.
    pub lanes: Lanes,
    /// How many people were erased.
    pub erased: u64,
    /// The entry of the last of them; 0 where there is none.
    pub last_erased: u64,
    erased_from: HashMap<u64, Vector<Gone>>,
    /// Trainings that began without the consent of people erased since: how many, by the entry that brought the members, the run,
    /// and what was wrong.
    lacked: HashMap<u64, HashMap<(Arc<str>, erase::Wrong), u64>>,
    /// Proofs that are kept of people who were erased.
    pub proofs: proof::Proofs,
    /// What was done in models for those who withdrew or object.
    pub remedies: Remedies,
    /// What serving systems have of whom to leave out.
    pub acknowledged: Acknowledged,
}

/// Somebody who was erased.
#[derive(Clone, Debug)]
pub struct Gone {
    /// The entry that says so.
    pub at: At,
    /// What they objected to.
    objected: Arc<[erase::Objection]>,
}

impl Gone {
    /// Whether they objected to one of these purposes (named without revisions), or to everything. Grounds that were held against
    /// it count for nothing where it is `marketing` (GDPR Art. 21(3)).
    pub fn objected(&self, purposes: &[Arc<str>], marketing: bool) -> bool {
        self.objected.iter().any(|objection| {
            let named = |purpose: &Ref| purposes.iter().any(|one| **one == *purpose.to_string());
            (marketing || !objection.overridden) && objection.purpose.as_ref().is_none_or(named)
        })
    }
}

/// A training that names corrected member sets.
#[derive(Clone, Copy, Debug)]
pub struct Trained<'a> {
    /// What for.
    pub purpose: &'a Ref,
    /// When it began.
    pub at: Timestamp,
    /// In what form consent counts.
    pub form: Form,
}

/// The name under which the members of a corrected set are held.
pub fn set_name(id: Uuid) -> String {
    format!("members:{id}")
}

impl State {
    /// Keys, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<SubjectKey>> {
        self.keys.values()
    }

    /// A key by its opaque id.
    pub fn key(&self, id: Uuid) -> Option<&Arc<SubjectKey>> {
        self.keys.get(&id)
    }

    /// A key by the id that pseudonyms name.
    pub fn kid(&self, kid: &str) -> Option<&Arc<SubjectKey>> {
        self.keys.get(self.by_kid.get(kid)?)
    }

    /// What is known of the members of a dataset version.
    pub fn members(&self, dataset_version: &str) -> Option<&Arc<Recorded<MembersSpec>>> {
        self.members.get(dataset_version)
    }

    /// Fold a key in.
    pub fn registered(&mut self, fact: &Stated<SubjectKeySpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let said = Recorded { id: fact.id, spec: fact.spec.clone(), at: *at };
        self.by_kid.insert(fact.spec.kid.as_str().into(), fact.id);
        self.keys.insert(fact.id, Arc::new(SubjectKey { said, state: SubjectKeyState::Active }));
        rows.put(at, || NewRow {
            kind: "subject_key",
            id: fact.id.to_string(),
            reference: format!("subject-key:{}", fact.spec.kid),
            state: "active".to_owned(),
            name: fact.spec.kid.to_string(),
            parent: fact.spec.scope.to_string(),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
    }

    /// Fold the end of a key in.
    pub fn retired(&mut self, fact: &KeyRetired, at: &At, rows: &mut Rows) {
        if let Some(key) = self.keys.get_mut(&fact.id) {
            Arc::make_mut(key).state = SubjectKeyState::Retired;
            rows.restate(at, "subject_key", fact.id, "retired");
        }
    }

    /// A corrected member set.
    pub fn set(&self, id: Uuid) -> Option<&Arc<Recorded<CorrectedSpec>>> {
        self.corrected.get(&id)
    }

    /// Names of corrected member sets, each with the dataset version it is of.
    pub fn corrected_sets(&self) -> impl Iterator<Item = (String, String)> {
        self.corrected.values().map(|set| (set_name(set.id), set.spec.dataset_version.to_string()))
    }

    /// The name of a corrected member set, if it can be what a training for a purpose read of this dataset version: made before it
    /// began, for that purpose, and of somebody.
    pub fn corrected_set(&self, id: Uuid, dataset_version: &str, trained: &Trained<'_>) -> Option<String> {
        let spec = &self.corrected.get(&id)?.spec;
        let fits = spec.dataset_version.to_string() == dataset_version
            && spec.valid_at <= trained.at
            && spec.purpose.base() == trained.purpose.base()
            && (spec.explicit || !trained.form.explicit)
            && (spec.parental || !trained.form.parental)
            && spec.count > 0;
        fits.then(|| set_name(id))
    }

    /// Fold a corrected member set in.
    pub fn corrected(&mut self, fact: &Stated<CorrectedSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        rows.put(at, || NewRow {
            kind: "corrected_members",
            id: fact.id.to_string(),
            reference: set_name(fact.id),
            state: "recorded".to_owned(),
            parent: fact.spec.dataset_version.to_string(),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
        let said = Recorded { id: fact.id, spec: fact.spec.clone(), at: *at };
        self.corrected.insert(fact.id, Arc::new(said));
    }

    /// Fold an erasure in.
    pub fn erased(&mut self, fact: &erase::SubjectErased, at: &At) {
        self.erased += 1;
        self.last_erased = at.seq;
        let gone = Gone { at: *at, objected: fact.objected.clone().into() };
        for set in &fact.member_sets {
            self.erased_from.entry(*set).or_default().push_back(gone.clone());
        }
        for one in &fact.lacked {
            let counts = self.lacked.entry(one.members).or_default();
            *counts.entry((one.run.to_string().into(), one.wrong())).or_default() += 1;
        }
    }

    /// Of how many people erased since a training should not have read the data when it began, of the members that an entry brought.
    pub fn lacked(&self, members: u64, run: &Arc<str>, wrong: erase::Wrong) -> u64 {
        let counts = if self.lacked.is_empty() { None } else { self.lacked.get(&members) };
        counts.and_then(|counts| counts.get(&(run.clone(), wrong))).copied().unwrap_or(0)
    }

    /// Who was erased from members, by the entry that brought those.
    pub fn erased_from(&self, members: u64) -> impl Iterator<Item = &Gone> {
        // Asked of every table that reaches a release, and nearly always of nothing.
        let gone = if self.erased_from.is_empty() { None } else { self.erased_from.get(&members) };
        gone.into_iter().flatten()
    }

    /// Fold records in: of what they speak, never who.
    pub fn recorded(&mut self, fact: &ConsentRecorded, at: &At) {
        self.lanes.recorded(fact, at.seq);
    }

    /// Fold the members of a dataset version in.
    pub fn loaded(&mut self, fact: &Stated<MembersSpec>, digest: Digest, at: &At, rows: &mut Rows) {
        let version = fact.spec.dataset_version.to_string();
        rows.put(at, || NewRow {
            kind: "members",
            id: fact.id.to_string(),
            reference: format!("members:{}", fact.id),
            state: "loaded".to_owned(),
            parent: version.clone(),
            digest: Some(digest),
            doc: text(&fact.spec),
            ..NewRow::default()
        });
        let said = Recorded { id: fact.id, spec: fact.spec.clone(), at: *at };
        self.members.insert(version.into(), Arc::new(said));
    }
}

/// A key as listed.
pub fn key_view(key: &SubjectKey) -> SubjectKeyView {
    let said = &key.said;
    SubjectKeyView {
        id: uuid_text::Uuid(said.id),
        spec: said.spec.clone(),
        state: key.state,
        registered_at: said.at.time,
        registered_by: uuid_text::Uuid(said.at.actor),
        seq: said.at.seq,
    }
}

/// Members as shown: never who.
pub fn members_view(members: &Recorded<MembersSpec>) -> MembersView {
    MembersView {
        id: uuid_text::Uuid(members.id),
        spec: members.spec.clone(),
        loaded_at: members.at.time,
        loaded_by: uuid_text::Uuid(members.at.actor),
        seq: members.at.seq,
    }
}
