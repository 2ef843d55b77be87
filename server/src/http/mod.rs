//! The edge: what every request passes through, and the forms handlers speak in.

pub mod guard;
pub mod openapi;
mod reply;
pub mod route;

use std::future::{Future, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use licit_schemas::digest::Digest;
use licit_schemas::document::{self, Document};
use licit_schemas::problem::Fault;
use licit_schemas::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::access::{self, Caller};
use crate::app::App;
use crate::db::Idempotency;
use crate::db::people::RecordId;
use crate::error::{Error, Result};
use crate::facts::Tx;
pub use reply::Reply;
use route::Route;

/// Id of a request, as in the log and in problem documents.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// What a handler gets: the application, who asks, and the request's parts.
pub struct Ctx {
    /// The application.
    pub app: web::Data<App>,
    /// Who asks; nil for open routes.
    pub caller: Caller,
    /// When the request came.
    pub now: Timestamp,
    request: HttpRequest,
}

impl FromRequest for Ctx {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let parts = || {
            let app = request
                .app_data::<web::Data<App>>()
                .cloned()
                .ok_or_else(|| Error::Internal("no application".to_owned()))?;
            let now = crate::clock::now();
            let caller = request.extensions().get::<Caller>().cloned().unwrap_or_else(|| Caller::nobody(now));
            Ok(Self { app, caller, now, request: request.clone() })
        };
        ready(parts())
    }
}

