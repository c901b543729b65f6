//! Results into files, in the form that the file's name asks for.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::npy;
use crate::reply::Content;
use crate::types::Type;

/// The form that a file's name asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Npy,
    AsItIs,
}

impl Form {
    fn of(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Self::Json,
            Some("csv") => Self::Csv,
            Some("npy") => Self::Npy,
            _ => Self::AsItIs,
        }
    }
}

/// Whether a result of this type fits such a file at all.
pub(super) fn check(path: &Path, ty: Option<&Type>) -> Result<()> {
    let Some(ty) = ty else { return Ok(()) };
    let inner = ty.present();
    let (depth, element) = inner.lists();
    let (fits, wanted) = match Form::of(path) {
        // Bytes may be such a file already, or become one; text is none.
        _ if inner.is_bytes() => return Ok(()),
        Form::Npy if *inner == Type::String => (false, "numbers"),
        _ if *inner == Type::String => return Ok(()),
        Form::Npy => {
            let is_number = |ty: &Type| ty.is_number() || *ty == Type::Bool;
            let is_row = matches!(element, Type::Tuple(types) if types.iter().all(is_number));
            (is_number(element.present()) || is_row, "numbers")
        }
        Form::Csv => (depth >= 1, "a list"),
        // A name without an extension asks for no form.
        Form::AsItIs => (path.extension().is_none(), "bytes or text"),
        Form::Json => return Ok(()),
    };
    if fits {
        return Ok(());
    }
    let path = path.display();
    Err(Error::Usage(format!(
        "{path} would hold {wanted}, but the result is {ty}; a .json file holds it"
    )))
}

/// Writes a result.
pub(super) fn write(path: &Path, content: &Content, ty: Option<&Type>) -> Result<()> {
    let unfit = |why: UnfitError| {
        let path = path.display();
        Error::Unfit(format!("the result does not fit {path}: {why}; a .json file holds it"))
    };
    let bytes = match (content, Form::of(path)) {
        (Content::Bytes(bytes), Form::Npy) => array(bytes, ty).map_err(unfit)?,
        (Content::Text(_), Form::Npy) => return Err(unfit(UnfitError::Text)),
        (Content::Bytes(bytes), Form::Csv | Form::AsItIs) => bytes.clone(),
        (Content::Text(text), Form::Csv | Form::AsItIs) => text.clone().into(),
        (Content::Json(value), Form::Npy) => {
            let element = ty.map(|ty| ty.present().lists().1.present());
            npy::write(value, element).map_err(|why| unfit(why.into()))?
        }
        (Content::Json(value), Form::Csv) => csv(value).map_err(unfit)?,
        (content, Form::Json | Form::AsItIs) => format!("{:#}\n", content.to_json()).into(),
    };
    std::fs::write(path, bytes).map_err(|e| Error::Output(path.display().to_string(), e))
}

