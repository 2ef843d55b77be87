//! Opening reviews, voting, giving opinions, revoking.

use std::sync::Arc;

use licit_schemas::access::Role;
use licit_schemas::reference::Kind;
use licit_schemas::registry::uuid_text;
use licit_schemas::resource::Registered;
use licit_schemas::review::{
    ApprovalSpec, BoundSubject, Choice, DelegationCreate, DelegationSpec, OpinionCreate, OpinionRole, OpinionSpec,
    ReviewCreate, ReviewSpec, RevocationCreate, RevocationSpec, VoteCreate, VoteSpec,
};
use licit_schemas::time::Timestamp;
use uuid::Uuid;

use super::{DelegationEnded, Ending, Review, ReviewClosed};
use crate::catalogue::{Revision, Stated};
use crate::error::{Error, Result};
use crate::facts::{Fact, Tx, World, digest};
use crate::resolve::{created, expect, parse, pin};

/// What the gate knows about a deployment under review: its envelope, and who is author of what is new. Given from above, since
/// the gate stands on the review's floor.
pub type Envelopes = fn(&Tx<'_>, &str) -> Result<(licit_schemas::review::Envelope, Vec<Uuid>)>;

/// What a review asks of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Board members that must agree.
    pub quorum: u16,
    /// Days an approval lasts unless asked otherwise.
    pub approval_days: i64,
}

