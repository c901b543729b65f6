//! `/-/session`: who a browser is logged in as. To log in is to send the token once as any client does; it
//! comes back as a cookie that no script can read.

use axum::Extension;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::cookie::TokenCookie;
use super::credentials::Sender;
use super::credentials::{self, Credential};
use super::methods::with_methods;
use super::response;
use super::state::State;
use crate::audit::Event;
use crate::auth::{Caller, TokenName};

/// Its address.
pub(super) const PATH: &str = "/-/session";

/// Who makes a request.
#[derive(Serialize)]
struct Session<'a> {
    /// The name of the token; `None` where the host asks for none.
    name: Option<&'a str>,
    /// The rights of the token, as `tarp token create` takes them.
    rights: Option<Vec<String>>,
    expires: Option<String>,
    /// Whether the token came in the cookie.
    cookie: bool,
}

pub(super) fn page() -> MethodRouter<State> {
    let methods = get(show).post(log_in).delete(log_out);
    with_methods(methods, "GET, HEAD, POST, DELETE, OPTIONS")
}

/// `GET /-/session`.
async fn show(Extension(Sender { caller, credential, .. }): Extension<Sender>) -> Response {
    told(&caller, credential)
}

/// `POST /-/session`: has the browser keep the token of the request's `Authorization`.
async fn log_in(
    Extension(Sender { caller, recorder, endpoint, .. }): Extension<Sender>,
    headers: HeaderMap,
) -> Response {
    let mut response = told(&caller, Credential::Cookie);
    if caller.id().is_some() {
        recorder.event(Event::LoggedIn);
        let cookie = TokenCookie::new(&endpoint);
        write(&mut response, credentials::kept(&headers, &cookie, caller.expires()));
    }
    response
}

/// `DELETE /-/session`: has the browser forget the token.
async fn log_out(
    Extension(Sender { caller, recorder, endpoint, .. }): Extension<Sender>,
) -> Response {
    if caller.id().is_some() {
        recorder.event(Event::LoggedOut);
    }
    let mut response = told(&caller, Credential::None);
    write(&mut response, TokenCookie::new(&endpoint).forget());
    response
}

/// Tells the audit log of it, where it says anything: a host that asks for no tokens keeps none.
fn told(caller: &Caller, credential: Credential) -> Response {
    let time = |at| humantime::format_rfc3339_seconds(at).to_string();
    let mut response = response::bare(
        StatusCode::OK,
        &Session {
            name: caller.name().map(TokenName::as_str),
            rights: caller.rights().map(|rights| rights.iter().map(ToString::to_string).collect()),
            expires: caller.expires().map(time),
            cookie: caller.id().is_some() && credential == Credential::Cookie,
        },
    );
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn write(response: &mut Response, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}
