//! What of the machine's files the process can reach: what it keeps at its start, and no more whatever happens in
//! it. The kernel sees to that, by Landlock. This knows nothing of what the files are for.

use std::collections::HashSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, LandlockStatus,
    RestrictSelf, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};

/// What this was written for. Later versions also restrict sockets with paths, by which names may be resolved.
const KNOWN: ABI = ABI::V8;

/// What may be done with the files of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Read them, and list directories.
    Read,
    /// Run them as well.
    Execute,
    /// Read, write, make, rename and remove them.
    Write,
}

impl Access {
    fn rights(self) -> BitFlags<AccessFs> {
        let read = AccessFs::ReadFile | AccessFs::ReadDir;
        match self {
            Self::Read => read,
            Self::Execute => read | AccessFs::Execute,
            Self::Write => {
                read | AccessFs::WriteFile
                    | AccessFs::Truncate
                    | AccessFs::MakeReg
                    | AccessFs::MakeDir
                    | AccessFs::RemoveFile
                    | AccessFs::RemoveDir
                    | AccessFs::Refer
            }
        }
    }
}

/// The files that a process goes on to reach, and whether it goes on to reach the network.
#[derive(Debug, Default)]
pub struct Reach {
    places: HashSet<(PathBuf, Access)>,
    is_offline: bool,
}

impl Reach {
    /// Keeps access to a file, or to a directory and all that is below it. What is not there is passed over: what
    /// gets its name later is something else.
    pub fn keep(&mut self, place: impl Into<PathBuf>, access: Access) {
        self.places.insert((place.into(), access));
    }

    /// The places that are kept.
    pub fn places(&self) -> impl Iterator<Item = (&Path, Access)> {
        self.places.iter().map(|(place, access)| (place.as_path(), *access))
    }

    /// Gives up connections by TCP too.
    #[must_use]
    pub fn offline(self) -> Self {
        Self { is_offline: true, ..self }
    }
}

/// How far the kernel confines the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// As far as it was asked to.
    Whole,
    /// As far as this version of Landlock goes.
    Part(ABI),
    /// Not at all, for this reason.
    None(&'static str),
}

/// A process that cannot give up what it should.
#[derive(Debug, thiserror::Error)]
#[error("cannot give up access to files and privileges: {0}; --no-landlock starts without that")]
pub struct ConfineError(#[from] RulesetError);

/// Where a confined process may write, by device and inode.
static WRITABLE: OnceLock<HashSet<(u64, u64)>> = OnceLock::new();

/// Gives up all files but these, signals to other processes, and new privileges, for this thread and those that it
/// starts from now on.
///
/// # Errors
///
/// Where a kernel that could do it does not.
pub fn confine(reach: &Reach) -> Result<Confinement, ConfineError> {
    let mut ruleset = Ruleset::default()
        // The first version cannot tell which files may be moved from one directory to another, and lets none be.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    if reach.is_offline {
        ruleset = ruleset.handle_access(AccessNet::from_all(KNOWN))?;
    }
    let mut ruleset = ruleset.create()?;
    for (place, access) in reach.places() {
        ruleset = ruleset.add_rules(path_beneath_rules([place], access.rights()))?;
    }
    let status = ruleset.restrict_self()?;
    let confinement = match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced, _) => Confinement::Whole,
        (RulesetStatus::PartiallyEnforced, LandlockStatus::Available { effective_abi, .. }) => {
            Confinement::Part(effective_abi)
        }
        (_, LandlockStatus::NotImplemented) => {
            return Ok(Confinement::None("the kernel has no Landlock"));
        }
        (_, LandlockStatus::NotEnabled) => {
            return Ok(Confinement::None("Landlock is not among the kernel's `lsm`"));
        }
        _ => return Ok(Confinement::None("the kernel's Landlock is its first version")),
    };
    let writable = reach.places().filter(|(_, access)| *access == Access::Write);
    WRITABLE.get_or_init(|| writable.filter_map(|(place, _)| identity(place)).collect());
    Ok(confinement)
}

/// Gives up new privileges, and nothing else, for this thread and those that it starts from now on.
///
/// # Errors
///
/// Where the kernel does not do it.
pub fn drop_privileges() -> Result<(), ConfineError> {
    RestrictSelf::default().apply()?;
    Ok(())
}

/// Why something cannot be reached whose own permissions would allow it.
#[derive(Debug, thiserror::Error)]
#[error(
    "when it started, the host gave up access to all that it did not need then; restart it to let it reach this, or name a directory above in `reachable_folders` of [server]"
)]
pub(crate) struct OutOfReach;

