//! A component's exports as named, typed functions.

use std::collections::HashSet;
use std::sync::Arc;

use tarp_schema::documentation::interface_name;
use tarp_schema::snake_case;
use tarp_schema::types::{MAX_DEPTH, MAX_JSON_DEPTH};
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Type as WasmType};

use super::names::interface_names;
use crate::codec::types::{Case, Field, Parameter, Signature, Type};
use crate::error::excerpt;

/// A function that a component exports.
pub(super) struct Export {
    /// Its name without any prefix: `add`, `statistics/mean`; what its author calls it, once that is known.
    pub(super) name: String,
    /// Its name by WIT, in snake_case.
    pub(super) wit_name: String,
    /// The same as its metadata has it, where several interfaces have one name.
    pub(super) short_name: String,
    pub(super) index: ComponentExportIndex,
    /// What it takes and returns, or why it cannot be called.
    pub(super) signature: Result<Signature, NotCallable>,
}

/// Every function that a component exports, but for what tool chains add of their own accord, and what
/// its owner should know of other exports.
///
/// # Errors
///
/// Where their types together are larger than the host keeps.
pub(super) fn exports(
    component: &Component,
    has_runtime_init: bool,
) -> Result<(Vec<Export>, Vec<String>), TooManyExports> {
    let engine = component.engine();
    let ty = component.component_type();
    let mut budget = Budget { nodes: MAX_NODES, names: MAX_NAMES, depth: MAX_DEPTH };
    let mut found: Vec<Export> = Vec::new();
    let mut taken = HashSet::new();
    let mut notes = Vec::new();
    let mut add = |parent: Option<(&ComponentExportIndex, &str, &str)>,
                   export: &str,
                   func: &ComponentFunc| {
        let index = component.get_export_index(parent.map(|(index, ..)| index), export);
        let Some(index) = index else { return };
        let function = snake_case(export);
        let below = |interface: &str| format!("{interface}/{function}");
        let name = parent.map_or(function.clone(), |(_, interface, _)| below(interface));
        let short_name = parent.map_or(function.clone(), |(.., short)| below(short));
        let signature = if taken.insert(name.clone()) {
            budget.name(&name).map_err(Into::into).and_then(|_| signature(func, &mut budget))
        } else {
            Err(NotCallable::SameName(name.clone()))
        };
        let wit_name = name.clone();
        found.push(Export { name, wit_name, short_name, index, signature });
    };
    let interfaces = ty.exports(engine).filter(|(export, extern_)| {
        matches!(extern_.ty, ComponentItem::ComponentInstance(_)) && !export.starts_with("wasi:")
    });
    let interfaces: Vec<_> = interfaces.map(|(export, _)| export).collect();
    if interfaces.len() > MAX_INTERFACES {
        return Err(TooManyExports::Interfaces);
    }
    let names = interface_names(&interfaces);
    for (export, extern_) in ty.exports(engine) {
        match &extern_.ty {
            ComponentItem::ComponentFunc(func) => {
                if !is_runtime_function(export, func, has_runtime_init) {
                    add(None, export, func);
                }
            }
            ComponentItem::ComponentInstance(instance) => {
                let is_runtime = export == "exports" && has_runtime_init;
                let Some(name) = names.get(export).filter(|_| !is_runtime) else {
                    notes.extend(note_on_wasi(export));
                    continue;
                };
                let Some(index) = component.get_export_index(None, export) else { continue };
                let short = snake_case(interface_name(export));
                if *name != short {
                    notes.push(format!(
                        "several interfaces are called `{short}`; the procedures of {export} are below `{name}/`"
                    ));
                }
                for (function, extern_) in instance.exports(engine) {
                    match &extern_.ty {
                        ComponentItem::ComponentFunc(func) => {
                            add(Some((&index, name, &short)), function, func);
                        }
                        ComponentItem::Type(_) | ComponentItem::Resource(_) => {}
                        _ => notes.push(format!(
                            "`{function}` of {export} is no function, and is not served"
                        )),
                    }
                }
            }
            ComponentItem::Type(_) | ComponentItem::Resource(_) => {}
            _ => notes.push(format!("its export `{export}` is no function, and is not served")),
        }
    }
    let more = notes.len().saturating_sub(MAX_NOTES);
    notes.truncate(MAX_NOTES);
    if more > 0 {
        notes.push(format!("{more} more of its exports are not served"));
    }
    match budget.exceeded() {
        Some(cause) => Err(cause),
        None => Ok((found, notes)),
    }
}

