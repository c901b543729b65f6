//! Does a [`Value`] fit a [`Type`]? Then it becomes [`Typed`].
//!
//! Lenient where nothing can be lost (a tuple for a list, an int for a float that holds it) and strict
//! where something could (an int out of range, a float for an int, a misspelt field).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use num_traits::ToPrimitive;
use tarp_schema::names;

use super::exact;
use super::keys::{repeated_key, shown_key};
use super::signature::{Case, Field, Type};
use super::typed::{ListOf, Typed};
use crate::codec::base64::{BASE64, Engine as _};
use crate::codec::json;
use crate::codec::number::is_integer;
use crate::error::excerpt;
use crate::value::{Array, NUMBER, Numbers, PYTHON_2_STR, Value};

/// Why a value does not fit: where inside it, what was expected, and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// From the innermost step outwards: `[3]`, `.x`.
    path: Vec<String>,
    reason: String,
}

impl Mismatch {
    fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    fn expected(ty: &Type, value: &Value) -> Self {
        Self::new(format!("expected {ty}, got {}{}", shown(value), cure(ty, value)))
    }

    fn out_of_range(ty: &Type, shown: impl fmt::Display) -> Self {
        Self::new(format!("{} is out of the range of {ty}", excerpt(&shown.to_string())))
    }

    fn at(mut self, step: impl Into<String>) -> Self {
        self.path.push(step.into());
        self
    }

    /// The path inside the value, such as `[3].x`; empty for the value itself.
    pub fn path(&self) -> String {
        self.path.iter().rev().map(String::as_str).collect()
    }

    /// What was expected and what came.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "at {}: {}", self.path(), self.reason)
        }
    }
}

impl std::error::Error for Mismatch {}

/// What came, with the value itself where that is short.
fn shown(value: &Value) -> String {
    const MAX_LENGTH: usize = 40;
    let literal = match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::BigInt(n) if n.bits() <= 128 => n.to_string(),
        // With a point, by which a float differs from an integer.
        Value::Float(x) => format!("{x:?}"),
        Value::Float32(x) => format!("{x:?}"),
        Value::Text(text) if text.chars().count() <= MAX_LENGTH => format!("{text:?}"),
        Value::Named { text, .. } => excerpt(text).into_owned(),
        _ => return value.describe(),
    };
    format!("{} ({literal})", value.describe())
}

/// What its sender can do about a value that is near to what is wanted; empty where nobody knows.
fn cure(ty: &Type, value: &Value) -> Cow<'static, str> {
    let is_single = matches!(value, Value::List(items) | Value::Tuple(items) if items.len() == 1)
        || matches!(value, Value::Array(array) if array.numbers().len() == 1);
    let is_scalar =
        ty.is_number() || matches!(ty, Type::Bool | Type::Char | Type::String | Type::Enum(_));
    match (ty, value) {
        _ if is_scalar && is_single => {
            " with one item; send the item alone (in R's jsonlite: auto_unbox = TRUE)".into()
        }
        (Type::List(item), Value::Bytes(_)) if item.is_number() => {
            "; bytes are no numbers of that type, send the numbers as a list (numpy.frombuffer makes an array of bytes)".into()
        }
        (Type::String, Value::Bytes(_)) => "; decode them".into(),
        (Type::List(_), Value::Set(_)) => {
            "; a set has no order, send sorted(...) or list(...) of it".into()
        }
        (ty, Value::None) if ty.is_float() => {
            "; a gap is \"NaN\" in JSON and float(\"nan\") in Python".into()
        }
        (Type::List(_) | Type::Set(_) | Type::Flags(_) | Type::Map { .. }, Value::Text(text)) if text.is_empty() => {
            let empty = if matches!(ty, Type::Map { .. }) { "{}" } else { "[]" };
            format!("; the empty one is {empty}").into()
        }
        (Type::Variant(_) | Type::Result { .. }, Value::Map(entries)) => {
            format!(" with {} keys; it has one, the name of the case", entries.len()).into()
        }
        // In a query or a form it would have been JSON.
        (_, Value::Text(text)) if !is_scalar && text.trim_start().starts_with(['[', '{']) => {
            let fault = json::parse(text.as_bytes()).err();
            fault.map_or("".into(), |fault| format!("; it is not JSON: {fault}").into())
        }
        _ => "".into(),
    }
}

