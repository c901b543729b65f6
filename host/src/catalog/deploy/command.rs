//! What is asked of the keeper of the folder: to install a version that has been checked, or to remove a
//! component; and what comes of it.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::name::ComponentName;
use super::staging::Staged;
use crate::catalog::component::{Component, Version};
use crate::catalog::load::Loaded;
use crate::error::{CallError, ErrorKind};

/// A change of the folder.
pub(in crate::catalog) enum Command {
    Install(Box<Install>, oneshot::Sender<Result<Installed, CallError>>),
    Remove(ComponentName, Precondition, oneshot::Sender<Result<Arc<Component>, CallError>>),
}

/// A version that has been loaded from beside its place.
pub(in crate::catalog) struct Install {
    pub(in crate::catalog) staged: Staged,
    pub(in crate::catalog) loaded: Loaded,
    pub(in crate::catalog) precondition: Precondition,
    /// Whether its sidecar may grant what the one before did not.
    pub(in crate::catalog) may_grant: bool,
}

/// What must be there for a change to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Anything.
    #[default]
    None,
    /// No component of this name.
    Absent,
    /// Some component of this name.
    Present,
    /// One of these versions, by their tags or by the component's digest.
    Versions(Vec<String>),
}

/// A version that is served now.
#[derive(Debug, Clone)]
pub struct Installed {
    /// What is served.
    pub component: Arc<Component>,
    /// What was served before.
    pub previous: Option<Version>,
    /// What callers may notice.
    pub changes: Changes,
    /// What its owner should know all the same.
    pub problems: Vec<String>,
}

/// How the procedures of two versions differ, as their names and types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that only the newer one has.
    pub added: Vec<String>,
    /// Those that only the older one had.
    pub removed: Vec<String>,
    /// Those that have other types, before and after.
    pub changed: Vec<(String, String)>,
}

impl Precondition {
    /// Lets a change through where what is served is what must be there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::PreconditionFailed`], which says what is there.
    pub(in crate::catalog) fn check(&self, current: Option<&Version>) -> Result<(), CallError> {
        let is_met = match self {
            Self::None => true,
            Self::Absent => current.is_none(),
            Self::Present => current.is_some(),
            Self::Versions(named) => {
                current.is_some_and(|current| named.iter().any(|text| current.is_named(text)))
            }
        };
        if is_met { Ok(()) } else { Err(self.refusal(current)) }
    }

    fn refusal(&self, current: Option<&Version>) -> CallError {
        let there = match (self, current) {
            (_, None) => "no component of this name is served".to_owned(),
            (Self::Absent, Some(current)) => {
                format!("there is a component of this name already, in the version {current}")
            }
            (_, Some(current)) => {
                format!(
                    "another version is served by now, {current}; look at what changed, and send that one's digest to replace it"
                )
            }
        };
        Self::failed(&there)
    }

    /// The refusal of a change because of what is there.
    pub(in crate::catalog) fn failed(there: &str) -> CallError {
        CallError::new(ErrorKind::PreconditionFailed, format!("nothing was changed: {there}"))
    }
}

impl Changes {
    /// What is different in `now`.
    pub(in crate::catalog) fn between(before: Option<&Loaded>, now: &Loaded) -> Self {
        let before = before.map(Loaded::signatures).unwrap_or_default();
        let now = now.signatures();
        let only = |of: &[(Arc<str>, String)], other: &[(Arc<str>, String)]| {
            let is_new = |(name, _): &&(Arc<str>, String)| other.iter().all(|(its, _)| its != name);
            of.iter().filter(is_new).map(|(_, shown)| shown.clone()).collect()
        };
        let changed = now.iter().filter_map(|(name, shown)| {
            let (_, old) = before.iter().find(|(its, _)| its == name)?;
            (old != shown).then(|| (old.clone(), shown.clone()))
        });
        Self {
            added: only(&now, &before),
            removed: only(&before, &now),
            changed: changed.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_is_about_what_is_served() {
        let version = Version { digest: "ab".repeat(32), sidecar: Some("cd".repeat(32)) };
        let versions = |text: &str| Precondition::Versions(vec!["x".into(), text.into()]);
        for (precondition, served, absent) in [
            (Precondition::None, true, true),
            (Precondition::Absent, false, true),
            (Precondition::Present, true, false),
            (versions(&version.digest), true, false),
            (versions(&version.to_string()), true, false),
            (versions("y"), false, false),
        ] {
            assert_eq!(precondition.check(Some(&version)).is_ok(), served, "{precondition:?}");
            let checked = precondition.check(None);
            assert_eq!(checked.is_ok(), absent, "{precondition:?}");
            let kind = checked.map_err(|error| error.kind).err();
            assert!(kind.is_none_or(|kind| kind == ErrorKind::PreconditionFailed));
        }
        let refusal = versions("y").check(Some(&version)).unwrap_err();
        assert!(refusal.message.contains(&version.to_string()), "{}", refusal.message);
    }
}
