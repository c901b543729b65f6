//! componentize-py: fetched once, given a world and modules, and its failures made readable.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use super::analysis::Analysis;
use super::project::Project;
use crate::BuildError;
use crate::error::Diagnostic;
use crate::report::{Reporter, Step};
use crate::request::BuildRequest;
use crate::tools::{PythonPackage, Tool, Venv};

/// The version that the runtime in `guest/` was written for, and the Python that it brings.
const PACKAGE: PythonPackage = PythonPackage { name: "componentize-py", version: "0.25.1" };
const GUEST_PYTHON: &str = "3.14";

/// What is in every component.
const MODULES: [(&str, &str); 7] = [
    ("tarp_guest.py", include_str!("guest/tarp_guest.py")),
    ("tarp_runtime/__init__.py", include_str!("guest/tarp_runtime/__init__.py")),
    ("tarp_runtime/http.py", include_str!("guest/tarp_runtime/http.py")),
    ("tarp_runtime/loop.py", include_str!("guest/tarp_runtime/loop.py")),
    ("tarp_runtime/plain.py", include_str!("guest/tarp_runtime/plain.py")),
    ("tarp_runtime/types.py", include_str!("guest/tarp_runtime/types.py")),
    ("tarp_runtime/web.py", include_str!("guest/tarp_runtime/web.py")),
];

