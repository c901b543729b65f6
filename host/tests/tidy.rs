//! What ARCHITECTURE.md says must stay true, as far as the text of the sources shows it.

use std::collections::BTreeSet;
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

/// The sources below this path must not contain any of the words.
fn absent(path: &str, words: &[&str]) {
    let sources = sources();
    let below: Vec<_> = sources.iter().filter(|(name, _)| name.starts_with(path)).collect();
    assert!(!below.is_empty(), "no source is below {path}; name what took its place");
    no_words(below.into_iter(), words);
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
const LAYERS: [&[&str]; 12] = [
    &["allocator", "machine", "value"],
    &["error"],
    &["codec"],
    &["budget"],
    &["config"],
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

/// The layers are crossed here until the meters of jobs are a module of their own.
const CROSSINGS: [(&str, &str); 1] = [("metrics", "jobs")];

/// The modules of the crate that a source names in `crate::module` and `crate::{module, other::Item}`,
/// outside of its tests.
fn modules_used(source: &str) -> BTreeSet<String> {
    let code = code(source);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let first = |path: &str| {
        let end = path.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(path.len());
        path[..end].to_owned()
    };
    let mut used = BTreeSet::new();
    for path in code.split("crate::").skip(1) {
        let Some(group) = path.strip_prefix('{') else {
            used.insert(first(path));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    used.insert(first(group[start..at].trim_start()));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn modules_use_only_what_is_below_them() {
    let height = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    let mut breaches = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, source) in sources() {
        let module = name.split(['/', '.']).next().unwrap_or_default().to_owned();
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        let own = height(&module).unwrap_or_else(|| panic!("{module} is in no layer"));
        for used in modules_used(&source) {
            let crossing = CROSSINGS.contains(&(module.as_str(), used.as_str()));
            let wrong = used != module && height(&used).is_some_and(|its| its >= own);
            if wrong && !crossing {
                breaches.push(format!("{name} uses {used}"));
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
fn uses_are_read_from_every_form_of_path() {
    let source = "use crate::{a::{B, C}, d, e::F};\nlet g = crate::g::h();\n// crate::no\n";
    let used: Vec<_> = modules_used(source).into_iter().collect();
    assert_eq!(used, ["a", "d", "e", "g"]);
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
fn the_codec_knows_no_http_and_no_engine() {
    absent("codec/", &["http::", "axum", "hyper", "wasmtime"]);
}

#[test]
fn the_sandbox_knows_no_http_but_that_of_wasi_and_no_wire_format() {
    absent("sandbox/", &[" http::", "codec::pickle", "codec::json", "codec::text"]);
}

#[test]
fn only_the_front_knows_status_codes() {
    only(&["front/"], &["StatusCode", "axum"]);
}

#[test]
fn nothing_reaches_a_guest_but_through_the_waist() {
    only(&["call.rs"], &["sandbox.run(", "handler.handle("]);
    only(&["sandbox/run.rs"], &[".call_async("]);
}

#[test]
fn only_the_command_line_uses_anyhow() {
    only(&["cli/", "main.rs"], &["anyhow"]);
}

#[test]
fn unsafe_code_is_where_the_architecture_says() {
    only(&["allocator.rs", "catalog/cache.rs", "sandbox/abi/"], &["unsafe "]);
}
