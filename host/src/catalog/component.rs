//! What a catalog says of a whole file: a [`Component`], and which [`Version`] of it is served.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// A file of the folder that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The file, relative to the watched folder.
    pub file: String,
    /// What of it is served.
    pub version: Version,
    /// When the file was last modified.
    pub modified: SystemTime,
    /// The full names of its procedures.
    pub procedures: Vec<Arc<str>>,
    /// The name that it is mounted under, where it answers requests itself.
    pub mount: Option<Arc<str>>,
}

/// The content of a component and of its sidecar, by their digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// BLAKE3 of the component, in hexadecimal.
    pub digest: String,
    /// BLAKE3 of its sidecar, where it has one.
    pub sidecar: Option<String>,
}

/// How much of a sidecar's digest is in a version's tag.
const SIDECAR_DIGITS: usize = 16;

impl Version {
    /// Whether a text names it: its tag, or the digest of the component alone.
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        text == self.digest || text == self.to_string()
    }
}

/// The tag: the component's digest, and behind a dot the beginning of the sidecar's.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digest)?;
        let Some(sidecar) = &self.sidecar else { return Ok(()) };
        write!(f, ".{}", sidecar.get(..SIDECAR_DIGITS).unwrap_or(sidecar))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_tag_or_by_the_component_alone() {
        let digest = |byte: &str| byte.repeat(32);
        let bare = Version { digest: digest("ab"), sidecar: None };
        assert_eq!(bare.to_string(), digest("ab"));
        let with_sidecar = Version { sidecar: Some(digest("cd")), ..bare.clone() };
        assert_eq!(with_sidecar.to_string(), format!("{}.cdcdcdcdcdcdcdcd", digest("ab")));
        for version in [&bare, &with_sidecar] {
            assert!(version.is_named(&digest("ab")) && version.is_named(&version.to_string()));
        }
        assert!(!bare.is_named(&with_sidecar.to_string()) && !bare.is_named("ab"));
    }
}
