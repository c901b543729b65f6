//! Who submits jobs: how many of theirs run and wait at once, and who is told of what becomes of them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use super::group::Group;
use crate::audit::Audit;
use crate::auth::{Authenticator, Limit, TokenLimits};

/// Who submits jobs, and who is told of what becomes of them.
#[derive(Clone)]
pub struct Submitters {
    /// Knows the submitters by their tokens.
    pub authenticator: Arc<Authenticator>,
    /// Where to tell of the ends of jobs; `None` for no audit log.
    pub audit: Option<Audit>,
}

impl Default for Submitters {
    /// Nobody has a token, and nobody is told.
    fn default() -> Self {
        Self { authenticator: Arc::new(Authenticator::open_to_all()), audit: None }
    }
}

impl Submitters {
    /// The limit of a submitter: its token's where that says one, or the one of all.
    pub(super) fn limit(
        &self,
        group: &Group,
        own: impl Fn(&TokenLimits) -> Option<Limit<NonZeroU32>>,
        all: Option<u32>,
    ) -> Option<u32> {
        let own = match group {
            Group::Owner(id) => self.authenticator.limits_of(id).and_then(|limits| own(&limits)),
            _ => None,
        };
        Limit::or(own, all.and_then(NonZeroU32::new)).map(NonZeroU32::get)
    }
}

/// How many jobs of each submitter wait.
#[derive(Clone, Default)]
pub(super) struct WaitingCounts(Arc<Mutex<HashMap<Group, u32>>>);

/// A job among those of its submitter that wait, until it is dropped.
pub(super) struct WaitingShare {
    counts: WaitingCounts,
    group: Group,
}

impl WaitingCounts {
    /// One more, if there are fewer than `most`; or what that is.
    pub(super) fn enter(&self, group: Group, most: Option<u32>) -> Result<WaitingShare, u32> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = counts.get(&group).copied().unwrap_or(0);
        if let Some(most) = most.filter(|most| now >= *most) {
            return Err(most);
        }
        counts.insert(group.clone(), now + 1);
        Ok(WaitingShare { counts: self.clone(), group })
    }
}

impl Drop for WaitingShare {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.group) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.group)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_each_submitter_wait_and_nothing_is_kept_of_those_who_have_none() {
        let waiting = WaitingCounts::default();
        let [anna, bob] = ["anna", "bob"].map(|id| Group::Owner(id.into()));
        let first = waiting.enter(anna.clone(), Some(2)).ok().unwrap();
        let second = waiting.enter(anna.clone(), Some(2)).ok().unwrap();
        assert_eq!(waiting.enter(anna.clone(), Some(2)).err(), Some(2));
        assert!(waiting.enter(bob, Some(1)).is_ok());
        // What was accepted before a limit, or before a restart, counts as well.
        let third = waiting.enter(anna.clone(), None).ok().unwrap();
        drop(first);
        assert_eq!(waiting.enter(anna.clone(), Some(2)).err(), Some(2));
        drop(second);
        assert!(waiting.enter(anna, Some(2)).is_ok());
        drop(third);
        assert!(waiting.0.lock().unwrap().is_empty());
    }
}
