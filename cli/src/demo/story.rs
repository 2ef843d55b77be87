//! Steps of the demo: run as a person would, shown with their result, held against what is told.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::Running;
use crate::error::{Exit, Failure, Result};
use crate::output::{self, style};

/// Who acts, and how the story goes.
pub(super) struct Story {
    program: PathBuf,
    home: PathBuf,
    url: String,
    tokens: BTreeMap<String, String>,
    steps: usize,
}

/// What a command said, without colours.
pub(super) struct Said {
    exit: i32,
    text: String,
    command: String,
}

impl Story {
    /// With the first administrator.
    pub(super) fn new(home: &Path, running: &Running) -> Result<Self> {
        let program =
            std::env::current_exe().map_err(|e| Failure::plain(format!("cannot find my own program: {e}")))?;
        let tokens = BTreeMap::from([("admin".to_owned(), running.admin.clone())]);
        Ok(Self { program, home: home.to_owned(), url: running.url.clone(), tokens, steps: 0 })
    }

    /// How many commands were run.
    pub(super) fn steps(&self) -> usize {
        self.steps
    }

    /// A heading, and what is going on.
    #[expect(clippy::unused_self, reason = "said by the story, like its commands")]
    pub(super) fn chapter(&self, title: &str, text: &str) {
        output::print(&format!("\n{}\n{}", style::bold(&format!("── {title} ")), output::wrap::wrapped("", text)));
    }

    /// Run a command as somebody, show it and its result, and hold its exit code against what is told.
    pub(super) fn does(&mut self, who: &str, command: &str, exit: Exit) -> Result<Said> {
        let shown = format!("licit {command}");
        output::print(&format!("{} {}", style::dim(&format!("{who} $")), style::bold(&shown)));
        let (said, colourful) = self.run(who, command)?;
        let indented: Vec<String> = masked(colourful.trim_end()).lines().map(|line| format!("  {line}")).collect();
        output::print(&indented.join("\n"));
        if said.exit != exit as i32 {
            return Err(otherwise(
                &said,
                &format!("it was to end with exit code {}, and ended with {}", exit as i32, said.exit),
            ));
        }
        Ok(said)
    }

    fn run(&mut self, who: &str, command: &str) -> Result<(Said, String)> {
        self.steps += 1;
        let token = self.tokens.get(who).cloned().unwrap_or_default();
        let mut child = Command::new(&self.program);
        child.args(words(command)).current_dir(&self.home).stdin(Stdio::null());
        child.env("LICIT_URL", &self.url).env("LICIT_TOKEN", token).env_remove("XDG_CONFIG_HOME");
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            child.env("CLICOLOR_FORCE", "1");
        }
        let output = child.output().map_err(|e| Failure::plain(format!("cannot run `licit {command}`: {e}")))?;
        let mut colourful = String::from_utf8_lossy(&output.stdout).into_owned();
        colourful.push_str(&String::from_utf8_lossy(&output.stderr));
        let text = anstream::adapter::strip_str(&colourful).to_string();
        Ok((Said { exit: output.status.code().unwrap_or(-1), text, command: format!("licit {command}") }, colourful))
    }

    /// A person or a service with a token of its own.
    pub(super) fn joins(&mut self, name: &str, actor: &str, roles: &[&str]) -> Result<String> {
        let created = self.does("admin", &format!("actor create {actor}"), Exit::Done)?;
        let id = created.after("actor")?;
        let roles: Vec<String> = roles.iter().map(|role| format!("--role {role}")).collect();
        let issued = self.does("admin", &format!("token create {id} --label demo {}", roles.join(" ")), Exit::Done)?;
        let token = issued.word(SECRET)?;
        self.tokens.insert(name.to_owned(), token);
        Ok(id)
    }

    /// Keep the server, and say how it is reached.
    pub(super) fn leave_running(&self, running: Running) -> Result<usize> {
        let mut text = format!("\n{}\n  export LICIT_URL={}\n", style::bold("the server keeps running"), self.url);
        for (name, token) in &self.tokens {
            text.push_str(&format!("  LICIT_TOKEN={token}   # {name}\n"));
        }
        text.push_str(&format!("  files: {}\n  stop:  kill {}", self.home.display(), running.pid()));
        output::print(&text);
        running.forget();
        Ok(self.steps)
    }
}

impl Said {
    /// The result names this.
    pub(super) fn names(&self, word: &str) -> Result<&Self> {
        // Lines are broken to fit: what is looked for may stand on two of them.
        let flat = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if flat.contains(word) { Ok(self) } else { Err(otherwise(self, &format!("its result was to name `{word}`"))) }
    }

    /// The result does not name this.
    pub(super) fn lacks(&self, word: &str) -> Result<&Self> {
        if self.text.contains(word) {
            Err(otherwise(self, &format!("its result was not to name `{word}`")))
        } else {
            Ok(self)
        }
    }

    /// The first word of the result that begins so.
    pub(super) fn word(&self, start: &str) -> Result<String> {
        let found = self.text.split_whitespace().find(|word| word.starts_with(start));
        found.map(str::to_owned).ok_or_else(|| otherwise(self, &format!("its result was to name a `{start}…`")))
    }

    /// The word of the result that follows this one.
    fn after(&self, word: &str) -> Result<String> {
        let found = self.text.split_whitespace().skip_while(|found| *found != word).nth(1);
        found.map(str::to_owned).ok_or_else(|| otherwise(self, &format!("its result was to name an id after `{word}`")))
    }
}

fn otherwise(said: &Said, why: &str) -> Failure {
    Failure::plain(format!("the story came out otherwise than told at `{}`: {why}", said.command))
}

/// What the server's secrets begin with.
const SECRET: &str = "licit_";

/// A result as others may see it: the demo is shown on screens and kept in logs. `--keep` tells the tokens at its end.
fn masked(text: &str) -> String {
    let mut parts = text.split(SECRET);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        // A word such as `licit_server` is none.
        out.push_str(SECRET);
        out.push_str(if part.len() - rest.len() == 64 { "…" } else { &part[..part.len() - rest.len()] });
        out.push_str(rest);
    }
    out
}

/// A command line as a shell splits it: at spaces outside double quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_not_shown() {
        let shown = super::masked(&format!("token  licit_{}\nid  1, licit_server", "ab".repeat(32)));
        assert_eq!(shown, "token  licit_…\nid  1, licit_server");
    }

    #[test]
    fn a_command_is_split_as_a_shell_splits_it() {
        assert_eq!(super::words("review create --title \"A b\" x"), ["review", "create", "--title", "A b", "x"]);
    }
}
