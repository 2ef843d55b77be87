//! What is known of a route besides its handler: who may, how much, what goes in and out. The router, the guard, the OpenAPI
//! document and the tests all read the same table.

use std::collections::HashMap;

use actix_web::http::Method;
use licit_schemas::access::Role;
use licit_schemas::document::Document;
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// Bytes a body may have unless its route says otherwise.
pub const DEFAULT_LIMIT: usize = 1 << 20;

/// Makes a component of the OpenAPI document.
pub type Component = fn(&mut SchemaGenerator) -> Schema;

/// One route.
pub struct Route {
    /// Method.
    pub method: Method,
    /// Path, with `{parameters}`.
    pub path: &'static str,
    /// Operation id: verb and resource, as in the tests.
    pub id: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Roles that may; none for open routes.
    pub roles: &'static [Role],
    /// Whether no token is asked for.
    pub open: bool,
    /// Whether no token is asked for where the log is public (`--public-log`).
    pub published: bool,
    /// Bytes the body may have.
    pub limit: usize,
    /// Schema of the body.
    pub takes: Option<Component>,
    /// Content type of a body that is no document, such as lines.
    pub lines: Option<&'static str>,
    /// Whether the body is any JSON, by another's schema; it may be compressed (gzip), and its limit is that of what it unfolds to.
    pub foreign: bool,
    /// Whether it is a route of `MLflow`: parameters it does not know are passed over, its errors are those of that protocol, its
    /// callers may show their token as a password, and it answers under `/ajax-api`, too.
    pub mlflow: bool,
    /// Schema of the query.
    pub query: Option<Component>,
    /// Schema of the answer; none for no or non-JSON bodies.
    pub gives: Option<Component>,
    /// Content type of the answer.
    pub content_type: &'static str,
    /// Whether people get the same as a page of HTML.
    pub page: bool,
    /// Statuses of success.
    pub success: &'static [u16],
    /// Whether it takes an idempotency key.
    pub keyed: bool,
    /// Whether it asks for `If-Match`.
    pub matched: bool,
    /// Whether HEAD is answered as the GET, without its body.
    pub headed: bool,
    /// Makes the handler.
    pub mount: fn() -> actix_web::Route,
}

/// Names of path parameters that go on to the end, over slashes: tiles have such names, and artifacts.
const TAILS: [(&str, &str); 2] = [("{tile}", "{tile:.+}"), ("{artifact}", "{artifact:.+}")];

/// Under which the routes of `MLflow` stand, and under which they are answered, too.
const MLFLOW: [&str; 2] = ["/api/2.0/", "/ajax-api/2.0/"];

/// A path as the router wants it.
pub fn mounted(path: &str) -> String {
    TAILS.iter().fold(path.to_owned(), |path, (tail, mounted)| path.replace(tail, mounted))
}

/// Paths in the order the router is to look at them.
pub struct Groups {
    /// Those without parameters, which are compared as they are.
    pub plain: Vec<Placed>,
    /// The others by what stands before their first parameter, and of each what follows.
    pub scopes: Vec<(String, Vec<Placed>)>,
}

