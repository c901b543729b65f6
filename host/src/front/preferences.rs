//! What a request prefers, by its header `Prefer` (RFC 7240), and what of that was done.

use http::{HeaderMap, HeaderName, HeaderValue};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Something that a request may prefer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preference {
    /// A job is made of the call.
    RespondAsync,
    /// The reply has what the procedure printed.
    Output,
}

impl Preference {
    fn name(self) -> &'static str {
        match self {
            Self::RespondAsync => "respond-async",
            Self::Output => "output",
        }
    }

    /// Whether a request with these headers prefers it. What else it prefers is ignored.
    pub(super) fn is_in(self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .filter_map(|preference| preference.split(';').next())
            .any(|preference| preference.trim().eq_ignore_ascii_case(self.name()))
    }

    /// Says in the headers of the reply that it was done.
    pub(super) fn applied(self, headers: &mut HeaderMap) {
        headers.insert(APPLIED, HeaderValue::from_static(self.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_as_their_rfc_writes_them() {
        let prefers = |value, preference: Preference| {
            preference.is_in(&HeaderMap::from_iter([(PREFER, HeaderValue::from_static(value))]))
        };
        for value in ["respond-async", "Respond-Async", "wait=10, respond-async;a=b"] {
            assert!(prefers(value, Preference::RespondAsync), "{value}");
            assert!(!prefers(value, Preference::Output), "{value}");
        }
        assert!(!prefers("return=minimal", Preference::RespondAsync));
        assert!(prefers("respond-async, output", Preference::Output));
    }
}
