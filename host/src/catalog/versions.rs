//! The versions of components that are kept in the data directory, so that one can be returned to.
//!
//! Each file of the folder has a directory, named after the hash of its name. A version there is a document,
//! `0000000007.json`, with the sidecar in it, and the component by its digest, `….wasm`, which several versions
//! may share. The component is written first, so that no document speaks of what is not there.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use super::component::{Component, Version};
use crate::files::{self, create_private_directory, write_private};

/// Bytes of a document: a sidecar, as JSON has it.
const MAX_DOCUMENT: u64 = 8 << 20;

/// What is being written has a name that begins so.
const UNFINISHED: &str = ".tarp-";

/// The kept versions of all components.
pub(super) struct Versions {
    directory: PathBuf,
    /// Of each component at the most.
    most: usize,
    index: Mutex<BTreeMap<String, Vec<KeptVersion>>>,
    /// Held while files are written, by one who then knows which are in use.
    writing: Mutex<()>,
    queue: Mutex<Queue>,
}

/// A version that can be returned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// Later ones have higher numbers.
    number: u64,
    /// What it is.
    pub version: Version,
    /// Since when it is kept.
    pub since: SystemTime,
    /// How it came into the folder.
    pub origin: Origin,
    /// The name of the token that it was deployed with.
    pub by: Option<String>,
}

/// How a version came into the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Somebody put the file there.
    Folder,
    /// It was deployed.
    Deploy,
}

/// Where the bytes of a component are.
pub(super) enum Bytes<'a> {
    InMemory(&'a [u8]),
    /// In a file that others may write to. It is copied, where the file system can without taking more room:
    /// a link would change with a file that is overwritten in place, and make it look changed itself.
    InFile(&'a Path),
}

/// A version as it is to be kept.
pub(super) struct Record<'a> {
    pub(super) file: &'a str,
    pub(super) version: &'a Version,
    pub(super) component: Bytes<'a>,
    pub(super) sidecar: Option<&'a str>,
    pub(super) origin: Origin,
    pub(super) by: Option<&'a str>,
    /// Whether it is the newest one, though it may be kept already.
    pub(super) is_newest: bool,
}

#[derive(Serialize, Deserialize)]
struct Document {
    file: String,
    digest: String,
    /// Its text.
    sidecar: Option<String>,
    #[serde(with = "humantime_serde")]
    since: SystemTime,
    origin: Origin,
    by: Option<String>,
}

/// Versions that came into the folder, to be kept one after the other.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Loaded>,
    is_worked_on: bool,
}

/// A version that was loaded from the folder.
struct Loaded {
    component: Arc<Component>,
    path: PathBuf,
    sidecar: Option<PathBuf>,
    is_newest: bool,
}

impl Versions {
    /// Those in this directory, which is made when it is needed; `most` of each component are kept.
    ///
    /// # Errors
    ///
    /// Where it cannot be read.
    pub(super) fn open(directory: PathBuf, most: usize) -> io::Result<Self> {
        let mut index = BTreeMap::<String, Vec<KeptVersion>>::new();
        let entries = match fs::read_dir(&directory) {
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            entries => Some(entries?),
        };
        for entry in entries.into_iter().flatten().flatten() {
            for (number, path) in documents(&entry.path()) {
                let document = match read(&path) {
                    Ok(document) => document,
                    Err(error) => {
                        warn!(%error, file = %path.display(), "a kept version cannot be read");
                        continue;
                    }
                };
                let kept = KeptVersion {
                    number,
                    version: document.version(),
                    since: document.since,
                    origin: document.origin,
                    by: document.by,
                };
                index.entry(document.file).or_default().push(kept);
            }
        }
        for versions in index.values_mut() {
            versions.sort_by_key(|kept| kept.number);
        }
        let (index, writing) = (Mutex::new(index), Mutex::default());
        Ok(Self { directory, most, index, writing, queue: Mutex::default() })
    }

