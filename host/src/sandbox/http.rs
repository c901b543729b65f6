//! The interface `tarp:procedure/http`, which guests import: whole requests to granted servers, for tool chains
//! that have no `wasi:http`.
//!
//! Only takes requests apart and responses together; [`Outgoing`](super::outgoing::Outgoing) sends them.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::{Method, Uri};
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi_http::{Error, WasiHttpHooks as _};

use super::outgoing::Outgoing;
use super::state::CallState;
use crate::budget::Charge;

const INTERFACE: &str = "tarp:procedure/http@0.1.0";

/// Bytes of a response's body.
const MAX_RESPONSE: usize = 64 << 20;

type Header = (String, Vec<u8>);

#[derive(ComponentType, Lift)]
#[component(record)]
struct Request {
    method: String,
    url: String,
    headers: Vec<Header>,
    body: Vec<u8>,
    timeout: Option<u64>,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Response {
    status: u16,
    headers: Vec<Header>,
    body: Vec<u8>,
}

/// Adds the interface to what guests can import.
pub(super) fn link(linker: &mut Linker<CallState>) -> Result<()> {
    linker.instance(INTERFACE)?.func_wrap_async(
        "send",
        |mut store: StoreContextMut<'_, CallState>, (request,): (Request,)| {
            Box::new(async move {
                let outgoing = store.data_mut().outgoing();
                // It holds room for the response until that is the guest's.
                let mut charge = outgoing.charge();
                Ok((send(outgoing, request, &mut charge).await,))
            })
        },
    )
}

async fn send(
    outgoing: &mut Outgoing,
    request: Request,
    charge: &mut Charge,
) -> Result<Response, String> {
    let timeout = request.timeout;
    let (url, request) = (request.url.clone(), message(outgoing, request)?);
    let failed = |error: Error| format!("cannot fetch {url}: {error}");
    let sent = Box::into_pin(outgoing.send_request(request, None, Box::new(async { Ok(()) })));
    let all = async {
        let (response, _) = sent.await.map_err(failed)?;
        let (head, mut body) = response.into_parts();
        let mut content = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(failed)?.into_data() else { continue };
            if content.len() + data.len() > MAX_RESPONSE {
                return Err(format!("the response of {url} has more than {MAX_RESPONSE} bytes"));
            }
            // Twice, while what is there is copied to where there is more room.
            charge.take_soon(2 * data.len()).await.map_err(|no_room| no_room.to_string())?;
            content.extend_from_slice(&data);
        }
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.as_str().to_owned(), value.as_bytes().to_vec())
        };
        let headers = head.headers.iter().map(header).collect();
        Ok(Response { status: head.status.as_u16(), headers, body: content })
    };
    match timeout {
        None => all.await,
        Some(timeout) => tokio::time::timeout(Duration::from_millis(timeout), all)
            .await
            .unwrap_or_else(|_| Err(format!("{url} has not answered within {timeout} ms"))),
    }
}

/// The request as it is sent.
fn message(
    outgoing: &mut Outgoing,
    request: Request,
) -> Result<hyper::Request<super::messages::GuestBody>, String> {
    let Request { method, url, headers, body, .. } = request;
    let uri: Uri = url.parse().map_err(|e| format!("{url:?} is no address of a server: {e}"))?;
    if uri.scheme().is_none() {
        return Err(format!(
            "{url:?} is no address of a server; one begins with https:// or http://"
        ));
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| format!("{method:?} is no method of HTTP"))?;
    let is_forbidden = outgoing.forbidden_header_filter();
    let length = body.len();
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
    let mut message = hyper::Request::new(body);
    (*message.method_mut(), *message.uri_mut()) = (method, uri);
    for (name, value) in headers {
        let field: HeaderName =
            name.parse().map_err(|_| format!("{name:?} is no name of a header field"))?;
        let value = HeaderValue::from_bytes(&value)
            .map_err(|_| format!("the value of the header `{name}` has a line end or the like"))?;
        if field == CONTENT_LENGTH {
            if value.as_bytes() != length.to_string().as_bytes() {
                return Err(format!(
                    "the body has {length} bytes, and `content-length` says other"
                ));
            }
        } else if is_forbidden(&field) {
            return Err(format!(
                "the header `{name}` is about the connection, which is the host's"
            ));
        } else {
            message.headers_mut().append(field, value);
        }
    }
    Ok(message)
}
