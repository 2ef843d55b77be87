//! The application put together: database, routes, guard, server.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use actix_web::guard::fn_guard;
use actix_web::{App as Actix, HttpServer, middleware, web};
use licit_schemas::access::TokenCreated;
use licit_schemas::text::Key;
use utoipa_swagger_ui::{Config as Docs, SwaggerUi};

use crate::adapters::openlineage::retention::Retention;
use crate::clock;
use crate::config::Config;
use crate::consent::upkeep::Upkeep;
use crate::db::Manager;
use crate::db::received::{deflated, inflated};
use crate::error::Error;
use crate::events::Settings;
use crate::events::deliver::Deliverer;
use crate::events::stream::Listeners;
use crate::facts::Db;
use crate::gate::gaps::Watch;
use crate::http::guard::{Table, guard};
use crate::http::openapi;
use crate::http::route::{self, Route};
use crate::ledger::signing::Signing;
use crate::metrics::Metrics;
use crate::routes::ROUTES;

/// What handlers share.
pub struct App {
    /// The database with its projection.
    pub db: Db,
    /// Figures.
    pub metrics: Metrics,
    /// What of the gaps was judged last.
    pub gaps: Watch,
    /// How events are told.
    pub settings: Settings,
    /// Who listens to the stream of events.
    pub listeners: Arc<Listeners>,
    /// How many events may wait in quarantine; 0: any number.
    pub quarantine: u32,
    /// How many exports are being written.
    pub exports: Arc<crate::reports::exports::Turns>,
    /// Who signs the ledger.
    pub signing: Arc<Signing>,
    /// Whether checkpoint, tiles and entries are read without a token.
    pub public_log: bool,
    /// How the door for clients of `MLflow` is set.
    pub mlflow: crate::adapters::mlflow::Settings,
    /// Routes by path and method.
    pub table: Table,
    /// The OpenAPI document.
    pub openapi: Arc<Openapi>,
}

/// Open the database as configured.
///
/// # Errors
/// A sentence for the operator.
pub fn open(config: &Config) -> Result<Db, String> {
    Db::open(Manager::new(&config.database_url)?, config.readers)
}

/// The OpenAPI document as it is served: made when it is first asked for, and kept small. Two megabytes of text lie in no memory of a
/// server that nobody asks for them.
#[derive(Default)]
pub struct Openapi(OnceLock<Vec<u8>>);

