//! Reviews, votes, opinions, revocations, over HTTP.

use licit_schemas::access::Role;
use licit_schemas::resource::GetQuery;
use licit_schemas::review::{DelegationCreate, OpinionCreate, ReviewCreate, RevocationCreate, VoteCreate};

use super::operations::Seat;
use super::{operations, store};
use crate::api;
use crate::error::Result;
use crate::http::{Body, Ctx, Reply};

/// Open a review. The gate's policy and envelope come from above.
pub async fn create_review(
    ctx: Ctx,
    body: Body,
    terms: operations::TermsOf,
    envelopes: operations::Envelopes,
) -> Result<Reply> {
    api::create::<ReviewCreate>(ctx, body, "reviews", move |tx, create| operations::open(tx, &create, terms, envelopes))
        .await
}

/// A review with all that was said on it.
pub async fn get_review(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let query: GetQuery = ctx.query()?;
    let view = ctx.app.db.read(move |conn| store::view(conn, id, query.known_at)).await?;
    Reply::ok(&view)
}

/// Cast a vote.
pub async fn create_vote(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    let sits = if ctx.caller.may(&[Role::Reviewer]) { Seat::Member } else { Seat::Guest };
    api::create::<VoteCreate>(ctx, body, "", move |tx, create| operations::vote(tx, id, &create, sits)).await
}

/// Let another person sit in one's seat.
pub async fn create_delegation(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<DelegationCreate>(ctx, body, "delegations", |tx, create| operations::delegate(tx, &create)).await
}

/// End a delegation before its time.
pub async fn end_delegation(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    ctx.write(move |tx| operations::end_delegation(tx, id)).await?;
    Ok(Reply::nothing())
}

/// Give an opinion.
pub async fn create_opinion(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, roles) = (ctx.id()?, ctx.caller.roles.clone());
    api::create::<OpinionCreate>(ctx, body, "", move |tx, create| operations::opine(tx, id, &create, &roles)).await
}

/// Take approvals back.
pub async fn create_revocation(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<RevocationCreate>(ctx, body, "", move |tx, create| operations::revoke(tx, &create)).await
}
