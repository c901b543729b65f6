//! Arguments that arrive as text, in a query string, a form or a plain-text body, read by their type;
//! and files, which some forms have beside their text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use tarp_schema::names;

use super::base64::{BASE64, Engine as _};
use super::json::{self, Items};
use super::number;
use super::types::{Arguments, Case, Signature, Type, check};
use crate::error::{CallError, ErrorKind};
use crate::value::Value;

/// What a form has under a name.
#[derive(Debug)]
pub enum Item<'a> {
    /// Text, to be read by its type.
    Text(Cow<'a, str>),
    /// The content of a file, taken as bytes or as text.
    File(Bytes),
    /// What was JSON.
    Json(Value),
}

/// The arguments of pairs as a query string or a form has them.
///
/// A name that comes several times makes a list. A name that is no parameter stays text, for the
/// binding to refuse by name.
///
/// # Errors
///
/// [`ErrorKind::BadArguments`] for a parameter that takes one value and has several, or for a file that is no
/// text where text is wanted; [`ErrorKind::UnsupportedMediaType`] for a file where no type takes one.
pub fn arguments<'a>(
    pairs: impl IntoIterator<Item = (Cow<'a, str>, Item<'a>)>,
    signature: &Signature,
) -> Result<Arguments, CallError> {
    let mut grouped: Vec<(Cow<'a, str>, Vec<Item<'a>>)> = Vec::new();
    let mut indices: HashMap<Cow<'a, str>, usize> = HashMap::new();
    for (name, item) in pairs {
        match indices.entry(name.clone()) {
            Entry::Occupied(entry) => grouped[*entry.get()].1.push(item),
            Entry::Vacant(entry) => {
                entry.insert(grouped.len());
                grouped.push((name, vec![item]));
            }
        }
    }
    let named = grouped.into_iter().map(|(name, items)| {
        let ty = signature.parameter(&name).map(|parameter| &parameter.ty);
        let value = match ty {
            Some(ty) => values(items, ty).map_err(|error| error.of(&name, ty))?,
            None => Value::None,
        };
        Ok((Arc::from(name), value))
    });
    Ok(Arguments { positional: Vec::new(), named: named.collect::<Result<_, CallError>>()? })
}

/// At least how many bytes are made of a text that is read by its type: nothing but another text, unless
/// it is JSON.
#[must_use]
pub fn memory(text: &[u8]) -> usize {
    let is_structured = matches!(text.trim_ascii_start(), [b'[' | b'{', ..]);
    if is_structured { 2 * text.len() + json::memory(text) } else { 2 * text.len() }
}

/// At least how many bytes are made of a form or a query with so many pairs: each is a name and a text, is
/// looked for by its name, and becomes an argument or a part of one. What is JSON in it comes on top.
#[must_use]
pub fn form_memory(encoded: &[u8]) -> usize {
    const PAIR: usize = 1 << 10;
    let pairs = 1 + encoded.iter().filter(|byte| **byte == b'&').count();
    PAIR * pairs + 3 * encoded.len()
}

/// Why what came for a parameter is not read.
struct Refused(ErrorKind, String);

impl Refused {
    fn of(self, name: &str, ty: &Type) -> CallError {
        let Self(kind, reason) = self;
        CallError::new(kind, format!("the argument `{name}` ({ty}): {reason}"))
    }
}

/// One or several items for one parameter.
fn values(mut items: Vec<Item>, ty: &Type) -> Result<Value, Refused> {
    match ty {
        Type::Option(inner) if items.len() > 1 => values(items, inner),
        Type::List(item) | Type::Set(item) if items.len() > 1 && **item != Type::U8 => {
            collected(items.into_iter().map(|one| single(one, item)))
        }
        Type::Flags(_) if items.len() > 1 => {
            let flags = items.into_iter().map(|one| single(one, &Type::String));
            Ok(Value::List(flags.collect::<Result<_, _>>()?))
        }
        ty => match (items.pop(), items.len()) {
            (Some(item), 0) => single(item, ty),
            (_, before) => {
                let reason = format!("it came {} times, and takes one value", before + 1);
                Err(Refused(ErrorKind::BadArguments, reason))
            }
        },
    }
}

fn single(item: Item, ty: &Type) -> Result<Value, Refused> {
    match item {
        Item::Text(text) => Ok(value(&text, ty)),
        Item::Json(value) => Ok(json::typed(value, ty)),
        Item::File(bytes) => file(bytes, ty),
    }
}

/// Whether a file is taken for this type, or for the items of this type.
pub fn takes_file(ty: &Type) -> bool {
    match ty {
        Type::String => true,
        Type::List(item) => **item == Type::U8 || takes_file(item),
        Type::Option(inner) => takes_file(inner),
        _ => false,
    }
}

fn file(bytes: Bytes, ty: &Type) -> Result<Value, Refused> {
    match ty {
        Type::List(item) if **item == Type::U8 => Ok(Value::Bytes(bytes)),
        Type::List(item) => Ok(Value::List(vec![file(bytes, item)?])),
        Type::Option(inner) => file(bytes, inner),
        Type::String => match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(Value::text(text.strip_prefix('\u{feff}').unwrap_or(text))),
            Err(e) => Err(Refused(ErrorKind::BadArguments, format!("the file is not UTF-8: {e}"))),
        },
        _ => {
            let reason =
                "a file is taken for list<u8> and string; send this as a field, or as JSON";
            Err(Refused(ErrorKind::UnsupportedMediaType, reason.into()))
        }
    }
}

