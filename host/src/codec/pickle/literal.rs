//! The human-readable literals of protocol 0, and the binary long.
//!
//! It knows how Python spells numbers and strings (`repr`, `raw-unicode-escape`), not what is done
//! with them.

use num_bigint::BigInt;

use super::error::{PickleErrorKind, Step};

/// CPython's limit on decimal digits (`sys.int_info.default_max_str_digits`): the conversion takes
/// quadratic time.
pub(super) const MAX_DIGITS: usize = 4300;

/// The most bytes of a binary integer. Nothing that a procedure takes is near that, and an integer
/// may later be printed.
const MAX_LONG_BYTES: usize = 64 << 10;

/// An integer, small where possible.
pub(super) enum Integer {
    Small(i64),
    Big(Box<BigInt>),
}

impl From<BigInt> for Integer {
    fn from(n: BigInt) -> Self {
        i64::try_from(&n).map_or_else(|_| Self::Big(Box::new(n)), Self::Small)
    }
}

/// The decimal text of INT, and of LONG with its suffix `L`.
pub(super) fn integer(line: &[u8]) -> Step<Integer> {
    let text = std::str::from_utf8(line).unwrap_or_default().trim_ascii();
    let text = text.strip_suffix('L').unwrap_or(text);
    if text.len() > MAX_DIGITS + 1 {
        return Err(PickleErrorKind::refused(format!(
            "an integer has {} digits; {MAX_DIGITS} are allowed in pickle protocol 0, \
             use protocol 2 or later",
            text.len()
        )));
    }
    if let Ok(n) = text.parse() {
        return Ok(Integer::Small(n));
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_a("an integer", line));
    }
    text.parse::<BigInt>().map(Integer::from).map_err(|_| not_a("an integer", line))
}

/// The little-endian two's complement of LONG1 and LONG4.
pub(super) fn long(bytes: &[u8]) -> Step<Integer> {
    if bytes.len() > MAX_LONG_BYTES {
        return Err(PickleErrorKind::refused(format!(
            "an integer takes {} bytes; {MAX_LONG_BYTES} are allowed, send larger ones as bytes",
            bytes.len()
        )));
    }
    if bytes.len() > 8 {
        return Ok(BigInt::from_signed_bytes_le(bytes).into());
    }
    let negative = bytes.last().is_some_and(|byte| *byte > 0x7f);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    for (to, from) in wide.iter_mut().zip(bytes) {
        *to = *from;
    }
    Ok(Integer::Small(i64::from_le_bytes(wide)))
}

/// The text of FLOAT.
pub(super) fn float(line: &[u8]) -> Step<f64> {
    std::str::from_utf8(line)
        .ok()
        .and_then(|text| text.trim_ascii().parse().ok())
        .ok_or_else(|| not_a("a float", line))
}

/// The index of GET and PUT.
pub(super) fn index(line: &[u8]) -> Step<u64> {
    std::str::from_utf8(line)
        .ok()
        .and_then(|text| text.trim_ascii().parse().ok())
        .ok_or_else(|| not_a("an index", line))
}

/// The `repr` of a Python 2 `str`, quotes included: the argument of STRING.
pub(super) fn string(line: &[u8]) -> Step<Vec<u8>> {
    let line = line.trim_ascii();
    let body = match line {
        [b'\'', body @ .., b'\''] | [b'"', body @ .., b'"'] => body,
        _ => return Err(not_a("a string in quotes", line)),
    };
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let [escape, tail @ ..] = rest else {
            return Err(not_a("a string", line));
        };
        rest = tail;
        match escape {
            b'\\' | b'\'' | b'"' => bytes.push(*escape),
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'a' => bytes.push(7),
            b'b' => bytes.push(8),
            b'v' => bytes.push(11),
            b'f' => bytes.push(12),
            b'x' => {
                let Some(byte) = hex(rest, 2) else {
                    return Err(not_a("a string", line));
                };
                bytes.push(byte as u8);
                rest = rest.get(2..).unwrap_or_default();
            }
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|c| matches!(c, b'0'..=b'7')).count();
                let (digits, tail) = rest.split_at(more);
                let octal = |n: u32, digit: &u8| n * 8 + u32::from(digit - b'0');
                bytes.push(digits.iter().fold(u32::from(escape - b'0'), octal) as u8);
                rest = tail;
            }
            _ => bytes.extend([b'\\', *escape]),
        }
    }
    Ok(bytes)
}

