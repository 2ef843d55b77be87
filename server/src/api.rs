//! What every kind of resource answers alike: lists, one by id, its history; and the server's own routes.

use std::collections::HashMap;

use actix_web::web;
use licit_schemas::known::KnownAt;
use licit_schemas::reference::{Kind, Ref};
use licit_schemas::resource::{GetQuery, ListQuery, Page, Registered};
use licit_schemas::time::Timestamp;
use serde::Deserialize;

use crate::db::{Conn, Row, listing};
use crate::error::{Error, Result};
use crate::facts::Tx;
use crate::http::{Body, Ctx, Reply, off_thread};
use crate::ledger::signing::Trouble;
use crate::registry::vocabulary::{schemes, vocabulary};
use crate::resource::{Sent, sent};
use crate::{access, registry};
use licit_schemas::document::Document;

/// Kinds of things that state from when and until when they are valid.
const VALID: [&str; 14] = [
    "system",
    "purpose",
    "basis",
    "assessment",
    "approval",
    "revocation",
    "baseline",
    "loosening",
    "break-glass",
    "delegation",
    "token",
    "notice",
    "use",
    "passport",
];

/// Refuse a moment of validity for what states none: a parameter is never ignored.
///
/// # Errors
/// A fault naming the parameter.
pub fn valid(kind: &str, at: Option<Timestamp>) -> Result<()> {
    if at.is_none() || VALID.contains(&kind) {
        return Ok(());
    }
    let sentence =
        format!("a {} states no validity: ask with `known_at` for what was known then", kind.replace('_', " "));
    Err(Error::invalid("/valid_at", sentence))
}

/// A page of the states in force of a kind.
pub async fn list(ctx: Ctx, kind: &'static str) -> Result<Reply> {
    let query: ListQuery = ctx.query()?;
    list_of(ctx, kind, query).await
}

/// A page of the states in force of a kind, as a query of its own asks for it.
pub async fn list_of(ctx: Ctx, kind: &'static str, query: ListQuery) -> Result<Reply> {
    valid(kind, query.valid_at)?;
    let page = ctx.app.db.read(move |conn| {
        let page = listing::list(conn, kind, &query)?;
        Ok(Page { items: shown(conn, page.items, false)?, next: page.next })
    });
    Reply::ok(&page.await?)
}

/// Rows for sending; what is retired says why, as far as that was not erased.
fn shown(conn: &mut Conn, rows: Vec<Row>, with_kind: bool) -> Result<Vec<Sent>> {
    let digests = registry::store::reasons(conn, &rows)?;
    let texts: HashMap<String, String> = match digests.is_empty() {
        true => HashMap::new(),
        false => access::store::notes(conn, digests.values().cloned().collect())?.into_iter().collect(),
    };
    let reason = |row: &Row| digests.get(&row.since_seq).and_then(|digest| texts.get(digest)).cloned();
    let send = |row: Row| {
        let reason = reason(&row);
        sent(row, with_kind, reason)
    };
    rows.into_iter().map(send).collect()
}

/// The state in force by id.
pub async fn get(ctx: Ctx, kind: &'static str) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: GetQuery = ctx.query()?;
    let found = ctx.app.db.look_up(move |conn| {
        let row = listing::by_id_known(conn, kind, &id, query.known_at)?
            .ok_or_else(|| Error::NotFound(format!("there is no {} `{id}`", kind.replace('_', " "))))?;
        Ok((row.since_seq, shown(conn, vec![row], false)?))
    });
    let (seq, found) = found.await?;
    if ctx.has(seq) {
        return Ok(Reply::not_modified(seq));
    }
    Ok(Reply::ok(&found.first())?.tagged(seq))
}

/// Every state an id ever had, oldest first.
pub async fn history(ctx: Ctx, kind: &'static str) -> Result<Reply> {
    let id = ctx.id()?.to_string();
    let query: GetQuery = ctx.query()?;
    let items = ctx.app.db.read(move |conn| {
        let rows = listing::history(conn, kind, &id, query.known_at)?;
        shown(conn, rows, false)
    });
    let items = items.await?;
    if items.is_empty() {
        return Err(Error::NotFound(format!("there is no such {}", kind.replace('_', " "))));
    }
    Reply::ok(&Page { items, next: None })
}

/// Read a document, run an operation over it once, answer with what was registered.
pub async fn create<T: Document + Clone + Send + 'static>(
    ctx: Ctx,
    body: Body,
    collection: &'static str,
    operation: impl Fn(&mut Tx<'_>, T) -> Result<Registered> + Send + 'static,
) -> Result<Reply> {
    let spec: T = body.read()?;
    let key = ctx.key(&body.0)?;
    let answer = ctx.write_once(key, move |tx| operation(tx, spec.clone())).await?;
    Reply::registered(&answer, collection)
}

/// Read a document for the state `If-Match` names, change it.
pub async fn change<T: Document + Clone + Send + 'static>(
    ctx: Ctx,
    body: Body,
    collection: &'static str,
    kind: &'static str,
    operation: impl Fn(&mut Tx<'_>, T, u64) -> Result<Registered> + Send + 'static,
) -> Result<Reply> {
    let id = ctx.id()?;
    let spec: T = body.read()?;
    let seq = ctx.if_match()?;
    let answer = ctx
        .write(move |tx| {
            let row = tx.row(kind, id)?.ok_or_else(|| Error::NotFound(format!("there is no {kind} `{id}`")))?;
            let answer = operation(tx, spec.clone(), seq)?;
            if answer.r#ref.to_string() != row.reference {
                return Err(Error::conflict(format!("`{id}` is `{}`: its name cannot change", row.reference)));
            }
            Ok(answer)
        })
        .await?;
    Reply::registered(&answer, collection)
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
/// Query by reference.
pub struct ByRef {
    /// The reference; without `@version` it is resolved as when something is recorded.
    pub r#ref: String,
    /// Up to which entry the answer knows: `now`, a ledger position or a time; absent, now.
    #[serde(default)]
    pub known_at: Option<KnownAt>,
    /// Of a thing with revisions, the one meant at this moment: the last whose approval holds then. Absent, now.
    #[serde(default)]
    pub valid_at: Option<Timestamp>,
}