    /// Those of a file, the newest first.
    pub(super) fn of(&self, file: &str) -> Vec<KeptVersion> {
        self.index().get(file).into_iter().flatten().rev().cloned().collect()
    }

    /// Whether this version of the file is kept.
    pub(super) fn has(&self, file: &str, version: &Version) -> bool {
        let index = self.index();
        index.get(file).is_some_and(|kept| kept.iter().any(|kept| kept.version == *version))
    }

    /// The version of a file before this one: the newest that is older, or the newest at all where this one
    /// is not kept.
    pub(super) fn before(&self, file: &str, current: Option<&Version>) -> Option<KeptVersion> {
        let index = self.index();
        let kept = index.get(file)?;
        let at = kept.iter().rposition(|kept| Some(&kept.version) == current);
        kept[..at.unwrap_or(kept.len())].last().cloned()
    }

    /// The component of a kept version, and the text of its sidecar.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or is not what it was.
    pub(super) fn content(
        &self,
        file: &str,
        kept: &KeptVersion,
    ) -> io::Result<(PathBuf, Option<String>)> {
        let directory = self.directory_of(file);
        let component = blob(&directory, &kept.version.digest);
        check(&component, &kept.version.digest)?;
        let document = read(&document(&directory, kept.number))?;
        if document.version() != kept.version {
            return Err(io::Error::new(ErrorKind::InvalidData, "its sidecar is not what it was"));
        }
        Ok((component, document.sidecar))
    }

    /// Keeps a version, and lets go of the oldest ones beyond those that are to be kept.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, or the file is another one by now.
    pub(super) fn record(&self, record: &Record<'_>) -> io::Result<()> {
        if self.most == 0 {
            return Ok(());
        }
        if record.sidecar.map(digest_of) != record.version.sidecar {
            return Err(io::Error::new(ErrorKind::InvalidData, "its sidecar has changed"));
        }
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = self.index().get(record.file).cloned().unwrap_or_default();
        let known = kept.iter().position(|kept| kept.version == *record.version);
        if known.is_some_and(|at| !record.is_newest || at + 1 == kept.len()) {
            return Ok(());
        }
        let directory = self.directory_of(record.file);
        create_private_directory(&directory)?;
        let digest = &record.version.digest;
        let component = blob(&directory, digest);
        if check(&component, digest).is_err() {
            write_blob(&component, &record.component, digest)?;
        }
        let number = kept.last().map_or(1, |newest| newest.number + 1);
        let now = SystemTime::now();
        let written = Document {
            file: record.file.to_owned(),
            digest: digest.clone(),
            sidecar: record.sidecar.map(str::to_owned),
            since: now,
            origin: record.origin,
            by: record.by.map(str::to_owned),
        };
        let text = serde_json::to_vec(&written)?;
        match record.origin {
            Origin::Deploy => write_private(&document(&directory, number), &text)?,
            // What lies in the folder is kept anew by the next start, so nobody has to wait for the disk.
            Origin::Folder => {
                let unfinished = directory.join(format!("{UNFINISHED}{number}"));
                fs::write(&unfinished, &text)?;
                fs::rename(&unfinished, document(&directory, number))?;
            }
        }
        let mut leaving = Vec::new();
        leaving.extend(known.map(|at| kept.remove(at)));
        kept.push(KeptVersion {
            number,
            version: record.version.clone(),
            since: now,
            origin: record.origin,
            by: written.by,
        });
        let more = kept.len().saturating_sub(self.most);
        leaving.extend(kept.drain(..more));
        for old in leaving {
            forget(&document(&directory, old.number));
        }
        let is_used = |name: &str| kept.iter().any(|kept| kept.version.digest == name);
        sweep(&directory, is_used);
        self.index().insert(record.file.to_owned(), kept);
        Ok(())
    }

