//! What the tests of several readers need.

/// Give a reader every truncation of these bytes, and them with each bit turned and with lengths blown up: it must answer, whatever it
/// answers.
pub(crate) fn flipped(good: &[u8], read: impl Fn(Vec<u8>)) {
    for end in 0..good.len() {
        read(good[..end].to_vec());
    }
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.to_vec();
            bytes[place] ^= 1 << bit;
            read(bytes);
        }
        let mut bytes = good.to_vec();
        for byte in bytes.iter_mut().skip(place).take(8) {
            *byte = 0xff;
        }
        read(bytes);
    }
}