/// Fits `value` to `ty`.
///
/// # Errors
///
/// Says where inside the value, what was expected and what came.
pub fn check(value: Value, ty: &Type) -> Result<Typed, Mismatch> {
    let value = match (value, ty) {
        (Value::Named { class: PYTHON_2_STR, text }, Type::List(item)) if **item == Type::U8 => {
            Value::Bytes(Bytes::copy_from_slice(text.as_bytes()))
        }
        (Value::Named { class: PYTHON_2_STR, text }, _) => Value::Text(text),
        (value, _) => value,
    };
    match ty {
        Type::Bool => match value {
            Value::Bool(b) => Ok(Typed::Bool(b)),
            other => Err(Mismatch::expected(ty, &other)),
        },
        Type::S8 => integer(&value, ty).map(Typed::S8),
        Type::U8 => integer(&value, ty).map(Typed::U8),
        Type::S16 => integer(&value, ty).map(Typed::S16),
        Type::U16 => integer(&value, ty).map(Typed::U16),
        Type::S32 => integer(&value, ty).map(Typed::S32),
        Type::U32 => integer(&value, ty).map(Typed::U32),
        Type::S64 => integer(&value, ty).map(Typed::S64),
        Type::U64 => integer(&value, ty).map(Typed::U64),
        Type::F32 => single(&value, ty).map(Typed::F32),
        Type::F64 => float(&value, ty).map(Typed::F64),
        Type::Char => character(&value, ty),
        Type::String => match value {
            Value::Text(text) => Ok(Typed::String(text)),
            Value::Named { class, text } if class != NUMBER => Ok(Typed::String(text)),
            other => Err(Mismatch::expected(ty, &other)),
        },
        Type::List(item) => list(value, item, ty).map(Typed::List),
        Type::Set(item) => set(value, item, ty).map(Typed::List),
        Type::Map { key, value: item } => map(value, key, item, ty),
        Type::Tuple(types) => tuple(value, types, ty),
        Type::Record(fields) => record(value, fields, ty),
        Type::Variant(cases) => variant(value, cases, ty),
        Type::Enum(names) => match &value {
            Value::Text(name) => position(names.iter(), name)
                .map(Typed::Enum)
                .ok_or_else(|| unknown_name(name, names.iter())),
            _ => Err(Mismatch::expected(ty, &value)),
        },
        Type::Flags(names) => flags(value, names, ty),
        Type::Option(inner) => option(value, inner),
        Type::Result { ok, err } => result(value, ok.as_deref(), err.as_deref(), ty),
    }
}

/// An integer of `N`'s range, from an int or from decimal digits.
fn integer<N: TryFrom<i64> + TryFrom<u64>>(value: &Value, ty: &Type) -> Result<N, Mismatch> {
    let out_of_range = |shown: &dyn fmt::Display| Mismatch::out_of_range(ty, shown);
    match value {
        Value::Int(n) => N::try_from(*n).map_err(|_| out_of_range(n)),
        Value::BigInt(n) => n.to_u64().and_then(|n| N::try_from(n).ok()).ok_or_else(|| {
            if n.bits() <= 128 { out_of_range(n) } else { out_of_range(&"the integer") }
        }),
        Value::Named { class: NUMBER, text } if is_integer(text) => Err(out_of_range(text)),
        // JSON's way to carry 64 bits through programs whose only number is a double.
        Value::Text(digits) | Value::Named { class: PYTHON_2_STR, text: digits }
            if is_integer(digits) =>
        {
            let signed = digits.parse::<i64>().ok().map(N::try_from).and_then(Result::ok);
            let number = signed.or_else(|| digits.parse::<u64>().ok()?.try_into().ok());
            number.ok_or_else(|| out_of_range(digits))
        }
        other => Err(Mismatch::expected(ty, other)),
    }
}