/// Kinds of which a reference without revision means the approved one.
const REVISED: [Kind; 9] = [
    Kind::System,
    Kind::Purpose,
    Kind::Basis,
    Kind::Assessment,
    Kind::Baseline,
    Kind::BreakGlass,
    Kind::Loosening,
    Kind::Policy,
    Kind::Notice,
];

/// The thing a reference names.
pub async fn resolve(ctx: Ctx) -> Result<Reply> {
    let asked: ByRef = ctx.query()?;
    let reference: Ref =
        asked.r#ref.parse().map_err(|e: licit_schemas::reference::RefFault| Error::invalid("/ref", e.to_string()))?;
    let kind = match (reference.kind(), reference.is_pinned()) {
        (Kind::Dataset, true) => "dataset_version",
        (Kind::Model, true) => "model_version",
        (kind, _) => kind.as_str(),
    };
    if asked.valid_at.is_some() && !REVISED.contains(&reference.kind()) {
        let sentence = format!("a {} has no revisions: `valid_at` says nothing about it", reference.kind());
        return Err(Error::invalid("/valid_at", sentence));
    }
    let at = asked.valid_at.unwrap_or(ctx.now);
    // A dataset or model without version is itself a thing; revisions are found by the one meant.
    let text = match reference.kind() {
        Kind::Dataset | Kind::Model => reference.to_string(),
        _ => crate::resolve::pin(&*ctx.app.db.known(asked.known_at).await?, &reference, at, "/ref")
            .unwrap_or(reference.clone())
            .to_string(),
    };
    let found = ctx.app.db.look_up(move |conn| {
        let row = listing::by_reference(conn, kind, &text, asked.known_at)?;
        let row = row.ok_or_else(|| Error::NotFound(format!("there is no `{reference}`")))?;
        Ok((row.since_seq, shown(conn, vec![row], true)?))
    });
    let (seq, found) = found.await?;
    Ok(Reply::ok(&found.first())?.tagged(seq))
}

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
/// Query of the vocabularies.
pub struct Terms {
    /// One vocabulary, such as `dpv_purposes`.
    #[serde(default)]
    pub scheme: Option<String>,
    /// Words the label or IRI contains.
    #[serde(default)]
    pub q: Option<String>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
/// A term.
pub struct TermView {
    /// IRI, or Fideslang key.
    pub iri: String,
    /// Label.
    pub label: String,
    /// Vocabulary.
    pub scheme: String,
    /// Broader terms.
    pub parents: Vec<String>,
}

/// Terms of the vocabularies.
pub async fn terms(ctx: Ctx) -> Result<Reply> {
    let asked: Terms = ctx.query()?;
    let schemes = schemes();
    if asked.scheme.as_deref().is_some_and(|scheme| !schemes.contains(&scheme)) {
        return Err(Error::invalid("/scheme", format!("is no vocabulary: there are {}", schemes.join(", "))));
    }
    let wanted = asked.q.unwrap_or_default().to_lowercase();
    let items: Vec<TermView> = vocabulary()
        .terms()
        .iter()
        .filter(|t| asked.scheme.as_deref().is_none_or(|s| s == t.scheme))
        .filter(|t| t.label.to_lowercase().contains(&wanted) || t.iri.to_lowercase().contains(&wanted))
        .map(|t| TermView {
            iri: t.iri.clone(),
            label: t.label.clone(),
            scheme: t.scheme.to_owned(),
            parents: t.parents.clone(),
        })
        .collect();
    Reply::ok(&Page { items, next: None })
}

#[derive(serde::Serialize, schemars::JsonSchema)]
/// Whether the server lives.
pub struct Health {
    /// `ok`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// Why this server does not sign the ledger; absent where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsigned: Option<String>,
}

/// The process lives.
pub async fn health() -> Result<Reply> {
    alive(None)
}

fn alive(unsigned: Option<String>) -> Result<Reply> {
    Reply::ok(&Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), unsigned })
}

/// The database answers and the projection is as new as it.
pub async fn ready(ctx: Ctx) -> Result<Reply> {
    ctx.app.db.fresh().await?;
    match ctx.app.signing.trouble() {
        // What it answers now, it could not stand by later.
        Some(Trouble::Contradiction(why)) => Err(Error::Unavailable(why)),
        Some(Trouble::Unsigned(why)) => alive(Some(why)),
        None => alive(None),
    }
}

/// Figures for Prometheus.
pub async fn metrics(ctx: Ctx) -> Result<Reply> {
    use crate::db::Projection;
    let text = ctx.app.metrics.text(ctx.app.db.world().position())?;
    Ok(Reply::text("text/plain; version=0.0.4; charset=utf-8", text))
}

/// The OpenAPI document.
pub async fn openapi(app: web::Data<crate::app::App>) -> Result<Reply> {
    let document = app.openapi.clone();
    Ok(Reply::text("application/json", off_thread(move || document.text()).await?))
}
