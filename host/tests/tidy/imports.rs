//! Which file of the host uses which, by the paths in their code: `crate::…`, `super::…`, and those that
//! begin with a child. A name that another file only passes on is followed to where it is defined.

use std::collections::{BTreeMap, BTreeSet};

/// A path, segment by segment.
type Path = Vec<String>;

/// What a source says of others.
#[derive(Default)]
struct Paths {
    /// Those that it uses.
    used: Vec<Path>,
    /// Those that it passes on with `pub use`, by the name that they get.
    passed_on: BTreeMap<String, Path>,
}

/// The files of a crate, and which of them each uses.
pub(crate) struct Imports {
    /// By file, those that it uses, each with one path by which it does.
    pub(crate) used: BTreeMap<String, BTreeMap<String, String>>,
}

impl Imports {
    /// Of sources with their paths below `src/`.
    pub(crate) fn of(sources: &[(String, String)]) -> Self {
        let modules: BTreeMap<Path, &str> =
            sources.iter().map(|(file, _)| (module(file), file.as_str())).collect();
        let paths: BTreeMap<Path, Paths> =
            sources.iter().map(|(file, source)| (module(file), paths(source))).collect();
        let crate_ = Crate { modules: &modules, paths: &paths };
        let mut used = BTreeMap::new();
        for (module, file) in &modules {
            let mut by_file = BTreeMap::new();
            for path in &paths[module].used {
                if let Some(target) = crate_.file(module, path).filter(|target| target != file) {
                    by_file.entry(target.to_owned()).or_insert_with(|| path.join("::"));
                }
            }
            used.insert((*file).to_owned(), by_file);
        }
        Self { used }
    }

    /// Groups of files each of which leads to all others of its group.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.used.keys().map(|file| (file.as_str(), self.reached(file))).collect();
        let mut circles: Vec<BTreeSet<&str>> = Vec::new();
        for (file, its) in &reached {
            if its.contains(file) && !circles.iter().any(|circle| circle.contains(file)) {
                let circle = its.iter().filter(|other| reached[*other].contains(file));
                circles.push(circle.copied().collect());
            }
        }
        circles
    }

    /// All that a file leads to; itself only by a circle.
    fn reached(&self, file: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&str> = vec![file];
        while let Some(file) = open.pop() {
            for target in self.used.get(file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(target.as_str()) {
                    open.push(target);
                }
            }
        }
        reached
    }
}

struct Crate<'a> {
    modules: &'a BTreeMap<Path, &'a str>,
    paths: &'a BTreeMap<Path, Paths>,
}

impl<'a> Crate<'a> {
    /// The file that a path of this module leads to; `None` where it leads out of the crate.
    fn file(&self, from: &[String], path: &[String]) -> Option<&'a str> {
        let mut at = (from.to_vec(), path.to_vec());
        // A name is passed on so many times at the most, should two files pass it to each other.
        for _ in 0..8 {
            let (module, rest) = self.module(&at.0, &at.1)?;
            let passed_on = rest.first().and_then(|name| self.paths[&module].passed_on.get(name));
            match passed_on {
                Some(further) if self.module(&module, further).is_some() => {
                    at = (module, further.clone());
                }
                _ => return self.modules.get(&module).copied(),
            }
        }
        None
    }

    /// The module that the beginning of a path names, and the rest of the path.
    fn module(&self, from: &[String], path: &[String]) -> Option<(Path, Path)> {
        let mut module = from.to_vec();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => (module, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
            }
            child => {
                let child: Path = module.iter().cloned().chain([child.to_owned()]).collect();
                self.modules.contains_key(&child).then_some(())?;
            }
        }
        while let Some(segment) = rest.first() {
            let child: Path = module.iter().chain([segment]).cloned().collect();
            if !self.modules.contains_key(&child) {
                break;
            }
            (module, rest) = (child, &rest[1..]);
        }
        Some((module, rest.to_vec()))
    }
}

/// The module of a file: `a`, `b` of `a/b.rs` and of `a/b/mod.rs`.
fn module(file: &str) -> Path {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The paths in a source, without those of comments and tests.
fn paths(source: &str) -> Paths {
    let code = super::code(source);
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut found = Paths::default();
    let mut others = String::new();
    let mut passed_on = Vec::new();
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let statement = line.trim_start();
        if statement.starts_with("mod ") || statement.starts_with("pub mod ") {
            continue;
        }
        let Some(tree) = statement.split_once("use ").filter(|(before, _)| is_visibility(before))
        else {
            // `pub(in crate::a)` uses nothing of `a`.
            others.extend(line.split("pub(in ").enumerate().map(|(at, part)| match at {
                0 => part,
                _ => part.split_once(')').map_or(part, |(_, rest)| rest),
            }));
            others.push('\n');
            continue;
        };
        let mut text = tree.1.to_owned();
        while !text.contains(';') {
            text += lines.next().unwrap_or(";");
        }
        let is_passed_on = tree.0.starts_with("pub");
        read(&text, true, &mut |path| {
            if is_passed_on { passed_on.push(path) } else { found.used.push(path) }
        });
    }
    read(&others, false, &mut |path| found.used.push(path));
    for path in passed_on {
        let Some(name) = path.last().cloned() else { continue };
        if has_word(&others, &name) {
            found.used.push(path.clone());
        }
        found.passed_on.insert(name, path);
    }
    found
}

