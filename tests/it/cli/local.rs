//! Commands that need no server.

use serde_json::{Value, json};

use super::{bare, folder, typed};

#[test]
fn init_writes_a_manifest_once_that_register_reads() {
    let desk = folder(&[]);
    let run = |args: &[&str]| typed(bare().current_dir(desk.path()).args(args), "");
    let (code, out, said) = run(&["init"]);
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    let written = std::fs::read_to_string(desk.path().join("licit.yaml")).unwrap();
    assert!(written.starts_with("# yaml-language-server: $schema="), "{written}");
    let (code, _, said) = run(&["init"]);
    assert_eq!(code, 1);
    assert!(said.contains("--force writes over it"), "{said}");
    assert_eq!(run(&["init", "--force"]).0, 0);
    // Its paths are an example's: `register` says which files are missing, not that the manifest is wrong.
    let (code, _, said) = run(&["register", "--dry-run"]);
    assert_eq!(code, 1);
    assert!(said.contains("customers.csv"), "{said}");
}

#[test]
fn faults_of_a_manifest_are_named_by_line_and_column() {
    let desk = folder(&[("licit.yaml", "datasets:\n  - namespace: crm\n    nmae: visits\n")]);
    let (code, out, said) = typed(bare().current_dir(desk.path()).args(["register", "--dry-run"]), "");
    assert_eq!((code, out.as_str()), (1, ""), "{said}");
    assert!(said.contains("licit.yaml:3:5: /datasets/0/nmae:"), "{said}");
}

#[test]
fn schema_prints_the_schema_of_the_manifest() {
    let (code, out, _) = typed(bare().arg("schema"), "");
    assert_eq!(code, 0);
    let schema: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(schema["$id"], "licit-yaml.schema.json");
}

#[test]
fn completions_are_written_for_every_shell() {
    for (shell, word) in [
        ("bash", "complete -F _licit"),
        ("zsh", "#compdef licit"),
        ("fish", "complete -c licit"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let (code, out, said) = typed(bare().args(["completions", shell]), "");
        assert_eq!((code, said.as_str()), (0, ""), "{shell}");
        assert!(out.contains(word) && out.contains("break-glass"), "{shell}: {}", &out[..out.len().min(400)]);
    }
    assert_eq!(typed(bare().args(["completions", "dos"]), "").0, 2);
}

#[cfg(unix)]
#[test]
fn config_set_keeps_the_token_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let desk = folder(&[]);
    let home = || {
        let mut command = bare();
        command.env("XDG_CONFIG_HOME", desk.path());
        command
    };
    let file = desk.path().join("licit/config.json");
    let (code, out, said) =
        typed(home().args(["config", "set", "--url", "http://127.0.0.1:9", "--token", "-"]), "licit_s\n");
    assert_eq!((code, said.as_str()), (0, ""), "{out}");
    assert!(!out.contains("licit_s"), "{out}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, json!({"url": "http://127.0.0.1:9", "token": "licit_s"}));
    // What is written is used: nobody listens there.
    let (code, _, said) = typed(home().arg("whoami"), "");
    assert_eq!(code, 5);
    assert!(said.contains("http://127.0.0.1:9"), "{said}");
    // Another server gets no token that was issued by this one.
    typed(home().args(["config", "set", "--url", "http://127.0.0.1:10"]), "");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept, json!({"url": "http://127.0.0.1:10"}));
    // A file that others may read is not used.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, said) = typed(home().arg("whoami"), "");
    assert_eq!(code, 1);
    assert!(said.contains("chmod 600"), "{said}");
    assert_eq!(typed(home().args(["config", "set"]), "").0, 2, "nothing to write");
}
