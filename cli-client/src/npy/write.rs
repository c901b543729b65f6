//! A JSON value as an array's file.

use serde_json::Value;

use super::header::Header;
use crate::types::Type;

/// Writes numbers, or lists of them that are all of one length, as the type of their elements; where
/// that is not known, as 64-bit integers or else floats.
pub(crate) fn write(value: &Value, element: Option<&Type>) -> Result<Vec<u8>, WriteError> {
    let mut shape = Vec::new();
    let mut first = value;
    while let Value::Array(items) = first {
        shape.push(items.len());
        first = items.first().unwrap_or(&Value::Null);
    }
    let mut elements = Vec::new();
    collect(value, &shape, &mut elements)?;
    let element = element.filter(|ty| ty.is_number() || **ty == Type::Bool).cloned();
    let element = element.unwrap_or_else(|| guessed(&elements));
    let (dtype, encode) = encoder(&element);
    let mut file = Header { dtype: dtype.into(), is_fortran: false, shape }.write();
    for value in elements {
        encode(value, &mut file)
            .ok_or_else(|| WriteError::Element { value: value.clone(), ty: element.clone() })?;
    }
    Ok(file)
}

/// Why a value is no array.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("its rows are not all of one length")]
    Rows,
    #[error("{value} is no {ty}")]
    Element { value: Value, ty: Type },
}

/// Bytes as an array of `uint8`.
pub(crate) fn of_bytes(bytes: &[u8]) -> Vec<u8> {
    let header = Header { dtype: "|u1".into(), is_fortran: false, shape: vec![bytes.len()] };
    [header.write().as_slice(), bytes].concat()
}

fn collect<'a>(
    value: &'a Value,
    shape: &[usize],
    elements: &mut Vec<&'a Value>,
) -> Result<(), WriteError> {
    match (value, shape.split_first()) {
        (Value::Array(items), Some((length, rest))) if items.len() == *length => {
            items.iter().try_for_each(|item| collect(item, rest, elements))
        }
        (Value::Array(_), _) | (_, Some(_)) => Err(WriteError::Rows),
        (value, None) => {
            elements.push(value);
            Ok(())
        }
    }
}

fn guessed(elements: &[&Value]) -> Type {
    let all = |check: fn(&Value) -> bool| !elements.is_empty() && elements.iter().all(|e| check(e));
    if all(Value::is_boolean) {
        Type::Bool
    } else if all(Value::is_i64) {
        Type::S64
    } else if all(Value::is_u64) {
        Type::U64
    } else {
        Type::F64
    }
}

type Encode = fn(&Value, &mut Vec<u8>) -> Option<()>;

/// The name of a type in NumPy, and what writes an element of it.
fn encoder(ty: &Type) -> (&'static str, Encode) {
    macro_rules! integer {
        ($ty:ty) => {
            |value, file| {
                let n =
                    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))?;
                file.extend(<$ty>::try_from(n).ok()?.to_le_bytes());
                Some(())
            }
        };
    }
    match ty {
        Type::Bool => ("|b1", |value, file| {
            file.push(value.as_bool()?.into());
            Some(())
        }),
        Type::S8 => ("|i1", integer!(i8)),
        Type::U8 => ("|u1", integer!(u8)),
        Type::S16 => ("<i2", integer!(i16)),
        Type::U16 => ("<u2", integer!(u16)),
        Type::S32 => ("<i4", integer!(i32)),
        Type::U32 => ("<u4", integer!(u32)),
        Type::S64 => ("<i8", integer!(i64)),
        Type::U64 => ("<u8", integer!(u64)),
        Type::F32 => ("<f4", |value, file| {
            file.extend((float(value)? as f32).to_le_bytes());
            Some(())
        }),
        _ => ("<f8", |value, file| {
            file.extend(float(value)?.to_le_bytes());
            Some(())
        }),
    }
}

/// A missing number of `option<f64>` is what NumPy has for it.
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Null => Some(f64::NAN),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        value => value.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::npy::read;

    #[test]
    fn what_is_written_is_read_the_same() {
        for (value, told, back) in [
            (json!([1, 2]), json!("u8"), json!({"list": "u8"})),
            (
                json!([[1.5, "NaN"], ["-Infinity", 2.0]]),
                json!("f64"),
                json!({"list": {"list": "f64"}}),
            ),
            (json!([0.5]), json!("f32"), json!({"list": "f32"})),
            (json!([u64::MAX]), json!("u64"), json!({"list": "u64"})),
            (json!([true]), json!("bool"), json!({"list": "bool"})),
            (json!([]), json!("f64"), json!({"list": "f64"})),
        ] {
            let element: Type = serde_json::from_value(told).unwrap();
            let file = write(&value, Some(&element)).unwrap();
            let back: Type = serde_json::from_value(back).unwrap();
            assert_eq!(read(&file).unwrap().for_type(&back), Ok(value));
        }
    }

    #[test]
    fn what_is_no_array_is_refused() {
        assert!(write(&json!([[1], [2, 3]]), None).unwrap_err().to_string().contains("one length"));
        assert!(write(&json!([1, [2]]), None).is_err());
        assert!(write(&json!(["a"]), None).unwrap_err().to_string().contains("\"a\""));
        assert!(write(&json!([300]), Some(&Type::U8)).unwrap_err().to_string().contains("no u8"));
    }
}