    /// Keeps what has been loaded from the folder, soon.
    pub(super) fn note(
        self: &Arc<Self>,
        component: Arc<Component>,
        path: PathBuf,
        sidecar: Option<PathBuf>,
        is_newest: bool,
    ) {
        if self.most == 0 {
            return;
        }
        let mut queue = self.queue();
        queue.waiting.push_back(Loaded { component, path, sidecar, is_newest });
        if !std::mem::replace(&mut queue.is_worked_on, true) {
            let versions = Arc::clone(self);
            tokio::task::spawn_blocking(move || versions.work());
        }
    }

    fn work(self: Arc<Self>) {
        loop {
            let mut queue = self.queue();
            // When the host is gone, so is whoever could return to it.
            if Arc::strong_count(&self) == 1 {
                return;
            }
            let Some(loaded) = queue.waiting.pop_front() else {
                queue.is_worked_on = false;
                return;
            };
            drop(queue);
            if let Err(error) = self.keep(&loaded) {
                debug!(%error, file = loaded.component.file, "a version is not kept");
            }
        }
    }

    fn keep(&self, loaded: &Loaded) -> io::Result<()> {
        let Component { file, version, .. } = &*loaded.component;
        self.keep_file(file, version, &loaded.path, loaded.sidecar.as_deref(), loaded.is_newest)
    }

    /// Keeps a version that lies in the folder, if it still does.
    pub(super) fn keep_file(
        &self,
        file: &str,
        version: &Version,
        path: &Path,
        sidecar: Option<&Path>,
        is_newest: bool,
    ) -> io::Result<()> {
        let sidecar = match (sidecar, &version.sidecar) {
            (Some(path), Some(_)) => Some(fs::read_to_string(path)?),
            _ => None,
        };
        self.record(&Record {
            file,
            version,
            component: Bytes::InFile(path),
            sidecar: sidecar.as_deref(),
            origin: Origin::Folder,
            by: None,
            is_newest,
        })
    }

    fn index(&self) -> MutexGuard<'_, BTreeMap<String, Vec<KeptVersion>>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directory_of(&self, file: &str) -> PathBuf {
        self.directory.join(&blake3::hash(file.as_bytes()).to_hex()[..32])
    }
}

impl Document {
    fn version(&self) -> Version {
        Version { digest: self.digest.clone(), sidecar: self.sidecar.as_deref().map(digest_of) }
    }
}

fn digest_of(sidecar: &str) -> String {
    blake3::hash(sidecar.as_bytes()).to_hex().to_string()
}

/// The documents in a directory, with their numbers.
fn documents(directory: &Path) -> impl Iterator<Item = (u64, PathBuf)> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        let is_document = path.extension().is_some_and(|extension| extension == "json");
        let number = path.file_stem()?.to_str()?.parse().ok()?;
        is_document.then_some((number, path))
    })
}

fn read(path: &Path) -> io::Result<Document> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_DOCUMENT {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is too large"));
    }
    Ok(serde_json::from_reader(io::BufReader::new(file))?)
}

fn document(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:010}.json"))
}

fn blob(directory: &Path, digest: &str) -> PathBuf {
    directory.join(format!("{digest}.wasm"))
}

/// Whether the file has this digest.
fn check(path: &Path, digest: &str) -> io::Result<()> {
    if files::digest(path)?.to_hex().as_str() == digest {
        return Ok(());
    }
    let what = "the component has changed";
    Err(io::Error::new(ErrorKind::InvalidData, what))
}

/// Puts a component in its place, if it has the digest.
fn write_blob(place: &Path, bytes: &Bytes<'_>, digest: &str) -> io::Result<()> {
    match bytes {
        Bytes::InMemory(bytes) => write_private(place, bytes),
        Bytes::InFile(path) => {
            let name = format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple());
            let unfinished = place.with_file_name(name);
            let written = fs::copy(path, &unfinished)
                .and_then(|_| check(&unfinished, digest))
                .and_then(|()| fs::rename(&unfinished, place));
            if written.is_err() {
                forget(&unfinished);
            }
            written
        }
    }
}

/// Removes the components that no version has, and what was left unfinished.
fn sweep(directory: &Path, is_used: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let is_component = path.extension().is_some_and(|extension| extension == "wasm");
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if is_unfinished || is_component && !is_used(&stem) {
            forget(&path);
        }
    }
}

