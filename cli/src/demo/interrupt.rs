//! A demo that is interrupted leaves neither its server nor its files behind.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is to be taken away.
#[derive(Default)]
struct Left {
    home: PathBuf,
    server: Option<u32>,
}

/// Waits for SIGINT, SIGTERM and SIGHUP.
#[derive(Clone)]
pub(super) struct Watch(Arc<Mutex<Left>>);

impl Watch {
    /// From now on.
    pub(super) fn over(home: PathBuf) -> Self {
        let watch = Self(Arc::new(Mutex::new(Left { home, server: None })));
        #[cfg(unix)]
        watch.listen();
        watch
    }

    /// Start the server. A signal waits until its process id is known.
    pub(super) fn spawn(&self, command: &mut Command) -> std::io::Result<Child> {
        let mut left = self.left();
        let child = command.spawn()?;
        left.server = Some(child.id());
        Ok(child)
    }

    /// The server ended: its process id may become another's.
    pub(super) fn ended(&self) {
        self.left().server = None;
    }

    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(unix)]
    fn listen(&self) {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
        let watch = self.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                let left = watch.left();
                let server = left.server.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
                if let Some(server) = server {
                    let _ = rustix::process::kill_process(server, rustix::process::Signal::KILL);
                }
                let _ = std::fs::remove_dir_all(&left.home);
                // End as if nobody had listened: a shell sees that it was interrupted.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    }
}
