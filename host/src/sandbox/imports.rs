//! What a component imports.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The names of all imports that are more than types.
pub(super) fn of(component: &Component) -> Vec<String> {
    let (engine, ty) = (component.engine(), component.component_type());
    let imports = ty.imports(engine).filter(|(_, import)| has_functions(&import.ty, component));
    imports.map(|(name, _)| name.to_owned()).collect()
}

/// Whether an import is more than types.
pub(super) fn has_functions(import: &ComponentItem, component: &Component) -> bool {
    match import {
        ComponentItem::Type(_) => false,
        ComponentItem::ComponentInstance(instance) => {
            !instance.exports(component.engine()).all(|(_, item)| is_type(&item.ty))
        }
        _ => true,
    }
}

fn is_type(item: &ComponentItem) -> bool {
    matches!(item, ComponentItem::Type(_))
}
