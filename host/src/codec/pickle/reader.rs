//! Takes the arguments of opcodes off the bytes of a pickle.
//!
//! It never reads past the end and never copies a byte string; it knows nothing of what the
//! arguments mean.

use bytes::Bytes;

use super::error::{PickleErrorKind, Step};

pub(super) struct Reader<'a> {
    pickle: &'a Bytes,
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(pickle: &'a Bytes) -> Self {
        Self { pickle, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn rest(&self) -> &'a [u8] {
        self.pickle.get(self.position..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Step<u8> {
        let byte = *self.pickle.get(self.position).ok_or_else(|| truncated(1, 0))?;
        self.position += 1;
        Ok(byte)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let rest = self.rest();
        let array = *rest.first_chunk::<N>().ok_or_else(|| truncated(N as u64, rest.len()))?;
        self.position += N;
        Ok(array)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: u64) -> Step<&'a [u8]> {
        let rest = self.rest();
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length))
            .ok_or_else(|| truncated(length, rest.len()))?;
        self.position += taken.len();
        Ok(taken)
    }

    /// The next `length` bytes, sharing the pickle's memory.
    pub(super) fn slice(&mut self, length: u64) -> Step<Bytes> {
        let taken = self.take(length)?.len();
        Ok(self.pickle.slice(self.position - taken..self.position))
    }

    /// The bytes up to the next newline, which is skipped.
    pub(super) fn line(&mut self) -> Step<&'a [u8]> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or_else(|| {
            PickleErrorKind::malformed("the pickle is truncated: an argument has no end of line")
        })?;
        self.position += end + 1;
        Ok(&rest[..end])
    }

    pub(super) fn length1(&mut self) -> Step<u64> {
        self.byte().map(u64::from)
    }

    pub(super) fn length4(&mut self) -> Step<u64> {
        self.array().map(|bytes| u64::from(u32::from_le_bytes(bytes)))
    }

    pub(super) fn length8(&mut self) -> Step<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The lengths of BINSTRING and LONG4, which have a sign for no good reason.
    pub(super) fn signed_length4(&mut self) -> Step<u64> {
        let length = i32::from_le_bytes(self.array()?);
        u64::try_from(length)
            .map_err(|_| PickleErrorKind::malformed(format!("a length is negative: {length}")))
    }
}

#[cold]
fn truncated(wanted: u64, left: usize) -> PickleErrorKind {
    PickleErrorKind::malformed(format!(
        "the pickle is truncated: {wanted} bytes expected, {left} left"
    ))
}
