//! The stack, the marks and the memo of a pickle that is being read, each within the budget.
//!
//! It knows no opcode.

use std::collections::HashMap;

use bytes::Bytes;

use super::budget::{Budget, Room};
use super::error::{PickleErrorKind, Step};
use super::heap::{Heap, Node};
use super::item::Item;
use super::literal::{self, Integer};
use super::reader::Reader;

/// A pickle that is being read.
pub(super) struct Machine<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) stack: Vec<Item>,
    /// The stack's height at each MARK that is still open.
    marks: Vec<usize>,
    /// The height of the topmost mark: nothing below it can be popped.
    pub(super) fence: usize,
    pub(super) memo: Memo,
    pub(super) heap: Heap<'a>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(pickle: &'a Bytes, budget: &Budget, room: &'a mut dyn Room) -> Self {
        Self {
            reader: Reader::new(pickle),
            stack: Vec::new(),
            marks: Vec::new(),
            fence: 0,
            memo: Memo::default(),
            heap: Heap::new(budget, room),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, item: Item) -> Step<()> {
        if !self.heap.allows(self.stack.len()) {
            return Err(self.heap.over_budget());
        }
        if self.stack.len() == self.stack.capacity() {
            self.heap.hold(self.stack.len() * size_of::<Item>())?;
        }
        self.stack.push(item);
        Ok(())
    }

    pub(super) fn push_node(&mut self, node: Node) -> Step<()> {
        let item = self.heap.add(node)?;
        self.push(item)
    }

    pub(super) fn text(&mut self, length: u64) -> Step<()> {
        let text = literal::utf8(self.reader.take(length)?)?;
        self.heap.hold(text.len())?;
        self.push_node(Node::Text(text.into()))
    }

    pub(super) fn integer(&mut self, n: Integer) -> Step<()> {
        match n {
            Integer::Small(n) => self.push(Item::Int(n)),
            Integer::Big(n) => self.push_node(Node::BigInt(n)),
        }
    }

    pub(super) fn pop(&mut self) -> Step<Item> {
        if self.stack.len() == self.fence {
            return Err(underflow());
        }
        self.stack.pop().ok_or_else(underflow)
    }

    pub(super) fn top(&self) -> Step<Item> {
        self.stack.get(self.fence..).and_then(<[Item]>::last).copied().ok_or_else(underflow)
    }

    pub(super) fn mark(&mut self) -> Step<()> {
        if !self.heap.allows(self.marks.len()) {
            return Err(self.heap.over_budget());
        }
        self.heap.hold(2 * size_of::<usize>())?;
        self.fence = self.stack.len();
        self.marks.push(self.fence);
        Ok(())
    }

    pub(super) fn pop_mark(&mut self) -> Step<usize> {
        let mark = self.marks.pop().ok_or_else(underflow)?;
        self.fence = self.marks.last().copied().unwrap_or(0);
        Ok(mark)
    }

    pub(super) fn pop_to_mark(&mut self) -> Step<Vec<Item>> {
        let mark = self.pop_mark()?;
        Ok(self.take_from(mark))
    }

    /// Not `split_off`, whose result may keep the whole stack's capacity.
    pub(super) fn take_from(&mut self, start: usize) -> Vec<Item> {
        let items = self.stack[start..].to_vec();
        self.stack.truncate(start);
        items
    }

    pub(super) fn tuple(&mut self, length: usize) -> Step<()> {
        let start = self.stack.len().checked_sub(length).filter(|start| *start >= self.fence);
        let items = self.take_from(start.ok_or_else(underflow)?);
        self.push_node(Node::Tuple(items))
    }

    /// Puts the topmost `count` items into the container below them.
    pub(super) fn fill(
        &mut self,
        count: usize,
        put: fn(&mut Heap<'a>, Item, &[Item]) -> Step<()>,
    ) -> Step<()> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start > self.fence);
        let start = start.ok_or_else(underflow)?;
        put(&mut self.heap, self.stack[start - 1], &self.stack[start..])?;
        self.stack.truncate(start);
        Ok(())
    }

    pub(super) fn fill_from_mark(
        &mut self,
        put: fn(&mut Heap<'a>, Item, &[Item]) -> Step<()>,
    ) -> Step<()> {
        let mark = self.pop_mark()?;
        self.fill(self.stack.len() - mark, put)
    }

    pub(super) fn memoize(&mut self, index: u64) -> Step<()> {
        if !self.heap.allows(self.memo.entries()) {
            return Err(self.heap.over_budget());
        }
        let item = self.top()?;
        self.heap.hold(2 * size_of::<Item>())?;
        self.memo.put(index, item);
        Ok(())
    }

    pub(super) fn recall(&mut self, index: u64) -> Step<()> {
        let item = self.memo.get(index).ok_or_else(|| {
            PickleErrorKind::malformed(format!(
                "the pickle refers to memo entry {index}, which it has not set"
            ))
        })?;
        self.push(item)
    }
}

/// Python numbers its memo in order, so a table will do; any other index goes into a map, where a
/// giant one costs no more than a small one.
#[derive(Default)]
pub(super) struct Memo {
    ordered: Vec<Item>,
    others: HashMap<u64, Item>,
}

impl Memo {
    /// The index that MEMOIZE sets.
    pub(super) fn len(&self) -> u64 {
        self.ordered.len() as u64
    }

    fn entries(&self) -> usize {
        self.ordered.len() + self.others.len()
    }

    fn put(&mut self, index: u64, item: Item) {
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(entry) = self.ordered.get_mut(position) {
            *entry = item;
        } else if position == self.ordered.len() {
            self.others.remove(&index);
            self.ordered.push(item);
        } else {
            self.others.insert(index, item);
        }
    }

    fn get(&self, index: u64) -> Option<Item> {
        let position = usize::try_from(index).unwrap_or(usize::MAX);
        self.ordered.get(position).or_else(|| self.others.get(&index)).copied()
    }
}

#[cold]
fn underflow() -> PickleErrorKind {
    PickleErrorKind::malformed("an opcode takes more from the stack than is there")
}
