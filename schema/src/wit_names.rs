//! Names in WIT for names in any style: internal ones, which no caller sees.
//!
//! Any name has one, and no two of a scope the same: see [`Names`].

use std::collections::HashSet;

use crate::names::snake_form;

/// The longest name that is made of another one, in bytes; a number may follow.
const MAX_LENGTH: usize = 60;

/// A name in kebab-case for any other one: what is no letter a to z and no digit is left out. `fallback` is a
/// word to take, or to begin with, where nothing is left that a name can begin with.
#[must_use]
pub fn lossy(name: &str, fallback: &str) -> String {
    let mut kebab = String::new();
    for word in snake_form(name).split('_') {
        let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        if kebab.is_empty() && !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            kebab += fallback;
        }
        if !word.is_empty() && kebab.len() + word.len() < MAX_LENGTH {
            let separator = if kebab.is_empty() { "" } else { "-" };
            kebab = kebab + separator + &word;
        }
    }
    if kebab.is_empty() { fallback.to_owned() } else { kebab }
}

/// The names of one scope. Two that differ in hyphens alone are not both given: tool chains make
/// `PeakShape` and `peakShape` of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// A scope in which these names are taken.
    pub fn without(reserved: &[&str]) -> Self {
        Self { taken: reserved.iter().map(|name| key(name)).collect() }
    }

    /// A name like `wanted`: it itself, or with `kind` behind it, or with a number.
    pub fn give(&mut self, wanted: &str, kind: Option<&str>) -> String {
        let of_kind = kind.map(|kind| format!("{wanted}-{kind}"));
        let numbered = (2_usize..).map(|number| format!("{wanted}-{number}"));
        let mut candidates = std::iter::once(wanted.to_owned()).chain(of_kind).chain(numbered);
        let free = candidates.find(|candidate| self.taken.insert(key(candidate)));
        free.unwrap_or_default()
    }
}

fn key(name: &str) -> String {
    name.replace('-', "")
}

/// Names for the parts of one thing, in their order; `fallback` as for [`lossy`].
pub fn distinct<'a>(
    parts: impl IntoIterator<Item = &'a str>,
    fallback: &str,
    reserved: &[&str],
) -> Vec<String> {
    let mut names = Names::without(reserved);
    parts.into_iter().map(|part| names.give(&lossy(part, fallback), None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_in_wit() {
        for (name, expected) in [
            ("pKa", "p-ka"),
            ("lambda_", "lambda"),
            ("__x", "x"),
            ("2d", "case-2d"),
            ("größe", "gre"),
            ("λ", "case"),
            ("", "case"),
            ("µ 5", "case-5"),
            ("log-log", "log-log"),
            ("a b", "a-b"),
        ] {
            assert_eq!(lossy(name, "case"), expected, "{name}");
        }
        assert!(lossy(&"word ".repeat(100), "case").len() <= MAX_LENGTH);
        assert!(lossy(&"a".repeat(1000), "case").len() <= MAX_LENGTH);
    }

    #[test]
    fn no_two_names_of_a_scope_are_the_same() {
        assert_eq!(distinct(["t", "T", "t_2", "t2"], "n", &[]), ["t", "t-2", "t-2-2", "t2-3"]);
        assert_eq!(distinct(["ab", "a_b", "aB"], "n", &[]), ["ab", "a-b-2", "a-b-3"]);
        assert_eq!(distinct(["self", "λ", "ß"], "n", &["self"]), ["self-2", "n", "n-2"]);
        let mut names = Names::without(&["point"]);
        assert_eq!(names.give("point", Some("record")), "point-record");
        assert_eq!(names.give("point", Some("record")), "point-2");
    }
}