fn float(value: &Value, ty: &Type) -> Result<f64, Mismatch> {
    let inexact = |shown: &dyn fmt::Display, nearest: Option<f64>| match nearest {
        Some(nearest) => Mismatch::new(format!(
            "{} is not exactly a {ty}; where the nearest, {nearest:?}, will do, send that (Python's float() makes it)",
            excerpt(&shown.to_string())
        )),
        None => Mismatch::out_of_range(ty, shown),
    };
    match value {
        Value::Float(x) => Ok(*x),
        Value::Float32(x) => Ok(f64::from(*x)),
        Value::Int(n) => exact::integer(*n).map_err(|nearest| inexact(n, Some(nearest))),
        Value::BigInt(n) => exact::big_integer(n).map_err(|nearest| {
            if n.bits() <= 128 { inexact(n, nearest) } else { inexact(&"the integer", nearest) }
        }),
        Value::Text(text) | Value::Named { class: PYTHON_2_STR, text } => {
            named_float(text).ok_or_else(|| Mismatch::expected(ty, value))
        }
        Value::Named { class: NUMBER, text } => Err(Mismatch::out_of_range(ty, text)),
        Value::Named { class: "decimal.Decimal", text } => exact::decimal(text)
            .ok_or_else(|| Mismatch::expected(ty, value))?
            .map_err(|nearest| inexact(text, nearest)),
        Value::Named { class: "fractions.Fraction", text } => exact::fraction(text)
            .ok_or_else(|| Mismatch::expected(ty, value))?
            .map_err(|nearest| inexact(text, nearest)),
        other => Err(Mismatch::expected(ty, other)),
    }
}

/// JSON has no literals for these, so they travel as strings.
fn named_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Rounds floats to single precision, as 0.1 must be; integers are held exactly, or refused, and so is
/// what would become infinite.
fn single(value: &Value, ty: &Type) -> Result<f32, Mismatch> {
    if let Value::Float32(x) = value {
        return Ok(*x);
    }
    let wide = float(value, ty)?;
    let narrow = wide as f32;
    let is_integer = matches!(value, Value::Int(_) | Value::BigInt(_));
    if narrow.is_infinite() && wide.is_finite() {
        return Err(Mismatch::out_of_range(ty, wide));
    }
    if is_integer && f64::from(narrow) != wide {
        return Err(Mismatch::new(format!(
            "{wide} is not exactly a {ty}; where the nearest, {narrow:?}, will do, send that"
        )));
    }
    Ok(narrow)
}

fn character(value: &Value, ty: &Type) -> Result<Typed, Mismatch> {
    if let Value::Text(text) = value {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Typed::Char(c));
        }
        return Err(Mismatch::new(format!(
            "expected {ty}, a string of exactly one character, got {}",
            shown(value)
        )));
    }
    Err(Mismatch::expected(ty, value))
}

fn list(value: Value, item: &Type, ty: &Type) -> Result<ListOf, Mismatch> {
    if *item == Type::U8 {
        match value {
            Value::Bytes(bytes) => return Ok(ListOf::Bytes(bytes)),
            Value::Text(text) => return Err(text_for_bytes(&text, ty)),
            other => {
                return numbers(other, item, ty).map(|numbers| match numbers {
                    Numbers::U8(bytes) => ListOf::Bytes(Bytes::from(bytes)),
                    other => ListOf::Numbers(other),
                });
            }
        }
    }
    if item.is_number() {
        return numbers(value, item, ty).map(ListOf::Numbers);
    }
    // A mapping is a list of pairs, where pairs are what is wanted.
    if let (Value::Map(entries), Type::Tuple(types)) = (&value, item)
        && let [_, _] = types.as_slice()
    {
        let pairs =
            entries.iter().map(|(key, value)| Value::Tuple(vec![key.clone(), value.clone()]));
        return items(pairs, item).map(ListOf::Items);
    }
    items(sequence(value, ty)?.into_iter(), item).map(ListOf::Items)
}

/// A set, from one or from a row of values. Those that come twice are left to the guest, whose set takes
/// them once.
fn set(value: Value, item: &Type, ty: &Type) -> Result<ListOf, Mismatch> {
    let value = match value {
        Value::Set(values) => Value::List(values),
        // A mapping is a row of pairs for a list alone: its keys would be meant as well.
        Value::Map(_) | Value::Bytes(_) => return Err(Mismatch::expected(ty, &value)),
        value => value,
    };
    list(value, item, ty)
}