/// Whether it is the confinement that has something with this path not opened.
pub(crate) fn denial(path: &Path, error: &io::Error) -> Option<OutOfReach> {
    let is_denied = error.kind() == ErrorKind::PermissionDenied && WRITABLE.get().is_some();
    // Its own permissions are not concerned with the confinement.
    let is_allowed = || rustix::fs::access(path, rustix::fs::Access::READ_OK).is_ok();
    (is_denied && is_allowed()).then_some(OutOfReach)
}

/// An error of opening something with this path, or the reason where that is the confinement.
pub(crate) fn explained(path: &Path, error: io::Error) -> io::Error {
    match denial(path, &error) {
        Some(reason) => io::Error::new(ErrorKind::PermissionDenied, reason),
        None => error,
    }
}

/// Sees whether the confinement lets files in a directory be written.
///
/// # Errors
///
/// [`OutOfReach`], where it does not.
pub(crate) fn check_writable(directory: &Path) -> io::Result<()> {
    let Some(writable) = WRITABLE.get() else { return Ok(()) };
    let directory = fs::canonicalize(directory)?;
    if directory.ancestors().filter_map(identity).any(|above| writable.contains(&above)) {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::PermissionDenied, OutOfReach))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// Runs a test in a thread of its own, which is confined, where the kernel can do that. That it cannot is no
    /// success of what runs there, and is printed.
    fn confined(reach: Reach, test: impl FnOnce() + Send + 'static) {
        let thread = thread::spawn(move || match confine(&reach).unwrap() {
            Confinement::None(reason) => eprintln!("nothing was tested: {reason}"),
            Confinement::Whole | Confinement::Part(_) => test(),
        });
        thread.join().unwrap();
    }

    fn no_new_privileges() -> bool {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        status.lines().any(|line| line == "NoNewPrivs:\t1")
    }

    #[test]
    fn a_thread_reaches_what_it_keeps_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().to_path_buf();
        for directory in ["read", "written", "other"] {
            fs::create_dir(root.join(directory)).unwrap();
            fs::write(root.join(directory).join("file"), "content").unwrap();
        }
        let mut reach = Reach::default();
        reach.keep(root.join("read"), Access::Read);
        reach.keep(root.join("written"), Access::Write);
        reach.keep(root.join("missing"), Access::Write);
        reach.keep("/proc", Access::Read);
        confined(reach, move || {
            let kind = |done: io::Result<()>| done.err().map(|error| error.kind());
            let read = |name: &str| kind(fs::read(root.join(name)).map(drop));
            let write = |name: &str| kind(fs::write(root.join(name), "changed"));
            assert_eq!((read("read/file"), read("written/file")), (None, None));
            assert_eq!(read("other/file"), Some(ErrorKind::PermissionDenied));
            assert_eq!(write("read/file"), Some(ErrorKind::PermissionDenied));
            assert_eq!((write("written/file"), write("written/new")), (None, None));
            assert_eq!(fs::read(root.join("read/file")).unwrap(), b"content");
            fs::rename(root.join("written/new"), root.join("written/newer")).unwrap();
            let moved = fs::rename(root.join("written/newer"), root.join("other/newer"));
            assert!(moved.is_err());

            let denied = fs::File::open(root.join("other/file")).unwrap_err();
            let told = explained(&root.join("other/file"), denied).to_string();
            assert!(told.contains("restart"), "{told}");
            let missing = explained(&root.join("x"), ErrorKind::NotFound.into());
            assert_eq!(missing.kind(), ErrorKind::NotFound);
            assert!(check_writable(&root.join("written")).is_ok());
            assert!(check_writable(&root.join("read")).is_err());
            assert!(no_new_privileges());
        });
    }

    #[test]
    fn a_thread_that_is_offline_connects_to_nobody() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let mut reach = Reach::default();
        reach.keep("/", Access::Execute);
        confined(reach.offline(), move || {
            assert_eq!(
                TcpStream::connect(address).unwrap_err().kind(),
                ErrorKind::PermissionDenied
            );
            assert_eq!(
                TcpListener::bind(("127.0.0.1", 0)).unwrap_err().kind(),
                ErrorKind::PermissionDenied
            );
        });
        assert!(TcpStream::connect(address).is_ok(), "other threads are as they were");
    }

    #[test]
    fn privileges_are_dropped_without_a_confinement_too() {
        thread::spawn(|| {
            assert!(!no_new_privileges());
            drop_privileges().unwrap();
            assert!(no_new_privileges());
            assert!(fs::read("/proc/self/status").is_ok());
        })
        .join()
        .unwrap();
    }
}
