//! Files that matter to the host's safety: which one has a name now, and how one is written so that nobody
//! sees half of it and nobody else reads it.

use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// Tells the content that a name leads to from any other that it led to before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds: of the content, and of the entry, which nobody can set.
    times: [(i64, i64); 2],
}

impl FileIdentity {
    /// That of the file which the path leads to now, through links; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Where it cannot be told.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self {
                device: metadata.dev(),
                inode: metadata.ino(),
                size: metadata.size(),
                times: [
                    (metadata.mtime(), metadata.mtime_nsec()),
                    (metadata.ctime(), metadata.ctime_nsec()),
                ],
            })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Whether it belongs to this process's user, and nobody else can write to it.
pub(crate) fn is_own(metadata: &Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

/// The same, or it belongs to root, who could write to it anyhow.
pub(crate) fn is_own_or_of_root(metadata: &Metadata) -> bool {
    is_own(metadata) || metadata.uid() == 0 && metadata.mode() & 0o022 == 0
}

/// Makes a directory for this user alone, and those above it, where there is none.
///
/// # Errors
///
/// Where it cannot be made.
pub fn create_private_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Writes a file that only this user can read. It has its name when all of it is on the disk, in place of
/// any that had it before.
///
/// # Errors
///
/// Where it cannot be written; nothing has changed then.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o600)
}

/// The same, with a file that is for everybody whom the umask lets in.
///
/// # Errors
///
/// As [`write_private`].
pub(crate) fn write_shared(path: &Path, content: &[u8]) -> io::Result<()> {
    write(path, content, 0o666)
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let directory = directory_of(path);
    let mut file = tempfile::Builder::new()
        .prefix(".tarp-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    // The name is on the disk when its directory is.
    File::open(directory)?.sync_all()
}

/// The digest of a file's content (BLAKE3).
///
/// # Errors
///
/// Where it cannot be read.
pub(crate) fn digest(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize())
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_written_whole_and_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("a/b");
        create_private_directory(&directory).unwrap();
        create_private_directory(&directory).unwrap();
        assert_eq!(directory.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let path = directory.join("secret");
        for content in ["first", "second"] {
            write_private(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn a_shared_file_is_for_those_whom_the_umask_lets_in() {
        let home = tempfile::tempdir().unwrap();
        let (path, plain) = (home.path().join("shared"), home.path().join("plain"));
        write_shared(&path, b"content").unwrap();
        fs::write(&plain, "content").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
        assert_eq!(digest(&path).unwrap(), blake3::hash(b"content"));
    }

    #[test]
    fn another_content_has_another_identity() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        assert_eq!(FileIdentity::of(&path).unwrap(), None);
        write_private(&path, b"one").unwrap();
        let first = FileIdentity::of(&path).unwrap();
        assert_eq!(FileIdentity::of(&path).unwrap(), first);
        write_private(&path, b"two").unwrap();
        assert_ne!(FileIdentity::of(&path).unwrap(), first);
        // A link that is made to lead elsewhere is another content too.
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(FileIdentity::of(&link).unwrap(), FileIdentity::of(&path).unwrap());
    }

    #[test]
    fn a_file_that_others_may_write_is_not_our_own() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        write_private(&path, b"").unwrap();
        assert!(is_own(&path.metadata().unwrap()));
        for (mode, own) in [(0o644, true), (0o620, false), (0o602, false)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let metadata = path.metadata().unwrap();
            assert_eq!(is_own(&metadata), own, "{mode:o}");
            assert_eq!(is_own_or_of_root(&metadata), own, "{mode:o}");
        }
    }
}
