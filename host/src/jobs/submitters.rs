//! Who submits jobs: how many of theirs run and wait at once, and who is told of what becomes of them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::Inner;
use super::model::{Job, NewJob};
use super::queue::Group;
use super::runner::Ended;
use crate::audit::{Audit, Entry, Event, Outcome};
use crate::auth::{Authenticator, Limit, TokenLimits, TokenName, is_of_certificate};
use crate::error::{CallError, ErrorKind};

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
    fn limit(
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

/// Whose a job is; `None` where nobody needs to know.
fn group(owner: Option<&Arc<str>>, peer: Option<&Arc<str>>) -> Option<Group> {
    match (owner, peer) {
        (Some(owner), _) => Some(Group::Owner(Arc::clone(owner))),
        (None, peer) => peer.cloned().map(Group::Peer),
    }
}

impl Inner {
    /// The submitter of a job, with how many of its jobs may run at once, where that is bounded.
    pub(super) fn running_share(&self, job: &Job) -> Option<(Group, u32)> {
        let group = group(job.owner.as_ref(), job.peer.as_ref())?;
        let all = self.config.max_running_per_submitter;
        let most = self.submitters.limit(&group, |limits| limits.max_running, all)?;
        Some((group, most))
    }

    /// A place among the jobs of its submitter that wait, for a new job.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooManyRequests`] where there are as many as there may be.
    pub(super) fn waiting_share(&self, job: &NewJob) -> Result<Option<WaitingShare>, CallError> {
        let Some(group) = group(job.owner.as_ref(), job.peer.as_ref()) else { return Ok(None) };
        let all = self.config.max_queued_per_submitter;
        let most = self.submitters.limit(&group, |limits| limits.max_queued, all);
        match self.waiting.enter(group.clone(), most) {
            Ok(share) => Ok(Some(share)),
            Err(most) => Err(self.waits_for_too_many(&group, most)),
        }
    }

    /// The same for a job that was accepted before.
    pub(super) fn next_waiting_share(&self, job: &Job) -> Option<WaitingShare> {
        let group = group(job.owner.as_ref(), job.peer.as_ref())?;
        self.waiting.enter(group, None).ok()
    }

    /// Tells the audit log of a job's end.
    pub(super) fn tell_of_end(&self, job: &Job, ended: Ended) {
        let Submitters { authenticator, audit: Some(audit) } = &self.submitters else { return };
        let owner = job.owner.as_deref();
        let name = owner.and_then(|id| authenticator.name_of(id));
        let took = SystemTime::now().duration_since(job.submitted).unwrap_or_default();
        audit.write(&Entry {
            token: owner,
            name: name.as_ref().map(TokenName::as_str),
            procedure: Some(&*job.procedure),
            job: Some(job.id.to_string()),
            state: Some(ended.state.name()),
            outcome: Some(ended.failure.map_or(Outcome::Success, Outcome::Failure)),
            fuel: Some(job.receipt.fuel),
            seconds: Some((took.as_secs_f64() * 1e6).round() / 1e6),
            attempts: Some(job.attempts),
            ..Entry::new(Event::JobEnded)
        });
    }

    fn waits_for_too_many(&self, group: &Group, most: u32) -> CallError {
        let name = match group {
            Group::Owner(id) => self.submitters.authenticator.name_of(id),
            _ => None,
        };
        let is_token = matches!(group, Group::Owner(id) if !is_of_certificate(id));
        let whose = match &name {
            Some(name) if is_token => format!("the token `{name}`"),
            Some(name) => format!("the certificate of `{name}`"),
            None => "this address".into(),
        };
        let own = |name: &TokenName| {
            if is_token {
                format!("`tarp token limit {name} --max-queued`, or ")
            } else {
                "`max_queued` in `limits` of its [[callers.certificate]], or ".into()
            }
        };
        let message = format!(
            "{most} jobs of {whose} are waiting already, as many as it may have; try again when some have begun; {}`max_queued_per_submitter` of [jobs] raises that",
            name.as_ref().map(own).unwrap_or_default()
        );
        CallError::new(ErrorKind::TooManyRequests, message).retry_after(1)
    }
}

/// How many jobs of each submitter wait.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<HashMap<Group, u32>>>);

/// A job among those of its submitter that wait, until it is dropped.
pub(super) struct WaitingShare {
    waiting: Waiting,
    group: Group,
}

impl Waiting {
    /// One more, if there are fewer than `most`; or what that is.
    fn enter(&self, group: Group, most: Option<u32>) -> Result<WaitingShare, u32> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = counts.get(&group).copied().unwrap_or(0);
        if let Some(most) = most.filter(|most| now >= *most) {
            return Err(most);
        }
        counts.insert(group.clone(), now + 1);
        Ok(WaitingShare { waiting: self.clone(), group })
    }
}

impl Drop for WaitingShare {
    fn drop(&mut self) {
        let mut counts = self.waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let waiting = Waiting::default();
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
