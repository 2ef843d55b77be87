//! SHA-256 digests: what a dataset version, an evidence file or a ledger entry is known by.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::text::{as_text, quoted};

const PREFIX: &str = "sha256:";

/// A SHA-256 digest (FIPS 180-4), 32 bytes; as text `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// Why a text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected `sha256:` and 64 lower-case hex digits, got {characters} characters: {got}")]
pub struct DigestFault {
    characters: usize,
    got: String,
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hex digits, without the `sha256:`; what in-toto and OCI digests want.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestFault;

    fn from_str(text: &str) -> Result<Self, DigestFault> {
        let decode = |digits: &str| {
            // `hex` also reads capitals: two spellings of one digest would be two texts in a ledger.
            let lower = digits.bytes().all(|b| !b.is_ascii_uppercase());
            let mut bytes = [0; 32];
            (lower && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(Self(bytes))
        };
        text.strip_prefix(PREFIX)
            .and_then(decode)
            .ok_or_else(|| DigestFault { characters: text.chars().count(), got: quoted(text) })
    }
}

as_text!(Digest, "Digest", {
    "description": "SHA-256 digest",
    "pattern": "^sha256:[0-9a-f]{64}$",
    "minLength": 71,
    "maxLength": 71,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::accepts;
    use proptest::prelude::*;

    // FIPS 180-4 example: "abc".
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_text_is_prefixed_lower_case_hex() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(format!("{:?}", Digest::of(b"abc")), ABC);
        assert_eq!(ABC.parse(), Ok(Digest::of(b"abc")));
        assert_eq!(serde_json::to_value(Digest::of(b"abc")).unwrap(), ABC);
        assert_eq!(serde_json::from_value::<Digest>(ABC.into()).unwrap(), Digest::of(b"abc"));
    }

    #[test]
    fn other_spellings_are_refused_by_parser_and_schema() {
        let (short, long, upper) = (&ABC[..70], format!("{ABC}0"), format!("sha256:{}", ABC[7..].to_uppercase()));
        for bad in ["", "sha256:", &ABC[7..], short, &long, &upper, &format!(" {ABC}"), &format!("{ABC}\n")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
            assert!(!accepts::<Digest>(bad), "{bad}");
        }
        assert!(accepts::<Digest>(ABC));
        assert_eq!(
            "md5:ab".parse::<Digest>().unwrap_err().to_string(),
            "expected `sha256:` and 64 lower-case hex digits, got 6 characters: `md5:ab`"
        );
    }

    proptest! {
        #[test]
        fn every_digest_reads_back(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
            prop_assert_eq!(digest.as_bytes(), &bytes);
        }
    }
}