/// A map, from a mapping or from pairs of keys and values; each key may come once.
fn map(value: Value, key_type: &Type, item: &Type, ty: &Type) -> Result<Typed, Mismatch> {
    let entries = match value {
        Value::Map(entries) => entries,
        other => pairs(other, ty)?,
    };
    let entries = entries.into_iter().map(|(key, value)| {
        let key = check(key, key_type)
            .map_err(|mismatch| Mismatch::new(format!("a key of {ty}: {}", mismatch.reason)))?;
        let value =
            check(value, item).map_err(|mismatch| mismatch.at(format!("[{}]", shown_key(&key))))?;
        Ok((key, value))
    });
    let entries: Vec<_> = entries.collect::<Result<_, _>>()?;
    match repeated_key(&entries) {
        Some(key) => {
            let key = shown_key(key);
            Err(Mismatch::new(format!("the key {key} comes twice, and each key of a map once")))
        }
        None => Ok(Typed::Map(entries)),
    }
}

fn pairs(value: Value, ty: &Type) -> Result<Vec<(Value, Value)>, Mismatch> {
    let rows = sequence(value, ty)?.into_iter().enumerate().map(|(i, row)| {
        let described = row.describe();
        let pair = match sequence(row, ty).map(<[Value; 2]>::try_from) {
            Ok(Ok(pair)) => Ok(pair),
            Ok(Err(values)) => Err(format!("{described} of {}", values.len())),
            Err(_) => Err(described),
        };
        match pair {
            Ok([key, value]) => Ok((key, value)),
            Err(got) => {
                let reason = format!("expected a pair, [key, value], for {ty}, got {got}");
                Err(Mismatch::new(reason).at(format!("[{i}]")))
            }
        }
    });
    rows.collect()
}

/// Only the notations that have no bytes write them as base64, and read that before values are checked.
fn text_for_bytes(text: &str, ty: &Type) -> Mismatch {
    let fault = BASE64.decode(text.as_bytes()).err();
    let fault = fault.map_or_else(String::new, |e| {
        let cure = if text.contains(['-', '_']) {
            "; the alphabet is the standard one, with + and /, not the URL-safe one"
        } else if text.contains(' ') {
            "; in a query or a form + means a space, so write %2B"
        } else {
            ""
        };
        format!(", and it is no base64: {e}{cure}")
    });
    let reason = format!(
        "expected {ty}, got a string; bytes are base64 in JSON, queries and forms, and bytes in Python (encode() the text, b64decode() base64){fault}"
    );
    Mismatch::new(reason)
}

fn items(values: impl Iterator<Item = Value>, item: &Type) -> Result<Vec<Typed>, Mismatch> {
    values
        .enumerate()
        .map(|(i, value)| check(value, item).map_err(|mismatch| mismatch.at(format!("[{i}]"))))
        .collect()
}

/// The values of anything that is a row of values.
fn sequence(value: Value, ty: &Type) -> Result<Vec<Value>, Mismatch> {
    match value {
        Value::List(values) | Value::Tuple(values) => Ok(values),
        Value::Array(array) if !array.shape().is_empty() => Ok(array.elements().collect()),
        other => Err(Mismatch::expected(ty, &other)),
    }
}

/// Numbers in one block: as they are if they have the right type, else converted one by one.
fn numbers(value: Value, item: &Type, ty: &Type) -> Result<Numbers, Mismatch> {
    let value = match value {
        Value::Array(array) if array.shape().len() == 1 => match packed(array, item) {
            Ok(numbers) => return Ok(numbers),
            Err(array) => Value::Array(array),
        },
        other => other,
    };
    macro_rules! convert {
        ($one:expr) => {
            Numbers::from(match value {
                Value::Array(array) if !array.shape().is_empty() => {
                    one_by_one(array.elements(), ty, $one)
                }
                Value::List(values) | Value::Tuple(values) => {
                    one_by_one(values.into_iter(), ty, $one)
                }
                other => Err(Mismatch::expected(ty, &other)),
            }?)
        };
    }
    Ok(match item {
        Type::S8 => convert!(|v| integer::<i8>(v, item)),
        Type::U8 => convert!(|v| integer::<u8>(v, item)),
        Type::S16 => convert!(|v| integer::<i16>(v, item)),
        Type::U16 => convert!(|v| integer::<u16>(v, item)),
        Type::S32 => convert!(|v| integer::<i32>(v, item)),
        Type::U32 => convert!(|v| integer::<u32>(v, item)),
        Type::S64 => convert!(|v| integer::<i64>(v, item)),
        Type::U64 => convert!(|v| integer::<u64>(v, item)),
        Type::F32 => convert!(|v| single(v, item)),
        _ => convert!(|v| float(v, item)),
    })
}

