//! Puts WIT source text into the component. Does not parse it: the host does.

/// Embeds the source text of WIT files into the component, so that their documentation comments
/// reach the host.
///
/// Each path is relative to the `Cargo.toml` of the calling crate. Anything that is not
/// WebAssembly has no use for the text: there the macro only checks that the files exist. The
/// [crate's documentation](crate#the-section-tarpwit) describes what is written.
///
/// ```ignore
/// tarp_guest::embed_wit!("wit/math.wit");
/// ```
#[macro_export]
macro_rules! embed_wit {
    ($($path:literal),+ $(,)?) => {$(
        const _: () = {
            const TEXT: &str =
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path));

            // The linker collects the section only from statics that hold plain bytes, and the
            // attribute is unsafe only for sections that a program loads or runs: a custom
            // section of WebAssembly is neither.
            #[cfg(target_family = "wasm")]
            #[allow(unsafe_code)]
            #[unsafe(link_section = "tarp:wit")]
            static RECORD: [u8; 4 + TEXT.len()] = $crate::record(TEXT);

            #[cfg(not(target_family = "wasm"))]
            const _: &str = TEXT;
        };
    )+};
}

/// One record of the section: the length of `text`, then its bytes.
#[must_use]
pub const fn record<const N: usize>(text: &str) -> [u8; N] {
    assert!(N == 4 + text.len(), "a record is 4 bytes longer than its text");
    let mut record = [0; N];
    let (length, rest) = record.split_at_mut(4);
    length.copy_from_slice(&(text.len() as u32).to_le_bytes());
    rest.copy_from_slice(text.as_bytes());
    record
}
