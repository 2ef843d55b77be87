//! Ed25519 keys (RFC 8032) as notes name them: the public one as a *vkey* of C2SP signed-note, the secret one as PKCS #8
//! (RFC 8410) or bare base64.

use std::{fmt, str::FromStr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use thiserror::Error;

use super::origin::Origin;
use crate::text::{as_text, quoted};

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;
/// The byte that says Ed25519 before the key (C2SP signed-note).
const ED25519: u8 = 1;
/// What stands before the 32 bytes of a public key in DER (RFC 8410 section 4).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 32 bytes of a secret key in DER (RFC 8410 section 7).
const PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";
const PUBLIC_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PUBLIC_END: &str = "-----END PUBLIC KEY-----";
/// Characters a key may have as text: a PEM file has some two hundred.
const MOST: usize = 4096;

/// Why something is not a key. Never repeats what it read: it may be half a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFault {
    /// Not a verifier key.
    #[error("expected the key of a signed note: `<name>+<8 hex digits>+<base64>`, of an Ed25519 key")]
    Vkey,
    /// The id does not belong to the key.
    #[error("the key's id is not the one its name and bytes make")]
    Id,
    /// Not a public key.
    #[error("expected an Ed25519 public key: 32 bytes in base64, or PEM")]
    Public,
    /// Not a secret key.
    #[error("expected an Ed25519 secret key: PKCS #8 in PEM, or its 32 bytes in base64")]
    Secret,
}

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From its 32 bytes; none that are no point of the curve, or one of small order, which signatures of anything fit.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Whether this key signed these bytes (RFC 8032 section 5.1.7, the strict reading: one message and key have one signature).
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let bytes: Result<&[u8; SIGNATURE], _> = signature.try_into();
        bytes.is_ok_and(|bytes| self.0.verify_strict(message, &Signature::from_bytes(bytes)).is_ok())
    }

    /// The key under the name of a ledger.
    pub fn named(&self, name: &Origin) -> Vkey {
        Vkey { name: name.clone(), key: *self }
    }

    /// As PEM (RFC 8410 section 10.1), as OpenSSL, cosign and others read it.
    pub fn pem(&self) -> String {
        let der = [&SPKI[..], self.as_bytes()].concat();
        format!("{PUBLIC_BEGIN}\n{}\n{PUBLIC_END}\n", BASE64_STANDARD.encode(der))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyFault;

    /// 32 bytes in base64, or `SubjectPublicKeyInfo` in PEM.
    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let bytes = unpacked(text, PUBLIC_BEGIN, PUBLIC_END, &SPKI).ok_or(KeyFault::Public)?;
        Self::from_bytes(&bytes).ok_or(KeyFault::Public)
    }
}

/// The 32 bytes of a key as text: bare in base64, or in PEM behind their DER prefix.
fn unpacked(text: &str, begin: &str, end: &str, prefix: &[u8]) -> Option<[u8; 32]> {
    if text.len() > MOST {
        return None;
    }
    let text = text.trim();
    let der = match text.strip_prefix(begin) {
        Some(rest) => {
            let packed: String = rest.trim_end().strip_suffix(end)?.split_whitespace().collect();
            BASE64_STANDARD.decode(packed).ok()?.strip_prefix(prefix)?.to_vec()
        }
        None => BASE64_STANDARD.decode(text).ok()?,
    };
    der.try_into().ok()
}

/// A public key under the name of its ledger: `<name>+<key id>+<base64>` (C2SP signed-note).
#[derive(Clone, PartialEq, Eq)]
pub struct Vkey {
    name: Origin,
    key: PublicKey,
}

impl Vkey {
    /// The name: the origin of the ledger.
    pub fn name(&self) -> &Origin {
        &self.name
    }

    /// The key.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The first 4 bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key)`: which key a signature is of. A hint, never a proof.
    pub fn id(&self) -> u32 {
        signed_note::key_id(self.name.as_str(), &self.typed())
    }

    fn typed(&self) -> [u8; 33] {
        let mut bytes = [ED25519; 33];
        bytes[1..].copy_from_slice(self.key.as_bytes());
        bytes
    }
}

impl fmt::Debug for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}+{}", self.name, self.id(), BASE64_STANDARD.encode(self.typed()))
    }
}

