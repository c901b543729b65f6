//! Compiled functions of an earlier version of a component: what did not change is not compiled again.
//!
//! They are kept as an archive, zstd around records of one function each: the lengths of its key and its
//! code, four bytes each in little endian, then the two. The key is a hash that Cranelift makes of all that
//! the code depends on.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::CacheStore;

/// Speed counts: the archive is read and written while somebody waits.
const LEVEL: i32 = 1;

/// The functions that are known, and those that the component which is compiled has.
pub(super) struct Functions {
    archive: Vec<u8>,
    known: HashMap<Vec<u8>, Range<usize>>,
    /// How many bytes those of this component may take.
    limit: usize,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    functions: HashMap<Vec<u8>, Code>,
    size: usize,
}

/// The code of a function.
enum Code {
    /// In the archive.
    Known(Range<usize>),
    New(Vec<u8>),
}

impl Functions {
    /// Those in an archive of no more than `limit` bytes. What cannot be read is compiled again.
    pub(super) fn read(archive: impl Read, limit: usize) -> Self {
        let mut records = Vec::new();
        let read = zstd::Decoder::new(archive)
            // What is behind it is not its affair.
            .and_then(|decoder| {
                decoder.single_frame().take(limit as u64).read_to_end(&mut records)
            });
        if read.is_err() {
            records.clear();
        }
        let mut known = HashMap::new();
        let mut start = 0;
        while let Some((key, code)) = record(&records, start) {
            start = code.end;
            known.insert(records[key].to_vec(), code);
        }
        Self { archive: records, known, ..Self::none(limit) }
    }

    /// None that are known, and room for `limit` bytes.
    pub(super) fn none(limit: usize) -> Self {
        Self { archive: Vec::new(), known: HashMap::new(), limit, current: Mutex::default() }
    }

    /// Writes an archive of the functions that were asked for or compiled.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub(super) fn write(&self, to: impl Write) -> io::Result<()> {
        let mut to = zstd::Encoder::new(to, LEVEL)?;
        for (key, code) in &self.lock().functions {
            let code = match code {
                Code::Known(range) => &self.archive[range.clone()],
                Code::New(code) => code,
            };
            for part in [key, code] {
                let length = u32::try_from(part.len()).map_err(io::Error::other)?;
                to.write_all(&length.to_le_bytes())?;
            }
            to.write_all(key)?;
            to.write_all(code)?;
        }
        to.finish().map(drop)
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Functions").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let code = self.known.get(key)?.clone();
        self.lock().add(key, Code::Known(code.clone()), code.len(), self.limit);
        Some(Cow::Borrowed(&self.archive[code]))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let size = value.len();
        self.lock().add(key, Code::New(value), size, self.limit)
    }
}

impl Current {
    /// Adds a function, where there is room for it.
    fn add(&mut self, key: &[u8], code: Code, size: usize, limit: usize) -> bool {
        let size = 8 + key.len() + size;
        let has_room = self.size + size <= limit;
        if has_room && self.functions.insert(key.to_vec(), code).is_none() {
            self.size += size;
        }
        has_room
    }
}

/// Where the record that begins there has its key and its code.
fn record(records: &[u8], start: usize) -> Option<(Range<usize>, Range<usize>)> {
    let length = |at: usize| {
        let bytes = records.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    };
    let (key_length, code_length) = (length(start)?, length(start + 4)?);
    let key = start + 8..(start + 8).checked_add(key_length)?;
    let code = key.end..key.end.checked_add(code_length)?;
    (code.end <= records.len()).then_some((key, code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1 << 20;

    fn archive(functions: &Functions) -> Vec<u8> {
        let mut archive = Vec::new();
        functions.write(&mut archive).unwrap();
        archive
    }

    #[test]
    fn what_a_component_has_no_more_is_not_kept() {
        let first = Functions::none(LIMIT);
        assert!(first.insert(b"one", vec![1; 1000]) && first.insert(b"two", vec![2; 10]));
        assert_eq!(first.get(b"one"), None, "it is asked for once");
        let more = [archive(&first), b"more".to_vec()].concat();
        let second = Functions::read(&*more, LIMIT);
        assert_eq!(second.get(b"one").as_deref(), Some(&[1; 1000][..]));
        assert_eq!(second.get(b"three"), None);
        assert!(second.insert(b"three", vec![3]));
        let third = Functions::read(&*archive(&second), LIMIT);
        assert_eq!(third.get(b"two"), None);
        assert_eq!(third.get(b"one").as_deref(), Some(&[1; 1000][..]));
        assert_eq!(third.get(b"three").as_deref(), Some(&[3][..]));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let functions = Functions::none(100);
        assert!(functions.insert(b"one", vec![1; 50]));
        assert!(!functions.insert(b"two", vec![2; 50]));
        let read = Functions::read(&*archive(&functions), 100);
        assert!(read.get(b"one").is_some() && read.get(b"two").is_none());
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        let functions = Functions::none(LIMIT);
        functions.insert(b"one", vec![1; 1000]);
        let whole = archive(&functions);
        for damaged in [&b""[..], b"no archive", &whole[..whole.len() - 5]] {
            assert_eq!(Functions::read(damaged, LIMIT).get(b"one"), None);
        }
        // What goes on beyond the limit is cut within a record.
        assert_eq!(Functions::read(&*whole, 500).get(b"one"), None);
        let mut huge = Vec::new();
        zstd::Encoder::new(&mut huge, 1)
            .and_then(|mut to| {
                to.write_all(&[255; 16])?;
                to.finish().map(drop)
            })
            .unwrap();
        assert!(Functions::read(&*huge, LIMIT).known.is_empty());
    }
}
