//! HTTP to the registry: one agent, JSON both ways, problems as errors.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use licit_schemas::problem::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};
use uuid::Uuid;

use crate::error::{Failure, Result};

/// An answer larger than this is not read on: a page of the ledger is some megabytes at most.
const MAX_ANSWER: u64 = 512 * 1024 * 1024;

/// How long the server may take to begin a stream.
const STREAM_PATIENCE: Duration = Duration::from_secs(30);

/// Seconds between attempts to reach a server that does not answer.
const PATIENCE: [u64; 4] = [1, 2, 5, 10];

/// Parameters of a query; absent values are left out.
pub(crate) type Query<'a> = &'a [(&'a str, Option<&'a str>)];

/// The registry, as seen from here.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Client {
    /// A client of the server at `url`.
    pub(crate) fn new(url: &str, token: Option<String>, timeout: Duration) -> Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let Some(rest) = rest else {
            return Err(Failure::Usage(format!("the URL `{url}` begins with neither `http://` nor `https://`")));
        };
        // Redirects are not followed: the token would go where the redirect says.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(timeout))
            .user_agent(concat!("licit/", env!("CARGO_PKG_VERSION")));
        let local = ["127.0.0.1", "localhost", "[::1]"].iter().any(|host| rest.starts_with(host));
        // A proxy of the environment is for the outside world: `licit demo` works behind one.
        let config = if local { config.proxy(None) } else { config };
        Ok(Self { agent: config.build().new_agent(), url, token })
    }

    /// `GET`, as the JSON that came.
    pub(crate) fn get(&self, path: &str, query: Query<'_>) -> Result<Value> {
        json(&self.get_text(path, query)?)
    }

    /// `GET`, as this type.
    pub(crate) fn get_as<T: DeserializeOwned>(&self, path: &str, query: Query<'_>) -> Result<T> {
        let text = self.get_text(path, query)?;
        serde_json::from_str(&text).map_err(|e| not_understood(&e))
    }

    /// `GET`, as text: DOT and trees are not JSON.
    pub(crate) fn get_text(&self, path: &str, query: Query<'_>) -> Result<String> {
        let request = self.request("GET", path, query);
        answered(request.body(()).map_err(|e| unsendable(&e)).and_then(|r| self.send(r))?)
    }

    /// `GET` of a file of the log (C2SP tlog-tiles), as the bytes that came.
    pub(crate) fn log(&self, path: &str) -> Result<Vec<u8>> {
        let request = self.to("GET", &format!("/log/{path}"), &[]).body(()).map_err(|e| unsendable(&e))?;
        bytes(self.send(request)?)
    }

    /// `GET` of a stream of text, line by line as it comes, however long that takes.
    pub(crate) fn lines(&self, path: &str, query: Query<'_>, mut each: impl FnMut(&str)) -> Result<()> {
        let request = self.request("GET", path, query).body(()).map_err(|e| unsendable(&e))?;
        // The stream says that it lives every quarter of a minute.
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(None)
            .timeout_connect(Some(STREAM_PATIENCE))
            .timeout_recv_response(Some(STREAM_PATIENCE))
            .build();
        let mut response = self.send(request)?;
        if response.status().as_u16() != 200 {
            return answered(response).map(|_| ());
        }
        for line in BufReader::new(response.body_mut().as_reader()).lines() {
            each(&line.map_err(|e| Failure::NotReached(format!("the stream broke off: {e}")))?);
        }
        Ok(())
    }

    /// `POST` of a document. The idempotency key makes a repetition by a proxy or by us register once.
    pub(crate) fn post(&self, path: &str, body: &impl Serialize) -> Result<Value> {
        self.write("POST", path, body, Uuid::now_v7(), None)
    }

    /// [`Self::post`], sent once more under the same key when the connection is lost: the server may have done it already.
    pub(crate) fn post_persistently(&self, path: &str, body: &impl Serialize) -> Result<Value> {
        let key = Uuid::now_v7();
        match self.write("POST", path, body, key, None) {
            Err(Failure::NotReached(_)) => self.write("POST", path, body, key, None),
            answer => answer,
        }
    }

    /// `PUT` over the state with this ledger position.
    pub(crate) fn put(&self, path: &str, body: &impl Serialize, seq: u64) -> Result<Value> {
        self.write("PUT", path, body, Uuid::now_v7(), Some(seq))
    }

    /// Send lines, each a JSON text, by this method.
    pub(crate) fn send_lines(
        &self,
        method: &str,
        path: &str,
        query: Query<'_>,
        content_type: &str,
        lines: &[u8],
    ) -> Result<Value> {
        let request = self.request(method, path, query).header("content-type", content_type);
        json(&answered(request.body(lines).map_err(|e| unsendable(&e)).and_then(|r| self.send(r))?)?)
    }

    /// `DELETE`.
    pub(crate) fn delete(&self, path: &str) -> Result<Value> {
        let request = self.request("DELETE", path, &[]);
        json(&answered(request.body(()).map_err(|e| unsendable(&e)).and_then(|r| self.send(r))?)?)
    }

    fn write(&self, method: &str, path: &str, body: &impl Serialize, key: Uuid, seq: Option<u64>) -> Result<Value> {
        let bytes = serde_json::to_vec(body).map_err(|e| Failure::plain(format!("cannot write the request: {e}")))?;
        let mut request = self.request(method, path, &[]).header("content-type", "application/json");
        request = match seq {
            Some(seq) => request.header("if-match", format!("\"{seq}\"")),
            None => request.header("idempotency-key", format!("\"{key}\"")),
        };
        json(&answered(request.body(bytes).map_err(|e| unsendable(&e)).and_then(|r| self.send(r))?)?)
    }

    fn request(&self, method: &str, path: &str, query: Query<'_>) -> ureq::http::request::Builder {
        self.to(method, &format!("/api/v1{path}"), query)
    }

    fn to(&self, method: &str, path: &str, query: Query<'_>) -> ureq::http::request::Builder {
        let mut uri = format!("{}{path}", self.url);
        let mut sign = '?';
        for (name, value) in query {
            if let Some(value) = value {
                uri.push(sign);
                uri.push_str(name);
                uri.push('=');
                uri.push_str(&percent(value));
                sign = '&';
            }
        }
        let request = Request::builder().method(method).uri(uri);
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn send<B: ureq::AsSendBody>(&self, request: Request<B>) -> Result<Response<Body>> {
        self.agent.run(request).map_err(|e| {
            Failure::NotReached(format!(
                "cannot reach the server at `{}`: {e}; check --url or LICIT_URL, and treat this as refused",
                self.url
            ))
        })
    }
}

