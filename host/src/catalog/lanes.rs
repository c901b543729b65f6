//! In which order files are loaded, so that none waits for one that takes long.
//!
//! What is in the cache is loaded at once. What must be compiled gets a quick lane for some seconds;
//! what takes longer goes on in a slow lane, or if those are all taken begins again when one is free.
//! So the quick lanes are never held for long, however many slow files there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::folder::Found;
use super::load::{LoadError, Loaded, Loader, Refusal, open_component};

/// How long a file may take in a quick lane.
const QUICK: Duration = Duration::from_secs(5);

/// Where files wait for their turn.
pub(super) struct Lanes {
    loader: Arc<Loader>,
    /// Reading takes the disk, and loading compiled code takes memory maps.
    reading: Arc<Semaphore>,
    quick: Arc<Semaphore>,
    slow: Arc<Semaphore>,
}

/// A load, for whoever asked for it.
#[derive(Clone, Default)]
pub(super) struct Ticket {
    is_cancelled: Arc<AtomicBool>,
    is_slow: Arc<AtomicBool>,
}

impl Ticket {
    /// Says that the load is not wanted any more.
    pub(super) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// Whether the file turned out to take long.
    pub(super) fn is_slow(&self) -> bool {
        self.is_slow.load(Ordering::Relaxed)
    }
}

/// A load of which it is not known yet how long it takes, or the rest of it.
enum Step {
    Done(Result<Loaded, LoadError>),
    /// It takes longer than a quick lane is for, and no slow one was free.
    Slow,
}

impl Lanes {
    pub(super) fn new(loader: Arc<Loader>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            loader,
            reading: Arc::new(Semaphore::new(2 * cores)),
            quick: Arc::new(Semaphore::new(cores)),
            slow: Arc::new(Semaphore::new(cores.max(2))),
        }
    }

    /// Loads a file when it is its turn. `slow` is called when it turns out to take long.
    pub(super) async fn load(
        self: Arc<Self>,
        found: Arc<Found>,
        ticket: Ticket,
        slow: impl Fn() + Send + Sync + 'static,
    ) -> Result<Loaded, LoadError> {
        let turn = |lane: &Arc<Semaphore>| Arc::clone(lane).acquire_owned();
        let opened = {
            let _place = turn(&self.reading).await;
            let (lanes, found) = (Arc::clone(&self), Arc::clone(&found));
            blocking(move || {
                let opened = open_component(&found)?;
                Ok(match lanes.loader.cached(&found, &opened) {
                    Some(loaded) => Err(loaded),
                    None => Ok(Arc::new(opened)),
                })
            })
            .await?
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(loaded) => return loaded,
        };

        let permit = turn(&self.quick).await;
        let (lanes, its, file) = (Arc::clone(&self), ticket.clone(), Arc::clone(&found));
        let (slow, of) = (Arc::new(slow), Arc::clone(&opened));
        let tell = Arc::clone(&slow);
        let step = blocking(move || {
            if its.is_cancelled() {
                return Err(LoadError::Stopped);
            }
            // Another file with this content may have been compiled meanwhile.
            if let Some(loaded) = lanes.loader.cached(&file, &of) {
                return Ok(Step::Done(loaded));
            }
            let mut lane = Lane::Quick(permit.ok());
            let mut pace = |elapsed: Duration| {
                if its.is_cancelled() {
                    return false;
                }
                if elapsed < QUICK || !matches!(lane, Lane::Quick(_)) {
                    return true;
                }
                its.is_slow.store(true, Ordering::Relaxed);
                tell();
                let Ok(permit) = Arc::clone(&lanes.slow).try_acquire_owned() else { return false };
                lane = Lane::Slow(permit);
                true
            };
            let loaded = lanes.loader.compile(&file, &of, &mut pace);
            Ok(match loaded {
                Err(LoadError::Stopped) if !its.is_cancelled() => Step::Slow,
                loaded => Step::Done(loaded),
            })
        });
        match step.await? {
            Step::Done(loaded) => return loaded,
            Step::Slow => {}
        }

        let _place = turn(&self.slow).await;
        let lanes = Arc::clone(&self);
        blocking(move || lanes.loader.compile(&found, &opened, &mut |_| !ticket.is_cancelled()))
            .await
    }
}

/// Where a file is being compiled; it holds its permit.
enum Lane {
    Quick(#[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>),
    Slow(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit),
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => match e.try_into_panic() {
            Ok(_) => Err(Refusal::Failed.into()),
            Err(_) => Err(LoadError::Stopped),
        },
    }
}
