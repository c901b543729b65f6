//! An array's file as a JSON value of a type.

use serde_json::Value;

use super::header::{Header, HeaderError};
use crate::types::Type;

/// An array in memory.
#[derive(Debug)]
pub(crate) struct Array {
    dtype: String,
    shape: Vec<usize>,
    /// Elements from one index of an axis to the next.
    strides: Vec<usize>,
    elements: Vec<Value>,
}

/// Reads a file.
pub(crate) fn read(file: &[u8]) -> Result<Array, ReadError> {
    let (Header { dtype, is_fortran, shape }, bytes) = Header::read(file)?;
    let (order, kind) = dtype.split_at_checked(1).unwrap_or_default();
    let is_big = order == ">" || (order == "=" && cfg!(target_endian = "big"));
    let (size, decode) = decoder(kind).ok_or_else(|| ReadError::Elements(dtype.clone()))?;
    let count = shape.iter().try_fold(1usize, |count, axis| count.checked_mul(*axis));
    let size_of_all = count.and_then(|count| count.checked_mul(size));
    if size_of_all != Some(bytes.len()) {
        return Err(ReadError::Size { dtype, shape });
    }
    let element = |bytes: &[u8]| {
        let mut little = [0; 8];
        little[..size].copy_from_slice(bytes);
        if is_big {
            little[..size].reverse();
        }
        decode(little)
    };
    let mut strides = vec![1; shape.len()];
    let mut step = 1;
    let axes: Box<dyn Iterator<Item = usize>> =
        if is_fortran { Box::new(0..shape.len()) } else { Box::new((0..shape.len()).rev()) };
    for axis in axes {
        strides[axis] = step;
        step *= shape[axis];
    }
    let elements = bytes.chunks_exact(size).map(element).collect();
    Ok(Array { dtype, shape, strides, elements })
}

/// Why a file is not an array of the type that is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("holds {0}, which is neither a number nor a boolean")]
    Elements(String),
    #[error("does not hold what its header says: {dtype} of {}", shown(shape))]
    Size { dtype: String, shape: Vec<usize> },
    #[error("is an array of {dtype} with shape {}, not {ty}", shown(shape))]
    Shape { dtype: String, shape: Vec<usize>, ty: Type },
    #[error("holds {element}, which is no {ty}")]
    Element { element: String, ty: Type },
}

impl ReadError {
    fn no(element: &impl ToString, ty: &Type) -> Self {
        Self::Element { element: element.to_string(), ty: ty.clone() }
    }
}

type Decode = fn([u8; 8]) -> Value;

/// The size of an element, and what makes a value of its bytes in little-endian order.
fn decoder(kind: &str) -> Option<(usize, Decode)> {
    fn low<const N: usize>(bytes: [u8; 8]) -> [u8; N] {
        std::array::from_fn(|i| bytes[i])
    }
    Some(match kind {
        "b1" => (1, |bytes| (bytes[0] != 0).into()),
        "i1" => (1, |bytes| i8::from_le_bytes(low(bytes)).into()),
        "i2" => (2, |bytes| i16::from_le_bytes(low(bytes)).into()),
        "i4" => (4, |bytes| i32::from_le_bytes(low(bytes)).into()),
        "i8" => (8, |bytes| i64::from_le_bytes(bytes).into()),
        "u1" => (1, |bytes| bytes[0].into()),
        "u2" => (2, |bytes| u16::from_le_bytes(low(bytes)).into()),
        "u4" => (4, |bytes| u32::from_le_bytes(low(bytes)).into()),
        "u8" => (8, |bytes| u64::from_le_bytes(bytes).into()),
        "f2" => (2, |bytes| float(half(u16::from_le_bytes(low(bytes))))),
        "f4" => (4, |bytes| float(f32::from_le_bytes(low(bytes)).into())),
        "f8" => (8, |bytes| float(f64::from_le_bytes(bytes))),
        _ => return None,
    })
}

/// A number of half precision, which every double can be exactly.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff) / 1024.0);
    let size = match exponent {
        0 => fraction * 2f64.powi(-14),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 0 { size } else { -size }
}

/// JSON has no literals for what is not finite.
fn float(x: f64) -> Value {
    match x {
        x if x.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        x => x.into(),
    }
}

impl Array {
    /// The array as lists, and tuples, as deep as the type has them.
    pub(crate) fn for_type(&self, ty: &Type) -> Result<Value, ReadError> {
        self.nested(0, 0, ty).map_err(|why| {
            why.unwrap_or_else(|| ReadError::Shape {
                dtype: self.dtype.clone(),
                shape: self.shape.clone(),
                ty: ty.clone(),
            })
        })
    }

