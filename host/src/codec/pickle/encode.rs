//! Writes a [`Value`] as a pickle of protocol 4 or 5.
//!
//! Nothing is memoized and nothing is framed; both are optional, and values are trees. The only
//! globals that it names are `builtins.bytearray` and `numpy.ndarray`, the latter only if asked to.

use num_bigint::BigInt;

use super::opcode::*;
use crate::value::{Array, Numbers, Value};

/// How many items CPython puts between MARK and APPENDS, so that its stack stays small.
const BATCH: usize = 1000;

/// What a [`Value::Array`] is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrays {
    /// Lists of Python numbers, nested by shape.
    Lists,
    /// `numpy.ndarray`, writable. A list of nothing but arrays of one type and one shape is stacked
    /// into one array with one more dimension.
    Numpy,
}

/// The pickle protocols that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Every Python since 3.4 loads it.
    Four,
    /// Every Python since 3.8 loads it, and an array's data without a copy.
    Five,
}

/// Writes `value` as a pickle of protocol 4, which Python 3.4 and later load.
///
/// What Python has no type for becomes the nearest that it has: a [`Value::Float32`] a `float`, a
/// [`Value::Named`] its text. Elements of sets and keys of dicts must be hashable in Python, so
/// lists in them become tuples, dicts tuples of pairs and sets frozensets.
///
/// Recurses as deep as `value` nests, as dropping it would.
pub fn encode(value: &Value, arrays: Arrays) -> Vec<u8> {
    encode_as(value, arrays, Protocol::Four)
}

/// As [`encode`], in the protocol that the reader is known to load.
pub fn encode_as(value: &Value, arrays: Arrays, protocol: Protocol) -> Vec<u8> {
    let mut writer =
        Writer { out: Vec::with_capacity(16 + value.written_size()), arrays, protocol };
    writer.out.extend([PROTO, if protocol == Protocol::Five { 5 } else { 4 }]);
    writer.value(value);
    writer.out.push(STOP);
    writer.out
}

