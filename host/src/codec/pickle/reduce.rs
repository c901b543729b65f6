//! What calling a class or function of the table makes: the opcodes REDUCE and NEWOBJ.
//!
//! Each rule takes the arguments that CPython or numpy pickles for that class, and no others. No rule
//! runs anything; copies are counted before they are made.

use bytes::Bytes;

use super::dates::{self, Delta, Zone};
use super::dtype::Dtype;
use super::error::{PickleErrorKind, Step, shown};
use super::globals::Global;
use super::heap::{Heap, List, Node};
use super::item::Item;
use super::ndarray::{Data, NdArray, Order};
use super::{literal, typed_array};
use crate::value::Value;

/// No rule takes more arguments.
const MAX_ARGS: usize = 5;

impl Heap<'_> {
    /// REDUCE: `callable(*args)`.
    pub(super) fn reduce(&mut self, callable: Item, args: Item) -> Step<Item> {
        let Item::Global(global) = callable else {
            let what = self.describe(callable);
            return Err(PickleErrorKind::malformed(format!("{what} is called as a function")));
        };
        let mut array = [Item::None; MAX_ARGS];
        let args = match self.get(args) {
            Some(Node::Tuple(args)) if args.len() <= MAX_ARGS => {
                let taken = &mut array[..args.len()];
                taken.copy_from_slice(args);
                &*taken
            }
            _ => return Err(self.wrong_args(global)),
        };
        match (global, args) {
            (Global::Set | Global::Frozenset, []) => self.add(Node::Set(Vec::new())),
            (Global::Set | Global::Frozenset, [items]) => {
                let items = self.elements(*items)?;
                self.add(Node::Set(items))
            }
            (Global::Bytes | Global::Bytearray, []) => self.add(Node::Bytes(Bytes::new())),
            (Global::Bytes | Global::Bytearray, [bytes]) => {
                let bytes = self.raw(*bytes)?;
                self.add(Node::Bytes(bytes))
            }
            (Global::Bytes | Global::Bytearray | Global::CodecsEncode, [text, codec]) => {
                self.latin1(*text, *codec)
            }
            (Global::Complex, _) => Err(PickleErrorKind::refused(
                "a complex number cannot be sent; send its .real and .imag",
            )),
            (Global::Slice, _) => Err(PickleErrorKind::refused(
                "a slice cannot be sent; send its start, stop and step",
            )),
            (Global::Range, [start, stop, step]) => self.range(*start, *stop, *step),
            (Global::Getattr, [Item::Global(Global::ZoneInfo), name])
                if &*self.text(*name)? == "_unpickle" =>
            {
                Ok(Item::Global(Global::ZoneInfoUnpickle))
            }
            (Global::ZoneInfoUnpickle, [key, _only_once]) => {
                let key = self.text(*key)?;
                self.add(Node::Zone(Zone::Key(key)))
            }
            (Global::Reconstructor, [class, Item::Global(Global::Object), Item::None]) => {
                self.shell(*class)
            }
            (Global::OrderedDict | Global::Counter, []) | (Global::Defaultdict, [] | [_]) => {
                self.add(Node::Map(Vec::new()))
            }
            (Global::OrderedDict | Global::Counter, [entries])
            | (Global::Defaultdict, [_, entries]) => self.ordered(*entries),
            (Global::Deque, []) => self.add(Node::Deque { items: Vec::new(), maxlen: None }),
            (Global::Deque, [items]) => self.deque(*items, Item::None),
            (Global::Deque, [items, maxlen]) => self.deque(*items, *maxlen),
            (Global::Array, [typecode, items]) => {
                let typecode = self.text(*typecode)?;
                let items = self.elements(*items)?;
                self.copy(items.len().saturating_mul(8))?;
                let node = typed_array::from_items(self, &typecode, &items)?;
                self.add(node)
            }
            (Global::ArrayReconstructor, [_class, _typecode, Item::Int(format), data]) => {
                let raw = self.raw(*data)?;
                self.copy(if *format >= typed_array::FIRST_TEXT_FORMAT { raw.len() } else { 0 })?;
                let node = typed_array::from_machine_format(*format, raw)?;
                self.add(node)
            }
            (Global::Date, [state]) => {
                let text = dates::date(&self.raw(*state)?)?;
                self.named(global, text)
            }
            (Global::Datetime | Global::Time, [state, zone @ ..]) if zone.len() < 2 => {
                let state = self.raw(*state)?;
                let zone = match zone {
                    [zone] => Some(self.zone(*zone)?),
                    _ => None,
                };
                let read = if global == Global::Time { dates::time } else { dates::datetime };
                let text = read(&state, zone.as_ref())?;
                self.named(global, text)
            }
            (Global::Timedelta, [Item::Int(days), Item::Int(seconds), Item::Int(micros)]) => {
                self.add(Node::Delta(Delta::new(*days, *seconds, *micros)?))
            }
            (Global::Timezone, [offset, name @ ..]) if name.len() < 2 => {
                let name = match name {
                    [name] => Some(self.text(*name)?),
                    _ => None,
                };
                let Some(Node::Delta(offset)) = self.get(*offset) else {
                    return Err(self.wrong_args(global));
                };
                let zone = Zone::fixed(*offset, name)?;
                self.add(Node::Zone(zone))
            }
            (Global::Decimal, [text]) => {
                let text = self.text(*text)?;
                self.work(text.len() as u64)?;
                if !is_decimal(&text) {
                    return Err(self.wrong_args(global));
                }
                self.add(Node::Named { class: global.name(), text })
            }
            (Global::Fraction, [text]) => {
                let text = self.text(*text)?;
                self.work(text.len() as u64)?;
                let (numerator, denominator) = text.split_once('/').unwrap_or((&text, "1"));
                let digits = numerator.strip_prefix('-').unwrap_or(numerator);
                if !is_digits(digits) || !is_digits(denominator) {
                    return Err(self.wrong_args(global));
                }
                self.add(Node::Named { class: global.name(), text })
            }
            (Global::Fraction, [numerator, denominator]) => {
                let (n, d) = (self.decimal(*numerator)?, self.decimal(*denominator)?);
                if d.starts_with(['-', '0']) {
                    return Err(self.wrong_args(global));
                }
                self.named(global, if d == "1" { n } else { format!("{n}/{d}") })
            }
            (Global::NumpyDtype, [spec] | [spec, _, _]) => {
                let dtype = Dtype::parse(&self.text(*spec)?)?;
                self.add(Node::Dtype(dtype))
            }
            (Global::NumpyReconstruct, [Item::Global(Global::NumpyNdarray), _, _]) => {
                self.add(Node::ArrayShell)
            }
            (Global::NumpyNdarray, [shape, dtype, data]) => {
                let array = self.array(*shape, *dtype, Order::C, *data)?;
                self.add(array)
            }
            (Global::NumpyFrombuffer, [data, dtype, shape, order, axes @ ..]) => {
                let order = match (&*self.text(*order)?, axes) {
                    ("C", []) => Order::C,
                    ("F", []) => Order::Fortran,
                    ("K", [axes]) => Order::Axes(self.sizes(*axes)?),
                    _ => return Err(self.wrong_args(global)),
                };
                let array = self.array(*shape, *dtype, order, *data)?;
                self.add(array)
            }
            (Global::NumpyScalar, [dtype, data]) => self.scalar(*dtype, *data),
            _ => Err(self.wrong_args(global)),
        }
    }

    /// NEWOBJ: `class.__new__(class, *args)`.
    pub(super) fn new_object(&mut self, class: Item, args: Item) -> Step<Item> {
        match self.get(args) {
            Some(Node::Tuple(args)) if args.is_empty() => self.shell(class),
            _ => self.reduce(class, args),
        }
    }

    /// An object whose state BUILD will bring.
    fn shell(&mut self, class: Item) -> Step<Item> {
        match class {
            Item::Global(Global::Uuid) => self.add(Node::UuidShell),
            Item::Global(Global::Set | Global::Frozenset) => self.add(Node::Set(Vec::new())),
            Item::Global(Global::OrderedDict | Global::Defaultdict | Global::Counter) => {
                self.add(Node::Map(Vec::new()))
            }
            _ => {
                let what = self.describe(class);
                Err(PickleErrorKind::refused(format!(
                    "the pickle makes an instance of {what} without arguments"
                )))
            }
        }
    }

    fn named(&mut self, class: Global, text: String) -> Step<Item> {
        self.add(Node::Named { class: class.name(), text: text.into() })
    }

    /// How protocols 0 to 2 send bytes: as text with a character for each.
    fn latin1(&mut self, text: Item, codec: Item) -> Step<Item> {
        let codec = self.text(codec)?;
        if !matches!(&*codec, "latin1" | "latin-1") {
            return Err(PickleErrorKind::refused(format!(
                "bytes are encoded as '{}'; Python pickles them as 'latin1'",
                shown(&codec)
            )));
        }
        let text = self.text(text)?;
        self.copy(text.len())?;
        let bytes = text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>();
        let bytes = bytes.ok_or_else(|| PickleErrorKind::malformed("a byte is above 255"))?;
        self.add(Node::Bytes(bytes.into()))
    }

    fn range(&mut self, start: Item, stop: Item, step: Item) -> Step<Item> {
        let (Item::Int(start), Item::Int(stop), Item::Int(step)) = (start, stop, step) else {
            return Err(PickleErrorKind::refused("a range has ends beyond 64 bits"));
        };
        let span = i128::from(stop) - i128::from(start);
        let count = match i128::from(step) {
            0 => return Err(PickleErrorKind::malformed("a range has step 0")),
            step if span.signum() != step.signum() => 0,
            step => (span.abs() + step.abs() - 1) / step.abs(),
        };
        if count == 0 {
            return self.add(Node::List(List::Items(Vec::new())));
        }
        self.add(Node::Range { start, step, count: u64::try_from(count).unwrap_or(u64::MAX) })
    }

    /// The argument of OrderedDict and Counter: a dict, or in Python 2 a list of pairs.
    fn ordered(&mut self, entries: Item) -> Step<Item> {
        if let Some(Node::Map(_)) = self.get(entries) {
            return Ok(entries);
        }
        let mut flat = Vec::new();
        for pair in self.elements(entries)? {
            match self.elements(pair)?[..] {
                [key, value] => flat.extend([key, value]),
                _ => return Err(self.wrong_args(Global::OrderedDict)),
            }
        }
        self.add(Node::Map(flat))
    }

    fn deque(&mut self, items: Item, maxlen: Item) -> Step<Item> {
        let maxlen = match maxlen {
            Item::None => None,
            Item::Int(n) if n >= 0 => usize::try_from(n).ok(),
            _ => return Err(self.wrong_args(Global::Deque)),
        };
        let items = self.elements(items)?;
        self.add(Node::Deque { items, maxlen })
    }

    /// The digits of an integer.
    fn decimal(&mut self, item: Item) -> Step<String> {
        match (item, self.get(item)) {
            (Item::Int(n), _) => Ok(n.to_string()),
            (_, Some(Node::BigInt(n))) => {
                let n = n.clone();
                if n.bits() > literal::MAX_DIGITS as u64 * 3 {
                    return Err(PickleErrorKind::refused(format!(
                        "a Fraction has more than about {} digits",
                        literal::MAX_DIGITS
                    )));
                }
                // Printing takes quadratic time, and a reference to the number only two bytes.
                self.work((n.bits() / 64).pow(2))?;
                Ok(n.to_string())
            }
            _ => Err(self.wrong_args(Global::Fraction)),
        }
    }

    fn scalar(&mut self, dtype: Item, data: Item) -> Step<Item> {
        self.uses_numpy = true;
        let (dtype, raw) = (self.dtype(dtype)?, self.raw(data)?);
        self.copy(raw.len())?;
        let scalar = NdArray::new(dtype, Vec::new(), Order::C, Data::Raw(raw))?;
        match scalar.into_value(None)? {
            Value::Bool(b) => Ok(Item::Bool(b)),
            Value::Int(n) => Ok(Item::Int(n)),
            Value::Float32(n) => Ok(Item::Float32(n)),
            Value::Float(n) => Ok(Item::Float(n)),
            value => self.add(Node::Built(value)),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `str(Decimal)` could read so.
fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    if let Some(payload) = text.strip_prefix("sNaN").or(text.strip_prefix("NaN")) {
        return payload.is_empty() || is_digits(payload);
    }
    let (number, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    text == "Infinity" || [whole, fraction, exponent].into_iter().all(is_digits)
}
