//! What the state of an object completes: the opcode BUILD.
//!
//! Each rule takes the state that CPython or numpy pickles for that class, and no other.

use super::error::{PickleErrorKind, Step};
use super::globals::Global;
use super::heap::{Heap, Node};
use super::item::Item;
use super::ndarray::Order;

impl Heap<'_> {
    /// BUILD: `object.__setstate__(state)`.
    pub(super) fn set_state(&mut self, object: Item, state: Item) -> Step<()> {
        let complete = match self.get(object) {
            Some(Node::UuidShell) => self.uuid(state)?,
            Some(Node::ArrayShell) => match self.fields(state)? {
                [_version, shape, dtype, fortran, data] => {
                    let (shape, dtype, data) = (*shape, *dtype, *data);
                    let fortran = matches!(fortran, Item::Bool(true) | Item::Int(1));
                    let order = if fortran { Order::Fortran } else { Order::C };
                    self.array(shape, dtype, order, data)?
                }
                _ => return Err(self.wrong_state(object)),
            },
            Some(Node::Dtype(dtype)) => match self.fields(state)? {
                [_version, order, Item::None, Item::None, ..] => {
                    let mut dtype = *dtype;
                    dtype.set_order(&self.text(*order)?);
                    Node::Dtype(dtype)
                }
                _ => return Err(self.wrong_state(object)),
            },
            // Attributes that someone has put on a collection are no part of what it collects.
            Some(Node::Map(_) | Node::Deque { .. }) => return Ok(()),
            _ => return Err(self.wrong_state(object)),
        };
        if let Some(node) = self.get_mut(object) {
            *node = complete;
        }
        Ok(())
    }

    /// The UUID of a state such as `{'int': 5, 'is_safe': 0}`.
    fn uuid(&self, state: Item) -> Step<Node> {
        let pairs = match self.get(state) {
            // `int` and perhaps `is_safe`; a long dict would be searched for each UUID again.
            Some(Node::Map(items)) if items.len() <= 4 => items.as_chunks::<2>().0,
            _ => &[],
        };
        let int = pairs.iter().find(|[key, _]| self.text(*key).is_ok_and(|key| &*key == "int"));
        let int = match int {
            Some([_, Item::Int(n)]) => u128::try_from(*n).ok(),
            Some([_, n]) => match self.get(*n) {
                Some(Node::BigInt(n)) => u128::try_from(&**n).ok(),
                _ => None,
            },
            None => None,
        };
        let hex = format!(
            "{:032x}",
            int.ok_or_else(|| PickleErrorKind::malformed("a UUID has no number"))?
        );
        let text = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        Ok(Node::Named { class: Global::Uuid.name(), text: text.into() })
    }

    fn wrong_state(&self, object: Item) -> PickleErrorKind {
        let what = self.describe(object);
        PickleErrorKind::refused(format!(
            "the pickle gives {what} a state that Python never pickles"
        ))
    }
}
