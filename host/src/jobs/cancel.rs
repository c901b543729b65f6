//! Stops jobs, and removes those that have ended.

use super::failure::{run_to_completion, store_failure};
use super::model::{JobId, JobState};
use super::state::{Inner, Jobs};
use super::store::StoreError;
use super::view::View;
use crate::error::CallError;

impl Jobs {
    /// Asks a job to stop, and gives it as it is then. A job that is running has stopped soon after; one
    /// that has ended stays as it is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::error::ErrorKind::NotFound), [`ErrorKind::Gone`](crate::error::ErrorKind::Gone), and where the store fails.
    pub async fn cancel(&self, id: JobId) -> Result<View, CallError> {
        let jobs = self.clone();
        run_to_completion(async move { jobs.stop(id).await.map(|(view, _)| view) }).await
    }

    /// Asks a job to stop, or removes one that has ended, with all that is kept of it. Gives it as it is,
    /// or was.
    ///
    /// # Errors
    ///
    /// As [`Self::cancel`].
    pub async fn cancel_or_remove(&self, id: JobId) -> Result<View, CallError> {
        let jobs = self.clone();
        run_to_completion(async move {
            let (view, had_ended) = jobs.stop(id).await?;
            if had_ended && view.job.state.is_terminal() {
                jobs.0.store().map_err(store_failure)?.remove(id).await.map_err(store_failure)?;
                jobs.0.live.channel().note();
            }
            Ok(view)
        })
        .await
    }

    /// The job, and whether it had ended before anybody asked.
    async fn stop(&self, id: JobId) -> Result<(View, bool), CallError> {
        let live = self.0.live.get(id);
        // What runs is stopped at once, however long the store takes to note it.
        if let Some(live) = live.as_ref().filter(|live| live.state() == JobState::Running) {
            live.ask_to_stop();
        }
        match self.0.note_stop(id).await {
            Ok(false) => return Ok((self.view(id).await?, true)),
            Ok(true) => {}
            // What runs can be stopped all the same. The end is recorded once that is possible.
            Err(_) if live.as_ref().is_some_and(|live| live.state() == JobState::Running) => {}
            Err(error) => return Err(store_failure(error)),
        }
        self.0.live.channel().ask_to_stop(id);
        self.0.end_if_waiting(id).await.map_err(store_failure)?;
        Ok((self.view(id).await?, false))
    }
}

impl Inner {
    /// Notes in the store that a job is to stop; `false` where it has ended.
    async fn note_stop(&self, id: JobId) -> Result<bool, StoreError> {
        self.store()?.ask_to_stop(id).await
    }
}
