//! Whom consent covers: which words of people count for a purpose, and how many members of a dataset lack them at a moment.

use std::sync::Arc;

use chrono::Duration;
use licit_schemas::consent::{Channel, Family};
use licit_schemas::lawfulness::WithdrawalPolicy;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::registry::uuid_text;
use licit_schemas::subjects::{CorrectedSpec, CorrectedView, ExcludeCreate};
use licit_schemas::time::Timestamp;
use roaring::RoaringBitmap;

use super::acted::Acted;
use super::coverage::{base, broader};
use super::suppression::spoken;
use crate::catalogue::Stated;
use crate::consent::{Lane, set_name};
use crate::db::dictionary::{Subject, commitment};
use crate::db::people::{Form, How, LaneAt, Members, Standing, Wanted};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World};
use crate::lawfulness::is_marketing;
use crate::resolve::{expect, pin};

/// What of people's wills is asked for.
#[derive(Clone, Debug)]
pub enum Will {
    /// Consent: whoever has none lacks it.
    Consent {
        /// The purpose, and the broader ones whose approval includes it, nearest first.
        purposes: Vec<Arc<str>>,
        /// Being contacted this way, too: profiling and contact are two wills.
        channel: Option<Channel>,
        /// In what form.
        form: Form,
    },
    /// That nobody objects to a purpose, one above it, or everything: whoever does lacks it.
    NoObjection {
        /// The purpose.
        purpose: Arc<str>,
        /// Whether grounds held against it count for nothing: direct marketing (GDPR Art. 21(3)).
        marketing: bool,
    },
    /// That a person's data are not restricted, for a purpose, one above it, or everything: whoever's are lacks it.
    Unrestricted {
        /// The purpose.
        purpose: Arc<str>,
    },
}

impl Will {
    /// What is asked of people for a purpose at a moment.
    pub fn new(world: &World, purpose: &Ref, channel: Option<Channel>, form: Form, at: Timestamp) -> Self {
        let own: Arc<str> = purpose.base().into();
        let mut purposes: Vec<Arc<str>> =
            broader(world, purpose, at).iter().map(|one| base(&one.reference).into()).collect();
        if purposes.first() != Some(&own) {
            purposes.insert(0, own);
        }
        Self::Consent { purposes, channel, form }
    }

    /// That nobody objects to a purpose.
    pub fn no_objection(world: &World, purpose: &Ref) -> Self {
        let purpose: Arc<str> = purpose.base().into();
        Self::NoObjection { marketing: is_marketing(world, &purpose), purpose }
    }

    /// That the data of a person are not restricted for a purpose.
    pub fn unrestricted(purpose: &Ref) -> Self {
        Self::Unrestricted { purpose: purpose.base().into() }
    }

    /// The words that count at a moment.
    pub fn wanted(&self, world: &World, at: Timestamp) -> Wanted {
        match self {
            Self::Consent { purposes, channel, form } => {
                let chain = |channel: Option<Channel>| -> Vec<LaneAt> {
                    let lane =
                        |purpose: &Arc<str>| Lane { family: Family::Consent, purpose: Some(purpose.clone()), channel };
                    purposes.iter().filter_map(|p| world.consent.lanes.at(&lane(p), at.micros())).collect()
                };
                let channels = [None].into_iter().chain(channel.map(Some));
                Wanted { chains: channels.map(chain).collect(), how: How::Consent(*form) }
            }
            Self::NoObjection { purpose, marketing } => {
                let lanes = spoken(world, Family::Objection, purpose, None, at);
                Wanted { chains: vec![lanes], how: if *marketing { How::Whatever } else { How::Any } }
            }
            Self::Unrestricted { purpose } => {
                let lanes = spoken(world, Family::Restriction, purpose, None, at);
                Wanted { chains: vec![lanes], how: How::Any }
            }
        }
    }
}

/// For whom it stands at a moment; none where what people said cannot be read.
pub fn standing(world: &World, will: &Will, at: Timestamp) -> Option<Arc<Standing>> {
    world.people.standing(&will.wanted(world, at), at.micros()).inspect_err(unread).ok()
}

/// Members whose will ended, and nobody acted on it within so many days: they lack consent now and at every moment since so many
/// days ago. Whoever agreed meanwhile is not late yet, and for whom a remedy was taken is none.
pub fn overdue(
    world: &World,
    will: &Will,
    (now, days): (Timestamp, u16),
    (stands, stood): (&Standing, &Standing),
    members: &Members,
    acted: &Acted,
) -> Option<u64> {
    let then = now.plus(-Duration::days(i64::from(days)));
    let counted = stands.missing_in_both(stood, (members.id, &members.who), acted.mark(), || {
        let meanwhile = world.people.allowed_between(&will.wanted(world, now), then.micros(), now.micros())?;
        Ok(meanwhile | acted.who(world, will, &members.who, now)?)
    });
    counted.inspect_err(unread).ok()
}

