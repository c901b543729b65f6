//! The host's neutral encoding: values as they are kept on disk, of no client's format.
//!
//! A version byte, then [postcard](https://postcard.jamesmunns.com/wire-format.html): compact, exact
//! to the bit, and specified, so that what a host wrote years ago can be read. Rows of numbers are
//! written as one block of memory, little-endian, and cost a copy. The encoding does not describe
//! itself: a change of an encoded type is a new version. It knows neither files nor databases.

mod block;
mod value;

use postcard::ser_flavors::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version that is written.
const VERSION: u8 = 1;

/// Comes before the version of the encoded type, where that is not 1, and the version of the encoding.
const TYPED: u8 = 2;

/// Why bytes could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NeutralError {
    /// There are no bytes.
    #[error("nothing was stored where an encoded value was expected")]
    Empty,
    /// Another version of the encoding.
    #[error("the value is in version {0} of the encoding, and this host reads version {VERSION}")]
    Version(u8),
    /// Another version of the encoded type's layout.
    #[error(
        "the stored value is in version {0} of its layout, which this host does not read; a newer one wrote it, and reads it"
    )]
    Layout(u8),
    /// Not what was expected.
    #[error("the stored value cannot be read: {0}")]
    Malformed(String),
}

/// How many bytes [`encode`] writes, found without writing them: a text that is shared in memory is
/// written as often as it occurs.
pub fn encoded_size<T: Serialize + ?Sized>(value: &T) -> usize {
    let size = postcard::serialize_with_flavor(value, Size::default());
    1 + size.expect("a type that can be written")
}

/// Writes a value. Panics only for types that postcard cannot write, which the host has none of:
/// sequences that do not know their length.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION]).expect("a type that can be written")
}

/// Writes a value of a type whose layout has changed, with the version of that layout; at least 2.
pub fn encode_version<T: Serialize + ?Sized>(version: u8, value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![TYPED, version, VERSION]).expect("a type that can be written")
}

/// The version of the encoded type's layout, and what [`decode`] reads: 1 for what [`encode`] wrote.
///
/// # Errors
///
/// Where nothing was stored.
pub fn version(bytes: &[u8]) -> Result<(u8, &[u8]), NeutralError> {
    match bytes {
        [] => Err(NeutralError::Empty),
        [TYPED, version, encoded @ ..] => Ok((*version, encoded)),
        encoded => Ok((1, encoded)),
    }
}

/// Reads a value of a type whose layout has never changed: what [`encode`] wrote, but not what a later host
/// wrote in another layout.
///
/// # Errors
///
/// As [`decode`], and for another layout.
pub fn decode_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NeutralError> {
    match version(bytes)? {
        (1, encoded) => decode(encoded),
        (version, _) => Err(NeutralError::Layout(version)),
    }
}

/// Reads what [`encode`] wrote, to its last byte.
///
/// # Errors
///
/// If the bytes are of another version, or not such a value. Whatever the bytes are, reading them
/// takes no more memory than a small multiple of their length.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NeutralError> {
    match bytes.split_first() {
        None => Err(NeutralError::Empty),
        Some((&VERSION, encoded)) => match postcard::take_from_bytes(encoded) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(NeutralError::Malformed(format!("{} bytes too many", rest.len()))),
            Err(e) => Err(NeutralError::Malformed(e.to_string())),
        },
        Some((&version, _)) => Err(NeutralError::Version(version)),
    }
}