/// A path, and the routes that answer there.
pub type Placed = (String, Vec<&'static Route>);

/// The paths of routes, grouped: a request is held against the few patterns that begin as it does. Against all of them, one after the
/// other, it would cost more than most answers.
pub fn grouped(routes: &'static [Route]) -> Groups {
    let mut all: Vec<Placed> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (route, path) in routes.iter().flat_map(|route| places(route).into_iter().map(move |path| (route, path))) {
        let at = *known.entry(path.clone()).or_insert_with(|| {
            all.push((path, Vec::new()));
            all.len() - 1
        });
        all[at].1.push(route);
    }
    let before = |path: &str| path.find('{').and_then(|at| path[..at].rfind('/'));
    let mut begins: Vec<String> = all.iter().filter_map(|(path, _)| Some(path[..before(path)?].to_owned())).collect();
    begins.sort_by_key(String::len);
    let mut groups = Groups { plain: Vec::new(), scopes: Vec::new() };
    for (path, routes) in all {
        // What is in no group of its own is in that of the shortest beginning, so that no group hides what another answers.
        let within = |begin: &&String| path.strip_prefix(begin.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let Some(begin) = before(&path).and_then(|_| begins.iter().find(within)) else {
            groups.plain.push((path, routes));
            continue;
        };
        let rest = path[begin.len()..].to_owned();
        match groups.scopes.iter_mut().find(|(known, _)| known == begin) {
            Some((_, group)) => group.push((rest, routes)),
            None => groups.scopes.push((begin.clone(), vec![(rest, routes)])),
        }
    }
    groups
}

/// Every path at which a route is answered, as the router wants it.
pub fn places(route: &Route) -> Vec<String> {
    let own = mounted(route.path);
    let [first, second] = MLFLOW;
    let other = own.strip_prefix(first).filter(|_| route.mlflow).map(|rest| format!("{second}{rest}"));
    std::iter::once(own).chain(other).collect()
}

/// A path as the table of routes and the OpenAPI document have it.
pub fn documented(pattern: &str) -> String {
    let own = TAILS.iter().fold(pattern.to_owned(), |path, (tail, mounted)| path.replace(mounted, tail));
    let [first, second] = MLFLOW;
    own.strip_prefix(second).map(|rest| format!("{first}{rest}")).unwrap_or(own)
}

/// Whether a path is one of `MLflow`, whether there is anything or not.
pub fn of_mlflow(path: &str) -> bool {
    let parts = path.split('/').nth(3).unwrap_or_default();
    (path.starts_with("/api/") || path.starts_with("/ajax-api/")) && parts.starts_with("mlflow")
}

fn component<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Route {
    const fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            roles: &[],
            open: false,
            published: false,
            limit: DEFAULT_LIMIT,
            takes: None,
            lines: None,
            foreign: false,
            mlflow: false,
            query: None,
            gives: None,
            content_type: "application/json",
            page: false,
            success: &[200],
            keyed: false,
            matched: false,
            headed: false,
            mount,
        }
    }

    /// A GET.
    pub const fn get(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self::new(Method::GET, path, id, summary, mount)
    }

    /// A POST.
    pub const fn post(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self::new(Method::POST, path, id, summary, mount)
    }

    /// A PUT.
    pub const fn put(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self::new(Method::PUT, path, id, summary, mount)
    }

    /// A PATCH.
    pub const fn patch(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self::new(Method::PATCH, path, id, summary, mount)
    }

    /// A DELETE.
    pub const fn delete(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        mount: fn() -> actix_web::Route,
    ) -> Self {
        Self::new(Method::DELETE, path, id, summary, mount)
    }

    /// Roles that may.
    pub const fn may(mut self, roles: &'static [Role]) -> Self {
        self.roles = roles;
        self
    }

    /// No token asked for.
    pub const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Without a token where the log is public.
    pub const fn published(mut self) -> Self {
        self.published = true;
        self
    }

    /// The body.
    pub const fn takes<T: Document>(mut self) -> Self {
        self.takes = Some(component::<T>);
        self
    }

    /// The body, line by line.
    pub const fn takes_lines(mut self, content_type: &'static str) -> Self {
        self.lines = Some(content_type);
        self
    }

    /// The body, any JSON that may be compressed.
    pub const fn takes_foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    /// The body, bytes of any kind.
    pub const fn takes_bytes(mut self) -> Self {
        self.lines = Some("application/octet-stream");
        self
    }

    /// A route of `MLflow`.
    pub const fn mlflow(mut self) -> Self {
        self.mlflow = true;
        self
    }

    /// The query.
    pub const fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(component::<T>);
        self
    }

    /// The answer.
    pub const fn gives<T: JsonSchema>(mut self) -> Self {
        self.gives = Some(component::<T>);
        self
    }

    /// An answer that is not JSON.
    pub const fn gives_text(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// People get the same as a page of HTML, unless they ask for JSON.
    pub const fn as_page(mut self) -> Self {
        self.page = true;
        self
    }

    /// Statuses of success.
    pub const fn success(mut self, statuses: &'static [u16]) -> Self {
        self.success = statuses;
        self
    }

    /// A larger body.
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Takes an idempotency key.
    pub const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    /// Asks for `If-Match`.
    pub const fn matched(mut self) -> Self {
        self.matched = true;
        self
    }

    /// Answers HEAD, too: probes ask so.
    pub const fn headed(mut self) -> Self {
        self.headed = true;
        self
    }

    /// Whether it answers this method.
    pub fn answers(&self, method: &Method) -> bool {
        self.method == *method || (self.headed && *method == Method::HEAD)
    }
}
