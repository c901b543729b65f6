//! The peer that shows what HTTP costs: hyper alone, which reads the query and adds.

use std::convert::Infallible;

use anyhow::Result;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves until the process is ended. The runtime is set up as the host sets up its own.
pub(crate) fn serve() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(async move {
                let service = service_fn(async |request| Ok::<_, Infallible>(answer(&request)));
                // A client that goes away is no affair of the benchmark's.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

fn answer(request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, body) = match sum(request.uri().query().unwrap_or_default()) {
        Some(sum) => (
            StatusCode::OK,
            format!(r#"{{"status":"success","mimetype":"application/json","result":{sum}}}"#),
        ),
        None => (StatusCode::BAD_REQUEST, r#"{"status":"error"}"#.into()),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn sum(query: &str) -> Option<i64> {
    let (mut x, mut y) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "x" => x = value.parse::<i64>().ok(),
            "y" => y = value.parse::<i64>().ok(),
            _ => {}
        }
    }
    Some(x?.wrapping_add(y?))
}