struct Writer {
    out: Vec<u8>,
    arrays: Arrays,
    protocol: Protocol,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::None => self.out.push(NONE),
            Value::Bool(b) => self.bool(*b),
            Value::Int(n) => self.int(*n),
            Value::BigInt(n) => self.big_int(n),
            Value::Float32(n) => self.float(f64::from(*n)),
            Value::Float(n) => self.float(*n),
            Value::Text(text) | Value::Named { text, .. } => self.text(text),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Array(array) => match self.arrays {
                Arrays::Lists => self.nested(array),
                Arrays::Numpy => self.ndarray(array.shape(), &[array.numbers()]),
            },
            Value::List(values) => {
                if self.arrays == Arrays::Lists || !self.stacked(values) {
                    self.list(values.iter(), Self::value);
                }
            }
            Value::Tuple(values) => self.tuple(values.iter(), Self::value),
            Value::Set(values) => {
                self.out.push(EMPTY_SET);
                for batch in values.chunks(BATCH) {
                    self.out.push(MARK);
                    batch.iter().for_each(|value| self.key(value));
                    self.out.push(ADDITEMS);
                }
            }
            Value::Map(entries) => {
                self.out.push(EMPTY_DICT);
                for batch in entries.chunks(BATCH) {
                    self.out.push(MARK);
                    for (key, value) in batch {
                        self.key(key);
                        self.value(value);
                    }
                    self.out.push(SETITEMS);
                }
            }
        }
    }

    /// A value in a place where Python wants it hashable.
    fn key(&mut self, value: &Value) {
        match value {
            Value::Array(array) if array.shape().is_empty() => self.nested(array),
            Value::Array(array) => {
                self.tuple(array.elements(), |writer, element| writer.key(&element));
            }
            Value::List(values) | Value::Tuple(values) => self.tuple(values.iter(), Self::key),
            Value::Set(values) => {
                self.out.push(MARK);
                values.iter().for_each(|value| self.key(value));
                self.out.push(FROZENSET);
            }
            Value::Map(entries) => self.tuple(entries.iter(), |writer, (key, value)| {
                writer.key(key);
                writer.key(value);
                writer.out.push(TUPLE2);
            }),
            _ => self.value(value),
        }
    }

    fn tuple<T>(&mut self, items: impl ExactSizeIterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let end = match items.len() {
            0 => EMPTY_TUPLE,
            1 => TUPLE1,
            2 => TUPLE2,
            3 => TUPLE3,
            _ => {
                self.out.push(MARK);
                TUPLE
            }
        };
        items.for_each(|item| write(self, item));
        self.out.push(end);
    }

    fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, write: impl Fn(&mut Self, T)) {
        let last = items.len().saturating_sub(1);
        self.out.push(EMPTY_LIST);
        for (i, item) in items.enumerate() {
            if i % BATCH == 0 {
                self.out.push(MARK);
            }
            write(self, item);
            if i % BATCH == BATCH - 1 || i == last {
                self.out.push(APPENDS);
            }
        }
    }

    fn bool(&mut self, b: bool) {
        self.out.push(if b { NEWTRUE } else { NEWFALSE });
    }

    #[inline]
    fn int(&mut self, n: i64) {
        if let Ok(n) = u8::try_from(n) {
            self.out.extend([BININT1, n]);
        } else if let Ok(n) = u16::try_from(n) {
            let [a, b] = n.to_le_bytes();
            self.out.extend([BININT2, a, b]);
        } else if let Ok(n) = i32::try_from(n) {
            let [a, b, c, d] = n.to_le_bytes();
            self.out.extend([BININT, a, b, c, d]);
        } else {
            let bytes = n.to_le_bytes();
            self.out.extend([LONG1, bytes.len() as u8]);
            self.out.extend(bytes);
        }
    }

    fn big_int(&mut self, n: &BigInt) {
        let bytes = n.to_signed_bytes_le();
        match u8::try_from(bytes.len()) {
            Ok(length) => self.out.extend([LONG1, length]),
            Err(_) => {
                self.out.push(LONG4);
                self.out.extend((bytes.len() as u32).to_le_bytes());
            }
        }
        self.out.extend(bytes);
    }

    #[inline]
    fn float(&mut self, n: f64) {
        let [a, b, c, d, e, f, g, h] = n.to_be_bytes();
        self.out.extend_from_slice(&[BINFLOAT, a, b, c, d, e, f, g, h]);
    }

    fn text(&mut self, text: &str) {
        self.string(text.as_bytes(), [SHORT_BINUNICODE, BINUNICODE, BINUNICODE8]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.string(bytes, [SHORT_BINBYTES, BINBYTES, BINBYTES8]);
    }

    /// A string by the opcode with the shortest length that it fits.
    fn string(&mut self, bytes: &[u8], opcodes: [u8; 3]) {
        self.string_head(bytes.len(), opcodes);
        self.out.extend_from_slice(bytes);
    }

    fn string_head(&mut self, length: usize, [short, medium, long]: [u8; 3]) {
        if let Ok(length) = u8::try_from(length) {
            self.out.extend([short, length]);
        } else if let Ok(length) = u32::try_from(length) {
            self.out.push(medium);
            self.out.extend(length.to_le_bytes());
        } else {
            self.out.push(long);
            self.out.extend((length as u64).to_le_bytes());
        }
    }

    /// An array as lists of numbers.
    fn nested(&mut self, array: &Array) {
        match array.shape() {
            [] => self.value(&array.numbers().get(0)),
            [_] => self.row(array.numbers()),
            _ => self.list(array.elements(), |writer, row| writer.value(&row)),
        }
    }

    fn row(&mut self, numbers: &Numbers) {
        let int = |writer: &mut Self, n: i64| writer.int(n);
        match numbers {
            Numbers::Bool(v) => self.list(v.iter(), |writer, b| writer.bool(*b)),
            Numbers::I8(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::I16(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::I32(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::I64(v) => self.list(v.iter().copied(), int),
            Numbers::U8(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::U16(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::U32(v) => self.list(v.iter().map(|n| i64::from(*n)), int),
            Numbers::U64(v) => self.list(v.iter(), |writer, n| writer.value(&Value::from(*n))),
            Numbers::F32(v) => self.list(v.iter(), |writer, n| writer.float(f64::from(*n))),
            Numbers::F64(v) => self.list(v.iter(), |writer, n| writer.float(*n)),
        }
    }

    /// Writes a list of arrays that are all alike as one array; whether it could.
    fn stacked(&mut self, values: &[Value]) -> bool {
        let arrays = values.iter().map(|value| match value {
            Value::Array(array) => Some(array),
            _ => None,
        });
        let Some(arrays) = arrays.collect::<Option<Vec<_>>>() else {
            return false;
        };
        let Some((first, rest)) = arrays.split_first() else {
            return false;
        };
        let alike = |array: &&Array| {
            array.shape() == first.shape() && array.numbers().kind() == first.numbers().kind()
        };
        if !rest.iter().all(alike) {
            return false;
        }
        let shape = [&[arrays.len()], first.shape()].concat();
        self.ndarray(&shape, &arrays.iter().map(|array| array.numbers()).collect::<Vec<_>>());
        true
    }

    /// `numpy.ndarray(shape, dtype, bytearray(data))`: the one form that every numpy loads writable
    /// and without a warning, as it names nothing below `numpy` itself.
    fn ndarray(&mut self, shape: &[usize], parts: &[&Numbers]) {
        self.global("numpy", "ndarray");
        self.tuple(shape.iter(), |writer, n| {
            writer.int(i64::try_from(*n).unwrap_or(i64::MAX));
        });
        self.text(parts.first().map_or("", |numbers| dtype(numbers)));
        let length = parts.iter().map(|numbers| numbers.size_in_bytes()).sum::<usize>();
        let end: &[u8] = match self.protocol {
            Protocol::Four => {
                self.global("builtins", "bytearray");
                self.string_head(length, [SHORT_BINBYTES, BINBYTES, BINBYTES8]);
                &[TUPLE1, REDUCE, TUPLE3, REDUCE]
            }
            Protocol::Five => {
                self.out.push(BYTEARRAY8);
                self.out.extend((length as u64).to_le_bytes());
                &[TUPLE3, REDUCE]
            }
        };
        for numbers in parts {
            self.out.extend_from_slice(memory(numbers));
        }
        self.out.extend_from_slice(end);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.text(module);
        self.text(name);
        self.out.push(STACK_GLOBAL);
    }
}

/// numpy's short form of the element type, in this machine's byte order.
fn dtype(numbers: &Numbers) -> &'static str {
    let little = cfg!(target_endian = "little");
    let order = |l, b| if little { l } else { b };
    match numbers {
        Numbers::Bool(_) => "|b1",
        Numbers::I8(_) => "|i1",
        Numbers::U8(_) => "|u1",
        Numbers::I16(_) => order("<i2", ">i2"),
        Numbers::I32(_) => order("<i4", ">i4"),
        Numbers::I64(_) => order("<i8", ">i8"),
        Numbers::U16(_) => order("<u2", ">u2"),
        Numbers::U32(_) => order("<u4", ">u4"),
        Numbers::U64(_) => order("<u8", ">u8"),
        Numbers::F32(_) => order("<f4", ">f4"),
        Numbers::F64(_) => order("<f8", ">f8"),
    }
}

fn memory(numbers: &Numbers) -> &[u8] {
    match numbers {
        Numbers::Bool(v) => bytemuck::cast_slice(v),
        Numbers::I8(v) => bytemuck::cast_slice(v),
        Numbers::U8(v) => v,
        Numbers::I16(v) => bytemuck::cast_slice(v),
        Numbers::I32(v) => bytemuck::cast_slice(v),
        Numbers::I64(v) => bytemuck::cast_slice(v),
        Numbers::U16(v) => bytemuck::cast_slice(v),
        Numbers::U32(v) => bytemuck::cast_slice(v),
        Numbers::U64(v) => bytemuck::cast_slice(v),
        Numbers::F32(v) => bytemuck::cast_slice(v),
        Numbers::F64(v) => bytemuck::cast_slice(v),
    }
}
