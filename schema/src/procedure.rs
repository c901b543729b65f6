//! What a component says about its procedures beside their types: [`ProcedureMetadata`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::{Field, Type};

/// How a procedure is called by those who do not choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The caller waits.
    Sync,
    /// The caller gets the handle of a job.
    Async,
}

/// A method that a web procedure answers; HEAD comes with GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebMethod {
    /// Reads.
    Get,
    /// Sends a body.
    Post,
}

impl WebMethod {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Get, Self::Post];

    /// The name in HTTP.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// How rows of numbers are written in the result of the original protocol's RPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrayReplies {
    /// As numpy arrays for callers whose arguments have some, else as lists.
    #[default]
    Auto,
    /// Always as numpy arrays, which the caller needs numpy to read.
    Numpy,
    /// Always as lists.
    List,
}

/// What a component says about one procedure in its section `tarp:procedures`; all of it optional. The
/// keys are those of a sidecar's `[procedures.NAME]` that an author knows best.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcedureMetadata {
    /// Its documentation, where the section `package-docs` cannot hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is better called as a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Seconds between looks at the job, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_wait: Option<u32>,
    /// The methods that a web procedure answers, where it is not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<WebMethod>>,
    /// What its author calls it, without any prefix, where WIT has another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its parameters and result as its author wrote them, where WIT has them otherwise: an
    /// [`AuthorSignature`] as JSON. Unread, so that types of a newer builder cost no more than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Value>,
    /// Further names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How the original client gets rows of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrays: Option<ArrayReplies>,
    /// By parameter: the value where the argument is left out, as it would be in a call's JSON.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, Value>,
}

/// What a procedure takes and returns in the words of its author. Its types fit those of the component as
/// [`fits`](crate::shown::fits) says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuthorSignature {
    /// In the order of their positions.
    pub parameters: Vec<Field>,
    /// `None` for a procedure that returns nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Type>,
}

impl ProcedureMetadata {
    /// Sets what its author wrote, where that is not what `carrier` says, which the component has.
    pub fn set_author(
        &mut self,
        name: (&str, &str),
        author: &AuthorSignature,
        carrier: &AuthorSignature,
    ) {
        let (own, in_wit) = name;
        self.name = (own != in_wit).then(|| own.to_owned());
        self.signature = (author != carrier).then(|| serde_json::json!(author));
    }
}

/// The longest name of a procedure, in bytes.
pub const MAX_NAME_LENGTH: usize = 200;

/// Whether a procedure can have that name, which is part of an address: ASCII letters, digits and `_` after
/// a letter, in parts separated by `/`, and no more than [`MAX_NAME_LENGTH`] bytes. Unlike names in WIT, it
/// may have capital letters.
#[must_use]
pub fn is_valid_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(is_inner)
    };
    name.len() <= MAX_NAME_LENGTH && name.split('/').all(is_part)
}

/// By the procedure's name: `mean`, `summary/mean`.
pub type MetadataMap = BTreeMap<String, ProcedureMetadata>;

/// The JSON text of a record of the section `tarp:procedures`: `{"procedures": {NAME: TABLE}}`.
#[derive(Serialize, Deserialize)]
struct Record {
    procedures: MetadataMap,
}

/// The text of a record with these tables, without those that say nothing; `None` where none is left.
#[must_use]
pub fn to_record(mut tables: MetadataMap) -> Option<String> {
    tables.retain(|_, table| *table != ProcedureMetadata::default());
    if tables.is_empty() {
        return None;
    }
    serde_json::to_string(&Record { procedures: tables }).ok()
}

/// The tables of a record.
///
/// # Errors
///
/// Where the text is not such a record.
pub fn from_record(text: &str) -> serde_json::Result<MetadataMap> {
    serde_json::from_str::<Record>(text).map(|record| record.procedures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts_that_begin_with_a_letter() {
        for valid in ["a", "rpcExample", "lab/old_name2"] {
            assert!(is_valid_name(valid), "{valid}");
        }
        for invalid in ["", "/", "a/", "2d", "_a", "a-b", "a b", "ä"] {
            assert!(!is_valid_name(invalid), "{invalid}");
        }
    }

    #[test]
    fn a_record_is_read_back() {
        let table = ProcedureMetadata {
            mode: Some(Mode::Async),
            methods: Some(vec![WebMethod::Get]),
            arrays: Some(ArrayReplies::Numpy),
            defaults: BTreeMap::from([("n".to_owned(), 10.into())]),
            ..ProcedureMetadata::default()
        };
        let tables = MetadataMap::from([
            ("plot".to_owned(), table),
            ("quiet".to_owned(), ProcedureMetadata::default()),
        ]);
        let text = to_record(tables.clone()).unwrap();
        assert_eq!(
            text,
            r#"{"procedures":{"plot":{"mode":"async","methods":["GET"],"arrays":"numpy","defaults":{"n":10}}}}"#
        );
        let read = from_record(&text).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read["plot"], tables["plot"]);
        assert_eq!(
            to_record(MetadataMap::from([("quiet".into(), ProcedureMetadata::default())])),
            None
        );
        assert!(from_record("no JSON").is_err());
        // A key of a newer builder.
        assert!(from_record(r#"{"procedures": {"a": {"new": 1}}}"#).is_ok());
        let newer = r#"{"procedures": {"a": {"signature": {"parameters": [{"name": "x", "type": "u128"}]}}}}"#;
        assert!(from_record(newer).is_ok());
    }

    #[test]
    fn what_an_author_wrote_is_kept_where_it_says_more() {
        let signature = |name: &str| AuthorSignature {
            parameters: vec![Field { name: name.into(), ty: Type::F64 }],
            result: None,
        };
        let mut table = ProcedureMetadata::default();
        table.set_author(("f", "f"), &signature("x"), &signature("x"));
        assert_eq!(table, ProcedureMetadata::default());
        table.set_author(("fitPeak", "fit_peak"), &signature("V"), &signature("v"));
        let text = to_record(MetadataMap::from([("fit_peak".into(), table)])).unwrap();
        assert_eq!(
            text,
            r#"{"procedures":{"fit_peak":{"name":"fitPeak","signature":{"parameters":[{"name":"V","type":"f64"}]}}}}"#
        );
        let read = from_record(&text).unwrap()["fit_peak"].signature.clone().unwrap();
        assert_eq!(serde_json::from_value::<AuthorSignature>(read).unwrap(), signature("V"));
    }
}
