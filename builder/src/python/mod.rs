//! Procedures in Python: every public function with type hints of one module.
//!
//! 1. `project` says which file that is.
//! 2. `analysis` reads it, with the author's own Python, without running it.
//! 3. `world` makes WIT of it, and the table of what WIT cannot say.
//! 4. `packages` fetches what the project depends on.
//! 5. `archives` packs those, and the standard library, for the memory of components.
//! 6. `componentize` has componentize-py make a component of the module and of `guest/`: the runtime
//!    that converts values, and `tarp_guest`, which authors import.
//! 7. Documentation and table are put into the component.

mod analysis;
mod archives;
mod componentize;
mod packages;
mod project;
#[cfg(test)]
mod tests;
mod world;

use self::componentize::Parts;
use crate::BuildError;
use crate::docs;
use crate::report::{Event, Reporter, Step};
use crate::request::{BuildRequest, Component, TemplateFile};

/// Builds the component of a source file or a project.
pub(crate) fn build(
    request: &BuildRequest,
    reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    let project = project::Project::find(&request.source)?;
    let step = Step::begin(reporter, &format!("reading {}", project.module.display()));
    let mut analysis = analysis::analyse(&project.module, &project.folder, &step)?;
    let mapped = world::map(&mut analysis, &project.module).map_err(BuildError::Diagnostics)?;
    drop(step);
    for warning in &analysis.warnings {
        reporter.report(Event::Warning(&warning.to_string()));
    }
    for file in analysis.files.iter().filter(|file| file.mentioned) {
        // A component is shown to others: what is in it is no surprise to its author.
        let text = format!("taking {} into the component", file.shown.display());
        drop(Step::begin(reporter, &text));
    }
    let world = mapped.world.to_string();
    let tools = &request.tools;
    let venv = || tools.python(componentize::PACKAGE, reporter);
    let (venv, packages) = packages::ensure(tools, &project, &analysis, venv, reporter)?;
    let stdlib = archives::stdlib(tools, &venv, reporter)?;
    let parts = Parts {
        world: &world,
        stdlib: &stdlib,
        packages: packages.archive.as_deref(),
        modules: &packages.modules,
    };
    let bytes = componentize::run(&venv, &project, &analysis, &parts, reporter)?;
    let bytes = docs::embed(bytes, &mapped.docs, mapped.tables)?;
    let files = analysis.files.into_iter().map(|file| file.path);
    Ok(Component { name: analysis.name, bytes, inputs: files.chain(project.manifest).collect() })
}

/// What a new project begins with.
pub(crate) const TEMPLATE: &[TemplateFile] = &[
    (".gitignore", include_str!("../../templates/python/gitignore")),
    ("@name@.py", include_str!("../../templates/python/module.py")),
    ("README.md", include_str!("../../templates/python/README.md")),
    ("pyproject.toml", include_str!("../../templates/python/pyproject.toml")),
    ("tarp_guest.py", include_str!("guest/tarp_guest.py")),
    ("test_@name@.py", include_str!("../../templates/python/test.py")),
];
