//! `components.lock`: which files of a folder a host may serve, and with which content.
//!
//! `tarp lock` writes it, and a host that is started with `--locked` serves nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::component::Version;
use super::folder::scan;
use super::procedure::Problem;
use crate::files::{FileIdentity, digest, write_shared};

/// The file's name, in the folder itself.
pub const LOCK_FILE: &str = "components.lock";

const HEAD: &str =
    "# Written by `tarp lock`. A host with --locked serves these files, and no others.\n";

/// Bytes of the file: far more than any folder needs.
const MAX_SIZE: u64 = 64 << 20;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockFile {
    /// By the files, relative to the folder.
    #[serde(default)]
    components: BTreeMap<String, Locked>,
}

/// The content that a file must have: the digests of a [`Version`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    digest: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sidecar: Option<String>,
}

/// Why a host cannot follow a lock file.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is none.
    #[error(
        "there is no {LOCK_FILE} in {}, and only what it names would be served; `tarp lock` writes it",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what `tarp lock` writes.
    #[error("{} is not as `tarp lock` writes it: {why}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
}

impl LockFile {
    /// What is in the folder now.
    ///
    /// # Errors
    ///
    /// Where something of it cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let scan = scan(folder)?;
        if let Some((name, cause)) = scan.unreadable.first_key_value() {
            return Err(io::Error::other(format!("{name}: {cause}")));
        }
        let mut components = BTreeMap::new();
        for (name, found) in scan.components {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
            let digest = digest_of(&found.path).map_err(named)?;
            let sidecar = found.sidecar.as_deref().map(digest_of).transpose();
            components.insert(name.clone(), Locked { digest, sidecar: sidecar.map_err(named)? });
        }
        Ok(Self { components })
    }

    /// Reads the one of a folder.
    ///
    /// # Errors
    ///
    /// Where there is none that can be used.
    pub fn read(folder: &Path) -> Result<Self, LockError> {
        let file = folder.join(LOCK_FILE);
        let opened = match File::open(&file) {
            Ok(opened) => opened,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Err(LockError::Missing { folder: folder.into() });
            }
            Err(source) => return Err(LockError::Unreadable { file, source }),
        };
        let mut text = String::new();
        match opened.take(MAX_SIZE + 1).read_to_string(&mut text) {
            Ok(size) if size as u64 > MAX_SIZE => {
                let why = format!("it has more than {} MiB", MAX_SIZE >> 20);
                Err(LockError::Invalid { file, why })
            }
            Ok(_) => toml::from_str(&text)
                .map_err(|error| LockError::Invalid { file, why: error.to_string() }),
            Err(source) => Err(LockError::Unreadable { file, source }),
        }
    }

    /// Puts it into the folder, in place of one that is there.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let text = toml::to_string(self).map_err(io::Error::other)?;
        write_shared(&folder.join(LOCK_FILE), format!("{HEAD}{text}").as_bytes())
    }

    /// How many files it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }

    /// Why the file is not to be served, whatever is in it.
    pub(super) fn refusal_of(&self, file: &str) -> Option<String> {
        let is_named = self.components.contains_key(file);
        (!is_named).then(|| {
            format!(
                "it is not in {LOCK_FILE}, and this host serves nothing else; `tarp lock` adds it"
            )
        })
    }

    /// Why this version of the file is not to be served.
    pub(super) fn refusal(&self, file: &str, version: &Version) -> Option<String> {
        let Some(locked) = self.components.get(file) else { return self.refusal_of(file) };
        let differs = if locked.digest != version.digest {
            format!("its digest is {}, and {LOCK_FILE} has {}", version.digest, locked.digest)
        } else if locked.sidecar != version.sidecar {
            let of = |sidecar: &Option<String>| {
                sidecar.as_ref().map_or_else(|| "none".to_owned(), Clone::clone)
            };
            format!(
                "the digest of its sidecar is {}, and {LOCK_FILE} has {}",
                of(&version.sidecar),
                of(&locked.sidecar)
            )
        } else {
            return None;
        };
        Some(format!("{differs}; `tarp lock` takes the files as they are, where that is meant"))
    }
}

fn digest_of(path: &Path) -> io::Result<String> {
    Ok(digest(path)?.to_hex().to_string())
}

