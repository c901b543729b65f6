//! Replies with a tag of their content, which who has it already is not sent again.

use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use super::envelope::{envelope, json};

/// Something of the host's own that is the same for a while, with a tag by which it is known.
#[derive(Clone)]
pub(in crate::front) struct Tagged {
    body: Bytes,
    tag: String,
}

impl Tagged {
    pub(in crate::front) fn new<T: Serialize>(content: &T) -> Self {
        let body = json(content);
        let tag = tag(&body);
        Self { body: body.into(), tag }
    }

    /// The reply to a request with these headers: without the content where its sender has that.
    pub(in crate::front) fn reply(&self, request: &HeaderMap) -> Response {
        let mut response = if is_known(request, &self.tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            envelope(StatusCode::OK, self.body.clone().into())
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(ETAG, tag);
        }
        response
    }
}

/// The tag of this content.
pub(in crate::front) fn tag(content: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(content).to_hex()[..32])
}

/// Whether who sends these headers has the content with this tag, by the weak comparison of RFC 9110,
/// 8.8.3.2: a compressed reply is tagged as weak.
pub(in crate::front) fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = values.flat_map(|value| value.split(',')).map(str::trim);
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_content_is_told_so() {
        let tagged = Tagged::new(&1);
        let tag = tagged.reply(&HeaderMap::new()).headers()[ETAG].to_str().unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("\"other\", {tag}"), 304),
            ("*".into(), 304),
            ("\"other\"".into(), 200),
        ] {
            let known = HeaderValue::from_str(&known).unwrap();
            let response = tagged.reply(&HeaderMap::from_iter([(IF_NONE_MATCH, known)]));
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[ETAG], tag.as_str());
        }
    }
}
