//! The custom sections of a component, and the framing of those that are ours.
//!
//! A section `tarp:wit` or `tarp:procedures` has any number of records: a length of four bytes, little
//! endian, then so many bytes of UTF-8. Linkers join the statics of a section, so one section may have
//! the records of several crates.

/// WIT source text, whose comments are the documentation of procedures.
pub const WIT: &str = "tarp:wit";

/// What WIT has no words for: records of [`MetadataMap`](crate::procedure::MetadataMap) as JSON.
pub const PROCEDURES: &str = "tarp:procedures";

/// The community's section with documentation, as `wit_parser::PackageMetadata` writes it.
pub const PACKAGE_DOCS: &str = "package-docs";

/// A record.
///
/// # Panics
///
/// With a text of 4 GiB or more.
#[must_use]
pub fn record(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a record is shorter than 4 GiB");
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

/// The texts of a section's records, up to the first that is cut off. Those that are not UTF-8 are
/// left out.
#[must_use]
pub fn records(mut section: &[u8]) -> Vec<&str> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = section.split_first_chunk()
        && let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        texts.extend(std::str::from_utf8(text));
        section = rest;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_where_the_section_does() {
        assert_eq!(records(b"\x02\0\0\0hi\x01\0\0\0!\xff\0\0\0cut"), ["hi", "!"]);
        assert!(records(b"\x01").is_empty());
        assert_eq!(records(&[record("a"), record("")].concat()), ["a", ""]);
    }
}
