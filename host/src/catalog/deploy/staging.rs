//! A version on its way into the folder: written beside the others under a hidden name, which nobody loads,
//! and moved to its place at once.
//!
//! Each version has a directory of its own there, `.tarp-deploy-…`, which goes with it. Where component and
//! sidecar change together, a file in that directory says so before the first of the two is moved, and the next
//! start moves the other one if the host has ended in between.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tracing::{info, warn};

use super::name::ComponentName;
use crate::catalog::folder::Found;

/// What the directories' names begin with.
const PREFIX: &str = ".tarp-deploy-";

/// The file that says that what lies beside it is to be moved.
const DECIDED: &str = "decided.json";

const COMPONENT: &str = "new.wasm";
const SIDECAR: &str = "new.toml";
const OLD_COMPONENT: &str = "old.wasm";

/// Nobody is putting anything into the folder for so long.
const FORSAKEN: Duration = Duration::from_secs(60 * 60);

/// What is put into the folder for one component.
pub(in crate::catalog) struct Content<'a> {
    /// `None` where it stays as it is.
    pub(in crate::catalog) component: Option<Source<'a>>,
    pub(in crate::catalog) sidecar: SidecarChange<'a>,
}

/// Where a component comes from.
pub(in crate::catalog) enum Source<'a> {
    Bytes(&'a [u8]),
    File(&'a Path),
}

/// What becomes of the sidecar.
#[derive(Debug, Clone, Copy)]
pub(in crate::catalog) enum SidecarChange<'a> {
    Keep,
    Remove,
    Replace(&'a [u8]),
}

/// A version that lies beside its place.
pub(in crate::catalog) struct Staged {
    directory: TempDir,
    folder: PathBuf,
    name: ComponentName,
    /// To be loaded from here.
    found: Found,
    /// `None` where it stays as it is.
    component: Option<File>,
    sidecar: StagedSidecar,
}

enum StagedSidecar {
    Kept,
    Removed,
    Replaced(File),
}

/// What is to be moved, for the next start.
#[derive(Serialize, Deserialize)]
struct Decided {
    /// The component, without `.wasm`.
    name: String,
    removes_sidecar: bool,
}

impl Staged {
    /// Writes a version beside its place.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written to; nothing is left there then.
    pub(in crate::catalog) fn write(
        folder: &Path,
        name: ComponentName,
        content: &Content<'_>,
    ) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
        let new = |file: &str| directory.path().join(file);
        let component = match &content.component {
            None => None,
            Some(source) => {
                let mut file = File::create_new(new(COMPONENT))?;
                match source {
                    Source::Bytes(bytes) => file.write_all(bytes)?,
                    Source::File(path) => {
                        io::copy(&mut File::open(path)?, &mut file)?;
                    }
                }
                file.sync_all()?;
                Some(file)
            }
        };
        let sidecar = match content.sidecar {
            SidecarChange::Keep => StagedSidecar::Kept,
            SidecarChange::Remove => StagedSidecar::Removed,
            SidecarChange::Replace(text) => {
                let mut file = File::create_new(new(SIDECAR))?;
                file.write_all(text)?;
                file.sync_all()?;
                StagedSidecar::Replaced(file)
            }
        };
        let path = match component {
            Some(_) => new(COMPONENT),
            None => name.component_in(folder),
        };
        let sidecar_path = match sidecar {
            StagedSidecar::Kept => Some(name.sidecar_in(folder)).filter(|path| path.exists()),
            StagedSidecar::Removed => None,
            StagedSidecar::Replaced(_) => Some(new(SIDECAR)),
        };
        let found = Found::elsewhere(name.file(), path, sidecar_path)?;
        Ok(Self { directory, folder: folder.to_owned(), name, found, component, sidecar })
    }

    pub(in crate::catalog) fn name(&self) -> &ComponentName {
        &self.name
    }

    /// The version as it is to be loaded.
    pub(in crate::catalog) fn found(&self) -> &Found {
        &self.found
    }

    /// Whether the sidecar is another one than before.
    pub(in crate::catalog) fn changes_sidecar(&self) -> bool {
        !matches!(self.sidecar, StagedSidecar::Kept)
    }

    /// Moves it to its place, component and sidecar together, and gives how it lies there.
    ///
    /// # Errors
    ///
    /// Where that cannot be done; the folder is as it was before then.
    pub(in crate::catalog) fn place(&self) -> io::Result<Found> {
        let moves_both = self.component.is_some() && self.changes_sidecar();
        if moves_both {
            self.decide()?;
        }
        let component = self.name.component_in(&self.folder);
        let was_there = moves_both && self.back_up(&component)?;
        if self.component.is_some() {
            fs::rename(self.own(COMPONENT), &component)?;
        }
        if let Err(error) = self.place_sidecar() {
            if self.component.is_some() {
                let undone = if was_there {
                    fs::rename(self.own(OLD_COMPONENT), &component)
                } else {
                    fs::remove_file(&component)
                };
                if let Err(error) = undone {
                    warn!(%error, file = self.name.file(), "cannot undo half of a deployment");
                }
            }
            // The next start is not to finish what was given up.
            let _ = fs::remove_file(self.own(DECIDED));
            return Err(error);
        }
        let sidecar = match &self.sidecar {
            StagedSidecar::Kept => None,
            StagedSidecar::Removed => Some(None),
            StagedSidecar::Replaced(file) => Some(Some(file)),
        };
        self.found.moved(&component, self.component.as_ref(), sidecar)
    }

    fn place_sidecar(&self) -> io::Result<()> {
        let place = self.name.sidecar_in(&self.folder);
        match self.sidecar {
            StagedSidecar::Kept => Ok(()),
            StagedSidecar::Removed => removed(&place),
            StagedSidecar::Replaced(_) => fs::rename(self.own(SIDECAR), &place),
        }
    }

    fn own(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn decide(&self) -> io::Result<()> {
        let removes_sidecar = matches!(self.sidecar, StagedSidecar::Removed);
        let decided = Decided { name: self.name.to_string(), removes_sidecar };
        crate::files::write_private(&self.own(DECIDED), &serde_json::to_vec(&decided)?)
    }

    /// Keeps what is at the place until the version is there; whether there is anything.
    fn back_up(&self, place: &Path) -> io::Result<bool> {
        let name = OLD_COMPONENT;
        match fs::hard_link(place, self.own(name)) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            // Where the file system knows no links, or they may not be made to another's file.
            Err(_) => fs::copy(place, self.own(name)).map(|_| true),
        }
    }
}

