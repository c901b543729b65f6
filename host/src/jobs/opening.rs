//! Where jobs are kept, which may not be there yet: a host whose disk is full serves calls, and opens
//! its store when that is possible.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::SetOnce;

use super::store::{JobStore, StoreError};

/// A store, or why there is none yet.
pub(super) struct Opening {
    store: SetOnce<Arc<dyn JobStore>>,
    reason: Mutex<StoreError>,
}

impl Opening {
    pub(super) fn opened(store: Arc<dyn JobStore>) -> Self {
        let opening = Self::failed(StoreError::Unavailable("it is not open".into()));
        opening.open(store);
        opening
    }

    pub(super) fn failed(reason: StoreError) -> Self {
        Self { store: SetOnce::new(), reason: Mutex::new(reason) }
    }

    /// Lets everybody have the store. Only the first one counts.
    pub(super) fn open(&self, store: Arc<dyn JobStore>) {
        let _ = self.store.set(store);
    }

    /// Says anew why it cannot be opened.
    pub(super) fn fail(&self, reason: StoreError) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    pub(super) fn get(&self) -> Result<&Arc<dyn JobStore>, StoreError> {
        let reason = || self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.store.get().ok_or_else(reason)
    }

    /// The store, as soon as it is open.
    pub(super) async fn wait(&self) -> &Arc<dyn JobStore> {
        self.store.wait().await
    }
}
