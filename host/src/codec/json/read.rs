//! Reads JSON (RFC 8259) exactly: integers of any length, each key of an object once.

use std::collections::HashSet;
use std::sync::Arc;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, LinePosition, Peek};

use super::Items;
use crate::codec::number;
use crate::error::excerpt;
use crate::value::Value;

/// Levels of nesting that are followed.
pub(super) const MAX_DEPTH: usize = 128;

/// Digits that jiter reads of a number.
const MAX_DIGITS: usize = 4300;

/// Objects with more keys look for repeated ones in a set.
const FEW: usize = 16;

/// Keys that are remembered, so that a thousand records share them.
const MAX_SHARED_KEYS: usize = 1024;

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {} column {}", position.line, position.column)]
pub struct JsonError {
    reason: String,
    position: LinePosition,
}

/// Reads one document; nesting is limited to 128 levels.
///
/// # Errors
///
/// Says what is wrong, with line and column.
pub fn parse(text: &[u8]) -> Result<Value, JsonError> {
    let mut reader = Reader { jiter: Jiter::new(text), depth: 0, keys: HashSet::new() };
    reader.document().map_err(|fault| JsonError {
        reason: match tarp_schema::json::cure(text, fault.index) {
            Some(cure) => format!("{}: {cure}", fault.reason),
            None => fault.located(),
        },
        position: LinePosition::find(text, fault.index),
    })
}

struct SyntaxError {
    reason: String,
    index: usize,
    /// The value that it is about, from the innermost step outwards: `[3]`, `.x`; `None` where the text
    /// is no JSON at all.
    path: Option<Vec<String>>,
}

impl SyntaxError {
    fn new(reason: impl Into<String>, index: usize) -> Self {
        Self { reason: reason.into(), index, path: None }
    }

    fn within(mut self, step: impl FnOnce() -> String) -> Self {
        if let Some(path) = &mut self.path {
            path.push(step());
        }
        self
    }

    /// The reason, with the name of the value.
    fn located(&self) -> String {
        let path: String = self.path.iter().flatten().rev().map(String::as_str).collect();
        match path.trim_start_matches('.') {
            "" => self.reason.clone(),
            path => format!("{} in `{}`", self.reason, excerpt(path)),
        }
    }
}

impl From<JiterError> for SyntaxError {
    fn from(error: JiterError) -> Self {
        let fault = Self::new(error.error_type.to_string(), error.index);
        match error.error_type {
            JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange) => Self {
                reason: format!("a number of more than {MAX_DIGITS} digits"),
                path: Some(Vec::new()),
                ..fault
            },
            _ => fault,
        }
    }
}

struct Reader<'a> {
    jiter: Jiter<'a>,
    depth: usize,
    keys: HashSet<Arc<str>>,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, SyntaxError> {
        let peek = self.jiter.peek()?;
        let value = self.value(peek)?;
        self.jiter.finish()?;
        Ok(value)
    }

    fn value(&mut self, peek: Peek) -> Result<Value, SyntaxError> {
        Ok(match peek {
            Peek::Null => {
                self.jiter.known_null()?;
                Value::None
            }
            Peek::True | Peek::False => Value::Bool(self.jiter.known_bool(peek)?),
            Peek::String => Value::text(self.jiter.known_str()?),
            Peek::Array => self.nested(Self::array)?,
            Peek::Object => self.nested(Self::object)?,
            _ => {
                let index = self.jiter.current_index();
                let digits = self.jiter.known_number_bytes(peek)?;
                let number = std::str::from_utf8(digits).ok().and_then(number::read);
                number.ok_or_else(|| SyntaxError::new("invalid number", index))?
            }
        })
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Value, SyntaxError>,
    ) -> Result<Value, SyntaxError> {
        if self.depth == MAX_DEPTH {
            let reason = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(SyntaxError::new(reason, self.jiter.current_index()));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut items = Items::None;
        let mut next = self.jiter.known_array()?;
        let mut position = 0;
        while let Some(peek) = next {
            items.push(self.value(peek).map_err(|fault| fault.within(|| format!("[{position}]")))?);
            position += 1;
            next = self.jiter.array_step()?;
        }
        Ok(items.finish())
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let mut entries: Vec<(Value, Value)> = Vec::new();
        let mut seen: HashSet<Arc<str>> = HashSet::new();
        let mut next = self.jiter.known_object()?.map(|key| shared(&mut self.keys, key));
        while let Some(key) = next {
            let came = match entries.len() {
                0..FEW => entries.iter().any(|(known, _)| is_text(known, &key)),
                _ => {
                    if seen.is_empty() {
                        seen.extend(entries.iter().filter_map(|(known, _)| text(known)));
                    }
                    !seen.insert(Arc::clone(&key))
                }
            };
            if came {
                let reason = format!("the key {:?} comes twice in one object", excerpt(&key));
                return Err(SyntaxError::new(reason, self.jiter.current_index()));
            }
            let peek = self.jiter.peek()?;
            let value =
                self.value(peek).map_err(|fault| fault.within(|| format!(".{}", excerpt(&key))))?;
            entries.push((Value::Text(key), value));
            next = self.jiter.next_key()?.map(|key| shared(&mut self.keys, key));
        }
        Ok(Value::Map(entries))
    }
}

