//! What the README's first command runs: `licit demo`, the whole story on real data, told to its end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The command line, which starts the server built beside it.
fn demo(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cli-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICIT_")) {
        command.env_remove(name);
    }
    let out = command.arg("demo").args(args).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (out.status.code().unwrap_or(-1), text(&out.stdout), text(&out.stderr))
}

#[test]
fn the_demo_comes_out_as_told_and_prints_each_step() {
    let (code, told, complaint) = demo(&[]);
    assert_eq!(code, 0, "{told}{complaint}");
    assert_eq!(complaint, "", "{told}");
    // Who asked, and the command they typed; refused and allowed, widened, rolled back, revoked and verified.
    for step in [
        "admin $ licit actor create person \"Ana\"",
        "admin $ licit token create ",
        "ana $ licit whoami",
        "ana $ licit party create -f party.yaml",
        "admin $ licit env create -f environment.yaml",
        "dora $ licit notice create -f notice-survey.yaml",
        "ana $ licit register -f licit.yaml",
        "ana $ licit lineage model:vote-model@1",
        "bea $ licit review vote ",
        "carl $ licit review vote ",
        "dora $ licit review opinion ",
        "ci $ licit release activate vote-study@1",
        "ana $ licit register -f licit-2.yaml",
        "ana $ licit register -f licit-3.yaml",
        "licit deployment rollback vote-study",
        "bea $ licit review revoke basis:research@1",
        "ci $ licit gaps vote-study",
        "dora $ licit ledger verify",
    ] {
        assert!(told.contains(step), "`{step}` is not told in\n{told}");
    }
    // Remedies that findings name stand further in.
    let typed = |line: &&str| line.split_once(" $ licit ").is_some_and(|(who, _)| !who.contains(' '));
    let shown = told.lines().filter(typed).count();
    let (_, end) = told.rsplit_once("the story came out as told in ").expect(&told);
    let steps: usize = end.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(shown, steps, "a step was run and not printed, in\n{told}");
    // Secrets are masked: what is told stands in logs.
    let secrets = told.matches("licit_").count();
    assert!(secrets >= 5 && told.matches("licit_…").count() == secrets, "{told}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    for (signal, args) in [("TERM", &["demo"][..]), ("INT", &["demo", "--keep"])] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_cli-under-test"));
        command.args(args).env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The first step was told: the server runs.
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let servers = || {
            let listed = Command::new("ps").args(["-eo", "args"]).output().unwrap().stdout;
            let home = format!("sqlite://{}", folder.path().display());
            String::from_utf8_lossy(&listed).lines().filter(|line| line.contains(&home)).count()
        };
        assert_eq!(servers(), 1, "{line}");
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it ended by the signal: {status}");
        harness::receiver::wait(|| (servers() == 0).then_some(()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files are left");
    }
}

#[test]
fn a_demo_without_a_server_says_what_to_do() {
    let (code, told, complaint) = demo(&["--server", "/nowhere/licit-server"]);
    assert_eq!((code, told.as_str()), (1, ""), "{complaint}");
    assert!(complaint.contains("build it, or name it with --server"), "{complaint}");
}
