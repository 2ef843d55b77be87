//! The registry of the demo: started on a free port and a fresh database, stopped with SIGTERM.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use licit_schemas::digest::Digest;

use super::interrupt::Watch;
use crate::error::{Failure, Result};

/// Seconds a start may take.
const START: Duration = Duration::from_secs(30);
/// Seconds a stop may take: requests are drained first.
const STOP: Duration = Duration::from_secs(15);

/// A running server.
pub(super) struct Running {
    child: Child,
    /// Its address.
    pub(super) url: String,
    /// The token of its first administrator.
    pub(super) admin: String,
    watch: Watch,
}

/// Whether the server ends with the demo.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lives {
    /// Ctrl-C ends both.
    WithDemo,
    /// It is kept: Ctrl-C in the same terminal is for others.
    Longer,
}

/// Start it in this directory.
pub(super) fn start(program: Option<&Path>, home: &Path, lives: Lives, watch: &Watch) -> Result<Running> {
    let program = program.map_or_else(find, Path::to_owned);
    let log = home.join("server.log");
    let log_file = File::create(&log).map_err(|e| Failure::file("write", &log, &e))?;
    let admin = secret();
    let mut command = Command::new(&program);
    command
        .args(["--database-url", &format!("sqlite://{}", home.join("licit.db").display()), "--listen", "127.0.0.1:0"])
        .env("LICIT_BOOTSTRAP_TOKEN", &admin)
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file);
    #[cfg(unix)]
    if lives == Lives::Longer {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    let child = watch.spawn(&mut command).map_err(|e| {
        let program = program.display();
        Failure::plain(format!("cannot start `{program}`: {e}; build it, or name it with --server"))
    })?;
    let mut running = Running { child, url: String::new(), admin, watch: watch.clone() };
    match first_line(&mut running.child) {
        Some(line) if line.starts_with("listening on http") => {
            running.url = line.trim_start_matches("listening on ").trim().to_owned();
            Ok(running)
        }
        _ => {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            Err(Failure::plain(format!("the server did not start:\n{}", said.trim())))
        }
    }
}

/// What the server says first. Whatever it says later is read and dropped, so that it never waits for a reader.
fn first_line(child: &mut Child) -> Option<String> {
    let mut stdout = BufReader::new(child.stdout.take()?);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = stdout.read_line(&mut line);
        let _ = sender.send(read.ok().filter(|read| *read > 0).map(|_| line));
        let _ = std::io::copy(&mut stdout, &mut std::io::sink());
    });
    receiver.recv_timeout(START).ok().flatten()
}

/// Beside this program, under the name it is built or tested with; else on the PATH.
fn find() -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent);
    let names = ["licit-server", "server-under-test", "licit-server-under-test"];
    let found = beside.and_then(|folder| names.iter().map(|name| folder.join(name)).find(|path| path.is_file()));
    found.unwrap_or_else(|| PathBuf::from("licit-server"))
}

/// 64 hex digits. Four UUIDs of version 7 hold 4 × 74 random bits from the system; the hash makes 256 of them.
fn secret() -> String {
    let bytes: Vec<u8> = (0..4).flat_map(|_| uuid::Uuid::now_v7().into_bytes()).collect();
    Digest::of(&bytes).hex()
}

impl Running {
    /// Process id, for people who stop it later.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ask it to drain and stop, and wait until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        self.ask();
        let asked = Instant::now();
        while asked.elapsed() < STOP {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(Failure::plain(format!("the server ended with {status}"))),
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(e) => return Err(Failure::plain(format!("cannot wait for the server: {e}"))),
            }
        }
        Err(Failure::plain("the server did not stop when asked"))
    }

    #[cfg(unix)]
    fn ask(&mut self) {
        let _ =
            rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM);
    }

    #[cfg(not(unix))]
    fn ask(&mut self) {
        let _ = self.child.kill();
    }

    /// Let it live on.
    pub(super) fn forget(self) {
        // Without `Drop` running, which ends it.
        std::mem::forget(self);
    }
}

impl Drop for Running {
    /// Whatever went wrong, no server is left behind.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.watch.ended();
    }
}
