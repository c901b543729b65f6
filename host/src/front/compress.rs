//! Makes large replies smaller for those who can read them: gzip and zstd.
//!
//! Small ones, which are nearly all, pass untouched. So do pickles, of which the numbers would not
//! become smaller, and streams, which must not wait for more.

use std::convert::Infallible;

use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Request};
use tower::ServiceExt as _;
use tower_http::CompressionLevel;
use tower_http::compression::Compression;

use super::media::PICKLE;

/// What fits into a few packets is sent as fast as it is.
pub(super) const LARGE: usize = 4 << 10;

/// Marks a reply that is not worth it.
#[derive(Clone, Copy)]
pub(super) struct Incompressible;

/// The encodings that a request accepts; `None` where it says nothing of them.
pub(super) struct AcceptEncoding(Option<HeaderValue>);

impl AcceptEncoding {
    pub(super) fn of(request: &HeaderMap) -> Self {
        Self(request.get(ACCEPT_ENCODING).cloned())
    }

    /// The reply in one of the encodings, if that is worth it.
    pub(super) async fn compress(self, response: Response) -> Response {
        match self.0 {
            Some(accepted) if is_worth_it(&response) => compressed(accepted, response).await,
            _ => response,
        }
    }
}

fn is_worth_it(response: &Response) -> bool {
    // Of a stream the size is not known.
    response.body().size_hint().lower() > LARGE as u64
        && response.extensions().get::<Incompressible>().is_none()
        && response.headers().get(CONTENT_TYPE).is_none_or(is_compressible)
}

fn is_compressible(content_type: &HeaderValue) -> bool {
    let content_type = content_type.as_bytes();
    let packed: [&[u8]; 5] = [b"image/", b"video/", b"audio/", b"font/", PICKLE.as_bytes()];
    content_type.starts_with(b"image/svg")
        || !packed.iter().any(|kind| content_type.starts_with(kind))
}

async fn compressed(accepted: HeaderValue, response: Response) -> Response {
    let mut request = Request::new(());
    request.headers_mut().insert(ACCEPT_ENCODING, accepted);
    let mut response = Some(response);
    let whole = tower::service_fn(move |_: Request<()>| {
        let response = response.take().unwrap_or_default();
        async { Ok::<_, Infallible>(response) }
    });
    // Any level takes most of what there is to take; this one keeps nobody waiting.
    let compression = Compression::new(whole).quality(CompressionLevel::Fastest);
    let Ok(mut response) = compression.oneshot(request).await;
    if response.headers().contains_key(CONTENT_ENCODING) {
        weaken(response.headers_mut());
    }
    response.map(Body::new)
}

/// Two encodings of one content are not the same byte by byte, which a strong tag would say.
fn weaken(headers: &mut HeaderMap) {
    let weak = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    if let Some(Ok(weak)) =
        weak.map(|tag| HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()))
    {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use http::header::{CONTENT_LENGTH, VARY};

    use super::*;

    fn reply(size: usize, content_type: &'static str) -> Response {
        let mut response = Response::new(Body::from("a".repeat(size)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response.headers_mut().insert(ETAG, HeaderValue::from_static("\"x\""));
        response
    }

    fn accepted_encodings(accepted: &'static str) -> AcceptEncoding {
        AcceptEncoding(Some(HeaderValue::from_static(accepted)))
    }

    #[tokio::test]
    async fn large_replies_come_in_the_encoding_that_is_liked_best() {
        for (accepted, encoding) in [
            ("gzip, deflate", Some("gzip")),
            ("zstd;q=0.5, gzip", Some("gzip")),
            ("gzip;q=0.1, zstd", Some("zstd")),
            ("gzip;q=0", None),
            ("br", None),
            ("identity", None),
        ] {
            let response =
                accepted_encodings(accepted).compress(reply(LARGE + 1, "application/json")).await;
            let headers = response.headers();
            let got = headers.get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap());
            assert_eq!(got, encoding, "{accepted}");
            assert_eq!(headers[CONTENT_TYPE], "application/json");
            assert_eq!(headers[VARY], "accept-encoding");
            assert_eq!(headers[ETAG].as_bytes().starts_with(b"W/"), encoding.is_some());
            assert!(encoding.is_none() || !headers.contains_key(CONTENT_LENGTH));
        }
    }

    #[tokio::test]
    async fn what_is_not_worth_it_stays_as_it_is() {
        let mut marked = reply(LARGE + 1, "application/json");
        marked.extensions_mut().insert(Incompressible);
        for response in [
            reply(LARGE, "application/json"),
            reply(LARGE + 1, "image/png"),
            reply(LARGE + 1, "application/vnd.tarp.pickle"),
            marked,
        ] {
            let response = accepted_encodings("gzip, zstd").compress(response).await;
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert_eq!(response.headers()[ETAG], "\"x\"");
        }
        let response = AcceptEncoding(None).compress(reply(LARGE + 1, "application/json")).await;
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
    }
}
