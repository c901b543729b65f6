//! Procedures in JavaScript and TypeScript: the exported functions of a module, with the types that
//! TypeScript or JSDoc gives them.
//!
//! Node runs packages of npm: the TypeScript compiler reads the types (`analyse.mjs`), esbuild
//! makes one module of it and all that it imports (`bundle.mjs`), and componentize-qjs puts that into
//! QuickJS (`componentize.mjs`). What surrounds the author's functions inside the component is in `guest/`.

mod analysis;
mod entry;
mod source;
#[cfg(test)]
mod tests;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use analysis::Analysis;
use serde::Deserialize;
use source::Source;

use crate::error::Diagnostic;
use crate::report::{Event, Reporter, Step};
use crate::request::{BuildRequest, Component, TemplateFile};
use crate::tools::{NpmPackage, NpmPrefix};
use crate::{BuildError, docs};

/// What Node runs. TypeScript 7 has no compiler that a program could ask.
const PACKAGES: [NpmPackage; 4] = [
    NpmPackage { name: "componentize-qjs", version: "0.4.5" },
    NpmPackage { name: "typescript", version: "5.9.3" },
    NpmPackage { name: "esbuild", version: "0.28.2" },
    NpmPackage { name: "buffer", version: "6.0.3" },
];

/// The runtime, in files as JavaScript has them.
const GUEST: [(&str, &str); 15] = [
    ("globals.d.ts", include_str!("guest/globals.d.ts")),
    ("runtime.mjs", include_str!("guest/runtime.mjs")),
    ("values.mjs", include_str!("guest/values.mjs")),
    ("failure.mjs", include_str!("guest/failure.mjs")),
    ("console.mjs", include_str!("guest/console.mjs")),
    ("utf8.mjs", include_str!("guest/utf8.mjs")),
    ("timers.mjs", include_str!("guest/timers.mjs")),
    ("random.mjs", include_str!("guest/random.mjs")),
    ("begin.mjs", include_str!("guest/begin.mjs")),
    ("process.mjs", include_str!("guest/process.mjs")),
    ("fs.mjs", include_str!("guest/fs.mjs")),
    ("fs-promises.mjs", include_str!("guest/fs-promises.mjs")),
    ("web/fetch.mjs", include_str!("guest/web/fetch.mjs")),
    ("web/buffer.mjs", include_str!("guest/web/buffer.mjs")),
    ("web/package.json", include_str!("guest/web/package.json")),
];

/// The packages of WIT that a world may speak of.
const WIT: [(&str, &str); 7] = [
    ("cli.wit", include_str!("wasi/cli.wit")),
    ("clocks.wit", include_str!("wasi/clocks.wit")),
    ("filesystem.wit", include_str!("wasi/filesystem.wit")),
    ("io.wit", include_str!("wasi/io.wit")),
    ("random.wit", include_str!("wasi/random.wit")),
    ("procedure/http.wit", include_str!("../../../wit/http.wit")),
    ("procedure/job.wit", include_str!("../../../wit/job.wit")),
];

/// A project to begin with.
pub(crate) const TEMPLATE: &[TemplateFile] = &[
    ("package.json", include_str!("../../templates/javascript/package.json")),
    ("@name@.js", include_str!("../../templates/javascript/module.js")),
    ("@name@.test.js", include_str!("../../templates/javascript/module.test.js")),
    ("README.md", include_str!("../../templates/javascript/README.md")),
    (".gitignore", include_str!("../../templates/javascript/gitignore")),
];

/// What `bundle.mjs` says of the author's module and all that it imports.
#[derive(Debug, Deserialize)]
struct Bundle {
    faults: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// The files that it is made of.
    #[serde(default)]
    inputs: Vec<PathBuf>,
    /// The interfaces of the host that it asks for.
    #[serde(default)]
    imports: Vec<String>,
}

/// What `componentize.mjs` says.
#[derive(Debug, Deserialize)]
struct Componentized {
    faults: Vec<Diagnostic>,
}

/// Builds the component of a source file or a project.
pub(crate) fn build(
    request: &BuildRequest,
    reporter: &dyn Reporter,
) -> Result<Component, BuildError> {
    let source = Source::of(&request.source)?;
    let prefix = request.tools.npm("javascript", &PACKAGES, reporter)?;
    let work = Work::new()?;
    let step = Step::begin(reporter, &format!("reading {}", source.file.display()));
    let analysis = analyse(&source, &prefix, &work, &step)?;
    let mut described =
        world::describe(&source.name, &analysis).map_err(BuildError::Diagnostics)?;
    drop(step);
    for warning in &analysis.warnings {
        reporter.report(Event::Warning(&warning.to_string()));
    }
    let step = Step::begin(reporter, &format!("compiling {}", source.file.display()));
    let file = full(&source.file)?;
    let runtime = work.folder.join("guest/runtime.mjs");
    work.write("entry.mjs", &entry::entry(&analysis, &file, &runtime))?;
    let bundle = bundle(&source, &prefix, &work, &step)?;
    check_imports(&source, &bundle.imports)?;
    described.world.imports.extend(bundle.imports);
    work.write("wit/world.wit", &described.world.with_types_apart())?;
    componentize(&source, &analysis, &prefix, &work, &step)?;
    drop(step);
    for warning in &bundle.warnings {
        reporter.report(Event::Warning(&warning.to_string()));
    }
    let component = work.folder.join("component.wasm");
    let bytes = fs::read(&component).map_err(BuildError::io(component))?;
    let bytes = docs::embed(bytes, &described.docs, described.tables)?;
    let ours = [work.folder.clone(), full(&prefix.modules())?];
    let is_ours = |file: &PathBuf| ours.iter().any(|folder| file.starts_with(folder));
    let inputs = bundle.inputs.into_iter().filter(|file| !is_ours(file));
    Ok(Component { name: source.name, bytes, inputs: inputs.collect() })
}

