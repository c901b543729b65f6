//! Runs the opcodes of a pickle: CPython's `Unpickler.load`, as `Lib/pickletools.py` describes it.
//!
//! What the opcodes push and pop is in `stack`; what an object is made of, in `heap`, `reduce` and
//! `state`.

use bytes::Bytes;

use super::budget::{Budget, Room};
use super::error::{PickleError, PickleErrorKind, Step};
use super::heap::{Heap, List, Node};
use super::item::Item;
use super::opcode::*;
use super::stack::Machine;
use super::{expand, globals, literal};
use crate::value::Value;

/// What a pickle held.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The value. A list of nothing but floats, or of nothing but integers of 64 bits, is a
    /// [`Value::Array`]; an empty list is a [`Value::List`].
    pub value: Value,
    /// Whether the pickle held a numpy array or scalar, so that its sender can take one in reply.
    pub uses_numpy: bool,
}

/// The highest protocol that there is.
const HIGHEST_PROTOCOL: u8 = 5;

pub(super) fn run(
    pickle: &Bytes,
    budget: &Budget,
    room: &mut dyn Room,
) -> Result<Decoded, PickleError> {
    if pickle.len() > budget.bytes {
        let fault = PickleErrorKind::OverBudget { what: "bytes", limit: budget.bytes as u64 };
        return Err(PickleError { offset: 0, kind: fault });
    }
    let mut machine = Machine::new(pickle, budget, room);
    loop {
        let offset = machine.reader.position();
        let located = |fault| PickleError { offset, kind: fault };
        let Some(root) = machine.step().map_err(located)? else {
            continue;
        };
        let end = machine.reader.position();
        if end < pickle.len() {
            let fault = PickleErrorKind::after_end(pickle.len() - end);
            return Err(PickleError { offset: end, kind: fault });
        }
        let Machine { heap, .. } = machine;
        let uses_numpy = heap.uses_numpy;
        let value = expand::expand(heap, root, budget).map_err(located)?;
        return Ok(Decoded { value, uses_numpy });
    }
}

