//! How a host ends, for everything in it: [`Shutdown`].

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The phases of a host's end. A host that serves is asked to stop: it begins nothing, nobody waits any
/// longer, and what runs may finish. After the grace it aborts what still runs.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown {
    stopping: CancellationToken,
    aborting: CancellationToken,
    grace: Duration,
}

/// Aborts what still runs when it is dropped.
pub(crate) struct AbortOnDrop {
    _stopping: DropGuard,
    _aborting: DropGuard,
}

impl Shutdown {
    /// Of a host that serves; what runs may finish within `grace`.
    pub(crate) fn new(grace: Duration) -> Self {
        Self { stopping: CancellationToken::new(), aborting: CancellationToken::new(), grace }
    }

    /// Goes through the phases once `asked` completes, until `all` has ended; gives what came of it.
    pub(crate) async fn conduct<T>(
        &self,
        asked: impl Future<Output = ()>,
        all: impl Future<Output = T>,
    ) -> T {
        let phases = async {
            asked.await;
            self.stopping.cancel();
            sleep(self.grace).await;
            self.aborting.cancel();
            std::future::pending().await
        };
        tokio::select! {
            ended = all => ended,
            never = phases => never,
        }
    }

    /// Completes when the host is asked to stop.
    pub(crate) async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Whether the host is asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Cancelled when the host is asked to stop.
    pub(crate) fn stopping_token(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Completes when what still runs is to end at once.
    pub(crate) async fn aborting(&self) {
        self.aborting.cancelled().await;
    }

    /// Cancelled when what still runs is to end at once.
    pub(crate) fn aborting_token(&self) -> &CancellationToken {
        &self.aborting
    }

    /// What skips to the last phase when it is dropped.
    pub(crate) fn abort_on_drop(&self) -> AbortOnDrop {
        AbortOnDrop {
            _stopping: self.stopping.clone().drop_guard(),
            _aborting: self.aborting.clone().drop_guard(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn what_runs_has_the_grace_to_finish() {
        const GRACE: Duration = Duration::from_millis(50);
        let shutdown = Shutdown::new(GRACE);
        let runs = async {
            shutdown.stopping().await;
            assert!(shutdown.is_stopping() && !shutdown.aborting_token().is_cancelled());
            let start = Instant::now();
            shutdown.aborting().await;
            start.elapsed()
        };
        // The timer may be a little early for who looks at another clock.
        let took = shutdown.conduct(std::future::ready(()), runs).await;
        assert!(took >= GRACE / 2, "{took:?}");
    }

    #[tokio::test]
    async fn a_host_that_is_dropped_skips_the_grace() {
        let shutdown = Shutdown::new(Duration::from_secs(3600));
        drop(shutdown.abort_on_drop());
        shutdown.stopping().await;
        shutdown.aborting().await;
    }
}
