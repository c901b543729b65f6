//! What is in the folder, and which of it has settled.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use walkdir::{DirEntry, WalkDir};

use crate::confinement::denial;

/// A component in the folder, and its sidecar if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Relative to the folder, with `/`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) sidecar: Option<PathBuf>,
    stamp: (Stamp, Option<Stamp>),
}

/// What changes when a file does.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Found {
    fn new(name: String, path: &Path, stamp: Stamp, sidecar: Option<Stamp>) -> Self {
        Self {
            name,
            path: path.to_path_buf(),
            sidecar: sidecar.is_some().then(|| path.with_extension("toml")),
            stamp: (stamp, sidecar),
        }
    }

    /// A component that is looked at alone, with its sidecar if it has one.
    pub(super) fn file(path: &Path) -> std::io::Result<Self> {
        let stamp = Stamp::of(&std::fs::metadata(path)?);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sidecar = match std::fs::metadata(path.with_extension("toml")) {
            Ok(metadata) => Some(Stamp::of(&metadata)),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        Ok(Self::new(name, path, stamp, sidecar))
    }

    /// A component that is not in its place yet, with a sidecar from anywhere.
    pub(super) fn elsewhere(
        name: String,
        path: PathBuf,
        sidecar: Option<PathBuf>,
    ) -> std::io::Result<Self> {
        let stamp = Stamp::of(&std::fs::metadata(&path)?);
        let of = |path: &PathBuf| std::fs::metadata(path).map(|metadata| Stamp::of(&metadata));
        let sidecar_stamp = sidecar.as_ref().map(of).transpose()?;
        Ok(Self { name, path, sidecar, stamp: (stamp, sidecar_stamp) })
    }

    /// The same at its place, by the open files of what was moved there: whatever has a name there by now
    /// is seen as a change of it. `None` stands for what has been there before, `Some(None)` for a sidecar
    /// that is gone.
    pub(super) fn moved(
        &self,
        place: &Path,
        component: Option<&File>,
        sidecar: Option<Option<&File>>,
    ) -> std::io::Result<Self> {
        let of = |file: &File| file.metadata().map(|metadata| Stamp::of(&metadata));
        let stamp = component.map(of).transpose()?.unwrap_or_else(|| self.stamp.0.clone());
        let sidecar = match sidecar {
            None => self.stamp.1.clone(),
            Some(file) => file.map(of).transpose()?,
        };
        Ok(Self::new(self.name.clone(), place, stamp, sidecar))
    }

    /// Whether what lies at its path is still this.
    pub(super) fn is_there(&self) -> bool {
        Self::file(&self.path).is_ok_and(|now| now.is_same(self))
    }

    /// Whether `other`, the same file earlier, had a sidecar that said something, and this one has
    /// none that does. Editors and deployments take one away before they put the next in its place.
    pub(super) fn lacks_sidecar_of(&self, other: &Self) -> bool {
        let says_something = |found: &Self| found.stamp.1.as_ref().is_some_and(|s| s.length > 0);
        says_something(other) && !says_something(self)
    }

    /// Bytes.
    pub(super) fn size(&self) -> u64 {
        self.stamp.0.length
    }

    /// Bytes of its sidecar.
    pub(super) fn sidecar_size(&self) -> u64 {
        self.stamp.1.as_ref().map_or(0, |stamp| stamp.length)
    }

    /// Whether nothing about it has changed.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.stamp == other.stamp
    }

    /// Whether it was last written so long ago that nobody is writing it now.
    fn is_old(&self) -> bool {
        const OLD: i64 = 2;
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let newest = |stamp: &Stamp| stamp.modified.0.max(stamp.changed.0);
        let newest = newest(&self.stamp.0).max(self.stamp.1.as_ref().map_or(0, newest));
        i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(newest) > OLD
    }
}

/// What a look at the folder found.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) components: BTreeMap<String, Found>,
    /// What is there but could not be looked at, by its name relative to the folder, and why. It may
    /// be a file or a folder of them.
    pub(super) unreadable: BTreeMap<String, String>,
    /// The folder itself and all folders in it.
    pub(super) directories: HashSet<PathBuf>,
}