/// Ask again while nobody answers. Only for requests that may be made twice.
pub(crate) fn persistently<T>(ask: impl Fn() -> Result<T>) -> Result<T> {
    for seconds in PATIENCE {
        match ask() {
            Err(Failure::NotReached(_)) => std::thread::sleep(Duration::from_secs(seconds)),
            Err(Failure::Problem(problem)) if problem.status == 503 => std::thread::sleep(Duration::from_secs(seconds)),
            answer => return answer,
        }
    }
    ask()
}

/// The text of a good answer; anything else is a problem.
fn answered(response: Response<Body>) -> Result<String> {
    String::from_utf8(bytes(response)?).map_err(|_| Failure::plain("the server's answer is not UTF-8"))
}

/// The bytes of a good answer; anything else is a problem.
fn bytes(mut response: Response<Body>) -> Result<Vec<u8>> {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    let read = response.body_mut().as_reader().take(MAX_ANSWER).read_to_end(&mut bytes);
    read.map_err(|e| Failure::NotReached(format!("the server's answer broke off: {e}")))?;
    if (200..300).contains(&status) {
        return Ok(bytes);
    }
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(problem) => Err(Failure::Problem(Box::new(problem))),
        // A proxy or another program answered: what it says is not ours to repeat at length.
        Err(_) if status >= 500 => Err(Failure::NotReached(format!("the server answered {status}"))),
        Err(_) => {
            Err(Failure::plain(format!("the server answered {status} without saying why; is this a Licit server?")))
        }
    }
}

fn json(text: &str) -> Result<Value> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|e| not_understood(&e))
}

/// An answer as the type it should be.
pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|e| not_understood(&e))
}

fn not_understood(error: &serde_json::Error) -> Failure {
    Failure::plain(format!("the server's answer is not what this version of licit expects: {error}"))
}

fn unsendable(error: &ureq::http::Error) -> Failure {
    Failure::Usage(format!("the URL or the token cannot be sent: {error}"))
}

/// A value of a query or a segment of a path: all but RFC 3986's unreserved characters as `%XX`.
pub(crate) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_byte_by_byte() {
        assert_eq!(percent("dataset:s3:%2F/a b@é"), "dataset%3As3%3A%252F%2Fa%20b%40%C3%A9");
    }

    #[test]
    fn a_url_without_scheme_is_a_usage_error() {
        let failure = Client::new("localhost:8700", None, Duration::from_secs(1)).err().unwrap();
        assert!(matches!(failure, Failure::Usage(_)), "{failure}");
    }

    #[test]
    fn a_server_that_is_not_there_is_not_reached() {
        // Port 9 (discard) is not listened on; a refused connection comes back at once.
        let client = Client::new("http://127.0.0.1:9/", None, Duration::from_secs(2)).unwrap();
        let failure = client.get("/whoami", &[]).unwrap_err();
        assert_eq!(failure.exit(), crate::error::Exit::NotReached, "{failure}");
    }
}
