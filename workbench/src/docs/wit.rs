//! Documentation from WIT's comments: of a folder, or of the text that a component carries.

use std::collections::BTreeMap;
use std::ops::Index;
use std::path::Path;

use wit_parser::{
    Function, Interface, InterfaceId, Resolve, UnresolvedPackageGroup, World, WorldItem, WorldKey,
};

use crate::BuildError;
use crate::wit::snake;

/// Documentation by the procedure's name.
type Docs = BTreeMap<String, String>;

/// Where `#[tarp_guest::procedures]` and `embed_wit!` put their text; see the crate `tarp-guest`.
const SECTION: &str = "tarp:wit";

/// Documentation by the procedure's name, from the comments of a folder with WIT.
///
/// # Errors
///
/// What is wrong with the WIT.
pub fn of_wit(folder: &Path) -> Result<Docs, BuildError> {
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_path(folder).map_err(|e| BuildError::source(folder, format!("{e:#}")))?;
    let mut docs = Docs::new();
    for world in resolve.packages[package].worlds.values() {
        collect(&resolve.worlds[*world], &resolve.interfaces, &mut docs);
    }
    Ok(docs)
}

/// Documentation by the procedure's name, from the WIT text in a component; what cannot be read is
/// not there.
#[must_use]
pub fn carried(component: &[u8]) -> Docs {
    let mut docs = Docs::new();
    for text in super::records(component, SECTION) {
        if let Ok(group) = UnresolvedPackageGroup::parse(Path::new("carried.wit"), text) {
            for (_, world) in &group.main.worlds {
                collect(world, &group.main.interfaces, &mut docs);
            }
        }
    }
    docs
}

fn collect(
    world: &World,
    interfaces: &impl Index<InterfaceId, Output = Interface>,
    docs: &mut Docs,
) {
    let mut add = |interface: Option<&str>, function: &Function| {
        if let Some(text) = &function.docs.contents {
            let prefix = interface.map(|name| format!("{}/", snake(name))).unwrap_or_default();
            docs.insert(prefix + &snake(&function.name), text.trim().to_owned());
        }
    };
    for (key, item) in &world.exports {
        match item {
            WorldItem::Function(function) => add(None, function),
            WorldItem::Interface { id, .. } => {
                let interface = &interfaces[*id];
                interface
                    .functions
                    .values()
                    .for_each(|function| add(name(key, interface), function));
            }
            WorldItem::Type { .. } => {}
        }
    }
}

fn name<'a>(key: &'a WorldKey, interface: &'a Interface) -> Option<&'a str> {
    match key {
        WorldKey::Name(name) => Some(name),
        WorldKey::Interface(_) => interface.name.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIT: &str = "package a:b;\ninterface i { /// In I.\n f-g: func(); }\n\
                       world w { export i; /// Own.\n export h-i: func(); export quiet: func(); }\n";

    fn expected() -> Docs {
        [("h_i", "Own."), ("i/f_g", "In I.")]
            .map(|(n, text)| (n.to_owned(), text.to_owned()))
            .into()
    }

    #[test]
    fn comments_of_a_folder_become_documentation_by_procedure() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.wit"), WIT).unwrap();
        assert_eq!(of_wit(folder.path()).unwrap(), expected());
    }

    #[test]
    fn text_that_a_component_carries_does_as_well() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        let length = u32::try_from(WIT.len()).unwrap().to_le_bytes();
        let record = [&length, WIT.as_bytes()].concat();
        crate::docs::section::append(&mut component, SECTION, &record);
        assert_eq!(carried(&component), expected());
    }
}
