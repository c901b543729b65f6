//! Words of the command line as the arguments of a procedure.
//!
//! | word | argument |
//! |---|---|
//! | `3`, `'[1, 2]'`, `word` | the next one by position |
//! | `name=…` | the one of that name |
//! | `@file`, `name=@file` | what the file holds, as its parameter's type takes it; `@-` is standard input |
//! | `@file:column` | one column of a table of numbers, by its title or number |
//!
//! A JSON string is always only that: `'"@home"'`, `'"a=b"'`.

mod file;
mod json;
mod numbers;
mod table;
mod text;

use serde_json::{Map, Value};
use tarp_schema::nearest::nearest;

use crate::catalog::{Parameter, Procedure, may_be_absent};
use crate::error::{Error, Result};
use crate::types::{Told, Type};
use file::FileError;
use numbers::Notes;
use text::TextError;

pub(crate) use file::media_type;

/// Gives each parameter its argument, read by its type. What was made of a text that its author
/// should know goes to `tell`.
pub(crate) fn bound(
    procedure: &Procedure,
    words: &[String],
    mut tell: impl FnMut(&str),
) -> Result<Map<String, Value>> {
    let name = &procedure.name;
    let wrong = |why: String| Error::Usage(format!("{why}; the call is {}", procedure.usage()));
    let mut arguments = Map::new();
    let mut places = procedure.parameters.iter();
    for word in words {
        let next = places.as_slice().first();
        let (parameter, text) = match named(word, procedure) {
            Some((key, text)) if !(is_padding(text) && takes_bytes(next)) => {
                (find(procedure, key).map_err(|why| wrong(why.to_string()))?, text)
            }
            _ => {
                let count = procedure.parameters.len();
                let plural = if count == 1 { "" } else { "s" };
                let next = places.next().ok_or_else(|| {
                    wrong(format!(
                        "`{name}` takes {count} argument{plural}, and `{word}` is one more"
                    ))
                })?;
                (next, word.as_str())
            }
        };
        let mut notes = Notes::default();
        let value = value(text, parameter, &mut notes).map_err(|why| {
            let Parameter { name: argument, ty, .. } = parameter;
            wrong(format!("the argument `{argument}` ({ty}) of `{name}`: {why}"))
        })?;
        for note in notes.told() {
            tell(&format!("`{}`: {note}", parameter.name));
        }
        if arguments.insert(parameter.name.to_string(), value).is_some() {
            return Err(wrong(format!("the argument `{}` of `{name}` came twice", parameter.name)));
        }
    }
    let missing = procedure
        .parameters
        .iter()
        .find(|parameter| !may_be_absent(parameter) && !arguments.contains_key(&*parameter.name));
    match missing {
        Some(Parameter { name: argument, ty, .. }) => {
            Err(wrong(format!("the argument `{argument}` ({ty}) of `{name}` is missing")))
        }
        None => Ok(arguments),
    }
}

/// Pairs for a web procedure's query.
pub(crate) fn query(procedure: &Procedure, words: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |word: &String| match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::Usage(format!(
            "`{}` answers web requests: it takes name=value and --data, not `{word}`",
            procedure.name
        ))),
    };
    words.iter().map(pair).collect()
}

/// The bytes of `@file` or `@-`, or else of the word itself.
pub(crate) fn data(word: &str) -> Result<Vec<u8>> {
    match word.strip_prefix('@') {
        Some(path) => file::read(path).map_err(|why| Error::Usage(format!("--data: {why}"))),
        None => Ok(word.into()),
    }
}

/// Whether what follows a `=` may be the end of base64: `aGk=`, `aA==`.
fn is_padding(text: &str) -> bool {
    matches!(text, "" | "=")
}

fn takes_bytes(parameter: Option<&Parameter>) -> bool {
    parameter
        .is_some_and(|parameter| parameter.ty.known().is_some_and(|ty| ty.present().is_bytes()))
}

/// A word as name and value, where it is meant so.
fn named<'a>(word: &'a str, procedure: &Procedure) -> Option<(&'a str, &'a str)> {
    let (key, value) = word.split_once('=')?;
    let mut chars = key.chars();
    let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let is_name = begins && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    (is_name || procedure.parameter(key).is_some()).then_some((key, value))
}

fn find<'a>(procedure: &'a Procedure, key: &str) -> Result<&'a Parameter, UnknownArgument> {
    procedure.parameter(key).ok_or_else(|| {
        let name = key.replace('-', "_");
        let names = procedure.parameters.iter().map(|parameter| &*parameter.name);
        let is_text = |ty: &Type| *ty.present() == Type::String;
        let mut types = procedure.parameters.iter().filter_map(|p| p.ty.known());
        let takes_text = types.any(is_text);
        let cure = match nearest(&name, names) {
            Some(near) => format!("; did you mean `{near}`?"),
            None if takes_text => "; text with `=` in it goes in quotes of JSON: '\"a=b\"'".into(),
            None => String::new(),
        };
        UnknownArgument { procedure: procedure.name.clone(), key: key.to_owned(), cure }
    })
}

