//! Receipts, held against keys, files and the present moment, without a server.

use std::path::Path;

use chrono::Duration;
use licit_schemas::gate::Intent;
use licit_schemas::proof::receipt::verify::verify;
use licit_schemas::proof::receipt::{self, MOST};
use licit_schemas::proof::trust::{self, Check, Outcome, Trusted, Verified};
use licit_schemas::proof::{in_force, passport};
use licit_schemas::reference::Ref;
use licit_schemas::registry::ModelFile;
use licit_schemas::time::Timestamp;
use serde_json::{Value, json};

use crate::error::{Exit, Failure, Result};
use crate::output::{style, wrap};
use crate::{clock, source};

/// What is asked of a receipt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Question {
    /// Keys as given: texts or files.
    pub(crate) keys: Vec<String>,
    /// The deployment it must be of.
    pub(crate) deployment: Option<Ref>,
    /// The release it must be of.
    pub(crate) release: Option<Ref>,
    /// What it must allow.
    pub(crate) intent: Option<Intent>,
    /// Files found; absent, nobody looked.
    pub(crate) files: Option<Vec<ModelFile>>,
    /// How old the decision may be.
    pub(crate) max_age: Option<Duration>,
    /// Another moment than now.
    pub(crate) at: Option<Timestamp>,
}

/// What a file says, and whether it holds.
pub(crate) struct Asked {
    /// The worst that was found.
    pub(crate) outcome: Outcome,
    /// Every question, in order.
    pub(crate) checks: Vec<Check>,
    /// What it is about, where a trusted key signed it.
    about: Option<String>,
    statement: Value,
}

impl Asked {
    fn of<S: serde::Serialize>(verified: Verified<S>, about: impl FnOnce(&S) -> String) -> Self {
        Self {
            outcome: verified.outcome(),
            about: verified.statement.as_ref().map(about),
            statement: json!(verified.statement),
            checks: verified.checks,
        }
    }
}

/// Ask a receipt, or another file that a registry signed: each form has its questions.
///
/// # Errors
/// A file that cannot be read, a key that is none, or a question that this form does not answer: no verdict about a file.
pub(crate) fn ask(path: &Path, question: &Question) -> Result<Asked> {
    ask_bytes(&source::bytes(path, MOST)?, question)
}

/// [`ask`], of the bytes of a file.
pub(crate) fn ask_bytes(bytes: &[u8], question: &Question) -> Result<Asked> {
    let keys: Vec<Vec<Trusted>> = question.keys.iter().map(|key| trusted(key)).collect::<Result<_>>()?;
    let keys = keys.concat();
    let (deployment, release) = (question.deployment.as_ref(), question.release.as_ref());
    let (deployment, release) = (deployment.map(ToString::to_string), release.map(ToString::to_string));
    // A receipt is what the gate takes; whoever gives it something else is told so by its form.
    let form = trust::form(bytes).filter(|_| question.intent.is_none());
    if form.as_deref() == Some(passport::FORM) {
        if deployment.is_some() || release.is_some() {
            return Err(Failure::Usage("a passport is of a model, not of a deployment or release".to_owned()));
        }
        let (at, files) = (question.at.unwrap_or_else(clock::now), question.files.as_deref());
        let asked = passport::verify::Asked { keys: &keys, at, max_age: question.max_age, files };
        let verified = passport::verify::verify(bytes, &asked);
        return Ok(Asked::of(verified, |said| said.predicate.model.clone()));
    }
    if form.as_deref() == Some(in_force::FORM) {
        let verified = in_force::verify::verify(
            bytes,
            &in_force::verify::Asked {
                keys: &keys,
                now: clock::now(),
                moment: question.at,
                max_age: question.max_age,
                deployment: deployment.as_deref(),
                release: release.as_deref(),
                files: question.files.as_deref(),
            },
        );
        return Ok(Asked::of(verified, |said| format!("{} at {}", said.predicate.release, said.predicate.at)));
    }
    let verified = verify(
        bytes,
        &receipt::verify::Asked {
            keys: &keys,
            at: question.at.unwrap_or_else(clock::now),
            max_age: question.max_age,
            deployment: deployment.as_deref(),
            release: release.as_deref(),
            intent: question.intent,
            files: question.files.as_deref(),
        },
    );
    Ok(Asked::of(verified, |said| said.predicate.terms.release.clone()))
}

