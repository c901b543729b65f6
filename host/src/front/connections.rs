//! All connections that are open, and which of them is closed when a new caller finds no room: the one
//! that has been idle for longest, then the slowest. Knows no socket.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::watchdog::Watchdog;

/// The connections that are open.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Open>>,
    next: AtomicU64,
}

struct Open {
    watchdog: Watchdog,
    evicted: CancellationToken,
}

/// A connection that is open, until it is dropped.
pub(super) struct Member {
    connections: Arc<Connections>,
    id: u64,
    /// Cancelled when it has to make room.
    pub(super) evicted: CancellationToken,
}

impl Connections {
    pub(super) fn join(self: &Arc<Self>, watchdog: Watchdog) -> Member {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let evicted = CancellationToken::new();
        self.lock().insert(id, Open { watchdog, evicted: evicted.clone() });
        Member { connections: Arc::clone(self), id, evicted }
    }

    /// Has one connection closed, if there is one for which nothing runs; whether there was.
    pub(super) fn evict(&self) -> bool {
        let mut open = self.lock();
        let worst = open.iter().filter_map(|(id, open)| Some((open.watchdog.rank()?, *id))).min();
        let Some((_, id)) = worst else { return false };
        if let Some(open) = open.remove(&id) {
            open.evicted.cancel();
        }
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn watchdog() -> Watchdog {
        Watchdog::new(Duration::from_secs(10), Duration::from_secs(10))
    }

    #[tokio::test]
    async fn the_oldest_idle_one_goes_first_and_busy_ones_stay() {
        let connections = Arc::<Connections>::default();
        let busy = watchdog();
        let _request = busy.request();
        let busy = connections.join(busy);
        let old = connections.join(watchdog());
        tokio::time::sleep(Duration::from_millis(5)).await;
        let young = connections.join(watchdog());
        let evicted = || [&busy, &old, &young].map(|member| member.evicted.is_cancelled());
        assert!(connections.evict());
        assert_eq!(evicted(), [false, true, false]);
        drop(old);
        assert!(connections.evict());
        assert!(!connections.evict(), "only the busy one is left");
        assert!(!busy.evicted.is_cancelled());
    }
}
