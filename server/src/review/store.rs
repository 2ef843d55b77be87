//! What is said on a review, read whole.

use std::collections::BTreeMap;

use licit_schemas::known::KnownAt;
use licit_schemas::review::{OpinionSpec, ReviewSpec, ReviewView, VoteSpec};
use uuid::Uuid;

use crate::db::{Conn, listing};
use crate::error::{Error, Result};
use crate::resource::typed;

/// A review with votes, opinions and the comments that were not erased, as known at a position.
///
/// # Errors
/// No such review; a position the ledger has not reached.
pub fn view(conn: &mut Conn, id: Uuid, known_at: Option<KnownAt>) -> Result<ReviewView> {
    let row = listing::by_id_known(conn, "review", &id.to_string(), known_at)?
        .ok_or_else(|| Error::NotFound(format!("there is no review `{id}`")))?;
    let parent = row.reference.clone();
    let mut digests: Vec<String> = Vec::new();
    let review = typed::<ReviewSpec>(row)?;
    digests.extend(review.spec.comment_digest.iter().map(ToString::to_string));
    let mut votes = Vec::new();
    let in_force = |state: &str| !matches!(state, "replaced" | "void");
    for row in listing::children(conn, "vote", &parent, known_at)?.into_iter().filter(|r| in_force(&r.state)) {
        let vote = typed::<VoteSpec>(row)?;
        digests.extend(vote.spec.comment_digest.iter().map(ToString::to_string));
        votes.push(vote);
    }
    let mut opinions = Vec::new();
    for row in listing::children(conn, "opinion", &parent, known_at)? {
        let opinion = typed::<OpinionSpec>(row)?;
        digests.extend(opinion.spec.comment_digest.iter().map(ToString::to_string));
        opinions.push(opinion);
    }
    let comments: BTreeMap<String, String> = crate::access::store::notes(conn, digests)?.into_iter().collect();
    Ok(ReviewView { review, votes, opinions, comments })
}
