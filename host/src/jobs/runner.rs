//! Runs jobs when it is their turn, with a bounded number of permits and on threads of their own: jobs
//! and synchronous calls share the cores as the operating system shares them, and neither waits in
//! the other's queue.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::retry::PAUSE;
use super::state::Jobs;

/// Where guests of jobs run. Dropping it ends them.
pub struct JobRuntime {
    permits: u32,
    runtime: Option<Runtime>,
}

impl JobRuntime {
    /// With so many permits; as many as there are cores where it is not said.
    ///
    /// # Errors
    ///
    /// Where the threads cannot be started.
    pub fn new(permits: Option<u32>) -> std::io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        let permits = permits.unwrap_or_else(cores);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(permits as usize)
            .thread_name("tarp-job")
            .enable_all()
            .build()?;
        Ok(Self { permits, runtime: Some(runtime) })
    }

    /// How many jobs run at once.
    #[must_use]
    pub fn permits(&self) -> u32 {
        self.permits
    }
}

impl Drop for JobRuntime {
    fn drop(&mut self) {
        // Waiting for threads is not allowed on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Jobs {
    /// Runs jobs on the runtime of their own until `stopping` is cancelled. Those that run then go on.
    /// `changes` tells when the catalog has changed.
    pub async fn run(
        &self,
        job_runtime: &JobRuntime,
        changes: watch::Receiver<()>,
        stopping: CancellationToken,
    ) {
        let Some(runtime) = &job_runtime.runtime else { return };
        let permits = Arc::new(Semaphore::new(job_runtime.permits as usize));
        tokio::select! {
            () = stopping.cancelled() => {}
            () = self.begin_jobs(runtime.handle(), permits) => {}
            () = self.prune() => {}
            () = self.keep_waiting(changes) => {}
        }
    }

    /// Begins jobs in their turn, as many as there are permits.
    async fn begin_jobs(&self, guests: &Handle, permits: Arc<Semaphore>) {
        let store = self.0.store.wait().await;
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let mut free = vec![permit];
            free.extend(std::iter::from_fn(|| Arc::clone(&permits).try_acquire_owned().ok()));
            let turns = match store.next(free.len(), &self.0.config.labels).await {
                Ok(turns) => turns,
                Err(error) => {
                    warn!(%error, "cannot begin jobs; trying again in {PAUSE:?}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            for (turn, permit) in turns.into_iter().zip(free) {
                let (inner, guests) = (Arc::clone(&self.0), guests.clone());
                self.0.running.spawn(async move { inner.attempt(turn, &guests, permit).await });
            }
        }
    }

    /// Waits until what runs has ended, and that is recorded.
    pub async fn finish(&self) {
        self.0.running.close();
        self.0.running.wait().await;
    }

    /// Closes the store in good order, if it is open.
    pub async fn close(&self) {
        if let Ok(store) = self.0.store() {
            store.close().await;
        }
    }

    /// Ends what still runs, and puts back into the queue what can be run again. [`Self::finish`]
    /// ends soon after.
    pub fn leave(&self) {
        self.0.leaving.cancel();
    }

    async fn prune(&self) {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(self.0.config.prune_every).await;
            let now = Instant::now();
            let pruned = match self.0.store() {
                Ok(store) => store.prune(now - last).await,
                Err(error) => Err(error),
            };
            match pruned {
                Ok(jobs) => {
                    last = now;
                    debug!(jobs, "removed what was kept for its time");
                    if jobs > 0 {
                        self.0.live.channel().note();
                    }
                }
                Err(e) => warn!(error = %e, "cannot remove old jobs; they are kept for longer"),
            }
        }
    }
}
