//! What this machine gives to the process: memory and file descriptors. It knows nothing of what
//! they are used for.

use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bytes of memory: all of the machine's, or less where a control group of the process or one above it
/// allows less.
pub(crate) fn memory() -> usize {
    let info = rustix::system::sysinfo();
    let units = usize::try_from(info.totalram).unwrap_or(usize::MAX);
    let machine = units.saturating_mul(info.mem_unit as usize);
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = group_limits(&groups, Path::new("/sys/fs/cgroup"));
    let limits = limits.into_iter().map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    limits.min().unwrap_or(machine).min(machine)
}

/// The memory limits of the groups in `/proc/self/cgroup`, of both versions, and of those above them.
fn group_limits(groups: &str, root: &Path) -> Vec<u64> {
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (base, file) = match controllers {
            "" => (root.to_path_buf(), "memory.max"),
            "memory" => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        let group = Path::new(group.trim_start_matches('/'));
        limits.extend(group.ancestors().filter_map(|group| {
            let limit = std::fs::read_to_string(base.join(group).join(file)).ok()?;
            // Without a limit it says `max`, or in version 1 a number that no machine reaches.
            limit.trim().parse::<u64>().ok()
        }));
    }
    limits
}

/// How many files the process may have open, once the limit is raised as far as it may be.
pub(crate) fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_DESCRIPTORS)
}

/// Where there is no limit, more are not counted with.
const MAX_DESCRIPTORS: usize = 1 << 20;

/// Raises the limit of open files as far as it may be, and says how many more can be opened.
pub(crate) fn free_descriptors() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where it is refused, it stays as it was.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_of_all_groups_above_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("lab.slice/memory.max", "2000\n");
        write("lab.slice/tarp.service/memory.max", "max\n");
        write("memory/box/memory.limit_in_bytes", "3000\n");
        let groups = "0::/lab.slice/tarp.service\n4:memory:/box\n5:cpu:/box\n";
        assert_eq!(group_limits(groups, root.path()), [2000, 3000]);
        assert!(group_limits("", root.path()).is_empty());
    }

    #[test]
    fn a_machine_has_memory_and_descriptors() {
        assert!(memory() > 64 << 20);
        assert!(free_descriptors() > 0);
    }
}
