//! Queries and forms as pairs, decoded exactly or refused.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::error::{CallError, excerpt};

/// A name and a text.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The pairs of a query or of an `application/x-www-form-urlencoded` body; `source` says which.
///
/// # Errors
///
/// [`ErrorKind::BadRequest`](crate::error::ErrorKind::BadRequest) for what is no percent-encoding of UTF-8, which
/// decoders otherwise replace.
pub(super) fn pairs<'a>(encoded: &'a [u8], source: &str) -> Result<Vec<Pair<'a>>, CallError> {
    for pair in encoded.split(|byte| *byte == b'&') {
        if let Some(reason) = fault(pair) {
            let pair = String::from_utf8_lossy(pair);
            return Err(CallError::bad_request(format!(
                "`{}` in {source} {reason}",
                excerpt(&pair)
            )));
        }
    }
    Ok(form_urlencoded::parse(encoded).collect())
}

fn fault(pair: &[u8]) -> Option<&'static str> {
    if !pair.contains(&b'%') && pair.is_ascii() {
        return None;
    }
    let is_whole = |at: usize| {
        pair.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut escapes = pair.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    if !escapes.all(|(at, _)| is_whole(at)) {
        return Some("has a % without two hexadecimal digits behind it; a % itself is written %25");
    }
    let is_utf_8 = percent_decode(pair).decode_utf8().is_ok();
    (!is_utf_8).then_some(
        "is not UTF-8 in percent-encoding; send UTF-8, and bytes as base64 or in the body",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decoders_would_replace_is_refused() {
        assert_eq!(
            pairs(b"a=%C3%BC+x&b=&c", "the query").unwrap(),
            [("a", "ü x"), ("b", ""), ("c", "")].map(|(n, t)| (n.into(), t.into()))
        );
        for (text, word) in
            [("a=%FC", "UTF-8"), ("a=1&b=100%", "%25"), ("%zz=1", "%25"), ("a=%C3&b=%BC", "UTF-8")]
        {
            let message = pairs(text.as_bytes(), "the query").unwrap_err().message;
            assert!(message.contains(word), "{text}: {message}");
        }
        assert!(pairs(b"a=\xfc", "the form").is_err());
        assert!(pairs("a=ü".as_bytes(), "the form").is_ok());
    }
}
