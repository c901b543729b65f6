//! [`Value`]: the neutral tree that every wire format is read into and every reply is written from.
//!
//! It knows neither HTTP nor wasm. Rows of numbers and byte strings are one block of memory
//! ([`Array`], [`Bytes`]), never a tree of boxed numbers.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use num_bigint::BigInt;

/// The `class` of a [`Value::Named`] that is a number as it was written: one too large for every type, or
/// one whose nearest double is an integer that it is not.
pub const NUMBER: &str = "number";

/// The `class` of a [`Value::Named`] that is a `str` of Python 2: text or bytes, as its type has it.
pub const PYTHON_2_STR: &str = "Python 2 str";

/// A value that came off the wire or is about to go onto it.
///
/// Text is shared (`Arc<str>`), so a key that a thousand records repeat is stored once.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Python's `None`, JSON's `null`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer that fits 64 bits with a sign.
    Int(i64),
    /// An integer that does not: `u64` values above `i64::MAX`, and Python's big ones.
    BigInt(Box<BigInt>),
    /// A single-precision number, kept apart so that text formats print 0.1 and not 0.10000000149.
    Float32(f32),
    /// A double-precision number.
    Float(f64),
    /// Unicode text.
    Text(Arc<str>),
    /// A byte string.
    Bytes(Bytes),
    /// Numbers of one type in one block: a homogeneous list of numbers, or a numpy array.
    Array(Array),
    /// A list of anything else.
    List(Vec<Value>),
    /// Python's `tuple`.
    Tuple(Vec<Value>),
    /// Python's `set` and `frozenset`.
    Set(Vec<Value>),
    /// A mapping, in the order in which it was written.
    Map(Vec<(Value, Value)>),
    /// A Python object that has a canonical text, such as a date or a decimal number.
    Named {
        /// Where Python defines it, such as `datetime.date`.
        class: &'static str,
        /// What `str()` (for dates and times `isoformat()`) says of it.
        text: Arc<str>,
    },
}

impl Value {
    /// Text from anything that makes a string.
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// What the value is, as an error message says it: `an integer`, `a list` ...
    pub fn describe(&self) -> String {
        match self {
            Self::None => "None".into(),
            Self::Bool(_) => "a bool".into(),
            Self::Int(_) | Self::BigInt(_) => "an integer".into(),
            Self::Float32(_) | Self::Float(_) => "a float".into(),
            Self::Text(_) => "a string".into(),
            Self::Bytes(_) => "bytes".into(),
            Self::Array(array) if array.shape().len() == 1 => {
                format!("a list of {}", array.numbers().kind())
            }
            Self::Array(array) => {
                format!("a {}-dimensional array of {}", array.shape().len(), array.numbers().kind())
            }
            Self::List(_) => "a list".into(),
            Self::Tuple(_) => "a tuple".into(),
            Self::Set(_) => "a set".into(),
            Self::Map(_) => "a dict".into(),
            Self::Named { class, .. } => format!("a {class}"),
        }
    }

    /// About how many bytes it takes to write the value down. Numbers count as in a pickle, 9 bytes
    /// each and a little for every thousand.
    pub fn written_size(&self) -> usize {
        let numbers = |count: usize| 9 * count + count / 500;
        match self {
            Self::Text(text) => text.len() + 9,
            Self::Bytes(bytes) => bytes.len() + 9,
            Self::Array(array) => numbers(array.numbers().len()) + 100,
            Self::List(values) | Self::Tuple(values) | Self::Set(values) => {
                values.iter().map(Self::written_size).sum::<usize>() + values.len() / 500 + 3
            }
            Self::Map(entries) => {
                let sizes =
                    entries.iter().map(|(key, value)| key.written_size() + value.written_size());
                sizes.sum::<usize>() + 3
            }
            _ => 9,
        }
    }
}

impl From<u64> for Value {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or_else(|_| Self::BigInt(Box::new(BigInt::from(n))), Self::Int)
    }
}

/// Numbers of one type with a shape, in row-major (C) order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    shape: Box<[usize]>,
    numbers: Numbers,
}

