//! What ARCHITECTURE.md says must stay true, as far as the text of the sources shows it.

use std::fs;
use std::path::{Path, PathBuf};

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

/// The sources below these paths must not contain any of the words.
fn absent(from: &[&str], words: &[&str]) {
    let mut breaches = Vec::new();
    for (name, source) in sources() {
        if from.iter().any(|path| name.starts_with(path)) {
            let code = code(&source);
            breaches.extend(
                words
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{name}: {word}")),
            );
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
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
fn the_codec_knows_no_http_and_starts_no_instance() {
    absent(&["codec/"], &["http::", "axum", "hyper", "StatusCode", "wasmtime", "crate::sandbox"]);
}

#[test]
fn the_sandbox_knows_no_http_but_that_of_wasi_and_no_wire_format() {
    absent(
        &["sandbox/"],
        &[" http::", "axum", "StatusCode", "codec::pickle", "codec::json", "codec::text"],
    );
}

#[test]
fn only_the_front_knows_status_codes() {
    absent(
        &[
            "call.rs",
            "catalog/",
            "cli/",
            "codec/",
            "config.rs",
            "error.rs",
            "host.rs",
            "jobs/",
            "sandbox/",
        ],
        &["StatusCode", "axum", " http::"],
    );
}

#[test]
fn nothing_reaches_a_guest_but_through_the_waist() {
    absent(
        &["front/", "jobs/", "catalog/", "cli/", "host.rs"],
        &["sandbox.run(", ".call_async(", "handler.handle("],
    );
}

#[test]
fn only_the_command_line_uses_anyhow() {
    absent(
        &[
            "call.rs",
            "catalog/",
            "codec/",
            "config.rs",
            "error.rs",
            "front/",
            "host.rs",
            "jobs/",
            "sandbox/",
        ],
        &["anyhow"],
    );
}

#[test]
fn unsafe_code_is_where_the_architecture_says() {
    let allowed = ["allocator.rs", "catalog/cache.rs", "sandbox/abi/"];
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|(_, source)| code(source).contains("unsafe "))
        .map(|(name, _)| name)
        .filter(|name| !allowed.iter().any(|path| name.starts_with(path)))
        .collect();
    assert!(found.is_empty(), "unsafe code in {}", found.join(", "));
}
