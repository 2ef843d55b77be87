//! Which versions are the same bytes: what is told of bytes twice must not contradict itself.

use std::sync::Arc;

use imbl::OrdSet;
use licit_schemas::digest::Digest;

/// References of versions, by a number of their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes(OrdSet<(u64, Arc<str>)>);

impl Bytes {
    /// Note a version.
    pub(super) fn note(&mut self, number: Option<u64>, reference: &Arc<str>) {
        if let Some(number) = number {
            self.0.insert((number, reference.clone()));
        }
    }

    /// All versions of these bytes.
    pub(super) fn alike(&self, number: u64) -> impl Iterator<Item = &Arc<str>> {
        self.0
            .range((number, Arc::from(""))..)
            .take_while(move |(own, _)| *own == number)
            .map(|(_, reference)| reference)
    }
}

/// The number of some bytes: the first eight of the digest over the digests of all files, whatever their names; none for no bytes.
pub(super) fn number(digests: impl IntoIterator<Item = Digest>) -> Option<u64> {
    let mut all: Vec<String> = digests.into_iter().map(|digest| digest.to_string()).collect();
    all.sort_unstable();
    let whole = (!all.is_empty()).then(|| Digest::of(all.join("\n").as_bytes()))?;
    u64::from_str_radix(whole.hex().get(..16)?, 16).ok()
}
