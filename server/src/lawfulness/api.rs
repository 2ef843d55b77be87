//! Purposes, bases, assessments, over HTTP.

use super::operations;
use crate::api;
use crate::error::Result;
use crate::http::{Body, Ctx, Reply};

/// Propose a purpose.
pub async fn create_purpose(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "purposes", operations::purpose).await
}

/// Propose a basis.
pub async fn create_basis(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "bases", operations::basis).await
}

/// Propose an assessment.
pub async fn create_assessment(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "assessments", operations::assessment).await
}
