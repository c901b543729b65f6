//! The objects of a pickle while it is being read: small values inline, the rest in one arena.
//!
//! Lists and dicts are memoized before they are filled, so objects refer to each other by index and
//! may be shared or even contain themselves. Making a tree of that is left to `expand`.

use std::sync::Arc;

use bytes::Bytes;
use num_bigint::BigInt;

use super::budget::{Budget, Room};
use super::dates::{Delta, Zone};
use super::dtype::Dtype;
use super::error::{PickleErrorKind, Step};
use super::item::Item;
use super::ndarray::NdArray;
use crate::value::Value;

/// An object in the arena.
#[derive(Debug)]
pub(super) enum Node {
    Text(Arc<str>),
    Bytes(Bytes),
    /// A `str` of Python 2: text if it is UTF-8, which only those who use it as such need to check.
    Str2(Bytes),
    BigInt(Box<BigInt>),
    List(List),
    /// `maxlen` as in Python: the oldest items beyond it are gone.
    Deque {
        items: Vec<Item>,
        maxlen: Option<usize>,
    },
    Tuple(Vec<Item>),
    Set(Vec<Item>),
    /// Keys and values by turns.
    Map(Vec<Item>),
    Range {
        start: i64,
        step: i64,
        count: u64,
    },
    Named {
        class: &'static str,
        text: Arc<str>,
    },
    Delta(Delta),
    Zone(Zone),
    /// A UUID whose state is still to come.
    UuidShell,
    /// An ndarray whose state is still to come.
    ArrayShell,
    Dtype(Dtype),
    Array(Box<NdArray>),
    /// Expanded, and possibly handed on already.
    Built(Value),
}

impl Node {
    /// What the object is, as a message says it.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Bytes(_) | Self::Str2(_) => "bytes",
            Self::BigInt(_) => "an integer",
            Self::List(_) => "a list",
            Self::Deque { .. } => "a deque",
            Self::Tuple(_) => "a tuple",
            Self::Set(_) => "a set",
            Self::Map(_) => "a dict",
            Self::Range { .. } => "a range",
            Self::Named { class, .. } => class,
            Self::Delta(_) => "a timedelta",
            Self::Zone(_) => "a time zone",
            Self::UuidShell => "a UUID without its state",
            Self::ArrayShell => "a numpy array without its state",
            Self::Dtype(_) => "a numpy dtype",
            Self::Array(_) => "an array",
            Self::Built(_) => "a value",
        }
    }

    /// The objects that this one holds.
    pub(super) fn items(&self) -> &[Item] {
        match self {
            Self::List(List::Items(items))
            | Self::Deque { items, .. }
            | Self::Tuple(items)
            | Self::Set(items)
            | Self::Map(items) => items,
            Self::Array(array) => array.objects(),
            _ => &[],
        }
    }
}

/// A list; numbers of one type stay one block of memory from the first to the last.
#[derive(Debug)]
pub(super) enum List {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Items(Vec<Item>),
}

impl List {
    /// Appends the numbers at the front of `items` that fit the block; how many those were.
    fn take_numbers(&mut self, items: &[Item]) -> usize {
        if let Self::Items(held) = self
            && held.is_empty()
        {
            match items.first() {
                Some(Item::Int(_)) => *self = Self::Ints(Vec::new()),
                Some(Item::Float(_)) => *self = Self::Floats(Vec::new()),
                _ => {}
            }
        }
        match self {
            Self::Ints(held) => {
                let before = held.len();
                held.extend(items.iter().map_while(|item| match item {
                    Item::Int(n) => Some(*n),
                    _ => None,
                }));
                held.len() - before
            }
            Self::Floats(held) => {
                let before = held.len();
                held.extend(items.iter().map_while(|item| match item {
                    Item::Float(n) => Some(*n),
                    _ => None,
                }));
                held.len() - before
            }
            Self::Items(_) => 0,
        }
    }

    /// The items one by one, whatever the list is made of.
    pub(super) fn to_items(&self) -> Vec<Item> {
        match self {
            Self::Ints(ints) => ints.iter().copied().map(Item::Int).collect(),
            Self::Floats(floats) => floats.iter().copied().map(Item::Float).collect(),
            Self::Items(items) => items.clone(),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Ints(ints) => ints.len(),
            Self::Floats(floats) => floats.len(),
            Self::Items(items) => items.len(),
        }
    }
}

/// What an object or a reference to one takes at the most, with the tables that are made of them.
const NODE: usize = 64;

/// Room is asked for in steps of so many bytes.
const STEP: usize = 16 << 10;

/// The arena, which counts what it holds: objects, and references that containers hold.
pub(super) struct Heap<'a> {
    pub(super) nodes: Vec<Node>,
    /// Whether there was a numpy array or scalar.
    pub(super) uses_numpy: bool,
    held: u64,
    limit: u64,
    operations: Allowance,
    copies: Allowance,
    room: &'a mut dyn Room,
    /// Bytes that `room` has not been asked for yet.
    unasked: usize,
}

/// What is left of a budget.
struct Allowance {
    left: u64,
    limit: u64,
    what: &'static str,
}

impl Allowance {
    fn new(limit: u64, what: &'static str) -> Self {
        Self { left: limit, limit, what }
    }

    #[inline]
    fn spend(&mut self, n: u64) -> Step<()> {
        match self.left.checked_sub(n) {
            Some(left) => self.left = left,
            None => {
                return Err(PickleErrorKind::OverBudget { what: self.what, limit: self.limit });
            }
        }
        Ok(())
    }
}