/// One text, read as what its type makes of it; text that cannot be that stays text, and the check
/// says what was expected.
pub fn value(text: &str, ty: &Type) -> Value {
    let as_text = || Value::text(text);
    match ty {
        Type::String | Type::Char | Type::Enum(_) => as_text(),
        Type::Bool => match text {
            "true" | "True" | "1" => Value::Bool(true),
            "false" | "False" | "0" => Value::Bool(false),
            _ => as_text(),
        },
        Type::Option(inner) if inner.may_be_absent() => parsed(text, ty).unwrap_or_else(as_text),
        Type::Option(inner) => match text {
            "" | "null" | "None" if !is_value(text, inner) => Value::None,
            _ => value(text, inner),
        },
        Type::List(item) | Type::Set(item) => list(text, item, ty),
        Type::Flags(_) if !is_array(text) => Value::List(vec![as_text()]),
        ty if ty.is_number() => {
            let text = text.trim();
            number::read(text).map_or_else(|| Value::text(text), |number| json::typed(number, ty))
        }
        _ => parsed(text, ty).unwrap_or_else(as_text),
    }
}

fn list(text: &str, item: &Type, ty: &Type) -> Value {
    let as_text = || Value::text(text);
    if *item == Type::U8 && !is_array(text) {
        return BASE64.decode(text).map_or_else(|_| as_text(), |bytes| Value::Bytes(bytes.into()));
    }
    if is_array(text) {
        let all = || parsed(text, ty).unwrap_or_else(as_text);
        let array = all();
        if !matches!(item, Type::List(_) | Type::Tuple(_)) || fits(&array, ty) {
            return array;
        }
        // Not held meanwhile: what it becomes as an item is as large, at each depth.
        drop(array);
        // One row of a matrix is an array, too, and so is one of a cube.
        let only = Value::List(vec![value(text, item)]);
        return if fits(&only, ty) { only } else { all() };
    }
    match item {
        // `1,2,3` is how a person types a list of numbers into an address bar.
        item if item.is_number() && !text.is_empty() => {
            let mut items = Items::None;
            text.split(',').for_each(|text| items.push(value(text.trim(), item)));
            items.finish()
        }
        item if item.is_number() => as_text(),
        Type::Tuple(_) if text.trim_start().starts_with('{') => {
            parsed(text, ty).unwrap_or_else(as_text)
        }
        item => Value::List(vec![value(text, item)]),
    }
}

fn is_array(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

fn fits(value: &Value, ty: &Type) -> bool {
    check(value.clone(), ty).is_ok()
}

/// Whether the text, which stands for none elsewhere, is a value of this type itself: somebody may be
/// called `null`.
fn is_value(text: &str, ty: &Type) -> bool {
    match ty {
        Type::String => true,
        Type::Enum(names) | Type::Flags(names) => {
            names::position(text, names.iter().map(|name| &**name)).is_some()
        }
        Type::Variant(cases) => Case::find(cases, text).is_some(),
        Type::List(item) if **item == Type::U8 => true,
        Type::List(item) | Type::Set(item) => is_value(text, item),
        _ => false,
    }
}

fn parsed(text: &str, ty: &Type) -> Option<Value> {
    json::parse(text.as_bytes()).ok().map(|value| json::typed(value, ty))
}

/// A list, as one block where all are numbers of one kind.
fn collected(values: impl Iterator<Item = Result<Value, Refused>>) -> Result<Value, Refused> {
    let mut items = Items::None;
    for value in values {
        items.push(value?);
    }
    Ok(items.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Array;

    fn list_of(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    #[test]
    fn the_type_decides_what_a_text_is() {
        let optional = Type::Option(Box::new(Type::S32));
        let optional_text = Type::Option(Box::new(Type::String));
        let ints = || Value::Array(Array::row(vec![1i64, 2]));
        for (text, ty, expected) in [
            ("1", Type::String, Value::text("1")),
            ("1", Type::S64, Value::Int(1)),
            ("18446744073709551615", Type::U64, Value::from(u64::MAX)),
            ("1", Type::F64, Value::Float(1.0)),
            ("1e3", Type::F64, Value::Float(1000.0)),
            ("true", Type::Bool, Value::Bool(true)),
            ("", optional.clone(), Value::None),
            ("7", optional, Value::Int(7)),
            ("[1, 2]", list_of(Type::S32), Value::Array(Array::row(vec![1i64, 2]))),
            ("1.5, 2.5", list_of(Type::F64), Value::Array(Array::row(vec![1.5, 2.5]))),
            ("aGk=", list_of(Type::U8), Value::Bytes("hi".into())),
            ("no base64", list_of(Type::U8), Value::text("no base64")),
            (r#"["a"]"#, list_of(Type::String), Value::List(vec![Value::text("a")])),
            ("not json", list_of(Type::String), Value::List(vec![Value::text("not json")])),
            ("[not json", list_of(Type::String), Value::text("[not json")),
            ("null", optional_text.clone(), Value::text("null")),
            ("", optional_text, Value::text("")),
            ("1,2", list_of(list_of(Type::S32)), Value::List(vec![ints()])),
            ("[1,2]", list_of(list_of(Type::S32)), Value::List(vec![ints()])),
            ("[[1,2]]", list_of(list_of(Type::S32)), Value::List(vec![ints()])),
            ("[]", list_of(list_of(Type::S32)), Value::List(Vec::new())),
            (
                "[1,2]",
                list_of(list_of(list_of(Type::S32))),
                Value::List(vec![Value::List(vec![ints()])]),
            ),
            (
                "[[1,2]]",
                list_of(list_of(list_of(Type::S32))),
                Value::List(vec![Value::List(vec![ints()])]),
            ),
            ("noisy", Type::Flags(vec!["noisy".into()]), Value::List(vec![Value::text("noisy")])),
        ] {
            assert_eq!(value(text, &ty), expected, "{text:?} as {ty}");
        }
    }
}
