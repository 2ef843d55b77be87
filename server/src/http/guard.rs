//! Every request passes here: it gets an id, is let in or not, is counted and logged, and leaves with a problem document if it
//! failed. A route that is not in the table does not exist.

use std::collections::HashMap;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use licit_schemas::problem::Fault;
use uuid::Uuid;

use super::openapi;
use super::route::{self, Route};
use super::{Failed, RequestId, problem};
use crate::access::{self, Caller};
use crate::app::App;
use crate::error::{Error, Result};

/// Unknown parameters named at most.
const MAX_FAULTS: usize = 10;

/// Routes by path pattern and method, and the query parameters each takes.
pub struct Table {
    routes: HashMap<&'static str, Vec<&'static Route>>,
    parameters: HashMap<&'static str, Vec<String>>,
}

impl Table {
    /// Over all routes.
    pub fn new(routes: &'static [Route]) -> Self {
        let mut table: HashMap<&'static str, Vec<&'static Route>> = HashMap::new();
        for route in routes {
            table.entry(route.path).or_default().push(route);
        }
        Self { routes: table, parameters: routes.iter().map(|r| (r.id, openapi::parameters(r))).collect() }
    }

    /// Refuse a parameter that a route does not know, also where it takes none: what is ignored would be believed to count.
    fn parameters(&self, route: &Route, query: &str) -> Result<()> {
        // Clients of a foreign protocol send what their version sends.
        if query.is_empty() || route.mlflow {
            return Ok(());
        }
        let known = self.parameters.get(route.id).map(Vec::as_slice).unwrap_or_default();
        let sent =
            web::Query::<Vec<(String, String)>>::from_query(query).map(web::Query::into_inner).unwrap_or_default();
        let faults = sent.iter().filter(|(name, _)| !known.contains(name)).take(MAX_FAULTS).map(|(name, _)| {
            let takes = match known {
                [] => "it takes none".to_owned(),
                names => format!("it takes {}", names.join(", ")),
            };
            let pointer = format!("/{}", name.chars().take(100).filter(|c| !c.is_control()).collect::<String>());
            Fault::new(&pointer, format!("is no parameter of `{}`: {takes}", route.id))
        });
        let faults: Vec<Fault> = faults.collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
    }

    fn find(&self, pattern: Option<&str>, method: &Method) -> Result<&'static Route> {
        let Some(routes) = pattern.and_then(|p| self.routes.get(p)) else {
            return Err(Error::NotFound("there is nothing at this path: `/docs/` shows what there is".to_owned()));
        };
        routes.iter().find(|r| r.answers(method)).copied().ok_or_else(|| {
            let offered: Vec<&str> = routes.iter().map(|r| r.method.as_str()).collect();
            Error::MethodNotAllowed(format!("this path offers {}", offered.join(", ")))
        })
    }
}

/// The middleware.
///
/// # Errors
/// None of its own: failures become problem documents.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let app = request.app_data::<web::Data<App>>().cloned();
    let pattern = request.match_pattern().map(|mounted| route::documented(&mounted));
    // Swagger UI serves its own files.
    let docs = request.path() == "/docs" || request.path().starts_with("/docs/");
    let admitted = if docs { Ok(None) } else { admit(&request, app.as_ref(), pattern.as_deref()).map(Some) };
    let mlflow = route::of_mlflow(request.path());
    let mut response = match admitted {
        Err(error) => request.into_response(problem(error, &id, mlflow)).map_into_boxed_body(),
        Ok(route) => {
            if let Some(route) = route {
                request.extensions_mut().insert(route);
            }
            // No clone of the request may be held here: the router takes it by unique reference.
            failed(next.call(request).await?, &id, mlflow)
        }
    };
    if let (Ok(name), Ok(value)) = (HeaderName::try_from("x-request-id"), HeaderValue::from_str(&id)) {
        response.headers_mut().insert(name, value);
    }
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    // Tiles alone say otherwise: they never change.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(app) = app {
        let status = response.status().as_u16();
        let label = pattern.filter(|_| status != 404).unwrap_or_else(|| "unknown".to_owned());
        app.metrics.request(known(&method), &label, status, started.elapsed());
        tracing::info!(request = %id, %method, path = %label, status, micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX), "request");
    }
    Ok(response)
}

/// The methods routes use; any other word is one label, or whoever asks could make labels without end.
fn known(method: &Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "other",
    }
}

/// A handler's error, turned into a response by actix, gets its document here.
fn failed<B: MessageBody + 'static>(response: ServiceResponse<B>, id: &str, mlflow: bool) -> ServiceResponse<BoxBody> {
    let marked = response.response().extensions().get::<Failed>().is_some();
    if marked && let Some(error) = response.response().error() {
        let http = response.request().clone();
        let document = match error.as_error::<Error>() {
            Some(error) => problem(error.copy(), id, mlflow),
            None => foreign(error, id, mlflow),
        };
        return ServiceResponse::new(http, document);
    }
    response.map_into_boxed_body()
}

/// What actix itself refused: a broken request.
fn foreign(error: &actix_web::Error, id: &str, mlflow: bool) -> actix_web::HttpResponse {
    let status = error.as_response_error().status_code();
    let ours = if status.is_client_error() {
        Error::Malformed(error.to_string(), Vec::new())
    } else {
        Error::Internal(error.to_string())
    };
    problem(ours, id, mlflow)
}

fn admit(request: &ServiceRequest, app: Option<&web::Data<App>>, pattern: Option<&str>) -> Result<&'static Route> {
    let app = app.ok_or_else(|| Error::Internal("no application".to_owned()))?;
    let route = app.table.find(pattern, request.method())?;
    if route.open || (route.published && app.public_log) {
        app.table.parameters(route, request.query_string())?;
        return Ok(route);
    }
    let caller = caller(request, app, route.mlflow)?;
    if !caller.may(route.roles) {
        let wanted: Vec<String> = route.roles.iter().map(crate::facts::word).collect();
        return Err(Error::Forbidden(format!("`{}` needs one of the roles {}", route.id, wanted.join(", "))));
    }
    app.table.parameters(route, request.query_string())?;
    request.extensions_mut().insert(caller);
    Ok(route)
}

fn caller(request: &ServiceRequest, app: &App, basic: bool) -> Result<Caller> {
    let header = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let bearer =
        header.and_then(|text| text.strip_prefix("Bearer ").or_else(|| text.strip_prefix("bearer "))).map(str::trim);
    let password = header.filter(|_| basic).and_then(password);
    let secret = bearer.map(str::to_owned).or(password);
    let Some(secret) = secret.filter(|s| !s.is_empty()) else {
        return Err(Error::Unauthenticated("send `Authorization: Bearer TOKEN`".to_owned()));
    };
    app.db.world().access.caller(&secret, crate::clock::now()).ok_or_else(access::not_in_force)
}

/// The token that is shown as a password; who it is shown as is not asked.
fn password(header: &str) -> Option<String> {
    use base64::Engine;
    let (scheme, text) = header.split_once(' ')?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (_, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
}

/// The caller's id of the request when it is a UUID, else one of ours: nothing else gets into the log.
fn request_id(request: &ServiceRequest) -> String {
    let sent = request.headers().get("x-request-id").and_then(|v| v.to_str().ok()).and_then(|t| t.parse::<Uuid>().ok());
    sent.unwrap_or_else(Uuid::now_v7).to_string()
}
