//! Text as a value of a type: JSON, or what a person types in its place where the type leaves no
//! doubt. Only the host checks values whole.

use serde_json::Value;

use super::json;
use super::numbers::{self, Notes, NumberError, NumbersError, Source, shortened};
use crate::types::{Case, Told, Type};

/// Reads a text by its type.
pub(super) fn value(text: &str, ty: &Type, notes: &mut Notes) -> Result<Value, TextError> {
    match ty {
        // Only JSON tells the one absence from the other.
        Type::Option(inner) if matches!(**inner, Type::Option(_)) => read(text, ty),
        Type::Option(inner) => {
            if text == "null" || (inner.is_number() && numbers::is_gap(text) && !text.is_empty()) {
                Ok(Value::Null)
            } else {
                value(text, inner, notes)
            }
        }
        Type::String | Type::Char | Type::Enum(_) => {
            Ok(quoted(text).unwrap_or_else(|| text.into()))
        }
        Type::Bool => match text {
            "true" | "True" => Ok(true.into()),
            "false" | "False" => Ok(false.into()),
            _ => Err(TextError::NoBool(text.to_owned())),
        },
        ty if ty.is_number() => {
            let quoted = quoted(text);
            Ok(numbers::one(quoted.as_ref().and_then(Value::as_str).unwrap_or(text), ty)?)
        }
        // A bare word is base64, as the host reads a string where bytes are wanted.
        ty if ty.is_bytes() && !text.starts_with(['[', '"']) => Ok(text.into()),
        ty if numbers::is_numeric(ty) || numbers::is_nested(text, ty) => {
            Ok(numbers::read(text, ty, Source::default(), notes)?)
        }
        Type::Flags(_) if !text.trim_start().starts_with('[') => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            Ok(names.map(Value::from).collect())
        }
        // A case that carries nothing is its name.
        Type::Variant(cases) if Case::find(cases, text).is_some() => Ok(text.into()),
        ty => read(text, ty),
    }
}

/// A text in JSON's quotes.
fn quoted(text: &str) -> Option<Value> {
    serde_json::from_str::<String>(text).ok().map(Value::from)
}

fn read(text: &str, ty: &Type) -> Result<Value, TextError> {
    json(text, &Told::Known(ty.clone()))
}

/// Reads a text as the JSON that it has to be.
pub(super) fn json(text: &str, ty: &Told) -> Result<Value, TextError> {
    json::parse(text).map_err(|source| TextError::NoJson {
        ty: ty.clone(),
        text: shortened(text),
        source,
    })
}

/// Why a text is no value of its type.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextError {
    #[error("expected true or false, got `{0}`")]
    NoBool(String),
    #[error("expected {ty} as JSON, got `{text}`: {source}")]
    NoJson { ty: Told, text: String, source: json::JsonError },
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    Numbers(#[from] NumbersError),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ty(told: Value) -> Type {
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn the_type_decides_what_a_word_is() {
        for (text, told, expected) in [
            ("5", json!("string"), json!("5")),
            ("null", json!("string"), json!("null")),
            ("null", json!({"option": "string"}), Value::Null),
            ("\"null\"", json!({"option": "string"}), json!("null")),
            ("null", json!({"option": {"option": "s32"}}), Value::Null),
            ("{\"some\": null}", json!({"option": {"option": "s32"}}), json!({"some": null})),
            ("{\"some\": 5}", json!({"option": {"option": "s32"}}), json!({"some": 5})),
            ("two words", json!("string"), json!("two words")),
            ("", json!("string"), json!("")),
            ("é", json!("char"), json!("é")),
            ("light_blue", json!({"enum": ["light_blue"]}), json!("light_blue")),
            ("true", json!("bool"), json!(true)),
            ("18446744073709551615", json!("u64"), json!(u64::MAX)),
            ("-9223372036854775808", json!("s64"), json!(i64::MIN)),
            ("\"7\"", json!("u64"), json!(7)),
            ("0.1", json!("f64"), json!(0.1)),
            (".5", json!("f64"), json!(0.5)),
            ("-inf", json!("f64"), json!("-Infinity")),
            ("NaN", json!("f32"), json!("NaN")),
            ("1, 2.5,nan", json!({"list": "f64"}), json!([1, 2.5, "NaN"])),
            ("[1, 2]", json!({"list": "u8"}), json!([1, 2])),
            ("aGk=", json!({"list": "u8"}), json!("aGk=")),
            ("noisy, saturated", json!({"flags": ["noisy"]}), json!(["noisy", "saturated"])),
            ("missing", json!({"variant": [{"name": "missing", "type": null}]}), json!("missing")),
            ("{\"a\": 1}", json!({"variant": [{"name": "a", "type": "u8"}]}), json!({"a": 1})),
            ("[\"a\"]", json!({"list": "string"}), json!(["a"])),
            ("{\"2\": 1}", json!({"map": {"key": "u8", "value": "u8"}}), json!({"2": 1})),
        ] {
            assert_eq!(value(text, &ty(told), &mut Notes::default()).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_was_expected() {
        for (text, told, part) in [
            ("x", json!("u64"), "`x` is not a number"),
            ("1.5", json!("u64"), "`1.5`"),
            ("18446744073709551616", json!("u64"), "18446744073709551616"),
            ("x", json!("f64"), "`x` is not a number"),
            ("yes", json!("bool"), "true or false"),
            ("1,x", json!({"list": "s32"}), "item 2: `x` is not a number"),
            ("a", json!({"list": "string"}), "list<string> as JSON"),
            ("{x}", json!({"record": []}), "got `{x}`"),
            (
                "{1: 2}",
                json!({"map": {"key": "u8", "value": "u8"}}),
                "double quotes in JSON, numbers too",
            ),
            ("['a']", json!({"list": "string"}), "strings are in double quotes"),
            ("[[1, NaN,]]", json!({"list": {"list": "string"}}), "JSON has no NaN"),
            (r#"{"1": 2, "1": 3}"#, json!({"map": {"key": "u8", "value": "u8"}}), "comes twice"),
        ] {
            let error = value(text, &ty(told), &mut Notes::default()).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
