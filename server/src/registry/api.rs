//! Registering what exists, over HTTP.

use licit_schemas::classes::ClassificationCreate;
use licit_schemas::registry::{LifeChange, Retirement};

use super::operations::{self, Existing};
use super::{attestations, confirm, life};
use crate::api;
use crate::error::Result;
use crate::http::{Body, Ctx, Reply};

macro_rules! lasting {
    ($create:ident, $change:ident, $collection:literal, $kind:literal, $operation:path, $existing:expr) => {
        /// Register.
        pub async fn $create(ctx: Ctx, body: Body) -> Result<Reply> {
            api::create(ctx, body, $collection, |tx, spec| $operation(tx, spec, $existing)).await
        }

        /// Change the state `If-Match` names.
        pub async fn $change(ctx: Ctx, body: Body) -> Result<Reply> {
            api::change(ctx, body, $collection, $kind, |tx, spec, seq| $operation(tx, spec, Existing::Match(seq))).await
        }
    };
}

lasting!(create_party, change_party, "parties", "party", operations::party, Existing::Refuse);
lasting!(create_dataset, change_dataset, "datasets", "dataset", operations::dataset, Existing::Refuse);
lasting!(create_model, change_model, "models", "model", operations::model, Existing::Refuse);
lasting!(
    create_environment,
    change_environment,
    "environments",
    "environment",
    operations::environment,
    Existing::Revise
);
lasting!(create_deployment, change_deployment, "deployments", "deployment", operations::deployment, Existing::Revise);

/// Register a dataset version.
pub async fn create_dataset_version(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "dataset-versions", operations::dataset_version).await
}

/// Register a model version.
pub async fn create_model_version(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "model-versions", operations::model_version).await
}

/// Record what was observed when an endpoint was called.
pub async fn create_attestation(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "attestations", attestations::attest).await
}

/// Register a system or its next revision.
pub async fn create_system(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "systems", operations::system).await
}

/// Propose a release.
pub async fn create_release(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "releases", operations::release).await
}

/// Change the life of a dataset version.
pub async fn change_life(ctx: Ctx, body: Body) -> Result<Reply> {
    let (id, roles) = (ctx.id()?, ctx.caller.roles.clone());
    api::create::<LifeChange>(ctx, body, "dataset-versions", move |tx, change| {
        life::change_life(tx, id, &change, &roles)
    })
    .await
}

/// State a default class, or its next revision.
pub async fn create_class(ctx: Ctx, body: Body) -> Result<Reply> {
    api::create(ctx, body, "classes", confirm::class).await
}

/// Classify fields nobody classified, or say which would be.
pub async fn create_classification(ctx: Ctx, body: Body) -> Result<Reply> {
    let create: ClassificationCreate = body.read()?;
    let result = if create.dry_run {
        ctx.app.db.try_out(ctx.caller.actor, ctx.now, None, move |tx| confirm::classify(tx, &create)).await?
    } else {
        let key = ctx.key(&body.0)?;
        ctx.write_once(key, move |tx| confirm::classify(tx, &create)).await?
    };
    Reply::ok(&result)
}

async fn retire(ctx: Ctx, body: Body, collection: &'static str, kind: &'static str) -> Result<Reply> {
    let id = ctx.id()?;
    api::create::<Retirement>(ctx, body, collection, move |tx, retirement| life::retire(tx, kind, id, &retirement))
        .await
}

/// Retire a mistaken dataset version.
pub async fn retire_dataset_version(ctx: Ctx, body: Body) -> Result<Reply> {
    retire(ctx, body, "dataset-versions", "dataset_version").await
}

/// Retire a mistaken model version.
pub async fn retire_model_version(ctx: Ctx, body: Body) -> Result<Reply> {
    retire(ctx, body, "model-versions", "model_version").await
}

/// Retire a mistaken run.
pub async fn retire_run(ctx: Ctx, body: Body) -> Result<Reply> {
    retire(ctx, body, "runs", "run").await
}

/// Take a release out for good.
pub async fn withdraw_release(ctx: Ctx) -> Result<Reply> {
    let id = ctx.id()?;
    let answer = ctx.write(move |tx| operations::withdraw(tx, id)).await?;
    Reply::ok(&answer)
}
