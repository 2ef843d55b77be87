//! How a command ends: exit codes, and what can go wrong.

use std::process::ExitCode;

use licit_schemas::problem::Problem;
use thiserror::Error;

/// Exit codes are an API: pipelines branch on them. `licit --help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Allowed, or done.
    Done = 0,
    /// Something failed.
    Failure = 1,
    /// The command line was wrong; clap uses the same number.
    Usage = 2,
    /// The gate refused.
    Refused = 3,
    /// The ledger does not verify.
    LedgerBroken = 4,
    /// The server could not be asked: a pipeline treats it as refused.
    NotReached = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A sentence.
    #[error("{0}")]
    Plain(String),
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// Every fault of a document, one line each.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    /// What the server answered.
    #[error("{}", sentence(.0))]
    Problem(Box<Problem>),
    /// No answer, or none that can be relied on.
    #[error("{0}")]
    NotReached(String),
    /// The ledger and what it says of itself differ.
    #[error("{0}")]
    LedgerBroken(String),
}

/// Result of a command or a part of one.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this sentence.
    pub(crate) fn plain(sentence: impl Into<String>) -> Self {
        Self::Plain(sentence.into())
    }

    /// A file could not be read or written.
    pub(crate) fn file(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Plain(format!("cannot {what} `{}`: {error}", path.display()))
    }

    /// The code the program ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Plain(_) | Self::Faults(_) => Exit::Failure,
            Self::Usage(_) => Exit::Usage,
            Self::Problem(problem) if problem.decision.is_some() => Exit::Refused,
            Self::Problem(problem) if problem.status >= 500 => Exit::NotReached,
            Self::Problem(_) => Exit::Failure,
            Self::NotReached(_) => Exit::NotReached,
            Self::LedgerBroken(_) => Exit::LedgerBroken,
        }
    }
}

/// A problem document as sentences: the detail, then every fault by its pointer.
fn sentence(problem: &Problem) -> String {
    let told = problem.detail.as_ref().unwrap_or(&problem.title);
    // Some details only repeat the faults that follow.
    let repeated = !problem.errors.is_empty() && problem.errors.iter().all(|fault| told.contains(&fault.detail));
    let mut text = if repeated { problem.title.clone() } else { told.clone() };
    for fault in &problem.errors {
        text.push_str(&format!("\n  {}: {}", fault.pointer.trim_start_matches('#'), fault.detail));
    }
    match problem.status {
        401 => text.push_str("\nset LICIT_TOKEN, or run `licit config set --token -`"),
        409 if told.contains("If-Match") => text.push_str("\n`--replace` does that"),
        500.. => {
            if let Some(request) = &problem.instance {
                text.push_str(&format!("\nthe server's log says more under request `{request}`"));
            }
        }
        _ => {}
    }
    text
}
