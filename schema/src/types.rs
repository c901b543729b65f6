//! What a procedure takes and returns: [`Signature`], [`Parameter`] and [`Type`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::names;

/// How deep a type may lie in itself: whoever reads or writes its values goes down into each.
pub const MAX_DEPTH: usize = 100;

/// How many arrays and objects of a type's JSON may lie in one another. Readers of JSON commonly stop at
/// 128, serde_json among them; the listing around a type takes its part of that.
pub const MAX_JSON_DEPTH: usize = 120;

/// A callable type of the component model.
///
/// Names are those that callers see: the author's, where the component has them, or else WIT's in
/// snake_case. Resources, streams and futures have no place here: a procedure that uses them is not
/// callable.
///
/// It serialises as its name (`"f64"`), or as a mapping from its name to its parts (`{"list": "f64"}`,
/// `{"record": [{"name": "x", "type": "f64"}]}`, `{"map": {"key": "string", "value": "f64"}}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    List(Box<Self>),
    /// Items that have no order and are all different; see [`Type::is_member`]. WIT has no such type: it is
    /// a list there.
    Set(Box<Self>),
    /// Entries whose keys are all different; see [`Type::is_key`].
    Map {
        key: Box<Self>,
        value: Box<Self>,
    },
    Tuple(Vec<Self>),
    Record(Vec<Field>),
    Variant(Vec<Case>),
    Enum(Vec<Arc<str>>),
    Flags(Vec<Arc<str>>),
    Option(Box<Self>),
    Result {
        ok: Option<Box<Self>>,
        err: Option<Box<Self>>,
    },
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, as callers see it.
    pub name: Arc<str>,
    /// What it holds.
    #[serde(rename = "type")]
    pub ty: Type,
}

/// A case of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its name, as callers see it.
    pub name: Arc<str>,
    /// What it carries, if anything.
    #[serde(rename = "type")]
    pub ty: Option<Type>,
}

/// A parameter of a procedure, with a default of `D`, and a type that its reader may know as `T`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de>, T: Deserialize<'de>"))]
pub struct Parameter<D, T = Type> {
    /// Its name, as callers see it.
    pub name: Arc<str>,
    /// What it takes.
    #[serde(rename = "type")]
    pub ty: T,
    /// What it is where the caller leaves it out; fits its type.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub default: Option<D>,
}

/// A default of `null` is one, too.
fn present<'de, D: Deserialize<'de>, F: Deserializer<'de>>(from: F) -> Result<Option<D>, F::Error> {
    D::deserialize(from).map(Some)
}

/// What a procedure takes and returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature<D> {
    /// In the order of their positions.
    pub parameters: Vec<Parameter<D>>,
    /// `None` for a procedure that returns nothing.
    pub result: Option<Type>,
    /// Whether WIT declares it as `async func`.
    pub is_async: bool,
}

impl<D> Signature<D> {
    /// The position of the parameter that a caller calls so; see [`names::position`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        names::position(name, self.parameters.iter().map(|parameter| &*parameter.name))
    }

    /// The parameter that a caller calls so.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter<D>> {
        self.position(name).map(|position| &self.parameters[position])
    }
}

impl Field {
    /// The field that a caller calls so; see [`names::position`].
    #[must_use]
    pub fn find<'a>(fields: &'a [Self], name: &str) -> Option<&'a Self> {
        names::position(name, fields.iter().map(|field| &*field.name)).map(|i| &fields[i])
    }
}

impl Case {
    /// The case that a caller calls so; see [`names::position`].
    #[must_use]
    pub fn find<'a>(cases: &'a [Self], name: &str) -> Option<&'a Self> {
        names::position(name, cases.iter().map(|case| &*case.name)).map(|i| &cases[i])
    }
}

impl<D> Parameter<D> {
    /// Whether a caller may leave it out.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.default.is_some() || self.ty.may_be_absent()
    }
}

