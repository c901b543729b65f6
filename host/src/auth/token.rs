//! Tokens: their text, of which only a hash is kept, and what is known of each.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::limit::TokenLimits;
use super::right::Rights;

/// Every token begins so: whoever finds one somewhere knows what it is.
const PREFIX: &str = "tarp_";

/// Characters of an id.
const ID_LENGTH: usize = 16;

/// Bytes of a secret, before they are text.
const SECRET_BYTES: usize = 32;

/// The public part of a token, by which it is found. It is never given to another token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId([u8; ID_LENGTH]);

impl TokenId {
    fn random() -> Self {
        let mut id = [0; ID_LENGTH];
        let digits = format!("{:016x}", rand::random::<u64>());
        id.copy_from_slice(digits.as_bytes());
        Self(id)
    }

    /// How ids of holders of certificates begin, which no token's does.
    pub(super) const OF_CERTIFICATE: &str = "cert-";

    /// That of the holder of a certificate.
    pub(super) fn of_certificate(digest: &[u8]) -> Self {
        let mut id = [b'0'; ID_LENGTH];
        let (prefix, number) = id.split_at_mut(Self::OF_CERTIFICATE.len());
        prefix.copy_from_slice(Self::OF_CERTIFICATE.as_bytes());
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, digit) in number.iter_mut().zip(digits) {
            *place = b"0123456789abcdef"[usize::from(digit)];
        }
        Self(id)
    }

    /// Its text: 16 digits and letters from a to f.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn of(text: &[u8]) -> Option<Self> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let id: [u8; ID_LENGTH] = text.try_into().ok()?;
        id.iter().all(is_digit).then_some(Self(id))
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not the id of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has {ID_LENGTH} digits and letters from a to f")]
pub struct InvalidTokenId;

impl FromStr for TokenId {
    type Err = InvalidTokenId;

    fn from_str(text: &str) -> Result<Self, InvalidTokenId> {
        Self::of(text.as_bytes()).ok_or(InvalidTokenId)
    }
}

/// What people call a token by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenName(Box<str>);

/// Characters of a name.
const MAX_NAME_LENGTH: usize = 64;

/// A text that cannot be the name of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be the name of a token; one has ASCII letters, digits and any of . _ @ - after a letter or digit, and {MAX_NAME_LENGTH} characters at the most"
)]
pub struct InvalidTokenName(String);

impl TokenName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TokenName {
    type Err = InvalidTokenName;

    fn from_str(text: &str) -> Result<Self, InvalidTokenName> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        let is_name = text.len() <= MAX_NAME_LENGTH
            && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
            && text.bytes().all(is_allowed);
        if is_name {
            Ok(Self(text.into()))
        } else {
            Err(InvalidTokenName(text.chars().take(80).collect()))
        }
    }
}

/// SHA-256 of a secret. A password's hash would cost milliseconds for each call, and protect a secret of
/// 256 random bits no better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SecretHash([u8; 32]);

impl SecretHash {
    fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its public part; it stays when the secret is changed.
    pub id: TokenId,
    /// What people call it by; no other token has the same name.
    pub name: TokenName,
    /// What it allows.
    pub rights: Rights,
    /// How much of it, where that is not as for all tokens.
    pub limits: TokenLimits,
    /// When it was made.
    pub created: SystemTime,
    /// Since when it is no longer valid; `None` for one that is valid until it is revoked.
    pub expires: Option<SystemTime>,
    pub(super) hash: SecretHash,
}

/// A new token, with its text, which is kept nowhere.
pub struct Issued {
    /// What is kept of it.
    pub token: Token,
    /// What a caller sends.
    pub text: String,
}

impl Token {
    /// A new token, which is valid from now on.
    #[must_use]
    pub fn issue(name: TokenName, rights: Rights, expires: Option<SystemTime>) -> Issued {
        let (id, (hash, secret)) = (TokenId::random(), new_secret());
        // Files have seconds.
        let created = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let created = humantime::parse_rfc3339(&created).unwrap_or(SystemTime::UNIX_EPOCH);
        let limits = TokenLimits::default();
        let token = Self { id, name, rights, limits, created, expires, hash };
        let text = token.text(&secret);
        Issued { token, text }
    }

