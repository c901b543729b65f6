//! The cache's directory, which is the host's alone: made by it, or found empty, and marked since.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Mode, OFlags, open, openat, renameat, unlinkat};
use tracing::{debug, warn};

use super::names::is_own_name;
use crate::files::is_own;

/// The file that says whose the directory is.
const MARKER: &str = "tarp-cache";

const MARKER_TEXT: &[u8] =
    b"Components that a TARP host compiled. It removes files of its own from here as it sees fit.\n";

/// What is being written has a name that begins so.
const UNFINISHED: &str = ".tarp-";

/// Nobody has been writing a file for so long.
const FORSAKEN: Duration = Duration::from_secs(60 * 60);

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
        "others can write to {}, or could, and compiled code that they put there would be run; name a directory with --cache that does not exist yet, or remove all that is in this one and then give it to this user alone (chmod 700)",
        directory.display()
    )]
    Exposed {
        /// The directory.
        directory: PathBuf,
    },
    /// It holds what no host put there.
    #[error(
        "{} holds `{file}`, which is not a compiled component; the host keeps those in a directory of their own, where it may remove files: name one with --cache that does not exist yet, or is empty",
        directory.display()
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
        /// One of the files in it.
        file: String,
    },
}

/// The open directory: whatever has its name later, files are made and looked for here.
pub(super) struct Directory {
    handle: File,
    path: PathBuf,
}

/// A file of the directory, as it stands there.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) used: SystemTime,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Unusable { directory: path.into(), source };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unusable)?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(e)),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = open(path, flags, Mode::empty()).map_err(|e| unusable(e.into()))?;
        let directory = Self { handle: File::from(handle), path: path.into() };
        let metadata = directory.handle.metadata().map_err(unusable)?;
        if !is_own(&metadata) {
            return Err(CacheError::Exposed { directory: path.into() });
        }
        directory.claim()?;
        directory.sweep();
        Ok(directory)
    }

    /// Sees that it is marked, and marks it if there is nothing in it but what hosts make.
    fn claim(&self) -> Result<(), CacheError> {
        let unusable = |source| CacheError::Unusable { directory: self.path.clone(), source };
        match self.open_own(MARKER) {
            Ok(_) => return Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return Err(CacheError::Exposed { directory: self.path.clone() }),
        }
        let is_foreign = |name: &String| !is_own_name(name) && !name.starts_with(UNFINISHED);
        match self.names().map_err(unusable)?.find(is_foreign) {
            // Another host may have marked it just now.
            Some(file) if file != MARKER => {
                Err(CacheError::Foreign { directory: self.path.clone(), file })
            }
            _ => {
                // A full disk keeps nobody from serving.
                if let Err(e) = self.write(MARKER, &mut &*MARKER_TEXT) {
                    warn!(error = %e, "cannot mark the directory for compiled components");
                }
                Ok(())
            }
        }
    }

    fn names(&self) -> io::Result<impl Iterator<Item = String>> {
        let entries = fs::read_dir(self.by_descriptor())?;
        Ok(entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()))
    }

    /// This very directory, whatever has its name by now.
    fn by_descriptor(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        format!("/proc/self/fd/{}", self.handle.as_raw_fd()).into()
    }

    /// The files of entries.
    pub(super) fn entries(&self) -> io::Result<Vec<Entry>> {
        let of = |entry: fs::DirEntry| {
            let name = entry.file_name().to_str().filter(|name| is_own_name(name))?.to_owned();
            let metadata = entry.metadata().ok().filter(Metadata::is_file)?;
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(Entry { name, size: metadata.len(), used })
        };
        Ok(fs::read_dir(self.by_descriptor())?.flatten().filter_map(of).collect())
    }

    /// Opens a file that is this user's alone, with its size.
    pub(super) fn open_own(&self, name: &str) -> io::Result<(File, u64)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&self.handle, name, flags, Mode::empty())?);
        let metadata = file.metadata()?;
        if !metadata.is_file() || !is_own(&metadata) || metadata.nlink() > 1 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it is not a file of this user's that nobody else can write to",
            ));
        }
        Ok((file, metadata.len()))
    }

    /// Writes a file whole, and puts it in its place.
    pub(super) fn write(&self, name: &str, content: &mut dyn Read) -> io::Result<()> {
        let unfinished = format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let handle = openat(&self.handle, &*unfinished, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = File::from(handle);
        let written = io::copy(content, &mut file)
            .and_then(|_| file.flush())
            .and_then(|()| Ok(renameat(&self.handle, &*unfinished, &self.handle, name)?));
        if written.is_err() {
            self.remove(&unfinished);
        }
        written
    }

    pub(super) fn remove(&self, name: &str) {
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            // Another host may have been faster.
            Ok(()) | Err(rustix::io::Errno::NOENT) => {}
            Err(e) => warn!(error = %e, "cannot remove a compiled component from the cache"),
        }
    }

    /// Removes what a host that was ended left unfinished.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.by_descriptor()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(UNFINISHED)) else {
                continue;
            };
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
            if age.is_some_and(|age| age > FORSAKEN) {
                debug!(name, "removing what was left unfinished in the cache");
                self.remove(name);
            }
        }
    }
}
