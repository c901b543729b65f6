//! Procedures in C: a world in WIT, and functions that implement what it exports.
//!
//! wit-bindgen makes C declarations of the world (`bindings`), clang compiles them and the author's
//! files to a core module with wasi-libc (`clang`), and wit-component makes a component of that. The
//! first and the last are libraries in this program; only clang is the author's to install.

mod bindings;
mod clang;
mod project;

use wasi_preview1_component_adapter_provider as adapter;
use wit_component::ComponentEncoder;

use crate::BuildError;
use crate::docs;
use crate::report::{Event, Reporter, Step};
use crate::request::{BuildRequest, Component, TemplateFile};

use bindings::Bindings;
use clang::Clang;
use project::Project;

/// A project to begin with.
pub(crate) const TEMPLATE: &[TemplateFile] = &[
    ("@name@.wit", include_str!("../../templates/c/world.wit")),
    ("@name@.c", include_str!("../../templates/c/procedures.c")),
    ("statistics.c", include_str!("../../templates/c/statistics.c")),
    ("statistics.h", include_str!("../../templates/c/statistics.h")),
    ("statistics_test.c", include_str!("../../templates/c/statistics_test.c")),
    ("README.md", include_str!("../../templates/c/README.md")),
    (".gitignore", include_str!("../../templates/c/gitignore")),
];

/// Builds the component of a source file or a project.
pub(crate) fn build(
    request: &BuildRequest,
    reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    let project = Project::of(&request.source)?;
    let bindings = Bindings::of(&project.wit)?;
    bindings.write(&project.folder)?;
    let clang = Clang::find()?;
    let step = Step::begin(reporter, &format!("compiling {}", project.describe()));
    let compiled = clang.compile(&project, &bindings, &step);
    drop(step);
    let (core, warnings) = compiled.map_err(|error| bindings.explain(error, &project))?;
    if !warnings.is_empty() {
        reporter.report(Event::Warning(&warnings));
    }
    let bytes = encode(&core)?;
    let mut documentation = bindings.docs;
    let tables = docs::tags::take(&mut documentation)
        .map_err(|error| BuildError::source(&project.wit, error.to_string()))?;
    let bytes = docs::embed(bytes, &documentation, tables)?;
    Ok(Component { name: bindings.name, bytes, inputs: Vec::new() })
}

/// The component of a core module that says in a section of its own which world it implements.
fn encode(core: &[u8]) -> Result<Vec<u8>, BuildError> {
    let preview1 = adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
    let reactor = adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER;
    let mut encoder = ComponentEncoder::default();
    let encoder = encoder.validate(true).module(core).and_then(|it| it.adapter(preview1, reactor));
    let encoded = encoder.and_then(ComponentEncoder::encode);
    encoded.map_err(|error| BuildError::Internal(format!("no component can be made: {error:#}")))
}
