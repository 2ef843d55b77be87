//! The workflows that `licit ci init` writes, run as written: every step that is a shell script, against a real server.

use std::path::Path;
use std::process::Command;

use harness::Client;

use super::command::{Filed, filed};
use crate::ledger::ring;
use crate::support::{licit, licit_in};

/// A folder in which the program has its own name.
fn named(folder: &Path) -> String {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_cli-under-test"), bin.join("licit")).unwrap();
    format!("{}:{}", bin.display(), std::env::var("PATH").unwrap())
}

/// One script, as a runner runs it: exit code, and what it said.
fn run(f: &Filed, client: &Client, path: &str, script: &str) -> (i32, String) {
    let mut command = Command::new("bash");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICIT_")) {
        command.env_remove(name);
    }
    let out = command
        .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script])
        .current_dir(f.folder.path())
        .env("PATH", path)
        .env("LICIT_URL", &client.url)
        .env("LICIT_TOKEN", client.token.as_deref().unwrap_or_default())
        .env("LICIT_KEY", ring(&f.s.audit).keys[0].key.to_string())
        .output()
        .unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

/// Steps of GitHub Actions that are scripts, each with the event it is for.
fn steps(workflow: &str) -> Vec<(Option<&str>, String)> {
    let mut steps = Vec::new();
    for step in workflow.split("\n      - ").skip(1) {
        let event = step.lines().find_map(|line| line.trim().strip_prefix("if: github.event_name == "));
        let Some((_, script)) = step.split_once("run: |\n") else { continue };
        let lines = script.lines().take_while(|line| line.starts_with("          "));
        steps.push((
            event.map(|event| event.trim_matches('\'')),
            lines.map(|line| format!("{}\n", &line[10..])).collect(),
        ));
    }
    steps
}

#[test]
fn a_workflow_of_github_runs_as_written() {
    let f = filed();
    let path = named(f.folder.path());
    let init = ["ci", "init", "github", "score-prod", "--artifact", "model/"];
    let (code, _, said) = licit_in(&f.s.ci, Some(f.folder.path()), &init);
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = licit_in(&f.s.ci, Some(f.folder.path()), &init);
    assert_eq!((code, said.contains("--force")), (1, true), "{said}");
    let text = std::fs::read_to_string(f.at(".github/workflows/licit.yml")).unwrap();
    let steps = steps(&text);
    assert_eq!(steps.len(), 4, "{steps:?}");
    let event = |event: &str, client: &Client| -> Vec<i32> {
        let of = steps.iter().filter(|(own, _)| own.is_none_or(|own| own == event));
        of.map(|(_, script)| run(&f, client, &path, script).0).collect()
    };
    assert_eq!(event("pull_request", &f.s.ci), [0, 0]);
    assert!(!Path::new(&f.at("licit.receipt")).exists(), "nothing is recorded of a proposal");
    assert_eq!(event("push", &f.s.ci), [0, 0, 0]);
    assert!(Path::new(&f.at("licit.receipt")).exists() && Path::new(&f.at("licit.sarif")).exists());
    // Nobody answers: refused, with a report, and no receipt of before.
    assert_eq!(event("push", &Client::new("http://127.0.0.1:9", f.s.ci.token.as_deref())), [0, 5, 1]);
    assert!(std::fs::read_to_string(f.at("licit.sarif")).unwrap().contains("executionSuccessful\": false"));
    // Other bytes, then another will of the board.
    std::fs::write(f.at("model/z"), "changed").unwrap();
    assert_eq!(event("push", &f.s.ci), [0, 3, 1]);
    f.s.revoke("basis:scoring-contract", 0);
    assert_eq!(event("pull_request", &f.s.ci), [0, 3]);
}

#[test]
fn jobs_of_gitlab_run_as_written() {
    let f = filed();
    let path = named(f.folder.path());
    let init = ["ci", "init", "gitlab", "score-prod", "--artifact", "model/"];
    assert_eq!(licit_in(&f.s.ci, Some(f.folder.path()), &init).0, 0);
    let text = std::fs::read_to_string(f.at(".gitlab-ci.yml")).unwrap();
    let have = text.split_once("before_script:\n    - |\n").unwrap().1;
    let have: String =
        have.lines().take_while(|line| line.starts_with("      ")).map(|line| format!("{}\n", &line[6..])).collect();
    let job = |name: &str| -> String {
        let job = text.split_once(&format!("\n{name}:\n")).unwrap().1;
        let script = job.split_once("  script:\n").unwrap().1;
        let lines = script.lines().take_while(|line| line.starts_with("    "));
        let commands = lines.filter_map(|line| line.strip_prefix("    - ")).map(|line| format!("{line}\n"));
        format!("{have}{}", commands.collect::<String>())
    };
    let (proposed, merged) = (job("licit-would-it-be-allowed"), job("licit-may-it-run"));
    assert_eq!(merged.matches("licit verify").count(), 1, "{merged}");
    let (code, said) = run(&f, &f.s.ci, &path, &proposed);
    assert_eq!(code, 0, "{said}");
    let (code, said) = run(&f, &f.s.ci, &path, &merged);
    assert_eq!(code, 0, "{said}");
    assert!(std::fs::read_to_string(f.at("licit.xml")).unwrap().contains("failures=\"0\""));
    f.s.revoke("basis:scoring-contract", 0);
    assert_eq!(run(&f, &f.s.ci, &path, &merged).0, 3);
    let report = std::fs::read_to_string(f.at("licit.xml")).unwrap();
    assert!(report.contains("<failure type=\"source.covered\""), "{report}");
    let nowhere = Client::new("http://127.0.0.1:9", f.s.ci.token.as_deref());
    assert_eq!(run(&f, &nowhere, &path, &merged).0, 5);
    // A name that would be more than a word is refused.
    assert_eq!(licit(&nowhere, &["ci", "init", "gitlab", "a;b'c", "-f", &f.at("x.yml")]).0, 2);
}
