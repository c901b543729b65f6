//! The example guests, loaded and ready to be called; knows no observer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tarp_host::call::{Call, Outcome, execute};
use tarp_host::catalog::{Cache, Catalog, Compiler, Keeper, Loader, Procedure, Shared};
use tarp_host::codec::types::Arguments;
use tarp_host::config::{JobsConfig, Limits, LoadingConfig};
use tarp_host::jobs::store::JobStore;
use tarp_host::jobs::{Jobs, LocalChannel, Submitters};
use tarp_host::sandbox::{Observer, Sandbox};
use tarp_host::value::Value;
use tokio::sync::oneshot;

pub(crate) struct Host {
    sandbox: Arc<Sandbox>,
    catalog: Arc<Catalog>,
    shared: Shared,
}

impl Host {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    /// Loads all example guests, whose calls have these limits.
    pub(crate) async fn with(limits: Limits) -> Self {
        // Shared by all tests, so that each guest is compiled once.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-components");
        let cache = Cache::open(&cache, u64::MAX).unwrap();
        let sandbox = Arc::new(Sandbox::new(4).unwrap());
        let job_limits = limits.clone();
        let metrics = Arc::default();
        let loader = Loader {
            sandbox: Arc::clone(&sandbox),
            compiler: Compiler::InProcess,
            cache,
            limits,
            job_limits,
            metrics,
        };
        let keeper = Keeper::new(guests(), loader, LoadingConfig::default());
        let shared = keeper.catalog();
        let (tell, ready) = oneshot::channel();
        tokio::select! {
            () = keeper.run(|_| tell.send(()).unwrap()) => {}
            ready = ready => ready.unwrap(),
        }
        Self { sandbox, catalog: shared.load_full(), shared }
    }

    pub(crate) fn procedures(&self) -> impl Iterator<Item = &Procedure> {
        self.catalog.procedures()
    }

    pub(crate) fn procedure(&self, name: &str) -> Arc<Procedure> {
        let problems = self.catalog.problems();
        let procedure = self.catalog.find(name);
        Arc::clone(procedure.unwrap_or_else(|| panic!("no `{name}`: {problems:?}")))
    }

    /// Jobs of this host's procedures, none of which runs before `run` is called.
    pub(crate) fn jobs(&self, store: Arc<dyn JobStore>, config: JobsConfig) -> Jobs {
        Jobs::new(
            store,
            Arc::new(LocalChannel::default()),
            Arc::clone(&self.shared),
            Arc::clone(&self.sandbox),
            config,
            Submitters::default(),
        )
    }

    pub(crate) async fn call(
        &self,
        name: &str,
        arguments: &[Value],
        observer: Option<Arc<dyn Observer>>,
    ) -> Outcome {
        let procedure = self.procedure(name);
        let arguments = Arguments { positional: arguments.to_vec(), named: Vec::new() };
        let call = Call::new(procedure, arguments).unwrap();
        execute(&self.sandbox, call, observer).await
    }
}

fn guests() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-guests");
    let folder = std::env::var_os("TARP_GUESTS").map_or_else(default, PathBuf::from);
    let cure =
        "build the example guests with `cargo xtask guests`, or say where they are in TARP_GUESTS";
    assert!(
        folder.join("jobs.wasm").is_file(),
        "there is no {}/jobs.wasm; {cure}",
        folder.display()
    );
    folder
}
