//! JSON that somebody typed, or the cure for what is none. A key that comes twice in one object is refused: of the two values one
//! would be lost.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tarp_schema::json;

/// Reads one document.
///
/// # Errors
///
/// Says what is wrong, where, and what JSON has in its place.
pub(super) fn parse(text: &str) -> Result<Value, JsonError> {
    serde_json::from_str(text).map(|Strict(value)| value).map_err(|source| {
        let cure = json::cure(text.as_bytes(), offset(text, &source));
        JsonError { source, cure }
    })
}

/// Why a text is no JSON.
#[derive(Debug, thiserror::Error)]
#[error("{source}{}", cure.map(|cure| format!(": {cure}")).unwrap_or_default())]
pub(super) struct JsonError {
    source: serde_json::Error,
    cure: Option<&'static str>,
}

/// Where the byte is that an error is about.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(b.into())
    }

    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(x.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, _>()? {
            if entries.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {key:?} comes twice")));
            }
            entries.insert(key, value);
        }
        Ok(entries.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_serde_json_reads() {
        for text in [
            r#"{"b": [1, -2, 18446744073709551615, 0.1, "x", null, true], "a": {}}"#,
            "[]",
            "\"text\"",
        ] {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn what_is_no_json_is_told_what_json_has() {
        for (text, cure) in [
            ("[1, NaN]", "JSON has no NaN"),
            ("[1,\n -Infinity]", "no infinity"),
            ("{\"x\": nan}", "JSON has no NaN"),
            ("['a', 'b']", "double quotes"),
            ("[\"a\",\n 'b']", "double quotes"),
            ("[\"a\", ]", "no comma before"),
            ("{\"a\": 1,\n}", "no comma before"),
            ("{a: 1}", "double quotes"),
            ("{\"a\": 1, 2: 3}", "double quotes"),
            ("[None]", "null"),
            ("[True, False]", "true"),
            ("[\u{201c}a\u{201d}]", "straight"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(cure), "{text}: {error}");
        }
        assert_eq!(parse("[x]").unwrap_err().to_string(), "expected value at line 1 column 2");
    }

    #[test]
    fn a_key_comes_once_at_every_depth() {
        for text in [r#"{"a": 1, "a": 2}"#, r#"[{"b": {"a": 1, "\u0061": 1}}]"#] {
            assert!(parse(text).unwrap_err().to_string().contains(r#"the key "a" comes twice"#));
        }
    }
}
