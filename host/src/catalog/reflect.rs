//! A component's exports as named, typed functions.

use std::sync::Arc;

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Type as WasmType};

use super::names::{interface, snake_case};
use crate::codec::types::{Field, Parameter, Signature, Type};

/// A function that a component exports.
pub(super) struct Export {
    /// Its name without any prefix: `add`, `statistics/mean`.
    pub(super) name: String,
    pub(super) index: ComponentExportIndex,
    /// What it takes and returns, or why it cannot be called.
    pub(super) signature: Result<Signature, String>,
}

/// Every function that a component exports, but for what tool chains add of their own accord.
pub(super) fn exports(component: &Component) -> Vec<Export> {
    let engine = component.engine();
    let mut found = Vec::new();
    let mut add = |parent: Option<(&ComponentExportIndex, &str)>,
                   export: &str,
                   func: &ComponentFunc| {
        if let Some(index) = component.get_export_index(parent.map(|(index, _)| index), export) {
            let function = snake_case(export);
            let name =
                parent.map_or(function.clone(), |(_, parent)| format!("{parent}/{function}"));
            found.push(Export { name, index, signature: signature(func) });
        }
    };
    for (export, extern_) in component.component_type().exports(engine) {
        match &extern_.ty {
            ComponentItem::ComponentFunc(func) if !is_runtime_function(export, func) => {
                add(None, export, func);
            }
            ComponentItem::ComponentInstance(instance) if !is_runtime_interface(export) => {
                let Some(index) = component.get_export_index(None, export) else { continue };
                let interface = snake_case(interface(export));
                for (function, extern_) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(func) = &extern_.ty {
                        add(Some((&index, &interface)), function, func);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// QuickJS components export a bare `init`, which once put the script into them, others their ABI's
/// helpers.
fn is_runtime_function(export: &str, func: &ComponentFunc) -> bool {
    let takes_and_returns_nothing = func.params().len() == 0 && func.results().len() == 0;
    let takes_a_script = || func.params().map(|(name, _)| name).take(2).eq(["shim", "script"]);
    (export == "init" && (takes_and_returns_nothing || takes_a_script()))
        || export.starts_with("cabi_")
}

/// Commands and HTTP handlers are no procedures; componentize-py exports `exports` with an `init`.
fn is_runtime_interface(export: &str) -> bool {
    export.starts_with("wasi:") || export == "exports"
}

fn signature(func: &ComponentFunc) -> Result<Signature, String> {
    let parameters = func.params().map(|(name, ty)| {
        let ty = convert(&ty)
            .map_err(|reason| format!("its parameter `{}` {reason}", snake_case(name)))?;
        Ok(Parameter { name: snake_case(name).into(), ty, default: None })
    });
    let parameters = parameters.collect::<Result<_, String>>()?;
    let result = func
        .results()
        .next()
        .map(|ty| convert(&ty).map_err(|reason| format!("its result {reason}")));
    Ok(Signature { parameters, result: result.transpose()?, is_async: func.async_() })
}

/// The callable type, or what about it is not callable.
fn convert(ty: &WasmType) -> Result<Type, String> {
    let boxed = |ty: Option<WasmType>| ty.map(|ty| convert(&ty).map(Box::new)).transpose();
    let name = |name: &str| Arc::<str>::from(snake_case(name));
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
        WasmType::List(list) => Type::List(Box::new(convert(&list.ty())?)),
        WasmType::Tuple(tuple) => {
            Type::Tuple(tuple.types().map(|ty| convert(&ty)).collect::<Result<_, _>>()?)
        }
        WasmType::Record(record) => {
            let fields = record
                .fields()
                .map(|field| Ok(Field { name: name(field.name), ty: convert(&field.ty)? }));
            Type::Record(fields.collect::<Result<_, String>>()?)
        }
        WasmType::Variant(variant) => {
            let cases = variant
                .cases()
                .map(|case| Ok((name(case.name), case.ty.map(|ty| convert(&ty)).transpose()?)));
            Type::Variant(cases.collect::<Result<_, String>>()?)
        }
        WasmType::Enum(names) => Type::Enum(names.names().map(name).collect()),
        WasmType::Flags(names) => Type::Flags(names.names().map(name).collect()),
        WasmType::Option(option) => Type::Option(Box::new(convert(&option.ty())?)),
        WasmType::Result(result) => Type::Result(boxed(result.ok())?, boxed(result.err())?),
        WasmType::Own(_) | WasmType::Borrow(_) => return Err(not_callable("a resource")),
        WasmType::Stream(_) => return Err(not_callable("a stream")),
        WasmType::Future(_) => return Err(not_callable("a future")),
        WasmType::ErrorContext => return Err(not_callable("an error-context")),
        WasmType::Map(_) => return Err(not_callable("a map")),
        WasmType::FixedLengthList(_) => return Err(not_callable("a list of fixed length")),
    })
}

fn not_callable(what: &str) -> String {
    format!("has or holds {what}, which cannot be passed to a procedure from outside yet")
}
