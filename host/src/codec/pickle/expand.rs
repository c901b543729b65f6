//! Makes a tree of the object graph that a pickle describes.
//!
//! Three passes, none of them recursive: order the objects so that each comes after those it holds,
//! refusing cycles; compute what the tree would take, shared objects counted as often as they
//! appear, refusing what is too large or too deep; and only then build, each object once. It knows
//! nothing of opcodes.

use super::budget::Budget;
use super::error::{PickleErrorKind, Step};
use super::heap::{Heap, List, Node};
use super::item::Item;
use super::ndarray;
use crate::value::{Array, PYTHON_2_STR, Value};

/// Trees are cloned and dropped recursively, so no budget may allow more levels than a thread's
/// stack surely holds.
const MAX_DEPTH: usize = 1000;

#[derive(Clone, Copy, Default)]
struct Info {
    /// The bytes of the tree below, without the root's own [`Value`].
    weight: u64,
    /// How many references to the object are still to be served.
    references: u32,
    height: u16,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    New,
    Open,
    Done,
}

/// The tree under `root`.
pub(super) fn expand(mut heap: Heap<'_>, root: Item, budget: &Budget) -> Step<Value> {
    let mut infos = vec![Info::default(); heap.nodes.len()];
    let order = order(&heap, root, budget, &mut infos)?;
    if let Item::Node(index) = root
        && let Some(info) = infos.get(index as usize)
    {
        heap.hold(usize::try_from(info.weight).unwrap_or(usize::MAX))?;
    }
    for index in order {
        let Some(slot) = heap.nodes.get_mut(index as usize) else {
            continue;
        };
        let node = std::mem::replace(slot, Node::Built(Value::None));
        let value = build(&mut heap, &mut infos, node)?;
        if let Some(slot) = heap.nodes.get_mut(index as usize) {
            *slot = Node::Built(value);
        }
    }
    take(&mut heap, &mut infos, root)
}

