//! `licit config`.

use std::io::Read;

use clap::Subcommand;

use crate::config;
use crate::context::Context;
use crate::error::{Exit, Failure, Result};
use crate::output::style;

/// The configuration file.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Write --url, --token and --team into the file, readable by you alone
    #[command(after_help = "`--token -` reads the token from stdin, so that it stands in no shell history.

Example:
  licit config set --url https://licit.example --token - < token.txt")]
    Set,
}

/// Run a command on the configuration file.
pub(crate) fn run(context: &Context, command: &Config) -> Result<Exit> {
    let Config::Set = command;
    let globals = context.globals();
    let path = globals.config.clone().or_else(config::default_path);
    let path =
        path.ok_or_else(|| Failure::plain("neither XDG_CONFIG_HOME nor HOME is set; name a file with --config"))?;
    let token = match globals.token.as_deref() {
        Some("-") => Some(from_stdin()?),
        Some("") | None => None,
        Some(token) => Some(token.to_owned()),
    };
    if globals.url.is_none() && token.is_none() && globals.team.is_empty() {
        return Err(Failure::Usage("nothing to write: give --url, --token, --team, or several".to_owned()));
    }
    let old = config::read(&path)?.unwrap_or_default();
    // A token belongs to the server it was issued by.
    let kept = if globals.url.is_some() && globals.url != old.url { None } else { old.token };
    let team = if globals.team.is_empty() { old.team } else { globals.team.clone() };
    config::write(&path, &config::Config { url: globals.url.clone().or(old.url), token: token.or(kept), team })?;
    let file = path.display().to_string();
    context.answer(&serde_json::json!({ "file": file }), || format!("{}  {file}", style::green("written")));
    Ok(Exit::Done)
}

fn from_stdin() -> Result<String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(10_000).read_to_string(&mut text);
    read.map_err(|e| Failure::plain(format!("cannot read the token from stdin: {e}")))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::plain("expected one token on stdin"));
    }
    Ok(token.to_owned())
}
