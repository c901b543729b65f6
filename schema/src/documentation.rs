//! The documentation in a component, by the procedure's name.
//!
//! Documentation is never a reason to refuse a component: what cannot be read is left out.

use std::collections::BTreeMap;
use std::ops::Index;
use std::path::Path;

use serde::Deserialize;
use wit_parser::{
    Function, Interface, InterfaceId, UnresolvedPackageGroup, World, WorldItem, WorldKey,
};

use crate::snake_case;

/// Documentation by the procedure's name without its prefix: `add`, `statistics/mean`.
pub type Documentation = BTreeMap<String, String>;

/// Why documentation cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentationError {
    /// It is no WIT, in the words of who reads it.
    #[error("{0}")]
    Wit(String),
    /// The section is of another time.
    #[error("unknown version")]
    Version,
    /// The section is no such JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The interface's own name: `summary` of `demo:stats/summary@0.1.0`.
#[must_use]
pub fn interface_name(export: &str) -> &str {
    let unversioned = export.split('@').next().unwrap_or(export);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
}

/// Adds the documentation comments of WIT source text: of all worlds' exports, and of all interfaces.
///
/// # Errors
///
/// What is wrong with the text.
pub fn from_wit(source: &str, documentation: &mut Documentation) -> Result<(), DocumentationError> {
    let package = UnresolvedPackageGroup::parse(Path::new("embedded.wit"), source)
        .map_err(|(_, error)| DocumentationError::Wit(error.to_string()))?
        .main;
    for (_, interface) in &package.interfaces {
        if let Some(name) = &interface.name {
            add_interface(Some(name), interface, documentation);
        }
    }
    for (_, world) in &package.worlds {
        from_world(world, &package.interfaces, documentation);
    }
    Ok(())
}

/// Adds the documentation comments of a world's exports.
pub fn from_world(
    world: &World,
    interfaces: &impl Index<InterfaceId, Output = Interface>,
    documentation: &mut Documentation,
) {
    for (key, item) in &world.exports {
        match item {
            WorldItem::Function(function) => add(None, function, documentation),
            WorldItem::Interface { id, .. } => {
                let interface = &interfaces[*id];
                let name = match key {
                    WorldKey::Name(name) => Some(name),
                    WorldKey::Interface(_) => interface.name.as_ref(),
                };
                add_interface(name.map(String::as_str), interface, documentation);
            }
            WorldItem::Type { .. } => {}
        }
    }
}

fn add_interface(name: Option<&str>, interface: &Interface, documentation: &mut Documentation) {
    interface.functions.values().for_each(|function| add(name, function, documentation));
}

fn add(interface: Option<&str>, function: &Function, documentation: &mut Documentation) {
    if let Some(text) = &function.docs.contents {
        insert(interface, &function.name, text, documentation);
    }
}

fn insert(interface: Option<&str>, function: &str, text: &str, documentation: &mut Documentation) {
    let prefix = interface.map(|name| snake_case(name) + "/").unwrap_or_default();
    documentation.insert(prefix + &snake_case(function), text.trim().to_owned());
}

/// Adds what a section `package-docs` says: a version byte, 0 or 1, then JSON, as the module
/// `metadata` of wit-parser writes it. Fields that do not concern functions are passed over.
///
/// # Errors
///
/// Why it cannot be read.
pub fn from_package_docs(
    section: &[u8],
    documentation: &mut Documentation,
) -> Result<(), DocumentationError> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Package {
        worlds: BTreeMap<String, WorldDocs>,
        interfaces: BTreeMap<String, InterfaceDocs>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct WorldDocs {
        interfaces: BTreeMap<String, InterfaceDocs>,
        interface_exports: BTreeMap<String, InterfaceDocs>,
        funcs: BTreeMap<String, FunctionDocs>,
        func_exports: BTreeMap<String, FunctionDocs>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct InterfaceDocs {
        funcs: BTreeMap<String, FunctionDocs>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum FunctionDocs {
        Text(String),
        Fields { docs: Option<String> },
        Nothing,
    }

    let [0 | 1, json @ ..] = section else { return Err(DocumentationError::Version) };
    let package: Package = serde_json::from_slice(json)?;
    let mut add = |interface: Option<&str>, functions: BTreeMap<String, FunctionDocs>| {
        let interface = interface.map(interface_name);
        for (name, function) in functions {
            if let FunctionDocs::Text(text) | FunctionDocs::Fields { docs: Some(text) } = function {
                insert(interface, &name, &text, documentation);
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_in_wit_become_documentation() {
        let mut docs = Documentation::new();
        from_wit(
            "package demo:math@0.1.0;\n\
             interface statistics {\n /// The mean.\n ///\n /// Of all values.\n mean: func(v: list<f64>) -> f64; }\n\
             world math { export statistics; /// Adds.\n export my-add: func(x: s64) -> s64; \
             export extra: interface { /// Runs.\n run: func(); } }",
            &mut docs,
        )
        .unwrap();
        assert_eq!(docs["statistics/mean"], "The mean.\n\nOf all values.");
        assert_eq!(docs["my_add"], "Adds.");
        assert_eq!(docs["extra/run"], "Runs.");
        assert!(from_wit("no WIT", &mut docs).is_err());
    }

    #[test]
    fn both_versions_of_package_docs_are_read() {
        let mut docs = Documentation::new();
        from_package_docs(
            b"\x00{\"docs\":\"x\",\"worlds\":{\"math\":{\"funcs\":{\"my-add\":\"Adds.\",\"quiet\":null}}}}",
            &mut docs,
        )
        .unwrap();
        from_package_docs(
            b"\x01{\"interfaces\":{\"statistics\":{\"docs\":\"s\",\"funcs\":{\"mean\":{\"docs\":\"The mean.\"}}}}}",
            &mut docs,
        )
        .unwrap();
        assert_eq!(docs.len(), 2, "{docs:?}");
        assert_eq!(docs["my_add"], "Adds.");
        assert_eq!(docs["statistics/mean"], "The mean.");
        assert!(from_package_docs(b"\x07{}", &mut docs).is_err());
    }
}
