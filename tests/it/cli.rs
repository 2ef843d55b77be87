//! The command line as people and pipelines use it: the real program, against a real server.

mod codes;
mod json;
mod ledger;
mod local;
mod review;
mod things;

use std::io::Write;
use std::process::{Command, Stdio};

/// The program with nothing of the caller's settings, no server and no token.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cli-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICIT_")) {
        command.env_remove(name);
    }
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("COLUMNS", "80").stdin(Stdio::null());
    command
}

/// Exit code, stdout and stderr of a command that is given this on stdin.
pub(crate) fn typed(command: &mut Command, stdin: &str) -> (i32, String, String) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let out = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A manifest of two versions, a run and a model, in the words of the scenario.
const MANIFEST: &str = "
datasets:
  - namespace: crm
    name: visits
    version: '1'
    path: visits.csv
    origin: collected
    owner: crm-team
    subjects: [https://w3id.org/dpv#Adult]
    controllers: [party:acme]
    region: FR
    fields:
      - {name: visitor, identifiability: pseudonym}
      - {name: age, categories: [https://w3id.org/dpv/pd#Age], identifiability: quasi}
run:
  operation: train
  purpose: purpose:scoring
  started_at: 2026-01-01T00:00:00Z
  inputs:
    - {dataset: visits, role: training}
  controller: party:acme
model:
  name: score
  version: visits-1
  path: model.bin
  kind: built
  owner: ml-team
plan: [score-prod]
";

/// What `licit register` reads.
fn pipeline() -> tempfile::TempDir {
    folder(&[("licit.yaml", MANIFEST), ("visits.csv", "visitor,age\nv1,44\n"), ("model.bin", "weights")])
}
