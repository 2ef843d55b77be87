//! Digests of files and directories, in parallel.
//!
//! The digest of a file is SHA-256 of its bytes. The digest of a directory is SHA-256 over one line per file, sorted by path:
//! the path relative to the directory with `/`, a NUL, `sha256:` and the file's digest in hex, a line feed. Hidden files count;
//! links are followed.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use indicatif::{ProgressBar, ProgressStyle};
use licit_schemas::digest::Digest;
use licit_schemas::registry::ModelFile;
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::error::{Failure, Result};

/// What was found at one path.
#[derive(Clone, Debug)]
pub(crate) struct Hashed {
    /// Of the file, or of the directory.
    pub(crate) digest: Digest,
    /// Each file, relative to the directory; for a file, itself by name.
    pub(crate) files: Vec<ModelFile>,
    /// When the newest of them was written.
    pub(crate) newest: SystemTime,
}

/// One file to hash: which of the paths asked for it belongs to, its name there, and where it is.
struct Job {
    owner: usize,
    name: String,
    path: PathBuf,
    size: u64,
}

/// How a path is told to people.
pub(crate) type Show = fn(&Path) -> String;

/// Hash these files and directories, in their order.
pub(crate) fn hash(paths: &[PathBuf]) -> Result<Vec<Hashed>> {
    hash_telling(paths, |path| path.display().to_string())
}

/// The same, where not every path is to be told as it is.
pub(crate) fn hash_telling(paths: &[PathBuf], show: Show) -> Result<Vec<Hashed>> {
    let mut jobs = Vec::new();
    for (owner, path) in paths.iter().enumerate() {
        collect(owner, path, show, &mut jobs)?;
    }
    let bar = progress(jobs.iter().map(|job| job.size).sum());
    let done = run(&jobs, show, &bar);
    bar.finish_and_clear();
    let mut hashed: Vec<Hashed> = Vec::with_capacity(paths.len());
    let mut done = done?.into_iter().peekable();
    for (owner, path) in paths.iter().enumerate() {
        let (mut files, mut newest) = (Vec::new(), SystemTime::UNIX_EPOCH);
        while let Some((_, file, modified)) = done.next_if(|(of, ..)| *of == owner) {
            newest = newest.max(modified);
            files.push(file);
        }
        hashed.push(Hashed { digest: together(path, &files), files, newest });
    }
    Ok(hashed)
}

/// The digest of a directory; a single file's is its own.
fn together(path: &Path, files: &[ModelFile]) -> Digest {
    match files {
        [file] if !path.is_dir() => file.digest,
        files => {
            let lines: String = files.iter().map(|file| format!("{}\0{}\n", file.path, file.digest)).collect();
            Digest::of(lines.as_bytes())
        }
    }
}

/// A file that cannot be read, by what is told of its path.
fn unreadable(shown: &str, e: &std::io::Error) -> Failure {
    Failure::plain(format!("cannot read `{shown}`: {e}"))
}

/// Something in a folder that cannot be read: the error itself would repeat the path as it is.
pub(crate) fn unwalkable(root: &Path, e: &walkdir::Error, show: Show) -> Failure {
    let path = show(e.path().unwrap_or(root));
    match e.io_error() {
        Some(e) => unreadable(&path, e),
        None => Failure::plain(format!("cannot read `{path}`: a link leads back to a folder it lies in")),
    }
}