/// A key as text, or all that a file holds: one in PEM, or one a line.
fn trusted(given: &str) -> Result<Vec<Trusted>> {
    if let Ok(key) = given.parse() {
        return Ok(vec![key]);
    }
    let text = std::fs::read_to_string(given).map_err(|_| {
        Failure::Usage(format!(
            "`{given}` is neither a key nor a file of one: `licit ledger keys` names those of a ledger"
        ))
    })?;
    if let Ok(key) = text.parse() {
        return Ok(vec![key]);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Vec<Trusted> =
        lines.map(|line| line.parse().map_err(|e| Failure::plain(format!("`{given}`: {e}")))).collect::<Result<_>>()?;
    if keys.is_empty() { Err(Failure::plain(format!("`{given}` holds no key"))) } else { Ok(keys) }
}

/// Keys as they were given, as texts: what a file holds, line by line.
pub(crate) fn written(given: &str) -> Result<Vec<String>> {
    let text = match given.parse::<Trusted>() {
        Ok(_) => given.to_owned(),
        Err(_) => std::fs::read_to_string(given).map_err(|e| Failure::file("read", Path::new(given), &e))?,
    };
    // One in PEM has several lines.
    if text.parse::<Trusted>().is_ok() {
        return Ok(vec![text.trim().to_owned()]);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// The code that says what was found.
pub(crate) fn exit(verified: &Asked) -> Exit {
    match verified.outcome {
        Outcome::Holds => Exit::Done,
        Outcome::NotValid => Exit::Refused,
        Outcome::Broken => Exit::LedgerBroken,
    }
}

/// What was found, in a line for each question.
pub(crate) fn text(verified: &Asked) -> String {
    let word = match verified.outcome {
        Outcome::Holds => style::green("VALID"),
        Outcome::NotValid => style::red("NOT VALID"),
        Outcome::Broken => style::red("BROKEN"),
    };
    let about = verified.about.as_ref().map(|about| format!("  {about}")).unwrap_or_default();
    let mut out = format!("{word}{about}\n");
    for check in &verified.checks {
        let mark = match check.outcome {
            Outcome::Holds => style::green("✓"),
            _ => style::red("✗"),
        };
        let lines = wrap::wrapped(&format!("  {:<10} ", check.check), &check.says);
        out.push_str(&format!("{mark}{}", lines.strip_prefix(' ').unwrap_or(&lines)));
    }
    out
}

/// What was found, for machines.
pub(crate) fn answer(verified: &Asked) -> Value {
    json!({"outcome": verified.outcome, "checks": verified.checks, "statement": verified.statement})
}

/// A span of time: a number with `s`, `m`, `h` or `d`.
pub(crate) fn span(text: &str) -> std::result::Result<Duration, String> {
    let wrong = || "write it as a number with `s`, `m`, `h` or `d`, such as `24h`".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    Ok(Duration::seconds(i64::from(number) * seconds))
}

/// Keys and age, for every command that takes a receipt.
#[derive(Debug, clap::Args)]
pub(crate) struct Trust {
    /// Key you trust: as `licit ledger keys` writes it, an Ed25519 key in PEM, or a file of such; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    /// How old the decision may be, such as `24h`; it ends by itself, too
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) max_age: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_a_unit() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(Duration::seconds(seconds)));
        }
        for wrong in ["", "h", "24", "-1h", "1.5h", "1w", "24 h", "é"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
