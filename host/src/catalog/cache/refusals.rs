//! Components that cannot be used, remembered so that no later start compiles them in vain again.
//!
//! A refusal holds under the terms that it was made under: the engine, the host's version, the limits of
//! compiling. Under other terms the component is compiled again.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::names::{FORMAT, REFUSED};
use super::{Cache, mark_as_used};
use crate::catalog::compile::Compiler;
use crate::sandbox::Sandbox;

/// Bytes of a reason.
const MAX_REASON: usize = 8 << 10;

/// Bytes of a refusal as JSON, whose escapes make a reason longer.
const MAX_FILE: u64 = 64 << 10;

/// What a refusal depends on, beside the component itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::catalog) struct Terms(u64);

impl Terms {
    pub(in crate::catalog) fn new(sandbox: &Sandbox, compiler: &Compiler) -> Self {
        let mut hasher = DefaultHasher::new();
        FORMAT.hash(&mut hasher);
        env!("CARGO_PKG_VERSION").hash(&mut hasher);
        sandbox.compatibility(&mut hasher);
        compiler.terms(&mut hasher);
        Self(hasher.finish())
    }
}

/// The content of a refusal's file.
#[derive(Serialize, Deserialize)]
struct Refusal {
    reason: String,
}

impl Cache {
    /// Why the component with this digest was refused under these terms, where it was.
    pub(in crate::catalog) fn refusal(&self, digest: blake3::Hash, terms: Terms) -> Option<String> {
        let (file, size) = self.open_file(&stem(digest, terms), REFUSED)?;
        let mut content = Vec::new();
        if size > MAX_FILE || (&file).take(MAX_FILE).read_to_end(&mut content).is_err() {
            return None;
        }
        // One that a power loss cut short counts for nothing.
        let refusal = serde_json::from_slice::<Refusal>(&content).ok()?;
        mark_as_used(&file);
        Some(refusal.reason)
    }

    /// Remembers why a component is refused. That it cannot be kept is no error.
    pub(in crate::catalog) fn refuse(&self, digest: blake3::Hash, terms: Terms, reason: &str) {
        let reason = reason[..reason.floor_char_boundary(MAX_REASON)].to_owned();
        let kept =
            serde_json::to_vec(&Refusal { reason }).map_err(Into::into).and_then(|content| {
                let name = format!("{}.{REFUSED}", stem(digest, terms));
                self.directory.write(&name, &mut content.as_slice())
            });
        match kept {
            Ok(()) => self.room.taken(0, &self.directory),
            Err(e) => {
                warn!(error = %e, "cannot keep why a component was refused; it will be compiled again at the next start");
            }
        }
    }
}

fn stem(digest: blake3::Hash, terms: Terms) -> String {
    format!("{}-{:016x}", digest.to_hex(), terms.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_holds_for_one_component_under_the_terms_that_it_was_made_under() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), 1 << 20).unwrap();
        let (one, other) = (blake3::hash(b"one"), blake3::hash(b"other"));
        assert_eq!(cache.refusal(one, Terms(1)), None);
        cache.refuse(one, Terms(1), "too \"large\"");
        assert_eq!(cache.refusal(one, Terms(1)).as_deref(), Some("too \"large\""));
        assert_eq!((cache.refusal(one, Terms(2)), cache.refusal(other, Terms(1))), (None, None));
        let again = Cache::open(&folder.path().join("cache"), 1 << 20).unwrap();
        assert!(again.refusal(one, Terms(1)).is_some());
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache"), 1 << 20).unwrap();
        let digest = blake3::hash(b"long");
        cache.refuse(digest, Terms(1), &"\u{1}ä".repeat(MAX_REASON));
        let kept = cache.refusal(digest, Terms(1)).unwrap();
        assert!(kept.len() <= MAX_REASON && kept.len() > MAX_REASON - 4);
    }

    #[test]
    fn refusals_take_room_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let size = 10 * super::super::room::LEAST;
        let cache = Cache::open(&folder.path().join("cache"), size).unwrap();
        for n in 0..50_u8 {
            cache.refuse(blake3::hash(&[n]), Terms(1), "why not");
        }
        let kept = (0..50_u8).filter(|n| cache.refusal(blake3::hash(&[*n]), Terms(1)).is_some());
        assert!((5..=10).contains(&kept.count()));
    }
}