impl Array {
    /// A one-dimensional array.
    pub fn row(numbers: impl Into<Numbers>) -> Self {
        let numbers = numbers.into();
        Self { shape: Box::new([numbers.len()]), numbers }
    }

    /// An array of any shape; `None` if the shape's product is not the count of numbers.
    pub fn new(shape: impl Into<Box<[usize]>>, numbers: impl Into<Numbers>) -> Option<Self> {
        let (shape, numbers) = (shape.into(), numbers.into());
        let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n))?;
        (count == numbers.len()).then_some(Self { shape, numbers })
    }

    /// The length of each dimension, outermost first; never empty for a row.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, in row-major order.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The numbers without the shape.
    pub fn into_numbers(self) -> Numbers {
        self.numbers
    }

    /// The length of the outermost dimension; 0 for an array without dimensions.
    pub fn len(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Whether the outermost dimension is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements along the outermost dimension: numbers of a row, rows of a matrix.
    pub fn elements(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        let inner = &self.shape[self.shape.len().min(1)..];
        let step: usize = inner.iter().product();
        (0..self.len()).map(move |i| {
            if inner.is_empty() {
                self.numbers.get(i)
            } else {
                let numbers = self.numbers.slice(i * step..(i + 1) * step);
                Value::Array(Self { shape: inner.into(), numbers })
            }
        })
    }
}

/// Makes [`Numbers`] and what is the same for each of its element types.
macro_rules! numbers {
    ($($(#[$doc:meta])* $variant:ident($ty:ty, $kind:literal, $to_value:expr)),* $(,)?) => {
        /// The block of memory of an [`Array`].
        #[derive(Clone, PartialEq)]
        pub enum Numbers { $($(#[$doc])* $variant(Vec<$ty>)),* }

        impl Numbers {
            /// How many numbers.
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(v) => v.len()),* }
            }

            /// Whether there are none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many bytes the numbers take.
            pub fn size_in_bytes(&self) -> usize {
                match self { $(Self::$variant(v) => size_of_val(v.as_slice())),* }
            }

            /// The element type's name, as numpy spells it.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind),* }
            }

            /// One number as a value of its own. Panics if there is none at `index`.
            pub fn get(&self, index: usize) -> Value {
                match self { $(Self::$variant(v) => $to_value(v[index])),* }
            }

            fn slice(&self, range: std::ops::Range<usize>) -> Self {
                match self { $(Self::$variant(v) => Self::$variant(v[range].to_vec())),* }
            }
        }

        $(impl From<Vec<$ty>> for Numbers {
            fn from(v: Vec<$ty>) -> Self {
                Self::$variant(v)
            }
        })*
    };
}

numbers! {
    /// `numpy.bool_`.
    Bool(bool, "bool", Value::Bool),
    /// `numpy.int8`.
    I8(i8, "int8", |n| Value::Int(i64::from(n))),
    /// `numpy.int16`.
    I16(i16, "int16", |n| Value::Int(i64::from(n))),
    /// `numpy.int32`.
    I32(i32, "int32", |n| Value::Int(i64::from(n))),
    /// `numpy.int64`, and lists of Python's `int`.
    I64(i64, "int64", Value::Int),
    /// `numpy.uint8`.
    U8(u8, "uint8", |n| Value::Int(i64::from(n))),
    /// `numpy.uint16`.
    U16(u16, "uint16", |n| Value::Int(i64::from(n))),
    /// `numpy.uint32`.
    U32(u32, "uint32", |n| Value::Int(i64::from(n))),
    /// `numpy.uint64`.
    U64(u64, "uint64", Value::from),
    /// `numpy.float32`.
    F32(f32, "float32", Value::Float32),
    /// `numpy.float64`, and lists of Python's `float`.
    F64(f64, "float64", Value::Float),
}

impl fmt::Debug for Numbers {
    /// A million numbers in a log line help nobody: the kind, the count and the first few.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        write!(f, "{}[", self.kind())?;
        for i in 0..self.len().min(SHOWN) {
            write!(f, "{}{:?}", if i > 0 { ", " } else { "" }, self.get(i))?;
        }
        write!(f, "{}]", if self.len() > SHOWN { ", ..." } else { "" })
    }
}
