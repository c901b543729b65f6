//! What reading a pickle may take: its own [`Budget`], and the [`Room`] that it shares with others.

/// How much a pickle may ask for before it is refused.
///
/// The default takes lists of millions of numbers and records by the hundred thousand, and keeps
/// the decoder below about 1.5 GB whatever the pickle says.
#[derive(Debug, Clone)]
pub struct Budget {
    /// The length of the pickle, in bytes.
    pub bytes: usize,
    /// Levels of nesting; more than 1000 are never allowed.
    pub depth: usize,
    /// Objects, references to objects in containers, entries of the stack and of the memo. Numbers
    /// in a list of nothing but floats or nothing but 64-bit integers count only in `expansion`.
    pub nodes: u64,
    /// Opcodes, and the steps of the few that take more than one.
    pub operations: u64,
    /// Memory for the values, in bytes, with shared objects counted as often as they appear. Text
    /// and byte strings are not counted: copies of them share their memory.
    pub expansion: u64,
}

impl Budget {
    /// Of a pickle of so many bytes: what values of that size honestly take. A few bytes may still
    /// stand for a long `range`.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        let length = bytes as u64;
        Self {
            bytes,
            nodes: (64 << 10) + length,
            operations: (1 << 20) + 8 * length,
            expansion: (16 << 20) + 64 * length,
            ..Self::default()
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 200,
            nodes: 8 << 20,
            operations: 64 << 20,
            expansion: 512 << 20,
        }
    }
}

/// Memory that is shared with others.
pub trait Room {
    /// Takes so many bytes more; whether they were there.
    fn take(&mut self, bytes: usize) -> bool;
}
