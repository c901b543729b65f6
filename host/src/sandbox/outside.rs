//! Proves that a component can touch nothing outside its instance.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The interfaces that lead nowhere, given what [`CallState`](super::state::CallState) grants. A
/// name that ends in `/` stands for all interfaces of its package.
///
/// Each is listed because it was looked at, so one that is linked later counts as a way out until
/// somebody has.
const HARMLESS: [&str; 8] = [
    // Standard output and error are captured; no input, no environment, no arguments.
    "wasi:cli/",
    // Can be read and waited for, not set.
    "wasi:clocks/",
    // Without a single folder to start from.
    "wasi:filesystem/",
    // Every function of it traps in a component that answers no requests, which alone is asked about.
    "wasi:http/",
    // Only moves what the others give.
    "wasi:io/",
    "wasi:random/",
    // TCP, UDP and the look-up of names are refused.
    "wasi:sockets/",
    // Heard by the call's observer, which knows one run from the next.
    "tarp:procedure/job",
];

/// Whether everything that the component imports is harmless.
pub(super) fn touches_nothing(component: &Component) -> bool {
    let engine = component.engine();
    let component = component.component_type();
    component.imports(engine).all(|(name, import)| match &import.ty {
        // Shared types, such as those of `tarp:procedure/failures`: nothing in it can be called.
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(instance) => {
            is_harmless(name) || instance.exports(engine).all(|(_, item)| is_type(&item.ty))
        }
        _ => false,
    })
}

/// The names of all imports that are more than types.
pub(super) fn imports(component: &Component) -> Vec<String> {
    let engine = component.engine();
    let component = component.component_type();
    let imports = component.imports(engine).filter(|(_, import)| match &import.ty {
        ComponentItem::Type(_) => false,
        ComponentItem::ComponentInstance(instance) => {
            !instance.exports(engine).all(|(_, item)| is_type(&item.ty))
        }
        _ => true,
    });
    imports.map(|(name, _)| name.to_owned()).collect()
}

fn is_type(item: &ComponentItem) -> bool {
    matches!(item, ComponentItem::Type(_))
}

fn is_harmless(name: &str) -> bool {
    let interface = name.split_once('@').map_or(name, |(interface, _version)| interface);
    HARMLESS.iter().any(|harmless| {
        if harmless.ends_with('/') {
            interface.starts_with(harmless)
        } else {
            interface == *harmless
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_way_out() {
        for harmless in ["wasi:filesystem/preopens@0.2.6", "tarp:procedure/job@0.1.0"] {
            assert!(is_harmless(harmless), "{harmless}");
        }
        for way_out in [
            "wasi:https/outgoing-handler@0.2.6",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:clients/x",
            "tarp:procedure/jobs@0.1.0",
            "tarp:procedure/job-starter@0.1.0",
            "other:wasi:cli/run",
            "run",
        ] {
            assert!(!is_harmless(way_out), "{way_out}");
        }
    }
}
