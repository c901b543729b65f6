//! What WIT cannot say, and documentation, put into a finished component.
//!
//! Encoders drop documentation comments. Two custom sections bring them back, both at the end of the
//! component, where neither validation nor `strip`'s ordinary uses touch them:
//!
//! - `package-docs`, the community's: documentation of what the component's world exports by itself.
//!   Other tools show it too (`wasm-tools component wit`).
//! - `tarp:procedures`, our own, for the rest: see [`Table`]. Its framing is that of `tarp:wit` (the
//!   crate `tarp-guest`): four bytes of length, little endian, then that many bytes of JSON.
//!
//! Knows no language.

mod section;
pub(crate) mod tags;
mod wit;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmparser::{Parser, Payload};
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{PackageMetadata, Resolve, WorldId, WorldItem};

pub use wit::{carried, of_wit};

use crate::BuildError;

/// What the section `tarp:procedures` says of one procedure; all of it optional.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// Its documentation, where `package-docs` cannot hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is better called as a job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Seconds between looks at the job, 1 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggested_wait: Option<u64>,
    /// Which of `GET` and `POST` a web procedure answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Further names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// How the original client gets rows of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrays: Option<Arrays>,
    /// By parameter: the value where the argument is left out, as it would be in a call's JSON.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<String, Value>,
}

/// How a procedure is called by those who do not choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The caller waits.
    Sync,
    /// The caller gets a handle.
    Async,
}

/// How rows of numbers are written for the original client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrays {
    /// As numpy's arrays where arrays went in.
    Auto,
    /// Always as numpy's arrays.
    Numpy,
    /// Never as numpy's arrays.
    List,
}

impl Table {
    /// Adds a further name.
    ///
    /// # Errors
    ///
    /// Why it cannot be one. The host checks it again, and against all other names.
    pub fn add_alias(&mut self, alias: &str) -> Result<(), String> {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let sound = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(is_inner)
        };
        if !alias.split('/').all(sound) {
            return Err(format!(
                "the alias `{alias}` cannot be a name; one has ASCII letters, digits and _ after a letter, in parts separated by /"
            ));
        }
        if self.aliases.iter().any(|known| known == alias) {
            return Err(format!("the alias `{alias}` is there twice"));
        }
        self.aliases.push(alias.to_owned());
        Ok(())
    }
}

/// Tables by the procedure's name, as the host has it: `mean`, `summary/mean`.
pub type Tables = BTreeMap<String, Table>;

/// The name of our section.
pub const SECTION: &str = "tarp:procedures";

/// Adds documentation and tables to a finished component.
///
/// `docs` is documentation by the procedure's name, as in [`Tables`].
///
/// # Errors
///
/// When the component cannot be read.
pub fn embed(
    component: Vec<u8>,
    docs: &BTreeMap<String, String>,
    mut tables: Tables,
) -> Result<Vec<u8>, BuildError> {
    let component = section::without(component, PackageMetadata::SECTION_NAME)?;
    let mut component = section::without(component, SECTION)?;
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
    tables.retain(|_, table| *table != Table::default());
    if !tables.is_empty() {
        section::append(&mut component, SECTION, &record(&tables));
    }
    Ok(component)
}

/// The tables that a component has, wherever in it they are; what cannot be read is not there.
#[must_use]
pub fn tables(component: &[u8]) -> Tables {
    #[derive(Deserialize)]
    struct Record {
        procedures: Tables,
    }
    let records = records(component, SECTION);
    let tables = records.into_iter().filter_map(|json| serde_json::from_str::<Record>(json).ok());
    tables.flat_map(|record| record.procedures).collect()
}

/// The texts in all sections of this name, nested ones too: a length of four bytes, little endian,
/// before each.
fn records<'a>(component: &'a [u8], name: &str) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for payload in Parser::new(0).parse_all(component).map_while(Result::ok) {
        let Payload::CustomSection(section) = payload else { continue };
        let mut data = if section.name() == name { section.data() } else { &[] };
        while let Some((length, rest)) = data.split_first_chunk()
            && let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        {
            texts.extend(std::str::from_utf8(text));
            data = rest;
        }
    }
    texts
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

/// One record of our section.
fn record(tables: &Tables) -> Vec<u8> {
    let json = serde_json::json!({ "procedures": tables }).to_string();
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), json.as_bytes()].concat()
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
        let mut table = Table { mode: Some(Mode::Async), ..Table::default() };
        table.defaults.insert("n_bins".into(), 10.into());
        let given = Tables::from([("add_up".into(), table), ("i/f".into(), Table::default())]);
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