/// An operation that is run once per idempotency key.
fn once<T: Serialize + DeserializeOwned>(
    key: Option<Idempotency>,
    settles: fn(&T) -> bool,
    work: impl Fn(&mut Tx<'_>) -> Result<T>,
) -> impl Fn(&mut Tx<'_>) -> Result<T> {
    move |tx| match &key {
        Some(key) => tx.once(key, settles, &work),
        None => work(tx),
    }
}

impl Ctx {
    /// Run an operation for the caller.
    ///
    /// The token is asked for once more inside the write: another server may have taken it back, and only who holds the lock has
    /// seen everything that was written.
    ///
    /// # Errors
    /// Those of the operation; [`Error::Unauthenticated`] when the token is not in force any more.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_of(Vec::new(), work).await
    }

    /// [`Ctx::write`] of an operation that first asks whether records are known.
    async fn write_of<T: Send + 'static>(
        &self,
        records: Vec<RecordId>,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let token = self.caller.token;
        let admitted = move |tx: &mut Tx<'_>| {
            if !tx.world().access.in_force(token, tx.now()) {
                return Err(access::not_in_force());
            }
            work(tx)
        };
        self.app.db.write_of(self.caller.actor, self.now, records, admitted).await
    }

    /// [`Ctx::write`], once per idempotency key: a retry gets the first answer.
    ///
    /// # Errors
    /// As [`Ctx::write`]; [`Error::KeyReused`] when the key came with another request.
    pub async fn write_once<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        key: Option<Idempotency>,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_until(key, |_| true, work).await
    }

    /// [`Ctx::write_once`], where only some answers settle the request: after any other, a retry runs the operation again.
    ///
    /// # Errors
    /// As [`Ctx::write_once`].
    pub async fn write_until<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        key: Option<Idempotency>,
        settles: fn(&T) -> bool,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write(once(key, settles, work)).await
    }

    /// [`Ctx::write_once`] of an operation that first asks whether records are known: see [`crate::db::Db::write_of`].
    ///
    /// # Errors
    /// As [`Ctx::write_once`].
    pub async fn write_once_of<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        records: Vec<RecordId>,
        key: Option<Idempotency>,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_of(records, once(key, |_| true, work)).await
    }

    /// [`Ctx::write_once`] of what has a secret that is shown once: nothing secret is kept, so a retry is told what was made the first
    /// time, that it can be taken back. The work answers without the secret.
    ///
    /// # Errors
    /// As [`Ctx::write_once`]; [`Error::Conflict`] on a retry, with what `made` says of the first answer.
    pub async fn make_once<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        key: Option<Idempotency>,
        made: fn(&T) -> String,
        work: impl Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut drawn = [0u8; 16];
        getrandom::fill(&mut drawn).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
        let own = hex::encode(drawn);
        let attempt = own.clone();
        // Which request made it is kept with the answer: another that finds it there did not.
        let (by, answer) = self.write_once(key, move |tx| Ok((attempt.clone(), work(tx)?))).await?;
        if by == own { Ok(answer) } else { Err(Error::conflict(made(&answer))) }
    }

    /// The query string as names and values, as foreign protocols take them.
    ///
    /// # Errors
    /// Bytes that are not text.
    pub fn pairs(&self) -> Result<Vec<(String, String)>> {
        sound(self.request.query_string())?;
        web::Query::<Vec<(String, String)>>::from_query(self.request.query_string())
            .map(web::Query::into_inner)
            .map_err(|e| Error::Invalid(vec![Fault::new("/query", e.to_string())]))
    }

    /// The query string as a type; unknown parameters are refused.
    ///
    /// # Errors
    /// A fault naming the parameter.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        sound(self.request.query_string())?;
        web::Query::<T>::from_query(self.request.query_string())
            .map(web::Query::into_inner)
            .map_err(|e| Error::Invalid(vec![Fault::new("/query", e.to_string())]))
    }

    /// A path parameter that is an opaque id.
    ///
    /// # Errors
    /// Not found: what is no id names nothing.
    pub fn id(&self) -> Result<Uuid> {
        let text = self.request.match_info().get("id").unwrap_or_default();
        text.parse().map_err(|_| {
            Error::NotFound("the path names no id: take it from a list, or use `/resolve?ref=`".to_owned())
        })
    }

    /// A path parameter as it stands; empty where there is none of the name.
    pub fn text(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// A path parameter that is a number.
    ///
    /// # Errors
    /// Not found.
    pub fn number(&self, name: &str) -> Result<u64> {
        let text = self.request.match_info().get(name).unwrap_or_default();
        text.parse().map_err(|_| Error::NotFound("the path names no position".to_owned()))
    }

    /// The idempotency key, bound to this request's content.
    ///
    /// # Errors
    /// A key that is empty or longer than 255 characters.
    pub fn key(&self, body: &[u8]) -> Result<Option<Idempotency>> {
        let Some(value) = self.request.headers().get("idempotency-key") else { return Ok(None) };
        let key = value.to_str().unwrap_or_default().trim().trim_matches('"').to_owned();
        if key.is_empty() || key.len() > 255 {
            return Err(Error::Malformed(
                "the Idempotency-Key must be 1 to 255 visible characters".to_owned(),
                Vec::new(),
            ));
        }
        Ok(Some(Idempotency {
            route: format!("{} {}", self.request.method(), self.request.path()),
            key,
            fingerprint: Digest::of(body),
        }))
    }

    /// The position `If-Match` names.
    ///
    /// # Errors
    /// Missing, or not an ETag of ours.
    pub fn if_match(&self) -> Result<u64> {
        let header = self.request.headers().get("if-match").and_then(|v| v.to_str().ok());
        let Some(text) = header else {
            return Err(Error::PreconditionRequired(
                "send `If-Match` with the ETag of the state you change".to_owned(),
            ));
        };
        text.trim()
            .trim_matches('"')
            .parse()
            .map_err(|_| Error::PreconditionFailed(format!("`{text}` is not the ETag of the present state")))
    }

    /// The position after which a listener goes on (`Last-Event-ID`).
    ///
    /// # Errors
    /// Not an id of ours.
    pub fn last_event_id(&self) -> Result<Option<u64>> {
        let Some(value) = self.request.headers().get("last-event-id") else { return Ok(None) };
        let parsed = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        parsed.map(Some).ok_or_else(|| {
            Error::Malformed("the Last-Event-ID must be a ledger position, as events have it".to_owned(), Vec::new())
        })
    }

    /// A header of the request; empty where it is not sent, or not text.
    pub fn header(&self, name: &str) -> &str {
        self.request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the client has this state already (`If-None-Match`).
    pub fn has(&self, seq: i64) -> bool {
        let header = self.request.headers().get("if-none-match").and_then(|v| v.to_str().ok());
        header.is_some_and(|text| text.split(',').any(|tag| tag.trim().trim_matches('"') == seq.to_string()))
    }
}

/// What actix would let through: bytes that are not UTF-8 (replaced unseen), and U+0000, which PostgreSQL cannot hold.
fn sound(query: &str) -> Result<()> {
    for part in query.split('&') {
        let name = part.split('=').next().unwrap_or_default();
        let fault = |what: &str| Err(Error::invalid(&format!("/{}", name.chars().take(100).collect::<String>()), what));
        let Ok(text) = String::from_utf8(unescaped(part)) else { return fault("not UTF-8") };
        if text.contains('\0') {
            return fault("the character U+0000 is not allowed");
        }
    }
    Ok(())
}

/// The bytes behind percent-encoding; a `%` without two digits stands for itself.
fn unescaped(text: &str) -> Vec<u8> {
    let (bytes, mut place) = (text.as_bytes(), 0);
    let mut plain = Vec::with_capacity(bytes.len());
    while let Some(byte) = bytes.get(place) {
        let coded = (*byte == b'%')
            .then(|| text.get(place + 1..place + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        plain.push(coded.unwrap_or(*byte));
        place += if coded.is_some() { 3 } else { 1 };
    }
    plain
}

/// The whole body, within the limit of its route.
pub struct Body(pub web::Bytes);

impl FromRequest for Body {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let route = request.extensions().get::<&'static Route>().copied();
        let limit = route.map_or(route::DEFAULT_LIMIT, |r| r.limit);
        let declared = length(request.headers());
        let wanted = route.and_then(|r| r.lines);
        let fits = match (wanted, essence(request.headers())) {
            (Some(lines), Some(essence)) => essence == lines,
            (None, Some(essence)) => is_json(&essence),
            (_, None) => false,
        };
        let coding = coding(request.headers());
        let gzip = coding == Coding::Gzip && route.is_some_and(|r| r.foreign);
        let mut payload = payload.take();
        Box::pin(async move {
            if coding != Coding::None && !gzip {
                return Err(Error::UnsupportedMediaType(
                    "send the body as it is, without `Content-Encoding`".to_owned(),
                ));
            }
            let too_large = || Error::TooLarge(format!("the body may have {limit} bytes here"));
            if declared.is_some_and(|length| length > limit) {
                return Err(too_large());
            }
            let mut bytes = web::BytesMut::new();
            loop {
                let chunk = std::future::poll_fn(|cx| {
                    use actix_web::dev::Payload as P;
                    futures_next(cx, &mut payload as &mut P)
                })
                .await;
                match chunk {
                    None => break,
                    Some(Err(e)) => {
                        return Err(Error::Malformed(format!("the body could not be read: {e}"), Vec::new()));
                    }
                    Some(Ok(chunk)) if bytes.len() + chunk.len() > limit => return Err(too_large()),
                    Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
                }
            }
            if !fits && !bytes.is_empty() {
                let wanted = wanted.unwrap_or("application/json");
                return Err(Error::UnsupportedMediaType(format!("send `Content-Type: {wanted}`")));
            }
            if gzip {
                return unfold(bytes.freeze(), limit).await.map(Self);
            }
            Ok(Self(bytes.freeze()))
        })
    }
}

type Chunk = Option<std::result::Result<web::Bytes, actix_web::error::PayloadError>>;

fn futures_next(cx: &mut std::task::Context<'_>, payload: &mut Payload) -> std::task::Poll<Chunk> {
    futures_core::Stream::poll_next(Pin::new(payload), cx)
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get("content-length")?.to_str().ok()?.parse().ok()
}

/// How a body is compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    None,
    Gzip,
    /// In a way that nobody undoes here.
    Other,
}

fn coding(headers: &HeaderMap) -> Coding {
    let named: Vec<&[u8]> = headers.get_all(CONTENT_ENCODING).map(|value| value.as_bytes()).collect();
    match named[..] {
        [one] if one.eq_ignore_ascii_case(b"gzip") => Coding::Gzip,
        _ if named.iter().all(|one| one.eq_ignore_ascii_case(b"identity")) => Coding::None,
        _ => Coding::Other,
    }
}

/// What a compressed body unfolds to, up to the limit and no byte further.
async fn unfold(bytes: web::Bytes, limit: usize) -> Result<web::Bytes> {
    use std::io::Read as _;
    let work = move || {
        let mut plain = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        flate2::read::MultiGzDecoder::new(&bytes[..])
            .take(most)
            .read_to_end(&mut plain)
            .map_err(|e| Error::Malformed(format!("the body is no gzip: {e}"), Vec::new()))?;
        if plain.len() > limit {
            return Err(Error::TooLarge(format!("the body may have {limit} bytes here, unfolded")));
        }
        Ok(web::Bytes::from(plain))
    };
    off_thread(work).await
}

/// Do what takes its time on a thread that answers nobody else meanwhile.
///
/// # Errors
/// Those of the work.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    web::block(work).await.map_err(|e| Error::Busy(format!("the server is stopping: {e}")))?
}

