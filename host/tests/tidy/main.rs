//! What ARCHITECTURE.md says must stay true, as far as the text of the sources shows it.

mod architecture;
mod imports;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use imports::Imports;

/// Every source file of the host, with its path below `src/`.
fn sources() -> Vec<(String, String)> {
    let found = files("src", "rs");
    assert!(found.len() > 50, "only {} sources found", found.len());
    found
}

/// The console's own scripts, with their paths below `console/`.
fn scripts() -> Vec<(String, String)> {
    let mut found = files("console", "js");
    found.retain(|(name, _)| !name.starts_with("vendor/"));
    assert!(found.len() > 30, "only {} scripts found", found.len());
    found
}

/// The files with this extension below a folder of the host, with their paths below it.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn visit(folder: &Path, root: &Path, extension: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                visit(&path, root, extension, found);
            } else if path.extension().is_some_and(|its| its == extension) {
                let name = path.strip_prefix(root).expect("below the root").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    visit(&root, &root, extension, &mut found);
    found
}

/// The code of a source, without comments: prose may speak of anything.
fn code(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// No source may contain any of the words, except those below the paths of `allowed`.
fn only(allowed: &[&str], words: &[&str]) {
    let sources = sources();
    for path in allowed {
        let exists = sources.iter().any(|(name, _)| name.starts_with(path));
        assert!(exists, "no source is below {path}; name what took its place");
    }
    let others =
        sources.iter().filter(|(name, _)| !allowed.iter().any(|path| name.starts_with(path)));
    no_words(others, words);
}

fn no_words<'a>(sources: impl Iterator<Item = &'a (String, String)>, words: &[&str]) {
    let mut breaches = Vec::new();
    for (name, source) in sources {
        let code = code(source);
        let found = words.iter().filter(|word| code.contains(**word));
        breaches.extend(found.map(|word| format!("{name}: {word}")));
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// The host's modules, from the bottom to the top: each may use those of earlier lines.
const LAYERS: [&[&str]; 14] = [
    &["allocator", "confinement", "files", "machine", "shutdown", "value"],
    &["error"],
    &["auth"],
    &["codec"],
    &["budget"],
    &["config"],
    &["audit"],
    &["sandbox"],
    &["metrics"],
    &["catalog"],
    &["call"],
    &["jobs"],
    &["front"],
    &["host"],
];

/// These are above the layers: the library's root, and the program.
const ABOVE: [&str; 3] = ["cli", "lib", "main"];

#[test]
fn modules_use_only_what_is_below_them() {
    let sources = sources();
    let room = |file: &str| file.split(['/', '.']).next().unwrap_or_default().to_owned();
    let height = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut breaches = Vec::new();
    let mut seen = BTreeSet::new();
    for (file, used) in Imports::of(&sources).used {
        let module = room(&file);
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        let own = height(&module).unwrap_or_else(|| panic!("{module} is in no layer"));
        for (target, path) in used {
            let its = room(&target);
            if its != module && height(&its).is_none_or(|its| its >= own) {
                breaches.push(format!("{file} uses {target} by {path}"));
            }
        }
        seen.insert(module);
    }
    for module in LAYERS.iter().copied().flatten() {
        assert!(seen.contains(*module), "{module} is no module any more");
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn files_use_each_other_in_no_circle() {
    let sources = sources();
    let imports = Imports::of(&sources);
    let mut breaches = Vec::new();
    for circle in imports.circles() {
        for file in &circle {
            let used = imports.used[*file].iter();
            let back = used.filter(|(target, _)| circle.contains(target.as_str()));
            breaches.extend(back.map(|(target, path)| format!("{file} uses {target} by {path}")));
        }
    }
    assert!(breaches.is_empty(), "these lead back to themselves:\n{}", breaches.join("\n"));
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|(_, source)| !source.starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "these begin without a `//!`: {}", silent.join(", "));
}

#[test]
fn every_script_of_the_console_says_what_it_is_for_and_is_short() {
    for (name, script) in scripts() {
        assert!(script.starts_with("/**") || script.starts_with("//"), "{name} says nothing");
        let lines = script.lines().count();
        assert!(lines < 250, "{name} has {lines} lines");
    }
}

#[test]
fn the_console_takes_nothing_as_html_and_evaluates_nothing() {
    for (name, script) in scripts() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "setHTML",
            "createContextualFragment",
            "DOMParser",
            "document.write",
            "srcdoc",
            "eval(",
            "new Function",
        ] {
            assert!(!script.contains(word), "{name}: {word}");
        }
    }
}

#[test]
fn only_the_front_and_guests_that_answer_requests_know_http() {
    only(&["front/"], &["axum"]);
    only(&["front/", "sandbox/"], &[" http::", "hyper", "http_body"]);
    only(
        &[
            "front/",
            "sandbox/frames.rs",
            "sandbox/handler.rs",
            "sandbox/http.rs",
            "sandbox/messages.rs",
            "sandbox/outgoing/",
            "sandbox/secret.rs",
        ],
        &["hyper", "http_body"],
    );
}

#[test]
fn only_the_sandbox_and_what_loads_components_know_wasmtime() {
    only(&["catalog/", "host.rs", "sandbox/"], &["wasmtime"]);
}

#[test]
fn only_the_codec_and_the_front_know_wire_formats() {
    only(&["budget.rs", "codec/", "front/"], &["codec::pickle"]);
    only(&["codec/", "front/"], &["codec::text", "codec::table"]);
    // What is written in a configuration, a component's metadata or a default is JSON as well.
    only(&["catalog/", "codec/", "config/", "front/"], &["codec::json"]);
}

#[test]
fn unsafe_code_is_where_the_architecture_says() {
    only(&["allocator.rs", "catalog/cache.rs", "sandbox/abi/"], &["unsafe "]);
}