/// Python's codec `raw-unicode-escape`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. Narrow builds of
/// Python 2 write a character beyond U+FFFF as two surrogates, which are joined.
pub(super) fn raw_unicode(line: &[u8]) -> Step<String> {
    let mut text = String::with_capacity(line.len());
    let mut high = None;
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let (code, tail) = match rest {
            [b'\\', b'u', digits @ ..] => (hex(digits, 4), digits.get(4..)),
            [b'\\', b'U', digits @ ..] => (hex(digits, 8), digits.get(8..)),
            // The first of two backslashes shields the second.
            [b'\\', b'\\', tail @ ..] if high.is_none() => {
                text.push_str("\\\\");
                rest = tail;
                continue;
            }
            _ => (Some(u32::from(*first)), Some(tail)),
        };
        let (Some(code), Some(tail)) = (code, tail) else {
            return Err(not_a("text", line));
        };
        rest = tail;
        match (high.take(), code) {
            (None, 0xd800..0xdc00) => high = Some(code),
            (Some(high), 0xdc00..0xe000) => {
                let joined = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
                text.extend(char::from_u32(joined));
            }
            (None, code) => text.push(char::from_u32(code).ok_or_else(lone_surrogate)?),
            (Some(_), _) => return Err(lone_surrogate()),
        }
    }
    if high.is_some() { Err(lone_surrogate()) } else { Ok(text) }
}

/// UTF-8 text; Python writes lone surrogates too, which are not text.
pub(super) fn utf8(bytes: &[u8]) -> Step<&str> {
    std::str::from_utf8(bytes).map_err(|_| lone_surrogate())
}

#[cold]
fn lone_surrogate() -> PickleErrorKind {
    PickleErrorKind::refused("a string is not valid Unicode (a lone surrogate?); send it as bytes")
}

fn hex(digits: &[u8], count: usize) -> Option<u32> {
    let digits = digits.get(..count)?;
    digits.iter().try_fold(0u32, |n, digit| Some(n << 4 | char::from(*digit).to_digit(16)?))
}

#[cold]
fn not_a(what: &str, line: &[u8]) -> PickleErrorKind {
    let shown = String::from_utf8_lossy(&line[..line.len().min(40)]);
    PickleErrorKind::malformed(format!("{what} is expected, not {shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_2_strings() {
        assert_eq!(string(br#""a'\n\xff""#).as_deref(), Ok(&b"a'\n\xff"[..]));
        assert_eq!(string(br"'\\\'\101\7\q'").as_deref(), Ok(&b"\\'A\x07\\q"[..]));
        for bad in [&b"abc"[..], b"'", b"'a\"", br"'\'", br"'\x4'"] {
            assert!(string(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn raw_unicode_escapes() {
        assert_eq!(raw_unicode(b"a\\u20ac\\u005c\xe9").as_deref(), Ok("a\u{20ac}\\\u{e9}"));
        assert_eq!(raw_unicode(b"\\ud83d\\ude00\\U0001f600").as_deref(), Ok("\u{1f600}\u{1f600}"));
        assert_eq!(raw_unicode(b"\\\\u0041\\q\\").as_deref(), Ok("\\\\u0041\\q\\"));
        for bad in [&b"\\u20"[..], b"\\ud83d", b"\\ud83dx", b"\\ude00", b"\\U00110000", b"\\ux"] {
            assert!(raw_unicode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn integers_have_a_limit() {
        assert!(matches!(integer(b"-12L"), Ok(Integer::Small(-12))));
        assert!(matches!(integer(b"9223372036854775808"), Ok(Integer::Big(_))));
        assert!(integer(&[b'1'; 4300]).is_ok());
        assert!(integer(&[b'1'; 5000]).is_err());
        for bad in [&b""[..], b"-", b"1_0", b"0x10", b"\xff"] {
            assert!(integer(bad).is_err(), "{bad:?}");
        }
        assert!(matches!(long(&[0xff, 0xff]), Ok(Integer::Small(-1))));
        assert!(matches!(long(&[]), Ok(Integer::Small(0))));
    }
}
