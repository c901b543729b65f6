//! From a fresh clone to a host that serves the example procedures.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};

use crate::project::{EXAMPLES, Project, WASIP1, WASIP2};
use crate::{cargo_component, guests, projects, rust_tests, step, wasm_target};

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
    rust_tests::build_host(project)?;

    heading(3, "building the example procedures");
    let mut guests = guests::list(project, EXAMPLES)?;
    guests.retain(|guest| !guest.component || cargo_component.is_some());
    let folder = project.target.join("procedures");
    guests::build(project, &guests, cargo_component.as_deref(), &folder)?;
    for (component, prefix) in PREFIXES {
        let sidecar = folder.join(component).with_extension("toml");
        fs::write(&sidecar, format!("prefix = \"{prefix}\"\n"))
            .with_context(|| format!("cannot write {}", sidecar.display()))?;
    }
    let all = guests::list(project, EXAMPLES)?;
    for left_out in all.iter().filter(|guest| !guests.contains(guest)) {
        let hint = cargo_component::install_hint();
        eprintln!("left out: {}, which needs cargo-component: run `{hint}`", left_out.file());
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
    // Fills the cache of compiled components: every call of the greeting works at once. A failure does not end the
    // demo, since it may concern a component that the user put into the folder.
    if let Err(error) = step::run(project.command(project.host()).arg("check").arg(&folder)) {
        eprintln!("{error:#}");
    }
    // Shorter to read, and to type, than the absolute path that it mostly is.
    let folder = folder.strip_prefix(&project.root).unwrap_or(&folder);
    eprintln!("\n{}", greeting(project, &files, folder, port));
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

/// What the demo prints, with placeholders in braces. A line that begins with `@NAME ` is only for a demo that
/// serves the component NAME. `tests/book/test_demo.py` reads it too, and runs every command.
const GREETING: &str = include_str!("greeting.txt");

/// The greeting of a demo that serves these files from this folder.
fn greeting(project: &Project, files: &[String], folder: &Path, port: u16) -> String {
    let within =
        |path: &Path| path.strip_prefix(&project.root).unwrap_or(path).display().to_string();
    let is_served =
        |component: &str| files.iter().any(|file| file.strip_suffix(".wasm") == Some(component));
    let mut text = String::new();
    for line in GREETING.lines() {
        let line = match line.strip_prefix('@').and_then(|marked| marked.split_once(' ')) {
            Some((component, _)) if !is_served(component) => continue,
            Some((_, line)) => line,
            None => line,
        };
        text.push_str(line);
        text.push('\n');
    }
    text.replace("{url}", &format!("http://127.0.0.1:{port}"))
        .replace("{root}", &project.root.display().to_string())
        .replace("{folder}", &within(folder))
        .replace("{target}", &within(&project.target))
        .replace("{tarp}", &within(&project.host()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting_with(project: &Project, components: &[&str]) -> String {
        let files: Vec<_> = components.iter().map(|name| format!("{name}.wasm")).collect();
        greeting(project, &files, &project.target.join("procedures"), 8123)
    }

    #[test]
    fn only_what_is_served_is_shown() {
        let project = Project::find(false).unwrap();
        let all = greeting_with(&project, &["signal_lab", "javascript_text", "c_checksum"]);
        let few = greeting_with(&project, &["javascript_text"]);
        assert!(all.contains("signal/find_peaks") && all.contains("c/checksum"), "{all}");
        assert!(!few.contains("signal/") && !few.contains("c/checksum"), "{few}");
        assert!(
            few.contains("\n  # One in JavaScript\n  ") && few.contains("count_words"),
            "{few}"
        );
    }

    #[test]
    fn no_placeholder_is_left() {
        let project = Project::find(false).unwrap();
        let text = greeting_with(&project, &["signal_lab", "javascript_text", "c_checksum"]);
        assert!(text.contains("http://127.0.0.1:8123/-/client/"), "{text}");
        assert!(!text.lines().any(|line| line.starts_with('@')), "{text}");
        // Braces remain around JSON alone.
        assert_eq!(text.matches('{').count(), text.matches("{\"").count(), "{text}");
    }

    #[test]
    fn marks_and_prefixes_name_examples() {
        let project = Project::find(false).unwrap();
        let mut files: Vec<_> =
            guests::list(&project, EXAMPLES).unwrap().iter().map(guests::Guest::file).collect();
        files.extend(projects::list(&project).unwrap().iter().map(projects::Example::file));
        let marks = GREETING.lines().filter_map(|line| line.strip_prefix('@')?.split(' ').next());
        for component in marks.chain(PREFIXES.map(|(component, _)| component)) {
            assert!(files.contains(&format!("{component}.wasm")), "{component}: {files:?}");
        }
    }
}
