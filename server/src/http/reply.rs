//! Answers.

use std::pin::Pin;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder, web};
use licit_schemas::resource::{Outcome, Registered};
use serde::Serialize;

use crate::error::{Error, Result};

/// A body: whole, or piece by piece as it comes.
enum Content {
    Whole(Vec<u8>),
    Stream(Pieces),
    /// A file, which is not shown but kept.
    File(Pieces),
}

/// A body that somebody writes into a channel; where its size is said, one that ends before breaks the answer off.
struct Pieces(tokio::sync::mpsc::Receiver<Vec<u8>>, Option<u64>);

impl MessageBody for Pieces {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        self.1.map_or(BodySize::Stream, BodySize::Sized)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<std::result::Result<web::Bytes, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(web::Bytes::from(bytes))))
    }
}

/// An answer.
pub struct Reply {
    status: StatusCode,
    body: Option<Content>,
    content_type: &'static str,
    etag: Option<String>,
    location: Option<String>,
    cache: Option<&'static str>,
}

impl Reply {
    /// 200 with a JSON body.
    ///
    /// # Errors
    /// Only a body that cannot be printed.
    pub fn ok(body: &impl Serialize) -> Result<Self> {
        Self::json(StatusCode::OK, body)
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|e| Error::Internal(format!("answer: {e}")))?;
        Ok(Self {
            status,
            body: Some(Content::Whole(body)),
            content_type: "application/json",
            etag: None,
            location: None,
            cache: None,
        })
    }

    /// 201 for something new, 200 for something that was there.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn registered(answer: &Registered, collection: &str) -> Result<Self> {
        let status = if answer.outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
        let mut reply = Self::json(status, answer)?;
        reply.etag = Some(format!("\"{}\"", answer.seq));
        // Votes, opinions and revocations are read with what they are about.
        reply.location = (!collection.is_empty()).then(|| format!("/api/v1/{collection}/{}", answer.id.0));
        Ok(reply)
    }

    /// 201 with any body.
    ///
    /// # Errors
    /// As [`Reply::ok`].
    pub fn created(body: &impl Serialize) -> Result<Self> {
        Self::json(StatusCode::CREATED, body)
    }

    /// Text of another type.
    pub fn text(content_type: &'static str, body: String) -> Self {
        let body = Some(Content::Whole(body.into_bytes()));
        Self { status: StatusCode::OK, body, content_type, etag: None, location: None, cache: None }
    }

    /// Bytes of another type.
    pub fn bytes(content_type: &'static str, body: Vec<u8>) -> Self {
        let body = Some(Content::Whole(body));
        Self { status: StatusCode::OK, body, content_type, etag: None, location: None, cache: None }
    }

    /// What may be kept by who asked, where it is more than nothing (`Cache-Control`).
    #[must_use]
    pub fn cached(mut self, how: &'static str) -> Self {
        self.cache = Some(how);
        self
    }

    /// Text of another type, as it comes out of a channel; it ends when nobody writes into it any more.
    pub fn stream(content_type: &'static str, pieces: tokio::sync::mpsc::Receiver<Vec<u8>>) -> Self {
        let body = Some(Content::Stream(Pieces(pieces, None)));
        Self { status: StatusCode::OK, body, content_type, etag: None, location: None, cache: None }
    }

    /// A file of so many bytes, as it comes out of a channel: where less comes, the answer breaks off.
    pub fn sized(content_type: &'static str, size: u64, pieces: tokio::sync::mpsc::Receiver<Vec<u8>>) -> Self {
        let body = Some(Content::File(Pieces(pieces, Some(size))));
        Self { status: StatusCode::OK, body, content_type, etag: None, location: None, cache: None }
    }

    /// 200 without a body.
    pub fn empty() -> Self {
        Self { status: StatusCode::OK, body: None, content_type: "", etag: None, location: None, cache: None }
    }

    /// 204.
    pub fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, content_type: "", etag: None, location: None, cache: None }
    }

    /// 304: the client has it.
    pub fn not_modified(seq: i64) -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED,
            body: None,
            content_type: "",
            etag: Some(format!("\"{seq}\"")),
            location: None,
            cache: None,
        }
    }

    /// With the ETag of a state.
    #[must_use]
    pub fn tagged(mut self, seq: i64) -> Self {
        self.etag = Some(format!("\"{seq}\""));
        self
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if let Some(cache) = self.cache {
            response.insert_header((CACHE_CONTROL, cache));
        }
        match self.body {
            Some(Content::Whole(body)) => response.insert_header((CONTENT_TYPE, self.content_type)).body(body),
            Some(Content::Stream(pieces)) => {
                // A proxy that gathers what it passes on would hold events back.
                response.insert_header(("x-accel-buffering", "no"));
                response.insert_header((CONTENT_TYPE, self.content_type)).body(BoxBody::new(pieces))
            }
            Some(Content::File(pieces)) => {
                // A browser must not take it for a page of ours.
                response.insert_header(("content-disposition", "attachment"));
                response.insert_header((CONTENT_TYPE, self.content_type)).body(BoxBody::new(pieces))
            }
            None => response.finish(),
        }
    }
}
