//! What a procedure takes and returns: [`Signature`] and [`Type`].

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::codec::json::{Json, to_string};
use crate::value::Value;

/// A callable type of the component model.
///
/// Names are snake_case, as everywhere outside WIT. Resources, streams and futures have no place
/// here: a procedure that uses them is not callable.
///
/// For programs it serialises as its name (`"f64"`), or as a mapping from its name to its parts
/// (`{"list": "f64"}`, `{"record": [{"name": "x", "type": "f64"}]}`,
/// `{"map": {"key": "string", "value": "f64"}}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are WIT's own")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Type>),
    /// Entries whose keys are all different; see [`Type::is_key`].
    Map {
        key: Box<Type>,
        value: Box<Type>,
    },
    Tuple(Vec<Type>),
    Record(Vec<Field>),
    /// Cases with what each carries, if anything.
    #[serde(serialize_with = "cases")]
    Variant(Vec<(Arc<str>, Option<Type>)>),
    Enum(Vec<Arc<str>>),
    Flags(Vec<Arc<str>>),
    Option(Box<Type>),
    #[serde(serialize_with = "sides")]
    Result(Option<Box<Type>>, Option<Box<Type>>),
}

fn cases<S: Serializer>(cases: &[(Arc<str>, Option<Type>)], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Case<'a> {
        name: &'a str,
        r#type: &'a Option<Type>,
    }
    to.collect_seq(cases.iter().map(|(name, r#type)| Case { name, r#type }))
}

fn sides<S: Serializer>(
    ok: &Option<Box<Type>>,
    err: &Option<Box<Type>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Sides<'a> {
        ok: &'a Option<Box<Type>>,
        err: &'a Option<Box<Type>>,
    }
    Sides { ok, err }.serialize(to)
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name, in snake_case.
    pub name: Arc<str>,
    /// What it holds.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A parameter of a procedure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name, in snake_case.
    pub name: Arc<str>,
    /// What it takes.
    #[serde(rename = "type")]
    pub ty: Type,
    /// What it is where the caller leaves it out; fits its type.
    #[serde(serialize_with = "json", skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
}

fn json<S: Serializer>(value: &Option<Value>, to: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(Json).serialize(to)
}

impl Parameter {
    /// Whether a caller may leave it out.
    pub fn is_optional(&self) -> bool {
        self.default.is_some() || self.ty.may_be_absent()
    }
}

/// What a procedure takes and returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// In the order of their positions.
    pub parameters: Vec<Parameter>,
    /// `None` for a procedure that returns nothing.
    pub result: Option<Type>,
    /// Whether WIT declares it as `async func`.
    pub is_async: bool,
}

impl Type {
    /// Whether lists of it are packed numbers.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Self::S8
                | Self::U8
                | Self::S16
                | Self::U16
                | Self::S32
                | Self::U32
                | Self::S64
                | Self::U64
                | Self::F32
                | Self::F64
        )
    }

    /// Whether its values are numbers with a fraction.
    pub fn is_float(&self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Whether an argument or field of this type may be left out.
    pub fn may_be_absent(&self) -> bool {
        matches!(self, Self::Option(_))
    }
}

impl fmt::Display for Type {
    /// As WIT spells it; records and variants, which have no name here, with their parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn optional(ty: Option<&Type>) -> String {
            ty.map_or_else(|| "_".into(), Type::to_string)
        }
        match self {
            Self::Bool => f.write_str("bool"),
            Self::S8 => f.write_str("s8"),
            Self::U8 => f.write_str("u8"),
            Self::S16 => f.write_str("s16"),
            Self::U16 => f.write_str("u16"),
            Self::S32 => f.write_str("s32"),
            Self::U32 => f.write_str("u32"),
            Self::S64 => f.write_str("s64"),
            Self::U64 => f.write_str("u64"),
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Map { key, value } => write!(f, "map<{key}, {value}>"),
            Self::Tuple(types) => write!(f, "tuple<{}>", joined(types.iter())),
            Self::Record(fields) => write!(f, "record {{ {} }}", joined(fields.iter())),
            Self::Variant(cases) => {
                let cases = cases.iter().map(|(name, ty)| match ty {
                    Some(ty) => format!("{name}({ty})"),
                    None => name.to_string(),
                });
                write!(f, "variant {{ {} }}", joined(cases))
            }
            Self::Enum(names) => write!(f, "enum {{ {} }}", joined(names.iter())),
            Self::Flags(names) => write!(f, "flags {{ {} }}", joined(names.iter())),
            Self::Option(inner) => write!(f, "option<{inner}>"),
            Self::Result(None, None) => f.write_str("result"),
            Self::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Self::Result(ok, err) => {
                write!(f, "result<{}, {}>", optional(ok.as_deref()), optional(err.as_deref()))
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)?;
        self.default.as_ref().map_or(Ok(()), |default| write!(f, " = {}", to_string(default)))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", joined(self.parameters.iter()))?;
        self.result.as_ref().map_or(Ok(()), |ty| write!(f, " -> {ty}"))
    }
}

fn joined<T: fmt::Display>(parts: impl Iterator<Item = T>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_read_like_wit() {
        let parameter = |name: &str, ty, default| Parameter { name: name.into(), ty, default };
        let signature = Signature {
            parameters: vec![
                parameter("values", Type::List(Box::new(Type::F64)), None),
                parameter(
                    "shape",
                    Type::Variant(vec![("dot".into(), None), ("disc".into(), Some(Type::F32))]),
                    Some(Value::text("dot")),
                ),
                parameter(
                    "sizes",
                    Type::Map { key: Box::new(Type::U8), value: Box::new(Type::F64) },
                    None,
                ),
            ],
            result: Some(Type::Result(None, Some(Box::new(Type::String)))),
            is_async: false,
        };
        assert_eq!(
            signature.to_string(),
            "(values: list<f64>, shape: variant { dot, disc(f32) } = \"dot\", sizes: map<u8, f64>) -> result<_, string>"
        );
        assert_eq!(
            serde_json::to_value((&signature.parameters, &signature.result)).unwrap(),
            serde_json::json!([
                [
                    {"name": "values", "type": {"list": "f64"}},
                    {"name": "shape", "type": {"variant": [
                        {"name": "dot", "type": null}, {"name": "disc", "type": "f32"}
                    ]}, "default": "dot"},
                    {"name": "sizes", "type": {"map": {"key": "u8", "value": "f64"}}},
                ],
                {"result": {"ok": null, "err": "string"}},
            ])
        );
    }
}