/// A procedure has no argument of that name.
#[derive(Debug, thiserror::Error)]
#[error("`{procedure}` has no argument `{key}`{cure}")]
struct UnknownArgument {
    procedure: String,
    key: String,
    cure: String,
}

/// Why a word is no argument.
#[derive(Debug, thiserror::Error)]
enum WordError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Text(#[from] TextError),
}

fn value(text: &str, parameter: &Parameter, notes: &mut Notes) -> Result<Value, WordError> {
    match (text.strip_prefix('@'), &parameter.ty) {
        (Some(path), Told::Known(ty)) => Ok(file::value(path, &ty.with_lists(), notes)?),
        (Some(path), Told::Newer) => Ok(file::json(path)?),
        (None, Told::Known(ty)) => Ok(text::value(text, &ty.with_lists(), notes)?),
        (None, Told::Newer) => Ok(text::json(text, &parameter.ty)?),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn procedure() -> Procedure {
        serde_json::from_value(json!({
            "name": "stats/scale", "signature": "(values: list<f64>, factor: f64, unit: option<string>)",
            "parameters": [
                {"name": "values", "type": {"list": "f64"}},
                {"name": "scale_factor", "type": "f64"},
                {"name": "unit", "type": {"option": "string"}},
                {"name": "places", "type": "u8", "default": null},
            ],
            "result": null, "mode": "sync",
        }))
        .unwrap()
    }

    fn bind(words: &[&str]) -> Result<Value, String> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        bound(&procedure(), &words, |_| {}).map(Value::from).map_err(|e| e.to_string())
    }

    #[test]
    fn arguments_go_by_position_and_by_name() {
        let expected = json!({"values": [1, 2], "scale_factor": 3});
        for words in [
            ["[1, 2]", "3"],
            ["[1, 2]", "scale_factor=3"],
            ["scale-factor=3", "[1,2]"],
            ["values=1,2", "scale_factor=3"],
        ] {
            assert_eq!(bind(&words).unwrap(), expected, "{words:?}");
        }
        let all = bind(&["[]", "1", "\"a=b\"", "places=2"]).unwrap();
        assert_eq!(all, json!({"values": [], "scale_factor": 1, "unit": "a=b", "places": 2}));
    }

    #[test]
    fn a_type_from_the_future_takes_json() {
        let procedure: Procedure = serde_json::from_value(json!({
            "name": "f", "signature": "(x: stream<u8>)", "result": null, "mode": "sync",
            "parameters": [{"name": "x", "type": {"stream": "u8"}}],
        }))
        .unwrap();
        let bind = |word: &str| bound(&procedure, &[word.to_owned()], |_| {});
        assert_eq!(bind("{\"a\": [1]}").unwrap()["x"], json!({"a": [1]}));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, "\u{feff}[null]\n").unwrap();
        assert_eq!(bind(&format!("@{}", file.display())).unwrap()["x"], json!([null]));
        let error = bind("a").unwrap_err().to_string();
        assert!(error.contains("expected a JSON value as JSON, got `a`"), "{error}");
    }

    #[test]
    fn padding_of_base64_makes_no_name() {
        let procedure: Procedure = serde_json::from_value(json!({
            "name": "f", "signature": "(data: list<u8>)", "result": null, "mode": "sync",
            "parameters": [{"name": "data", "type": {"list": "u8"}}],
        }))
        .unwrap();
        for word in ["aGk=", "aA==", "data=aGk="] {
            let bound = bound(&procedure, &[word.to_owned()], |_| {}).unwrap();
            assert_eq!(bound["data"], word.trim_start_matches("data="));
        }
        assert!(bound(&procedure, &["dat=aGk".to_owned()], |_| {}).is_err());
    }

    #[test]
    fn a_wrong_argument_is_named_with_the_cure() {
        for (words, parts) in [
            (&["[1]"][..], &["`scale_factor` (f64)", "is missing", "stats/scale(values"][..]),
            (&["[1]", "x"], &["`scale_factor` (f64)", "`x`"]),
            (&["[1]", "1", "m", "2", "3"], &["takes 4 arguments", "`3` is one more"]),
            (&["vaules=1"], &["no argument `vaules`", "did you mean `values`?"]),
            (&["zzz=1"], &["no argument `zzz`", "quotes of JSON"]),
            (&["[1]", "values=[2]"], &["`values`", "came twice"]),
            (&["@/nowhere/at/all.npy"], &["`values`", "/nowhere/at/all.npy"]),
        ] {
            let error = bind(words).unwrap_err();
            for part in parts {
                assert!(error.contains(part), "{words:?}: {error}");
            }
        }
    }
}
