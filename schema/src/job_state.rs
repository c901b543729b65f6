//! [`JobState`]: where a job is in its life.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the states once, so that no list of them can miss one.
macro_rules! job_states {
    ($($(#[doc = $meaning:literal])+ $name:ident = $text:literal,)+) => {
        /// Where a job is in its life. The last five are terminal: a job ends in exactly one of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum JobState {
            $($(#[doc = $meaning])+ #[serde(rename = $text)] $name,)+
        }

        impl JobState {
            /// All states.
            pub const ALL: [Self; [$(Self::$name,)+].len()] = [$(Self::$name,)+];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

job_states! {
    /// It waits for its turn.
    Queued = "queued",
    /// A guest works on it.
    Running = "running",
    /// It has a result.
    Succeeded = "succeeded",
    /// It has an error.
    Failed = "failed",
    /// Somebody asked it to stop, and it did.
    Cancelled = "cancelled",
    /// It did not end within its deadline.
    TimedOut = "timed_out",
    /// The host went down while it ran, and running it again might repeat a side effect.
    Interrupted = "interrupted",
}

impl JobState {
    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a job in it has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_and_written_by_name() {
        for state in JobState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
            assert_eq!(JobState::from_name(state.name()), Some(state));
        }
        assert_eq!(JobState::from_name("ended"), None);
        assert_eq!(JobState::ALL.iter().filter(|state| state.is_terminal()).count(), 5);
    }
}
