//! Who makes a request: by its header `Authorization`, a token as `Bearer` or as the password of `Basic`,
//! or by the cookie of a browser that has logged in.

use std::str;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::cookie::TokenCookie;
use super::endpoint::Endpoint;
use super::origin::Initiator;
use super::state::State;
use super::tally::Recorder;
use crate::auth::{AuthError, Caller, Certified};
use crate::codec::base64::{BASE64, Engine as _};
use crate::error::{CallError, ErrorKind};

/// Bytes of the user and the password of `Basic`: any longer is no token's.
const MAX_PAIR: usize = 512;

/// Who makes a request, and for whom. Handlers of pages find it among the extensions of the request.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) caller: Caller,
    pub(super) credential: Credential,
    pub(super) initiator: Initiator,
    /// Where the request was sent.
    pub(super) endpoint: Endpoint,
    /// Takes what the audit log is to be told of the request.
    pub(super) recorder: Recorder,
}

/// What a request has to show who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    None,
    /// `Authorization`.
    Header,
    /// The cookie of a browser that has logged in, which the browser sends by itself.
    Cookie,
    /// The certificate of the connection, which a browser shows by itself.
    Certificate,
}

/// Who makes a request with these headers, on a connection that was perhaps made with a certificate. The cookie
/// counts only where the browser says that a page of this host makes the request: it would send it for others as
/// well. The certificate counts where no other page makes it, and no token is sent.
///
/// # Errors
///
/// [`ErrorKind::Unauthorized`], which is the same for every reason; [`ErrorKind::Unavailable`] where the
/// host does not know its tokens.
pub(super) fn sender(
    state: &State,
    headers: &HeaderMap,
    certified: Option<&Arc<Certified>>,
    initiator: Initiator,
    endpoint: Endpoint,
) -> Result<Sender, CallError> {
    let recorder = Recorder::default();
    let caller = |token| state.authenticator.caller(token).map_err(refusal);
    if !headers.contains_key(AUTHORIZATION) && initiator == Initiator::SameOrigin {
        let cookie = TokenCookie::new(&endpoint);
        if let Some(token) = cookie.token(headers) {
            let caller = caller(Some(token))?;
            let credential = Credential::Cookie;
            return Ok(Sender { caller, credential, initiator, endpoint, recorder });
        }
    }
    if let Some(certified) = certified
        && !headers.contains_key(AUTHORIZATION)
        && matches!(initiator, Initiator::Nobody | Initiator::SameOrigin)
    {
        let caller = state.authenticator.certified(certified).map_err(refusal)?;
        let credential = Credential::Certificate;
        return Ok(Sender { caller, credential, initiator, endpoint, recorder });
    }
    let mut pair = [0; MAX_PAIR];
    let token = token(headers, &mut pair);
    let credential = if token.is_some() { Credential::Header } else { Credential::None };
    Ok(Sender { caller: caller(token)?, credential, initiator, endpoint, recorder })
}

fn refusal(error: AuthError) -> CallError {
    match error {
        AuthError::Unauthorized => unauthorized(
            "the request has no valid token; send one as `Authorization: Bearer TOKEN`, or as the password of `Basic`",
        ),
        AuthError::Unavailable => CallError::new(
            ErrorKind::Unavailable,
            "the host cannot read its tokens, and serves nobody until it can; its log says why",
        ),
    }
}

impl Sender {
    /// Refuses a request that a browser was let through with by its cookie alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`].
    pub(super) fn check_header(&self) -> Result<(), CallError> {
        if self.credential == Credential::Cookie && self.caller.id().is_some() {
            return Err(unauthorized(
                "a mounted component is no part of the console, and being logged in there does not count; send the token with the request, in a browser as the password",
            ));
        }
        Ok(())
    }
}

fn unauthorized(message: &str) -> CallError {
    CallError::new(ErrorKind::Unauthorized, message)
}

/// The cookie with the token that these headers have in `Authorization`, to be kept until then.
pub(super) fn kept(
    headers: &HeaderMap,
    cookie: &TokenCookie,
    until: Option<SystemTime>,
) -> Option<HeaderValue> {
    let mut pair = [0; MAX_PAIR];
    cookie.keep(str::from_utf8(token(headers, &mut pair)?).ok()?, until)
}

/// The token of a request; `pair` is room for one that has to be decoded.
fn token<'a>(headers: &'a HeaderMap, pair: &'a mut [u8; MAX_PAIR]) -> Option<&'a [u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?.as_bytes(), values.next()) else { return None };
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, credentials) = (&value[..space], value[space..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(credentials);
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let length = BASE64.decode_slice(credentials, pair).ok()?;
    let pair = &pair[..length];
    // Who it is, the token says.
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(&pair[colon + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let values =
            values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_str(value).unwrap()));
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(name, value);
        }
        let mut pair = [0; MAX_PAIR];
        token(&headers, &mut pair).map(|token| str::from_utf8(token).unwrap().to_owned())
    }

    #[test]
    fn a_token_comes_as_bearer_or_as_a_password() {
        let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair));
        for (value, token) in [
            ("Bearer tarp_1", Some("tarp_1")),
            ("bearer   tarp_1 ", Some("tarp_1")),
            (&*basic("user:tarp_1"), Some("tarp_1")),
            (&*basic(":tarp_1"), Some("tarp_1")),
            (&*basic("user:a:b"), Some("a:b")),
            (&*basic("user"), None),
            (&*basic(&"x".repeat(MAX_PAIR + 1)), None),
            ("Basic ???", None),
            ("Digest x", None),
            ("tarp_1", None),
            ("", None),
        ] {
            assert_eq!(read(&[value]).as_deref(), token, "{value}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["Bearer a", "Bearer a"]), None);
    }
}
