//! Signatures as Standard Webhooks has them: HMAC-SHA-256 over `<id>.<timestamp>.<body>`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use licit_schemas::text::SigningSecret;
use sha2::Sha256;

use crate::error::{Error, Result};

/// Bytes a secret may have.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// The key behind a secret.
fn key(secret: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    LENGTHS.contains(&bytes.len()).then_some(bytes)
}

/// Whether a secret can sign.
pub fn is_sound(secret: &SigningSecret) -> bool {
    key(secret.as_str()).is_some()
}

/// A secret of 256 random bits.
///
/// # Errors
/// No random bytes to be had.
pub fn new_secret() -> Result<SigningSecret> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Unavailable(format!("no random bytes: {e}")))?;
    format!("whsec_{}", STANDARD.encode(bytes))
        .parse()
        .map_err(|_| Error::Internal("a secret of ours is unsound".to_owned()))
}

/// The value of `webhook-signature`.
///
/// # Errors
/// A secret that is none.
pub fn signature(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let unsound = || Error::Internal("a stored webhook secret is unsound".to_owned());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret).ok_or_else(unsound)?).map_err(|_| unsound())?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_comes_out() {
        let body = br#"{"test": 2432232314}"#;
        let signed =
            signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), wanted);
    }

    #[test]
    fn secrets_are_sound_or_refused() {
        assert!(is_sound(&new_secret().unwrap()));
        assert!(!is_sound(&format!("whsec_{}", "A".repeat(33)).parse().unwrap()));
        assert!(signature("whsec_", "1", 1, b"").is_err());
    }
}