/// The content type without its parameters.
fn essence(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

impl Body {
    /// The body as a document: strict JSON, then its schema, then its type. A body left out is none: a client that lost its
    /// body on the way is not told that all went well.
    ///
    /// # Errors
    /// Every fault by JSON pointer: 400 when it is not JSON, else 422.
    pub fn read<T: Document>(&self) -> Result<T> {
        if self.0.is_empty() {
            let at = Fault::new("", "the body is empty: send a JSON document, `{}` where nothing is to be said");
            return Err(Error::Malformed(at.detail.clone(), vec![at]));
        }
        let value = licit_schemas::json::parse(&self.0).map_err(|fault| {
            let at = Fault::new(&fault.pointer, fault.to_string());
            Error::Malformed(at.detail.clone(), vec![at])
        })?;
        document::from_value(value).map_err(Error::Invalid)
    }

    /// [`Body::read`] where a pseudonym belongs, and somebody's name or address may stand: no fault repeats what was sent, not even
    /// the name of a member.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub fn read_quietly<T: Document>(&self) -> Result<T> {
        let quiet = |faults: Vec<Fault>| -> Vec<Fault> { faults.into_iter().map(document::quiet::<T>).collect() };
        self.read().map_err(|error| match error {
            Error::Invalid(faults) => Error::Invalid(quiet(faults)),
            Error::Malformed(_, faults) => {
                let faults = quiet(faults);
                let detail = faults.first().map(|fault| fault.detail.clone()).unwrap_or_default();
                Error::Malformed(detail, faults)
            }
            other => other,
        })
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        // The guard writes document and log: it knows the request's id.
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(Failed);
        response
    }
}

