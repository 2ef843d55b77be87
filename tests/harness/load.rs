//! Load for benches: connections that stay open and send what they are told, and what was measured of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One keep-alive connection that sends what it is told.
pub struct Wire {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Wire {
    pub fn new(url: &str, token: &str) -> Self {
        let host = url.trim_start_matches("http://");
        let stream = TcpStream::connect(host).unwrap();
        stream.set_nodelay(true).unwrap();
        let bearer = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        Self { stream: BufReader::new(stream), head: format!("host: {host}\r\n{bearer}") }
    }

    /// The status of the answer, which is read to its end.
    pub fn send(&mut self, method: &str, path: &str, body: &str) -> u16 {
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.head,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        // A server that sends head and body apart would otherwise wait 40 ms in between for word that the first came: its figure is to
        // say what it can do.
        socket2::SockRef::from(self.stream.get_ref()).set_tcp_quickack(true).unwrap();
        let (mut line, mut status, mut length) = (String::new(), 0, None);
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status == 0 {
                status = text.split(' ').nth(1).unwrap().parse().unwrap();
            } else if let Some(value) = text.to_ascii_lowercase().strip_prefix("content-length:") {
                length = Some(value.trim().parse().unwrap());
            }
        }
        let mut body = vec![0; length.unwrap_or_else(|| panic!("{method} {path}: {status} without a length"))];
        self.stream.read_exact(&mut body).unwrap();
        status
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    /// Answers a second that were good.
    pub rate: f64,
    /// Half of all answers came within so many milliseconds.
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// Answers that were no good.
    pub refused: u64,
}

/// What `clients` get who repeat `job` for a while, each over a connection of its own.
pub fn measure(
    url: &str,
    token: &str,
    clients: usize,
    seconds: f64,
    job: impl Fn(&mut Wire, u64) -> u16 + Sync,
) -> Figure {
    let (stop, counter, refused) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let (mut wire, mut times) = (Wire::new(url, token), Vec::new());
                    while !stop.load(Ordering::Relaxed) {
                        let n = counter.fetch_add(1, Ordering::Relaxed);
                        let begin = Instant::now();
                        let status = job(&mut wire, n);
                        times.push(begin.elapsed());
                        if !(200..300).contains(&status) {
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    times
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs_f64(seconds));
        stop.store(true, Ordering::Relaxed);
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    let refused = refused.into_inner();
    let elapsed = started.elapsed().as_secs_f64();
    times.sort_unstable();
    #[expect(clippy::cast_possible_truncation, reason = "a place within the list")]
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize].as_secs_f64() * 1e3;
    Figure { rate: (times.len() as f64 - refused as f64) / elapsed, p50: at(0.5), p99: at(0.99), max: at(1.0), refused }
}

/// The same, printed.
pub fn load(
    name: &str,
    url: &str,
    token: &str,
    clients: usize,
    seconds: f64,
    job: impl Fn(&mut Wire, u64) -> u16 + Sync,
) -> f64 {
    let figure = measure(url, token, clients, seconds, job);
    figure.print(name, clients, 1);
    figure.rate
}

impl Figure {
    /// One line, of answers that each stand for so many things.
    pub fn print(&self, name: &str, clients: usize, each: u32) {
        println!(
            "{name:<44} c={clients:<3} {:>8.0}/s  p50 {:>6.2} ms  p99 {:>6.2} ms  max {:>7.2} ms  refused {}",
            self.rate * f64::from(each),
            self.p50,
            self.p99,
            self.max,
            self.refused
        );
    }
}
