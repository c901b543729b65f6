//! Numbers that arrive as one block: numpy's arrays and scalars, and Python's `array.array`.
//!
//! The states are those of numpy's `array_reduce_ex`. Until the pickle is read to its end an array is
//! only a view of the pickle's bytes, so that a reference to it costs nothing; it knows neither
//! opcodes nor budgets.

use bytes::Bytes;

use super::dtype::{Dtype, Kind};
use super::error::{PickleErrorKind, Step};
use super::item::Item;
use crate::value::{Array, Numbers, Value};

/// The most dimensions that any numpy has (2.x; 32 before).
pub(super) const MAX_DIMENSIONS: usize = 64;

/// How the elements lie in memory.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Row-major.
    C,
    /// Column-major.
    Fortran,
    /// Row-major with the dimensions in this order, which numpy 2.3 began to write as `K`.
    Axes(Vec<usize>),
}

#[derive(Debug)]
pub(super) enum Data {
    Raw(Bytes),
    /// A list, always row-major.
    Objects(Item),
}

/// An array whose parts are known and fit each other.
#[derive(Debug)]
pub(super) struct NdArray {
    dtype: Dtype,
    shape: Vec<usize>,
    order: Order,
    data: Data,
}

impl NdArray {
    /// `shape` is that of the memory: for [`Order::Axes`], before the axes are swapped.
    pub(super) fn new(dtype: Dtype, shape: Vec<usize>, order: Order, data: Data) -> Step<Self> {
        match (&data, dtype.kind) {
            (Data::Objects(_), Kind::Objects) => {}
            (Data::Raw(raw), kind) if kind != Kind::Objects => {
                let size = shape.iter().try_fold(dtype.size(), |n, dim| n.checked_mul(*dim));
                if size != Some(raw.len()) {
                    return Err(PickleErrorKind::malformed(format!(
                        "an array of shape {shape:?} has {} bytes of data",
                        raw.len()
                    )));
                }
            }
            _ => return Err(PickleErrorKind::malformed("an array's data do not fit its dtype")),
        }
        if let Order::Axes(axes) = &order {
            let mut sorted = axes.clone();
            sorted.sort_unstable();
            if !sorted.into_iter().eq(0..shape.len()) {
                return Err(PickleErrorKind::malformed("an array's axes do not fit its shape"));
            }
        }
        Ok(Self { dtype, shape, order, data })
    }

    pub(super) fn objects(&self) -> &[Item] {
        match &self.data {
            Data::Objects(list) => std::slice::from_ref(list),
            Data::Raw(_) => &[],
        }
    }

    /// The bytes that the finished value will take, empty dimensions included.
    pub(super) fn cost(&self) -> u64 {
        let product = |dims: &[usize]| {
            dims.iter().fold(1u64, |n, dim| n.saturating_mul((*dim).max(1) as u64))
        };
        let value = size_of::<Value>() as u64;
        let size = self.dtype.size() as u64;
        match self.dtype.kind {
            Kind::F16 => product(&self.shape).saturating_mul(4),
            Kind::Text(_) | Kind::Bytes(_) | Kind::Objects => {
                product(&self.shape).saturating_mul(2 * value + 16 + size)
            }
            _ if self.shape.contains(&0) => product(&self.shape).saturating_mul(value),
            _ => product(&self.shape).saturating_mul(size),
        }
    }

    /// How deep the finished value nests beyond what it holds.
    pub(super) fn depth(&self) -> usize {
        match self.dtype.kind {
            Kind::Text(_) | Kind::Bytes(_) | Kind::Objects => self.shape.len(),
            _ => 0,
        }
    }

    /// The finished value: a scalar if there are no dimensions, an [`Array`] of numbers, or nested
    /// lists. `objects` is the list of an array of objects, already expanded.
    pub(super) fn into_value(self, objects: Option<Value>) -> Step<Value> {
        let shape = match &self.order {
            Order::Axes(axes) => axes.iter().map(|axis| self.shape[*axis]).collect(),
            _ => self.shape.clone(),
        };
        let raw = match &self.data {
            Data::Raw(raw) => raw,
            Data::Objects(_) => return arrange(objects.unwrap_or(Value::None), shape),
        };
        let gathered;
        let raw = match self.strides() {
            None => &raw[..],
            Some(strides) => {
                gathered = gather(raw, self.dtype.size(), &shape, &strides);
                &gathered
            }
        };
        if let Some(numbers) = self.dtype.numbers(raw) {
            return reshape(numbers, shape);
        }
        let (size, count) = (self.dtype.size(), shape.iter().product::<usize>());
        let elements = (0..count)
            .map(|i| self.dtype.element(&raw[i * size..(i + 1) * size]))
            .collect::<Step<Vec<_>>>()?;
        Ok(nest(elements, &shape))
    }

