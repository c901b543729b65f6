//! What the files of the cache are called: `DIGEST-SETTINGS.ENDING`.

/// What the file of a refusal ends in.
pub(super) const REFUSED: &str = "refused";

/// What the file of a component's functions ends in.
pub(super) const FUNCTIONS: &str = "functions";

/// What the files of an entry end in.
pub(super) const ENDINGS: [&str; 5] = ["cwasm", "json", "sum", REFUSED, FUNCTIONS];

/// Changes with what is written beside the code.
pub(super) const FORMAT: u32 = 1;

/// Whether a file of that name may be an entry's.
pub(super) fn is_own_name(name: &str) -> bool {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let Some((stem, ending)) = name.split_once('.') else { return false };
    let Some((digest, settings)) = stem.split_once('-') else { return false };
    ENDINGS.contains(&ending) && is_hex(digest, 64) && is_hex(settings, 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_told_from_others() {
        let stem = format!("{}-{}", "0a".repeat(32), "f".repeat(16));
        for ending in ENDINGS {
            assert!(is_own_name(&format!("{stem}.{ending}")));
        }
        for other in ["notes.txt", "a.cwasm", &stem, &format!("{stem}.cwasm.bak"), ".json"] {
            assert!(!is_own_name(other), "{other}");
        }
    }
}
