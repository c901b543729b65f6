//! What a component says of its procedures beside their types: documentation, and our own section
//! `tarp:procedures` for what WIT has no words for.
//!
//! The format is that of the crate `tarp-schema`. What cannot be read is left out; nothing of it is a
//! reason to refuse a component.

use serde::{Deserialize, Serialize};
use tarp_schema::documentation::{Documentation, from_package_docs, from_wit};
use tarp_schema::procedure::{MetadataMap, ProcedureMetadata, from_record};
use tarp_schema::section::{PACKAGE_DOCS, PROCEDURES, WIT, records};
use tracing::debug;
use wasmparser::{BinaryReader, Parser, Payload, ProducersSectionReader};

use super::reflect::Export;

/// Bytes of all sections that are read. Every listing carries the documentation.
const MAX_DOCUMENTATION: usize = 1 << 20;

/// A component inside of those of componentize-qjs.
const QUICKJS_LOADER: &str = "local:init/module-loader";

/// By a procedure's name in WIT, in snake_case and without its prefix: `add`, `statistics/mean`.
#[derive(Default)]
pub(super) struct Metadata {
    pub(super) documentation: Documentation,
    pub(super) tables: MetadataMap,
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
                    if [PACKAGE_DOCS, WIT, PROCEDURES].contains(&name) {
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
                        PACKAGE_DOCS => {
                            if let Err(error) =
                                from_package_docs(section.data(), &mut read.documentation)
                            {
                                debug!(%error, "package-docs not read");
                            }
                        }
                        WIT => sources.extend(records(section.data())),
                        PROCEDURES => {
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
            if let Err(error) = from_wit(source, &mut read.documentation) {
                debug!(%error, "embedded WIT not read");
            }
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
        let mut read = Self { documentation, tables: MetadataMap::new() };
        for text in sections.tables {
            read.tables(&text);
        }
        read
    }

    /// What is said of a procedure: under the name that it has in WIT, or that its author gave it there.
    pub(super) fn table(&self, export: &Export) -> Option<&ProcedureMetadata> {
        self.tables.get(&export.wit_name).or_else(|| self.tables.get(&export.short_name))
    }

    /// The same for its documentation.
    pub(super) fn documentation(&self, export: &Export) -> Option<&String> {
        let documentation = &self.documentation;
        documentation.get(&export.wit_name).or_else(|| documentation.get(&export.short_name))
    }

    fn tables(&mut self, text: &str) {
        match from_record(text) {
            Ok(procedures) => {
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

#[cfg(test)]
mod tests {
    use tarp_schema::procedure::{ArrayReplies, Mode, WebMethod};

    use super::*;

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
        assert_eq!(read.tables["plot"].defaults["n"], 10);
        assert_eq!(read.tables["plot"].aliases, ["showFigure"]);
        assert_eq!(read.tables["plot"].arrays, Some(ArrayReplies::Numpy));
    }
}
