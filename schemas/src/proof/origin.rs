//! The name of a ledger: first line of its checkpoints, and name of the keys that sign them.

use std::{fmt, str::FromStr};

use thiserror::Error;

use crate::text::{as_text, quoted};

/// Bytes an origin may have: with a tile path behind it, it still is a URL.
const MOST: usize = 200;

/// The origin of a ledger (C2SP tlog-checkpoint): a URL without scheme, such as `registry.example/ledger`. No two ledgers may
/// share one, since a checkpoint of the one would pass for one of the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(String);

/// Why a text is not an [`Origin`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected the origin of a ledger, a URL without scheme such as `registry.example/ledger`, got {0}")]
pub struct OriginFault(String);

impl Origin {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginFault;

    /// Letters, digits and `. - _ ~ : /`: visible ASCII without the space and plus that notes forbid, and nothing that a URL would
    /// have to encode.
    fn from_str(text: &str) -> Result<Self, OriginFault> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_~:/".contains(&b);
        let sound = !text.is_empty()
            && text.len() <= MOST
            && text.bytes().all(plain)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !text.contains("//")
            && !text.ends_with('/');
        if sound { Ok(Self(text.to_owned())) } else { Err(OriginFault(quoted(text))) }
    }
}

as_text!(Origin, "Origin", {
    "description": "the origin of a ledger: a URL without scheme",
    "pattern": "^[A-Za-z0-9][A-Za-z0-9.\\-_~:/]*$",
    "minLength": 1,
    "maxLength": 200,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_url_without_scheme() {
        for good in
            ["registry.example/ledger", "localhost:8700", "a", "licit.invalid/01939f00-0000-7000-8000-000000000000"]
        {
            assert_eq!(good.parse::<Origin>().unwrap().as_str(), good);
        }
        for bad in ["", "https://registry.example", "a b", "a+b", "/a", "a/", "é", "a\n", "a//b", &"a".repeat(201)] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
