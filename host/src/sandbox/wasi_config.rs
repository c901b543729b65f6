//! `wasi:config`, what a guest reads of the configuration that it was granted, in the drafts that are in use.

use wasmtime::component::{ComponentType, Linker, Lower, WasmStr};
use wasmtime::{Result, StoreContext, StoreContextMut};

use super::state::CallState;

/// The drafts, which differ in nothing but their names.
const INTERFACES: [&str; 3] = [
    "wasi:config/store@0.2.0-rc.1",
    "wasi:config/store@0.2.0-draft",
    "wasi:config/runtime@0.2.0-draft",
];

/// Bytes of a key that a hint repeats.
const MAX_HINT: usize = 100;

/// What the interfaces may fail with, and never do here: the values are in memory.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[expect(dead_code, reason = "it is part of the interface")]
enum ConfigError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

/// Adds the interfaces to what guests can import. A byte of a key or a value costs a unit of fuel.
pub(super) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    for interface in INTERFACES {
        let mut config = linker.instance(interface)?;
        config.func_wrap("get", |store: StoreContextMut<'_, CallState>, (key,): (WasmStr,)| {
            let key = key.to_str(StoreContext::from(&store))?;
            let state = store.data();
            let value = state.context.grants.config.get(&*key).cloned();
            state.debt.add((key.len() + value.as_ref().map_or(0, String::len)) as u64);
            if value.is_none() {
                let shown = &key[..key.floor_char_boundary(MAX_HINT)];
                state.hints.add(format!(
                    "it asked for the configuration key {shown:?}, which is not granted; under \
                     `[grants]` of its sidecar, `config = {{ {shown:?} = \"…\" }}` grants it"
                ));
            }
            Ok((Ok::<_, ConfigError>(value),))
        })?;
        config.func_wrap("get-all", |store: StoreContextMut<'_, CallState>, (): ()| {
            let state = store.data();
            let all: Vec<(String, String)> = state
                .context
                .grants
                .config
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let bytes: usize = all.iter().map(|(key, value)| key.len() + value.len()).sum();
            state.debt.add(bytes as u64);
            Ok((Ok::<_, ConfigError>(all),))
        })?;
    }
    Ok(())
}
