//! Python's `array.array`, which is read as the numpy array that it could be.
//!
//! The machine formats are those of PEP 3118's kin in CPython's `Modules/arraymodule.c`
//! (`enum machine_format_code`); before protocol 3 an array comes as a typecode and a list.

use bytes::Bytes;

use super::dtype::{Dtype, Kind, utf32};
use super::error::{PickleErrorKind, Step, shown};
use super::heap::{Heap, Node};
use super::item::Item;
use super::ndarray::{Data, NdArray, Order};

/// From this machine format on, arrays are text.
pub(super) const FIRST_TEXT_FORMAT: i64 = 18;

/// The array that `array._array_reconstructor` makes of bytes.
pub(super) fn from_machine_format(format: i64, raw: Bytes) -> Step<Node> {
    let kind = match format {
        0 => Kind::U8,
        1 => Kind::I8,
        2 | 3 => Kind::U16,
        4 | 5 => Kind::I16,
        6 | 7 => Kind::U32,
        8 | 9 => Kind::I32,
        10 | 11 => Kind::U64,
        12 | 13 => Kind::I64,
        14 | 15 => Kind::F32,
        16 | 17 => Kind::F64,
        18 | 19 => return utf16(&raw, format == 19).map(|text| Node::Text(text.into())),
        20 | 21 if raw.len().is_multiple_of(4) => {
            return utf32(&raw, format == 21).map(|text| Node::Text(text.into()));
        }
        _ => {
            return Err(PickleErrorKind::malformed(format!(
                "array.array has no machine format {format}"
            )));
        }
    };
    row(Dtype { kind, big_endian: format % 2 == 1 && format > 1 }, raw)
}

/// `array.array(typecode, items)`.
pub(super) fn from_items(heap: &Heap<'_>, typecode: &str, items: &[Item]) -> Step<Node> {
    let mut raw = Vec::new();
    let kind = match typecode {
        "u" | "w" => {
            let mut text = String::new();
            for item in items {
                let item = heap.text(*item)?;
                // Anything longer could appear any number of times.
                if item.chars().nth(1).is_some() {
                    return Err(misfit(typecode));
                }
                text.push_str(&item);
            }
            return Ok(Node::Text(text.into()));
        }
        "d" | "f" => Kind::F64,
        "b" => Kind::I8,
        "B" => Kind::U8,
        "h" => Kind::I16,
        "H" => Kind::U16,
        "i" => Kind::I32,
        "I" => Kind::U32,
        "l" | "q" => Kind::I64,
        "L" | "Q" => Kind::U64,
        _ => return Err(misfit(typecode)),
    };
    for item in items {
        let n = match (*item, heap.get(*item)) {
            (Item::Float(n), _) if kind == Kind::F64 => {
                raw.extend(n.to_le_bytes());
                continue;
            }
            (Item::Int(n), _) => i128::from(n),
            (_, Some(Node::BigInt(n))) => i128::try_from(&**n).map_err(|_| misfit(typecode))?,
            _ => return Err(misfit(typecode)),
        };
        let (bytes, width, fits) = match kind {
            Kind::I8 => (n.to_le_bytes(), 1, i8::try_from(n).is_ok()),
            Kind::U8 => (n.to_le_bytes(), 1, u8::try_from(n).is_ok()),
            Kind::I16 => (n.to_le_bytes(), 2, i16::try_from(n).is_ok()),
            Kind::U16 => (n.to_le_bytes(), 2, u16::try_from(n).is_ok()),
            Kind::I32 => (n.to_le_bytes(), 4, i32::try_from(n).is_ok()),
            Kind::U32 => (n.to_le_bytes(), 4, u32::try_from(n).is_ok()),
            Kind::I64 => (n.to_le_bytes(), 8, i64::try_from(n).is_ok()),
            Kind::U64 => (n.to_le_bytes(), 8, u64::try_from(n).is_ok()),
            _ => return Err(misfit(typecode)),
        };
        if !fits {
            return Err(misfit(typecode));
        }
        raw.extend_from_slice(&bytes[..width]);
    }
    if typecode == "f" {
        let (numbers, _) = raw.as_chunks::<8>();
        let single = |bytes: &[u8; 8]| (f64::from_le_bytes(*bytes) as f32).to_le_bytes();
        let raw = numbers.iter().flat_map(single).collect::<Vec<_>>();
        return row(Dtype { kind: Kind::F32, big_endian: false }, raw.into());
    }
    row(Dtype { kind, big_endian: false }, raw.into())
}

fn misfit(typecode: &str) -> PickleErrorKind {
    PickleErrorKind::malformed(format!(
        "the items of an array.array do not fit its typecode '{}'",
        shown(typecode)
    ))
}

fn row(dtype: Dtype, raw: Bytes) -> Step<Node> {
    let shape = vec![raw.len() / dtype.size()];
    Ok(Node::Array(Box::new(NdArray::new(dtype, shape, Order::C, Data::Raw(raw))?)))
}

fn utf16(raw: &[u8], big_endian: bool) -> Step<String> {
    let unit = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
    match raw.as_chunks::<2>() {
        (chunks, []) => char::decode_utf16(chunks.iter().map(|chunk| unit(*chunk)))
            .collect::<Result<String, _>>()
            .map_err(|_| PickleErrorKind::refused("an array.array string is not valid Unicode")),
        _ => Err(PickleErrorKind::malformed("an array.array of UTF-16 has half a unit")),
    }
}
