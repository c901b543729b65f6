//! A component that is ready to be run: a [`Program`], and a [`Function`] that it exports.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{ComponentExportIndex, InstancePre};

use super::access::Access;
use super::context::Context;
use super::imports;
use super::state::CallState;
use crate::codec::types::{Signature, Type, holds_map};
use crate::error::{CallError, ErrorKind};

/// A component that is compiled and whose imports are linked.
pub struct Program {
    pub(super) linked: InstancePre<CallState>,
    pub(super) is_repeatable: bool,
    /// Whether it can hold messages of `wasi:http`.
    pub(super) has_http: bool,
    pub(super) access: Arc<Access>,
    /// Memories beyond the first.
    pub(super) extra_memories: u32,
    pub(super) context: Arc<Context>,
}

/// A function that a [`Program`] exports.
#[derive(Clone)]
pub struct Function {
    pub(super) index: ComponentExportIndex,
    /// How many core values its result comes in; see `abi::Returned`.
    pub(super) flat_result: usize,
    pub(super) is_async: bool,
    /// The type of its result, where there are maps in that: the guest may have lists of pairs for them.
    pub(super) maps: Option<Arc<Type>>,
}

impl Program {
    /// Room for the memories of one call beyond the first, which every call has.
    pub(super) fn reserve(&self) -> Result<Option<OwnedSemaphorePermit>, CallError> {
        if self.extra_memories == 0 {
            return Ok(None);
        }
        Arc::clone(&self.context.room.extra_memories)
            .try_acquire_many_owned(self.extra_memories)
            .map(Some)
            .map_err(|_| {
                let message =
                    "every memory for components that have several is taken; try again later";
                CallError::new(ErrorKind::Overloaded, message).retry_after(1)
            })
    }

    /// The interfaces that it imports functions from, with their versions.
    pub fn imports(&self) -> Vec<String> {
        imports::of(self.linked.component())
    }

    /// What it might want, and what it was granted.
    pub fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// What the owner of its sidecar should know about its grants.
    pub fn warnings(&self) -> &[String] {
        &self.context.grants.warnings
    }

    /// Whether no call of this component can change anything outside its own instance, so that
    /// running one again, whatever became of the first time, is safe.
    ///
    /// A component has no way out but its imports, and they were all seen when it was linked. What
    /// counts is what they are good for: ordinary components import all of WASI, but nothing is
    /// granted with it unless the sidecar says so. What can be read alone (clocks, random numbers, the
    /// environment, the configuration, folders to read from) may give another run another result,
    /// but cannot be changed. The output and the interface `job` are heard by the call's owner
    /// alone. A folder to write to and a server make this false, and so does any other import, but for
    /// one of types only.
    pub fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }
}

impl Function {
    /// The function that a component exports at `index` with this signature.
    pub fn new(index: ComponentExportIndex, signature: &Signature) -> Self {
        let flat_result = match &signature.result {
            Some(ty) if signature.is_async => flat_count(ty),
            None if signature.is_async => 0,
            _ => 1,
        };
        // More than 16 come through memory, as one pointer.
        let flat_result = if flat_result > 16 { 1 } else { flat_result };
        let result = signature.result.as_ref().filter(|ty| holds_map(ty));
        let maps = result.map(|ty| Arc::new(ty.clone()));
        Self { index, flat_result, is_async: signature.is_async, maps }
    }
}

/// How many core values a type takes, by the canonical ABI's flattening.
fn flat_count(ty: &Type) -> usize {
    let optional = |ty: &Option<Box<Type>>| ty.as_deref().map_or(0, flat_count);
    match ty {
        Type::String | Type::List(_) | Type::Set(_) | Type::Map { .. } => 2,
        Type::Tuple(types) => types.iter().map(flat_count).sum(),
        Type::Record(fields) => fields.iter().map(|field| flat_count(&field.ty)).sum(),
        Type::Variant(cases) => {
            1 + cases.iter().filter_map(|case| case.ty.as_ref()).map(flat_count).max().unwrap_or(0)
        }
        Type::Flags(names) => names.len().div_ceil(32),
        Type::Option(inner) => 1 + flat_count(inner),
        Type::Result { ok, err } => 1 + optional(ok).max(optional(err)),
        _ => 1,
    }
}
