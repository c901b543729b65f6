//! What a call asked for and did not get, as a cure for its failure: [`Hints`].

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{CallError, ErrorKind};

/// More are not kept: a guest may ask for as much as it likes.
const MAX_HINTS: usize = 8;

/// How a failure for want of a folder reads in the libraries of guests.
const NO_FOLDER: [&str; 5] =
    ["No such file", "Bad file descriptor", "pre-opened file descriptor", "insufficient", "ENOENT"];

/// What one call was refused, each thing once. A guest sees an error of its own library at most; whoever
/// called it is told of these where the call fails.
#[derive(Debug, Clone, Default)]
pub struct Hints(Arc<Mutex<BTreeSet<Hint>>>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hint {
    text: String,
    /// What the failure must have in it, where the guest may have asked in passing: some runtimes ask for
    /// their folders when they start.
    symptoms: &'static [&'static str],
}

impl Hints {
    pub(super) fn add(&self, text: impl Into<String>) {
        self.insert(Hint { text: text.into(), symptoms: &[] });
    }

    /// It asked for its folders, and has none.
    pub(super) fn add_no_folder(&self, text: impl Into<String>) {
        self.insert(Hint { text: text.into(), symptoms: &NO_FOLDER });
    }

    fn insert(&self, hint: Hint) {
        let mut hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hints.len() < MAX_HINTS {
            hints.insert(hint);
        }
    }

    /// The failure, with what was refused where that can be why it failed.
    #[must_use]
    pub(crate) fn explain(&self, mut error: CallError) -> CallError {
        if !matches!(error.kind, ErrorKind::Trap | ErrorKind::ProcedureError) {
            return error;
        }
        let said = error.message.clone();
        for hint in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if hint.symptoms.is_empty() || hint.symptoms.iter().any(|word| said.contains(word)) {
                error.message.push('\n');
                error.message.push_str(&hint.text);
            }
        }
        error
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<String> {
        let hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hints.iter().map(|hint| hint.text.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_explained_by_what_can_be_why() {
        let hints = Hints::default();
        hints.add_no_folder("no folder");
        let explained = |kind, message: &str| hints.explain(CallError::new(kind, message)).message;
        let kind = ErrorKind::ProcedureError;
        assert_eq!(explained(kind, "a reason of its own"), "a reason of its own");
        let missing = "No such file or directory (os error 44)";
        assert_eq!(explained(kind, missing), format!("{missing}\nno folder"));
        assert_eq!(explained(ErrorKind::OutOfFuel, missing), missing);
        hints.add("no server");
        assert_eq!(explained(kind, "a reason of its own"), "a reason of its own\nno server");
        for number in 0..1000 {
            hints.add(number.to_string());
        }
        assert_eq!(hints.all().len(), MAX_HINTS);
    }
}
