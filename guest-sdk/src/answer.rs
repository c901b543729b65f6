//! Adds to the web types of the WIT package `tarp:procedure` what makes them short to write.

use crate::web::{Body, Content, Raw, Request, Response};

impl Request {
    /// A request as a caller would send it, for tests: `GET` with a path and its query parameters.
    #[must_use]
    pub fn get(path: &str, query: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            method: "GET".into(),
            path: path.into(),
            query: query.iter().map(own).collect(),
            headers: Vec::new(),
            body: Body::None,
        }
    }

    /// A `POST` with a body, for tests.
    #[must_use]
    pub fn post(path: &str, body: Body) -> Self {
        Self { method: "POST".into(), body, ..Self::get(path, &[]) }
    }

    /// The first parameter of that name in the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        first(&self.query, |other| other == name)
    }

    /// The first header of that name, in upper or lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, |other| other.eq_ignore_ascii_case(name))
    }

    /// The first field of that name in the body, if it is a form.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        match &self.body {
            Body::Form(fields) => first(fields, |other| other == name),
            _ => None,
        }
    }

    /// The body as a type that serde knows.
    ///
    /// # Errors
    ///
    /// When the body is not JSON, or other JSON than the type's.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        match &self.body {
            Body::Json(text) => serde_json::from_str(text).map_err(|e| format!("the body: {e}")),
            _ => Err("the body is not JSON; send it with Content-Type: application/json".into()),
        }
    }
}

fn first(pairs: &[(String, String)], is_it: impl Fn(&str) -> bool) -> Option<&str> {
    pairs.iter().find(|(name, _)| is_it(name)).map(|(_, value)| value.as_str())
}

impl Response {
    /// A value as JSON.
    ///
    /// # Panics
    ///
    /// For what JSON cannot hold: a map whose keys are no texts.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json(value: &impl serde::Serialize) -> Self {
        let text = serde_json::to_string(value);
        Self::json_text(text.unwrap_or_else(|e| panic!("a value that JSON cannot hold: {e}")))
    }

    /// A value that is the text of JSON already.
    #[must_use]
    pub fn json_text(text: impl Into<String>) -> Self {
        Content::Json(text.into()).into()
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Content::Text(text.into()).into()
    }

    /// Bytes, in an envelope.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Content::Bytes(bytes.into()).into()
    }

    /// Bytes as they are, with their media type: `raw("text/html", page)`.
    #[must_use]
    pub fn raw(media_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Content::Raw(Raw { media_type: media_type.into(), data: data.into() }).into()
    }

    /// An image in PNG, as it is.
    #[must_use]
    pub fn png(data: impl Into<Vec<u8>>) -> Self {
        Self::raw("image/png", data)
    }

    /// A page in HTML, as it is.
    #[must_use]
    pub fn html(page: impl Into<String>) -> Self {
        Self::raw("text/html; charset=utf-8", page.into())
    }

    /// The same with a status, 200 to 599: `Response::text("no such peak").with_status(404)`.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }
}

impl From<Content> for Response {
    fn from(content: Content) -> Self {
        Self { status: None, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says() {
        let mut request = Request::get("/plot", &[("n", "1"), ("n", "2"), ("m", "")]);
        request.headers.push(("accept".into(), "image/png".into()));
        assert_eq!(request.query("n"), Some("1"));
        assert_eq!(request.query("m"), Some(""));
        assert_eq!(request.query("N"), None);
        assert_eq!(request.header("Accept"), Some("image/png"));
        assert_eq!(request.field("n"), None);
        let form = Request::post("/plot", Body::Form(vec![("n".into(), "3".into())]));
        assert_eq!(
            (form.method.as_str(), form.field("n"), form.query("n")),
            ("POST", Some("3"), None)
        );
    }

    #[test]
    fn what_a_response_holds() {
        let missing = Response::text("gone").with_status(404);
        assert_eq!(missing, Response { status: Some(404), content: Content::Text("gone".into()) });
        let Content::Raw(image) = Response::png([1, 2]).content else { panic!("a PNG is raw") };
        assert_eq!(image, Raw { media_type: "image/png".into(), data: vec![1, 2] });
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_both_ways() {
        let request = Request::post("/f", Body::Json("[1, 2]".into()));
        assert_eq!(request.json::<Vec<u8>>(), Ok(vec![1, 2]));
        assert!(request.json::<String>().unwrap_err().starts_with("the body: "));
        assert!(Request::get("/f", &[]).json::<u8>().unwrap_err().contains("Content-Type"));
        assert_eq!(Response::json(&[1, 2]).content, Content::Json("[1,2]".into()));
    }
}
