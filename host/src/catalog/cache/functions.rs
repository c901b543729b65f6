//! Compiled functions of the last version of a file, so that of the next version only those are compiled that
//! changed.
//!
//! They are found by the file's name: what came of one file is used for no other, since a compiler that a file made do
//! wrong must not hurt others.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use tracing::warn;

use super::names::FUNCTIONS;
use super::{Cache, mark_as_used};
use crate::sandbox::Sandbox;

/// Bytes of the BLAKE3 hash at the end of a file.
const SUM: u64 = 32;

impl Cache {
    /// The archive that came of the last version of the file with this name.
    pub(in crate::catalog) fn functions(&self, sandbox: &Sandbox, file: &str) -> Option<File> {
        let (mut archive, size) = self.open_file(&stem(sandbox, file), FUNCTIONS)?;
        let size = size.checked_sub(SUM)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader((&archive).take(size)).ok()?;
        let mut sum = [0; SUM as usize];
        archive.read_exact(&mut sum).ok()?;
        if hasher.finalize() != sum {
            warn!(file, "the functions in the cache are damaged and will be compiled again");
            return None;
        }
        mark_as_used(&archive);
        archive.seek(SeekFrom::Start(0)).ok()?;
        Some(archive)
    }

    /// Keeps an archive for the next version of the file with this name. That it cannot be kept is no error.
    pub(in crate::catalog) fn keep_functions(&self, sandbox: &Sandbox, file: &str, archive: File) {
        let kept = self.write_functions(&stem(sandbox, file), archive);
        match kept {
            Ok(size) => self.room.taken(size, &self.directory),
            Err(e) => warn!(file, error = %e, "cannot keep the compiled functions of a component"),
        }
    }

    fn write_functions(&self, stem: &str, mut archive: File) -> io::Result<u64> {
        archive.seek(SeekFrom::Start(0))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&archive)?;
        archive.seek(SeekFrom::Start(0))?;
        let size = archive.metadata()?.len() + SUM;
        let sum = hasher.finalize();
        let name = format!("{stem}.{FUNCTIONS}");
        self.directory.write(&name, &mut archive.chain(&sum.as_bytes()[..]))?;
        Ok(size)
    }
}

/// By name in place of content.
fn stem(sandbox: &Sandbox, file: &str) -> String {
    super::stem(sandbox, blake3::hash(file.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read(mut archive: File) -> Vec<u8> {
        // The sum at the end is for whoever wants to see it.
        let mut content = Vec::new();
        archive.read_to_end(&mut content).unwrap();
        content.truncate(content.len() - SUM as usize);
        content
    }

    #[test]
    fn functions_are_kept_by_the_name_of_their_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("cache");
        let cache = Cache::open(&path, 1 << 20).unwrap();
        let sandbox = Sandbox::new(1).unwrap();
        assert!(cache.functions(&sandbox, "a.wasm").is_none());
        let archive = |content: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(content).unwrap();
            file
        };
        cache.keep_functions(&sandbox, "a.wasm", archive(b"first"));
        cache.keep_functions(&sandbox, "a.wasm", archive(b"second"));
        assert_eq!(read(cache.functions(&sandbox, "a.wasm").unwrap()), b"second");
        assert!(cache.functions(&sandbox, "b.wasm").is_none());
        let file = path.join(format!("{}.{FUNCTIONS}", stem(&sandbox, "a.wasm")));
        std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(b"x").unwrap();
        assert!(cache.functions(&sandbox, "a.wasm").is_none(), "it is damaged");
    }
}
