//! The interface `tarp:procedure/job`, which guests import: progress, cancellation, log.
//!
//! Takes what a guest says within bounds and hands it to the call's observer. Without one, as in a
//! synchronous call, progress goes nowhere, nobody asks to stop, and the log goes to the host's own.

use tracing::debug;
use wasmtime::component::{Linker, WasmStr};
use wasmtime::{Result, StoreContext, StoreContextMut};

use super::observe::{Level, Progress};
use super::state::CallState;

const INTERFACE: &str = "tarp:procedure/job@0.1.0";

/// Bytes of a progress report's message.
const MESSAGE: usize = 1 << 10;

/// Bytes of a log message.
const LOG_MESSAGE: usize = 8 << 10;

/// Adds the interface to what guests can import. A byte of text costs the guest a unit of fuel.
pub(super) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    let mut job = linker.instance(INTERFACE)?;
    job.func_wrap(
        "progress",
        |store, (done, total, message): (f64, Option<f64>, Option<WasmStr>)| {
            let message = message.map(|message| read(&message, &store, MESSAGE)).transpose()?;
            if let Some(observer) = &store.data().observer {
                observer.progress(Progress::new(done, total, message));
            }
            Ok(())
        },
    )?;
    job.func_wrap("cancelled", |store, ()| {
        Ok((store.data().observer.as_ref().is_some_and(|observer| observer.is_cancelled()),))
    })?;
    job.func_wrap("log", |store, (level, message): (Level, WasmStr)| {
        let message = read(&message, &store, LOG_MESSAGE)?;
        let state = store.data();
        match &state.observer {
            Some(observer) => observer.log(level, message),
            None => {
                debug!(procedure = %state.name, level = level.name(), ?message, "logged");
            }
        }
        Ok(())
    })
}

/// A guest's text, of which no more than `limit` bytes are ever copied.
fn read(text: &WasmStr, store: &StoreContextMut<'_, CallState>, limit: usize) -> Result<String> {
    let text = text.to_str(StoreContext::from(store))?;
    store.data().debt.add(text.len() as u64);
    Ok(cut(&text, limit))
}

/// The beginning of a text that is too long, with a mark at the end.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.into();
    }
    let kept = &text[..text.floor_char_boundary(limit)];
    // Unlike `format!`, this takes no more room than it needs.
    [kept, &format!("[... {} bytes left out]", text.len() - kept.len())].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters_and_marked() {
        assert_eq!(cut("häh", 4), "häh");
        assert_eq!(cut("hähä", 4), "häh[... 2 bytes left out]");
        assert_eq!(cut("hähä", 5), "häh[... 2 bytes left out]");
        assert_eq!(cut("ää", 3), "ä[... 2 bytes left out]");
    }
}
