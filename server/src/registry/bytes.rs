//! Which versions are the same bytes: what is told of bytes twice must not contradict itself.

use std::sync::Arc;

use imbl::OrdSet;
use licit_schemas::digest::Digest;

/// References of versions, by a number of their bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Bytes(OrdSet<(u64, Arc<str>)>);

impl Bytes {
    /// Note a version.
    pub(super) fn note(&mut self, digests: impl IntoIterator<Item = Digest>, reference: &Arc<str>) {
        if let Some(number) = number(digests) {
            self.0.insert((number, reference.clone()));
        }
    }

    /// All versions of these bytes: all files, whatever their names.
    pub(super) fn alike(&self, digests: impl IntoIterator<Item = Digest>) -> Vec<&Arc<str>> {
        let Some(number) = number(digests) else { return Vec::new() };
        let from = (number, Arc::from(""));
        self.0.range(from..).take_while(|(own, _)| *own == number).map(|(_, reference)| reference).collect()
    }
}

/// The first eight bytes of the digest over all digests, in order; none for no bytes.
fn number(digests: impl IntoIterator<Item = Digest>) -> Option<u64> {
    let mut all: Vec<String> = digests.into_iter().map(|digest| digest.to_string()).collect();
    all.sort_unstable();
    let whole = (!all.is_empty()).then(|| Digest::of(all.join("\n").as_bytes()))?;
    u64::from_str_radix(whole.hex().get(..16)?, 16).ok()
}