impl Type {
    /// Whether its values are whole numbers.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        use Type::{S8, S16, S32, S64, U8, U16, U32, U64};
        matches!(self, S8 | S16 | S32 | S64 | U8 | U16 | U32 | U64)
    }

    /// Whether its values are numbers with a fraction.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// Whether lists of it are packed numbers.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.is_integer() || self.is_float()
    }

    /// Whether it is bytes, which are base64 in JSON.
    #[must_use]
    pub fn is_bytes(&self) -> bool {
        matches!(self, Self::List(item) if **item == Self::U8)
    }

    /// Whether the component model lets keys of a map have this type.
    #[must_use]
    pub fn is_key(&self) -> bool {
        self.is_integer() || matches!(self, Self::Bool | Self::Char | Self::String)
    }

    /// Whether a set can have items of this type: those of which Python makes what a `set` can have.
    #[must_use]
    pub fn is_member(&self) -> bool {
        match self {
            Self::Tuple(types) => types.iter().all(Self::is_member),
            Self::Option(inner) => !inner.may_be_absent() && inner.is_member(),
            Self::Enum(_) => true,
            ty => ty.is_number() || ty.is_key(),
        }
    }

    /// The type of its items, where it is a list or a set.
    #[must_use]
    pub fn items(&self) -> Option<&Self> {
        match self {
            Self::List(item) | Self::Set(item) => Some(item),
            _ => None,
        }
    }

    /// The same type with a list in place of each set, whose items are written as those of a list.
    #[must_use]
    pub fn with_lists(&self) -> Self {
        let boxed = |ty: &Self| Box::new(ty.with_lists());
        match self {
            Self::List(item) | Self::Set(item) => Self::List(boxed(item)),
            Self::Option(inner) => Self::Option(boxed(inner)),
            Self::Map { key, value } => Self::Map { key: key.clone(), value: boxed(value) },
            Self::Tuple(types) => Self::Tuple(types.iter().map(Self::with_lists).collect()),
            Self::Record(fields) => {
                let field = |Field { name, ty }: &Field| Field {
                    name: Arc::clone(name),
                    ty: ty.with_lists(),
                };
                Self::Record(fields.iter().map(field).collect())
            }
            Self::Variant(cases) => {
                let case = |Case { name, ty }: &Case| Case {
                    name: Arc::clone(name),
                    ty: ty.as_ref().map(Self::with_lists),
                };
                Self::Variant(cases.iter().map(case).collect())
            }
            Self::Result { ok, err } => {
                Self::Result { ok: ok.as_deref().map(boxed), err: err.as_deref().map(boxed) }
            }
            ty => ty.clone(),
        }
    }

    /// Whether an argument or field of this type may be left out.
    #[must_use]
    pub fn may_be_absent(&self) -> bool {
        matches!(self, Self::Option(_))
    }

    /// The smallest and the largest integer; `(0, -1)` for other types, which have none.
    #[must_use]
    pub fn range(&self) -> (i128, i128) {
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

    /// The type inside any options around it.
    #[must_use]
    pub fn present(&self) -> &Self {
        match self {
            Self::Option(inner) => inner.present(),
            ty => ty,
        }
    }

    /// How deep it is in lists, and of what: `(2, f64)` for a list of lists of `f64`.
    #[must_use]
    pub fn lists(&self) -> (usize, &Self) {
        match self {
            Self::List(item) => {
                let (depth, element) = item.lists();
                (depth + 1, element)
            }
            ty => (0, ty),
        }
    }

    /// How many arrays and objects lie in one another in its JSON: 0 for `"f64"`, 1 for
    /// `{"list": "f64"}`.
    #[must_use]
    pub fn json_depth(&self) -> usize {
        /// Of a part, where there is one.
        fn depth<'a>(parts: impl Iterator<Item = &'a Type>) -> usize {
            parts.map(Type::json_depth).max().unwrap_or(0)
        }
        match self {
            Self::List(inner) | Self::Set(inner) | Self::Option(inner) => 1 + inner.json_depth(),
            Self::Map { key, value } => 2 + depth([&**key, &**value].into_iter()),
            Self::Tuple(types) => 2 + depth(types.iter()),
            Self::Record(fields) if fields.is_empty() => 2,
            Self::Record(fields) => 3 + depth(fields.iter().map(|field| &field.ty)),
            Self::Variant(cases) if cases.is_empty() => 2,
            Self::Variant(cases) => 3 + depth(cases.iter().filter_map(|case| case.ty.as_ref())),
            Self::Enum(_) | Self::Flags(_) => 2,
            Self::Result { ok, err } => 2 + depth([ok, err].into_iter().flatten().map(|ty| &**ty)),
            Self::Bool
            | Self::S8
            | Self::U8
            | Self::S16
            | Self::U16
            | Self::S32
            | Self::U32
            | Self::S64
            | Self::U64
            | Self::F32
            | Self::F64
            | Self::Char
            | Self::String => 0,
        }
    }
}

