//! Puts the stations together: [`run`] is one whole host.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::catalog::{Cache, Catalog, Keeper};
use crate::config::HostConfig;
use crate::front::Front;
use crate::sandbox::Sandbox;

/// Serves the folder of `config` on `listener` until `shutdown` completes, and then for as long as
/// running calls take, up to the configured grace.
///
/// `ready` is called once, when all files that were in the folder at the start have been looked at;
/// calls are answered before that too, as soon as their component is loaded.
///
/// # Errors
///
/// Where the host cannot start: the engine, the cache's directory, the certificate.
pub async fn run(
    listener: TcpListener,
    config: HostConfig,
    ready: impl FnOnce(&Catalog) + Send + 'static,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let sandbox = Arc::new(Sandbox::new(config.server.max_calls)?);
    let cache = Cache::open(&config.cache)?;
    let keeper = Keeper::new(config.folder, Arc::clone(&sandbox), cache, config.limits);
    let front = Front::new(keeper.catalog(), sandbox, config.server)?;
    let keeping = tokio::spawn(keeper.run(ready));
    front.serve(listener, shutdown).await;
    keeping.abort();
    Ok(())
}
