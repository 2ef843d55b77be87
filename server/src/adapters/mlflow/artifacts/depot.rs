//! Where the bytes of artifacts are: a directory, or a bucket that speaks S3.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use licit_schemas::digest::Digest;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::adapters::mlflow::fault;
use crate::error::{Error, Result};

/// Bytes that are gathered before they are sent on: a bucket takes no smaller parts.
const PART: usize = 8 << 20;

/// A place for bytes.
pub struct Depot {
    store: Arc<dyn ObjectStore>,
    /// Bytes that one artifact may have.
    pub limit: u64,
}

impl Depot {
    /// By its address: `s3://BUCKET/PREFIX`, or the path of a directory, which is made if it is not there.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(address: &str, limit: u64) -> std::result::Result<Self, String> {
        let store: Arc<dyn ObjectStore> = match address.strip_prefix("s3://") {
            Some(rest) => bucket(rest)?,
            None => Arc::new(directory(FilePath::new(address))?),
        };
        Ok(Self { store, limit })
    }

    /// Take what comes, piece by piece.
    pub fn incoming(&self) -> Incoming {
        Incoming {
            store: self.store.clone(),
            key: Uuid::now_v7(),
            limit: self.limit,
            waiting: BytesMut::new(),
            upload: None,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// Give what lies under a key, piece by piece; none where nothing lies there.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn outgoing(
        &self,
        key: Uuid,
    ) -> Result<Option<futures_core::stream::BoxStream<'static, std::result::Result<Bytes, object_store::Error>>>> {
        match self.store.get(&place(key)).await {
            Ok(found) => Ok(Some(found.into_stream())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    /// Let bytes go that nothing stands for. What cannot be deleted lies there, and nobody finds it.
    pub async fn forget(&self, key: Uuid) {
        if let Err(error) = self.store.delete(&place(key)).await {
            tracing::warn!(%error, %key, "the bytes of an artifact could not be deleted");
        }
    }
}

fn directory(path: &FilePath) -> std::result::Result<LocalFileSystem, String> {
    std::fs::create_dir_all(path).map_err(|e| format!("cannot make {}: {e}", path.display()))?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
    // Durable before the fact that speaks of it.
    Ok(store.with_fsync(true))
}

fn bucket(rest: &str) -> std::result::Result<Arc<dyn ObjectStore>, String> {
    // The program has one library of cryptography; a second call finds it set.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    // Keys and endpoint come from the environment, as every tool of that world reads them.
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(name)
        // Whoever fetches slowly may take the time it takes; a bucket that says nothing may not, and an answer waits for it no longer
        // than clients do.
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "1 day")
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), "5 minutes")
        .with_retry(RetryConfig {
            max_retries: 4,
            retry_timeout: std::time::Duration::from_secs(30),
            ..RetryConfig::default()
        })
        .build()
        .map_err(|e| format!("cannot open s3://{rest}: {e}"))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// Spread over folders, so that none has all of them.
fn place(key: Uuid) -> Path {
    let text = key.simple().to_string();
    Path::from(format!("{}/{text}", &text[30..]))
}

/// What is recorded and not there is no matter of trying again.
pub fn gone(key: Uuid) -> Error {
    tracing::error!(%key, "the bytes of an artifact are not where they were kept");
    fault::none("Its bytes are no longer where artifacts are kept: restore them from the backup there.".to_owned())
}

fn broken(error: &object_store::Error) -> Error {
    tracing::error!(%error, "the place of artifacts failed");
    Error::Unavailable("the place where artifacts are kept does not answer, try again in a moment".to_owned())
}

/// What comes in.
pub struct Incoming {
    store: Arc<dyn ObjectStore>,
    key: Uuid,
    limit: u64,
    waiting: BytesMut,
    upload: Option<Box<dyn MultipartUpload>>,
    hash: Sha256,
    size: u64,
}

/// What came in, whole.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// Where it is.
    pub key: Uuid,
    /// Its digest.
    pub digest: Digest,
    /// Bytes it has.
    pub size: u64,
}

impl Incoming {
    /// One more piece.
    ///
    /// # Errors
    /// More than an artifact may have; the place does not answer.
    pub async fn take(&mut self, piece: &[u8]) -> Result<()> {
        self.size += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.size > self.limit {
            return Err(Error::TooLarge(format!("an artifact may have {} bytes here", self.limit)));
        }
        self.hash.update(piece);
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() >= PART {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let part = PutPayload::from_bytes(self.waiting.split().freeze());
        let mut upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.store.put_multipart(&place(self.key)).await.map_err(|e| broken(&e))?,
        };
        let sent = upload.put_part(part).await;
        self.upload = Some(upload);
        sent.map_err(|e| broken(&e))
    }

    /// That was all: it is there, whole, and nobody has seen any of it before.
    ///
    /// # Errors
    /// The place does not answer.
    pub async fn end(&mut self) -> Result<Whole> {
        if self.upload.is_none() {
            let all = PutPayload::from_bytes(self.waiting.split().freeze());
            self.store.put(&place(self.key), all).await.map_err(|e| broken(&e))?;
        } else {
            if !self.waiting.is_empty() {
                self.send().await?;
            }
            if let Some(upload) = &mut self.upload {
                // Where that fails, it is still there to be given up.
                upload.complete().await.map_err(|e| broken(&e))?;
            }
            self.upload = None;
        }
        let digest = Digest::from_bytes(std::mem::take(&mut self.hash).finalize().into());
        Ok(Whole { key: self.key, digest, size: self.size })
    }

    /// It broke off: nothing of it is kept, neither parts nor what a place may have taken whole without being able to say so.
    pub async fn abort(&mut self) {
        let sent = self.size > 0 && self.waiting.is_empty();
        if let Some(mut upload) = self.upload.take()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "an upload that broke off could not be cleared away");
        }
        if sent {
            match self.store.delete(&place(self.key)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, key = %self.key, "the bytes of an artifact could not be deleted"),
            }
        }
    }
}