impl<'a> Heap<'a> {
    pub(super) fn new(budget: &Budget, room: &'a mut dyn Room) -> Self {
        Self {
            nodes: Vec::new(),
            uses_numpy: false,
            held: 0,
            // Indices into the arena are 32 bits wide.
            limit: budget.nodes.min(u64::from(u32::MAX)),
            operations: Allowance::new(budget.operations, "operations"),
            copies: Allowance::new(budget.expansion, "bytes of copies"),
            room,
            unasked: 0,
        }
    }

    /// Counts `n` steps of work.
    #[inline]
    pub(super) fn work(&mut self, n: u64) -> Step<()> {
        self.operations.spend(n)
    }

    /// Counts bytes that are made anew and not a part of the pickle, before they are made.
    pub(super) fn copy(&mut self, bytes: usize) -> Step<()> {
        self.copies.spend(bytes as u64)?;
        self.hold(bytes)
    }

    /// Asks for room, before memory is taken.
    #[inline]
    pub(super) fn hold(&mut self, bytes: usize) -> Step<()> {
        self.unasked = self.unasked.saturating_add(bytes);
        if self.unasked < STEP {
            return Ok(());
        }
        if self.room.take(std::mem::take(&mut self.unasked)) {
            Ok(())
        } else {
            Err(PickleErrorKind::NoRoom)
        }
    }

    /// Counts `n` objects or references; called before their memory is taken.
    pub(super) fn charge(&mut self, n: usize) -> Step<()> {
        self.held += n as u64;
        if self.held > self.limit {
            return Err(self.over_budget());
        }
        self.hold(n.saturating_mul(NODE))
    }

    #[cold]
    pub(super) fn over_budget(&self) -> PickleErrorKind {
        PickleErrorKind::OverBudget { what: "objects", limit: self.limit }
    }

    /// Whether a table of `n` entries is within the budget; for the stack, the marks and the memo.
    #[inline]
    pub(super) fn allows(&self, n: usize) -> bool {
        n as u64 <= self.limit
    }

    pub(super) fn add(&mut self, node: Node) -> Step<Item> {
        self.charge(1 + node.items().len())?;
        let index = self.nodes.len() as u32;
        self.nodes.push(node);
        Ok(Item::Node(index))
    }

    pub(super) fn get(&self, item: Item) -> Option<&Node> {
        match item {
            Item::Node(index) => self.nodes.get(index as usize),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, item: Item) -> Option<&mut Node> {
        match item {
            Item::Node(index) => self.nodes.get_mut(index as usize),
            _ => None,
        }
    }

    /// What `item` is, as a message says it.
    pub(super) fn describe(&self, item: Item) -> String {
        match item {
            Item::None => "None".into(),
            Item::Bool(_) => "a bool".into(),
            Item::Int(_) => "an integer".into(),
            Item::Float32(_) | Item::Float(_) => "a float".into(),
            Item::Global(global) => format!("the class or function `{}`", global.name()),
            Item::Node(_) => self.get(item).map_or("nothing", Node::describe).into(),
        }
    }

    /// Python's `list.extend`, also for a deque.
    pub(super) fn extend(&mut self, target: Item, items: &[Item]) -> Step<()> {
        // Numbers stay numbers, in a block that may double.
        self.hold(items.len().saturating_mul(2 * size_of::<i64>()))?;
        let taken = match self.get_mut(target) {
            Some(Node::List(list)) => list.take_numbers(items),
            Some(Node::Deque { .. }) => 0,
            _ => {
                let target = self.describe(target);
                return Err(PickleErrorKind::malformed(format!("items are appended to {target}")));
            }
        };
        if taken == items.len() {
            return Ok(());
        }
        let rest = &items[taken..];
        let boxed = match self.get(target) {
            Some(Node::List(list @ (List::Ints(_) | List::Floats(_)))) => list.len(),
            _ => 0,
        };
        self.charge(boxed + rest.len())?;
        match self.get_mut(target) {
            Some(Node::List(List::Items(held)) | Node::Deque { items: held, .. }) => {
                held.extend_from_slice(rest);
            }
            Some(Node::List(list)) => {
                let mut held = list.to_items();
                held.extend_from_slice(rest);
                *list = List::Items(held);
            }
            _ => {}
        }
        Ok(())
    }

    /// Python's `dict.update` with keys and values by turns.
    pub(super) fn set_items(&mut self, target: Item, items: &[Item]) -> Step<()> {
        if !items.len().is_multiple_of(2) {
            return Err(PickleErrorKind::malformed("a dict gets a key without a value"));
        }
        self.charge(items.len())?;
        match self.get_mut(target) {
            Some(Node::Map(held)) => held.extend_from_slice(items),
            _ => {
                let target = self.describe(target);
                return Err(PickleErrorKind::malformed(format!(
                    "keys and values are put into {target}"
                )));
            }
        }
        Ok(())
    }

    /// Python's `set.update`.
    pub(super) fn add_items(&mut self, target: Item, items: &[Item]) -> Step<()> {
        self.charge(items.len())?;
        match self.get_mut(target) {
            Some(Node::Set(held)) => held.extend_from_slice(items),
            _ => {
                let target = self.describe(target);
                return Err(PickleErrorKind::malformed(format!(
                    "set elements are put into {target}"
                )));
            }
        }
        Ok(())
    }
}
