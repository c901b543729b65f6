//! What `wasmtime serve` is measured with: adds `x` and `y` of the query string, and answers as the
//! host does, byte for byte.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{
    Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam,
};

struct Add;

wasip2::http::proxy::export!(Add);

impl Guest for Add {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let path = request.path_with_query().unwrap_or_default();
        let (status, answer) = match sum(&path) {
            Some(sum) => (
                200,
                format!(r#"{{"status":"success","mimetype":"application/json","result":{sum}}}"#),
            ),
            None => (400, r#"{"status":"error"}"#.into()),
        };
        let headers = [
            ("content-type".to_owned(), b"application/json".to_vec()),
            ("content-length".to_owned(), answer.len().to_string().into_bytes()),
        ];
        let headers = Fields::from_list(&headers).expect("these headers are allowed");
        let response = OutgoingResponse::new(headers);
        response.set_status_code(status).expect("these codes are valid");
        let body = response.body().expect("taken once");
        ResponseOutparam::set(out, Ok(response));
        let stream = body.write().expect("taken once");
        // Who closed the connection misses the answer; there is nobody else to tell.
        let _ = stream.blocking_write_and_flush(answer.as_bytes());
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
}

fn sum(path: &str) -> Option<i64> {
    let (_, query) = path.split_once('?')?;
    let number = |name: &str| -> Option<i64> {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse().ok()
    };
    Some(number("x")?.wrapping_add(number("y")?))
}
