//! Artifacts over HTTP, piece by piece.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::web::Payload;
use futures_core::Stream;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::depot::{Depot, Whole, gone};
use super::{is_example, operations, rows};
use crate::adapters::mlflow::fact::ArtifactStored;
use crate::adapters::mlflow::fault;
use crate::adapters::mlflow::state::Artifact;
use crate::error::{Error, Result};
use crate::http::{Ctx, Reply};

/// Bytes of an example of input that are looked at.
const LOOKED_AT: usize = 1 << 20;
/// Pieces that wait for a client who reads slowly.
const WAITING: usize = 4;

fn depot(ctx: &Ctx) -> Result<std::sync::Arc<Depot>> {
    ctx.app.mlflow.depot.clone().ok_or_else(|| {
        Error::foreign(
            501,
            "NOT_IMPLEMENTED",
            "This server keeps no artifacts: its operator says where with `--artifacts DIRECTORY` or `--artifacts s3://BUCKET/PREFIX`.",
        )
    })
}

/// Take a file.
pub async fn put(ctx: Ctx, payload: Payload) -> Result<Reply> {
    let path = ctx.text("artifact").to_owned();
    operations::may_store(&*ctx.app.db.fresh().await?, &path, None)?;
    let depot = depot(&ctx)?;
    let declared = ctx.header("content-length").parse::<u64>().unwrap_or(0);
    if declared > depot.limit {
        return Err(Error::TooLarge(format!("an artifact may have {} bytes here", depot.limit)));
    }
    let (whole, rows) = receive(&depot, payload, is_example(&path)).await?;
    let Whole { key, digest, size } = whole;
    let stored = ArtifactStored { path, key, digest, size, rows };
    match ctx.write(move |tx| operations::store(tx, &stored)).await {
        Ok(left) => {
            if let Some(left) = left {
                depot.forget(left).await;
            }
            Ok(Reply::empty())
        }
        // Whether it was recorded is not known: then the bytes stay, and a retry brings them again.
        Err(error @ (Error::Unavailable(_) | Error::Busy(_))) => Err(error),
        Err(error) => {
            depot.forget(key).await;
            Err(error)
        }
    }
}

async fn receive(depot: &Depot, mut payload: Payload, looked_at: bool) -> Result<(Whole, Option<u32>)> {
    let mut incoming = depot.incoming();
    let mut example = Vec::new();
    let outcome = async {
        while let Some(piece) = poll_fn(|cx| Pin::new(&mut payload).poll_next(cx)).await {
            let piece = piece.map_err(|e| Error::Malformed(format!("the body could not be read: {e}"), Vec::new()))?;
            if looked_at && example.len() + piece.len() <= LOOKED_AT {
                example.extend_from_slice(&piece);
            }
            incoming.take(&piece).await?;
        }
        incoming.end().await
    }
    .await;
    match outcome {
        Ok(whole) => {
            let all = u64::try_from(example.len()) == Ok(whole.size);
            let rows = looked_at.then(|| if all { rows(&example) } else { 1 });
            Ok((whole, rows))
        }
        Err(error) => {
            incoming.abort().await;
            Err(error)
        }
    }
}

/// What stands under a path.
async fn known(ctx: &Ctx, path: &str) -> Result<Arc<Artifact>> {
    let found = ctx.app.db.fresh().await?.mlflow.artifact(path).cloned();
    let shown: String = path.chars().take(200).collect();
    found.ok_or_else(|| fault::none(format!("No such artifact: '{shown}'")))
}

/// Give a file.
pub async fn get(ctx: Ctx) -> Result<Reply> {
    let path = ctx.text("artifact").to_owned();
    let mut artifact = known(&ctx, &path).await?;
    let depot = depot(&ctx)?;
    let mut found = depot.outgoing(artifact.key).await?;
    if found.is_none() {
        // Others may have taken its place in between.
        let now = known(&ctx, &path).await?;
        if now.key != artifact.key {
            artifact = now;
            found = depot.outgoing(artifact.key).await?;
        }
    }
    let mut stream = found.ok_or_else(|| gone(artifact.key))?;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Vec<u8>>(WAITING);
    let wanted = artifact.digest;
    actix_web::rt::spawn(async move {
        let (mut hash, mut held) = (Sha256::new(), None::<Vec<u8>>);
        while let Some(piece) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            let Ok(piece) = piece else { return };
            hash.update(&piece);
            if let Some(before) = held.replace(piece.to_vec())
                && sender.send(before).await.is_err()
            {
                return;
            }
        }
        // The last piece goes only where all of them are what was registered: else the answer breaks off, and the client sees it.
        let whole: [u8; 32] = hash.finalize().into();
        if whole != *wanted.as_bytes() {
            tracing::error!(%path, "the bytes of an artifact are not those that were registered");
            return;
        }
        if let Some(last) = held {
            let _ = sender.send(last).await;
        }
    });
    Ok(Reply::sized("application/octet-stream", artifact.size, receiver))
}

/// What lies in a folder.
pub async fn list(ctx: Ctx) -> Result<Reply> {
    let params = crate::adapters::mlflow::params::Params::query(ctx.pairs()?);
    let path = params.text("path")?.unwrap_or_default();
    let folder = path.trim_matches('/');
    let world = ctx.app.db.fresh().await?;
    let mut files: Vec<serde_json::Value> = Vec::new();
    let mut folders: Option<String> = None;
    for (found, artifact) in world.mlflow.artifacts_below(folder) {
        let within = &found[folder.len() + 1..];
        match within.split_once('/') {
            None => files.push(json!({"path": within, "is_dir": false, "file_size": artifact.size})),
            Some((sub, _)) if folders.as_deref() != Some(sub) => {
                folders = Some(sub.to_owned());
                files.push(json!({"path": sub, "is_dir": true}));
            }
            Some(_) => {}
        }
    }
    if files.is_empty() { Reply::ok(&json!({})) } else { Reply::ok(&json!({"files": files})) }
}
