//! What people say, by the commands of `licit`.

mod import;
mod lists;
mod say;
mod show;

use std::path::Path;

use harness::{Client, Scenario};
use serde_json::Value;

use crate::support::licit;

/// Somebody at a machine with a folder.
struct Desk {
    s: Scenario,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(s: Scenario) -> Self {
        Self { s, folder: tempfile::tempdir().unwrap() }
    }

    /// With a key of subjects that the registry knows, in `crm.key`.
    fn with_key() -> Self {
        let desk = Self::new(super::with_key());
        let key = desk.at("crm.key");
        desk.ran(&desk.s.ana, &["subjects", "keygen", "--scope", "crm", "--kid", "crm-1", "-o", &key], 0);
        desk.ran(&desk.s.ana, &["subjects", "register-key", &key], 0);
        desk
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.at(name), text).unwrap();
        self.at(name)
    }

    /// What a command prints; what is for people fits eighty columns.
    #[track_caller]
    fn ran(&self, client: &Client, args: &[&str], code: i32) -> (String, String) {
        let (ended, out, said) = licit(client, args);
        assert_eq!(ended, code, "licit {args:?}: {out}{said}");
        if !args.contains(&"--json") && !args.contains(&"--format") {
            let wide: Vec<&str> = out.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.iter().all(|line| !line.trim().contains(' ')), "licit {args:?}: {wide:#?}");
        }
        (out, said)
    }

    /// The document that a command prints.
    #[track_caller]
    fn json(&self, client: &Client, args: &[&str], code: i32) -> Value {
        let (out, _) = self.ran(client, &[args, &["--json"]].concat(), code);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("licit {args:?}: {e}: {out}"))
    }

    /// A command that is given this on standard input.
    fn typed(&self, client: &Client, args: &[&str], stdin: &str) -> (i32, String, String) {
        let mut command = crate::cli::bare();
        command.args(args).env("LICIT_URL", &client.url).env("LICIT_TOKEN", client.token.as_deref().unwrap());
        crate::cli::typed(&mut command, stdin)
    }
}

/// A file is readable by its owner alone.
#[track_caller]
fn private(path: &str) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(Path::new(path)).unwrap().permissions().mode() & 0o777, 0o600, "{path}");
}
