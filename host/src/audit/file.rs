//! The file of the audit log, and those that came before it: [`LogFile`].

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

/// For this user alone.
const MODE: u32 = 0o600;

/// How often to look whether the file still has its name.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Bytes of lines that are written at once.
const MAX_WRITE: usize = 64 << 10;

/// A file to which lines are added. When it is full it is renamed, to the same name with `.1` behind it, and those
/// that were there before get the next number; of these only so many are kept.
pub(super) struct LogFile {
    path: PathBuf,
    max_size: u64,
    keep: u32,
    current: Option<Current>,
    /// What is written at once.
    buffer: Vec<u8>,
}

struct Current {
    file: File,
    size: u64,
    looked_at: Instant,
}

impl LogFile {
    /// The file at this path, which need not exist.
    ///
    /// # Errors
    ///
    /// Where it cannot be written, or another host writes to it.
    pub(super) fn open(path: &Path, max_size: u64, keep: u32) -> io::Result<Self> {
        let current = Some(Current::open(path)?);
        Ok(Self { path: path.to_owned(), max_size, keep, current, buffer: Vec::new() })
    }

    /// Adds the first of these lines, each of which ends as lines do, and those after it that fit into the same
    /// file and into one write. They are there as a whole or not at all. Gives how many they are.
    ///
    /// # Errors
    ///
    /// Where they cannot be written now; it may be tried again.
    pub(super) fn append<'a>(
        &mut self,
        lines: impl IntoIterator<Item = &'a [u8]>,
    ) -> io::Result<usize> {
        let mut lines = lines.into_iter();
        let Some(first) = lines.next() else { return Ok(0) };
        if self.current.as_mut().is_some_and(|current| !current.has_its_name(&self.path)) {
            self.current = None;
        }
        let max_size = self.max_size;
        let fits =
            |current: &Current, bytes: usize| current.size.saturating_add(bytes as u64) <= max_size;
        if self.current.as_ref().is_some_and(|it| it.size > 0 && !fits(it, first.len())) {
            self.rotate()?;
        }
        let current = match &mut self.current {
            Some(current) => current,
            none => none.insert(Current::open(&self.path)?),
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(first);
        let mut count = 1;
        for line in lines {
            let size = self.buffer.len() + line.len();
            if size > MAX_WRITE || !fits(current, size) {
                break;
            }
            self.buffer.extend_from_slice(line);
            count += 1;
        }
        if let Err(error) = current.file.write_all(&self.buffer) {
            // Half a line would be joined to the next one.
            let _ = current.file.set_len(current.size);
            return Err(error);
        }
        current.size += self.buffer.len() as u64;
        Ok(count)
    }

    /// Sees that what was written is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.current.as_ref().map_or(Ok(()), |current| current.file.sync_data())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..self.keep).rev() {
            replace(&self.numbered(number), &self.numbered(number + 1))?;
        }
        if self.keep > 0 {
            replace(&self.path, &self.numbered(1))?;
        } else {
            or_absent(fs::remove_file(&self.path))?;
        }
        self.current = None;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Gives a file another name, if there is one.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    or_absent(fs::rename(from, to))
}

fn or_absent(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
}

impl Current {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        // To open a pipe would wait for its reader.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        options.read(true).append(true).create(true).mode(MODE).custom_flags(flags);
        let mut file = options.open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        if metadata.mode() & 0o777 != MODE {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another host writes to it"));
            }
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let mut size = metadata.len();
        if size > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            // Somebody was interrupted.
            if last != *b"\n" {
                file.write_all(b"\n")?;
                size += 1;
            }
        }
        Ok(Self { file, size, looked_at: Instant::now() })
    }

    /// Whether the path still leads to it: somebody may have moved it away.
    fn has_its_name(&mut self, path: &Path) -> bool {
        if self.looked_at.elapsed() < LOOKED_AT_EVERY {
            return true;
        }
        self.looked_at = Instant::now();
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        match (fs::metadata(path), self.file.metadata()) {
            (Ok(named), Ok(own)) => identity(&named) == identity(&own),
            (Err(e), _) => e.kind() != io::ErrorKind::NotFound,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn append(log: &mut LogFile, line: &[u8]) {
        assert_eq!(log.append([line]).unwrap(), 1);
    }

    #[test]
    fn lines_are_written_at_once_as_far_as_they_fit_into_a_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let mut log = LogFile::open(&path, 12, 5).unwrap();
        let lines = ["one\n", "two\n", "three\n", "a line that is longer\n", "end\n"];
        let mut left = &lines.map(str::as_bytes)[..];
        let mut counts = Vec::new();
        while !left.is_empty() {
            let count = log.append(left.iter().copied()).unwrap();
            counts.push(count);
            left = &left[count..];
        }
        assert_eq!(counts, [2, 1, 1, 1]);
        let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
        assert_eq!(read("audit.jsonl.3"), "one\ntwo\n");
        assert_eq!(read("audit.jsonl.1"), "a line that is longer\n");
        assert_eq!(read("audit.jsonl"), "end\n");
        let many = vec![&[b'x'; 1000][..]; 100];
        let mut log = LogFile::open(&home.path().join("other"), 1 << 20, 1).unwrap();
        assert_eq!(log.append(many).unwrap(), MAX_WRITE / 1000);
    }

    #[test]
    fn full_files_get_numbers_and_the_oldest_goes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let mut log = LogFile::open(&path, 20, 2).unwrap();
        for number in 0..8 {
            append(&mut log, format!("line {number}.\n").as_bytes());
        }
        assert_eq!(names(home.path()), ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]);
        let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
        assert_eq!(read("audit.jsonl"), "line 6.\nline 7.\n");
        assert_eq!(read("audit.jsonl.1"), "line 4.\nline 5.\n");
        assert_eq!(read("audit.jsonl.2"), "line 2.\nline 3.\n");
        for name in names(home.path()) {
            let mode = home.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, MODE);
        }
        // A line that is longer than a file may be has a file of its own.
        append(&mut log, &[b'x'; 100]);
        append(&mut log, b"after\n");
        assert_eq!(read("audit.jsonl"), "after\n");
    }

    #[test]
    fn none_is_kept_where_none_is_wanted() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let mut log = LogFile::open(&path, 10, 0).unwrap();
        append(&mut log, b"first\n");
        append(&mut log, b"second\n");
        assert_eq!(names(home.path()), ["audit.jsonl"]);
        assert_eq!(fs::read(&path).unwrap(), b"second\n");
    }

    #[test]
    fn what_is_there_goes_on_and_half_a_line_is_ended() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        fs::write(&path, "whole\nhal").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mut log = LogFile::open(&path, 1000, 1).unwrap();
        append(&mut log, b"next\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, MODE);
        let other = LogFile::open(&path, 1000, 1).err().unwrap();
        assert!(other.to_string().contains("another host"), "{other}");
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("audit.jsonl");
        let mut log = LogFile::open(&path, 1000, 1).unwrap();
        append(&mut log, b"first\n");
        fs::rename(&path, home.path().join("moved")).unwrap();
        if let Some(current) = &mut log.current {
            current.looked_at -= LOOKED_AT_EVERY;
        }
        append(&mut log, b"second\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second\n");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let pipe = home.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(MODE),
            0,
        )
        .unwrap();
        assert!(LogFile::open(&pipe, 1000, 1).is_err());
        assert!(LogFile::open(home.path(), 1000, 1).is_err());
        assert!(LogFile::open(&home.path().join("no/such"), 1000, 1).is_err());
        assert!(LogFile::open(Path::new("/dev/null"), 1000, 1).is_err());
    }
}
