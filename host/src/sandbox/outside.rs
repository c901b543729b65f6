//! Proves that a component can change nothing outside its instance.

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::grants::Grants;
use super::imports::has_functions;

/// The interfaces through which nothing can be changed, unless [`Grants`] has what changes. A
/// name that ends in `/` stands for all interfaces of its package.
///
/// Each is listed because it was looked at, so one that is linked later counts as a way out until
/// somebody has.
const HARMLESS: [&str; 10] = [
    // Standard output and error are captured; no input, no arguments, an environment to read.
    "wasi:cli/",
    // Can be read and waited for, not set.
    "wasi:clocks/",
    // Can be read.
    "wasi:config/",
    // Of the folders that are granted; whether one of them can be written to, the grants say.
    "wasi:filesystem/",
    // Every function of it traps in a component that was granted no server; with one, the grants say.
    "wasi:http/",
    // Only moves what the others give.
    "wasi:io/",
    "wasi:random/",
    // TCP, UDP and the look-up of names are refused.
    "wasi:sockets/",
    // Heard by the call's observer, which knows one run from the next.
    "tarp:procedure/job",
    // Sends nothing where no server was granted; with one, the grants say.
    "tarp:procedure/http",
];

/// Whether a component can change nothing by what it imports and was granted.
pub(super) fn is_repeatable(component: &Component, grants: &Grants) -> bool {
    imports_are_harmless(component) && !grants.can_change_anything()
}

fn imports_are_harmless(component: &Component) -> bool {
    component.component_type().imports(component.engine()).all(|(name, import)| match &import.ty {
        // Shared types, such as those of `tarp:procedure/failures`: nothing in it can be called.
        ComponentItem::Type(_) => true,
        ComponentItem::ComponentInstance(_) => {
            is_harmless(name) || !has_functions(&import.ty, component)
        }
        _ => false,
    })
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
        for harmless in [
            "wasi:filesystem/preopens@0.2.6",
            "wasi:config/store@0.2.0-rc.1",
            "tarp:procedure/job@0.1.0",
            "tarp:procedure/http@0.1.0",
        ] {
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