/// Finds every component in the folder and its subfolders. Names that begin with a dot are passed
/// over: editors and copying programs use them for what is not finished.
///
/// # Errors
///
/// Where the folder itself cannot be read.
pub(super) fn scan(folder: &Path) -> std::io::Result<Scan> {
    let hidden = |entry: &DirEntry| {
        entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
    };
    let mut scan = Scan::default();
    let mut files = Vec::new();
    let mut sidecars = HashMap::new();
    for entry in
        WalkDir::new(folder).follow_links(true).into_iter().filter_entry(|entry| !hidden(entry))
    {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) if e.depth() == 0 => return Err(e.into()),
            Err(e) => {
                if let (Some(path), Some(cause)) = (e.path(), e.io_error())
                    && is_no_deletion(cause)
                {
                    let cause = denial(path, cause)
                        .map_or_else(|| cause.to_string(), |reason| reason.to_string());
                    scan.unreadable.insert(relative(folder, path), cause);
                }
                // It went away while we looked, or is a link to nowhere, or one to a folder above.
                continue;
            }
        };
        if entry.file_type().is_dir() {
            scan.directories.insert(entry.into_path());
            continue;
        }
        let path = entry.path();
        let is_component = match path.extension() {
            Some(extension) if extension == "wasm" => true,
            Some(extension) if extension == "toml" => false,
            _ => continue,
        };
        match entry.metadata() {
            Ok(metadata) if !metadata.is_file() => {}
            Ok(metadata) if is_component => files.push((entry.into_path(), Stamp::of(&metadata))),
            Ok(metadata) => {
                sidecars.insert(path.with_extension("wasm"), Stamp::of(&metadata));
            }
            Err(e) => {
                if let Some(cause) = e.io_error().filter(|cause| is_no_deletion(cause)) {
                    let component = path.with_extension("wasm");
                    scan.unreadable.insert(relative(folder, &component), cause.to_string());
                }
            }
        }
    }
    for (path, stamp) in files {
        let name = relative(folder, &path);
        let sidecar = sidecars.remove(&path);
        // With a sidecar that cannot be looked at, nobody knows the limits.
        if !scan.unreadable.contains_key(&name) {
            scan.components.insert(name.clone(), Found::new(name, &path, stamp, sidecar));
        }
    }
    Ok(scan)
}

/// Whether a file may be there that could not be looked at.
fn is_no_deletion(cause: &std::io::Error) -> bool {
    !matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn relative(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Which directory a path leads to at this moment: its device and inode.
pub(super) fn identity(folder: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(folder).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Remembers what is still changing.
#[derive(Default)]
pub(super) struct Settling(BTreeMap<String, (Found, Instant)>);

impl Settling {
    /// How long a file must stay as it is before it is loaded.
    pub(super) const TIME: Duration = Duration::from_millis(60);

    /// Whether `found` has been as it is now for long enough.
    pub(super) fn has_settled(&mut self, found: &Found) -> bool {
        match self.0.get(&found.name) {
            Some((known, since)) if known.is_same(found) => {
                let settled = since.elapsed() >= Self::TIME;
                if settled {
                    self.0.remove(&found.name);
                }
                settled
            }
            None if found.is_old() => true,
            _ => {
                self.0.insert(found.name.clone(), (found.clone(), Instant::now()));
                false
            }
        }
    }

    /// Forgets what is no longer there.
    pub(super) fn retain(&mut self, names: &BTreeMap<String, Found>) {
        self.0.retain(|name, _| names.contains_key(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn finds_components_and_sidecars_in_subfolders_and_nothing_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in ["a.wasm", "lab/b.wasm", "lab/b.toml", "c.txt", ".d.wasm", ".git/e.wasm"] {
            write(name);
        }
        std::os::unix::fs::symlink("nowhere", folder.path().join("f.wasm")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("lab/round")).unwrap();
        let found = scan(folder.path()).unwrap().components;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["a.wasm", "lab/b.wasm"]);
        assert!(found["a.wasm"].sidecar.is_none() && found["lab/b.wasm"].sidecar.is_some());
    }

    #[test]
    fn a_file_settles_only_while_it_stays_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        let look = || scan(folder.path()).unwrap().components.remove("a.wasm").unwrap();
        fs::write(&path, "half").unwrap();
        let mut settling = Settling::default();
        assert!(!settling.has_settled(&look()));
        fs::write(&path, "whole").unwrap();
        std::thread::sleep(Settling::TIME);
        assert!(!settling.has_settled(&look()), "it changed since");
        std::thread::sleep(Settling::TIME);
        assert!(settling.has_settled(&look()));
    }
}
