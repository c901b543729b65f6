//! Components that answer requests themselves: mounted under their file's name, they see the path
//! below it.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, SET_COOKIE};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Limited};

use super::admission::Peer;
use super::cookie;
use super::credentials::Sender;
use super::endpoint::Endpoint;
use super::origin::{Initiator, only_reads};
use super::response::{ErrorResponse, SANDBOX};
use super::state::State;
use crate::call::answer;
use crate::catalog::Mount;
use crate::error::{CallError, ErrorKind};
use crate::sandbox::Request;

/// Would have a script that a component serves see all requests of a browser to this host.
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// Would have a browser log everybody out.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Tells a component where it is, for links that begin with `/`.
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Has the component that is mounted at `mount` answer the request; `below` is the path under it.
pub(super) async fn serve(
    state: &State,
    mount: Arc<Mount>,
    below: &str,
    mut parts: Parts,
    body: Body,
    peer: &Peer,
    sender: &Sender,
) -> Result<Response, CallError> {
    sender.recorder.call(&mount.name);
    let is_trusted = state.config.trusted_mounts.iter().any(|name| **name == *mount.name);
    check_initiator(sender.initiator, is_trusted, &parts)?;
    sender.check_header()?;
    let query = parts.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    if below.is_empty() && matches!(parts.method, Method::GET | Method::HEAD) {
        // A link on the page to `x` must mean `name/x`.
        let last = parts.uri.path().rsplit('/').next().unwrap_or_default();
        return Ok(Redirect::permanent(&format!("{last}/{query}")).into_response());
    }
    if sender.caller.id().is_some() {
        // It is meant for the host.
        parts.headers.remove(AUTHORIZATION);
    }
    cookie::hide(&mut parts.headers);
    let permit = state.permits.take(peer, mount.permits.as_ref()).await?;
    let target = format!("/{}{query}", below.trim_start_matches('/'));
    let request = request(state, &mount, &target, parts, body, &sender.endpoint)?;
    Ok(match answer(&mount, request, permit).await {
        Ok(response) => {
            let mut response = response.map(Body::new);
            confine(response.headers_mut(), is_trusted);
            response
        }
        Err((error, output)) => ErrorResponse::new(Box::new(error), output).into_response(),
    })
}

/// Lets through what a page may have a component answer.
///
/// A page of the component itself has no origin unless it is trusted, so that its own pictures and styles
/// come as if another site asked for them. What changes something is therefore for others to send.
///
/// # Errors
///
/// [`ErrorKind::Forbidden`], with how to let the page in.
fn check_initiator(initiator: Initiator, is_trusted: bool, parts: &Parts) -> Result<(), CallError> {
    if !is_trusted && only_reads(&parts.method) {
        return Ok(());
    }
    initiator.check(&parts.headers).map_err(|mut refusal| {
        if !is_trusted {
            refusal.message.push_str(
                "; if it is a page of the component itself, and may do what its reader may, name the component in `trusted_mounts`",
            );
        }
        refusal
    })
}

/// Takes from a response what would have effect beyond the component's own pages, and from those the rights
/// of the host's, unless they are trusted.
fn confine(headers: &mut HeaderMap, is_trusted: bool) {
    headers.remove(SERVICE_WORKER_ALLOWED);
    headers.remove(CLEAR_SITE_DATA);
    if headers.contains_key(SET_COOKIE) {
        let cookies = headers.get_all(SET_COOKIE).iter();
        let own: Vec<_> = cookies.filter(|cookie| !cookie::sets_token(cookie)).cloned().collect();
        headers.remove(SET_COOKIE);
        for cookie in own {
            headers.append(SET_COOKIE, cookie);
        }
    }
    if !is_trusted {
        // Beside a policy of the component's own, both hold.
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    }
}

fn request(
    state: &State,
    mount: &Mount,
    target: &str,
    mut parts: Parts,
    body: Body,
    endpoint: &Endpoint,
) -> Result<Request, CallError> {
    let unusable = |e: &dyn std::fmt::Display| {
        CallError::new(ErrorKind::BadRequest, format!("the request's address cannot be used: {e}"))
    };
    let mut uri = parts.uri.into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(target).map_err(|e| unusable(&e))?);
    uri.scheme = Some(if endpoint.is_secure { Scheme::HTTPS } else { Scheme::HTTP });
    uri.authority = endpoint.authority.clone().or(uri.authority);
    parts.uri = Uri::from_parts(uri).map_err(|e| unusable(&e))?;
    if let Ok(prefix) = HeaderValue::from_str(&endpoint.path(&format!("/{}", mount.name))) {
        parts.headers.insert(PREFIX, prefix);
    }
    let body = Limited::new(body, state.config.max_body).map_err(io::Error::other);
    Ok(Request::from_parts(parts, body.boxed_unsync()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confined(headers: &[(&'static str, &'static str)], is_trusted: bool) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        confine(&mut map, is_trusted);
        map.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn a_component_s_response_has_effect_on_its_own_pages_alone() {
        let headers = [
            ("content-security-policy", "default-src 'self'"),
            ("set-cookie", "own=1"),
            ("set-cookie", "tarp-token-8080=theirs; Path=/"),
            ("set-cookie", "__Host-tarp-token=theirs; Path=/; Secure"),
            ("service-worker-allowed", "/"),
            ("clear-site-data", "\"*\""),
        ];
        let own = ["content-security-policy: default-src 'self'", "set-cookie: own=1"];
        let mut trusted = confined(&headers, true);
        trusted.sort();
        assert_eq!(trusted, own);
        let confined = confined(&headers, false);
        assert!(own.iter().all(|header| confined.iter().any(|its| its == header)));
        assert!(confined.contains(&format!("content-security-policy: {SANDBOX}")));
        assert_eq!(confined.len(), 3);
    }
}
