//! How far long work is, on a terminal and nowhere else.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar towards the whole; where that is not known, what was done.
pub(crate) fn progress(whole: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, form) = match whole {
        0 => (ProgressBar::no_length(), "{spinner} {pos}"),
        _ => (ProgressBar::new(whole), "{wide_bar} {percent}% {eta}"),
    };
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}
