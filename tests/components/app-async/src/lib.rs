//! A small web application on plain `wasi:http` 0.3, whose bodies are streams of the component model.
//! It knows nothing of TARP, which mounts it at `/app_async/`.

use std::time::Duration;

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen::StreamResult;
use wasip3::{wit_bindgen, wit_future, wit_stream};

struct App;

wasip3::http::service::export!(App);

impl wasip3::exports::http::handler::Guest for App {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let target = request.get_path_with_query().unwrap_or_default();
        match target.split('?').next().unwrap_or_default() {
            "/" => text(200, "Hello from the app.\n".into()),
            "/about" => {
                let (method, authority) = (request.get_method(), request.get_authority());
                let authority = authority.unwrap_or_default();
                text(200, format!("method: {method:?}\nauthority: {authority}\ntarget: {target}\n"))
            }
            "/echo" => echo(request),
            "/count" => count(&target),
            "/loop" => loop {
                std::hint::black_box(());
            },
            "/panic" => panic!("the page of panic"),
            "/refuse" => Err(ErrorCode::LoopDetected),
            path => text(404, format!("the app has no {path}\n")),
        }
    }
}

/// Gives the body back while it comes.
fn echo(request: Request) -> Result<Response, ErrorCode> {
    let (sent, received) = wit_future::new(|| Ok(()));
    let (mut input, _trailers) = Request::consume_body(request, received);
    drop(sent);
    respond(200, async move |mut body| {
        loop {
            let (read, chunk) = input.read(Vec::with_capacity(1 << 16)).await;
            if !body.write_all(chunk).await.is_empty() || matches!(read, StreamResult::Dropped) {
                break;
            }
        }
    })
}

/// A line each twentieth of a second, as many as the query says.
fn count(target: &str) -> Result<Response, ErrorCode> {
    let lines = target.split_once('?').and_then(|(_, n)| n.parse().ok()).unwrap_or(20);
    respond(200, async move |mut body| {
        for n in 1..=lines {
            if !body.write_all(format!("{n}\n").into_bytes()).await.is_empty() {
                break;
            }
            wait_for(Duration::from_millis(50).as_nanos() as u64).await;
        }
    })
}

fn text(status: u16, text: String) -> Result<Response, ErrorCode> {
    respond(status, async move |mut body| {
        body.write_all(text.into_bytes()).await;
    })
}

fn respond<W>(
    status: u16,
    write: impl FnOnce(wit_bindgen::StreamWriter<u8>) -> W,
) -> Result<Response, ErrorCode>
where
    W: Future<Output = ()> + 'static,
{
    let headers = Fields::new();
    let set = headers.set("content-type", &[b"text/plain; charset=utf-8".to_vec()]);
    set.map_err(|e| ErrorCode::InternalError(Some(e.to_string())))?;
    let (sender, body) = wit_stream::new();
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _sent) = Response::new(headers, Some(body), no_trailers);
    let chosen = response.set_status_code(status);
    chosen.map_err(|()| ErrorCode::InternalError(Some("no such status".into())))?;
    wit_bindgen::spawn_local(write(sender));
    Ok(response)
}
