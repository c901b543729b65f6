//! Documentation from WIT's comments: of a folder, or of the text that a component carries.

use std::path::Path;

use tarp_schema::documentation::{Documentation, from_wit, from_world};
use tarp_schema::section::WIT;
use wit_parser::Resolve;

use crate::BuildError;

/// Documentation by the procedure's name, from the comments of a folder with WIT.
///
/// # Errors
///
/// What is wrong with the WIT.
pub fn of_wit(folder: &Path) -> Result<Documentation, BuildError> {
    let mut resolve = Resolve::default();
    let (package, _) =
        resolve.push_path(folder).map_err(|e| BuildError::source(folder, format!("{e:#}")))?;
    let mut documentation = Documentation::new();
    for world in resolve.packages[package].worlds.values() {
        from_world(&resolve.worlds[*world], &resolve.interfaces, &mut documentation);
    }
    Ok(documentation)
}

/// Documentation by the procedure's name, from the WIT text in a component; what cannot be read is
/// left out.
#[must_use]
pub fn carried(component: &[u8]) -> Documentation {
    let mut documentation = Documentation::new();
    for text in super::embedded(component, WIT) {
        let _ = from_wit(text, &mut documentation);
    }
    documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "package a:b;\ninterface i { /// In I.\n f-g: func(); }\n\
                       world w { export i; /// Own.\n export h-i: func(); export quiet: func(); }\n";

    fn expected() -> Documentation {
        [("h_i", "Own."), ("i/f_g", "In I.")]
            .map(|(n, text)| (n.to_owned(), text.to_owned()))
            .into()
    }

    #[test]
    fn comments_of_a_folder_become_documentation_by_procedure() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("w.wit"), SOURCE).unwrap();
        assert_eq!(of_wit(folder.path()).unwrap(), expected());
    }

    #[test]
    fn text_that_a_component_carries_does_as_well() {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        let record = tarp_schema::section::record(SOURCE);
        crate::docs::section::append(&mut component, WIT, &record);
        assert_eq!(carried(&component), expected());
    }
}