/// The objects that `root` reaches, each after those it holds, with their sizes checked.
fn order(heap: &Heap<'_>, root: Item, budget: &Budget, infos: &mut [Info]) -> Step<Vec<u32>> {
    let max_depth = budget.depth.min(MAX_DEPTH);
    let mut order = Vec::new();
    let mut path: Vec<(u32, std::slice::Iter<'_, Item>)> = Vec::new();
    let mut next = Some(root);
    loop {
        if let Some(Item::Node(index)) = next
            && let Some(node) = heap.nodes.get(index as usize)
        {
            let info = &mut infos[index as usize];
            info.references += 1;
            match info.state {
                State::Done => {}
                State::Open => {
                    return Err(PickleErrorKind::refused(format!(
                        "{} contains itself; only values without cycles can be sent",
                        node.describe()
                    )));
                }
                State::New => {
                    if path.len() > max_depth {
                        return Err(too_deep(max_depth));
                    }
                    info.state = State::Open;
                    path.push((index, node.items().iter()));
                }
            }
        }
        let Some((index, rest)) = path.last_mut() else {
            return Ok(order);
        };
        next = rest.find(|item| matches!(item, Item::Node(_))).copied();
        if next.is_none() {
            let index = *index;
            let info = measure(heap, infos, index);
            if usize::from(info.height) > max_depth {
                return Err(too_deep(max_depth));
            }
            if info.weight > budget.expansion {
                return Err(PickleErrorKind::OverBudget {
                    what: "bytes of memory for its values",
                    limit: budget.expansion,
                });
            }
            infos[index as usize] = info;
            order.push(index);
            path.pop();
        }
    }
}

fn too_deep(limit: usize) -> PickleErrorKind {
    PickleErrorKind::OverBudget { what: "levels of nesting", limit: limit as u64 }
}

/// What becomes of an object whose parts are measured.
fn measure(heap: &Heap<'_>, infos: &[Info], index: u32) -> Info {
    let mut info = infos[index as usize];
    info.state = State::Done;
    let Some(node) = heap.nodes.get(index as usize) else {
        return info;
    };
    let (own, levels) = match node {
        Node::BigInt(n) => (n.bits() / 8, 0),
        Node::List(List::Ints(ints)) => (8 * ints.len() as u64, 1),
        Node::List(List::Floats(floats)) => (8 * floats.len() as u64, 1),
        Node::Range { count, .. } => (count.saturating_mul(8), 1),
        Node::Array(array) => (array.cost(), array.depth()),
        Node::List(_) | Node::Deque { .. } | Node::Tuple(_) | Node::Set(_) | Node::Map(_) => (0, 1),
        _ => (0, 0),
    };
    info.weight = own;
    let mut height = 0;
    for item in node.items() {
        info.weight = info.weight.saturating_add(size_of::<Value>() as u64);
        if let Item::Node(part) = item
            && let Some(part) = infos.get(*part as usize)
        {
            info.weight = info.weight.saturating_add(part.weight);
            height = height.max(part.height);
        }
    }
    info.height = height.saturating_add(levels as u16);
    info
}

fn build(heap: &mut Heap<'_>, infos: &mut [Info], node: Node) -> Step<Value> {
    Ok(match node {
        Node::Text(text) => Value::Text(text),
        Node::Bytes(bytes) => Value::Bytes(bytes),
        // Text or bytes: the type of its parameter knows.
        Node::Str2(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => Value::Named { class: PYTHON_2_STR, text: text.into() },
            Err(_) => Value::Bytes(bytes),
        },
        Node::BigInt(n) => Value::BigInt(n),
        Node::List(List::Ints(ints)) => Value::Array(Array::row(ints)),
        Node::List(List::Floats(floats)) => Value::Array(Array::row(floats)),
        Node::List(List::Items(items)) => Value::List(take_all(heap, infos, &items)?),
        Node::Deque { items, maxlen } => {
            let mut values = take_all(heap, infos, &items)?;
            let gone = maxlen.map_or(0, |maxlen| values.len().saturating_sub(maxlen));
            ndarray::list(values.split_off(gone))
        }
        Node::Tuple(items) => Value::Tuple(take_all(heap, infos, &items)?),
        Node::Set(items) => {
            let values = take_all(heap, infos, &items)?;
            if let Some(value) = values.iter().find(|value| !hashable(value)) {
                return Err(unhashable(value, "an element of a set"));
            }
            Value::Set(values)
        }
        Node::Map(items) => {
            let mut entries = Vec::with_capacity(items.len() / 2);
            let (pairs, _) = items.as_chunks::<2>();
            for [key, value] in pairs {
                let key = match take(heap, infos, *key)? {
                    Value::Named { class: PYTHON_2_STR, text } => Value::Text(text),
                    key => key,
                };
                if !hashable(&key) {
                    return Err(unhashable(&key, "the key of a dict"));
                }
                entries.push((key, take(heap, infos, *value)?));
            }
            Value::Map(entries)
        }
        Node::Range { start, step, count } => {
            // The count was computed from the ends, so no term is out of range.
            let mut next = start;
            let terms = (0..count).map(|_| {
                let term = next;
                next = next.wrapping_add(step);
                term
            });
            Value::Array(Array::row(terms.collect::<Vec<_>>()))
        }
        Node::Named { class, text } => Value::Named { class, text },
        Node::Delta(delta) => {
            Value::Named { class: "datetime.timedelta", text: delta.text().into() }
        }
        Node::Zone(zone) => Value::Named { class: zone.class(), text: zone.text() },
        Node::Array(array) => {
            let objects = match array.objects() {
                [list] => {
                    let list = *list;
                    Some(take(heap, infos, list)?)
                }
                _ => None,
            };
            array.into_value(objects)?
        }
        Node::Built(value) => value,
        Node::UuidShell | Node::ArrayShell | Node::Dtype(_) => {
            return Err(PickleErrorKind::refused(format!(
                "{} is not a value that can be sent",
                node.describe()
            )));
        }
    })
}

fn take_all(heap: &mut Heap<'_>, infos: &mut [Info], items: &[Item]) -> Step<Vec<Value>> {
    items.iter().map(|item| take(heap, infos, *item)).collect()
}

/// The value of an item whose object is built; the last to ask gets the object itself.
fn take(heap: &mut Heap<'_>, infos: &mut [Info], item: Item) -> Step<Value> {
    Ok(match item {
        Item::None => Value::None,
        Item::Bool(b) => Value::Bool(b),
        Item::Int(n) => Value::Int(n),
        Item::Float32(n) => Value::Float32(n),
        Item::Float(n) => Value::Float(n),
        Item::Global(_) => {
            let what = heap.describe(item);
            return Err(PickleErrorKind::refused(format!(
                "{what} is sent, where a value is expected"
            )));
        }
        Item::Node(index) => {
            let references = &mut infos[index as usize].references;
            *references = references.saturating_sub(1);
            match (heap.nodes.get_mut(index as usize), *references) {
                (Some(Node::Built(value)), 0) => std::mem::replace(value, Value::None),
                (Some(Node::Built(value)), _) => value.clone(),
                _ => {
                    return Err(PickleErrorKind::malformed(
                        "an object refers to one that is not there",
                    ));
                }
            }
        }
    })
}

/// Whether Python could have it as a key. Sets are let through, as frozensets look the same here.
fn hashable(value: &Value) -> bool {
    match value {
        Value::Array(_) | Value::List(_) | Value::Map(_) => false,
        Value::Tuple(values) => values.iter().all(hashable),
        _ => true,
    }
}

fn unhashable(value: &Value, role: &str) -> PickleErrorKind {
    PickleErrorKind::malformed(format!("{} cannot be {role}; make it a tuple", value.describe()))
}