fn forget(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            warn!(%error, file = %path.display(), "cannot remove an old version");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(component: &[u8], sidecar: Option<&str>) -> Version {
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
        Version { digest: hash(component), sidecar: sidecar.map(|text| hash(text.as_bytes())) }
    }

    fn record(versions: &Versions, component: &[u8], sidecar: Option<&str>, is_newest: bool) {
        let version = version(component, sidecar);
        let component = Bytes::InMemory(component);
        let (origin, by) = (Origin::Deploy, Some("ci"));
        versions
            .record(&Record {
                file: "lab/math.wasm",
                version: &version,
                component,
                sidecar,
                origin,
                by,
                is_newest,
            })
            .unwrap();
    }

    fn kept(versions: &Versions) -> Vec<Version> {
        versions.of("lab/math.wasm").into_iter().map(|kept| kept.version).collect()
    }

    #[test]
    fn so_many_versions_are_kept_and_survive() {
        let home = tempfile::tempdir().unwrap();
        let versions = Versions::open(home.path().join("versions"), 3).unwrap();
        for component in [b"1", b"2", b"3", b"4"] {
            record(&versions, component, None, true);
        }
        record(&versions, b"4", Some("prefix = 'a'"), true);
        let expected =
            [version(b"4", Some("prefix = 'a'")), version(b"4", None), version(b"3", None)];
        assert_eq!(kept(&versions), expected);
        let again = Versions::open(home.path().join("versions"), 3).unwrap();
        assert_eq!(kept(&again), expected);
        let newest = &again.of("lab/math.wasm")[0];
        assert_eq!((newest.origin, newest.by.as_deref()), (Origin::Deploy, Some("ci")));
        let (path, sidecar) = again.content("lab/math.wasm", newest).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"4");
        assert_eq!(sidecar.as_deref(), Some("prefix = 'a'"));
        // Two components and three documents: what is not needed is gone.
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 5);
    }

    #[test]
    fn the_version_before_is_older_than_the_one_that_is_served() {
        let home = tempfile::tempdir().unwrap();
        let versions = Versions::open(home.path().to_owned(), 5).unwrap();
        let before = |current: &Version| {
            versions.before("lab/math.wasm", Some(current)).map(|kept| kept.version)
        };
        let [one, two, three] = [b"1", b"2", b"3"].map(|component| version(component, None));
        for component in [b"1", b"2", b"3"] {
            record(&versions, component, None, true);
        }
        assert_eq!(before(&three).as_ref(), Some(&two));
        assert_eq!(before(&two).as_ref(), Some(&one));
        assert_eq!(before(&one), None);
        assert_eq!(before(&version(b"new", None)).as_ref(), Some(&three));
        // What is seen again stays where it is, and what is deployed again is the newest.
        record(&versions, b"1", None, false);
        assert_eq!(kept(&versions), [three.clone(), two.clone(), one.clone()]);
        record(&versions, b"1", None, true);
        assert_eq!(kept(&versions), [one, three, two]);
    }

    #[test]
    fn what_is_kept_does_not_change_with_its_file() {
        let home = tempfile::tempdir().unwrap();
        let versions = Versions::open(home.path().join("versions"), 5).unwrap();
        let path = home.path().join("math.wasm");
        fs::write(&path, "1").unwrap();
        versions.keep_file("math.wasm", &version(b"1", None), &path, None, true).unwrap();
        fs::write(&path, "2").unwrap();
        let kept = versions.of("math.wasm").remove(0);
        let (component, _) = versions.content("math.wasm", &kept).unwrap();
        assert_eq!(fs::read(&component).unwrap(), b"1");
        // What is not what it should be is neither kept nor given.
        assert!(versions.keep_file("math.wasm", &version(b"1!", None), &path, None, true).is_err());
        fs::write(&component, "3").unwrap();
        assert!(versions.content("math.wasm", &kept).is_err());
    }
}