impl FromStr for Vkey {
    type Err = KeyFault;

    /// Reads one spelling only: the one it writes.
    fn from_str(text: &str) -> Result<Self, KeyFault> {
        if text.len() > MOST {
            return Err(KeyFault::Vkey);
        }
        let parts: Vec<&str> = text.splitn(3, '+').collect();
        let [name, id, packed] = parts[..] else { return Err(KeyFault::Vkey) };
        let name: Origin = name.parse().map_err(|_| KeyFault::Vkey)?;
        let typed: [u8; 33] =
            BASE64_STANDARD.decode(packed).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(KeyFault::Vkey)?;
        let [ED25519, bytes @ ..] = typed else { return Err(KeyFault::Vkey) };
        let vkey = Self { name, key: PublicKey::from_bytes(&bytes).ok_or(KeyFault::Vkey)? };
        if id == format!("{:08x}", vkey.id()) { Ok(vkey) } else { Err(KeyFault::Id) }
    }
}

as_text!(Vkey, "VerifierKey", {
    "description": "an Ed25519 public key of a signed note: `<origin>+<key id>+<base64>`",
    "pattern": "^[^ +]+\\+[0-9a-f]{8}\\+[A-Za-z0-9+/]+=*$",
    "minLength": 50,
    "maxLength": 300,
});

/// An Ed25519 secret key. It shows itself to nobody: its bytes leave it as PEM only, and are cleared when it goes.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// From 32 random bytes (RFC 8032 section 5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of these bytes (RFC 8032 section 5.1.6): the same bytes have the same one, always.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE] {
        self.0.sign(message).to_bytes()
    }

    /// As PKCS #8 in PEM (RFC 8410 section 10.3), for the file of its owner.
    pub fn pem(&self) -> String {
        let der = [&PKCS8[..], &self.0.to_bytes()].concat();
        format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", BASE64_STANDARD.encode(der))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey of {}", self.public())
    }
}

impl FromStr for SecretKey {
    type Err = KeyFault;

    /// PKCS #8 in PEM, or 32 bytes in base64.
    fn from_str(text: &str) -> Result<Self, KeyFault> {
        let seed = unpacked(text, PEM_BEGIN, PEM_END, &PKCS8).ok_or(KeyFault::Secret)?;
        Ok(Self::from_seed(&seed))
    }
}

/// A name for messages: the name and id of a key, without its bytes.
pub fn short(vkey: &Vkey) -> String {
    quoted(&format!("{}+{:08x}", vkey.name(), vkey.id()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_key_is_written_as_openssl_writes_it_and_read_back() {
        // RFC 8410 section 10.3.
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let key: SecretKey = pem.parse().unwrap();
        assert_eq!(key.pem(), pem);
        // RFC 8410 section 10.1: the public key of that one.
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        assert_eq!(key.public().pem(), public);
        assert_eq!(public.parse::<PublicKey>().unwrap(), key.public());
        assert_eq!(key.public().to_string().parse::<PublicKey>().unwrap(), key.public());
        let bare = "1O5y2/kTWErVttjx92n4rTr+fCjL8dT74Jeoj0R1WEI=";
        assert_eq!(bare.parse::<SecretKey>().unwrap().public(), key.public());
        assert!(!format!("{key:?}").contains("1O5y"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for bad in [
            "",
            "x",
            &"A".repeat(5000),
            "-----BEGIN PRIVATE KEY-----",
            "AAAA",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            assert!(bad.parse::<SecretKey>().is_err(), "{bad}");
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
            assert!(bad.parse::<Vkey>().is_err(), "{bad}");
        }
        // A point of small order: every message would have a signature.
        assert!(PublicKey::from_bytes(&[0; 32]).is_none());
        let other_id = "registry.example/audit+0fa8f0a1+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
        assert_eq!(other_id.parse::<Vkey>(), Err(KeyFault::Id));
        let other_kind = "witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
        assert_eq!(other_kind.parse::<Vkey>(), Err(KeyFault::Vkey));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,120}") {
            let _ = text.parse::<SecretKey>();
            let _ = text.parse::<PublicKey>();
            if let Ok(vkey) = text.parse::<Vkey>() {
                prop_assert_eq!(vkey.to_string(), text);
            }
        }
    }
}