impl Machine<'_> {
    /// Runs one opcode; gives the root once it was STOP.
    #[inline]
    fn step(&mut self) -> Step<Option<Item>> {
        self.heap.work(1)?;
        let opcode = self.reader.byte()?;
        match opcode {
            BINFLOAT => {
                let item = Item::Float(f64::from_be_bytes(self.reader.array()?));
                self.push(item)?;
            }
            BININT => {
                let item = Item::Int(i32::from_le_bytes(self.reader.array()?).into());
                self.push(item)?;
            }
            BININT1 => {
                let item = Item::Int(self.reader.byte()?.into());
                self.push(item)?;
            }
            BININT2 => {
                let item = Item::Int(u16::from_le_bytes(self.reader.array()?).into());
                self.push(item)?;
            }
            NONE => self.push(Item::None)?,
            NEWTRUE => self.push(Item::Bool(true))?,
            NEWFALSE => self.push(Item::Bool(false))?,
            MARK => self.mark()?,
            MEMOIZE => self.memoize(self.memo.len())?,
            BINPUT => {
                let index = self.reader.length1()?;
                self.memoize(index)?;
            }
            LONG_BINPUT => {
                let index = self.reader.length4()?;
                self.memoize(index)?;
            }
            PUT => {
                let index = literal::index(self.reader.line()?)?;
                self.memoize(index)?;
            }
            BINGET => {
                let index = self.reader.length1()?;
                self.recall(index)?;
            }
            LONG_BINGET => {
                let index = self.reader.length4()?;
                self.recall(index)?;
            }
            GET => {
                let index = literal::index(self.reader.line()?)?;
                self.recall(index)?;
            }
            SHORT_BINUNICODE => {
                let length = self.reader.length1()?;
                self.text(length)?;
            }
            BINUNICODE => {
                let length = self.reader.length4()?;
                self.text(length)?;
            }
            BINUNICODE8 => {
                let length = self.reader.length8()?;
                self.text(length)?;
            }
            SHORT_BINBYTES => {
                let bytes = self.reader.length1().and_then(|length| self.reader.slice(length))?;
                self.push_node(Node::Bytes(bytes))?;
            }
            BINBYTES => {
                let bytes = self.reader.length4().and_then(|length| self.reader.slice(length))?;
                self.push_node(Node::Bytes(bytes))?;
            }
            BINBYTES8 | BYTEARRAY8 => {
                let bytes = self.reader.length8().and_then(|length| self.reader.slice(length))?;
                self.push_node(Node::Bytes(bytes))?;
            }
            SHORT_BINSTRING => {
                let bytes = self.reader.length1().and_then(|length| self.reader.slice(length))?;
                self.push_node(Node::Str2(bytes))?;
            }
            BINSTRING => {
                let length = self.reader.signed_length4()?;
                let bytes = self.reader.slice(length)?;
                self.push_node(Node::Str2(bytes))?;
            }
            EMPTY_TUPLE => self.push_node(Node::Tuple(Vec::new()))?,
            EMPTY_LIST => self.push_node(Node::List(List::Items(Vec::new())))?,
            EMPTY_DICT => self.push_node(Node::Map(Vec::new()))?,
            EMPTY_SET => self.push_node(Node::Set(Vec::new()))?,
            TUPLE1 => self.tuple(1)?,
            TUPLE2 => self.tuple(2)?,
            TUPLE3 => self.tuple(3)?,
            TUPLE => {
                let items = self.pop_to_mark()?;
                self.push_node(Node::Tuple(items))?;
            }
            FROZENSET => {
                let items = self.pop_to_mark()?;
                self.push_node(Node::Set(items))?;
            }
            LIST => {
                let items = self.pop_to_mark()?;
                let list = self.heap.add(Node::List(List::Items(Vec::new())))?;
                self.heap.extend(list, &items)?;
                self.push(list)?;
            }
            DICT => {
                let items = self.pop_to_mark()?;
                let dict = self.heap.add(Node::Map(Vec::new()))?;
                self.heap.set_items(dict, &items)?;
                self.push(dict)?;
            }
            APPEND => self.fill(1, Heap::extend)?,
            SETITEM => self.fill(2, Heap::set_items)?,
            APPENDS => self.fill_from_mark(Heap::extend)?,
            SETITEMS => self.fill_from_mark(Heap::set_items)?,
            ADDITEMS => self.fill_from_mark(Heap::add_items)?,
            REDUCE => {
                let (args, callable) = (self.pop()?, self.pop()?);
                let item = self.heap.reduce(callable, args)?;
                self.push(item)?;
            }
            NEWOBJ => {
                let (args, class) = (self.pop()?, self.pop()?);
                let item = self.heap.new_object(class, args)?;
                self.push(item)?;
            }
            BUILD => {
                let (state, object) = (self.pop()?, self.top()?);
                self.heap.set_state(object, state)?;
            }
            GLOBAL => {
                let (module, name) = (self.reader.line()?, self.reader.line()?);
                let global = globals::resolve(literal::utf8(module)?, literal::utf8(name)?)?;
                self.push(Item::Global(global))?;
            }
            STACK_GLOBAL => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (name, module) = (self.heap.text(name)?, self.heap.text(module)?);
                self.push(Item::Global(globals::resolve(&module, &name)?))?;
            }
            INT => match self.reader.line()? {
                b"00" => self.push(Item::Bool(false))?,
                b"01" => self.push(Item::Bool(true))?,
                line => self.integer(literal::integer(line)?)?,
            },
            LONG => {
                let n = literal::integer(self.reader.line()?)?;
                self.integer(n)?;
            }
            LONG1 => {
                let length = self.reader.length1()?;
                let n = literal::long(self.reader.take(length)?)?;
                self.integer(n)?;
            }
            LONG4 => {
                let length = self.reader.signed_length4()?;
                let n = literal::long(self.reader.take(length)?)?;
                self.integer(n)?;
            }
            FLOAT => {
                let item = Item::Float(literal::float(self.reader.line()?)?);
                self.push(item)?;
            }
            STRING => {
                let bytes = literal::string(self.reader.line()?)?;
                self.push_node(Node::Str2(bytes.into()))?;
            }
            UNICODE => {
                let text = literal::raw_unicode(self.reader.line()?)?;
                self.push_node(Node::Text(text.into()))?;
            }
            POP => {
                if self.stack.len() == self.fence {
                    self.pop_mark()?;
                } else {
                    self.pop()?;
                }
            }
            POP_MARK => {
                let mark = self.pop_mark()?;
                self.stack.truncate(mark);
            }
            DUP => {
                let item = self.top()?;
                self.push(item)?;
            }
            PROTO => {
                let protocol = self.reader.byte()?;
                if protocol > HIGHEST_PROTOCOL {
                    return Err(PickleErrorKind::refused(format!(
                        "the pickle has protocol {protocol}; {HIGHEST_PROTOCOL} is the highest \
                         known, pickle.dumps(value, protocol={HIGHEST_PROTOCOL}) works"
                    )));
                }
            }
            FRAME => {
                // Frames only help to read ahead, which a pickle in memory does not need.
                self.reader.length8()?;
            }
            STOP => return self.pop().map(Some),
            _ => return Err(refuse_opcode(opcode)),
        }
        Ok(None)
    }
}

fn refuse_opcode(opcode: u8) -> PickleErrorKind {
    let Some(name) = name(opcode) else {
        return PickleErrorKind::malformed(format!(
            "{opcode:#04x} is no opcode; these bytes are no pickle"
        ));
    };
    let cure = match opcode {
        PERSID | BINPERSID => "persistent objects live on their sender only; send the data itself",
        NEXT_BUFFER | READONLY_BUFFER => {
            "buffers kept out of the pickle do not arrive; pickle without buffer_callback"
        }
        EXT1 | EXT2 | EXT4 => "the extension registry is their sender's own; send plain values",
        _ => "it makes objects of classes; send plain values, such as a dict",
    };
    PickleErrorKind::refused(format!("the pickle uses {name}: {cure}"))
}
