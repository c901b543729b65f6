//! Patterns of names: [`Pattern`].

use std::fmt;

/// A pattern of full names of procedures: `*` stands for any characters, `/` and none included; every other
/// character for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Box<str>);

/// Bytes of a pattern.
const MAX_LENGTH: usize = 256;

impl Pattern {
    /// Reads a pattern; `None` for what could match no name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let can_be_named = |c: char| !c.is_whitespace() && !c.is_control();
        let is_pattern = (1..=MAX_LENGTH).contains(&text.len()) && text.chars().all(can_be_named);
        is_pattern.then(|| Self(text.into()))
    }

    /// Whether the whole name is as the pattern says.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut p, mut n) = (0, 0);
        // Where to go on if what follows the last star does not fit: one byte later in the name. Only the
        // last star needs that, so the work is bounded by the product of the lengths.
        let mut retry = None;
        while n < name.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    p += 1;
                    retry = Some((p, n));
                }
                Some(byte) if *byte == name[n] => {
                    p += 1;
                    n += 1;
                }
                _ => {
                    let Some((after_star, from)) = retry else { return false };
                    retry = Some((after_star, from + 1));
                    (p, n) = (after_star, from + 1);
                }
            }
        }
        pattern[p..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters_and_the_rest_for_itself() {
        for (pattern, matching, others) in [
            ("add", &["add"][..], &["", "ad", "adds", "Add", "x/add"][..]),
            (
                "stats/*",
                &["stats/mean", "stats/", "stats/a/b"],
                &["stats", "stat/mean", "xstats/mean"],
            ),
            ("*", &["", "add", "a/b/c"], &[]),
            ("*/mean", &["stats/mean", "a/b/mean"], &["mean", "stats/means"]),
            ("a*b*c", &["abc", "axbxc", "abcbc", "aabbcc"], &["ab", "acb", "abcd"]),
            ("lab/**", &["lab/a", "lab/a/b"], &["lab"]),
            ("größe/*", &["größe/ä"], &["grösse/ä"]),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            for name in matching {
                assert!(pattern.matches(name), "{pattern} matches {name:?}");
            }
            for name in others {
                assert!(!pattern.matches(name), "{pattern} does not match {name:?}");
            }
        }
    }

    #[test]
    fn a_pattern_with_many_stars_costs_no_more_than_its_length_times_the_name_s() {
        let pattern = Pattern::new(&"*a".repeat(MAX_LENGTH / 2)).unwrap();
        assert!(!pattern.matches(&format!("{}b", "a".repeat(20_000))));
    }

    #[test]
    fn what_matches_no_name_is_no_pattern() {
        for text in ["", "a b", "a\n", &"a".repeat(MAX_LENGTH + 1)] {
            assert_eq!(Pattern::new(text), None, "{text:?}");
        }
    }
}
