//! Which part of what runs and waits a job may have, by its procedure and its submitter.

use std::sync::Arc;

use super::group::Group;
use super::model::{Job, NewJob};
use super::reason::WaitReason;
use super::state::Inner;
use super::store::Turn;
use super::submitters::WaitingShare;
use super::waiting::Held;
use crate::auth::{TokenName, is_of_certificate};
use crate::catalog::Procedure;
use crate::error::{CallError, ErrorKind};

impl Inner {
    /// The job's share of what runs, where its procedure or its submitter has one; where that is used
    /// up, the job is held back.
    pub(super) fn share(
        &self,
        turn: Turn,
        procedure: &Procedure,
    ) -> Result<(Turn, Option<Share<'_>>), WaitReason> {
        let mut groups = Vec::new();
        if let Some(most) = procedure.jobs.max_running {
            groups.push((Group::Procedure(Arc::clone(&turn.job.procedure)), most));
        }
        groups.extend(self.running_share(&turn.job));
        if groups.is_empty() {
            return Ok((turn, None));
        }
        let taken = self.lock_waiting().take_or_hold(&groups, turn);
        match taken {
            Ok(turn) => Ok((turn, Some(Share { inner: self, groups }))),
            Err(Held { full: (group, most), instead }) => {
                self.release(instead);
                Err(match group {
                    Group::Procedure(procedure) => WaitReason::ProcedureShare { procedure, most },
                    Group::Owner(_) | Group::Peer(_) => WaitReason::SubmitterShare(most),
                })
            }
        }
    }

    /// The submitter of a job, with how many of its jobs may run at once, where that is bounded.
    fn running_share(&self, job: &Job) -> Option<(Group, u32)> {
        let group = Group::of_submitter(job)?;
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
        let Some(group) = Group::of_new(job) else { return Ok(None) };
        let all = self.config.max_queued_per_submitter;
        let most = self.submitters.limit(&group, |limits| limits.max_queued, all);
        match self.waiting_counts.enter(group.clone(), most) {
            Ok(share) => Ok(Some(share)),
            Err(most) => Err(self.waits_for_too_many(&group, most)),
        }
    }

    /// The same for a job that was accepted before.
    pub(super) fn next_waiting_share(&self, job: &Job) -> Option<WaitingShare> {
        self.waiting_counts.enter(Group::of_submitter(job)?, None).ok()
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

/// A job's part of what may run of its groups, until it is dropped.
pub(super) struct Share<'a> {
    inner: &'a Inner,
    groups: Vec<(Group, u32)>,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let next = self.inner.lock_waiting().give_back(&self.groups);
        self.inner.release(next);
    }
}
