//! Reviews, votes, opinions, revocations, over HTTP.

use licit_schemas::review::{OpinionCreate, ReviewCreate, RevocationCreate, VoteCreate};

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
    let view = ctx.app.db.read(move |conn| store::view(conn, id)).await?;
    Reply::ok(&view)
}

/// Cast a vote.
pub async fn create_vote(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    api::create::<VoteCreate>(ctx, body, "", move |tx, create| operations::vote(tx, id, &create)).await
}

/// Give an opinion.
pub async fn create_opinion(ctx: Ctx, body: Body) -> Result<Reply> {
    let id = ctx.id()?;
    api::create::<OpinionCreate>(ctx, body, "", move |tx, create| operations::opine(tx, id, &create)).await
}

/// Take approvals back.
pub async fn create_revocation(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create::<RevocationCreate>(ctx, body, "", move |tx, create| operations::revoke(tx, &create)).await
}
