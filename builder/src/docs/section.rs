//! Custom sections at the top of a component.

use wasmparser::{Parser, Payload};

use crate::BuildError;

/// Adds a custom section at the end.
pub(super) fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = leb128(name.len());
    content.extend_from_slice(name.as_bytes());
    content.extend_from_slice(data);
    component.push(0);
    component.extend(leb128(content.len()));
    component.extend(content);
}

/// The component without its own custom sections of this name; nested ones stay.
pub(super) fn without(component: Vec<u8>, name: &str) -> Result<Vec<u8>, BuildError> {
    let mut ranges = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.map_err(|e| BuildError::Internal(format!("no WebAssembly: {e}")))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == name => {
                ranges.push(section.range());
            }
            _ => {}
        }
    }
    let mut component = component;
    for range in ranges.into_iter().rev() {
        // Before the content are its length, in as many bytes as that takes, and the section's id.
        let header = 1 + length_before(&component, range.start, range.len());
        component.drain(range.start - header..range.end);
    }
    Ok(component)
}

/// How many bytes before `start` hold the length `length`; an encoder may have padded it to five.
fn length_before(bytes: &[u8], start: usize, length: usize) -> usize {
    let is_length = |width: &usize| {
        let digits = start.checked_sub(*width).map_or(&[][..], |from| &bytes[from..start]);
        let value =
            digits.iter().rev().fold(0, |value, digit| value << 7 | usize::from(digit & 127));
        let ends = digits.iter().rev().skip(1).all(|digit| digit & 128 != 0);
        !digits.is_empty() && value == length && ends && digits[digits.len() - 1] & 128 == 0
    };
    let id_before = |width: &usize| start > *width && bytes[start - width - 1] == 0;
    (1..=5).find(|width| is_length(width) && id_before(width)).unwrap_or(1)
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 127) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 128);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: [u8; 8] = *b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_is_appended_can_be_removed_again() {
        let mut component = EMPTY.to_vec();
        append(&mut component, "stays", &[1; 300]);
        let expected = component.clone();
        append(&mut component, "goes", &[2; 300]);
        append(&mut component, "goes", &[]);
        assert_eq!(without(component, "goes").unwrap(), expected);
    }

    #[test]
    fn a_padded_length_is_removed_with_its_section() {
        let mut component = EMPTY.to_vec();
        component.extend(b"\0\x85\x80\x80\x80\0\x04goes");
        assert_eq!(without(component, "goes").unwrap(), EMPTY);
    }
}
