//! Compiled components on disk, so that a restart with an unchanged folder takes milliseconds.
//!
//! Loading compiled code means running it, so the directory must be the host's alone: it is made
//! readable and writable for its owner only, and refused if anybody else could write there. What a
//! user drops into the watched folder is never loaded as compiled code.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tracing::{debug, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

/// An entry that no start used for so long is removed.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Why a directory cannot hold compiled components.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or read.
    #[error("cannot keep compiled components in {}: {source}; name another directory with --cache", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not this user's alone.
    #[error(
        "others can write to {}, and compiled code from there would be run; give it to this user alone (chmod 700) or name another directory with --cache",
        directory.display()
    )]
    Exposed {
        /// The directory.
        directory: PathBuf,
    },
}

/// The directory with compiled components.
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// Opens the directory, making it if need be, and removes what has not been used for 30 days.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, belongs to somebody else, or others can write there.
    pub fn open(directory: &Path) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Unusable { directory: directory.into(), source };
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent).map_err(unusable)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(directory) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(e)),
            _ => {}
        }
        let metadata = fs::metadata(directory).map_err(unusable)?;
        if !metadata.is_dir() {
            return Err(unusable(io::ErrorKind::NotADirectory.into()));
        }
        let owner = rustix::process::geteuid().as_raw();
        if metadata.uid() != owner || metadata.mode() & 0o022 != 0 {
            return Err(CacheError::Exposed { directory: directory.into() });
        }
        let cache = Self { directory: directory.to_path_buf() };
        cache.prune();
        Ok(cache)
    }

    /// The component of these bytes, from the cache or compiled now.
    ///
    /// # Errors
    ///
    /// Where the bytes are not a component that this engine accepts. A fault of the cache is no
    /// error: the component is compiled then.
    pub fn component(
        &self,
        engine: &Engine,
        digest: blake3::Hash,
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let path = self.directory.join(key(engine, digest));
        if let Some(component) = load(engine, &path) {
            return Ok(component);
        }
        let component = Component::new(engine, bytes)?;
        if let Err(e) = self.store(&component, &path) {
            warn!(error = %e, "cannot keep a compiled component; it will be compiled again at the next start");
        }
        Ok(component)
    }

    /// Written beside its place and renamed into it, so that no half of it is ever seen.
    fn store(&self, component: &Component, path: &Path) -> io::Result<()> {
        let code = component.serialize().map_err(|e| io::Error::other(format!("{e:#}")))?;
        let mut sum = tempfile::NamedTempFile::new_in(&self.directory)?;
        sum.write_all(blake3::hash(&code).as_bytes())?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(&code)?;
        sum.persist(path.with_extension("sum")).map_err(|e| e.error)?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    }

    fn prune(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            let used = entry.metadata().and_then(|metadata| metadata.modified());
            let age = used.ok().and_then(|used| SystemTime::now().duration_since(used).ok());
            if age.is_some_and(|age| age > UNUSED)
                && let Err(e) = fs::remove_file(entry.path())
            {
                warn!(error = %e, "cannot remove an old compiled component");
            }
        }
    }
}

/// By content and by all that changes the compiled code: engine settings and wasmtime's version.
fn key(engine: &Engine, digest: blake3::Hash) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}.cwasm", digest.to_hex(), hasher.finish())
}

fn load(engine: &Engine, path: &Path) -> Option<Component> {
    // The sum finds what a power loss or a bad disk left of a file; wasmtime would run it.
    let sum = path.with_extension("sum");
    let expected = fs::read(&sum).ok()?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(fs::File::open(path).ok()?).ok()?;
    if hasher.finalize().as_bytes() != expected.as_slice() {
        warn!("a compiled component in the cache is damaged and will be compiled again");
        return None;
    }
    let now = fs::FileTimes::new().set_modified(SystemTime::now());
    for file in [path, &sum] {
        let touched =
            fs::File::options().write(true).open(file).and_then(|file| file.set_times(now));
        if let Err(e) = touched {
            debug!(error = %e, "cannot mark a compiled component as used");
        }
    }
    deserialize(engine, path)
}

#[expect(unsafe_code, reason = "loading compiled code is running it")]
fn deserialize(engine: &Engine, path: &Path) -> Option<Component> {
    // SAFETY: the file was written by `store` into a directory where only this user can write, and
    // its sum says that it is unchanged.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Some(component),
        Err(e) => {
            warn!(error = %e, "a compiled component in the cache cannot be used and will be compiled again");
            None
        }
    }
}