/// Removes a component and its sidecar; whether there was one.
pub(in crate::catalog) fn remove(folder: &Path, name: &ComponentName) -> io::Result<bool> {
    // In this order: without its sidecar it would run without the limits that that sets.
    let was_there = match fs::remove_file(name.component_in(folder)) {
        Ok(()) => true,
        Err(e) if e.kind() == ErrorKind::NotFound => false,
        Err(e) => return Err(e),
    };
    if was_there {
        removed(&name.sidecar_in(folder))?;
    }
    Ok(was_there)
}

/// Waits until what was moved in the folder is on the disk.
pub(in crate::catalog) fn sync(folder: &Path, name: &ComponentName) -> io::Result<()> {
    let file = name.component_in(folder);
    File::open(file.parent().unwrap_or(folder))?.sync_all()
}

fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Finishes what a host that has ended had decided, and removes what it left otherwise.
pub(in crate::catalog) fn recover(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Err(error) = recover_one(folder, &entry)
        {
            warn!(%error, directory = %entry.path().display(), "cannot finish a deployment that was interrupted");
        }
    }
}

fn recover_one(folder: &Path, entry: &DirEntry) -> io::Result<()> {
    let directory = entry.path();
    let decided = match fs::read(directory.join(DECIDED)) {
        Ok(text) => serde_json::from_slice::<Decided>(&text).ok(),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let Some(decided) = decided else {
        // A host of another folder's link may be writing it at this moment.
        let age = entry.metadata()?.modified().ok();
        let age = age.and_then(|time| SystemTime::now().duration_since(time).ok());
        return if age.is_some_and(|age| age > FORSAKEN) {
            fs::remove_dir_all(&directory)
        } else {
            Ok(())
        };
    };
    let Ok(name) = ComponentName::parse(&decided.name) else {
        return fs::remove_dir_all(&directory);
    };
    let moved = |from: &str, to: PathBuf| match fs::rename(directory.join(from), to) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    };
    moved(COMPONENT, name.component_in(folder))?;
    moved(SIDECAR, name.sidecar_in(folder))?;
    if decided.removes_sidecar {
        removed(&name.sidecar_in(folder))?;
    }
    info!(file = name.file(), "finished a deployment that was interrupted");
    fs::remove_dir_all(&directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ComponentName {
        ComponentName::parse("math").unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn read(folder: &Path, file: &str) -> String {
        fs::read_to_string(folder.join(file)).unwrap()
    }

    fn staged(folder: &Path, component: &str, sidecar: SidecarChange<'_>) -> Staged {
        let component = Some(Source::Bytes(component.as_bytes()));
        Staged::write(folder, name(), &Content { component, sidecar }).unwrap()
    }

    #[test]
    fn a_version_is_hidden_until_it_is_placed_and_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        let first = staged(folder, "one", SidecarChange::Replace(b"prefix = 'a'"));
        assert!(names(folder).iter().all(|name| name.starts_with('.')));
        let placed = first.place().unwrap();
        drop(first);
        assert_eq!(names(folder), ["math.toml", "math.wasm"]);
        assert!(placed.is_same(&Found::file(&folder.join("math.wasm")).unwrap()));
        let second = staged(folder, "two", SidecarChange::Remove);
        second.place().unwrap();
        drop(second);
        assert_eq!(
            (names(folder), read(folder, "math.wasm")),
            (vec!["math.wasm".into()], "two".into())
        );
        drop(staged(folder, "three", SidecarChange::Keep));
        assert_eq!(
            (names(folder), read(folder, "math.wasm")),
            (vec!["math.wasm".into()], "two".into())
        );
    }

    #[test]
    fn half_of_a_version_is_undone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        fs::write(folder.join("math.wasm"), "old").unwrap();
        // Nothing can be put in the place of a directory that is not empty.
        fs::create_dir_all(folder.join("math.toml/full")).unwrap();
        let new = staged(folder, "new", SidecarChange::Replace(b""));
        assert!(new.place().is_err());
        drop(new);
        assert_eq!(read(folder, "math.wasm"), "old");
        assert_eq!(names(folder), ["math.toml", "math.wasm"]);
    }

    #[test]
    fn what_was_decided_is_finished_by_the_next_start() {
        for (removes_sidecar, sidecar) in [(false, Some("new")), (true, None)] {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path();
            fs::write(folder.join("math.wasm"), "new").unwrap();
            fs::write(folder.join("math.toml"), "old").unwrap();
            let directory = folder.join(format!("{PREFIX}x"));
            fs::create_dir(&directory).unwrap();
            let decided = Decided { name: "math".into(), removes_sidecar };
            fs::write(directory.join(DECIDED), serde_json::to_vec(&decided).unwrap()).unwrap();
            if sidecar.is_some() {
                fs::write(directory.join(SIDECAR), "new").unwrap();
            }
            recover(folder);
            assert!(!directory.exists());
            let found = fs::read_to_string(folder.join("math.toml")).ok();
            assert_eq!(found.as_deref(), sidecar);
            // What another host may be writing at this moment is left alone.
            fs::create_dir(&directory).unwrap();
            recover(folder);
            assert!(directory.exists());
        }
    }
}
