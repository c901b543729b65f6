//! Text that was meant as JSON and is none: what JSON has in its place.

/// The cure, where what another language writes stands at `index`, the byte at which reading stopped.
#[must_use]
pub fn cure(text: &[u8], index: usize) -> Option<&'static str> {
    let index = index.min(text.len());
    let before = |end: usize| text[..end].trim_ascii_end().last().copied();
    let behind = |start: usize| text[start..].trim_ascii_start().first().copied();
    match text.get(index) {
        Some(b'\'') => return Some("strings are in double quotes in JSON"),
        Some(b']' | b'}') if before(index) == Some(b',') => return Some(COMMA),
        Some(b',') if matches!(behind(index + 1), Some(b']' | b'}')) => return Some(COMMA),
        Some(b'/' | b'#') => return Some("JSON has no comments"),
        Some(_) if has_other_quote(&text[index..]) => {
            return Some("strings are in straight double quotes in JSON: \"");
        }
        _ => {}
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let start = text[..index].iter().rposition(|byte| !is_part(byte)).map_or(0, |at| at + 1);
    let length = text[start..].iter().position(|byte| !is_part(byte)).unwrap_or(text.len() - start);
    let end = start + length;
    if length > 0 && matches!(before(start), Some(b'{' | b',')) && behind(end) == Some(b':') {
        return Some("keys are in double quotes in JSON, numbers too");
    }
    Some(match &text[start..end] {
        b"NaN" | b"nan" | b"NA" | b"-NaN" => r#"JSON has no NaN; write the string "NaN""#,
        b"Infinity" | b"inf" | b"Inf" => r#"JSON has no infinity; write the string "Infinity""#,
        b"-Infinity" | b"-inf" | b"-Inf" => r#"JSON has no infinity; write the string "-Infinity""#,
        b"None" => "Python's None is null in JSON",
        b"True" | b"TRUE" => "it is true in JSON",
        b"False" | b"FALSE" => "it is false in JSON",
        b"undefined" => "JSON has no undefined; write null, or leave it out",
        _ => return None,
    })
}

const COMMA: &str = "JSON has no comma before ] or }";

/// Whether a quotation mark of a word processor stands here.
fn has_other_quote(text: &[u8]) -> bool {
    let marks = ["\u{2018}", "\u{2019}", "\u{201c}", "\u{201d}", "\u{201e}"];
    marks.iter().any(|mark| text.starts_with(mark.as_bytes()))
}