/// The conversions of whole blocks that lose nothing: the same type, or ints that doubles hold.
fn packed(array: Array, item: &Type) -> Result<Numbers, Array> {
    match (array.numbers(), item) {
        (Numbers::I8(_), Type::S8)
        | (Numbers::U8(_), Type::U8)
        | (Numbers::I16(_), Type::S16)
        | (Numbers::U16(_), Type::U16)
        | (Numbers::I32(_), Type::S32)
        | (Numbers::U32(_), Type::U32)
        | (Numbers::I64(_), Type::S64)
        | (Numbers::U64(_), Type::U64)
        | (Numbers::F32(_), Type::F32)
        | (Numbers::F64(_), Type::F64) => Ok(array.into_numbers()),
        (Numbers::I64(ints), Type::F64)
            if ints.iter().all(|n| n.unsigned_abs() <= exact::DENSE) =>
        {
            Ok(ints.iter().map(|&n| n as f64).collect::<Vec<_>>().into())
        }
        (Numbers::F32(floats), Type::F64) => {
            Ok(floats.iter().map(|&x| f64::from(x)).collect::<Vec<_>>().into())
        }
        _ => Err(array),
    }
}

fn one_by_one<N>(
    values: impl ExactSizeIterator<Item = Value>,
    ty: &Type,
    one: impl Fn(&Value) -> Result<N, Mismatch>,
) -> Result<Vec<N>, Mismatch> {
    let mut numbers = Vec::with_capacity(values.len());
    for (i, value) in values.enumerate() {
        // A matrix where a row was expected: say so once, not about its first row.
        if let Value::Array(row) = &value {
            return Err(Mismatch::new(format!(
                "expected {ty}, got an array of {} dimensions",
                row.shape().len() + 1
            )));
        }
        numbers.push(one(&value).map_err(|mismatch| mismatch.at(format!("[{i}]")))?);
    }
    Ok(numbers)
}

fn tuple(value: Value, types: &[Type], ty: &Type) -> Result<Typed, Mismatch> {
    let values = sequence(value, ty)?;
    if values.len() != types.len() {
        return Err(Mismatch::new(format!(
            "expected {ty}, which has {} items, got {}",
            types.len(),
            values.len()
        )));
    }
    let items =
        values.into_iter().zip(types).enumerate().map(|(i, (value, ty))| {
            check(value, ty).map_err(|mismatch| mismatch.at(format!("[{i}]")))
        });
    items.collect::<Result<_, _>>().map(Typed::Tuple)
}

fn record(value: Value, fields: &[Field], ty: &Type) -> Result<Typed, Mismatch> {
    let Value::Map(entries) = value else { return Err(Mismatch::expected(ty, &value)) };
    let mut slots: Vec<Option<Value>> = vec![None; fields.len()];
    for (key, value) in entries {
        let Value::Text(name) = &key else {
            return Err(Mismatch::new(format!(
                "a field's name is a string, not {}",
                key.describe()
            )));
        };
        let names = fields.iter().map(|field| &field.name);
        let Some(i) = position(names.clone(), name) else {
            let name = excerpt(name);
            return Err(Mismatch::new(format!("no field `{name}`; there are {}", listed(names))));
        };
        if slots[i as usize].replace(value).is_some() {
            let name = &fields[i as usize].name;
            return Err(Mismatch::new(format!("the field `{name}` came twice")));
        }
    }
    let values = fields.iter().zip(slots).map(|(field, slot)| match slot {
        Some(value) => {
            check(value, &field.ty).map_err(|mismatch| mismatch.at(format!(".{}", field.name)))
        }
        None if field.ty.may_be_absent() => Ok(Typed::Option(None)),
        None => Err(Mismatch::new(format!("the field `{}` ({}) is missing", field.name, field.ty))),
    });
    values.collect::<Result<_, _>>().map(Typed::Record)
}

