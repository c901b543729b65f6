//! What a procedure made by the macro says while it works. Knows nothing of who listens.

use std::fmt::Display;

use crate::job::Level;

/// Progress, a log, and whether the procedure is asked to stop.
///
/// A procedure takes it as `&Context`, in any place; callers know nothing of it. All of it works in
/// any call: in a plain one progress goes nowhere, in a job everybody may follow it.
///
/// ```
/// use tarp_guest::Context;
///
/// fn fit(spectra: Vec<Vec<f64>>, cx: &Context) -> Result<Vec<f64>, String> {
///     let mut peaks = Vec::new();
///     for (index, spectrum) in spectra.iter().enumerate() {
///         if cx.cancelled() {
///             return Err(format!("stopped after {index} spectra"));
///         }
///         cx.progress(index as f64, spectra.len() as f64, "fitting");
///         peaks.push(spectrum.iter().copied().fold(f64::MIN, f64::max));
///     }
///     Ok(peaks)
/// }
///
/// // In a test there is no host: what is said is kept, and nobody asks to stop.
/// let cx = Context::new();
/// assert_eq!(fit(vec![vec![1.0, 3.0]], &cx), Ok(vec![3.0]));
/// ```
#[derive(Debug, Default)]
pub struct Context {
    #[cfg(not(target_family = "wasm"))]
    said: std::cell::RefCell<Vec<Said>>,
    #[cfg(not(target_family = "wasm"))]
    cancelled: std::cell::Cell<bool>,
}

/// What a procedure said, in a test.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// By [`Context::progress`] and [`Context::progress_without_end`], which has no total.
    Progress {
        /// How far.
        done: f64,
        /// Of how much.
        total: Option<f64>,
        /// For a person; none where it was empty.
        message: Option<String>,
    },
    /// By [`Context::log`].
    Log(Level, String),
}

impl Context {
    /// The context of the call, where there is one; in a test one of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says how far the work has come: `done` of `total`, in any unit. An empty message says nothing.
    pub fn progress(&self, done: impl Number, total: impl Number, message: impl Display) {
        self.report(done.into_f64(), Some(total.into_f64()), &message.to_string());
    }

    /// Says how far the work has come, where its end is not known.
    pub fn progress_without_end(&self, done: impl Number, message: impl Display) {
        self.report(done.into_f64(), None, &message.to_string());
    }

    fn report(&self, done: f64, total: Option<f64>, message: &str) {
        let message = (!message.is_empty()).then_some(message);
        #[cfg(target_family = "wasm")]
        crate::job::progress(done, total, message);
        #[cfg(not(target_family = "wasm"))]
        self.said.borrow_mut().push(Said::Progress {
            done,
            total,
            message: message.map(Into::into),
        });
    }

    /// Adds a line to the log.
    pub fn log(&self, level: Level, message: impl Display) {
        let message = message.to_string();
        #[cfg(target_family = "wasm")]
        crate::job::log(level, &message);
        #[cfg(not(target_family = "wasm"))]
        self.said.borrow_mut().push(Said::Log(level, message));
    }

    /// Logs what helps to find a fault.
    pub fn debug(&self, message: impl Display) {
        self.log(Level::Debug, message);
    }

    /// Logs what its user may want to know.
    pub fn info(&self, message: impl Display) {
        self.log(Level::Info, message);
    }

    /// Logs that something is odd, though the work goes on.
    pub fn warn(&self, message: impl Display) {
        self.log(Level::Warn, message);
    }

    /// Logs that something failed.
    pub fn error(&self, message: impl Display) {
        self.log(Level::Error, message);
    }

    /// Whether the procedure is asked to stop, since nobody waits for it any more.
    ///
    /// One that looks from time to time can put things in order and return. One that does not look
    /// is stopped all the same.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        #[cfg(target_family = "wasm")]
        return crate::job::cancelled();
        #[cfg(not(target_family = "wasm"))]
        return self.cancelled.get();
    }
}

/// For tests of procedures, which run where there is no host.
#[cfg(not(target_family = "wasm"))]
impl Context {
    /// Everything that was said so far.
    #[must_use]
    pub fn said(&self) -> Vec<Said> {
        self.said.borrow().clone()
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.cancelled.set(true);
    }
}

/// A number that counts steps, rows, bytes or parts of one.
pub trait Number {
    /// The number as progress has it.
    fn into_f64(self) -> f64;
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl Number for $number {
            fn into_f64(self) -> f64 {
                self as f64
            }
        }
    )+};
}

numbers!(f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, usize, isize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_test_it_keeps_what_is_said() {
        let cx = Context::new();
        cx.progress(1_u64, 2, "half");
        cx.progress_without_end(0.5, "");
        cx.warn(format_args!("{} is odd", 3));
        let message = Some("half".into());
        let expected = [
            Said::Progress { done: 1.0, total: Some(2.0), message },
            Said::Progress { done: 0.5, total: None, message: None },
            Said::Log(Level::Warn, "3 is odd".into()),
        ];
        assert_eq!(cx.said(), expected);
    }

    #[test]
    fn a_test_can_ask_it_to_stop() {
        let cx = Context::new();
        assert!(!cx.cancelled());
        cx.cancel();
        assert!(cx.cancelled());
    }
}
