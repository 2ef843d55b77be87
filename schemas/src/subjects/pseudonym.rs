//! Pseudonyms and the ids of keys, read strictly. No refusal repeats what it refuses.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::text::as_text;

const VERSION: &str = "p1";

/// Which key made a pseudonym: a short name that tells nothing, unique in the organisation.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeyId(String);

/// Why a text is no [`KeyId`]. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the id of a key, 1 to 16 characters `a-z`, `0-9`, `-`, beginning with a letter")]
pub struct KeyIdFault;

impl KeyId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyIdFault;

    fn from_str(text: &str) -> Result<Self, KeyIdFault> {
        let good = (1..=16).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if good { Ok(Self(text.to_owned())) } else { Err(KeyIdFault) }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(KeyId, "KeyId", {
    "description": "the id of a key, 1 to 16 characters `a-z`, `0-9`, `-`, beginning with a letter",
    "minLength": 1,
    "maxLength": 16,
    "pattern": "^[a-z][a-z0-9-]{0,15}$",
});

/// A person, as the registry knows one: `p1.<key id>.<32 bytes in base64url>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudonym {
    kid: KeyId,
    hash: [u8; 32],
}

/// Why a text is no [`Pseudonym`]. It does not repeat the text: that may be somebody's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PseudonymFault {
    /// It looks like an e-mail address.
    #[error("this looks like an e-mail address: only pseudonyms belong here, `licit subjects hash` makes them")]
    Email,
    /// It looks like a telephone number.
    #[error("this looks like a telephone number: only pseudonyms belong here, `licit subjects hash` makes them")]
    Phone,
    /// It looks like a hash without a key, or like text in another coding: whoever has a list of candidates finds the person.
    #[error(
        "this was made without a key, so that anybody with a list of candidates finds the person: hash it under a subject key"
    )]
    Unkeyed,
    /// Anything else.
    #[error("expected a pseudonym: `p1.`, the id of a key, `.`, and 32 bytes in base64url without padding")]
    Form,
}

impl Pseudonym {
    /// The pseudonym that a key made.
    pub fn new(kid: KeyId, hash: [u8; 32]) -> Self {
        Self { kid, hash }
    }

    /// Which key made it.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }

    /// What the key made of the identifier.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl FromStr for Pseudonym {
    type Err = PseudonymFault;

    fn from_str(text: &str) -> Result<Self, PseudonymFault> {
        let parts = || {
            let (kid, coded) = text.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')?;
            let mut hash = [0; 32];
            // 43 characters are 32 bytes and two bits: the engine refuses another spelling of the same bytes.
            let read = (coded.len() == 43).then(|| URL_SAFE_NO_PAD.decode_slice(coded, &mut hash).ok()).flatten()?;
            (read == 32).then_some(Self { kid: kid.parse().ok()?, hash })
        };
        match parts() {
            Some(pseudonym) if is_text(&pseudonym.hash) => Err(PseudonymFault::Unkeyed),
            Some(pseudonym) => Ok(pseudonym),
            None => Err(looks_like(text)),
        }
    }
}

/// Bytes that are letters and padding: an identifier in another coding. Of keyed hashes, one in 10^13 looks so.
fn is_text(hash: &[u8; 32]) -> bool {
    hash.iter().all(|b| *b == 0 || (0x20..0x7f).contains(b))
}

/// What somebody sent instead of a pseudonym.
fn looks_like(text: &str) -> PseudonymFault {
    let text = text.trim();
    if text.contains(['@', '\u{ff20}']) || text.to_ascii_lowercase().contains("%40") {
        return PseudonymFault::Email;
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits >= 6 && text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-()./\u{a0}".contains(c)) {
        return PseudonymFault::Phone;
    }
    let coded = |c: char| c.is_ascii_alphanumeric() || "+/=_-:".contains(c);
    let bare = text.rsplit([':', '.']).next().unwrap_or_default();
    let hex = matches!(bare.len(), 32 | 40 | 56 | 64 | 96 | 128) && bare.bytes().all(|b| b.is_ascii_hexdigit());
    if hex || (!text.starts_with("p1.") && !text.is_empty() && text.len() <= 128 && text.chars().all(coded)) {
        return PseudonymFault::Unkeyed;
    }
    PseudonymFault::Form
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.{}", self.kid, URL_SAFE_NO_PAD.encode(self.hash))
    }
}