/// QuickJS components export a bare `init`, which once put the script into them, others their ABI's
/// helpers.
fn is_runtime_function(export: &str, func: &ComponentFunc, has_runtime_init: bool) -> bool {
    let takes_a_script = || func.params().map(|(name, _)| name).take(2).eq(["shim", "script"]);
    (export == "init" && (has_runtime_init || takes_a_script())) || export.starts_with("cabi_")
}

/// What to say of an interface of WASI that is exported: its functions are no procedures.
fn note_on_wasi(export: &str) -> Option<String> {
    let is_served = ["wasi:http/incoming-handler@", "wasi:http/handler@"];
    if !export.starts_with("wasi:") || is_served.iter().any(|name| export.starts_with(name)) {
        return None;
    }
    Some(if export.starts_with("wasi:cli/run") {
        format!(
            "it is also a command ({export}), which is not run here; only its functions are served"
        )
    } else {
        format!("it exports {export}, which this host does not call")
    })
}

/// What is said of exports one by one.
const MAX_NOTES: usize = 100;

/// Interfaces that a component exports.
const MAX_INTERFACES: usize = 1_000;

/// Types of all functions of a component together, with each as often as it is used: what is written
/// in 300 bytes may stand for a million.
const MAX_NODES: usize = 20_000;

/// Bytes of the names in them.
const MAX_NAMES: usize = 1 << 20;

/// Why none of a component's exports is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooManyExports {
    /// Interfaces.
    #[error("it exports more than {MAX_INTERFACES} interfaces; make several components of it")]
    Interfaces,
    /// Types.
    #[error(
        "the types of its functions consist of more than {MAX_NODES} types when written out; export less, or by simpler types"
    )]
    Types,
    /// Bytes of names.
    #[error(
        "the types of its functions have names of more than {} KiB when written out; export less, or by simpler types",
        MAX_NAMES >> 10
    )]
    Names,
}

/// Why a function cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotCallable {
    /// Another one has that name.
    #[error("would be called `{0}`, as another one is; rename one of them")]
    SameName(String),
    /// A parameter of that name.
    #[error("its parameter `{0}` {1}")]
    Parameter(String, Unfit),
    /// Its result.
    #[error("its result {0}")]
    Result(Unfit),
    /// There is no room left for its name.
    #[error(transparent)]
    Name(#[from] Unfit),
}

/// What is wrong with a type, to follow what has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// All types of the component together.
    #[error("is too large")]
    TooLarge,
    /// Types in one another.
    #[error("is too deep: more than {MAX_DEPTH} types lie in one another; use flatter types")]
    TooDeep,
    /// Arrays and objects in one another.
    #[error(
        "is too deep: listed in JSON it has more than {MAX_JSON_DEPTH} levels; use flatter types"
    )]
    TooDeepInJson,
    /// A map has keys of that type.
    #[error(
        "has or holds a map whose keys are {0}; the keys of a map are integers, bool, char or string"
    )]
    Keys(String),
    /// It is of that kind.
    #[error("has or holds {0}, which cannot be passed to a procedure from outside yet")]
    Kind(&'static str),
}

/// What the types of a component may still take.
struct Budget {
    nodes: usize,
    names: usize,
    depth: usize,
}

impl Budget {
    /// Takes a type, or a case or field without one.
    fn node(&mut self) -> Result<(), Unfit> {
        self.nodes = self.nodes.saturating_sub(1);
        if self.nodes == 0 { Err(Unfit::TooLarge) } else { Ok(()) }
    }

    fn name(&mut self, name: &str) -> Result<Arc<str>, Unfit> {
        self.node()?;
        self.names = self.names.saturating_sub(name.len());
        if self.names == 0 { Err(Unfit::TooLarge) } else { Ok(snake_case(name).into()) }
    }

    fn exceeded(&self) -> Option<TooManyExports> {
        match (self.nodes, self.names) {
            (0, _) => Some(TooManyExports::Types),
            (_, 0) => Some(TooManyExports::Names),
            _ => None,
        }
    }
}

