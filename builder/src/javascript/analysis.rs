//! What `analyse.mjs` finds in a module, as data.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Diagnostic;

/// All that it says.
#[derive(Debug, Deserialize)]
pub(super) struct Analysis {
    /// What the author has to change; then the rest is not complete.
    pub(super) faults: Vec<Diagnostic>,
    /// What the author had better change.
    #[serde(default)]
    pub(super) warnings: Vec<Diagnostic>,
    /// The procedures.
    pub(super) functions: Vec<Function>,
}

/// An exported function.
#[derive(Debug, Deserialize)]
pub(super) struct Function {
    /// What its author calls it.
    pub(super) name: String,
    /// What the module exports it as: its name, or `default`.
    pub(super) export: String,
    /// Where it is.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// Whether it gives a promise.
    #[serde(rename = "async")]
    pub(super) is_async: bool,
    /// What is written about it.
    pub(super) docs: Option<String>,
    /// What its tags `@alias` and `@arrays` say.
    pub(super) aliases: Vec<String>,
    pub(super) arrays: Vec<String>,
    pub(super) parameters: Vec<Parameter>,
    /// Nothing, where it gives nothing.
    pub(super) result: Option<Type>,
}

/// A parameter.
#[derive(Debug, Deserialize)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// Whether it takes all arguments that are left.
    pub(super) rest: bool,
    #[serde(rename = "type")]
    pub(super) ty: Type,
    /// The value where the argument is left out; `Some(Null)` is `null`, `None` is that there is none.
    #[serde(default, deserialize_with = "present")]
    pub(super) default: Option<Value>,
}

/// A type of JavaScript that has a counterpart in WIT.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Type {
    Boolean,
    Number,
    Bigint,
    String,
    /// A typed array, by its name.
    Typed(String),
    Array(Box<Type>),
    Set(Box<Type>),
    Map(Box<(Type, Type)>),
    /// An object with any keys.
    Dict(Box<Type>),
    Tuple(Vec<Type>),
    Option(Optional),
    Enum(Choice),
    Record(Record),
    Union(Union),
}

/// A value that may be absent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Optional {
    pub(super) of: Box<Type>,
    /// Whether its absence is `null` to the author, and not `undefined`.
    pub(super) null: bool,
}

/// One of several values.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    pub(super) cases: Vec<Case>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    /// What it is in the author's program.
    pub(super) value: Value,
    pub(super) docs: Option<String>,
}

/// An object with known fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    pub(super) fields: Vec<Field>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) ty: Type,
    pub(super) docs: Option<String>,
}

/// One of several objects, which a field tells apart.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Union {
    pub(super) name: String,
    pub(super) docs: Option<String>,
    /// The field.
    pub(super) tag: String,
    pub(super) cases: Vec<Member>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Member {
    pub(super) name: String,
    /// What the field is.
    pub(super) value: Value,
    pub(super) docs: Option<String>,
    /// The other fields.
    pub(super) fields: Vec<Field>,
}

/// A value that is there, `null` included.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}
