//! What people see: text that fits the terminal, colour only where there is one.

use std::io::Write;

pub(crate) mod decision;
pub(crate) mod exposure;
pub(crate) mod junit;
pub(crate) mod private;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod resource;
pub(crate) mod sarif;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod wrap;

/// Write to stdout, with a line feed at the end. A closed pipe (`| head`) is the reader's choice, not our failure.
pub(crate) fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}

/// Write to stderr.
pub(crate) fn warn(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
