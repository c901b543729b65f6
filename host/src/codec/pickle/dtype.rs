//! The element types of numpy, and their bytes as numbers and text.
//!
//! The states are those of numpy's `arraydescr_reduce`. It knows nothing of shapes.

use bytes::Bytes;

use super::error::{PickleErrorKind, Step, shown};
use crate::value::{Numbers, Value};

/// An element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
    /// This many code points of UTF-32, the rest filled up with NUL.
    Text(usize),
    /// This many bytes, the rest filled up with NUL.
    Bytes(usize),
    Objects,
}

/// An element type and its byte order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dtype {
    pub(super) kind: Kind,
    pub(super) big_endian: bool,
}

impl Dtype {
    /// Reads numpy's short form: `f8`, `<i4`, `|b1`, `U12` ...
    pub(super) fn parse(text: &str) -> Step<Self> {
        let bare = text.strip_prefix(['<', '>', '=', '|']).unwrap_or(text);
        let width = bare.get(1..).unwrap_or_default();
        let kind = match bare {
            "b1" => Kind::Bool,
            "i1" => Kind::I8,
            "i2" => Kind::I16,
            "i4" => Kind::I32,
            "i8" => Kind::I64,
            "u1" => Kind::U8,
            "u2" => Kind::U16,
            "u4" => Kind::U32,
            "u8" => Kind::U64,
            "f2" => Kind::F16,
            "f4" => Kind::F32,
            "f8" => Kind::F64,
            _ if bare.starts_with('O') => Kind::Objects,
            _ if bare.starts_with('U') => Kind::Text(Self::width(text, width)?),
            _ if bare.starts_with('S') => Kind::Bytes(Self::width(text, width)?),
            _ => return Err(Self::refuse(text)),
        };
        Ok(Self { kind, big_endian: text.starts_with('>') })
    }

    fn width(text: &str, width: &str) -> Step<usize> {
        let width = width.parse::<u32>().map_err(|_| Self::refuse(text))?;
        usize::try_from(width).map_err(|_| Self::refuse(text))
    }

    fn refuse(text: &str) -> PickleErrorKind {
        let text = shown(text);
        let bare = text.trim_start_matches(['<', '>', '=', '|']);
        let (what, cure) = match bare.chars().next() {
            Some('c') => ("complex numbers", "send .real and .imag"),
            Some('M') => ("datetime64", "send .astype(str) or .astype('int64')"),
            Some('m') => ("timedelta64", "send .astype('int64')"),
            Some('V') => ("structured records", "send each field as an array of its own"),
            Some('f' | 'g') => ("extended floats", "send .astype('float64')"),
            _ => ("an unknown type", "send .astype('float64') or .tolist()"),
        };
        PickleErrorKind::refused(format!(
            "a numpy array or scalar of dtype `{text}` ({what}) cannot be sent; {cure}"
        ))
    }

    /// Applies the byte order that a dtype's state names.
    pub(super) fn set_order(&mut self, order: &str) {
        self.big_endian = order == ">";
    }

    pub(super) fn size(self) -> usize {
        match self.kind {
            Kind::Bool | Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 | Kind::F16 => 2,
            Kind::I32 | Kind::U32 | Kind::F32 => 4,
            Kind::I64 | Kind::U64 | Kind::F64 => 8,
            Kind::Text(width) => width.saturating_mul(4),
            Kind::Bytes(width) => width,
            Kind::Objects => 0,
        }
    }

    pub(super) fn numbers(self, raw: &[u8]) -> Option<Numbers> {
        macro_rules! read {
            ($ty:ty, $n:literal) => {{
                let (chunks, _) = raw.as_chunks::<$n>();
                if self.big_endian {
                    chunks.iter().map(|chunk| <$ty>::from_be_bytes(*chunk)).collect::<Vec<_>>()
                } else {
                    chunks.iter().map(|chunk| <$ty>::from_le_bytes(*chunk)).collect::<Vec<_>>()
                }
            }};
        }
        Some(match self.kind {
            Kind::Bool => raw.iter().map(|byte| *byte != 0).collect::<Vec<_>>().into(),
            Kind::I8 => read!(i8, 1).into(),
            Kind::U8 => raw.to_vec().into(),
            Kind::I16 => read!(i16, 2).into(),
            Kind::U16 => read!(u16, 2).into(),
            Kind::I32 => read!(i32, 4).into(),
            Kind::U32 => read!(u32, 4).into(),
            Kind::I64 => read!(i64, 8).into(),
            Kind::U64 => read!(u64, 8).into(),
            Kind::F16 => read!(u16, 2).into_iter().map(widen).collect::<Vec<_>>().into(),
            Kind::F32 => read!(f32, 4).into(),
            Kind::F64 => read!(f64, 8).into(),
            Kind::Text(_) | Kind::Bytes(_) | Kind::Objects => return None,
        })
    }

    pub(super) fn element(self, raw: &[u8]) -> Step<Value> {
        if let Kind::Text(_) = self.kind {
            let text = utf32(raw, self.big_endian)?;
            return Ok(Value::text(text.trim_end_matches('\0')));
        }
        let end = raw.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Ok(Value::Bytes(Bytes::copy_from_slice(&raw[..end])))
    }
}

/// UTF-32 to text.
pub(super) fn utf32(raw: &[u8], big_endian: bool) -> Step<String> {
    let (chunks, _) = raw.as_chunks::<4>();
    let unit = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    chunks.iter().map(|chunk| char::from_u32(unit(*chunk))).collect::<Option<String>>().ok_or_else(
        || PickleErrorKind::refused("a numpy or array.array string is not valid Unicode"),
    )
}

/// IEEE 754 half precision to single, exactly.
fn widen(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let (exponent, fraction) = (u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
    let magnitude = match exponent {
        0 => (fraction as f32 * 2f32.powi(-24)).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision_is_widened_exactly() {
        for (half, single) in [
            (0x0000, 0.0f32),
            (0x8000, -0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(widen(half).to_bits(), single.to_bits(), "{half:#x}");
        }
        assert!(widen(0x7e00).is_nan());
    }

    #[test]
    fn refusals_name_the_dtype_and_a_cure() {
        for (dtype, cure) in
            [("c16", ".real"), ("M8", "datetime64"), ("V12", "field"), ("f16", "float64")]
        {
            let message = Dtype::parse(dtype).unwrap_err().to_string();
            assert!(message.contains(dtype) && message.contains(cure), "{message}");
        }
    }
}