/// Whether this is all that stands before a `use`: nothing, `pub`, `pub(crate)` …
fn is_visibility(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text == "pub" || (text.starts_with("pub(") && text.ends_with(')'))
}

fn is_inner(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a word stands in the code, other than as a method or field.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_inner(c) || c == '.') && !after.is_some_and(is_inner)
    })
}

/// Hands out each path of two segments and more, with `a::{b, c}` as two. In a `use`, a name of one
/// segment in braces is a path as well.
fn read(code: &str, is_use: bool, found: &mut impl FnMut(Path)) {
    let mut rest = code;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        if is_inner(c) && !before.is_some_and(|c| is_inner(c) || c == '.') {
            let length = tree(rest, &mut Vec::new(), is_use, found);
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        } else {
            before = Some(c);
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// Reads a path, or in a `use` a tree of them, below `prefix`; gives its length.
fn tree(text: &str, prefix: &mut Path, is_use: bool, found: &mut impl FnMut(Path)) -> usize {
    let depth = prefix.len();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let length = rest.find(|c| !is_inner(c)).unwrap_or(rest.len());
        if length > 0 {
            prefix.push(rest[..length].to_owned());
            at += length;
        } else if is_use && rest.starts_with('{') {
            at += 1;
            while let Some(c) = text[at..].chars().next() {
                match c {
                    '}' => {
                        at += 1;
                        break;
                    }
                    c if is_inner(c) => {
                        at += tree(&text[at..], prefix, true, found);
                        // `as other`
                        at += text[at..].find([',', '}']).unwrap_or(0);
                    }
                    c => at += c.len_utf8(),
                }
            }
            break;
        } else {
            break;
        }
        if text[at..].starts_with("::") {
            at += 2;
        } else {
            break;
        }
    }
    // A path that ends in braces was handed out by its branches.
    if prefix.len() >= 2 && !text[..at].ends_with('}') {
        let mut path = prefix.clone();
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        found(path);
    }
    prefix.truncate(depth);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(sources: &[(&str, &str)], file: &str) -> Vec<String> {
        let sources: Vec<_> =
            sources.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        Imports::of(&sources).used[file].keys().cloned().collect()
    }

    #[test]
    fn uses_are_read_from_every_form_of_path() {
        let sources = [
            ("a/mod.rs", ""),
            ("a/b.rs", ""),
            (
                "a/c.rs",
                "use crate::{\n    a::{self, b::B as Other},\n    d,\n};\nfn f() { super::e::g() }",
            ),
            (
                "a/e.rs",
                "// use crate::d;\npub(in crate::a) fn g() {}\n#[cfg(test)]\nmod tests { use crate::d; }",
            ),
            ("d.rs", "mod x;\nfn f(y: Y) { y.x.super_(); x::go::<u8>(); std::mem::take(z) }"),
            ("d/x.rs", ""),
        ];
        assert_eq!(used(&sources, "a/c.rs"), ["a/b.rs", "a/e.rs", "a/mod.rs", "d.rs"]);
        assert_eq!(used(&sources, "a/e.rs"), [""; 0]);
        assert_eq!(used(&sources, "d.rs"), ["d/x.rs"]);
    }

    #[test]
    fn a_name_that_is_passed_on_is_followed_and_passing_it_on_is_no_use() {
        let sources = [
            ("a/mod.rs", "mod b;\nmod c;\npub use b::{B, read};\nfn f(text: &str) { text.read() }"),
            ("a/b.rs", "pub struct B;"),
            ("a/c.rs", "use super::B;"),
            ("d.rs", "use crate::a::B;"),
            ("e/mod.rs", "pub(crate) use crate::a::B;\nstruct E(B);"),
        ];
        assert_eq!(used(&sources, "a/mod.rs"), [""; 0]);
        assert_eq!(used(&sources, "a/c.rs"), ["a/b.rs"]);
        assert_eq!(used(&sources, "d.rs"), ["a/b.rs"]);
        assert_eq!(used(&sources, "e/mod.rs"), ["a/b.rs"]);
    }

    #[test]
    fn a_circle_has_all_that_leads_back_to_itself() {
        let sources = [
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "use crate::c::C;"),
            ("c.rs", "use crate::a::A;\nuse crate::d::D;"),
            ("d.rs", ""),
        ]
        .map(|(file, text)| (file.to_owned(), text.to_owned()));
        let imports = Imports::of(&sources);
        assert_eq!(imports.circles(), [BTreeSet::from(["a.rs", "b.rs", "c.rs"])]);
    }
}
