//! Says what a component imports and the host does not provide: all of it at once.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, Error, Result, bail};

use super::state::CallState;

/// More are not named one by one.
const MANY: usize = 100;

/// Why the component could not be linked, where `error` was the first reason.
///
/// wasmtime names one import at a time, so each is defined as something that cannot be called until
/// it has nothing left to name.
pub(super) fn explain(
    linker: &Linker<CallState>,
    component: &Component,
    error: Error,
) -> ImportError {
    let engine = component.engine();
    let ty = component.component_type();
    let mut linker = linker.clone();
    linker.allow_shadowing(true);
    let mut missing: Vec<&str> = Vec::new();
    let mut other = None;
    let mut error = Some(error);
    while let Some(e) = error.take() {
        let text = format!("{e:#}");
        let is_named = |name: &str| text.contains(&format!("`{name}`"));
        let import = ty.imports(engine).find(|(name, _)| is_named(name));
        let Some((name, import)) = import.filter(|_| text.ends_with("is missing")) else {
            other = Some(text);
            break;
        };
        let is_new = !missing.contains(&name);
        if is_new {
            missing.push(name);
        }
        // Its resources may be those of another interface, so they are defined only where needed.
        if missing.len() == MANY || define(&mut linker, name, &import.ty, engine, !is_new).is_err()
        {
            break;
        }
        error = linker.instantiate_pre(component).err();
        let is_repeated = error.as_ref().is_some_and(|error| format!("{error:#}") == text);
        if is_repeated && !is_new {
            break;
        }
    }
    if missing.is_empty() {
        return ImportError::Refused(other.unwrap_or_default());
    }
    ImportError::Missing(missing.into_iter().map(str::to_owned).collect())
}

/// Why the imports of a component cannot be linked to what the host provides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It imports what there is not.
    #[error("there is no {} here{}; build it without what uses that", names(.0), draft(.0))]
    Missing(Vec<String>),
    /// The engine refuses it, in wasmtime's words.
    #[error("{0}")]
    Refused(String),
}

fn names(missing: &[String]) -> String {
    let names: Vec<_> = missing.iter().map(|name| format!("`{name}`")).collect();
    names.join(", no ")
}

fn draft(missing: &[String]) -> &'static str {
    let is_draft = missing.iter().any(|name| name.contains("draft"));
    if is_draft { "; drafts of WASI are not provided" } else { "" }
}

/// Defines the functions of an import, or its resources as well, as what cannot be called.
fn define(
    linker: &mut Linker<CallState>,
    name: &str,
    import: &ComponentItem,
    engine: &Engine,
    with_resources: bool,
) -> Result<()> {
    match import {
        ComponentItem::ComponentFunc(_) => {
            linker.root().func_new(name, |_, _, _, _| bail!("not provided"))
        }
        ComponentItem::Resource(_) => {
            linker.root().resource(name, ResourceType::host::<()>(), |_, _| Ok(()))
        }
        ComponentItem::ComponentInstance(ty) => {
            let mut instance = linker.instance(name)?;
            for (name, export) in ty.exports(engine) {
                match export.ty {
                    ComponentItem::ComponentFunc(_) => {
                        instance.func_new(name, |_, _, _, _| bail!("not provided"))?;
                    }
                    ComponentItem::Resource(_) if with_resources => {
                        instance.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        _ => bail!("nothing that could be defined"),
    }
}
