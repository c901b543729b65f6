//! What the opcodes push and pop.

use super::globals::Global;

/// What stands on the stack, in the memo and in containers: a small value, or the index of an object on
/// the heap.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item {
    None,
    Bool(bool),
    Int(i64),
    Float32(f32),
    Float(f64),
    Global(Global),
    Node(u32),
}
