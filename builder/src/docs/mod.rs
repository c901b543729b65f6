//! What WIT cannot say, and documentation, put into a finished component.
//!
//! Encoders drop documentation comments. Two custom sections bring them back, both at the end of the
//! component, where neither validation nor `strip`'s ordinary uses touch them:
//!
//! - `package-docs`, the community's: documentation of what the component's world exports by itself.
//!   Other tools show it too (`wasm-tools component wit`).
//! - `tarp:procedures`, our own, for the rest: see [`ProcedureMetadata`] and [`tarp_schema::section`].
//!
//! Knows no language.

mod section;
pub(crate) mod tags;
mod wit;

use std::collections::BTreeMap;

use tarp_schema::procedure::{
    MetadataMap, ProcedureMetadata, from_record, is_valid_name, to_record,
};
use tarp_schema::section::{PROCEDURES, record, records};
use wasmparser::{Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageMetadata, Resolve, WorldId, WorldItem};

pub use wit::{carried, of_wit};

use crate::BuildError;

/// Why a further name of a procedure cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AliasError {
    /// It is no name.
    #[error(
        "the alias `{0}` cannot be a name; one has ASCII letters, digits and _ after a letter, in parts separated by /"
    )]
    NoName(String),
    /// It was given before.
    #[error("the alias `{0}` is there twice")]
    Twice(String),
}

/// Adds a further name to a procedure's table.
///
/// # Errors
///
/// Why it cannot be one. The host checks it again, and against all other names.
pub(crate) fn add_alias(table: &mut ProcedureMetadata, alias: &str) -> Result<(), AliasError> {
    if !is_valid_name(alias) {
        return Err(AliasError::NoName(alias.to_owned()));
    }
    if table.aliases.iter().any(|known| known == alias) {
        return Err(AliasError::Twice(alias.to_owned()));
    }
    table.aliases.push(alias.to_owned());
    Ok(())
}

/// Adds documentation and tables to a finished component.
///
/// `docs` is documentation by the procedure's name, as in [`MetadataMap`].
///
/// # Errors
///
/// When the component cannot be read.
pub fn embed(
    component: Vec<u8>,
    docs: &BTreeMap<String, String>,
    mut tables: MetadataMap,
) -> Result<Vec<u8>, BuildError> {
    let component = section::without(component, PackageMetadata::SECTION_NAME)?;
    let mut component = section::without(component, PROCEDURES)?;
    let (mut resolve, world) = read(&component)?;
    for (name, text) in docs {
        let kebab = name.replace('_', "-");
        if !document(&mut resolve, world, &kebab, text) {
            tables.entry(name.clone()).or_default().description = Some(text.clone());
        }
    }
    if let Some(package) = resolve.worlds[world].package {
        let metadata = PackageMetadata::extract(&resolve, package);
        let encoded = metadata.encode().map_err(|e| BuildError::Internal(format!("{e:#}")))?;
        section::append(&mut component, PackageMetadata::SECTION_NAME, &encoded);
    }
    if let Some(text) = to_record(tables) {
        section::append(&mut component, PROCEDURES, &record(&text));
    }
    Ok(component)
}

/// The tables that a component has, wherever in it they are; what cannot be read is not there.
#[must_use]
pub fn tables(component: &[u8]) -> MetadataMap {
    let records = embedded(component, PROCEDURES);
    records.into_iter().filter_map(|text| from_record(text).ok()).flatten().collect()
}

/// The texts of the records in all sections of this name, nested ones too.
fn embedded<'a>(component: &'a [u8], name: &str) -> Vec<&'a str> {
    let sections = Parser::new(0).parse_all(component).map_while(Result::ok);
    let data = sections.filter_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == name => Some(section.data()),
        _ => None,
    });
    data.flat_map(records).collect()
}

/// Documents a function that the world exports by itself; whether there is one of that name.
fn document(resolve: &mut Resolve, world: WorldId, name: &str, text: &str) -> bool {
    for item in resolve.worlds[world].exports.values_mut() {
        if let WorldItem::Function(function) = item
            && function.name == name
        {
            function.docs.contents = Some(text.to_owned());
            return true;
        }
    }
    false
}

/// The world of a finished component.
pub(crate) fn read(component: &[u8]) -> Result<(Resolve, WorldId), BuildError> {
    match decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => Ok((resolve, world)),
        Ok(DecodedWasm::WitPackage(..)) => {
            Err(BuildError::Internal("a package of WIT was made, and no component".into()))
        }
        Err(e) => Err(BuildError::Internal(format!("what was made cannot be read: {e:#}"))),
    }
}

#[cfg(test)]
mod tests {
    use tarp_schema::procedure::Mode;

    use super::*;
    use crate::component::procedures;

    #[test]
    fn what_is_embedded_is_read_back_and_replaced_by_what_is_embedded_later() {
        // A component that exports a function `add-up` and an instance `a:b/i` with a function `f`.
        let component = wat::parse_str(
            "(component
                (core module $m (func (export \"f\") (param i64)))
                (core instance $i (instantiate $m))
                (func $f (param \"n-bins\" s64) (canon lift (core func $i \"f\")))
                (instance $inner (export \"f\" (func $f)))
                (export \"add-up\" (func $f))
                (export \"a:b/i\" (instance $inner)))",
        )
        .unwrap();
        let docs = [("add_up", "Adds."), ("i/f", "Inner.")];
        let docs = docs.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        let mut table =
            ProcedureMetadata { mode: Some(Mode::Async), ..ProcedureMetadata::default() };
        table.defaults.insert("n_bins".into(), 10.into());
        let given = MetadataMap::from([
            ("add_up".into(), table),
            ("i/f".into(), ProcedureMetadata::default()),
        ]);
        let once = embed(component.clone(), &docs, given.clone()).unwrap();
        let found = procedures(&once).unwrap();
        assert_eq!(found[0].signature, "(n_bins: s64 = 10)");
        assert_eq!(found[0].description.as_deref(), Some("Adds."));
        assert_eq!(found[0].mode, Some(Mode::Async));
        assert_eq!(
            (found[1].name.as_str(), found[1].description.as_deref()),
            ("i/f", Some("Inner."))
        );
        // Other tools read what fits their own format.
        let (resolve, world) = read(&once).unwrap();
        let documented = resolve.worlds[world].exports.values().filter(|item| {
            matches!(item, WorldItem::Function(f) if f.docs.contents.as_deref() == Some("Adds."))
        });
        assert_eq!(documented.count(), 1);
        assert_eq!(embed(once.clone(), &docs, given).unwrap().len(), once.len());
    }
}
