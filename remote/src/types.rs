//! The types of the component model as `/-/procedures` tells them.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A type. Names are snake_case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Type {
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
    List(Box<Self>),
    Option(Box<Self>),
    Map {
        key: Box<Self>,
        value: Box<Self>,
    },
    Tuple(Vec<Self>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<String>),
    Flags(Vec<String>),
    Result {
        ok: Option<Box<Self>>,
        err: Option<Box<Self>>,
    },
    /// One that a newer host has; its values are taken as JSON.
    #[serde(skip)]
    Unknown,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: Type,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) ty: Option<Type>,
}

/// Reads a type, also one that only a newer host knows.
pub(crate) fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Type, D::Error> {
    let told = Value::deserialize(from)?;
    Ok(serde_json::from_value(told).unwrap_or(Type::Unknown))
}

/// The same where there may be none.
pub(crate) fn lenient_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Type>, D::Error> {
    let told = Option::<Value>::deserialize(from)?;
    Ok(told.map(|told| serde_json::from_value(told).unwrap_or(Type::Unknown)))
}

impl Type {
    pub(crate) fn is_integer(&self) -> bool {
        use Type::{S8, S16, S32, S64, U8, U16, U32, U64};
        matches!(self, S8 | S16 | S32 | S64 | U8 | U16 | U32 | U64)
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    pub(crate) fn is_number(&self) -> bool {
        self.is_integer() || self.is_float()
    }

    /// The smallest and the largest integer; nothing at all of other types.
    pub(crate) fn range(&self) -> (i128, i128) {
        match self {
            Self::S8 => (i8::MIN.into(), i8::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::S16 => (i16::MIN.into(), i16::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::S32 => (i32::MIN.into(), i32::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::S64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
            _ => (0, -1),
        }
    }

    /// Bytes, which are base64 in JSON.
    pub(crate) fn is_bytes(&self) -> bool {
        matches!(self, Self::List(item) if **item == Self::U8)
    }

    /// The type inside any options around it.
    pub(crate) fn present(&self) -> &Self {
        match self {
            Self::Option(inner) => inner.present(),
            ty => ty,
        }
    }

    /// How deep it is in lists, and of what: `(2, f64)` for a list of lists of `f64`.
    pub(crate) fn lists(&self) -> (usize, &Self) {
        match self {
            Self::List(item) => {
                let (depth, element) = item.lists();
                (depth + 1, element)
            }
            ty => (0, ty),
        }
    }
}

impl fmt::Display for Type {
    /// As WIT spells it; records and variants, which have no name here, with their parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optional =
            |ty: &Option<Box<Self>>| ty.as_deref().map_or_else(|| "_".into(), Self::to_string);
        match self {
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Option(inner) => write!(f, "option<{inner}>"),
            Self::Map { key, value } => write!(f, "map<{key}, {value}>"),
            Self::Tuple(types) => write!(f, "tuple<{}>", joined(types)),
            Self::Record(fields) => write!(f, "record {{ {} }}", joined(fields)),
            Self::Variant(cases) => write!(f, "variant {{ {} }}", joined(cases)),
            Self::Enum(names) => write!(f, "enum {{ {} }}", joined(names)),
            Self::Flags(names) => write!(f, "flags {{ {} }}", joined(names)),
            Self::Result { ok: None, err: None } => f.write_str("result"),
            Self::Result { ok: Some(ok), err: None } => write!(f, "result<{ok}>"),
            Self::Result { ok, err } => write!(f, "result<{}, {}>", optional(ok), optional(err)),
            Self::Unknown => f.write_str("a JSON value"),
            // The scalars' names are those of the variants.
            scalar => f.write_str(&format!("{scalar:?}").to_lowercase()),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ty {
            Some(ty) => write!(f, "{}({ty})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

fn joined<T: fmt::Display>(parts: &[T]) -> String {
    parts.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_read_as_the_host_writes_them_and_shown_as_wit_does() {
        for (told, shown) in [
            (json!("f64"), "f64"),
            (json!({"list": {"option": "s8"}}), "list<option<s8>>"),
            (json!({"record": [{"name": "x", "type": "char"}]}), "record { x: char }"),
            (
                json!({"variant": [{"name": "a", "type": null}, {"name": "b", "type": "u64"}]}),
                "variant { a, b(u64) }",
            ),
            (json!({"tuple": ["string", {"enum": ["a", "b"]}]}), "tuple<string, enum { a, b }>"),
            (json!({"flags": ["a"]}), "flags { a }"),
            (json!({"map": {"key": "s8", "value": {"list": "f64"}}}), "map<s8, list<f64>>"),
            (json!({"result": {"ok": null, "err": "string"}}), "result<_, string>"),
            (json!({"result": {"ok": null, "err": null}}), "result"),
        ] {
            assert_eq!(serde_json::from_value::<Type>(told).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_type_from_the_future_is_taken_as_json() {
        #[derive(Deserialize)]
        struct Told(#[serde(deserialize_with = "lenient")] Type);
        let told: Told = serde_json::from_value(json!({"stream": "u8"})).unwrap();
        assert_eq!(told.0, Type::Unknown);
    }
}
