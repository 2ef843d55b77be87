//! What happens, told to others: gaps that the server notices by itself, webhooks, the stream.

mod alone;
mod stream;
mod webhooks;

use harness::Scenario;
use serde_json::Value;

/// A server that posts to this machine, and tries again at once as often as said.
pub(crate) fn told(retry: &str) -> Scenario {
    Scenario::empty_with(&["--webhooks-allow-private", "--webhooks-retry", retry])
}

/// Subscribe a receiver to some kinds; id and secret.
#[track_caller]
pub(crate) fn subscribe(s: &Scenario, url: &str, kinds: &[&str]) -> (String, String) {
    let created = s.server.admin().post("/api/v1/webhooks", &serde_json::json!({"url": url, "kinds": kinds})).good();
    let text = |name: &str| created[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

/// A receiver as the administrator sees it.
#[track_caller]
pub(crate) fn shown(s: &Scenario, id: &str) -> Value {
    s.server.admin().get(&format!("/api/v1/webhooks/{id}")).good()
}
