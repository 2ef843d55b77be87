//! Reading a header of which every length is a claim: nothing is read, skipped or allocated beyond what the file has.

use std::io::{Read, Seek, SeekFrom};

/// What a header says, or why it says nothing.
pub(super) type Told<T> = Result<T, String>;

/// A reader that knows how much is left.
pub(super) struct Bytes<R> {
    inner: R,
    left: u64,
}

impl<R: Read + Seek> Bytes<R> {
    /// All of a file.
    pub(super) fn new(mut inner: R) -> Told<Self> {
        let left = inner.seek(SeekFrom::End(0)).map_err(unreadable)?;
        inner.rewind().map_err(unreadable)?;
        Ok(Self { inner, left })
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    fn spend(&mut self, bytes: u64) -> Told<()> {
        self.left = self.left.checked_sub(bytes).ok_or("it ends before what it says it holds")?;
        Ok(())
    }

    /// So many bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Told<[u8; N]> {
        self.spend(N as u64)?;
        let mut bytes = [0; N];
        self.inner.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// Little end first.
    pub(super) fn u32(&mut self) -> Told<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Little end first.
    pub(super) fn u64(&mut self) -> Told<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// So many bytes, at most `most`.
    pub(super) fn take(&mut self, bytes: u64, most: u64) -> Told<Vec<u8>> {
        if bytes > most {
            return Err(format!("it says that something has {bytes} bytes, where {most} are read at most"));
        }
        self.spend(bytes)?;
        let mut taken = vec![0; usize::try_from(bytes).map_err(|_| "too large".to_owned())?];
        self.inner.read_exact(&mut taken).map_err(unreadable)?;
        Ok(taken)
    }

    /// Pass over so many bytes.
    pub(super) fn skip(&mut self, bytes: u64) -> Told<()> {
        self.spend(bytes)?;
        // Within what is buffered nothing is read again.
        let by = i64::try_from(bytes).map_err(|_| "too large".to_owned())?;
        self.inner.seek_relative(by).map_err(unreadable)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn unreadable(error: std::io::Error) -> String {
    format!("it cannot be read: {error}")
}

/// A text for a tag: one line, not longer than a tag may be; none where nothing is left.
pub(super) fn line(text: &str) -> Option<String> {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}
