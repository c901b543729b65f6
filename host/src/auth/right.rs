//! What a token may allow: [`Right`], and those of one token together, [`Rights`].

use std::fmt;
use std::str::FromStr;

use super::pattern::Pattern;

/// Something that a caller may do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Call the procedures, and open the mounted components, whose full names match.
    Call(Pattern),
    /// Submit jobs of procedures that it may call, and see and cancel those that it submitted itself.
    Jobs,
    /// The same, and see and cancel everybody's jobs.
    AllJobs,
    /// Change what is served, and see what is wrong with files.
    Deploy,
    /// See what the host counts.
    Metrics,
    /// Everything.
    Admin,
}

const CALL: &str = "call:";

/// The rights that are one word.
const WORDS: [(&str, Right); 5] = [
    ("jobs", Right::Jobs),
    ("jobs:all", Right::AllJobs),
    ("deploy", Right::Deploy),
    ("metrics", Right::Metrics),
    ("admin", Right::Admin),
];

/// A text that is no right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no right; there are call:PATTERN (such as call:stats/* or call:*), jobs, jobs:all, deploy, metrics and admin"
)]
pub struct InvalidRight(String);

impl FromStr for Right {
    type Err = InvalidRight;

    fn from_str(text: &str) -> Result<Self, InvalidRight> {
        let word = WORDS.into_iter().find(|(word, _)| *word == text).map(|(_, right)| right);
        let call = || text.strip_prefix(CALL).and_then(Pattern::new).map(Self::Call);
        word.or_else(call).ok_or_else(|| InvalidRight(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(pattern) => write!(f, "{CALL}{pattern}"),
            other => {
                let word = WORDS.iter().find(|(_, right)| right == other);
                f.write_str(word.map_or("", |(word, _)| word))
            }
        }
    }
}

/// The rights of one token. Those that others include are there by [`Self::includes`], not in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rights(Box<[Right]>);

impl Rights {
    /// How many one token may have, so that a call with it is checked at once.
    pub const MAX_COUNT: usize = 64;

    /// The rights as they are listed, each once.
    #[must_use]
    pub fn new(rights: impl IntoIterator<Item = Right>) -> Self {
        let mut rights: Vec<_> = rights.into_iter().collect();
        rights.sort_unstable();
        rights.dedup();
        Self(rights.into())
    }

    /// As they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Right> {
        self.0.iter()
    }

    /// Whether they include this one.
    #[must_use]
    pub fn includes(&self, wanted: &Right) -> bool {
        self.0.iter().any(|right| {
            right == wanted
                || *right == Right::Admin
                || (*right == Right::AllJobs && *wanted == Right::Jobs)
        })
    }

    /// Whether the procedure of this full name may be called.
    #[must_use]
    pub fn include_call(&self, name: &str) -> bool {
        self.0.iter().any(|right| match right {
            Right::Call(pattern) => pattern.matches(name),
            Right::Admin => true,
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(texts: &[&str]) -> Rights {
        Rights::new(texts.iter().map(|text| text.parse().unwrap()))
    }

    #[test]
    fn rights_are_read_as_they_are_written() {
        for text in ["call:stats/*", "jobs", "jobs:all", "deploy", "metrics", "admin"] {
            assert_eq!(text.parse::<Right>().unwrap().to_string(), text);
        }
        for text in ["", "call", "call:", "call:a b", "Jobs", "jobs:mine", "admin "] {
            let refusal = text.parse::<Right>().unwrap_err().to_string();
            assert!(refusal.contains("call:PATTERN"), "{refusal}");
        }
    }

    #[test]
    fn some_rights_include_others() {
        let admin = rights(&["admin"]);
        for (_, right) in WORDS {
            assert!(admin.includes(&right), "{right}");
        }
        assert!(admin.include_call("anything/at/all"));
        assert!(rights(&["jobs:all"]).includes(&Right::Jobs));
        assert!(!rights(&["jobs"]).includes(&Right::AllJobs));
        assert!(!rights(&["jobs:all", "deploy", "metrics"]).include_call("add"));
        assert!(!rights(&["call:*"]).includes(&Right::Jobs));
    }

    #[test]
    fn calls_are_allowed_by_pattern() {
        let rights = rights(&["call:stats/*", "call:add"]);
        assert!(rights.include_call("stats/mean") && rights.include_call("add"));
        assert!(!rights.include_call("subtract"));
    }
}
