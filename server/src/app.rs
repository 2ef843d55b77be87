//! The application put together: database, routes, guard, server.

use std::future::Future;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use actix_web::{App as Actix, HttpServer, middleware, web};
use licit_schemas::access::TokenCreated;
use licit_schemas::text::Key;

use crate::clock;
use crate::config::Config;
use crate::db::Manager;
use crate::error::Error;
use crate::facts::Db;
use crate::http::guard::{Table, guard};
use crate::http::openapi;
use crate::metrics::Metrics;
use crate::routes::ROUTES;

/// What handlers share.
pub struct App {
    /// The database with its projection.
    pub db: Db,
    /// Figures.
    pub metrics: Metrics,
    /// Routes by path and method.
    pub table: Table,
    /// The OpenAPI document, made once.
    pub openapi: String,
}

/// Open the database as configured.
///
/// # Errors
/// A sentence for the operator.
pub fn open(config: &Config) -> Result<Db, String> {
    Db::open(Manager::new(&config.database_url)?, config.readers)
}

/// The OpenAPI document of this program.
pub fn openapi_text() -> String {
    let mut text = serde_json::to_string_pretty(&openapi::document(ROUTES)).unwrap_or_default();
    text.push('\n');
    text
}

/// Let the first administrator in. Later starts never do: a token was issued then.
///
/// # Errors
/// A sentence for the operator.
pub fn bootstrap(db: &Db, config: &Config) -> Result<Option<TokenCreated>, String> {
    if db.world().access.has_tokens() {
        return Ok(None);
    }
    let given = match (&config.bootstrap_token, &config.bootstrap_token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(path)) => {
            Some(std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?)
        }
        (None, None) => None,
    };
    let secret = match given {
        Some(text) => checked(text.trim())?,
        None => crate::access::operations::new_secret().map_err(|e| e.to_string())?,
    };
    let label: Key = "bootstrap".parse().map_err(|e| format!("label: {e}"))?;
    let created = db
        .write_blocking(uuid::Uuid::nil(), clock::now(), move |tx| {
            // Two servers may start together on one database: the first one's token stands.
            if tx.world().access.has_tokens() {
                return Ok(None);
            }
            crate::access::operations::admin(tx, &secret, &label).map(Some)
        })
        .map_err(|e: Error| e.to_string())?;
    Ok(created)
}

fn checked(token: &str) -> Result<String, String> {
    let digits = token.strip_prefix("licit_").unwrap_or(token);
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(token.to_owned())
    } else {
        Err("the bootstrap token must be 64 hexadecimal digits (256 random bits), with or without `licit_` before them"
            .to_owned())
    }
}

/// Whether it may listen there; asked before anything is opened, so that a refused start leaves nothing behind.
///
/// # Errors
/// A sentence for the operator.
pub fn may_listen(config: &Config) -> Result<(), String> {
    if config.listen.ip().is_loopback() || config.behind_proxy {
        return Ok(());
    }
    Err(format!(
        "refusing to listen on {} without TLS: put a proxy in front and say --behind-proxy, or listen on 127.0.0.1",
        config.listen
    ))
}

/// Serve until told to stop. `listening` gets the address once connections are accepted.
///
/// # Errors
/// A sentence for the operator.
pub async fn serve(db: Db, config: &Config, listening: impl FnOnce(SocketAddr)) -> Result<(), String> {
    let metrics = Metrics::new().map_err(|e| format!("metrics: {e}"))?;
    let app = web::Data::new(App { db: db.clone(), metrics, table: Table::new(ROUTES), openapi: openapi_text() });
    let document: serde_json::Value = serde_json::from_str(&app.openapi).unwrap_or_default();
    let data = app.clone();
    let server = HttpServer::new(move || {
        let docs =
            utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}").external_url_unchecked("/openapi.json", document.clone());
        let mut actix = Actix::new()
            .app_data(data.clone())
            .wrap(middleware::from_fn(guard))
            .route("/docs", web::get().to(|| async { web::Redirect::to("/docs/").see_other() }));
        let mut paths: Vec<&str> = ROUTES.iter().map(|r| r.path).collect();
        paths.dedup();
        for path in paths {
            let mut resource = web::resource(path);
            for route in ROUTES.iter().filter(|r| r.path == path) {
                resource = resource.route((route.mount)().method(route.method.clone()));
            }
            actix = actix.service(resource);
        }
        actix.service(docs)
    })
    .shutdown_timeout(config.drain_seconds)
    .client_request_timeout(Duration::from_secs(10))
    .keep_alive(Duration::from_secs(75))
    .max_connections(10_000);
    let server = if config.workers > 0 { server.workers(config.workers) } else { server };
    let server = server.bind(config.listen).map_err(|e| format!("cannot listen on {}: {e}", config.listen))?;
    let address = server.addrs().first().copied().ok_or("no address to listen on")?;
    let mut running = std::pin::pin!(server.run());
    // The first poll starts the workers and takes the signals: told to stop before it, the program would die without draining.
    let early = std::future::poll_fn(|cx| Poll::Ready(running.as_mut().poll(cx))).await;
    listening(address);
    let follower = actix_web::rt::spawn(follow(db.clone()));
    let outcome = match early {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => running.await,
    };
    let outcome = outcome.map_err(|e| format!("the server broke: {e}"));
    follower.abort();
    web::block(move || db.close()).await.map_err(|e| format!("the writer could not be stopped: {e}"))?;
    outcome
}

/// Other servers write to the same database: what they revoke must count here within a second.
async fn follow(db: Db) {
    loop {
        actix_web::rt::time::sleep(Duration::from_secs(1)).await;
        if let Err(error) = db.fresh().await {
            tracing::warn!(%error, "the ledger's head could not be read");
        }
    }
}