/// What a component may import from its host.
const INTERFACES: [(&str, &str); 4] = [
    ("failures.wit", include_str!("../../../wit/failures.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("job.wit", include_str!("../../../wit/job.wit")),
    ("web.wit", include_str!("../../../wit/web.wit")),
];

/// The module that componentize-py starts with.
const APP: &str = "tarp_app";

/// Makes the component.
///
/// # Errors
///
/// When the tool cannot be had, or the module fails when it is imported.
pub(super) fn run(
    request: &BuildRequest,
    project: &Project,
    analysis: &Analysis,
    world: &str,
    reporter: &dyn Reporter,
) -> Result<Vec<u8>, BuildError> {
    let venv = request.tools.python(PACKAGE, reporter)?;
    let dependencies = dependencies(request, project, &venv, reporter)?;
    let step = Step::begin(reporter, &format!("compiling {}", project.module.display()));
    let scratch = tempfile::tempdir().map_err(BuildError::io("a temporary folder"))?;
    let (wit, app) = (scratch.path().join("wit"), scratch.path().join("app"));
    write(&wit.join("world.wit"), world)?;
    for (name, text) in INTERFACES {
        write(&wit.join("deps/tarp-procedure").join(name), text)?;
    }
    for (name, text) in MODULES {
        write(&app.join(name), text)?;
    }
    write(&app.join(format!("{APP}.py")), &app_source(analysis)?)?;
    let output = scratch.path().join("component.wasm");
    let module = std::path::absolute(&project.module).map_err(BuildError::io(&project.module))?;
    let folder = module.parent().unwrap_or(Path::new("/"));

    let mut tool = Tool::new(
        venv.program(PACKAGE.name),
        "to build procedures in Python",
        "remove the folder of the private Python environment",
    );
    // The environment of a shell that happens to be in some project must not get into a component.
    for variable in ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "RUST_BACKTRACE"] {
        tool = tool.without_env(variable);
    }
    tool = tool.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONNOUSERSITE", "1");
    tool = tool.arg("--wit-path").arg(&wit).args(["--quiet", "componentize", APP]);
    for path in [&app, folder].into_iter().chain(dependencies.as_deref()) {
        tool = tool.arg("--python-path").arg(path);
    }
    let made = tool.arg("--output").arg(&output).at(scratch.path()).run(&step);
    made.map_err(|error| readable(error, project))?;
    fs::read(&output).map_err(BuildError::io(output))
}

/// The dependencies of the project, in a folder for just these; only those without compiled parts
/// can run in a component.
fn dependencies(
    request: &BuildRequest,
    project: &Project,
    venv: &Venv,
    reporter: &dyn Reporter,
) -> Result<Option<PathBuf>, BuildError> {
    if project.dependencies.is_empty() {
        return Ok(None);
    }
    let mut hasher = DefaultHasher::new();
    (GUEST_PYTHON, &project.dependencies).hash(&mut hasher);
    let name = format!("python-packages-{:016x}", hasher.finish());
    let install = |at: &Path| {
        let step = Step::begin(reporter, &format!("fetching {}", project.dependencies.join(", ")));
        let pip = venv.python().args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        let pip = pip.args(["install", "--quiet", "--only-binary", ":all:", "--platform", "any"]);
        let pip = pip.args(["--implementation", "py", "--abi", "none"]);
        let pip = pip.args(["--python-version", GUEST_PYTHON, "--target"]).arg(at);
        pip.args(&project.dependencies).run(&step).map(drop).map_err(without_wheel)
    };
    request.tools.ensure(&name, install).map(Some)
}

fn without_wheel(error: BuildError) -> BuildError {
    match error {
        BuildError::Tool { output, .. } if output.contains("No matching distribution") => {
            BuildError::source(
                "pyproject.toml",
                format!(
                    "one of the dependencies cannot be had as pure Python for Python {GUEST_PYTHON}; packages with compiled parts, such as numpy, cannot run in a component:\n{output}"
                ),
            )
        }
        error => error,
    }
}

/// The module that gives componentize-py its class.
fn app_source(analysis: &Analysis) -> Result<String, BuildError> {
    let internal = |e: serde_json::Error| BuildError::Internal(e.to_string());
    let json = serde_json::to_string(analysis).map_err(internal)?;
    // A string of JSON is one of Python too.
    let literal = serde_json::to_string(&json).map_err(internal)?;
    let module = &analysis.module;
    let http = if analysis.imports_urllib { "import tarp_runtime.http\n" } else { "" };
    Ok(format!(
        "import json\nimport sys\n\n\
         # The author's folder is seen from here, and is to stay as it is.\n\
         sys.dont_write_bytecode = True\n\nimport wit_world\n\nimport {module} as author\nimport tarp_runtime\n{http}\n\
         WitWorld = tarp_runtime.world(json.loads({literal}), wit_world, author)\n"
    ))
}

/// A module that fails when it is imported fails here, deep inside the tool: what is left of that
/// is Python's own traceback, with the author's paths.
fn readable(error: BuildError, project: &Project) -> BuildError {
    let BuildError::Tool { output, .. } = &error else { return error };
    let Some((_, said)) = output.split_once("AssertionError: ") else { return error };
    let said = said.split("\n\n\nCaused by:").next().unwrap_or(said);
    if !said.starts_with("Traceback") {
        return error;
    }
    // What lies below the author's own folder, which is the second path.
    let own = "File \"/1/";
    let mut lines = said.lines();
    let mut message = vec![lines.next().unwrap_or_default().to_owned()];
    let mut is_own = false;
    let mut at = None;
    let folder = project.module.parent().unwrap_or(Path::new(""));
    for line in lines {
        if line.trim_start().starts_with("File \"") {
            is_own = line.contains(own);
            at = place(line, own, folder).or(at);
        } else if !line.starts_with(' ') {
            is_own = true;
        }
        if is_own {
            message.push(line.replace(own, &format!("File \"{}", prefix(folder))));
        }
    }
    let mut message = message.join("\n");
    if let Some(name) = message.split("No module named '").nth(1).and_then(|m| m.split('\'').next())
    {
        message += &format!(
            "\n`{name}` is not in the component: put it under `dependencies` in pyproject.toml; only packages of pure Python can be, not such as numpy"
        );
    }
    let (file, line) = at.unwrap_or((project.module.clone(), None));
    let message = format!("fails when it is imported, which `tarp build` does once:\n{message}");
    BuildError::Diagnostics(vec![Diagnostic { file, line, message }])
}

fn prefix(folder: &Path) -> String {
    if folder.as_os_str().is_empty() { String::new() } else { format!("{}/", folder.display()) }
}

fn place(line: &str, own: &str, folder: &Path) -> Option<(PathBuf, Option<usize>)> {
    let (file, rest) = line.split_once(own)?.1.split_once('"')?;
    let number = rest.strip_prefix(", line ")?.split(',').next()?;
    Some((folder.join(file), number.trim().parse().ok()))
}

fn write(path: &Path, text: &str) -> Result<(), BuildError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(BuildError::io(folder))?;
    }
    fs::write(path, text).map_err(BuildError::io(path))
}