fn variant(value: Value, cases: &[Case], ty: &Type) -> Result<Typed, Mismatch> {
    let (name, payload) = case_and_payload(value, ty)?;
    let names = cases.iter().map(|case| &case.name);
    let index = position(names.clone(), &name).ok_or_else(|| unknown_name(&name, names))?;
    let payload = match (&cases[index as usize].ty, payload) {
        (None, None | Some(Value::None)) => None,
        (None, Some(_)) => {
            return Err(Mismatch::new(format!("the case `{name}` carries no value")));
        }
        (Some(ty), None) => {
            return Err(Mismatch::new(format!(
                "the case `{name}` carries a {ty}: give {{\"{name}\": ...}}"
            )));
        }
        (Some(ty), Some(value)) => {
            Some(Box::new(check(value, ty).map_err(|mismatch| mismatch.at(format!(".{name}")))?))
        }
    };
    Ok(Typed::Variant(index, payload))
}

/// `"case"`, or a mapping of one key: `{"case": payload}`.
fn case_and_payload(value: Value, ty: &Type) -> Result<(Arc<str>, Option<Value>), Mismatch> {
    match value {
        Value::Text(name) => Ok((name, None)),
        Value::Map(mut entries) if entries.len() == 1 => match entries.remove(0) {
            (Value::Text(name), payload) => Ok((name, Some(payload))),
            (key, _) => {
                Err(Mismatch::new(format!("a case's name is a string, not {}", key.describe())))
            }
        },
        other => Err(Mismatch::expected(ty, &other)),
    }
}

fn flags(value: Value, names: &[Arc<str>], ty: &Type) -> Result<Typed, Mismatch> {
    let (Value::Set(set) | Value::List(set) | Value::Tuple(set)) = value else {
        return Err(Mismatch::expected(ty, &value));
    };
    let mut words = vec![0u32; names.len().div_ceil(32)];
    for flag in set {
        let (Value::Text(name) | Value::Named { class: PYTHON_2_STR, text: name }) = &flag else {
            return Err(Mismatch::new(format!("a flag is a string, not {}", flag.describe())));
        };
        let bit = position(names.iter(), name).ok_or_else(|| unknown_name(name, names.iter()))?;
        words[bit as usize / 32] |= 1 << (bit % 32);
    }
    Ok(Typed::Flags(words))
}

fn option(value: Value, inner: &Type) -> Result<Typed, Mismatch> {
    match value {
        Value::None => Ok(Typed::Option(None)),
        // The outer level of `option<option<T>>` needs a mark of its own, or None would mean both.
        Value::Map(mut entries)
            if inner.may_be_absent()
                && entries.len() == 1
                && entries[0].0 == Value::text("some") =>
        {
            let value =
                check(entries.remove(0).1, inner).map_err(|mismatch| mismatch.at(".some"))?;
            Ok(Typed::Option(Some(Box::new(value))))
        }
        value if inner.may_be_absent() => Err(Mismatch::new(format!(
            "expected None or {{\"some\": {inner}}}, got {}",
            shown(&value)
        ))),
        value => check(value, inner).map(|value| Typed::Option(Some(Box::new(value)))),
    }
}

fn result(
    value: Value,
    ok: Option<&Type>,
    err: Option<&Type>,
    ty: &Type,
) -> Result<Typed, Mismatch> {
    let (name, payload) = case_and_payload(value, ty)?;
    let side = match &*name {
        "ok" => ok,
        "err" => err,
        _ => {
            return Err(Mismatch::new(format!(
                "expected {{\"ok\": ...}} or {{\"err\": ...}}, got `{}`",
                excerpt(&name)
            )));
        }
    };
    let payload = match (side, payload) {
        (None, None | Some(Value::None)) => None,
        (None, Some(_)) => return Err(Mismatch::new(format!("`{name}` carries no value in {ty}"))),
        (Some(ty), payload) => {
            let value = check(payload.unwrap_or(Value::None), ty);
            Some(Box::new(value.map_err(|mismatch| mismatch.at(format!(".{name}")))?))
        }
    };
    Ok(Typed::Result(if &*name == "ok" { Ok(payload) } else { Err(payload) }))
}

/// Which of the names a caller means.
fn position<'a>(names: impl Iterator<Item = &'a Arc<str>> + Clone, name: &str) -> Option<u32> {
    names::position(name, names.map(|name| &**name)).and_then(|i| u32::try_from(i).ok())
}

fn unknown_name<'a>(name: &str, names: impl Iterator<Item = &'a Arc<str>>) -> Mismatch {
    Mismatch::new(format!("{:?} is none of {}", excerpt(name), listed(names)))
}

fn listed<'a>(names: impl Iterator<Item = &'a Arc<str>>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