/// The key, in the memory that an earlier one has.
fn shared(keys: &mut HashSet<Arc<str>>, key: &str) -> Arc<str> {
    if let Some(known) = keys.get(key) {
        return Arc::clone(known);
    }
    let key: Arc<str> = key.into();
    if keys.len() < MAX_SHARED_KEYS {
        keys.insert(Arc::clone(&key));
    }
    key
}

fn text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Text(text) => Some(Arc::clone(text)),
        _ => None,
    }
}

fn is_text(value: &Value, wanted: &str) -> bool {
    matches!(value, Value::Text(text) if &**text == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::NUMBER;

    fn fault(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_key_comes_once_at_every_depth() {
        for text in [
            r#"{"x": 1, "x": 2}"#,
            r#"[{"a": {"x": 1, "y": 2, "x": 1}}]"#,
            r#"{"x": 1, "\u0078": 2}"#,
        ] {
            assert!(fault(text).contains(r#"the key "x" comes twice"#), "{}", fault(text));
        }
        let many = (0..100).chain([50]).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>();
        assert!(fault(&format!("{{{}}}", many.join(","))).contains("k50"));
        let once = format!("{{{}}}", many[..100].join(","));
        assert!(parse(once.as_bytes()).is_ok());
    }

    #[test]
    fn numbers_that_are_large_stay_what_they_are() {
        let number = |text: &str| Value::Named { class: NUMBER, text: text.into() };
        assert_eq!(parse(b"1e400").unwrap(), number("1e400"));
        assert_eq!(parse(b"-1e400").unwrap(), number("-1e400"));
        let digits = "9".repeat(4000);
        assert_eq!(parse(digits.as_bytes()).unwrap(), number(&digits));
        let Value::BigInt(n) = parse(b"18446744073709551617").unwrap() else { panic!() };
        assert_eq!(n.to_string(), "18446744073709551617");
    }

    #[test]
    fn what_other_languages_write_gets_the_cure() {
        for (text, cure) in [
            (r#"{"x": NaN}"#, r#""NaN""#),
            ("[1, -Infinity]", r#""-Infinity""#),
            ("[Infinity]", r#""Infinity""#),
            ("[None]", "null"),
            ("{\"x\": True}", "true"),
            ("{'x': 1}", "double quotes"),
            ("['x']", "double quotes"),
            ("{x: 1}", "keys are in double quotes"),
            ("{\"y\": 2, 1: 1}", "keys are in double quotes"),
            ("[1, ]", "no comma before"),
            ("{\"x\": 1,\n}", "no comma before"),
            ("[1, // one\n 2]", "no comments"),
            ("[\u{201c}x\u{201d}]", "straight"),
        ] {
            assert!(fault(text).contains(cure), "{text}: {}", fault(text));
        }
        assert_eq!(fault("[1,\n x]"), "expected value at line 2 column 2");
    }

    #[test]
    fn a_number_that_is_too_long_is_refused_by_its_name() {
        let digits = "9".repeat(MAX_DIGITS + 1);
        for (text, name) in [
            (format!(r#"{{"y": 1, "x": {digits}}}"#), " in `x` "),
            (format!(r#"{{"x": [1, {{"y": {digits}}}]}}"#), " in `x[1].y` "),
            (format!("[1, 2, {digits}]"), " in `[2]` "),
            (digits.clone(), "digits at line"),
        ] {
            let fault = fault(&text);
            assert!(fault.starts_with("a number of more than 4300 digits"), "{fault}");
            assert!(fault.contains(name), "{fault}");
        }
    }

    #[test]
    fn a_deep_document_is_refused_not_followed() {
        assert!(fault(&"[".repeat(100_000)).contains("128"));
        let deepest = format!("{}{}", "[".repeat(128), "]".repeat(128));
        assert!(parse(deepest.as_bytes()).is_ok());
    }
}