/// The terms that the policy in force asks of a review over these things, pinned. Given from above, like the envelopes: inside
/// the write, so that no policy takes effect in between.
pub type TermsOf = fn(&Tx<'_>, &[BoundSubject]) -> Terms;

/// Days for which a seat may be delegated.
const LONGEST_DELEGATION: i64 = 90;

/// What the board votes on.
const VOTABLE: [Kind; 9] = [
    Kind::Purpose,
    Kind::Basis,
    Kind::System,
    Kind::Assessment,
    Kind::Deployment,
    Kind::Baseline,
    Kind::Policy,
    Kind::BreakGlass,
    Kind::Loosening,
];

/// Open a review over one or several things.
///
/// # Errors
/// Things that cannot be approved, or a deployment without a release to judge.
pub fn open(tx: &mut Tx<'_>, create: &ReviewCreate, terms: TermsOf, envelopes: Envelopes) -> Result<Registered> {
    let now = tx.now();
    let mut excluded = vec![tx.world().access.person(tx.actor())];
    let mut subjects: Vec<BoundSubject> = Vec::new();
    for (place, subject) in create.subjects.iter().enumerate() {
        let at = format!("/subjects/{place}/ref");
        expect(&subject.r#ref, &VOTABLE, &at)?;
        let reference = pin_latest(tx, &subject.r#ref, &at)?;
        if subjects.iter().any(|s| s.r#ref == reference) {
            return Err(Error::invalid(&at, format!("`{reference}` stands twice")));
        }
        if subject.include_narrower && reference.kind() != Kind::Purpose {
            return Err(Error::invalid(
                &format!("/subjects/{place}/include_narrower"),
                "only a purpose has narrower ones",
            ));
        }
        let (content, envelope, authors) = content(tx, &reference, envelopes, &at)?;
        excluded.extend(authors.into_iter().map(|a| tx.world().access.person(a)));
        subjects.push(BoundSubject {
            r#ref: reference,
            digest: content,
            include_narrower: subject.include_narrower,
            envelope,
        });
    }
    let terms = terms(tx, &subjects);
    let valid_to = create.valid_to.unwrap_or(now.plus(chrono::Duration::days(terms.approval_days)));
    if valid_to <= now || valid_to > now.plus(chrono::Duration::days(terms.approval_days * 5)) {
        return Err(Error::invalid("/valid_to", "must lie in the future, and within five of the usual periods"));
    }
    excluded.sort_unstable();
    excluded.dedup();
    let sum = digest(&subjects);
    let comment_digest = create.comment.as_ref().map(|c| tx.note(c.as_str())).transpose()?;
    let spec = ReviewSpec {
        title: create.title.clone(),
        subjects,
        digest: sum,
        excluded: excluded.into_iter().map(uuid_text::Uuid).collect(),
        quorum: terms.quorum,
        valid_to,
        comment_digest,
    };
    let id = tx.new_id();
    let seq = tx.record(Fact::ReviewOpened(Stated { id, rev: 1, spec }))?;
    Ok(created(id, licit_schemas::reference::Ref::review(id), sum, seq))
}

/// Under review is the latest revision, not the one that is approved already.
fn pin_latest(
    tx: &Tx<'_>,
    reference: &licit_schemas::reference::Ref,
    at: &str,
) -> Result<licit_schemas::reference::Ref> {
    let base = reference.to_string();
    let world = tx.world();
    let latest = match reference.kind() {
        _ if reference.is_pinned() => None,
        Kind::Purpose => world.lawfulness.purposes.latest(&base).map(|r| r.reference.clone()),
        Kind::Basis => world.lawfulness.bases.latest(&base).map(|r| r.reference.clone()),
        Kind::System => world.registry.systems.latest(&base).map(|r| r.reference.clone()),
        Kind::Assessment => world.lawfulness.assessments.latest(&base).map(|r| r.reference.clone()),
        Kind::Baseline => world.review.baselines.latest(&base).map(|r| r.reference.clone()),
        Kind::BreakGlass => world.review.broken.latest(&base).map(|r| r.reference.clone()),
        Kind::Loosening => world.review.loosenings.latest(&base).map(|r| r.reference.clone()),
        Kind::Policy => world.lawfulness.policies.latest(&base).map(|r| r.reference.clone()),
        _ => None,
    };
    match latest {
        Some(text) => parse(&text),
        None => pin(world, reference, tx.now(), at),
    }
}

type Content = (licit_schemas::digest::Digest, Option<licit_schemas::review::Envelope>, Vec<Uuid>);

/// What a vote binds, and the authors of what is new: what the board approved before in the same words is not new.
fn content(tx: &Tx<'_>, reference: &licit_schemas::reference::Ref, envelopes: Envelopes, at: &str) -> Result<Content> {
    let world = tx.world();
    let (base, rev) = (reference.base().to_owned(), reference.rev().unwrap_or(0));
    let found = match reference.kind() {
        Kind::Purpose => proposed(world, world.lawfulness.purposes.all(&base), rev),
        Kind::Basis => proposed(world, world.lawfulness.bases.all(&base), rev),
        Kind::System => proposed(world, world.registry.systems.all(&base), rev),
        Kind::Assessment => proposed(world, world.lawfulness.assessments.all(&base), rev),
        Kind::Baseline => proposed(world, world.review.baselines.all(&base), rev),
        Kind::BreakGlass => proposed(world, world.review.broken.all(&base), rev),
        Kind::Loosening => proposed(world, world.review.loosenings.all(&base), rev),
        Kind::Policy => proposed(world, world.lawfulness.policies.all(&base), rev),
        _ => {
            let (envelope, authors) = envelopes(tx, &base).map_err(|e| e.under(at))?;
            return Ok((digest(&envelope), Some(envelope), authors));
        }
    };
    let (sum, authors) = found.ok_or_else(|| Error::invalid(at, format!("there is no `{reference}`")))?;
    Ok((sum, None, authors))
}

/// The digest of a revision, and who wrote it or a revision before it that the board did not approve either: whoever puts the
/// last hand to a proposal does not make it their own.
fn proposed<T>(
    world: &World,
    all: &[Arc<Revision<T>>],
    rev: u32,
) -> Option<(licit_schemas::digest::Digest, Vec<Uuid>)> {
    let all = all.get(..usize::try_from(rev).ok()?)?;
    let new = all.iter().rev().take_while(|r| world.review.approvals(&r.reference).is_empty());
    Some((all.last()?.digest, new.map(|r| r.author).collect()))
}

fn open_review(tx: &Tx<'_>, id: Uuid) -> Result<std::sync::Arc<Review>> {
    let review =
        tx.world().review.review(id).cloned().ok_or_else(|| Error::NotFound(format!("there is no review `{id}`")))?;
    match review.ending {
        None => Ok(review),
        Some(Ending::Approved) => Err(Error::conflict("the review is closed: the quorum approved")),
        Some(Ending::Rejected) => Err(Error::conflict("the review is closed: it was rejected")),
    }
}

/// In whose seat a vote is cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The token is a board member's: one's own, or another's by delegation.
    Member,
    /// Another's by delegation, no other.
    Guest,
}

/// The board member whose seat the voter sits in.
fn seat(tx: &Tx<'_>, person: Uuid, sits: Seat, create: &VoteCreate) -> Result<Uuid> {
    let (world, now) = (tx.world(), tx.now());
    let Some(member) = create.on_behalf_of.map(|member| member.0).filter(|member| *member != person) else {
        return match sits {
            Seat::Member => Ok(person),
            Seat::Guest => Err(Error::Forbidden(
                "only a board member votes: name in `on_behalf_of` whose seat was delegated to you".to_owned(),
            )),
        };
    };
    if !world.review.sits_for(person, member, now) || !world.access.holds(member, Role::Reviewer, now) {
        return Err(Error::Forbidden(format!("no delegation of board member `{member}` to you is in force")));
    }
    Ok(member)
}

/// The office in which a person advises: they do not decide besides what they advise on, by any token they hold.
fn advises(world: &World, person: Uuid, now: Timestamp) -> Option<OpinionRole> {
    OpinionRole::ALL.into_iter().find(|office| world.access.holds(person, office.token(), now))
}

/// Let another person sit in one's seat for a while. What is delegated is not passed on: only who is a member delegates.
///
/// # Errors
/// A service, oneself, nobody, who advises the board, a time that is over or too long.
pub fn delegate(tx: &mut Tx<'_>, create: &DelegationCreate) -> Result<Registered> {
    let (now, from, to) = (tx.now(), tx.actor(), create.to.0);
    let access = &tx.world().access;
    if access.person(from) != from {
        return Err(Error::Forbidden("a service has no seat on the board".to_owned()));
    }
    if to == from || access.actor(to).is_none() || access.person(to) != to {
        return Err(Error::invalid("/to", "name another person by the id of their actor: services cast no vote"));
    }
    if let Some(office) = advises(tx.world(), to, now) {
        let why = format!("who advises as {} casts no vote (GDPR Art. 38(6))", office.title());
        return Err(Error::invalid("/to", why));
    }
    let valid_from = create.valid_from.unwrap_or(now).max(now);
    if create.valid_to <= valid_from || create.valid_to > valid_from.plus(chrono::Duration::days(LONGEST_DELEGATION)) {
        return Err(Error::invalid("/valid_to", format!("must lie within {LONGEST_DELEGATION} days of the beginning")));
    }
    let spec = DelegationSpec { from: uuid_text::Uuid(from), to: create.to, valid_from, valid_to: create.valid_to };
    let (id, sum) = (tx.new_id(), digest(&spec));
    let seq = tx.record(Fact::DelegationMade(Stated { id, rev: 1, spec }))?;
    Ok(Registered {
        id: uuid_text::Uuid(id),
        r#ref: licit_schemas::reference::Ref::delegation(id),
        outcome: licit_schemas::resource::Outcome::Created,
        state: None,
        digest: sum,
        seq,
        warnings: Vec::new(),
    })
}

/// End a delegation before its time.
///
/// # Errors
/// None such; another's.
pub fn end_delegation(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let found = tx.world().review.delegation(id).cloned();
    let delegation = found.ok_or_else(|| Error::NotFound(format!("there is no delegation `{id}`")))?;
    if delegation.spec.from.0 != tx.actor() {
        return Err(Error::Forbidden("only who made a delegation ends it".to_owned()));
    }
    if !delegation.ended {
        tx.record(Fact::DelegationEnded(DelegationEnded { id }))?;
    }
    Ok(())
}

/// Cast a vote. With the one that completes the quorum, everything under review is approved.
///
/// # Errors
/// A service, who advises the board, the requester, an author of what is new, another digest than that of the review.
pub fn vote(tx: &mut Tx<'_>, id: Uuid, create: &VoteCreate, sits: Seat) -> Result<Registered> {
    let review = open_review(tx, id)?;
    let person = tx.actor();
    if tx.world().access.person(person) != person {
        return Err(Error::Forbidden("votes count persons: a service casts none".to_owned()));
    }
    let member = seat(tx, person, sits, create)?;
    let (world, now) = (tx.world(), tx.now());
    if let Some(office) = [person, member].iter().find_map(|p| advises(world, *p, now)) {
        return Err(Error::Forbidden(format!(
            "who advises as {} casts no vote (GDPR Art. 38(6)), whatever other roles they hold",
            office.title()
        )));
    }
    if review.spec.excluded.iter().any(|e| e.0 == person || e.0 == member) {
        return Err(Error::Forbidden(
            "who requested this review, or is author of what is new in it, does not vote on it, nor does another in their seat"
                .to_owned(),
        ));
    }
    // One seat, one vote; one person, one vote: who sits in two seats chooses one.
    let sat_in = |vote: &VoteSpec| vote.on_behalf_of.map_or(vote.person.0, |m| m.0);
    if let Some((_, (_, vote))) =
        review.votes.iter().find(|(_, (_, vote))| sat_in(vote) == member && vote.person.0 != person)
    {
        return Err(Error::conflict(format!("`{}` has voted in this seat already", vote.person.0)));
    }
    if create.digest != review.spec.digest {
        return Err(Error::Conflict(
            format!("the vote names {}, the review is {}: read it again", create.digest, review.spec.digest),
            vec![licit_schemas::problem::Fault::new("/digest", "is not the digest of this review")],
        ));
    }
    let comment_digest = create.comment.as_ref().map(|c| tx.note(c.as_str())).transpose()?;
    let spec = VoteSpec {
        review: uuid_text::Uuid(id),
        person: uuid_text::Uuid(person),
        choice: create.choice,
        on_behalf_of: (member != person).then_some(uuid_text::Uuid(member)),
        digest: create.digest,
        conditions: create.conditions.clone(),
        comment_digest,
    };
    let sum = digest(&spec);
    let vote = tx.new_id();
    let seq = tx.record(Fact::VoteCast(Stated { id: vote, rev: 1, spec }))?;
    conclude(tx, id)?;
    Ok(created(vote, licit_schemas::reference::Ref::review(id), sum, seq))
}

fn conclude(tx: &mut Tx<'_>, id: Uuid) -> Result<()> {
    let review = open_review(tx, id)?;
    let quorum = usize::from(review.spec.quorum);
    // Whoever lost their seat since is no member of the board that decides.
    let (access, now) = (&tx.world().access, tx.now());
    let sits = |vote: &VoteSpec| {
        let seat = vote.on_behalf_of.map_or(vote.person.0, |member| member.0);
        access.holds(seat, Role::Reviewer, now)
    };
    let votes: Vec<VoteSpec> = review.votes.values().map(|(_, v)| v).filter(|v| sits(v)).cloned().collect();
    let count = |choice: Choice| votes.iter().filter(|v| v.choice == choice).count();
    let (agree, refuse) = (count(Choice::Approve), count(Choice::Reject));
    if refuse >= quorum {
        tx.record(Fact::ReviewClosed(ReviewClosed { id, ending: Ending::Rejected }))?;
    } else if agree >= quorum && agree > refuse {
        let approving = || votes.iter().filter(|v| v.choice == Choice::Approve);
        let voters: Vec<_> = approving().map(|v| v.person).collect();
        let conditions: Vec<_> = approving().flat_map(|v| v.conditions.clone()).collect();
        for subject in &review.spec.subjects {
            let spec = ApprovalSpec {
                review: uuid_text::Uuid(id),
                subject: subject.clone(),
                valid_from: tx.now(),
                valid_to: review.spec.valid_to,
                voters: voters.clone(),
                conditions: conditions.clone(),
            };
            let approval = tx.new_id();
            tx.record(Fact::ApprovalGranted(Stated { id: approval, rev: 1, spec }))?;
        }
        tx.record(Fact::ReviewClosed(ReviewClosed { id, ending: Ending::Approved }))?;
    }
    Ok(())
}

/// Give an opinion: it advises, it counts no vote (GDPR Art. 38(6)).
///
/// # Errors
/// An office that the token's roles do not give, a closed review.
pub fn opine(tx: &mut Tx<'_>, id: Uuid, create: &OpinionCreate, roles: &[Role]) -> Result<Registered> {
    if !roles.contains(&create.role.token()) {
        let (office, role) = (create.role.title(), crate::facts::word(&create.role.token()));
        return Err(Error::Forbidden(format!("an opinion as {office} takes a token of role `{role}`")));
    }
    open_review(tx, id)?;
    let comment_digest = create.comment.as_ref().map(|c| tx.note(c.as_str())).transpose()?;
    let spec = OpinionSpec {
        review: uuid_text::Uuid(id),
        person: uuid_text::Uuid(tx.actor()),
        role: create.role,
        outcome: create.outcome,
        comment_digest,
    };
    let sum = digest(&spec);
    let opinion = tx.new_id();
    let seq = tx.record(Fact::OpinionGiven(Stated { id: opinion, rev: 1, spec }))?;
    Ok(created(opinion, licit_schemas::reference::Ref::review(id), sum, seq))
}

/// Take the approvals of a thing back. What was done before stays lawful (GDPR Art. 7(3)).
///
/// # Errors
/// Nothing that holds to take back; a revocation that would put off an earlier one: only the board gives back what was taken.
pub fn revoke(tx: &mut Tx<'_>, create: &RevocationCreate) -> Result<Registered> {
    expect(&create.r#ref, &VOTABLE, "/ref")?;
    let now = tx.now();
    let reference = pin(tx.world(), &create.r#ref, now, "/ref")?;
    let effective_at = create.effective_at.unwrap_or(now);
    let holding: Vec<_> = tx
        .world()
        .review
        .approvals(&reference.to_string())
        .iter()
        .filter(|a| a.holds(now.min(effective_at)))
        .cloned()
        .collect();
    if holding.is_empty() {
        return Err(Error::conflict(format!("`{reference}` has no approval that holds")));
    }
    let due = |from: Timestamp, days: u16| from.plus(chrono::Duration::days(i64::from(days)));
    let mut last = None;
    for approval in holding {
        if let Some(before) = &approval.revoked
            && (effective_at > before.effective_at
                || due(effective_at, create.grace_days) > due(before.effective_at, before.grace_days))
        {
            return Err(Error::conflict(format!(
                "the approval of `{reference}` is revoked from {} on, with {} days of grace: that cannot be put off, only a new approval helps",
                before.effective_at, before.grace_days
            )));
        }
        let spec = RevocationSpec {
            approval: uuid_text::Uuid(approval.id),
            r#ref: reference.clone(),
            effective_at: effective_at.max(approval.spec.valid_from),
            grace_days: create.grace_days,
            reason: create.reason.clone(),
        };
        let sum = digest(&spec);
        let id = tx.new_id();
        let seq = tx.record(Fact::ApprovalRevoked(Stated { id, rev: 1, spec }))?;
        last = Some(created(id, reference.clone(), sum, seq));
    }
    last.ok_or_else(|| Error::Internal("a revocation without approval".to_owned()))
}
