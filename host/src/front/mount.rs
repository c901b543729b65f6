//! Components that answer requests themselves: mounted under their file's name, they see the path
//! below it.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::HOST;
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Limited};

use super::State;
use super::places::Peer;
use super::reply::Refusal;
use crate::call::answer;
use crate::catalog::Mount;
use crate::error::{CallError, Kind};
use crate::sandbox::Request;

/// Tells a component where it is, for links that begin with `/`.
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Has the component that is mounted at `mount` answer the request; `below` is the path under it.
pub(super) async fn serve(
    state: &State,
    mount: Arc<Mount>,
    below: &str,
    parts: Parts,
    body: Body,
    peer: &Peer,
) -> Result<Response, CallError> {
    let query = parts.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    if below.is_empty() && matches!(parts.method, Method::GET | Method::HEAD) {
        // A link on the page to `x` must mean `name/x`.
        let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
        return Ok(Redirect::permanent(&format!("{last}/{query}")).into_response());
    }
    let place = state.places.take(peer, mount.places.as_ref()).await?;
    let request =
        request(state, &mount, &format!("/{}{query}", below.trim_start_matches('/')), parts, body)?;
    Ok(match answer(&mount, request, place).await {
        Ok(response) => response.map(Body::new),
        Err((error, output)) => Refusal::new(Box::new(error), output).into_response(),
    })
}

fn request(
    state: &State,
    mount: &Mount,
    target: &str,
    mut parts: Parts,
    body: Body,
) -> Result<Request, CallError> {
    let unusable = |e: &dyn std::fmt::Display| {
        CallError::new(Kind::BadRequest, format!("the request's address cannot be used: {e}"))
    };
    let host = parts.headers.get(HOST).map(HeaderValue::as_bytes);
    let mut uri = parts.uri.into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(target).map_err(|e| unusable(&e))?);
    uri.scheme = Some(if state.config.tls_cert.is_some() { Scheme::HTTPS } else { Scheme::HTTP });
    if let (None, Some(host)) = (&uri.authority, host) {
        uri.authority = Some(host.try_into().map_err(|e| unusable(&e))?);
    }
    parts.uri = Uri::from_parts(uri).map_err(|e| unusable(&e))?;
    if let Ok(prefix) = HeaderValue::from_str(&format!("/{}", mount.name)) {
        parts.headers.insert(PREFIX, prefix);
    }
    let body = Limited::new(body, state.config.max_body).map_err(io::Error::other);
    Ok(Request::from_parts(parts, body.boxed_unsync()))
}
