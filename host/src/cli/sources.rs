//! What `tarp dev` watches: the files that a build reads, and no others.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tarp_builder::Language;

/// How long the sources must stay as they are before they are built.
const SETTLED: Duration = Duration::from_millis(100);

/// Folders that tools write to, and nobody edits.
const NOT_SOURCES: [&str; 5] = ["target", "node_modules", "__pycache__", "dist", "build"];

/// The sources of a component, watched.
pub(super) struct Sources {
    watcher: RecommendedWatcher,
    /// Folders that are watched, with all that is below the first where it is a project.
    watched: HashSet<PathBuf>,
    rule: Arc<Mutex<Rule>>,
    changes: Receiver<()>,
}

/// Which files are sources.
struct Rule {
    /// The folder of the source, or the project.
    root: PathBuf,
    /// The source, where it is a file.
    file: Option<PathBuf>,
    language: Option<Language>,
    /// What the last build was made of, as far as its tools told.
    inputs: HashSet<PathBuf>,
}

impl Sources {
    /// Watches a source file, or a project's folder.
    pub(super) fn watch(source: &Path, language: Option<Language>) -> Result<Self> {
        let cannot = || format!("cannot watch {}", source.display());
        let source = source.canonicalize().with_context(cannot)?;
        let is_project = source.is_dir();
        let root = if is_project { source.clone() } else { source.with_file_name("") };
        let rule = Arc::new(Mutex::new(Rule {
            root: root.clone(),
            language: language.or_else(|| Language::of(&source).ok()),
            file: (!is_project).then_some(source),
            inputs: HashSet::new(),
        }));
        let (changed, changes) = channel();
        let shared = Arc::clone(&rule);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let rule = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let is_change = !matches!(event.kind, EventKind::Access(_));
            if is_change && event.paths.iter().any(|path| rule.is_source(path)) {
                // Nobody listens any more when the host has stopped.
                let _ = changed.send(());
            }
        });
        let mut watcher = watcher.with_context(cannot)?;
        let mode = if is_project { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        watcher.watch(&root, mode).with_context(cannot)?;
        Ok(Self { watcher, watched: HashSet::from([root]), rule, changes })
    }

    /// What the component was made of: watched from now on, wherever it is.
    pub(super) fn add(&mut self, inputs: Vec<PathBuf>) {
        let inputs: HashSet<_> =
            inputs.into_iter().filter_map(|input| input.canonicalize().ok()).collect();
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        let below = rule.file.is_none().then(|| rule.root.clone());
        rule.inputs.clone_from(&inputs);
        // Whoever watches waits for the rule, and is waited for below.
        drop(rule);
        for folder in inputs.iter().filter_map(|input| input.parent()) {
            let is_watched = below.as_ref().is_some_and(|root| folder.starts_with(root));
            if !is_watched && self.watched.insert(folder.to_owned()) {
                // A folder that cannot be watched is one whose changes the next build sees.
                let _ = self.watcher.watch(folder, RecursiveMode::NonRecursive);
            }
        }
    }

    /// Waits for a change, and until an editor has written all that it writes; false where there will be
    /// none any more.
    pub(super) fn wait(&self) -> bool {
        if self.changes.recv().is_err() {
            return false;
        }
        while !matches!(self.changes.recv_timeout(SETTLED), Err(RecvTimeoutError::Timeout)) {}
        true
    }
}

impl Rule {
    /// Whether a build reads this file: what its tools told of, the language's files and the project's
    /// manifest; not what tools make of sources, what editors put beside them, tests and data.
    fn is_source(&self, path: &Path) -> bool {
        if self.inputs.contains(path) || self.file.as_deref() == Some(path) {
            return true;
        }
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        let is_passed_over = below.iter().any(|part| {
            let part = part.to_string_lossy();
            part.starts_with('.') || part.ends_with('~') || NOT_SOURCES.contains(&&*part)
        });
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let is_test = stem.starts_with("test_") || stem.ends_with("_test");
        let is_read = match self.language {
            Some(Language::Rust) => {
                let manifests = ["Cargo.toml", "rust-toolchain.toml"];
                matches!(&*extension, "rs" | "wit") || manifests.contains(&&*name)
            }
            Some(Language::Python) => {
                (extension == "py" && !is_test && name != "conftest.py") || name == "pyproject.toml"
            }
            Some(Language::JavaScript) => {
                let modules = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
                let manifests = ["package.json", "tsconfig.json"];
                (modules.contains(&&*extension) && !stem.ends_with(".test"))
                    || manifests.contains(&&*name)
            }
            Some(Language::C) => {
                let is_made = below.starts_with("bindings");
                matches!(&*extension, "c" | "h" | "wit") && !is_test && !is_made
            }
            // Whatever comes may say which language it is.
            None => !matches!(&*extension, "wasm" | "lock"),
        };
        is_read && !is_passed_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_what_a_build_of_the_language_reads() {
        let data = PathBuf::from("/home/me/stats/data/table.csv");
        for (language, sources, others) in [
            (
                Language::Rust,
                &["src/lib.rs", "wit/world.wit", "Cargo.toml", "build.rs"][..],
                &["target/release/x.rs", "notes.txt", "data.csv", "src/.lib.rs.swp", "Cargo.lock"]
                    [..],
            ),
            (
                Language::Python,
                &["stats.py", "src/stats.py", "pyproject.toml"],
                &["stats.wasm", "results.csv", "test_stats.py", "a.py~", "README.md"],
            ),
            (
                Language::JavaScript,
                &["index.ts", "lib/a.mjs", "package.json"],
                &["node_modules/x/index.js", "a.test.js", "out.json", "package-lock.json"],
            ),
            (Language::C, &["a.c", "src/a.h", "a.wit"], &["bindings/a.h", "a_test.c", "a.o"]),
        ] {
            let root = PathBuf::from("/home/me/stats");
            let inputs = HashSet::from([data.clone()]);
            let rule = Rule { root: root.clone(), file: None, language: Some(language), inputs };
            for source in sources {
                assert!(rule.is_source(&root.join(source)), "{source}");
            }
            for other in others {
                assert!(!rule.is_source(&root.join(other)), "{other}");
            }
            assert!(rule.is_source(&data), "what the tools told of is read");
        }
    }
}
