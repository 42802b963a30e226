//! The secret shared with the receiver, and what is signed with it.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// A secret shared with the webhook's receiver; it can be signed with, not read.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// The secret of these bytes; `None` where there are none.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        Hmac::new_from_slice(bytes).ok().map(Self)
    }

    /// The signature of a body sent at `timestamp_secs` (since 1970), as the header has it:
    /// `sha256=` and 64 hex digits.
    ///
    /// *Source*: RFC 2104 over `<timestamp>.<body>`.
    pub fn sign(&self, timestamp_secs: u64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(timestamp_secs.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        format!("sha256={:x}", mac.finalize().into_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected value is Python's: `hmac.new(b"a secret", b'1700000000.{"a":1}', sha256)`.
    #[test]
    fn signs_as_others_do() {
        let secret = Secret::new(b"a secret").unwrap();
        let expected = "sha256=b4c5d5c08194254de18b80695176335ee482a5907fb5e68f7bd993b1b00b018d";
        assert_eq!(secret.sign(1_700_000_000, br#"{"a":1}"#), expected);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert!(Secret::new(b"").is_none());
    }
}