/// Marks a response whose problem document is still to be written.
#[derive(Clone, Copy)]
pub struct Failed;

/// An error as a response, in the form of its route; a failure of ours is logged.
pub fn problem(error: Error, id: &str, mlflow: bool) -> HttpResponse {
    let status = error.status_code();
    match error {
        // Chosen, not broken: nobody is to be woken for it.
        Error::Busy(_) => tracing::warn!(request = id, %error, "request put off"),
        _ if status.is_server_error() => tracing::error!(request = id, %error, "request failed"),
        _ => {}
    }
    if mlflow {
        return told(&error);
    }
    let retry = matches!(error, Error::Unavailable(_) | Error::Busy(_));
    let challenge = matches!(error, Error::Unauthenticated(_));
    let body = serde_json::to_vec(&error.problem(Some(format!("urn:uuid:{id}")))).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    response.insert_header((CONTENT_TYPE, "application/problem+json"));
    if retry {
        response.insert_header(("retry-after", "1"));
    }
    if challenge {
        response.insert_header(("www-authenticate", "Bearer"));
    }
    response.body(body)
}

/// An error in the form that clients of `MLflow` read.
fn told(error: &Error) -> HttpResponse {
    let (status, code, message) = crate::adapters::mlflow::fault::told(error);
    let body = serde_json::json!({"error_code": code, "message": message}).to_string();
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    response.insert_header((CONTENT_TYPE, "application/json"));
    if matches!(error, Error::Unauthenticated(_)) {
        response.insert_header(("www-authenticate", "Basic realm=\"licit\", charset=\"UTF-8\", Bearer"));
    }
    response.body(body)
}
