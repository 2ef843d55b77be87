//! A receiver of webhooks: a small HTTP server that keeps what is posted, and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for what must come: far longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no `{name}` in {self:?}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Ledger position of the event.
    pub fn seq(&self) -> u64 {
        self.json()["id"].as_str().unwrap().parse().unwrap()
    }
}

/// A receiver on a port of its own.
pub struct Receiver {
    pub url: String,
    status: Arc<AtomicU16>,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (status, posted) = (Arc::new(AtomicU16::new(200)), Arc::new(Mutex::new(Vec::new())));
        let (own, kept) = (status.clone(), posted.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (status, posted) = (own.clone(), kept.clone());
                thread::spawn(move || serve(stream, &status, &posted));
            }
        });
        Self { url, status, posted }
    }

    /// Answer with this status from now on.
    pub fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Everything posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }

    /// Wait until so many were posted.
    #[track_caller]
    pub fn wait(&self, count: usize) -> Vec<Posted> {
        wait(|| Some(self.posted()).filter(|posted| posted.len() >= count))
    }
}

/// Wait until something is there.
#[track_caller]
pub fn wait<T>(look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Request after request of one connection.
fn serve(stream: TcpStream, status: &AtomicU16, posted: &Mutex<Vec<Posted>>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?.1.parse().ok()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        posted.lock().unwrap().push(Posted { path, headers, body: String::from_utf8(body).ok()? });
        let status = status.load(Ordering::SeqCst);
        writer.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok").as_bytes()).ok()?;
    }
}