fn signature(func: &ComponentFunc, budget: &mut Budget) -> Result<Signature, NotCallable> {
    let mut parameters = Vec::new();
    for (name, ty) in func.params() {
        let because = |reason| NotCallable::Parameter(snake_case(name), reason);
        let name = budget.name(name).map_err(because)?;
        let ty = listed(&ty, budget).map_err(because)?;
        parameters.push(Parameter { name, ty, default: None });
    }
    let result = match func.results().next() {
        Some(ty) => Some(listed(&ty, budget).map_err(NotCallable::Result)?),
        None => None,
    };
    Ok(Signature { parameters, result, is_async: func.async_() })
}

/// The callable type, as one that readers of the listing can read.
fn listed(ty: &WasmType, budget: &mut Budget) -> Result<Type, Unfit> {
    let ty = convert(ty, budget)?;
    if ty.json_depth() > MAX_JSON_DEPTH {
        return Err(Unfit::TooDeepInJson);
    }
    Ok(ty)
}

/// The callable type, or what about it is not callable.
fn convert(ty: &WasmType, budget: &mut Budget) -> Result<Type, Unfit> {
    budget.node()?;
    budget.depth = budget.depth.checked_sub(1).ok_or(Unfit::TooDeep)?;
    let converted = convert_inner(ty, budget);
    budget.depth += 1;
    converted
}

fn convert_inner(ty: &WasmType, budget: &mut Budget) -> Result<Type, Unfit> {
    Ok(match ty {
        WasmType::Bool => Type::Bool,
        WasmType::S8 => Type::S8,
        WasmType::U8 => Type::U8,
        WasmType::S16 => Type::S16,
        WasmType::U16 => Type::U16,
        WasmType::S32 => Type::S32,
        WasmType::U32 => Type::U32,
        WasmType::S64 => Type::S64,
        WasmType::U64 => Type::U64,
        WasmType::Float32 => Type::F32,
        WasmType::Float64 => Type::F64,
        WasmType::Char => Type::Char,
        WasmType::String => Type::String,
        WasmType::List(list) => Type::List(Box::new(convert(&list.ty(), budget)?)),
        WasmType::Map(map) => {
            let key = convert(&map.key(), budget)?;
            if !key.is_key() {
                return Err(Unfit::Keys(excerpt(&key.to_string()).into_owned()));
            }
            Type::Map { key: Box::new(key), value: Box::new(convert(&map.value(), budget)?) }
        }
        WasmType::Tuple(tuple) => {
            let types = tuple.types().map(|ty| convert(&ty, budget));
            Type::Tuple(types.collect::<Result<_, _>>()?)
        }
        WasmType::Record(record) => {
            let fields = record.fields().map(|field| {
                let name = budget.name(field.name)?;
                Ok(Field { name, ty: convert(&field.ty, budget)? })
            });
            Type::Record(fields.collect::<Result<_, Unfit>>()?)
        }
        WasmType::Variant(variant) => {
            let cases = variant.cases().map(|case| {
                let name = budget.name(case.name)?;
                Ok(Case { name, ty: case.ty.map(|ty| convert(&ty, budget)).transpose()? })
            });
            Type::Variant(cases.collect::<Result<_, Unfit>>()?)
        }
        WasmType::Enum(names) => {
            Type::Enum(names.names().map(|name| budget.name(name)).collect::<Result<_, _>>()?)
        }
        WasmType::Flags(names) => {
            Type::Flags(names.names().map(|name| budget.name(name)).collect::<Result<_, _>>()?)
        }
        WasmType::Option(option) => Type::Option(Box::new(convert(&option.ty(), budget)?)),
        WasmType::Result(result) => {
            Type::Result { ok: boxed(result.ok(), budget)?, err: boxed(result.err(), budget)? }
        }
        WasmType::Own(_) | WasmType::Borrow(_) => return Err(Unfit::Kind("a resource")),
        WasmType::Stream(_) => return Err(Unfit::Kind("a stream")),
        WasmType::Future(_) => return Err(Unfit::Kind("a future")),
        WasmType::ErrorContext => return Err(Unfit::Kind("an error-context")),
        WasmType::FixedLengthList(_) => return Err(Unfit::Kind("a list of fixed length")),
    })
}

fn boxed(ty: Option<WasmType>, budget: &mut Budget) -> Result<Option<Box<Type>>, Unfit> {
    ty.map(|ty| convert(&ty, budget).map(Box::new)).transpose()
}
