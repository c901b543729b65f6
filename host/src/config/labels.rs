//! What a host has that others lack, or a procedure needs: [`Labels`].

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// Characters of a label at the most.
const MAX_LENGTH: usize = 63;

/// A set of labels, such as `gpu`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "BTreeSet<String>")]
pub struct Labels(Arc<BTreeSet<String>>);

/// Why a text is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no label: one has up to {MAX_LENGTH} letters, digits, `-`, `_` and `.`, and begins with a letter or digit"
)]
pub struct InvalidLabel(String);

impl Labels {
    /// Whether all labels of the other set are in this one.
    #[must_use]
    pub fn cover(&self, required: &Self) -> bool {
        required.0.is_subset(&self.0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each, in the order of the alphabet.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those of this set that are not in the other one.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        Self(Arc::new(self.0.difference(&others.0).cloned().collect()))
    }
}

impl TryFrom<BTreeSet<String>> for Labels {
    type Error = InvalidLabel;

    fn try_from(labels: BTreeSet<String>) -> Result<Self, InvalidLabel> {
        match labels.iter().find(|label| !is_label(label)) {
            Some(other) => Err(InvalidLabel(other.clone())),
            None => Ok(Self(Arc::new(labels))),
        }
    }
}

fn is_label(text: &str) -> bool {
    text.len() <= MAX_LENGTH
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// As in a sentence: `gpu` and `large`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, label) in self.iter().enumerate() {
            let before = if at == 0 { "" } else { " and " };
            write!(f, "{before}`{label}`")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Result<Labels, InvalidLabel> {
        names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>().try_into()
    }

    #[test]
    fn a_host_covers_what_it_has_all_labels_of() {
        let [none, gpu, both] = [&[][..], &["gpu"], &["gpu", "large"]].map(|n| labels(n).unwrap());
        assert!(both.cover(&gpu) && both.cover(&none) && none.cover(&none));
        assert!(!gpu.cover(&both) && !none.cover(&gpu));
        assert_eq!(both.without(&gpu), labels(&["large"]).unwrap());
        assert_eq!(both.to_string(), "`gpu` and `large`");
    }

    #[test]
    fn what_is_no_label_is_refused_by_name() {
        for text in ["", "-gpu", "a b", "a,b", "ü", &"x".repeat(64)] {
            let refusal = labels(&["gpu", text]).unwrap_err().to_string();
            assert!(refusal.starts_with(&format!("{text:?} is no label")), "{refusal}");
        }
        assert!(labels(&["GPU-80.large_1", &"x".repeat(63)]).is_ok());
    }
}