/// Until when what runs may go on though some lacked consent at a moment: so many days after that became known here. None where it
/// was known longer.
pub fn due(
    world: &World,
    will: &Will,
    at: Timestamp,
    (now, days): (Timestamp, u16),
    (members, acted): (&Members, &Acted),
) -> Option<Timestamp> {
    let found = || -> Result<Option<Timestamp>> {
        let known = world.people.position_at(now.plus(-Duration::days(i64::from(days))).micros())?;
        let mut then = will.wanted(world, at);
        let last = then.chains.iter().flatten().map(|lane| lane.version).max().unwrap_or(0);
        for lane in then.chains.iter_mut().flatten() {
            lane.version = lane.version.min(known);
        }
        if members.id <= known {
            let stood = world.people.standing(&then, at.micros())?;
            // Whoever was dealt with by a remedy takes nobody else's time away.
            if stood.missing(members.id, &members.who) > 0 {
                let open = stood.lacking(&members.who) - acted.who(world, will, &members.who, now)?;
                if !open.is_empty() {
                    return Ok(None);
                }
            }
        }
        let recorded = world.people.recorded_at(last.max(members.id))?.and_then(Timestamp::from_micros).unwrap_or(now);
        Ok(Some(recorded.plus(Duration::days(i64::from(days)))))
    };
    found().inspect_err(unread).ok().flatten()
}

fn unread(error: &Error) {
    tracing::warn!(%error, "what people said cannot be read: coverage is unknown");
}

/// Days within which withdrawals are acted on.
pub fn days(policy: Option<&WithdrawalPolicy>) -> u16 {
    policy.map_or(WithdrawalPolicy::DAYS, |policy| policy.days)
}

/// Whose members are asked about, with the members.
///
/// # Errors
/// No such version, or nobody loaded its members.
pub fn members_of<'w>(world: &'w World, dataset_version: &Ref) -> Result<&'w Members> {
    let members = world.people.members(dataset_version.as_str());
    members.ok_or_else(|| {
        Error::NotFound(format!(
            "the members of `{dataset_version}` are not loaded: `licit subjects add {dataset_version}` does that"
        ))
    })
}

/// Check that a purpose is one, and is known.
///
/// # Errors
/// A fault at `/purpose`.
pub fn known_purpose(world: &World, purpose: &Ref) -> Result<()> {
    expect(purpose, &[Kind::Purpose], "/purpose")?;
    match world.lawfulness.purposes.latest(purpose.base()) {
        Some(_) => Ok(()),
        None => Err(Error::invalid("/purpose", format!("there is no `{purpose}`"))),
    }
}

/// The wills of people that a corrected set is made by.
fn asked(world: &World, create: &ExcludeCreate, now: Timestamp) -> Result<Vec<Will>> {
    let form = Form { explicit: create.explicit, parental: create.parental };
    let (purpose, channel) = (&create.purpose, create.channel);
    let of_consent = channel.is_some() || form != Form::default();
    let no_objection = || Will::no_objection(world, purpose);
    let mut wills = vec![Will::unrestricted(purpose)];
    if is_marketing(world, purpose.base()) {
        wills.push(no_objection());
    }
    match (create.objecting, create.restricted) {
        (true, true) => {
            let sentence = "whose data are restricted is left out together with those who object: ask for one of both";
            return Err(Error::invalid("/restricted", sentence));
        }
        (true, _) if of_consent => {
            let sentence = "whoever objects is left out whatever the channel, and however consent was given";
            return Err(Error::invalid("/objecting", sentence));
        }
        (_, true) if of_consent => {
            let sentence = "whose data are restricted is left out whatever the channel, and however consent was given";
            return Err(Error::invalid("/restricted", sentence));
        }
        (true, _) => wills.push(no_objection()),
        (_, true) => {}
        _ => wills.push(Will::new(world, purpose, channel, form, now)),
    }
    Ok(wills)
}

/// Make the member set without those who have no valid consent now, or who object. No training may begin on the data of whoever had
/// them restricted, and none for direct marketing on those of whoever objects: they are left out whatever is asked.
///
/// # Errors
/// An unknown version or purpose; members that nobody loaded.
pub fn exclude(tx: &mut Tx<'_>, create: &ExcludeCreate) -> Result<CorrectedView> {
    let now = tx.now();
    expect(&create.dataset_version, &[Kind::Dataset], "/dataset_version")?;
    let version = pin(tx.world(), &create.dataset_version, now, "/dataset_version")?;
    known_purpose(tx.world(), &create.purpose)?;
    let members = members_of(tx.world(), &version)?.clone();
    let mut left_out = RoaringBitmap::new();
    for will in asked(tx.world(), create, now)? {
        let standing = tx.world().people.standing(&will.wanted(tx.world(), now), now.micros())?;
        left_out |= standing.lacking(&members.who);
    }
    let stay = &*members.who - &left_out;
    let excluded: Vec<Subject> = tx.subjects(&left_out)?.into_iter().map(|(_, subject)| subject).collect();
    let spec = CorrectedSpec {
        dataset_version: version,
        of: members.id,
        purpose: create.purpose.clone(),
        channel: create.channel,
        explicit: create.explicit,
        parental: create.parental,
        objecting: create.objecting,
        restricted: create.restricted,
        valid_at: now,
        count: stay.len(),
        excluded: left_out.len(),
        root: commitment(&excluded),
    };
    let id = tx.new_id();
    let seq = tx.record(Fact::MembersCorrected(Stated { id, rev: 1, spec: spec.clone() }))?;
    tx.keep_set(&set_name(id), seq, stay)?;
    Ok(CorrectedView { id: uuid_text::Uuid(id), spec, recorded_at: now, seq })
}
