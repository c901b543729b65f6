//! From a fresh clone to a host that serves the example procedures.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use crate::project::Project;
use crate::wasm_target::{WASIP1, WASIP2};
use crate::{cargo_component, guests, projects, step, wasm_target};

/// Sidecars for components whose authors chose a name that another example has too.
const PREFIXES: [(&str, &str); 2] = [("c_checksum", "c"), ("signal_lab", "signal")];

/// Builds what is missing and serves it; returns only when that fails.
///
/// # Errors
///
/// When a tool is missing or something does not compile.
pub(crate) fn run(project: &Project, port: u16) -> Result<()> {
    // Compiling cargo-component takes longer than the rest together; its example is left out.
    let cargo_component = cargo_component::find(project);
    heading(1, "the standard library for WebAssembly");
    let targets: &[_] = if cargo_component.is_some() { &[WASIP2, WASIP1] } else { &[WASIP2] };
    wasm_target::ensure(project, targets)?;

    heading(2, "building the host (the first time compiles wasmtime, a few minutes)");
    // Of the workspace, as the tests do: for one package alone, cargo would choose other features of
    // the dependencies and compile wasmtime once more.
    step::run(project.cargo("build").args(["--workspace", "--bin", "tarp"]))?;

    heading(3, "building the example procedures");
    let mut guests = guests::list(project, guests::EXAMPLES)?;
    guests.retain(|guest| !guest.component || cargo_component.is_some());
    let folder = project.target.join("procedures");
    guests::build(project, &guests, cargo_component.as_deref(), &folder)?;
    for (component, prefix) in PREFIXES {
        let sidecar = folder.join(component).with_extension("toml");
        fs::write(&sidecar, format!("prefix = \"{prefix}\"\n"))
            .with_context(|| format!("cannot write {}", sidecar.display()))?;
    }
    let mut files: Vec<_> = guests.iter().map(guests::Guest::file).collect();
    for example in projects::list(project)? {
        // Their tools come from the network, and a visitor can do without them.
        match projects::build(project, std::slice::from_ref(&example), &folder) {
            Ok(()) => files.push(example.file()),
            Err(error) => eprintln!("left out: {}: {error:#}", example.file()),
        }
    }

    heading(4, "serving");
    // Shorter to read, and to type, than the absolute path that it mostly is.
    let folder = folder.strip_prefix(&project.root).unwrap_or(&folder);
    introduce(&files, folder, port);
    let mut host = project.command(project.host());
    host.arg("serve").arg(folder).args(["--port", &port.to_string()]);
    // Jobs of its own, so that it is in nobody's way.
    host.arg("--data").arg(project.target.join("demo-data"));
    // In our place, so that signals reach the host and its exit code is ours.
    let error = host.exec();
    Err(anyhow!(error).context(format!("cannot start {}", project.host().display())))
}

fn heading(number: u8, what: &str) {
    eprintln!("\n[{number}/4] {what}");
}

fn introduce(files: &[String], folder: &Path, port: u16) {
    let (files, folder) = (files.join(" "), folder.display());
    let url = format!("http://127.0.0.1:{port}");
    eprintln!(
        "{files}
from {folder}/ at {url}/ until Ctrl-C.
Put another component into the folder, and its functions are served as well. Try:

  curl '{url}/add?x=1&y=2'
  curl -d '{{\"x\": 1, \"y\": 2}}' -H 'Content-Type: application/json' {url}/add
  python3 -c 'import tarp.client; print(tarp.client.client(\"{url}\").my_function(1, 2))'
"
    );
}
