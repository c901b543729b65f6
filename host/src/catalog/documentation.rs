//! The documentation in a component's sections: the community's `package-docs`, and our own `tarp:wit`
//! with WIT source text (see the crate `tarp-guest`).
//!
//! Documentation is never a reason to refuse a component: what cannot be read is not there.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use tracing::debug;
use wit_parser::{UnresolvedPackageGroup, WorldItem, WorldKey};

use super::names::{interface, snake_case};

/// Documentation by a procedure's name without its prefix: `add`, `statistics/mean`.
pub(super) type Documentation = HashMap<String, String>;

/// Documentation comments of WIT source text.
pub(super) fn wit(source: &str, docs: &mut Documentation) {
    let group = match UnresolvedPackageGroup::parse(Path::new("embedded.wit"), source) {
        Ok(group) => group,
        Err((_, e)) => return debug!(error = %e, "embedded WIT not read"),
    };
    let package = group.main;
    let mut add = |interface: Option<&str>, function: &wit_parser::Function| {
        if let Some(text) = &function.docs.contents {
            let name = snake_case(&function.name);
            let name = interface
                .map_or(name.clone(), |interface| format!("{}/{name}", snake_case(interface)));
            docs.insert(name, text.trim().to_owned());
        }
    };
    for (_, interface) in &package.interfaces {
        if let Some(name) = &interface.name {
            interface.functions.values().for_each(|function| add(Some(name), function));
        }
    }
    for (_, world) in &package.worlds {
        for (key, item) in &world.exports {
            match (key, item) {
                (_, WorldItem::Function(function)) => add(None, function),
                (WorldKey::Name(name), WorldItem::Interface { id, .. }) => {
                    let functions =
                        package.interfaces.get(*id).into_iter().flat_map(|i| i.functions.values());
                    functions.for_each(|function| add(Some(name), function));
                }
                _ => {}
            }
        }
    }
}

/// The section `package-docs`, as wit-parser's `metadata` module writes it: a version byte, 0 or 1,
/// then JSON. Fields that do not concern functions are passed over.
pub(super) fn package_docs(section: &[u8], docs: &mut Documentation) {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Package {
        worlds: HashMap<String, World>,
        interfaces: HashMap<String, Functions>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct World {
        interfaces: HashMap<String, Functions>,
        interface_exports: HashMap<String, Functions>,
        funcs: HashMap<String, Function>,
        func_exports: HashMap<String, Function>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Functions {
        funcs: HashMap<String, Function>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Function {
        Text(String),
        Fields { docs: Option<String> },
        Nothing,
    }

    let [0 | 1, json @ ..] = section else { return debug!("package-docs of an unknown version") };
    let package: Package = match serde_json::from_slice(json) {
        Ok(package) => package,
        Err(e) => return debug!(error = %e, "package-docs not read"),
    };
    let mut add = |prefix: Option<&str>, functions: HashMap<String, Function>| {
        for (name, function) in functions {
            if let Function::Text(text) | Function::Fields { docs: Some(text) } = function {
                let name = snake_case(&name);
                let name =
                    prefix.map_or(name.clone(), |p| format!("{}/{name}", snake_case(interface(p))));
                docs.insert(name, text.trim().to_owned());
            }
        }
    };
    for (name, interface) in package.interfaces {
        add(Some(&name), interface.funcs);
    }
    for world in package.worlds.into_values() {
        for (name, interface) in world.interfaces.into_iter().chain(world.interface_exports) {
            add(Some(&name), interface.funcs);
        }
        add(None, world.funcs);
        add(None, world.func_exports);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_in_wit_become_documentation() {
        let mut docs = Documentation::new();
        wit(
            "package demo:math@0.1.0;\n\
             interface statistics {\n /// The mean.\n ///\n /// Of all values.\n mean: func(v: list<f64>) -> f64; }\n\
             world math { export statistics; /// Adds.\n export my-add: func(x: s64) -> s64; \
             export extra: interface { /// Runs.\n run: func(); } }",
            &mut docs,
        );
        assert_eq!(docs["statistics/mean"], "The mean.\n\nOf all values.");
        assert_eq!(docs["my_add"], "Adds.");
        assert_eq!(docs["extra/run"], "Runs.");
    }

    #[test]
    fn both_versions_of_package_docs_are_read() {
        let mut docs = Documentation::new();
        package_docs(
            b"\x00{\"docs\":\"x\",\"worlds\":{\"math\":{\"funcs\":{\"my-add\":\"Adds.\",\"quiet\":null}}}}",
            &mut docs,
        );
        package_docs(
            b"\x01{\"interfaces\":{\"statistics\":{\"docs\":\"s\",\"funcs\":{\"mean\":{\"docs\":\"The mean.\"}}}}}",
            &mut docs,
        );
        assert_eq!(docs.len(), 2, "{docs:?}");
        assert_eq!(docs["my_add"], "Adds.");
        assert_eq!(docs["statistics/mean"], "The mean.");
    }
}