    /// The same token with these limits.
    #[must_use]
    pub fn with_limits(self, limits: TokenLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same token with another secret: the old text is no longer valid.
    #[must_use]
    pub fn rotate(self) -> Issued {
        let (hash, secret) = new_secret();
        let token = Self { hash, ..self };
        let text = token.text(&secret);
        Issued { token, text }
    }

    /// Whether it is too old at this moment.
    #[must_use]
    pub fn has_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    fn text(&self, secret: &str) -> String {
        format!("{PREFIX}{}_{secret}", self.id)
    }
}

fn new_secret() -> (SecretHash, String) {
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; SECRET_BYTES]>());
    (SecretHash::of(secret.as_bytes()), secret)
}

/// What a caller sent, taken apart.
pub(super) struct Presented {
    pub(super) id: TokenId,
    hash: SecretHash,
}

impl Presented {
    /// Reads the text of a token; `None` for what is none.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        const SECRET_LENGTH: usize = (SECRET_BYTES * 4).div_ceil(3);
        let rest = text.strip_prefix(PREFIX.as_bytes())?;
        let (id, secret) = rest.split_at_checked(ID_LENGTH)?;
        let secret = secret.strip_prefix(b"_").filter(|secret| secret.len() == SECRET_LENGTH)?;
        Some(Self { id: TokenId::of(id)?, hash: SecretHash::of(secret) })
    }

    /// Whether it is this token's, in a time that tells nothing of how much of it is right.
    pub(super) fn is_of(&self, token: &Token) -> bool {
        self.hash.0.ct_eq(&token.hash.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issued() -> Issued {
        Token::issue("alice".parse().unwrap(), Rights::default(), None)
    }

    #[test]
    fn a_token_is_known_by_its_text_and_by_nothing_else() {
        let Issued { token, text } = issued();
        let is_it = |text: &str| {
            Presented::read(text.as_bytes())
                .is_some_and(|presented| presented.id == token.id && presented.is_of(&token))
        };
        assert!(is_it(&text));
        assert!(!is_it(&issued().text));
        for position in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[position] = if other[position] == b'0' { b'1' } else { b'0' };
            assert!(!is_it(std::str::from_utf8(&other).unwrap()), "another character {position}");
        }
        for other in
            [format!("{text}A"), format!(" {text}"), text[..text.len() - 1].into(), String::new()]
        {
            assert!(!is_it(&other), "{other:?}");
        }
    }

    #[test]
    fn a_token_goes_into_headers_and_urls_as_it_is() {
        let text = issued().text;
        assert_eq!(text.len(), 65);
        assert!(
            text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-'),
            "{text}"
        );
    }

    #[test]
    fn a_rotated_token_keeps_all_but_its_secret() {
        let old = issued();
        let new = old.token.clone().rotate();
        assert_eq!((new.token.id, &new.token.name), (old.token.id, &old.token.name));
        let presented = |text: &str| Presented::read(text.as_bytes()).unwrap();
        assert!(presented(&new.text).is_of(&new.token));
        assert!(!presented(&old.text).is_of(&new.token));
    }

    #[test]
    fn the_secret_is_in_no_debug_output() {
        let Issued { token, text } = issued();
        let shown = format!("{token:?}");
        assert!(!shown.contains(&text[22..]), "{shown}");
        assert!(shown.contains("hash: SecretHash }"), "{shown}");
    }

    #[test]
    fn names_are_short_and_plain() {
        for name in ["alice", "ci.lab-3_x@example.org", "7"] {
            assert_eq!(name.parse::<TokenName>().unwrap().as_str(), name);
        }
        for name in ["", "-x", "a b", "é", "a\n", &"a".repeat(65)] {
            assert!(name.parse::<TokenName>().is_err(), "{name:?}");
        }
    }
}
