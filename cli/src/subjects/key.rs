//! Keys of subjects: 256 random bits in a file of the user's alone. A key is never sent; the registry knows its fingerprint.
//! Whoever destroys the file makes its pseudonyms unlinkable for good.

use std::fs;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use licit_schemas::digest::Digest;
use licit_schemas::subjects::{IdentifierType, KeyId, Normalisation, Pseudonym, SubjectKeySpec};
use licit_schemas::text::Key as Scope;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::config::private;
use crate::error::{Failure, Result};

/// What sets these hashes apart from any other use of a key.
const SUBJECT: &[u8] = b"licit/subject/v1\0";
const FINGERPRINT: &[u8] = b"licit/subject-key/v1\0";

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scope: Scope,
    kid: KeyId,
    normalisation: Normalisation,
    /// 32 bytes in base64url.
    key: String,
}

/// A key, and what belongs to it.
pub(crate) struct SubjectKey {
    scope: Scope,
    kid: KeyId,
    normalisation: Normalisation,
    mac: Hmac<Sha256>,
}

/// Draw a key and write it to a file that is not there yet, readable by its owner only.
pub(crate) fn generate(path: &Path, scope: Scope, kid: Option<KeyId>) -> Result<SubjectKey> {
    let mut drawn = [0u8; 36];
    getrandom::fill(&mut drawn).map_err(|e| Failure::plain(format!("no random bytes: {e}")))?;
    let (key, name) = drawn.split_at(32);
    let kid = match kid {
        Some(kid) => kid,
        None => {
            let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("k{name}").parse().map_err(|e| Failure::plain(format!("{e}")))?
        }
    };
    let file = File { scope, kid, normalisation: Normalisation::N1, key: URL_SAFE_NO_PAD.encode(key) };
    let text = serde_json::to_string_pretty(&file).map_err(|e| Failure::plain(e.to_string()))?;
    let mut options = fs::OpenOptions::new();
    // A key that is overwritten makes everybody it hashed a stranger.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut out| writeln!(out, "{text}").and_then(|()| out.sync_all()));
    written.map_err(|e| Failure::file("write", path, &e))?;
    SubjectKey::from_file(file)
}

/// Read a key.
pub(crate) fn read(path: &Path) -> Result<SubjectKey> {
    let text = fs::read_to_string(path).map_err(|e| Failure::file("read", path, &e))?;
    private(path, "a key", "think of a new key")?;
    // What the parser says may quote the key.
    let none =
        || Failure::plain(format!("`{}` is no key of subjects: `licit subjects keygen` writes one", path.display()));
    let file = serde_json::from_str(&text).map_err(|_| none())?;
    SubjectKey::from_file(file).map_err(|_| none())
}

impl SubjectKey {
    fn from_file(file: File) -> Result<Self> {
        let mut key = [0u8; 32];
        let read = URL_SAFE_NO_PAD.decode_slice(file.key.as_bytes(), &mut key);
        if !matches!(read, Ok(32)) {
            return Err(Failure::plain("a key has 32 bytes in base64url"));
        }
        let mac = Hmac::new_from_slice(&key).map_err(|_| Failure::plain("a key has 32 bytes"))?;
        Ok(Self { scope: file.scope, kid: file.kid, normalisation: file.normalisation, mac })
    }

    /// The pseudonym of an identifier that is spelled as it should be.
    pub(crate) fn pseudonym(&self, kind: IdentifierType, normalised: &str) -> Pseudonym {
        Pseudonym::new(self.kid.clone(), self.hmac(&[SUBJECT, kind.as_str().as_bytes(), b"\0", normalised.as_bytes()]))
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// What the registry knows of it.
    pub(crate) fn spec(&self) -> SubjectKeySpec {
        SubjectKeySpec {
            scope: self.scope.clone(),
            kid: self.kid.clone(),
            normalisation: self.normalisation,
            fingerprint: Digest::from_bytes(self.hmac(&[FINGERPRINT])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: [u8; 32]) -> SubjectKey {
        let (scope, kid) = ("crm".parse().unwrap(), "k1".parse().unwrap());
        let file = File { scope, kid, normalisation: Normalisation::N1, key: URL_SAFE_NO_PAD.encode(bytes) };
        SubjectKey::from_file(file).unwrap()
    }

    #[test]
    fn a_pseudonym_is_the_keyed_hash_of_type_and_identifier() {
        // Computed with Python's hmac: HMAC-SHA-256 over `licit/subject/v1\0email\0jane.doe@example.com`, the key 32 bytes 0 to 31.
        let key = key(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        let made = key.pseudonym(IdentifierType::Email, "jane.doe@example.com");
        assert_eq!(made.to_string(), "p1.k1._tBKn4hDnnOPLBF0LpqDjWHsUE3fqX62r2BCNXH83H0");
        assert_ne!(made, key.pseudonym(IdentifierType::Opaque, "jane.doe@example.com"), "the type is hashed");
        assert_ne!(made, self::key([7; 32]).pseudonym(IdentifierType::Email, "jane.doe@example.com"), "and the key");
        assert_eq!(
            key.spec().fingerprint.to_string(),
            "sha256:a0cdc10865b787a83dea383ee91e86be6ee24d1273620d46fef31e4fadd48495"
        );
    }

    #[test]
    fn a_key_file_is_the_users_alone_and_never_overwritten() {
        let folder = std::env::temp_dir().join(format!("licit-key-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("crm.key");
        let made = generate(&path, "crm".parse().unwrap(), None).unwrap();
        assert_eq!(read(&path).unwrap().spec(), made.spec());
        assert!(generate(&path, "crm".parse().unwrap(), None).is_err(), "it is not overwritten");
        let other = generate(&folder.join("2"), "crm".parse().unwrap(), Some("k2".parse().unwrap())).unwrap();
        assert_ne!(other.spec().fingerprint, made.spec().fingerprint);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            assert!(read(&path).err().unwrap().to_string().contains("chmod 600"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        let secret = text.split('"').nth(15).unwrap().to_owned();
        fs::write(&path, text.replace("n1", "n9")).unwrap();
        let told = read(&path).err().unwrap().to_string();
        assert!(!told.contains(&secret), "{told}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
