//! What all parts of the jobs share: [`Jobs`] and what is behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::live::LiveChannel;
use super::live_jobs::LiveJobs;
use super::marks::MarkNumbers;
use super::opening::Opening;
use super::place::QueueLength;
use super::store::{JobStore, StoreError, Turn};
use super::submitters::{Submitters, WaitingCounts};
use super::waiting::Waiting;
use crate::catalog::Shared;
use crate::config::JobsConfig;
use crate::sandbox::Sandbox;

/// Bytes of results that may wait to be stored while other jobs run with their permits.
const UNSTORED: usize = 256 << 20;
const UNIT: usize = 1 << 10;

/// The jobs of one host.
#[derive(Clone)]
pub struct Jobs(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Opening,
    pub(super) catalog: Shared,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) config: JobsConfig,
    pub(super) submitters: Submitters,
    /// How many jobs of each submitter wait.
    pub(super) waiting_counts: WaitingCounts,
    /// How many jobs wait.
    pub(super) queued: QueueLength,
    /// Those of them that this host has and cannot begin.
    pub(super) waiting: Mutex<Waiting>,
    pub(super) live: LiveJobs,
    /// Numbers for attempts that run before the store knows of them.
    pub(super) marks: MarkNumbers,
    /// The attempts that run, each until its end is recorded.
    pub(super) running: TaskTracker,
    /// Room for what has ended and is not stored yet, in units of [`UNIT`].
    pub(super) unstored: Semaphore,
    /// The host goes down, and no longer waits for what runs.
    pub(super) leaving: CancellationToken,
}

impl Jobs {
    /// Jobs that are kept in `store`, are told of by `channel` and call procedures of `catalog`.
    pub fn new(
        store: Arc<dyn JobStore>,
        channel: Arc<dyn LiveChannel>,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self::with(Opening::opened(store), channel, catalog, sandbox, config, submitters)
    }

    /// Jobs whose store cannot be opened yet, for this reason: everything about them fails with it until
    /// [`Self::open`].
    pub fn unopened(
        reason: StoreError,
        channel: Arc<dyn LiveChannel>,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self::with(Opening::failed(reason), channel, catalog, sandbox, config, submitters)
    }

    fn with(
        store: Opening,
        channel: Arc<dyn LiveChannel>,
        catalog: Shared,
        sandbox: Arc<Sandbox>,
        config: JobsConfig,
        submitters: Submitters,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            catalog,
            sandbox,
            config,
            submitters,
            waiting_counts: WaitingCounts::default(),
            queued: QueueLength::default(),
            waiting: Mutex::default(),
            live: LiveJobs::new(channel),
            marks: MarkNumbers::default(),
            running: TaskTracker::new(),
            unstored: Semaphore::new(UNSTORED / UNIT),
            leaving: CancellationToken::new(),
        }))
    }
}

impl Inner {
    /// The store, if it is open.
    pub(super) fn store(&self) -> Result<&Arc<dyn JobStore>, StoreError> {
        self.store.get()
    }

    pub(super) fn lock_waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers jobs again that this host was handed and cannot begin, or no longer need wait.
    pub(super) fn release(&self, turns: impl IntoIterator<Item = Turn>) {
        // Whoever was handed one has an open store.
        let Ok(store) = self.store() else { return };
        for turn in turns {
            store.release(turn, None);
        }
    }

    /// Waits for room to hold so many bytes until they are stored.
    pub(super) async fn room_until_stored(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let units = bytes.div_ceil(UNIT).min(UNSTORED / UNIT);
        // It is never closed.
        self.unstored.acquire_many(units as u32).await.ok()
    }
}
