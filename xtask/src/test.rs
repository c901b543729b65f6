//! Every test there is, in steps that can also be run one by one.
//!
//! Knows the order and what to say when a step fails; what a step does is in its own module.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::project::Project;
use crate::{browser, checks, fuzz, guests, languages, python, pythons, rust_tests, wasm_target};

/// One step.
struct Step {
    /// As named on the command line.
    name: &'static str,
    /// What it does, for its heading.
    about: &'static str,
    /// Whether it is left to CI, unless it is named: it checks style, and takes a while.
    only_in_ci: bool,
    run: fn(&Project) -> Result<()>,
}

/// Cheap ones first, except that what others need comes before them.
const STEPS: [Step; 19] = [
    always("format", "the format of the Rust code", checks::format),
    always("spelling", "the spelling", checks::spelling),
    always(
        "dependencies",
        "licences, origins and advisories of the dependencies",
        checks::dependencies,
    ),
    always("wasm", "the standard library for WebAssembly", |project| {
        wasm_target::ensure(project, &wasm_target::ALL)
    }),
    always("venv", "a Python environment for the tests", python::venv),
    always("languages", "what procedures in other languages need", languages::ensure),
    always("browser", "a browser for the tests", browser::ensure),
    in_ci("ruff", "style and format of the Python code", python::ruff),
    always("host", "building the host and its tests (minutes, the first time)", rust_tests::build),
    always("guests", "building the example procedures", guests::for_tests),
    always("rust", "the Rust tests", rust_tests::run),
    always("docs", "the examples in the documentation", rust_tests::documentation),
    always("units", "the example procedures' own tests", rust_tests::guests),
    always("pytest", "the tests against a running host", python::pytest),
    always("client", "the tests of the Python client", python::client),
    in_ci("pythons", "the Python client's wheel on every Python", pythons::client),
    in_ci("types", "the types of the Python client", python::types),
    always("fuzz", "fuzzing the codecs for a short while", fuzz::run),
    in_ci("clippy", "lints of the Rust code", checks::clippy),
];

const fn always(name: &'static str, about: &'static str, run: fn(&Project) -> Result<()>) -> Step {
    Step { name, about, only_in_ci: false, run }
}

const fn in_ci(name: &'static str, about: &'static str, run: fn(&Project) -> Result<()>) -> Step {
    Step { name, about, only_in_ci: true, run }
}

/// The names of all steps, in their order.
pub(crate) fn names() -> [&'static str; STEPS.len()] {
    STEPS.map(|step| step.name)
}

/// Runs the steps of these names, or all of them, until one fails.
///
/// # Errors
///
/// Names the step that failed.
pub(crate) fn run(project: &Project, names: &[String]) -> Result<()> {
    let in_ci = std::env::var_os("CI").is_some();
    let (chosen, left): (Vec<_>, Vec<_>) = STEPS.iter().partition(|step| {
        if names.is_empty() {
            in_ci || !step.only_in_ci
        } else {
            names.iter().any(|n| n == step.name)
        }
    });
    let mut times = Vec::new();
    for (done, step) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}: {}", done + 1, chosen.len(), step.name, step.about);
        let start = Instant::now();
        (step.run)(project).with_context(|| {
            let name = step.name;
            format!("the step {name} failed; `cargo xtask test {name}` runs it alone")
        })?;
        times.push((step.name, start.elapsed()));
    }
    eprintln!("\nall steps passed:");
    for (name, time) in times {
        eprintln!("  {name:<14}{}", rounded(time));
    }
    if names.is_empty() && !left.is_empty() {
        let left: Vec<_> = left.iter().map(|step| step.name).collect();
        eprintln!("left to CI: {0} (`cargo xtask test {0}` runs them here)", left.join(" "));
    }
    Ok(())
}

fn rounded(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
