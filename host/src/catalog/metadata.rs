//! What a component says of its procedures beside their types: documentation, and our own section
//! `tarp:procedures` for what WIT has no words for.
//!
//! The section `tarp:procedures` has records as `tarp:wit` has (see the crate `tarp-guest`): a length
//! of four bytes, little endian, then so much text. Each text is a JSON object
//! `{"procedures": {NAME: TABLE}}`, and a [`Table`] has the keys of a sidecar's `[procedures.NAME]`
//! that an author knows best. What cannot be read is not there; nothing of it is a reason to refuse a
//! component.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tracing::debug;
use wasmparser::{BinaryReader, Parser, Payload, ProducersSectionReader};

use super::documentation::{self, Documentation};
use super::reflect::Export;
use crate::codec::json::Parsed;
use crate::config::{ArrayReplies, Mode, WebMethod};

/// Bytes of all sections that are read. Every listing carries the documentation.
const MAX_DOCUMENTATION: usize = 1 << 20;

/// A component inside of those of componentize-qjs.
const QUICKJS_LOADER: &str = "local:init/module-loader";

/// By a procedure's name without its prefix: `add`, `statistics/mean`.
#[derive(Default)]
pub(super) struct Metadata {
    pub(super) documentation: Documentation,
    pub(super) tables: HashMap<String, Table>,
}

/// What an author says of a procedure.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Table {
    description: Option<String>,
    pub(super) mode: Option<Mode>,
    pub(super) suggested_wait: Option<u32>,
    pub(super) methods: Option<Vec<WebMethod>>,
    pub(super) defaults: BTreeMap<String, Parsed>,
    pub(super) aliases: Vec<String>,
    pub(super) arrays: Option<ArrayReplies>,
}

/// What a component carries in its custom sections, as far as the host reads them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sections {
    documentation: Documentation,
    /// The texts of `tarp:procedures`.
    tables: Vec<String>,
    /// Whether its export `init` is what a tool chain ran to set up an interpreter, and no procedure.
    pub(super) has_runtime_init: bool,
    /// What was left out, and why.
    pub(super) warnings: Vec<String>,
}

impl Sections {
    /// Reads what a component carries. Where both its sections speak of a function's documentation,
    /// `tarp:wit` is newer than `package-docs`: it was compiled in.
    pub(super) fn read(component: &[u8]) -> Self {
        let mut read = Self::default();
        let mut sources = Vec::new();
        let mut size = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload {
                Ok(Payload::CustomSection(section)) => {
                    let name = section.name();
                    if ["package-docs", "tarp:wit", "tarp:procedures"].contains(&name) {
                        size += section.data().len();
                        if size > MAX_DOCUMENTATION {
                            read.warnings = vec![format!(
                                "its documentation takes more than {} KiB, so what is in its section `{name}` and after it is not read",
                                MAX_DOCUMENTATION >> 10
                            )];
                            continue;
                        }
                    }
                    match name {
                        "package-docs" => {
                            documentation::package_docs(section.data(), &mut read.documentation);
                        }
                        "tarp:wit" => sources.extend(records(section.data())),
                        "tarp:procedures" => {
                            read.tables.extend(records(section.data()).into_iter().map(Into::into));
                        }
                        "producers" => read.has_runtime_init |= was_initialised(section.data()),
                        _ => {}
                    }
                }
                Ok(Payload::ComponentExportSection(section)) => {
                    let mut names = section.into_iter().flatten().map(|export| export.name.name);
                    read.has_runtime_init |= names.any(|name| name == QUICKJS_LOADER);
                }
                Ok(_) => {}
                Err(e) => {
                    debug!(error = %e, "metadata not read to their end");
                    break;
                }
            }
        }
        for source in sources {
            documentation::wit(source, &mut read.documentation);
        }
        read
    }
}

/// Whether a section `producers` says that the component was initialised before it was put together,
/// as componentize-py does it.
fn was_initialised(section: &[u8]) -> bool {
    let reader = BinaryReader::new(section, 0);
    let Ok(fields) = ProducersSectionReader::new(reader) else { return false };
    let tools = fields.into_iter().flatten().flat_map(|field| field.values.into_iter().flatten());
    tools.into_iter().any(|tool| tool.name == "component-init-transform")
}

impl Metadata {
    pub(super) fn new(sections: Sections) -> Self {
        let documentation = sections.documentation;
        let mut read = Self { documentation, tables: HashMap::new() };
        for text in sections.tables {
            read.tables(&text);
        }
        read
    }

    /// What is said of a procedure: under the name that it has, or that its author knows.
    pub(super) fn table(&self, export: &Export) -> Option<&Table> {
        self.tables.get(&export.name).or_else(|| self.tables.get(&export.short_name))
    }

    /// The same for its documentation.
    pub(super) fn documentation(&self, export: &Export) -> Option<&String> {
        let documentation = &self.documentation;
        documentation.get(&export.name).or_else(|| documentation.get(&export.short_name))
    }

    fn tables(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct Tables {
            procedures: HashMap<String, Table>,
        }
        match serde_json::from_str::<Tables>(text) {
            Ok(Tables { procedures }) => {
                for (name, mut table) in procedures {
                    if let Some(description) = table.description.take() {
                        self.documentation.entry(name.clone()).or_insert(description);
                    }
                    self.tables.insert(name, table);
                }
            }
            Err(e) => debug!(error = %e, "the section tarp:procedures was not read"),
        }
    }
}

/// The texts in a section: a length of four bytes, little endian, before each.
fn records(mut section: &[u8]) -> Vec<&str> {
    let mut texts = Vec::new();
    while let Some((length, rest)) = section.split_first_chunk()
        && let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        texts.extend(std::str::from_utf8(text));
        section = rest;
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_where_the_section_does() {
        assert_eq!(records(b"\x02\0\0\0hi\x01\0\0\0!\xff\0\0\0cut"), ["hi", "!"]);
        assert!(records(b"\x01").is_empty());
    }

    #[test]
    fn tables_say_what_wit_cannot() {
        let mut read = Metadata::default();
        read.documentation.insert("mean".into(), "From WIT.".into());
        read.tables(
            r#"{"procedures": {"mean": {"description": "Unused.", "mode": "async", "new": 1},
                "plot": {"description": "Draws.", "methods": ["GET"], "defaults": {"n": 10},
                         "aliases": ["showFigure"], "arrays": "numpy"}}}"#,
        );
        read.tables("no JSON");
        assert_eq!(read.documentation["mean"], "From WIT.");
        assert_eq!(read.documentation["plot"], "Draws.");
        assert_eq!(read.tables["mean"].mode, Some(Mode::Async));
        assert_eq!(read.tables["plot"].methods, Some(vec![WebMethod::Get]));
        assert_eq!(read.tables["plot"].defaults["n"].0, crate::value::Value::Int(10));
        assert_eq!(read.tables["plot"].aliases, ["showFigure"]);
        assert_eq!(read.tables["plot"].arrays, Some(ArrayReplies::Numpy));
    }
}
