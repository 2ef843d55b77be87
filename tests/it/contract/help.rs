//! What `--help` says, as committed: every change of the command line shows in a diff.

use crate::cli::{bare, typed};

/// How the server is reached is said of every command, in the same words: here once.
fn shown(text: &str, words: &[String]) -> String {
    let (before, rest) = text.split_once("Server:\n").unwrap_or_else(|| panic!("{words:?}: {text}"));
    let inside = |line: &str| line.trim_end().is_empty() || line.starts_with(' ');
    let length = rest.split_inclusive('\n').take_while(|line| inside(line)).map(str::len).sum();
    let (server, after) = rest.split_at(length);
    assert!(server.contains("--url <URL>") && server.contains("--timeout <SECONDS>"), "{words:?}: {server}");
    if words.is_empty() { text.to_owned() } else { format!("{before}{after}") }
}

/// The help of a command, and of every command below it.
fn help(words: &[String], out: &mut String) {
    let (code, text, said) = typed(bare().args(words).arg("--help"), "");
    assert_eq!((code, said.as_str()), (0, ""), "licit {words:?} --help");
    let command = [&["$ licit".to_owned()], words, &["--help".to_owned()]].concat().join(" ");
    out.push_str(&format!("{command}\n\n{}\n\n\n", shown(&text, words).trim_end()));
    let commands = text.split_once("Commands:\n").map(|(_, rest)| rest).unwrap_or_default();
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        // A name stands two columns in; what is further in goes on about the one above.
        let name =
            line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split(' ').next());
        if let Some(name) = name.filter(|name| *name != "help") {
            help(&[words, &[name.to_owned()]].concat(), out);
        }
    }
}

#[test]
fn the_help_of_every_command_is_as_committed() {
    let mut text = String::new();
    help(&[], &mut text);
    assert!(text.matches("$ licit ").count() > 80, "{text}");
    crate::support::same_as_committed("tests/golden/help.txt", &text);
}

#[test]
fn help_fits_eighty_columns() {
    let mut text = String::new();
    help(&[], &mut text);
    // Usage lines are clap's, and not broken.
    let wide: Vec<&str> =
        text.lines().filter(|line| line.chars().count() > 80 && !line.starts_with("Usage: ")).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}