impl fmt::Display for Type {
    /// As WIT spells it; records and variants, which have no name here, with their parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optional =
            |ty: &Option<Box<Self>>| ty.as_deref().map_or_else(|| "_".into(), Self::to_string);
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
            Self::Set(item) => write!(f, "set<{item}>"),
            Self::Map { key, value } => write!(f, "map<{key}, {value}>"),
            Self::Tuple(types) => write!(f, "tuple<{}>", joined(types)),
            Self::Record(fields) => write!(f, "record {{ {} }}", joined(fields)),
            Self::Variant(cases) => write!(f, "variant {{ {} }}", joined(cases)),
            Self::Enum(names) => write!(f, "enum {{ {} }}", joined(names)),
            Self::Flags(names) => write!(f, "flags {{ {} }}", joined(names)),
            Self::Option(inner) => write!(f, "option<{inner}>"),
            Self::Result { ok: None, err: None } => f.write_str("result"),
            Self::Result { ok: Some(ok), err: None } => write!(f, "result<{ok}>"),
            Self::Result { ok, err } => write!(f, "result<{}, {}>", optional(ok), optional(err)),
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

impl<D: fmt::Display, T: fmt::Display> fmt::Display for Parameter<D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.ty)?;
        self.default.as_ref().map_or(Ok(()), |default| write!(f, " = {default}"))
    }
}

impl<D: fmt::Display> fmt::Display for Signature<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", joined(&self.parameters))?;
        self.result.as_ref().map_or(Ok(()), |ty| write!(f, " -> {ty}"))
    }
}

