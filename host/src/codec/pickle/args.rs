//! Takes arguments and states apart: what must be a string, bytes, a tuple ... is, or it is refused.
//!
//! It knows no class; what is made of the parts is up to `reduce` and `state`.

use std::sync::Arc;

use bytes::Bytes;

use super::dates::Zone;
use super::dtype::{Dtype, Kind};
use super::error::{PickleErrorKind, Step};
use super::globals::Global;
use super::heap::{Heap, Node};
use super::item::Item;
use super::literal;
use super::ndarray::{Data, MAX_DIMENSIONS, NdArray, Order};

impl Heap<'_> {
    /// The text of a `str` of either Python.
    pub(super) fn text(&self, item: Item) -> Step<Arc<str>> {
        match self.get(item) {
            Some(Node::Text(text)) => Ok(text.clone()),
            Some(Node::Str2(bytes)) if bytes.len() <= u8::MAX.into() => {
                literal::utf8(bytes).map(Arc::from)
            }
            _ => {
                let what = self.describe(item);
                Err(PickleErrorKind::malformed(format!("a string is expected, not {what}")))
            }
        }
    }

    pub(super) fn raw(&self, item: Item) -> Step<Bytes> {
        match self.get(item) {
            Some(Node::Bytes(bytes) | Node::Str2(bytes)) => Ok(bytes.clone()),
            _ => {
                let what = self.describe(item);
                Err(PickleErrorKind::malformed(format!("bytes are expected, not {what}")))
            }
        }
    }

    pub(super) fn fields(&self, item: Item) -> Step<&[Item]> {
        match self.get(item) {
            Some(Node::Tuple(items)) => Ok(items),
            _ => {
                let what = self.describe(item);
                Err(PickleErrorKind::malformed(format!("a tuple is expected, not {what}")))
            }
        }
    }

    /// A copy of the items of a list or tuple, counted before it is made.
    pub(super) fn elements(&mut self, item: Item) -> Step<Vec<Item>> {
        let length = match self.get(item) {
            Some(Node::List(list)) => list.len(),
            Some(Node::Tuple(items)) => items.len(),
            _ => 0,
        };
        self.copy(length.saturating_mul(size_of::<Item>()))?;
        match self.get(item) {
            Some(Node::List(list)) => Ok(list.to_items()),
            Some(Node::Tuple(items)) => Ok(items.clone()),
            _ => {
                let what = self.describe(item);
                Err(PickleErrorKind::malformed(format!("a list is expected, not {what}")))
            }
        }
    }

    /// The lengths or numbers of dimensions.
    pub(super) fn sizes(&self, item: Item) -> Step<Vec<usize>> {
        let size = |item: &Item| match item {
            Item::Int(n) => usize::try_from(*n).ok(),
            _ => None,
        };
        let fields = self.fields(item)?;
        if fields.len() > MAX_DIMENSIONS {
            return Err(PickleErrorKind::malformed(format!(
                "an array has {} dimensions; numpy allows {MAX_DIMENSIONS}",
                fields.len()
            )));
        }
        fields
            .iter()
            .map(size)
            .collect::<Option<_>>()
            .ok_or_else(|| PickleErrorKind::malformed("an array's shape is not made of sizes"))
    }

    pub(super) fn zone(&self, item: Item) -> Step<Zone> {
        match self.get(item) {
            Some(Node::Zone(zone)) => Ok(zone.clone()),
            _ => {
                let what = self.describe(item);
                Err(PickleErrorKind::malformed(format!("a time zone is expected, not {what}")))
            }
        }
    }

    pub(super) fn dtype(&self, item: Item) -> Step<Dtype> {
        match self.get(item) {
            Some(Node::Dtype(dtype)) => Ok(*dtype),
            _ => Dtype::parse(&self.text(item)?),
        }
    }

    pub(super) fn array(
        &mut self,
        shape: Item,
        dtype: Item,
        order: Order,
        data: Item,
    ) -> Step<Node> {
        self.uses_numpy = true;
        let (shape, dtype) = (self.sizes(shape)?, self.dtype(dtype)?);
        let data = match dtype.kind {
            Kind::Objects => Data::Objects(data),
            _ => Data::Raw(self.raw(data)?),
        };
        Ok(Node::Array(Box::new(NdArray::new(dtype, shape, order, data)?)))
    }

    pub(super) fn wrong_args(&self, global: Global) -> PickleErrorKind {
        let name = global.name();
        PickleErrorKind::refused(format!(
            "the pickle calls `{name}` with arguments that Python never pickles"
        ))
    }
}