    /// The step in bytes along each dimension of the finished shape, unless it is row-major anyway.
    fn strides(&self) -> Option<Vec<usize>> {
        let size = self.dtype.size();
        let running = |dims: &mut dyn Iterator<Item = usize>| {
            let mut step = size;
            dims.map(|dim| {
                let next = step * dim;
                std::mem::replace(&mut step, next)
            })
            .collect::<Vec<_>>()
        };
        match &self.order {
            Order::C => None,
            Order::Fortran if self.shape.len() < 2 => None,
            Order::Fortran => Some(running(&mut self.shape.iter().copied())),
            Order::Axes(axes) => {
                let mut strides = running(&mut self.shape.iter().rev().copied());
                strides.reverse();
                Some(axes.iter().map(|axis| strides[*axis]).collect())
            }
        }
    }
}

/// Copies elements of `size` bytes into row-major order.
fn gather(raw: &[u8], size: usize, shape: &[usize], strides: &[usize]) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(raw.len());
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    while gathered.len() < raw.len() {
        gathered.extend_from_slice(&raw[at..at + size]);
        for dim in (0..shape.len()).rev() {
            index[dim] += 1;
            at += strides[dim];
            if index[dim] < shape[dim] {
                break;
            }
            at -= strides[dim] * shape[dim];
            index[dim] = 0;
        }
    }
    gathered
}

fn reshape(numbers: Numbers, shape: Vec<usize>) -> Step<Value> {
    if shape.is_empty() && numbers.len() == 1 {
        return Ok(numbers.get(0));
    }
    Array::new(shape, numbers).map(Value::Array).ok_or_else(misfit)
}

/// Gives the elements of an array of objects their shape.
fn arrange(objects: Value, shape: Vec<usize>) -> Step<Value> {
    match objects {
        Value::Array(array) => reshape(array.into_numbers(), shape),
        Value::List(objects)
            if Some(objects.len()) == shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) =>
        {
            Ok(nest(objects, &shape))
        }
        _ => Err(misfit()),
    }
}

fn misfit() -> PickleErrorKind {
    PickleErrorKind::malformed("an array of objects has more or fewer of them than its shape says")
}

/// Nests as many elements as `shape` asks for; without dimensions, the only element.
fn nest(mut elements: Vec<Value>, shape: &[usize]) -> Value {
    let Some((_, inner)) = shape.split_first() else {
        return elements.pop().unwrap_or(Value::None);
    };
    for dim in (1..=inner.len()).rev() {
        let lists = shape[..dim].iter().product();
        let mut rest = elements.into_iter();
        elements = (0..lists).map(|_| list(rest.by_ref().take(shape[dim]).collect())).collect();
    }
    list(elements)
}

/// A list, as one block if it holds numbers of one type.
pub(super) fn list(values: Vec<Value>) -> Value {
    macro_rules! block {
        ($variant:ident) => {{
            let number = |value: &Value| match value {
                Value::$variant(n) => Some(*n),
                _ => None,
            };
            match values.iter().map(number).collect::<Option<Vec<_>>>() {
                Some(numbers) => Value::Array(Array::row(numbers)),
                None => Value::List(values),
            }
        }};
    }
    match values.first() {
        Some(Value::Int(_)) => block!(Int),
        Some(Value::Float(_)) => block!(Float),
        _ => Value::List(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_dimension_may_not_hide_a_giant_one() {
        let dtype = Dtype::parse("f8").unwrap();
        let array = NdArray::new(dtype, vec![1 << 40, 0], Order::C, Data::Raw(Bytes::new()));
        assert!(array.unwrap().cost() > 1 << 40);
    }
}