impl Openapi {
    /// Its text.
    ///
    /// # Errors
    /// None in memory.
    pub fn text(&self) -> Result<String, Error> {
        let kept = match self.0.get() {
            Some(kept) => kept,
            None => {
                let made = deflated(openapi_text().as_bytes())?;
                self.0.get_or_init(|| made)
            }
        };
        String::from_utf8(inflated(kept)?).map_err(|e| Error::Internal(format!("the document is broken: {e}")))
    }
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

/// What answers at a path.
fn resource(path: &str, routes: &[&'static Route]) -> actix_web::Resource {
    routes.iter().fold(web::resource(path), |resource, &route| {
        let answers = fn_guard(|asked| route.answers(&asked.head().method));
        resource.route((route.mount)().guard(answers))
    })
}

/// Serve until told to stop. `listening` gets the address once connections are accepted.
///
/// # Errors
/// A sentence for the operator.
pub async fn serve(
    db: Db,
    signing: Arc<Signing>,
    config: &Config,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), String> {
    let metrics = Metrics::new().map_err(|e| format!("metrics: {e}"))?;
    let app = web::Data::new(App {
        db: db.clone(),
        metrics,
        gaps: Watch::default(),
        settings: config.events(),
        listeners: Arc::default(),
        quarantine: config.lineage_quarantine_most,
        exports: Arc::default(),
        signing: signing.clone(),
        public_log: config.public_log,
        mlflow: config.mlflow()?,
        table: Table::new(ROUTES),
        openapi: Arc::default(),
    });
    let (data, looked, listeners) = (app.clone(), app.clone(), app.listeners.clone());
    let server = HttpServer::new(move || {
        // Told only where the document is: given the document itself, every worker would hold a parsed copy, megabytes each.
        let docs = SwaggerUi::new("/docs/{_:.*}").config(Docs::from("/openapi.json"));
        let mut actix = Actix::new()
            .app_data(data.clone())
            .wrap(middleware::from_fn(guard))
            .route("/docs", web::get().to(|| async { web::Redirect::to("/docs/").see_other() }));
        let groups = route::grouped(ROUTES);
        for (path, routes) in groups.plain {
            actix = actix.service(resource(&path, &routes));
        }
        for (before, group) in groups.scopes {
            let scope = web::scope(&before);
            actix =
                actix.service(group.iter().fold(scope, |scope, (rest, routes)| scope.service(resource(rest, routes))));
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
    let asked = actix_web::rt::spawn(told_to_stop(listeners)?);
    listening(address);
    let deliverer = Deliverer::start(db.clone(), config.events(), crate::adapters::mlflow::hooks::FORM)?;
    let upkeep = Upkeep::start(db.clone())?;
    let follower = actix_web::rt::spawn(follow(db.clone()));
    let looker =
        (config.look_seconds > 0).then(|| actix_web::rt::spawn(look(looked, Duration::from_secs(config.look_seconds))));
    let notary = actix_web::rt::spawn(sign(db.clone(), signing, Duration::from_secs(config.checkpoint_seconds)));
    let keeper = actix_web::rt::spawn(keep(db.clone(), config.retention()));
    let outcome = match early {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => running.await,
    };
    let outcome = outcome.map_err(|e| format!("the server broke: {e}"));
    follower.abort();
    notary.abort();
    keeper.abort();
    asked.abort();
    if let Some(looker) = looker {
        looker.abort();
    }
    web::block(move || {
        deliverer.stop();
        upkeep.stop();
        db.close();
    })
    .await
    .map_err(|e| format!("the writer could not be stopped: {e}"))?;
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

/// Foreign events are kept for a time, and so many: what is beyond is erased at the start, and once an hour.
async fn keep(db: Db, bounds: Retention) {
    let mut after = 0;
    loop {
        match crate::adapters::openlineage::retention::expire(&db, bounds, clock::now(), after).await {
            Ok(last) => after = last,
            Err(error) => tracing::warn!(%error, "events beyond their time could not be erased"),
        }
        actix_web::rt::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// Sign the ledger at the start, which finds out whether it still continues what was signed, and then every so often; never, but
/// when somebody asks, where that is 0.
async fn sign(db: Db, signing: Arc<Signing>, every: Duration) {
    loop {
        // What keeps it from being signed stands in the log already.
        if let Err(error) = signing.checkpoint(&db).await {
            tracing::debug!(%error, "no checkpoint was made");
        }
        if every.is_zero() {
            return;
        }
        actix_web::rt::time::sleep(every).await;
    }
}

/// A stream would go on until its time to drain is over: it ends as soon as the server is told to stop.
fn told_to_stop(listeners: Arc<Listeners>) -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let on = |kind| signal(kind).map_err(|e| format!("signals cannot be heard: {e}"));
    let (mut term, mut int, mut quit) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?, on(SignalKind::quit())?);
    Ok(async move {
        std::future::poll_fn(|cx| {
            let told = term.poll_recv(cx).is_ready() | int.poll_recv(cx).is_ready() | quit.poll_recv(cx).is_ready();
            if told { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        listeners.stop();
    })
}

/// What opens or closes a gap may be the passing of time alone: the server notices by itself. Where judging takes long, it rests
/// ten times as long: who writes does not wait for who looks.
async fn look(app: web::Data<App>, every: Duration) {
    let mut rest = every;
    loop {
        actix_web::rt::time::sleep(rest).await;
        let begun = std::time::Instant::now();
        if let Err(error) = crate::gate::api::look(&app.db, &app.gaps, clock::now()).await {
            tracing::warn!(%error, "gaps could not be looked for");
        }
        rest = every.max(begun.elapsed() * 10);
    }
}
