//! What reading a document may take, said before anything is made of it.

use memchr::memchr2;

use super::read::MAX_DEPTH;
use crate::value::Value;

/// Items that the first block of a list has room for.
const FIRST: u32 = 4;

/// The first block of a list, and its place among the items of another.
const LIST: usize = 4 * size_of::<Value>() + ITEM;

/// An item beyond the first: a list that grows moves, and for a moment there are its old block, and a new one
/// of twice the size.
const ITEM: usize = 3 * size_of::<Value>() + NUMBER;

/// What a number that fits no machine type has beside its digits.
const NUMBER: usize = 32;

/// The first block of an object's entries, and its place among the items of a list.
const OBJECT: usize = 8 * size_of::<Value>() + ITEM;

/// An entry beyond the first, in a list that grows in the same way, and its key among those that have come.
const ENTRY: usize = 2 * ITEM + 64;

/// What a text takes beside its bytes: its counters, and what an allocator rounds up to.
const TEXT: usize = 32;

/// Keys that are kept to be shared, and the reader itself.
const READER: usize = 64 << 10;

/// At least as many bytes as [`parse`](super::parse) allocates at once for this document, and half as much
/// again as its texts take, whether it is well-formed or not.
#[must_use]
pub fn memory(text: &[u8]) -> usize {
    let mut bytes = text.len() + text.len() / 2;
    if memchr::memchr(b'\\', text).is_some() {
        // Texts with escapes are put together in one more place.
        bytes += text.len();
    }
    // What each level that is open has, down to the last that is read.
    let mut levels = [Level::default(); MAX_DEPTH + 1];
    let (mut depth, mut at) = (0, 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                let is_object = *byte == b'{';
                bytes += if is_object { OBJECT } else { LIST };
                depth = (depth + 1).min(MAX_DEPTH);
                levels[depth] = Level { is_object, items: 1 };
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => bytes += levels[depth].next(),
            b'"' => {
                at = end_of_text(text, at);
                bytes += TEXT;
            }
            _ => {}
        }
    }
    // A single number or text is what nearly all are.
    if bytes > READER { bytes + READER } else { bytes }
}

/// A list or an object that is open.
#[derive(Clone, Copy, Default)]
struct Level {
    is_object: bool,
    items: u32,
}

impl Level {
    /// What one more item costs, with those before it where it needs another block.
    fn next(&mut self) -> usize {
        self.items = self.items.saturating_add(1);
        let items = match self.items {
            ..=FIRST => 0,
            items if items == FIRST + 1 => items as usize,
            _ => 1,
        };
        items * if self.is_object { ENTRY } else { ITEM }
    }
}

/// Behind the quote that ends a text which begins at `at`.
fn end_of_text(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found + 1;
        if text[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_texts_costs_no_more_than_text() {
        let structured = memory(br#"["a","b","c:d"]"#);
        assert_eq!(memory(br#"["a","b","[{,"]"#), structured);
        assert!(memory(b"[1,2,3]") > 3 * size_of::<Value>());
        assert!(memory(br#"{"a":1,"b":2,"c":3,"d":4,"e":5}"#) > 24 * size_of::<Value>());
        // An escaped quote is no end, and a text that has none ends with the document.
        assert_eq!(memory(br#""\",,,,,,""#), memory(br#""\"abcdef""#));
        assert_eq!(memory(br#""abc,,,"#), memory(br#""abcdef"#));
        assert_eq!(memory(br#""\"#), 2 * 2 + 1 + TEXT);
    }
}
