//! Tokens as the text of a file, in JSON: read exactly, or not at all.

use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::limit::TokenLimits;
use super::right::{InvalidRight, Right, Rights};
use super::store::{TokenSet, TokenStoreError};
use super::token::{InvalidTokenId, InvalidTokenName, SecretHash, Token, TokenId};

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed_by: Option<Box<str>>,
    tokens: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    id: String,
    name: String,
    /// SHA-256 of the secret, in base64.
    hash: String,
    allow: Vec<String>,
    #[serde(default, skip_serializing_if = "TokenLimits::is_empty")]
    limits: TokenLimits,
    created: String,
    expires: Option<String>,
}

/// What is wrong with a text.
#[derive(Debug, thiserror::Error)]
pub(super) enum DocumentError {
    /// It is not such JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// It is of another time.
    #[error("it has version {0} of the format, and this host knows {VERSION}")]
    Version(u32),
    /// One of the tokens.
    #[error("token `{name}`: {fault}")]
    Token {
        /// As it stands there.
        name: String,
        /// What is wrong with it.
        fault: RecordError,
    },
    /// Two tokens have one id.
    #[error("the id {0} is there twice")]
    SameId(TokenId),
    /// The tokens do not go together.
    #[error(transparent)]
    Set(#[from] TokenStoreError),
}

/// What is wrong with one token of a text.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// Its id.
    #[error("{id:?}: {source}")]
    Id {
        /// As it stands there.
        id: String,
        /// Why it is none.
        source: InvalidTokenId,
    },
    /// Its name.
    #[error(transparent)]
    Name(#[from] InvalidTokenName),
    /// One of its rights.
    #[error(transparent)]
    Right(#[from] InvalidRight),
    /// All of its rights.
    #[error("it has more than {} rights", Rights::MAX_COUNT)]
    TooManyRights,
    /// One of its times.
    #[error("{text:?} is no time: {source}")]
    Time {
        /// As it stands there.
        text: String,
        /// Why it is none.
        source: humantime::TimestampError,
    },
    /// Its hash.
    #[error("its hash is not 32 bytes in base64")]
    Hash,
}

/// The text of a file with these tokens.
pub(super) fn write(tokens: &TokenSet) -> serde_json::Result<Vec<u8>> {
    let record = |token: &Token| Record {
        id: token.id.to_string(),
        name: token.name.to_string(),
        hash: BASE64_STANDARD.encode(token.hash.as_bytes()),
        allow: token.rights.iter().map(Right::to_string).collect(),
        limits: token.limits.clone(),
        created: time(token.created),
        expires: token.expires.map(time),
    };
    let changed_by = tokens.changed_by.clone();
    let tokens = tokens.by_name().into_iter().map(|token| record(token)).collect();
    let mut text = serde_json::to_vec_pretty(&Document { version: VERSION, changed_by, tokens })?;
    text.push(b'\n');
    Ok(text)
}

/// Reads the text of a file.
///
/// # Errors
///
/// What is wrong with it. A part that cannot be read makes the whole unreadable: to go on without one
/// token, or with less than all that was said of it, is nothing that anybody asked for.
pub(super) fn read(text: &[u8]) -> Result<TokenSet, DocumentError> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    // A later version may have any other fields.
    let Head { version } = serde_json::from_slice(text)?;
    if version != VERSION {
        return Err(DocumentError::Version(version));
    }
    let document: Document = serde_json::from_slice(text)?;
    let mut tokens = TokenSet::default();
    for record in document.tokens {
        let name = record.name.clone();
        let token = record.read().map_err(|fault| DocumentError::Token { name, fault })?;
        if tokens.get(&token.id).is_some() {
            return Err(DocumentError::SameId(token.id));
        }
        tokens.add(token)?;
    }
    tokens.changed_by = document.changed_by;
    Ok(tokens)
}

impl Record {
    fn read(self) -> Result<Token, RecordError> {
        let hash = BASE64_STANDARD.decode(&self.hash).ok();
        let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let rights: Result<Vec<Right>, _> = self.allow.iter().map(|right| right.parse()).collect();
        let rights = rights?;
        if rights.len() > Rights::MAX_COUNT {
            return Err(RecordError::TooManyRights);
        }
        let moment = |text: &str| {
            humantime::parse_rfc3339(text)
                .map_err(|source| RecordError::Time { text: text.to_owned(), source })
        };
        Ok(Token {
            id: self
                .id
                .parse()
                .map_err(|source| RecordError::Id { id: self.id.clone(), source })?,
            name: self.name.parse()?,
            rights: Rights::new(rights),
            limits: self.limits,
            created: moment(&self.created)?,
            expires: self.expires.as_deref().map(moment).transpose()?,
            hash: SecretHash::from_bytes(hash.ok_or(RecordError::Hash)?),
        })
    }
}

fn time(moment: SystemTime) -> String {
    humantime::format_rfc3339_seconds(moment.max(SystemTime::UNIX_EPOCH)).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sample() -> TokenSet {
        let rights = Rights::new(["call:stats/*", "jobs"].map(|right| right.parse().unwrap()));
        let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let mut tokens = TokenSet::default();
        let name = |name: &str| name.parse().unwrap();
        let limits = TokenLimits {
            rate: Some("10/s".parse().unwrap()),
            max_calls: Some("unlimited".parse().unwrap()),
            ..TokenLimits::default()
        };
        let alice = Token::issue(name("alice"), rights, Some(expires)).token.with_limits(limits);
        tokens.add(alice).unwrap();
        tokens.add(Token::issue(name("bob"), Rights::default(), None).token).unwrap();
        tokens.changed_by = Some("carol (uid 1000)".into());
        tokens
    }

    #[test]
    fn tokens_are_read_as_they_were_written() {
        let tokens = sample();
        assert_eq!(read(&write(&tokens).unwrap()).unwrap(), tokens);
    }

    #[test]
    fn a_file_that_is_not_whole_or_not_ours_is_refused() {
        let whole = write(&sample()).unwrap();
        // All but the last, which is the end of the line.
        for length in 0..whole.len() - 1 {
            assert!(read(&whole[..length]).is_err(), "the first {length} bytes");
        }
        let whole = String::from_utf8(whole).unwrap();
        for (old, new, word) in [
            ("\"version\": 1", "\"version\": 2", "version 2"),
            ("call:stats/*", "fly", "alice"),
            ("\"jobs\"", "\"jobs\", 7", "line"),
            ("2033-", "sometime", "alice"),
            ("\"bob\"", "\"alice\"", "alice"),
            ("\"allow\"", "\"more\": 1, \"allow\"", "more"),
            ("10/s", "10/fortnight", "10/fortnight"),
            ("\"rate\"", "\"pace\"", "pace"),
        ] {
            assert!(whole.contains(old));
            let refusal = read(whole.replacen(old, new, 1).as_bytes()).unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
    }
}
