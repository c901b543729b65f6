//! A request that becomes a job: who wants one, and what the reply is.

use std::sync::Arc;

use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::show::Shown;
use super::{jobs, original};
use crate::catalog::Procedure;
use crate::codec::pickle::Arrays;
use crate::config::Mode;
use crate::error::{CallError, Kind};
use crate::front::State;
use crate::front::reply::{self, Form};
use crate::front::request::Asked;
use crate::jobs::Wish;
use crate::jobs::model::{Presentation, Priority};

/// A longer key is no key but somebody's data.
const LONGEST_KEY: usize = 255;

/// Whether the request is to become a job: it says so (RFC 7240), or it is the original protocol's
/// RPC for an asynchronous procedure.
pub(in crate::front) fn is_wanted(
    state: &State,
    headers: &HeaderMap,
    procedure: &Procedure,
    form: &Form,
) -> bool {
    state.jobs.is_some() && (prefers_async(headers) || is_handle(procedure, form))
}

fn is_handle(procedure: &Procedure, form: &Form) -> bool {
    procedure.jobs.mode == Mode::Async && matches!(form, Form::Rpc(_))
}

fn prefers_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next())
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// Queues the call, and gives its handle in the form that the request has.
pub(in crate::front) async fn accept(
    state: &State,
    headers: &HeaderMap,
    procedure: &Arc<Procedure>,
    asked: Asked,
) -> Result<Response, CallError> {
    let jobs = jobs(state)?;
    let presentation = match asked.form {
        Form::Pickle(Arrays::Numpy) => Presentation::Numpy,
        _ => asked.presentation,
    };
    let wish = Wish { priority: priority(headers), key: key(headers)?, presentation };
    let view = jobs.submit(procedure, asked.arguments, wish).await?;
    if is_handle(procedure, &asked.form) && !prefers_async(headers) {
        return Ok(original::handed_out(&view));
    }
    let mut response = reply::bare(StatusCode::ACCEPTED, &Shown::from(&view));
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&format!("/-/jobs/{}", view.job.id)) {
        headers.insert(LOCATION, location);
    }
    headers.insert(
        HeaderName::from_static("preference-applied"),
        HeaderValue::from_static("respond-async"),
    );
    Ok(response)
}

/// The urgency of RFC 9218, `u=2`; a header that says nothing that we understand says nothing.
fn priority(headers: &HeaderMap) -> Option<Priority> {
    let mut values = headers.get_all("priority").iter().filter_map(|value| value.to_str().ok());
    let urgency = values.find_map(|value| {
        value.split(',').find_map(|member| member.trim().strip_prefix("u=")?.trim().parse().ok())
    });
    urgency.and_then(Priority::new)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, CallError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str().map(|key| key.trim_matches('"')) {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key.to_owned())),
        _ => Err(CallError::new(
            Kind::BadRequest,
            format!("an Idempotency-Key is 1 to {LONGEST_KEY} characters of ASCII"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn preferences_and_priorities_are_read_as_their_rfcs_write_them() {
        for value in ["respond-async", "wait=10, Respond-Async; x=1", "a, respond-async"] {
            assert!(prefers_async(&headers("prefer", value)), "{value}");
        }
        assert!(!prefers_async(&headers("prefer", "return=minimal")));
        assert_eq!(priority(&headers("priority", "i, u=1")), Priority::new(1));
        assert_eq!(priority(&headers("priority", "u=9")), None);
        assert_eq!(priority(&headers("priority", "nonsense")), None);
        assert_eq!(key(&headers("idempotency-key", "\"a b\"")), Ok(Some("a b".into())));
        assert!(key(&headers("idempotency-key", "")).is_err());
    }
}
