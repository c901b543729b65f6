//! Asking a store that fails until it answers.

use std::time::Duration;

use tracing::warn;

use super::model::JobId;
use super::store::StoreError;

/// After the store failed, before it is tried again; doubles up to [`MAX_PAUSE`].
pub(super) const PAUSE: Duration = Duration::from_millis(100);
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Asks the store, however long it takes to be usable: a job must not be lost.
pub(super) async fn until_stored<T, F: Future<Output = Result<T, StoreError>>>(
    id: JobId,
    what: &str,
    ask: impl Fn() -> F,
) -> T {
    let mut pause = PAUSE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(e) => {
                warn!(job = %id, error = %e, "cannot {what}; trying again in {pause:?}");
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(MAX_PAUSE);
            }
        }
    }
}
