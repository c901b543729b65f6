//! The classes and functions that a pickle may name; everything else is refused by its name.
//!
//! Nothing is ever imported or called: each name stands for a rule of `reduce`.

use super::error::{PickleErrorKind, Step, shown};

macro_rules! globals {
    ($($variant:ident: $name:literal <- $($module:literal $member:literal)|+),* $(,)?) => {
        /// A name that the decoder has a rule for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Global { $($variant),* }

        impl Global {
            /// The name as today's Python spells it.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Its own spelling of a name that [`Self::name`] gives.
            pub(super) fn named(name: &str) -> Option<&'static str> {
                [$($name),*].into_iter().find(|known| *known == name)
            }

            fn lookup(module: &str, member: &str) -> Option<Self> {
                match (module, member) {
                    $($(($module, $member))|+ => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

globals! {
    Set: "set" <- "builtins" "set" | "__builtin__" "set",
    Frozenset: "frozenset" <- "builtins" "frozenset" | "__builtin__" "frozenset",
    Bytes: "bytes" <- "builtins" "bytes" | "__builtin__" "bytes",
    Bytearray: "bytearray" <- "builtins" "bytearray" | "__builtin__" "bytearray",
    Complex: "complex" <- "builtins" "complex" | "__builtin__" "complex",
    Range: "range" <- "builtins" "range" | "__builtin__" "xrange",
    Slice: "slice" <- "builtins" "slice" | "__builtin__" "slice",
    Getattr: "getattr" <- "builtins" "getattr" | "__builtin__" "getattr",
    Object: "object" <- "builtins" "object" | "__builtin__" "object",
    // What a defaultdict makes its values with.
    Factory: "list, dict, int, float, str, tuple or bool" <-
        "builtins" "list" | "__builtin__" "list" | "builtins" "dict" | "__builtin__" "dict"
        | "builtins" "int" | "__builtin__" "int" | "builtins" "float" | "__builtin__" "float"
        | "builtins" "str" | "__builtin__" "str" | "builtins" "tuple" | "__builtin__" "tuple"
        | "builtins" "bool" | "__builtin__" "bool" | "__builtin__" "unicode"
        | "__builtin__" "long",
    CodecsEncode: "_codecs.encode" <- "_codecs" "encode",
    Reconstructor: "copyreg._reconstructor" <-
        "copyreg" "_reconstructor" | "copy_reg" "_reconstructor",
    OrderedDict: "collections.OrderedDict" <- "collections" "OrderedDict",
    Defaultdict: "collections.defaultdict" <- "collections" "defaultdict",
    Counter: "collections.Counter" <- "collections" "Counter",
    Deque: "collections.deque" <- "collections" "deque",
    Array: "array.array" <- "array" "array",
    ArrayReconstructor: "array._array_reconstructor" <- "array" "_array_reconstructor",
    Datetime: "datetime.datetime" <- "datetime" "datetime",
    Date: "datetime.date" <- "datetime" "date",
    Time: "datetime.time" <- "datetime" "time",
    Timedelta: "datetime.timedelta" <- "datetime" "timedelta",
    Timezone: "datetime.timezone" <- "datetime" "timezone",
    ZoneInfo: "zoneinfo.ZoneInfo" <- "zoneinfo" "ZoneInfo",
    // Only `getattr(ZoneInfo, "_unpickle")` gives this one; no module is called so.
    ZoneInfoUnpickle: "zoneinfo.ZoneInfo._unpickle" <- "" "",
    Decimal: "decimal.Decimal" <- "decimal" "Decimal",
    Fraction: "fractions.Fraction" <- "fractions" "Fraction",
    Uuid: "uuid.UUID" <- "uuid" "UUID",
    NumpyNdarray: "numpy.ndarray" <- "numpy" "ndarray",
    NumpyDtype: "numpy.dtype" <- "numpy" "dtype",
    NumpyReconstruct: "numpy._core.multiarray._reconstruct" <-
        "numpy.core.multiarray" "_reconstruct" | "numpy._core.multiarray" "_reconstruct",
    NumpyScalar: "numpy._core.multiarray.scalar" <-
        "numpy.core.multiarray" "scalar" | "numpy._core.multiarray" "scalar",
    NumpyFrombuffer: "numpy._core.numeric._frombuffer" <-
        "numpy.core.numeric" "_frombuffer" | "numpy._core.numeric" "_frombuffer",
}

/// The rule for `module.member`. Refuses any other name, and says what can be sent instead.
pub(super) fn resolve(module: &str, member: &str) -> Step<Global> {
    if let Some(global) = Global::lookup(module, member)
        && global != Global::ZoneInfoUnpickle
    {
        return Ok(global);
    }
    let name = shown(&format!("{module}.{member}"));
    let cure = match module.split('.').next() {
        Some("numpy") => {
            "; of numpy's objects only plain arrays and scalars can be sent: convert it with \
             numpy.asarray(...) or .tolist()"
        }
        Some("pandas") => {
            "; only plain values, collections, dates, decimals and numpy arrays can be sent: \
             convert it with .to_numpy(), .to_dict() or .to_pydatetime()"
        }
        _ => {
            "; only plain values, collections, dates, decimals and numpy arrays can be sent: \
             convert an object of a class of your own to a dict or a tuple"
        }
    };
    Err(PickleErrorKind::refused(format!("the pickle refers to `{name}`{cure}")))
}
