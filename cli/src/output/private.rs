//! Files of the user's alone: pseudonyms are personal data of whoever can link them (GDPR Art. 4(5)).

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};

/// A file that is written piece by piece and takes its place whole, or not at all.
pub(crate) struct Lines {
    path: PathBuf,
    fresh: PathBuf,
    out: Option<BufWriter<File>>,
}

impl Lines {
    /// Begin; nothing stands under the path until [`Self::finish`].
    pub(crate) fn begin(path: &Path) -> Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        let fresh = path.with_file_name(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&fresh).map_err(|e| Failure::file("write", path, &e))?;
        Ok(Self { path: path.to_owned(), fresh, out: Some(BufWriter::new(file)) })
    }

    /// Add a line.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        let written = self.out.as_mut().map_or(Ok(()), |out| writeln!(out, "{text}"));
        written.map_err(|e| Failure::file("write", &self.path, &e))
    }

    /// Add bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.out.as_mut().map_or(Ok(()), |out| out.write_all(bytes));
        written.map_err(|e| Failure::file("write", &self.path, &e))
    }

    /// All of it is on the disk, under its name.
    pub(crate) fn finish(mut self) -> Result<()> {
        let Some(mut out) = self.out.take() else { return Ok(()) };
        let kept =
            out.flush().and_then(|()| out.get_ref().sync_all()).and_then(|()| fs::rename(&self.fresh, &self.path));
        kept.map_err(|e| {
            let _ = fs::remove_file(&self.fresh);
            Failure::file("write", &self.path, &e)
        })
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // Half a list under another name would be forgotten, and stay.
        if self.out.is_some() {
            let _ = fs::remove_file(&self.fresh);
        }
    }
}
