//! A small web application on plain `wasi:http` 0.2, as `wasmtime serve` runs it: it knows nothing of
//! TARP, which mounts it at `/app/`.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest,
    OutgoingResponse, ResponseOutparam, Scheme,
};
use wasip2::io::streams::{OutputStream, StreamError};

struct App;

wasip2::http::proxy::export!(App);

impl wasip2::exports::http::incoming_handler::Guest for App {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        match path {
            "/" => page(out),
            "/about" => text(out, 200, &about(&request, &target)),
            "/echo" => echo(&request, out),
            "/count" => count(&target, out),
            "/fetch" => text(out, 200, &fetch()),
            "/loop" => loop {
                std::hint::black_box(());
            },
            "/panic" => panic!("the page of panic"),
            "/break" => break_off(out),
            "/silent" => {}
            "/hoard" => text(out, 200, &hoard(&target)),
            "/refuse" => ResponseOutparam::set(out, Err(ErrorCode::LoopDetected)),
            _ => text(out, 404, &format!("the app has no {path}\n")),
        }
    }
}

fn page(out: ResponseOutparam) {
    respond(out, 200, "text/html; charset=utf-8", |body| {
        let page = "<!doctype html><title>app</title><p>Hello from <a href=about>the app</a>.\n";
        send(body, page.as_bytes())
    });
}

/// Holds as many requests as it gets, each with a method of so many letters, and says how many.
fn hoard(target: &str) -> String {
    let letters = target.rsplit('=').next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let method = Method::Other("X".repeat(letters));
    let mut requests = Vec::new();
    for _ in 0..1_000_000 {
        let request = OutgoingRequest::new(Fields::new());
        if request.set_method(&method).is_err() {
            break;
        }
        requests.push(request);
    }
    format!("{} requests\n", requests.len())
}

/// What the app knows of a request.
fn about(request: &IncomingRequest, target: &str) -> String {
    let headers = request.headers().entries();
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    let prefix = request.headers().get("x-forwarded-prefix");
    let prefix = prefix.first().map(|prefix| String::from_utf8_lossy(prefix).into_owned());
    format!(
        "method: {:?}\nscheme: {:?}\nauthority: {}\ntarget: {target}\nprefix: {}\nheaders: {}\n",
        request.method(),
        request.scheme(),
        request.authority().unwrap_or_default(),
        prefix.unwrap_or_default(),
        names.join(" "),
    )
}

/// Gives the body back while it comes.
fn echo(request: &IncomingRequest, out: ResponseOutparam) {
    let content_type = request.headers().get("content-type");
    let content_type = content_type.first().map(|t| String::from_utf8_lossy(t).into_owned());
    let Ok(body) = request.consume() else { return };
    let Ok(input) = body.stream() else { return };
    respond(out, 200, &content_type.unwrap_or_default(), |out| {
        loop {
            match input.blocking_read(1 << 16) {
                Ok(chunk) => send(out, &chunk)?,
                Err(StreamError::Closed) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    });
    drop(input);
    IncomingBody::finish(body);
}

/// A line each twentieth of a second, as many as the query says.
fn count(target: &str, out: ResponseOutparam) {
    let lines = target.split_once('?').and_then(|(_, n)| n.parse().ok()).unwrap_or(20);
    respond(out, 200, "text/plain", |body| {
        for n in 1..=lines {
            send(body, format!("{n}\n").as_bytes())?;
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Ok(())
    });
}

/// Fails when its response has begun.
fn break_off(out: ResponseOutparam) {
    respond(out, 200, "text/plain", |body| {
        send(body, b"the beginning\n")?;
        panic!("after the beginning")
    });
}

/// Asks another server for something.
fn fetch() -> String {
    let request = OutgoingRequest::new(Fields::new());
    let asked = request
        .set_method(&Method::Get)
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(Some("127.0.0.1:9")))
        .and_then(|()| request.set_path_with_query(Some("/")));
    if asked.is_err() {
        return "no request\n".into();
    }
    match outgoing_handler::handle(request, None) {
        Err(code) => format!("refused: {code:?}\n"),
        Ok(response) => {
            response.subscribe().block();
            match response.get() {
                Some(Ok(Ok(_))) => "answered\n".into(),
                Some(Ok(Err(code))) => format!("refused: {code:?}\n"),
                _ => "no response\n".into(),
            }
        }
    }
}

fn text(out: ResponseOutparam, status: u16, text: &str) {
    respond(out, status, "text/plain; charset=utf-8", |body| send(body, text.as_bytes()));
}

fn respond(
    out: ResponseOutparam,
    status: u16,
    content_type: &str,
    write: impl FnOnce(&OutputStream) -> Result<(), StreamError>,
) {
    let headers = Fields::new();
    let set = headers.set("content-type", &[content_type.as_bytes().to_vec()]);
    let response = OutgoingResponse::new(headers);
    let (Ok(()), Ok(()), Ok(body)) = (set, response.set_status_code(status), response.body())
    else {
        return ResponseOutparam::set(out, Err(ErrorCode::InternalError(None)));
    };
    ResponseOutparam::set(out, Ok(response));
    let written = body.write().map_or(Err(StreamError::Closed), |stream| write(&stream));
    if let Err(e) = written {
        eprintln!("the body broke off: {e}");
    } else if let Err(code) = OutgoingBody::finish(body, None) {
        eprintln!("the body was not finished: {code}");
    }
}

/// Sends all of it, as much at a time as the interface takes.
fn send(body: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    bytes.chunks(4096).try_for_each(|chunk| body.blocking_write_and_flush(chunk))
}