    /// What begins at an element and goes on along the axes from this one on; an error of `None`
    /// where shape and type are unlike.
    fn nested(&self, axis: usize, at: usize, ty: &Type) -> Result<Value, Option<ReadError>> {
        let Some(&length) = self.shape.get(axis) else {
            return self.scalar(&self.elements[at], ty);
        };
        let part = |i: usize, ty: &Type| self.nested(axis + 1, at + i * self.strides[axis], ty);
        match ty.present() {
            Type::List(item) => (0..length).map(|i| part(i, item)).collect(),
            Type::Tuple(types) if types.len() == length => {
                types.iter().enumerate().map(|(i, ty)| part(i, ty)).collect()
            }
            _ => Err(None),
        }
    }

    /// An element as a number of the type that is needed.
    fn scalar(&self, element: &Value, ty: &Type) -> Result<Value, Option<ReadError>> {
        /// Up to here a double is exactly the integer that it looks like.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match (ty.present(), element) {
            (Type::Bool, Value::Bool(_)) => Ok(element.clone()),
            (ty, Value::Number(number)) if ty.is_integer() => match number.as_f64() {
                Some(x) if number.is_f64() => {
                    if x.fract() == 0.0 && x.abs() <= EXACT {
                        Ok((x as i64).into())
                    } else {
                        Err(Some(ReadError::no(&x, ty)))
                    }
                }
                _ => Ok(element.clone()),
            },
            (ty, Value::String(text)) if ty.is_integer() => Err(Some(ReadError::no(text, ty))),
            (ty, Value::Number(_) | Value::String(_)) if ty.is_float() => Ok(element.clone()),
            _ => Err(None),
        }
    }
}

fn shown(shape: &[usize]) -> String {
    let axes: Vec<_> = shape.iter().map(ToString::to_string).collect();
    format!("({})", axes.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(dtype: &str, is_fortran: bool, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
        let mut file = Header { dtype: dtype.into(), is_fortran, shape: shape.into() }.write();
        file.extend(bytes);
        file
    }

    fn parse(file: &[u8], told: Value) -> Result<Value, String> {
        let ty = serde_json::from_value(told).unwrap();
        read(file).and_then(|array| array.for_type(&ty)).map_err(|why| why.to_string())
    }

    #[test]
    fn both_orders_of_bytes_and_of_axes_are_read() {
        let rows = json!({"list": {"list": "u16"}});
        let little = file("<u2", false, &[2, 3], &[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 0, 1]);
        assert_eq!(parse(&little, rows.clone()), Ok(json!([[1, 2, 3], [4, 5, 256]])));
        let big = file(">u2", true, &[2, 3], &[0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 1, 0]);
        assert_eq!(parse(&big, rows), Ok(json!([[1, 2, 3], [4, 5, 256]])));
        let pairs = json!({"list": {"tuple": ["u8", "f64"]}});
        assert_eq!(parse(&file("|u1", false, &[1, 2], &[1, 2]), pairs), Ok(json!([[1, 2]])));
    }

    #[test]
    fn numbers_become_those_of_the_needed_type_or_are_refused() {
        let floats = |values: &[f64]| {
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            file("<f8", false, &[values.len()], &bytes)
        };
        assert_eq!(parse(&floats(&[1.0, -2.0]), json!({"list": "s8"})), Ok(json!([1, -2])));
        assert_eq!(
            parse(&floats(&[0.5, f64::NAN]), json!({"list": "f32"})),
            Ok(json!([0.5, "NaN"]))
        );
        for wrong in [0.5, f64::INFINITY, 1e300] {
            assert!(
                parse(&floats(&[wrong]), json!({"list": "s64"})).unwrap_err().contains("no s64")
            );
        }
        let shape = parse(&floats(&[1.0]), json!({"list": {"list": "f64"}})).unwrap_err();
        assert!(shape.contains("shape (1), not list<list<f64>>"), "{shape}");
    }

    #[test]
    fn half_precision_is_read_exactly() {
        let (list, bytes) = (json!({"list": "f64"}), |bits: &[u16]| {
            bits.iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<_>>()
        });
        let half = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x0400, 0x7c00, 0xfc00, 0x7e00];
        let file = file("<f2", false, &[half.len()], &bytes(&half));
        let expected = json!([
            1.0,
            -2.0,
            0.333251953125,
            65504.0,
            5.960464477539063e-8,
            0.00006103515625,
            "Infinity",
            "-Infinity",
            "NaN"
        ]);
        assert_eq!(parse(&file, list), Ok(expected));
    }

    #[test]
    fn a_broken_file_is_refused() {
        assert!(parse(&file("<f8", false, &[2], &[0; 8]), json!({"list": "f64"})).is_err());
        assert!(parse(&file("|O", false, &[1], &[0; 8]), json!({"list": "f64"})).is_err());
        let endless = file("<f8", false, &[usize::MAX, 2], &[]);
        assert!(parse(&endless, json!({"list": "f64"})).is_err());
    }
}