/// A pseudonym is personal data: it gets into no log by accident.
impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}.{}.…", self.kid)
    }
}

as_text!(Pseudonym, "Pseudonym", {
    "description": "a pseudonym: `p1.`, the id of a key, `.`, and 32 bytes in base64url without padding",
    "minLength": 48,
    "maxLength": 63,
    "pattern": r"^p1\.[a-z][a-z0-9-]{0,15}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::accepts;
    use proptest::prelude::*;

    const GOOD: &str = "p1.k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_pseudonym_reads_back_and_says_its_key() {
        let read: Pseudonym = GOOD.parse().unwrap();
        assert_eq!((read.kid().as_str(), read.hash()[31], read.to_string().as_str()), ("k1", 31, GOOD));
        assert_eq!(format!("{read:?}"), "p1.k1.…", "no log may show it by accident");
    }

    #[test]
    fn what_is_no_pseudonym_is_refused_without_being_repeated() {
        use PseudonymFault::{Email, Form, Phone, Unkeyed};
        let hex = "a".repeat(64);
        let text = URL_SAFE_NO_PAD.encode(b"jane.doe@example.com\0\0\0\0\0\0\0\0\0\0\0\0");
        for (bad, why) in [
            ("jane.doe@example.com", Email),
            ("p1.k1.jane.doe@example.com", Email),
            ("jane.doe%40example.com", Email),
            ("jane＠example.com", Email),
            ("+353 (0)1 555 0142", Phone),
            ("06 12 34 56 78", Phone),
            ("customer-42", Unkeyed),
            ("42", Unkeyed),
            (&hex, Unkeyed),
            (&format!("sha256:{hex}"), Unkeyed),
            (&format!("p1.k1.{hex}"), Unkeyed),
            (&format!("p1.k1.{text}"), Unkeyed),
            ("", Form),
            ("Jane Doe", Form),
            (&GOOD[..GOOD.len() - 1], Form),
            (&format!("{GOOD}A"), Form),
            (&format!("{GOOD}="), Form),
            (&GOOD.replace("Hh8", "Hh9"), Form),
            (&GOOD.replace("k1", "K1"), Form),
            (&GOOD.replace("k1", "1k"), Form),
            (&GOOD.replace("k1", ""), Form),
            (&GOOD.replace("p1", "p2"), Form),
            (&format!("{GOOD}\0"), Form),
            (&"x y".repeat(4_000_000), Form),
        ] {
            let fault = bad.parse::<Pseudonym>().unwrap_err();
            assert_eq!(fault, why, "{}", bad.chars().take(80).collect::<String>());
            let told = serde_json::from_value::<Pseudonym>(bad.into()).unwrap_err().to_string();
            assert!(bad.len() < 4 || !told.contains(bad), "the refusal repeats it");
        }
        let told = "Jane@Doe".parse::<KeyId>().unwrap_err().to_string();
        assert!(!told.contains("Jane"), "{told}");
    }

    #[test]
    fn parser_and_schema_take_the_same_ids_of_keys() {
        for (text, good) in [
            ("k", true),
            ("k-2026", true),
            ("a234567890123456", true),
            ("a2345678901234567", false),
            ("", false),
            ("1k", false),
            ("K", false),
            ("k.", false),
            ("k_", false),
            ("k\n", false),
        ] {
            assert_eq!((text.parse::<KeyId>().is_ok(), accepts::<KeyId>(text)), (good, good), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_keyed_hash_is_a_pseudonym_for_parser_and_schema(hash: [u8; 32], kid in "[a-z][a-z0-9-]{0,15}") {
            prop_assume!(!is_text(&hash));
            let made = Pseudonym::new(kid.parse().unwrap(), hash);
            let text = made.to_string();
            prop_assert!(accepts::<Pseudonym>(&text));
            prop_assert_eq!(text.parse(), Ok(made));
        }

        #[test]
        fn no_refusal_repeats_what_it_refuses(text in "[ -~é]{4,80}") {
            if let Err(fault) = text.parse::<Pseudonym>() {
                // Words of our own sentences may happen to be what was sent.
                prop_assume!(!PseudonymFault::Form.to_string().contains(text.trim()));
                prop_assert!(!fault.to_string().contains(&text));
            }
        }
    }
}