fn collect(owner: usize, path: &Path, show: Show, jobs: &mut Vec<Job>) -> Result<()> {
    let metadata = std::fs::metadata(path).map_err(|e| unreadable(&show(path), &e))?;
    if !metadata.is_dir() {
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        jobs.push(Job { owner, name: slashed(&name, show)?, path: path.to_owned(), size: metadata.len() });
        return Ok(());
    }
    let first = jobs.len();
    for entry in WalkDir::new(path).follow_links(true) {
        let entry = entry.map_err(|e| unwalkable(path, &e, show))?;
        if entry.file_type().is_file() {
            let size = entry.metadata().map(|m| m.len()).unwrap_or_default();
            let name = slashed(entry.path().strip_prefix(path).unwrap_or(entry.path()), show)?;
            jobs.push(Job { owner, name, path: entry.into_path(), size });
        }
    }
    if jobs.len() == first {
        return Err(Failure::plain(format!("the directory `{}` holds no file", show(path))));
    }
    // By the bytes of the whole path: the order must not depend on the file system.
    jobs[first..].sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

fn slashed(path: &Path, show: Show) -> Result<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    let parts = parts.ok_or_else(|| Failure::plain(format!("the file name `{}` is not UTF-8", show(path))))?;
    Ok(parts.join("/"))
}

type Done = (usize, ModelFile, SystemTime);

/// Threads take the next file until none is left; the results come back in the order of the jobs.
fn run(jobs: &[Job], show: Show, bar: &ProgressBar) -> Result<Vec<Done>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Done>)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len()).max(1);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, job)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, jobs.get(i)?)))
                {
                    let result = one(job, show, bar);
                    // A poisoned lock means another thread panicked; its panic is raised when the scope ends.
                    if let Ok(mut results) = results.lock() {
                        results.push((index, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|_| Failure::plain("hashing broke off"))?;
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn one(job: &Job, show: Show, bar: &ProgressBar) -> Result<Done> {
    let failed = |e: &std::io::Error| unreadable(&show(&job.path), e);
    let mut file = File::open(&job.path).map_err(|e| failed(&e))?;
    let before = file.metadata().and_then(|m| Ok((m.len(), m.modified()?))).map_err(|e| failed(&e))?;
    let (mut hasher, mut buffer, mut size) = (Sha256::new(), vec![0; 1 << 20], 0_u64);
    loop {
        let read = file.read(&mut buffer).map_err(|e| failed(&e))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
        bar.inc(read as u64);
    }
    let after = file.metadata().and_then(|m| Ok((m.len(), m.modified()?))).map_err(|e| failed(&e))?;
    // A digest of half the old and half the new content would be of nothing.
    if before != after || size != after.0 {
        return Err(Failure::plain(format!(
            "`{}` changed while it was read; run again when it is written",
            show(&job.path)
        )));
    }
    // What is wrong with a name would repeat it.
    let unnamed = |_| Failure::plain(format!("the file `{}` has a path that cannot be registered", show(&job.path)));
    let path = job.name.parse().map_err(unnamed)?;
    let digest = Digest::from_bytes(hasher.finalize().into());
    Ok((job.owner, ModelFile { path, digest, size: Some(size) }, after.1))
}

/// A bar on a terminal, once there is something to wait for.
fn progress(bytes: u64) -> ProgressBar {
    if bytes < 64 << 20 || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("hashing {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec}") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_has_the_documented_digest() {
        let folder = std::env::temp_dir().join(format!("licit-hash-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(folder.join("b")).unwrap();
        fs::write(folder.join("b/z"), "abc").unwrap();
        fs::write(folder.join("a"), "").unwrap();
        let hashed = hash(&[folder.clone(), folder.join("b/z")]).unwrap();
        let (empty, abc) = (Digest::of(b""), Digest::of(b"abc"));
        assert_eq!(hashed[0].digest, Digest::of(format!("a\0{empty}\nb/z\0{abc}\n").as_bytes()));
        let names: Vec<&str> = hashed[0].files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!((names, hashed[0].files[1].size), (vec!["a", "b/z"], Some(3)));
        assert_eq!((hashed[1].digest, hashed[1].files[0].path.as_str()), (abc, "z"));
        // A directory of one file is still a directory.
        assert_ne!(hash(&[folder.join("b")]).unwrap()[0].digest, abc);
        fs::create_dir(folder.join("empty")).unwrap();
        assert!(hash(&[folder.join("empty")]).unwrap_err().to_string().contains("holds no file"));
        assert!(hash(&[folder.join("nothing")]).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
