//! What ARCHITECTURE.md names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Paths that are not of this repository.
const ELSEWHERE: [&str; 1] = ["tarp/client.py"];

/// Words of the code map that are no modules.
const NO_MODULES: [&str; 1] = ["tarp"];

/// Folders that hold what was made or belongs to others.
const NOT_OURS: [&str; 4] = [".git", "node_modules", "target", "__pycache__"];

/// What the endings of sources and documents are.
const ENDINGS: [&str; 6] = [".rs", ".py", ".js", ".toml", ".md", ".json"];

/// Every file of the repository, with its path below the root.
fn files() -> Vec<String> {
    fn visit(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = entry.path();
            if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().expect("a type").is_dir() {
                visit(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).expect("below the root").display().to_string());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    visit(&root, &root, &mut found);
    found
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn is_path(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    word.chars().all(is_plain)
        && !word.starts_with(['/', '-'])
        && (word.contains('/') || ENDINGS.iter().any(|ending| word.ends_with(ending)))
}

/// Whether a file or folder of that name lies in the folder, at any depth, or `folder` is empty and it
/// lies anywhere. A module is named without its ending.
fn lies_in(word: &str, folder: &str, files: &[String]) -> bool {
    let wanted = format!("/{}", word.trim_end_matches('/'));
    files.iter().filter(|file| file.starts_with(folder)).any(|file| {
        let file = format!("/{file}");
        file.match_indices(&wanted).any(|(at, _)| {
            let rest = &file[at + wanted.len()..];
            rest.is_empty() || rest.starts_with('/') || ENDINGS.contains(&rest)
        })
    })
}

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    fs::read_to_string(path).expect("ARCHITECTURE.md")
}

/// The rows of the code map: what is in backticks in the first column, and the second column.
fn rows(text: &str) -> Vec<(Vec<&str>, &str)> {
    let map = text.split("## Code map").nth(1).expect("the code map");
    let map = map.split("\n## ").next().unwrap_or_default();
    let rows = map.lines().filter_map(|line| {
        let (place, about) = line.strip_prefix('|')?.split_once('|')?;
        let places: Vec<_> = quoted(place).collect();
        (!places.is_empty()).then_some((places, about))
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 20, "only {} rows in the code map", rows.len());
    rows
}

/// The folder that a row is about: its own, or where its files are.
fn folder(first: &str) -> &str {
    let end = first.rfind('/').map_or(0, |slash| slash + 1);
    &first[..end]
}

#[test]
fn what_it_names_is_there() {
    let (text, files) = (text(), files());
    let words: BTreeSet<_> = quoted(&text).filter(|word| is_path(word)).collect();
    assert!(words.len() > 50, "only {} paths found", words.len());
    let missing: Vec<_> = words
        .into_iter()
        .filter(|word| !ELSEWHERE.contains(word) && !lies_in(word, "", &files))
        .collect();
    assert!(missing.is_empty(), "not there: {}", missing.join(", "));
}

#[test]
fn its_code_map_has_everything_where_it_says() {
    let (text, files) = (text(), files());
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for (places, about) in rows(&text) {
        let folder = folder(places[0]);
        for place in &places {
            let there = files.iter().any(|file| {
                [(*place).to_owned(), format!("{folder}{place}")].iter().any(|path| {
                    file == path || (path.ends_with('/') && file.starts_with(path.as_str()))
                })
            });
            if !there {
                missing.push(format!("{folder}: {place}"));
            }
        }
        if !seen.insert(places[0]) {
            missing.push(format!("{}: twice in the map", places[0]));
        }
        let is_module = |word: &str| {
            word.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !NO_MODULES.contains(&word)
        };
        let modules = quoted(about).filter(|word| is_module(word));
        missing.extend(
            modules
                .filter(|word| !lies_in(word, folder, &files))
                .map(|word| format!("{folder}: {word}")),
        );
    }
    assert!(missing.is_empty(), "not there: {}", missing.join(", "));
}