fn analyse(
    source: &Source,
    prefix: &NpmPrefix,
    work: &Work,
    step: &Step<'_>,
) -> Result<Analysis, BuildError> {
    let script = work.write("analyse.mjs", include_str!("analyse.mjs"))?;
    let node = NpmPrefix::node().arg(script).arg(full(&prefix.modules())?);
    let node = node.arg(work.folder.join("guest/globals.d.ts")).arg(&source.file);
    let analysis: Analysis = read(&node.run(step)?)?;
    if analysis.faults.is_empty() {
        Ok(analysis)
    } else {
        Err(BuildError::Diagnostics(analysis.faults))
    }
}

fn bundle(
    source: &Source,
    prefix: &NpmPrefix,
    work: &Work,
    step: &Step<'_>,
) -> Result<Bundle, BuildError> {
    let script = work.write("bundle.mjs", include_str!("bundle.mjs"))?;
    let node = NpmPrefix::node().arg(script).arg(full(&prefix.modules())?);
    let said = node.arg(full(&source.folder)?).arg(&work.folder).run(step)?;
    let bundle: Bundle = read(&said)?;
    if bundle.faults.is_empty() { Ok(bundle) } else { Err(BuildError::Diagnostics(bundle.faults)) }
}

/// Refuses imports that no world could have.
fn check_imports(source: &Source, imports: &[String]) -> Result<(), BuildError> {
    let known: Vec<_> = WIT.iter().flat_map(|(_, text)| interfaces(text)).collect();
    let unknown = imports.iter().filter(|import| !known.contains(import));
    let faults: Vec<_> = unknown
        .map(|import| Diagnostic {
            file: source.file.clone(),
            line: None,
            message: format!(
                "`{import}` is no interface that a module can import; there are {}",
                known.join(", ")
            ),
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(BuildError::Diagnostics(faults)) }
}

/// The names of the interfaces in a package of WIT, as a world imports them.
fn interfaces(package: &str) -> Vec<String> {
    let name = package.lines().find_map(|line| line.strip_prefix("package ")?.strip_suffix(';'));
    let Some((name, version)) = name.and_then(|name| name.split_once('@')) else {
        return Vec::new();
    };
    let names =
        package.lines().filter_map(|line| line.strip_prefix("interface ")?.strip_suffix(" {"));
    names.map(|interface| format!("{name}/{interface}@{version}")).collect()
}

fn componentize(
    source: &Source,
    analysis: &Analysis,
    prefix: &NpmPrefix,
    work: &Work,
    step: &Step<'_>,
) -> Result<(), BuildError> {
    let script = work.write("componentize.mjs", include_str!("componentize.mjs"))?;
    let is_async = analysis.functions.iter().any(|function| function.is_async);
    let node = NpmPrefix::node().arg(script).arg(full(&prefix.modules())?);
    let node = node.arg(full(&source.folder)?).arg(&work.folder);
    let said = node.arg(if is_async { "async" } else { "sync" }).run(step)?;
    let Componentized { faults } = read(&said)?;
    if faults.is_empty() { Ok(()) } else { Err(BuildError::Diagnostics(faults)) }
}

fn read<T: serde::de::DeserializeOwned>(said: &str) -> Result<T, BuildError> {
    serde_json::from_str(said)
        .map_err(|error| BuildError::Internal(format!("a script's answer: {error}: {said}")))
}

fn full(path: &Path) -> Result<PathBuf, BuildError> {
    fs::canonicalize(path).map_err(BuildError::io(path))
}

/// A folder for all that is made on the way.
struct Work {
    folder: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Work {
    fn new() -> Result<Self, BuildError> {
        let temporary = tempfile::tempdir().map_err(BuildError::io(std::env::temp_dir()))?;
        let work = Self { folder: full(temporary.path())?, _temporary: temporary };
        for (name, text) in GUEST {
            work.write(&format!("guest/{name}"), text)?;
        }
        for (name, text) in WIT {
            work.write(&format!("wit/deps/{name}"), text)?;
        }
        Ok(work)
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, BuildError> {
        let file = self.folder.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
        }
        fs::write(&file, text).map_err(BuildError::io(&file))?;
        Ok(file)
    }
}