/// Why a result does not fit a file.
#[derive(Debug, thiserror::Error)]
enum UnfitError {
    #[error("it is text")]
    Text,
    #[error("it is no array of NumPy's")]
    NoArray,
    #[error("it is no list")]
    NoList,
    #[error("its items are not all records")]
    NotAllRecords,
    #[error(transparent)]
    Csv(#[from] csv::Error),
    #[error(transparent)]
    Array(#[from] npy::WriteError),
}

/// Bytes that are such a file already, or a `list<u8>` as an array of `uint8`. What a web procedure
/// answered is a file of its own kind.
fn array(bytes: &[u8], ty: Option<&Type>) -> Result<Vec<u8>, UnfitError> {
    if bytes.starts_with(npy::MAGIC) {
        return Ok(bytes.to_vec());
    }
    match ty {
        Some(ty) if ty.present().is_bytes() => Ok(npy::of_bytes(bytes)),
        _ => Err(UnfitError::NoArray),
    }
}

/// A list of records below their fields' names, of rows, or of single values.
fn csv(value: &Value) -> Result<Vec<u8>, UnfitError> {
    let items = value.as_array().ok_or(UnfitError::NoList)?;
    let style = match items.iter().any(is_misread) {
        true => csv::QuoteStyle::Always,
        false => csv::QuoteStyle::Necessary,
    };
    let mut builder = csv::WriterBuilder::new();
    let mut writer = builder.flexible(true).quote_style(style).from_writer(Vec::new());
    let mut titles: Vec<&str> = Vec::new();
    for title in items.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !titles.contains(&title.as_str()) {
            titles.push(title);
        }
    }
    if !titles.is_empty() {
        writer.write_record(&titles)?;
    }
    for item in items {
        let row: Vec<String> = match item {
            Value::Object(record) => titles
                .iter()
                .map(|title| record.get(*title).map(cell).unwrap_or_default())
                .collect(),
            _ if !titles.is_empty() => return Err(UnfitError::NotAllRecords),
            Value::Array(cells) => cells.iter().map(cell).collect(),
            value => vec![cell(value)],
        };
        writer.write_record(&row)?;
    }
    writer.into_inner().map_err(|e| UnfitError::Csv(e.into_error().into()))
}

/// Whether a text is in it that without quotes could be taken for another delimiter, or for something before
/// all cells.
fn is_misread(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            text.contains([';', '\t'])
                || text.starts_with('\u{feff}')
                || text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep="))
        }
        Value::Array(items) => items.iter().any(is_misread),
        Value::Object(fields) => fields.values().any(is_misread),
        _ => false,
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_lines_of_csv() {
        let written = |value| String::from_utf8(csv(&value).unwrap()).unwrap();
        assert_eq!(written(json!([1, 2.5, "NaN"])), "1\n2.5\nNaN\n");
        assert_eq!(written(json!([[1, 2], [3, 4]])), "1,2\n3,4\n");
        assert_eq!(
            written(json!([{"a": "x,y", "b": null}, {"a": "z", "b": [1]}])),
            "a,b\n\"x,y\",\nz,[1]\n"
        );
        assert!(csv(&json!([{"a": 1}, 2])).is_err() && csv(&json!(1)).is_err());
    }

    #[test]
    fn a_result_that_cannot_fit_is_refused_before_the_call() {
        let fits = |path: &str, told: Value| {
            check(Path::new(path), Some(&serde_json::from_value(told).unwrap())).is_ok()
        };
        let (numbers, record) = (json!({"list": "f64"}), json!({"record": []}));
        assert!(fits("a.npy", numbers.clone()) && fits("a.csv", numbers.clone()));
        assert!(fits("a.npy", json!({"list": {"tuple": ["f64", "u64"]}})));
        assert!(fits("a.json", record.clone()) && fits("a.png", json!({"list": "u8"})));
        assert!(!fits("a.npy", record.clone()) && !fits("a.csv", record));
        assert!(fits("a.npy", json!({"list": "u8"})) && fits("a.txt", json!("string")));
        assert!(!fits("a.npy", json!("string")));
    }

    #[test]
    fn every_form_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, content: Content| {
            let path = folder.path().join(name);
            write(&path, &content, None).map(|()| std::fs::read(path).unwrap())
        };
        assert_eq!(written("a.bin", Content::Bytes(vec![0, 255])).unwrap(), [0, 255]);
        assert_eq!(written("a.txt", Content::Text("né".into())).unwrap(), "né".as_bytes());
        assert_eq!(written("b.json", Content::Bytes(vec![0])).unwrap(), b"\"AA==\"\n");
        assert_eq!(written("a.dat", Content::Json(json!(1))).unwrap(), b"1\n");
        assert!(written("a.npy", Content::Json(json!([1]))).unwrap().starts_with(npy::MAGIC));
        assert!(written("a.npy", Content::Json(json!({}))).is_err());
        assert!(written("a.npy", Content::Text("1".into())).is_err());
        assert!(written("a.npy", Content::Bytes(b"PNG".into())).is_err());
        let file = npy::of_bytes(&[1, 255]);
        assert_eq!(written("a.npy", Content::Bytes(file.clone())).unwrap(), file);
        let (path, ty) = (folder.path().join("b.npy"), Type::List(Box::new(Type::U8)));
        write(&path, &Content::Bytes(vec![1, 255]), Some(&ty)).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), file);
    }
}
