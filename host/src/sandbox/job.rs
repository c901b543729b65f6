//! The interface `tarp:procedure/job`, which guests import: progress, cancellation, log.
//!
//! Takes what a guest says within bounds and hands it to the call's observer. Without one, as in a
//! synchronous call, progress goes nowhere, nobody asks to stop, and the log goes to the host's own.

use tracing::debug;
use wasmtime::component::{Linker, WasmStr};
use wasmtime::{Result, StoreContext, StoreContextMut, Trap};

use super::FUEL_BETWEEN_YIELDS;
use super::observe::{Level, Progress};
use super::state::CallState;

const INTERFACE: &str = "tarp:procedure/job@0.1.0";

/// Fuel for one call of this interface, about what the host's work would take in a guest. A byte of
/// text takes one more.
const PRICE: u64 = 1_000;

/// Bytes of a progress report's message.
const MESSAGE: usize = 1 << 10;

/// Bytes of a log message.
const LOG_MESSAGE: usize = 8 << 10;

/// Adds the interface to what guests can import.
pub(super) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    let mut job = linker.instance(INTERFACE)?;
    job.func_wrap_async(
        "progress",
        |mut store, (done, total, message): (f64, Option<f64>, Option<WasmStr>)| {
            Box::new(async move {
                let text = message.map(|text| Text::read(&text, &store, MESSAGE)).transpose()?;
                pay(&mut store, text.as_ref().map_or(0, |text| text.length)).await?;
                if let Some(observer) = &store.data().observer {
                    observer.progress(Progress::new(done, total, text.map(|text| text.kept)));
                }
                Ok(())
            })
        },
    )?;
    job.func_wrap_async("cancelled", |mut store, ()| {
        Box::new(async move {
            pay(&mut store, 0).await?;
            Ok((store.data().observer.as_ref().is_some_and(|observer| observer.is_cancelled()),))
        })
    })?;
    job.func_wrap_async("log", |mut store, (level, message): (Level, WasmStr)| {
        Box::new(async move {
            let text = Text::read(&message, &store, LOG_MESSAGE)?;
            pay(&mut store, text.length).await?;
            let state = store.data();
            match &state.observer {
                Some(observer) => observer.log(level, text.kept),
                None => {
                    debug!(procedure = %state.name, level = level.name(), message = ?text.kept, "logged");
                }
            }
            Ok(())
        })
    })
}

/// Takes fuel for one call of this interface with so many bytes of text, and lets others run if the
/// guest has not done so for long.
///
/// Without this a guest that does nothing but call the host would get more work done for its fuel
/// than any other, and keep its thread for longer.
async fn pay(store: &mut StoreContextMut<'_, CallState>, bytes: usize) -> Result<()> {
    let price = PRICE.saturating_add(bytes as u64);
    let fuel = store.get_fuel()?;
    let left = fuel.saturating_sub(price);
    // wasmtime starts a new interval now, so a guest that comes here often never yields by itself.
    store.set_fuel(left)?;
    if fuel < price {
        return Err(Trap::OutOfFuel.into());
    }
    let state = store.data_mut();
    if state.yielded_at.saturating_sub(left) >= FUEL_BETWEEN_YIELDS {
        state.yielded_at = left;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A guest's text, of which no more than its limit was ever copied.
struct Text {
    kept: String,
    /// Bytes that the whole has.
    length: usize,
}

impl Text {
    fn read(text: &WasmStr, store: &StoreContextMut<'_, CallState>, limit: usize) -> Result<Self> {
        let text = text.to_str(StoreContext::from(store))?;
        Ok(Self { kept: cut(&text, limit), length: text.len() })
    }
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