/// The lock file that a running host follows.
pub(super) struct Lock {
    folder: PathBuf,
    pub(super) says: LockFile,
    /// The file that was read last.
    identity: Option<FileIdentity>,
    /// Why the newest one cannot be used.
    pub(super) fault: Option<String>,
    /// When it was read.
    since: SystemTime,
}

impl Lock {
    pub(super) fn open(folder: &Path) -> Result<Self, LockError> {
        // Before it is read: what is put in its place meanwhile is seen as a change.
        let identity = FileIdentity::of(&folder.join(LOCK_FILE)).ok().flatten();
        let says = LockFile::read(folder)?;
        let since = SystemTime::now();
        Ok(Self { folder: folder.into(), says, identity, fault: None, since })
    }

    /// Whether another file than the one that was read has the name by now.
    pub(super) fn is_other(&self) -> bool {
        self.now() != self.identity
    }

    /// Reads it again; where it cannot be used, what it said before still holds.
    pub(super) fn read(&mut self) {
        self.identity = self.now();
        match LockFile::read(&self.folder) {
            Ok(says) => {
                self.says = says;
                self.fault = None;
            }
            Err(error) => {
                let folder = format!("{}/", self.folder.display());
                self.fault = Some(error.to_string().replace(&folder, ""));
            }
        }
        self.since = SystemTime::now();
    }

    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<Problem> {
        let fault = self.fault.as_ref()?;
        let message = format!("{fault}; what the last good one says still holds");
        Some(Problem { file: LOCK_FILE.into(), message, since: self.since, serving: true })
    }

    fn now(&self) -> Option<FileIdentity> {
        FileIdentity::of(&self.folder.join(LOCK_FILE)).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn version(component: &[u8], sidecar: Option<&[u8]>) -> Version {
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        Version { digest: hash(component), sidecar: sidecar.map(hash) }
    }

    #[test]
    fn what_is_in_the_folder_is_allowed_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::create_dir(folder.join("lab")).unwrap();
        fs::write(folder.join("math.wasm"), "m").unwrap();
        fs::write(folder.join("lab/a.wasm"), "a").unwrap();
        fs::write(folder.join("lab/a.toml"), "prefix = 'a'").unwrap();
        assert!(matches!(LockFile::read(folder), Err(LockError::Missing { .. })));
        let lock = LockFile::of(folder).unwrap();
        lock.write(folder).unwrap();
        assert_eq!(LockFile::read(folder).unwrap(), lock);
        assert_eq!(LockFile::of(folder).unwrap(), lock, "it is no component itself");
        let sidecar = Some(&b"prefix = 'a'"[..]);
        assert_eq!(lock.refusal("math.wasm", &version(b"m", None)), None);
        assert_eq!(lock.refusal("lab/a.wasm", &version(b"a", sidecar)), None);
        for (file, version) in [
            ("math.wasm", version(b"other", None)),
            ("math.wasm", version(b"m", Some(b"added"))),
            ("lab/a.wasm", version(b"a", None)),
            ("lab/a.wasm", version(b"a", Some(b"other"))),
            ("a.wasm", version(b"a", sidecar)),
        ] {
            let refusal = lock.refusal(file, &version).unwrap();
            assert!(refusal.contains("`tarp lock`"), "{refusal}");
        }
    }

    #[test]
    fn a_lock_file_that_is_spoilt_changes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join("math.wasm"), "m").unwrap();
        LockFile::of(folder).unwrap().write(folder).unwrap();
        let mut lock = Lock::open(folder).unwrap();
        assert!(!lock.is_other());
        let mut read = || {
            assert!(lock.is_other());
            lock.read();
            assert!(!lock.is_other());
            (lock.says.len(), lock.problem().is_some())
        };
        for spoilt in ["[components]\nmath = 1", "[files]", "\u{0}"] {
            crate::files::write_private(&folder.join(LOCK_FILE), spoilt.as_bytes()).unwrap();
            assert_eq!(read(), (1, true), "{spoilt}");
        }
        fs::remove_file(folder.join(LOCK_FILE)).unwrap();
        assert_eq!(read(), (1, true));
        LockFile::default().write(folder).unwrap();
        assert_eq!(read(), (0, false));
    }
}
