//! What a host that serves keeps access to, and gives up all else: before there are threads, since each goes by
//! what its starter had then.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tarp_host::catalog::sidecars;
use tarp_host::config::{FolderAccess, GrantsTable, HostConfig, SecretSource};
use tarp_host::confinement::{self, Access, Confinement, Reach};
use tarp_host::files::create_private_directory;
use tracing::{debug, info, warn};

/// What a host reads of every system: how names are resolved, which authorities are trusted, its libraries'
/// settings, and what the kernel tells of processes and their limits.
const SYSTEM: [&str; 7] = [
    "/etc",
    "/proc",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/dev/urandom",
];

/// Variables that name certificates of authorities.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Links that lead to one another are followed so far.
const MAX_LINKS: usize = 40;

/// Confines this process to what a host with this configuration needs, and logs what of that cannot be done.
///
/// # Errors
///
/// Where a kernel that could do it does not.
pub(super) fn confine(config: &HostConfig) -> Result<()> {
    if !config.server.landlock {
        confinement::drop_privileges()?;
        debug!("gave up new privileges, and by configuration no files");
        return Ok(());
    }
    match confinement::confine(&reach(config))? {
        Confinement::Whole => debug!("gave up all files but those that a host needs"),
        Confinement::Part(abi) => info!(
            "gave up all files but those that a host needs, as far as version {abi} of the kernel's Landlock goes"
        ),
        Confinement::None(reason) => {
            warn!("{reason}, so a fault of the host could reach every file that its user can");
        }
    }
    Ok(())
}

fn reach(config: &HostConfig) -> Reach {
    let mut reach = Reach::default();
    system(&mut reach);
    program(&mut reach);
    // What has no place yet cannot be kept. Why one cannot be made, its user says.
    let own = [&config.cache, &config.data].into_iter().chain(&config.tokens);
    for directory in own.filter(|directory| !directory.as_os_str().is_empty()) {
        let _ = create_private_directory(directory);
        reach.keep(directory, Access::Write);
    }
    if let Some(folder) =
        config.audit.file.as_deref().map(absolute).as_deref().and_then(Path::parent)
    {
        reach.keep(folder, Access::Write);
    }
    let server = &config.server;
    let certificates = [&server.tls_cert, &server.tls_key, &server.tls_client_ca];
    for file in certificates.into_iter().chain([&config.outgoing.authorities]).flatten() {
        replaceable(file, &mut reach);
        // Some replace the whole directory.
        if let Some(directory) = absolute(file).parent() {
            replaceable(directory, &mut reach);
        }
    }
    reach.keep(&config.folder, Access::Write);
    replaceable(&config.folder, &mut reach);
    let sidecars = sidecars(&config.folder);
    sidecars.links.iter().for_each(|link| replaceable(link, &mut reach));
    sidecars.grants.iter().for_each(|grants| granted(grants, &mut reach));
    for folder in &config.server.reachable_folders {
        reach.keep(folder, Access::Write);
    }
    reach
}

fn granted(grants: &GrantsTable, reach: &mut Reach) {
    for folder in &grants.folders {
        let access = match folder.access {
            FolderAccess::Read => Access::Read,
            FolderAccess::Write { .. } => Access::Write,
        };
        // One that is missing may be made while the host runs.
        let host = absolute(&folder.host);
        let there = host.ancestors().find(|above| above.exists());
        if let Some(there) = there.filter(|there| *there != Path::new("/")) {
            reach.keep(there, access);
        }
    }
    for secret in grants.secrets.values() {
        if let SecretSource::File(file) = &secret.from {
            replaceable(file, reach);
        }
    }
}

fn system(reach: &mut Reach) {
    SYSTEM.into_iter().for_each(|place| reach.keep(place, Access::Read));
    for file in CERTIFICATES.into_iter().filter_map(env::var_os) {
        reach.keep(file, Access::Read);
    }
    // Mostly a link to what a service writes.
    replaceable(Path::new("/etc/resolv.conf"), reach);
    reach.keep("/dev/null", Access::Write);
}

/// The program, which is run again to compile, and the directories of its libraries, where others take their
/// place when the system is updated.
fn program(reach: &mut Reach) {
    reach.keep("/proc/self/exe", Access::Execute);
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let mapped = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let files = mapped.lines().filter_map(|line| Some(Path::new(&line[line.find('/')?..])));
    let libraries: BTreeSet<_> =
        files.filter(|file| *file != program).filter_map(Path::parent).collect();
    libraries.into_iter().for_each(|directory| reach.keep(directory, Access::Execute));
}

/// A path from the root: a relative one of one part has no parent to speak of.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Keeps read access to what a path leads to and to what may be put in its place: the directory that it lies in,
/// and those of the links by which it leads there. The root, which has everything in it, is none of them.
fn replaceable(path: &Path, reach: &mut Reach) {
    let mut path = absolute(path);
    for _ in 0..MAX_LINKS {
        let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let Some(parent) = parent.filter(|parent| *parent != Path::new("/")) else {
            reach.keep(path, Access::Read);
            return;
        };
        let target = fs::read_link(&path).map(|target| parent.join(target));
        reach.keep(parent, Access::Read);
        match target {
            Ok(target) => path = target,
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn kept(path: &Path) -> Vec<PathBuf> {
        let mut reach = Reach::default();
        replaceable(path, &mut reach);
        let mut places: Vec<_> = reach.places().map(|(place, _)| place.to_path_buf()).collect();
        places.sort();
        places
    }

    #[test]
    fn what_a_link_leads_to_and_what_may_take_its_place_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        for directory in ["live", "archive", "elsewhere"] {
            fs::create_dir(root.join(directory)).unwrap();
        }
        fs::write(root.join("elsewhere/1.pem"), "").unwrap();
        symlink("../archive/current.pem", root.join("live/host.pem")).unwrap();
        symlink(root.join("elsewhere/1.pem"), root.join("archive/current.pem")).unwrap();
        let all = ["archive", "elsewhere", "live"].map(|name| root.join(name));
        assert_eq!(kept(&root.join("live/host.pem")), all);
        symlink("circle", root.join("live/circle")).unwrap();
        assert_eq!(kept(&root.join("live/circle")), [root.join("live")]);
    }

    #[test]
    fn what_a_relative_path_lies_in_is_kept() {
        let here = env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(kept(Path::new("Cargo.toml")), [here]);
    }

    #[test]
    fn the_root_is_never_kept() {
        assert_eq!(kept(Path::new("/nothing-of-this-name")), [Path::new("/nothing-of-this-name")]);
    }
}
