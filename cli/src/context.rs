//! What every command is given: the global flags, the server they lead to, and the two ways to answer.

use std::time::Duration;

use serde::Serialize;

use crate::args::Globals;
use crate::client::Client;
use crate::config;
use crate::error::{Failure, Result};
use crate::output::decision::{self, Teams};
use crate::output::{self, style};

/// Where a server listens unless told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8700";

/// The surroundings of a command.
pub(crate) struct Context {
    globals: Globals,
}

impl Context {
    /// From the global flags.
    pub(crate) fn new(globals: Globals) -> Self {
        Self { globals }
    }

    /// The flags as given.
    pub(crate) fn globals(&self) -> &Globals {
        &self.globals
    }

    /// Whether the answer is for machines.
    pub(crate) fn json(&self) -> bool {
        self.globals.json
    }

    /// The server: flags and environment first, then the configuration file, then the default.
    pub(crate) fn client(&self) -> Result<Client> {
        let (mut url, mut token) = (self.globals.url.clone(), self.globals.token.clone().filter(|t| !t.is_empty()));
        if url.is_none() || token.is_none() {
            let config = match &self.globals.config {
                Some(path) => Some(config::read(path)?.ok_or_else(|| {
                    Failure::plain(format!("there is no file `{}`; `licit config set` writes one", path.display()))
                })?),
                None => config::default_path().map(|path| config::read(&path)).transpose()?.flatten(),
            };
            let config = config.unwrap_or_default();
            // A token belongs to the server it was written for: it does not follow a URL given otherwise.
            let same = url.is_none() || url.as_deref().map(bare) == config.url.as_deref().map(bare);
            token = token.or(config.token.filter(|_| same));
            url = url.or(config.url);
        }
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        Client::new(&url, token, Duration::from_secs(self.globals.timeout))
    }

    /// Another server: the token goes there only if it is the one it was given for.
    pub(crate) fn client_of(&self, url: &str) -> Result<Client> {
        let configured = self.globals.url.as_deref().unwrap_or(DEFAULT_URL);
        let token = self.globals.token.clone().filter(|t| !t.is_empty() && bare(configured) == bare(url));
        Client::new(url, token, Duration::from_secs(self.globals.timeout))
    }

    /// Whose findings are the caller's own: `--team`, else what the configuration file says, else the name the token belongs to.
    pub(crate) fn teams(&self, client: &Client) -> Teams {
        let own = self.stated_teams();
        if !own.is_empty() || self.json() {
            return Teams { own, stated: true };
        }
        // Only a grouping hangs on it: where the server does not say, everything waits for somebody.
        let name = client.get("/whoami", &[]).ok().and_then(|who| Some(who["name"].as_str()?.to_owned()));
        Teams { own: name.into_iter().collect(), stated: false }
    }

    fn stated_teams(&self) -> Vec<String> {
        let named = self.globals.team.iter().filter(|team| !team.is_empty()).cloned();
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            return named;
        }
        let path = self.globals.config.clone().or_else(config::default_path);
        let config = path.and_then(|path| config::read(&path).ok().flatten());
        config.map(|config| config.team).unwrap_or_default()
    }

    /// Answer: the API's JSON for machines, the text for people.
    pub(crate) fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) {
        if self.json() {
            output::print(&serde_json::to_string_pretty(value).unwrap_or_default());
        } else {
            output::print(&text());
        }
    }

    /// Say what went wrong. A machine gets the server's problem document on stdout.
    pub(crate) fn report(&self, failure: &Failure) {
        if let Failure::Problem(problem) = failure {
            if self.json() {
                output::print(&serde_json::to_string_pretty(problem).unwrap_or_default());
                return;
            }
            if let Some(refused) = &problem.decision {
                let teams = self.client().map(|client| self.teams(&client)).unwrap_or_default();
                output::print(&decision::text(refused, &teams));
                return;
            }
        }
        let text = failure.to_string();
        // Faults of a document carry their own place and are many: editors and pipelines read them line by line.
        if matches!(failure, Failure::Faults(_)) {
            output::warn(&text);
        } else {
            output::warn(&format!("{}: {text}", style::red("error")));
        }
    }
}

fn bare(url: &str) -> &str {
    url.trim_end_matches('/')
}
