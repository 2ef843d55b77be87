//! Every target for some seconds on stable Rust, without libFuzzer: bytes drawn by turning, cutting, doubling and mixing seeds. It
//! finds less than coverage does, and runs everywhere.

use std::time::{Duration, Instant};

use licit_fuzz::TARGETS;

/// xorshift: the same in every run of a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below.max(1) as u64).unwrap_or(0)
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let mut found: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .collect();
    found.push(Vec::new());
    found
}

fn mutate(draw: &mut Draw, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[draw.below(seeds.len())].clone();
    for _ in 0..=draw.below(6) {
        let at = draw.below(bytes.len() + 1);
        match draw.below(7) {
            0 if !bytes.is_empty() => {
                let at = draw.below(bytes.len());
                bytes[at] ^= 1 << draw.below(8);
            }
            1 if !bytes.is_empty() => {
                let at = draw.below(bytes.len());
                bytes[at] = u8::try_from(draw.below(256)).unwrap_or(0);
            }
            2 => bytes.truncate(at),
            3 => {
                let end = (at + draw.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => {
                let end = (at + draw.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let other = &seeds[draw.below(seeds.len())];
                let from = draw.below(other.len() + 1);
                let end = (from + draw.below(256)).min(other.len());
                bytes.splice(at..at, other[from..end].iter().copied());
            }
            _ => {
                let word: &[u8] =
                    [&b"\0"[..], b"\n\n", b"\xe2\x80\x94 ", b"\xff\xff", b"9007199254740993", b"{\"", b"[[[[", b"\xc3"]
                        [draw.below(8)];
                bytes.splice(at..at, word.iter().copied());
            }
        }
        bytes.truncate(1 << 16);
    }
    bytes
}

fn main() {
    let seconds: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(10);
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
        let (begun, mut runs, mut slowest) = (Instant::now(), 0u64, Duration::ZERO);
        while begun.elapsed() < Duration::from_secs(seconds) {
            let bytes = mutate(&mut draw, &seeds);
            let one = Instant::now();
            target(&bytes);
            slowest = slowest.max(one.elapsed());
            runs += 1;
        }
        println!(
            "{name}: {runs} inputs in {seconds} s from {} seeds, the slowest {} ms",
            seeds.len(),
            slowest.as_millis()
        );
    }
}
