//! Secrets that a guest uses and never sees: it has placeholders, which become the values on the way to
//! their own servers.

use std::io;
use std::path::PathBuf;

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::target::Target;
use crate::codec::base64::{BASE64, Engine as _};
use crate::config::{HttpGrant, SecretGrant, SecretSource};
use crate::confinement::explained;

/// A secret that was granted, and its value, which nothing writes out.
pub(in crate::sandbox) struct Secret {
    name: String,
    value: Vec<u8>,
    to: Vec<HttpGrant>,
}

/// Bytes of a secret.
const MAX_SECRET: u64 = 8 << 10;

/// A secret cannot be used; says why, without its value.
#[derive(Debug, thiserror::Error)]
pub(in crate::sandbox) enum UnusableSecret {
    #[error("the host's variable `{0}` is not set")]
    Unset(String),
    #[error("the file {} cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("the file {} has more than {} KiB", .0.display(), MAX_SECRET >> 10)]
    TooLarge(PathBuf),
    #[error("{0} is empty, or has what no header can have")]
    Unfit(String),
}

impl Secret {
    /// Reads the value.
    pub(in crate::sandbox) fn read(
        name: &str,
        grant: &SecretGrant,
    ) -> Result<Self, UnusableSecret> {
        let (from, value) = match &grant.from {
            SecretSource::Variable(variable) => {
                let value =
                    std::env::var(variable).map_err(|_| UnusableSecret::Unset(variable.clone()))?;
                (format!("the host's variable `{variable}`"), value)
            }
            SecretSource::File(file) => {
                let unreadable = |source| UnusableSecret::Unreadable {
                    file: file.clone(),
                    source: explained(file, source),
                };
                let length = std::fs::metadata(file).map_err(unreadable)?.len();
                if length > MAX_SECRET {
                    return Err(UnusableSecret::TooLarge(file.clone()));
                }
                let value = std::fs::read_to_string(file).map_err(unreadable)?;
                (format!("the file {}", file.display()), value)
            }
        };
        let value = value.trim_end_matches(['\r', '\n']);
        if value.is_empty() || HeaderValue::from_str(value).is_err() {
            return Err(UnusableSecret::Unfit(from));
        }
        Ok(Self { name: name.into(), value: value.as_bytes().to_vec(), to: grant.to.clone() })
    }

    pub(in crate::sandbox) fn name(&self) -> &str {
        &self.name
    }

    fn is_for(&self, target: &Target) -> bool {
        self.to.iter().any(|to| to.allows(target.scheme, &target.host, target.port))
    }
}

/// A text that stands for a secret in one call.
pub(in crate::sandbox) fn placeholder() -> String {
    format!("tarp-secret-{:032x}", rand::random::<u128>())
}

/// A secret would go to a server that is none of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotItsServer {
    pub(super) secret: String,
}

/// Puts the values of secrets in place of their placeholders.
pub(super) fn reveal(
    headers: &mut HeaderMap,
    target: &Target,
    secrets: &[Secret],
    placeholders: &[String],
) -> Result<(), NotItsServer> {
    for (name, value) in headers.iter_mut() {
        for (secret, placeholder) in secrets.iter().zip(placeholders) {
            let Some(revealed) = revealed(name, value, placeholder.as_bytes(), &secret.value)
            else {
                continue;
            };
            if !secret.is_for(target) {
                return Err(NotItsServer { secret: secret.name.clone() });
            }
            // Both the guest's part and the secret could be in a header before.
            if let Ok(mut revealed) = HeaderValue::from_bytes(&revealed) {
                revealed.set_sensitive(true);
                *value = revealed;
            }
        }
    }
    Ok(())
}

/// A header's value with the secret in it, if it has the placeholder, in the clear or as a part of a name
/// and password.
fn revealed(
    name: &HeaderName,
    value: &HeaderValue,
    placeholder: &[u8],
    secret: &[u8],
) -> Option<Vec<u8>> {
    if let Some(replaced) = replaced(value.as_bytes(), placeholder, secret) {
        return Some(replaced);
    }
    if name != AUTHORIZATION {
        return None;
    }
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = BASE64.decode(encoded.trim()).ok()?;
    let pair = replaced(&pair, placeholder, secret)?;
    Some(format!("{scheme} {}", BASE64.encode(pair)).into_bytes())
}

/// The text with every placeholder replaced; `None` where there is none.
fn replaced(text: &[u8], placeholder: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let finder = memchr::memmem::Finder::new(placeholder);
    let mut rest = text;
    let mut replaced = Vec::new();
    while let Some(at) = finder.find(rest) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(secret);
        rest = &rest[at + placeholder.len()..];
    }
    if rest.len() == text.len() {
        return None;
    }
    replaced.extend_from_slice(rest);
    Some(replaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HttpScheme;

    fn target(host: &str) -> Target {
        let scheme = HttpScheme::Https;
        Target { scheme, host: host.into(), port: 443, is_private: false }
    }

    #[test]
    fn a_placeholder_becomes_the_secret_towards_its_servers_alone() {
        let to = vec![HttpGrant::parse("api.lab.example").unwrap()];
        let secrets = [Secret { name: "KEY".into(), value: b"s3cret".to_vec(), to }];
        let placeholders = [placeholder()];
        let placeholder = &placeholders[0];
        let basic = BASE64.encode(format!("me:{placeholder}"));
        let sent = [
            ("authorization", format!("Bearer {placeholder}"), "Bearer s3cret".to_owned()),
            ("x-two", format!("{placeholder},{placeholder}!"), "s3cret,s3cret!".to_owned()),
            ("x-none", "tarp-secret-".to_owned(), "tarp-secret-".to_owned()),
            (
                "authorization",
                format!("Basic {basic}"),
                format!("Basic {}", BASE64.encode("me:s3cret")),
            ),
        ];
        for (name, value, expected) in sent {
            let name = HeaderName::from_static(name);
            let headers = || HeaderMap::from_iter([(name.clone(), value.parse().unwrap())]);
            let mut towards = headers();
            reveal(&mut towards, &target("api.lab.example"), &secrets, &placeholders).unwrap();
            assert_eq!(towards[&name], expected);
            assert!(!format!("{towards:?}").contains("s3cret"), "it is not written out");
            let mut elsewhere = headers();
            let refused = reveal(&mut elsewhere, &target("evil.example"), &secrets, &placeholders);
            assert_eq!(refused.is_err(), value != expected);
            assert_eq!(elsewhere, headers());
        }
    }
}
