//! Keeps guests that compute for long from holding up what else a thread has to do.
//!
//! A runtime of tokio looks at its sockets, timers and signals only every so many polls. A guest whose
//! polls take long, because one instruction of its fills half a gigabyte, would keep a thread, and a
//! few of them the whole host, from all of that.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_util::task::AbortOnDropHandle;

/// A guest that has run for so long, all its polls together, goes on elsewhere.
const SHORT: Duration = Duration::from_millis(20);

/// As soon as a single poll takes so long, it goes on elsewhere.
const LONG_POLL: Duration = Duration::from_millis(5);

thread_local! {
    /// When the poll of a guest that runs on this thread began.
    static POLL_STARTED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// For how long the guest of this thread has run without letting others run.
pub(super) fn stretch() -> Duration {
    POLL_STARTED.get().map_or(Duration::ZERO, |started| started.elapsed())
}

/// Threads for guests that run for long; the operating system shares the cores between them and
/// everything else. Dropping it ends them.
pub(super) struct LongCalls(Option<Runtime>);

impl LongCalls {
    /// With as many threads as there are cores.
    ///
    /// # Errors
    ///
    /// Where the threads cannot be started.
    pub(super) fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("tarp-long-call")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a guest here for as long as it is short, and on threads for long ones after that.
    /// Dropping the future ends the guest.
    pub(super) async fn share<F>(&self, guest: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let mut guest = Box::pin(guest);
        if let Some(output) = while_short(guest.as_mut()).await {
            return output;
        }
        let Some(runtime) = &self.0 else { return guest.await };
        let guest = runtime.spawn(timed(guest));
        match AbortOnDropHandle::new(guest).await {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The runtime ends, and with it whoever waits here.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl Drop for LongCalls {
    fn drop(&mut self) {
        // Waiting for threads is not allowed on a thread of another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The future's output, or `None` once it turns out not to be short.
async fn while_short<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut total = Duration::ZERO;
    poll_fn(|context| {
        let (poll, took) = measure(|| future.as_mut().poll(context));
        total += took;
        match poll {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if took >= LONG_POLL || total >= SHORT => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The guest, on threads that are made for guests.
pub(super) async fn timed<F: Future>(guest: F) -> F::Output {
    let mut guest = pin!(guest);
    poll_fn(|context| measure(|| guest.as_mut().poll(context)).0).await
}

fn measure<T>(poll: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    POLL_STARTED.set(Some(started));
    let polled = poll();
    POLL_STARTED.set(None);
    (polled, started.elapsed())
}

/// The future's output, or `None` where it is not there by `deadline`.
///
/// Looks at the clock each time that the future lets others run: the timers of tokio are only looked at
/// every so many polls, which may take long.
pub(super) async fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = pin!(tokio::time::sleep_until(deadline.into()));
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if Instant::now() >= deadline || timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn a_future_that_computes_for_long_goes_on_elsewhere() {
        let long = LongCalls::new().unwrap();
        let name = || std::thread::current().name().map(ToOwned::to_owned);
        let here = name();
        assert_eq!(long.share(async move { name() }).await, here);
        let moved = long.share(async move {
            std::thread::sleep(2 * LONG_POLL);
            yield_now().await;
            name()
        });
        assert_eq!(moved.await.as_deref(), Some("tarp-long-call"));
    }

    #[tokio::test]
    async fn a_deadline_holds_though_no_timer_is_looked_at() {
        let deadline = Instant::now() + Duration::from_millis(20);
        let busy = async {
            loop {
                std::thread::sleep(Duration::from_millis(5));
                yield_now().await;
            }
        };
        assert!(until::<_>(deadline, busy).await.is_none());
    }
}
