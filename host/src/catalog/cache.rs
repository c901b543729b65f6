//! Compiled components on disk, so that a restart with an unchanged folder takes milliseconds.
//!
//! Loading compiled code means running it. So the directory must be the host's alone ([`directory`]),
//! and so must each file: its owner and mode are checked on the open descriptor that is then
//! loaded. What a user drops into the watched folder is never loaded as compiled code.
//!
//! An entry is three files with one stem: `.cwasm` is the code, `.json` what else is known of the
//! component, `.sum` the BLAKE3 hash of the two. It finds what a power loss or a bad disk left. Or it
//! is one file: `.refused` says why the component cannot be used ([`refusals`]), `.functions` has the compiled
//! functions of the last version of a file ([`functions`]).

mod directory;
mod functions;
mod names;
mod refusals;
mod room;

use std::fs::{File, FileTimes};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::SystemTime;

use tracing::{debug, warn};
use wasmtime::component::Component;

use super::compile::{About, Compiled};
use crate::sandbox::{Concurrency, Sandbox};
use directory::Directory;
use names::FORMAT;
use room::Room;

pub use directory::CacheError;
pub(super) use refusals::Terms;

/// Bytes of what is known of a component beside its code.
const MAX_ABOUT: u64 = 16 << 20;

/// The directory with compiled components.
pub struct Cache {
    directory: Directory,
    room: Room,
}

impl Cache {
    /// Opens the directory for so many bytes, making it if need be, and removes what was used longest
    /// ago beyond them.
    ///
    /// # Errors
    ///
    /// Where it cannot be made, holds files of others, belongs to somebody else, or others can write
    /// there.
    pub fn open(directory: &Path, size: u64) -> Result<Self, CacheError> {
        let directory = Directory::open(directory)?;
        let room = Room::new(size, &directory);
        Ok(Self { directory, room })
    }

    /// The component with this digest, where it was compiled before. A fault of the cache is no
    /// error: the component is compiled then.
    pub(super) fn find(
        &self,
        sandbox: &Sandbox,
        digest: blake3::Hash,
    ) -> Option<(Component, About)> {
        let stem = stem(sandbox, digest);
        let about = self.read(&stem, "json", MAX_ABOUT)?;
        let sum = self.read(&stem, "sum", 32)?;
        let (mut code, _) = self.open_file(&stem, "cwasm")?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&mut code).ok()?;
        if total(hasher.finalize(), &about).as_bytes() != sum.as_slice() {
            warn!("a compiled component in the cache is damaged and will be compiled again");
            return None;
        }
        let about = serde_json::from_slice::<About>(&about).ok()?;
        mark_as_used(&code);
        match load(sandbox, about.concurrency, &code) {
            Ok(component) => Some((component, about)),
            Err(e) => {
                warn!(error = %e, "a compiled component in the cache cannot be used and will be compiled again");
                None
            }
        }
    }

    /// Keeps what was compiled, and loads it.
    ///
    /// # Errors
    ///
    /// Where the engine does not accept it. That it cannot be kept is no error.
    pub(super) fn keep(
        &self,
        sandbox: &Sandbox,
        digest: blake3::Hash,
        compiled: Compiled,
    ) -> wasmtime::Result<(Component, About)> {
        // What the engine does not accept is not kept: it would not be accepted the next time either.
        let component = load(sandbox, compiled.about.concurrency, &compiled.code)?;
        match self.store(&stem(sandbox, digest), &compiled) {
            // From its file it takes no memory that the system could not have back.
            Ok(()) => {
                if let Some(found) = self.find(sandbox, digest) {
                    return Ok(found);
                }
            }
            Err(e) => {
                warn!(error = %e, "cannot keep a compiled component; it will be compiled again at the next start");
            }
        }
        Ok((component, compiled.about))
    }

    /// Each file is written beside its place and renamed into it, so that no half of it is ever seen.
    fn store(&self, stem: &str, compiled: &Compiled) -> io::Result<()> {
        let about = serde_json::to_vec(&compiled.about)?;
        let sum = total(compiled.sum, &about);
        let mut code = &compiled.code;
        code.seek(SeekFrom::Start(0))?;
        let size = compiled.code.metadata()?.len() + about.len() as u64;
        self.directory.write(&format!("{stem}.cwasm"), &mut code)?;
        self.directory.write(&format!("{stem}.json"), &mut about.as_slice())?;
        self.directory.write(&format!("{stem}.sum"), &mut sum.as_bytes().as_slice())?;
        self.room.taken(size, &self.directory);
        Ok(())
    }

    fn read(&self, stem: &str, ending: &str, most: u64) -> Option<Vec<u8>> {
        let (file, size) = self.open_file(stem, ending)?;
        let mut content = Vec::new();
        (size <= most && file.take(most).read_to_end(&mut content).is_ok()).then_some(content)
    }

    fn open_file(&self, stem: &str, ending: &str) -> Option<(File, u64)> {
        let name = format!("{stem}.{ending}");
        match self.directory.open_own(&name) {
            Ok(opened) => Some(opened),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => {
                warn!(file = name, error = %e, "not loaded from the cache");
                None
            }
        }
    }
}

/// Has a file go last when the cache makes room.
fn mark_as_used(file: &File) {
    if let Err(e) = file.set_times(FileTimes::new().set_modified(SystemTime::now())) {
        debug!(error = %e, "cannot mark a file of the cache as used");
    }
}

/// By content and by all that changes the compiled code: engine settings and wasmtime's version.
fn stem(sandbox: &Sandbox, digest: blake3::Hash) -> String {
    let mut hasher = DefaultHasher::new();
    FORMAT.hash(&mut hasher);
    sandbox.compatibility(&mut hasher);
    format!("{}-{:016x}", digest.to_hex(), hasher.finish())
}

fn total(code: blake3::Hash, about: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(code.as_bytes()).update(about);
    hasher.finalize()
}

#[expect(unsafe_code, reason = "loading compiled code is running it")]
fn load(sandbox: &Sandbox, concurrency: Concurrency, code: &File) -> wasmtime::Result<Component> {
    let engine = sandbox.engine(concurrency)?;
    // The very file that was checked, whatever has its name by now.
    let descriptor = format!("/proc/self/fd/{}", code.as_raw_fd());
    // SAFETY: the descriptor is either of a file in memory that only this process has, with what
    // the compiler made, or of one that belongs to this user, that nobody else can write to, and
    // whose sum says that it is as `store` wrote it, in a directory where only this user can write.
    unsafe { Component::deserialize_file(engine, descriptor) }
}
