//! Members of a tar file in the one spelling that exports have (POSIX.1-2008, `ustar`), so that any tar opens them and no byte of them
//! may be another. A library would read more than that: what it passes over, somebody could change unseen.

/// Bytes of a block.
pub const BLOCK: usize = 512;
/// Bytes the name of a member may have.
const NAME: usize = 100;
/// Largest member: eleven octal digits.
pub const MOST: u64 = (1 << 33) - 1;

/// The header of a member: a plain file, mode 644, of nobody, of 1970.
///
/// `None` for a name or size it cannot hold.
pub fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    if name.is_empty() || name.len() > NAME || size > MOST {
        return None;
    }
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    // The checksum counts its own field as spaces.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Zero bytes after a member of this size, up to the end of its last block.
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    if over == 0 { 0 } else { BLOCK - over }
}

/// A member as it stands in the file: header, bytes, padding. `None` for a name or size no header holds.
pub fn member(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let size = bytes.len() as u64;
    let mut whole = header(name, size)?.to_vec();
    whole.extend(bytes);
    whole.resize(whole.len() + padding(size), 0);
    Some(whole)
}

/// Name and size that a header states; `None` unless it is exactly the header they make.
pub fn stated(block: &[u8; BLOCK]) -> Option<(String, u64)> {
    let name = block.get(..NAME)?.split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    let digits = std::str::from_utf8(block.get(124..135)?).ok()?;
    let size = digits.bytes().all(|b| (b'0'..=b'7').contains(&b)).then(|| u64::from_str_radix(digits, 8).ok())??;
    (header(name, size)? == *block).then(|| (name.to_owned(), size))
}

/// The name that a damaged header seems to bear, for messages.
pub fn seeming(block: &[u8; BLOCK]) -> String {
    let name = block.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name.get(..NAME.min(name.len())).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_and_no_bit_of_it_may_change() {
        let block = header("tile/0/000.p/12", 384).unwrap();
        assert_eq!(stated(&block), Some(("tile/0/000.p/12".to_owned(), 384)));
        for place in 0..BLOCK {
            for bit in 0..8 {
                let mut changed = block;
                changed[place] ^= 1 << bit;
                assert_eq!(stated(&changed), None, "byte {place}, bit {bit}");
            }
        }
        assert_eq!((padding(0), padding(1), padding(512), padding(513)), (0, 511, 0, 511));
        assert!(header("", 0).is_none() && header(&"a".repeat(101), 0).is_none() && header("a", 1 << 33).is_none());
    }
}