fn joined<T: fmt::Display>(parts: &[T]) -> String {
    parts.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Every type with its JSON, and as WIT spells it.
    fn types() -> Vec<(Value, &'static str)> {
        vec![
            (json!("f64"), "f64"),
            (json!({"list": {"option": "s8"}}), "list<option<s8>>"),
            (json!({"record": [{"name": "x", "type": "char"}]}), "record { x: char }"),
            (json!({"record": []}), "record {  }"),
            (
                json!({"variant": [{"name": "a", "type": null}, {"name": "b", "type": "u64"}]}),
                "variant { a, b(u64) }",
            ),
            (json!({"tuple": ["string", {"enum": ["a", "b"]}]}), "tuple<string, enum { a, b }>"),
            (json!({"flags": ["a"]}), "flags { a }"),
            (json!({"set": {"tuple": ["char"]}}), "set<tuple<char>>"),
            (json!({"map": {"key": "s8", "value": {"list": "f64"}}}), "map<s8, list<f64>>"),
            (json!({"result": {"ok": null, "err": "string"}}), "result<_, string>"),
            (json!({"result": {"ok": {"list": "bool"}, "err": null}}), "result<list<bool>>"),
            (json!({"result": {"ok": null, "err": null}}), "result"),
        ]
    }

    #[test]
    fn types_are_read_as_they_are_written_and_shown_as_wit_does() {
        for (told, shown) in types() {
            let ty: Type = serde_json::from_value(told.clone()).unwrap();
            assert_eq!(ty.to_string(), shown);
            assert_eq!(serde_json::to_value(&ty).unwrap(), told);
        }
        assert!(serde_json::from_value::<Type>(json!({"stream": "u8"})).is_err());
    }

    #[test]
    fn the_depth_of_a_type_is_that_of_its_json() {
        fn depth(value: &Value) -> usize {
            match value {
                Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
                Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
                _ => 0,
            }
        }
        for (told, shown) in types() {
            let ty: Type = serde_json::from_value(told.clone()).unwrap();
            assert_eq!(ty.json_depth(), depth(&told), "{shown}");
        }
    }

    #[test]
    fn the_deepest_type_is_read_within_the_listing() {
        let nested = |depth: usize| {
            let field = |ty| Type::Record(vec![Field { name: "a".into(), ty }]);
            (0..depth).fold(Type::U8, |ty, _| field(ty))
        };
        let listing =
            |ty: &Type| json!({"procedures": [{"parameters": [{"type": ty}]}]}).to_string();
        let deepest = nested(MAX_JSON_DEPTH / 3);
        assert_eq!(deepest.json_depth(), MAX_JSON_DEPTH);
        let read: Value = serde_json::from_str(&listing(&deepest)).unwrap();
        let ty = &read["procedures"][0]["parameters"][0]["type"];
        assert_eq!(serde_json::from_value::<Type>(ty.clone()).unwrap(), deepest);
        assert!(serde_json::from_str::<Value>(&listing(&nested(MAX_JSON_DEPTH / 3 + 1))).is_err());
    }

    #[test]
    fn signatures_read_like_wit() {
        let parameter = |name: &str, ty, default| Parameter { name: name.into(), ty, default };
        let case = |name: &str, ty| Case { name: name.into(), ty };
        let signature = Signature {
            parameters: vec![
                parameter("values", Type::List(Box::new(Type::F64)), None),
                parameter(
                    "shape",
                    Type::Variant(vec![case("dot", None), case("disc", Some(Type::F32))]),
                    Some(json!("dot")),
                ),
                parameter(
                    "sizes",
                    Type::Map { key: Box::new(Type::U8), value: Box::new(Type::F64) },
                    None,
                ),
            ],
            result: Some(Type::Result { ok: None, err: Some(Box::new(Type::String)) }),
            is_async: false,
        };
        assert_eq!(
            signature.to_string(),
            "(values: list<f64>, shape: variant { dot, disc(f32) } = \"dot\", sizes: map<u8, f64>) -> result<_, string>"
        );
        let told = json!([
            {"name": "values", "type": {"list": "f64"}},
            {"name": "shape", "type": {"variant": [
                {"name": "dot", "type": null}, {"name": "disc", "type": "f32"}
            ]}, "default": "dot"},
            {"name": "sizes", "type": {"map": {"key": "u8", "value": "f64"}}},
        ]);
        assert_eq!(serde_json::to_value(&signature.parameters).unwrap(), told);
        let read: Vec<Parameter<Value>> = serde_json::from_value(told).unwrap();
        assert_eq!(read, signature.parameters);
    }

    #[test]
    fn a_default_of_null_is_no_missing_one() {
        let read = |told| serde_json::from_value::<Parameter<Value>>(told).unwrap();
        let ty = json!({"option": "u8"});
        assert_eq!(
            read(json!({"name": "n", "type": ty, "default": null})).default,
            Some(json!(null))
        );
        assert_eq!(read(json!({"name": "n", "type": ty})).default, None);
    }

    #[test]
    fn a_set_has_what_python_can_put_into_one() {
        let enumeration = || Type::Enum(vec!["a".into()]);
        let option = |ty| Type::Option(Box::new(ty));
        for ty in [
            Type::F64,
            Type::String,
            enumeration(),
            Type::Tuple(vec![Type::Bool, option(enumeration())]),
        ] {
            assert!(ty.is_member(), "{ty}");
        }
        for ty in [
            Type::List(Box::new(Type::U8)),
            Type::Record(vec![]),
            Type::Flags(vec!["a".into()]),
            option(option(Type::Bool)),
            Type::Tuple(vec![Type::Set(Box::new(Type::U8))]),
        ] {
            assert!(!ty.is_member(), "{ty}");
        }
    }

    #[test]
    fn sets_are_written_as_lists() {
        let set = |ty| Type::Set(Box::new(ty));
        let ty = Type::Tuple(vec![
            set(Type::U8),
            Type::Option(Box::new(set(set(Type::Bool)))),
            Type::Record(vec![Field { name: "a".into(), ty: set(Type::Char) }]),
            Type::Variant(vec![Case { name: "a".into(), ty: Some(set(Type::Char)) }]),
            Type::Map { key: Box::new(Type::U8), value: Box::new(set(Type::U8)) },
            Type::Result { ok: Some(Box::new(set(Type::U8))), err: None },
        ]);
        assert_eq!(ty.with_lists().to_string(), ty.to_string().replace("set<", "list<"));
    }

    #[test]
    fn keys_are_what_has_an_order_and_is_short() {
        for ty in [Type::Bool, Type::S8, Type::U64, Type::Char, Type::String] {
            assert!(ty.is_key(), "{ty}");
        }
        for ty in [Type::F32, Type::F64, Type::Enum(vec!["a".into()]), Type::Tuple(vec![])] {
            assert!(!ty.is_key(), "{ty}");
        }
    }
}
