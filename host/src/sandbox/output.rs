//! A guest's standard output or error, captured within bounds.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing::debug;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::debt::{Debt, MAX_WRITE};
use crate::error::Output;

/// The target of the log's entries about what procedures print: with `procedure`, `stdout` and `stderr`.
pub const PRINTED: &str = "tarp::printed";

/// Both output streams of one call, which can be read while it runs.
#[derive(Clone)]
pub struct Streams {
    pub(super) stdout: Capture,
    pub(super) stderr: Capture,
}

impl Streams {
    /// Keeps at most `limit` bytes of each.
    pub(super) fn new(limit: usize, debt: &Debt) -> Self {
        Self { stdout: Capture::new(limit, debt), stderr: Capture::new(limit, debt) }
    }

    /// What was written so far, cut as it is at the end.
    pub fn text(&self) -> Output {
        Output { stdout: self.stdout.text(), stderr: self.stderr.text() }
    }

    /// What the procedure of this name wrote, when it has ended. The host's log is told of it as [`PRINTED`].
    pub(super) fn ended(&self, name: &str) -> Output {
        let output = self.text();
        if output != Output::default() {
            let Output { stdout, stderr } = &output;
            debug!(target: PRINTED, procedure = name, stdout = &**stdout, stderr = &**stderr);
        }
        output
    }
}

/// Keeps the beginning and the end of what is written, and counts what lies between: the first lines
/// say what a program was doing, the last ones why it stopped.
#[derive(Clone)]
pub(super) struct Capture {
    captured: Arc<Mutex<Captured>>,
    /// A byte costs the guest a unit of fuel.
    debt: Debt,
}

struct Captured {
    /// The most that `head` and `tail` may hold, each.
    half: usize,
    head: Vec<u8>,
    /// The newest bytes after `head`; up to twice `half`, so that it is cut seldom.
    tail: Vec<u8>,
    left_out: u64,
}

impl Capture {
    /// Keeps at most `limit` bytes.
    pub(super) fn new(limit: usize, debt: &Debt) -> Self {
        let half = limit / 2;
        let captured = Captured { half, head: Vec::new(), tail: Vec::new(), left_out: 0 };
        Self { captured: Arc::new(Mutex::new(captured)), debt: debt.clone() }
    }

    fn push(&self, bytes: &[u8]) {
        self.debt.add(bytes.len() as u64);
        let mut captured = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        let room = captured.half.saturating_sub(captured.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        captured.head.extend_from_slice(first);
        // What the next cut would drop anyway is never copied.
        let skipped = rest.len().saturating_sub(captured.half);
        captured.left_out += skipped as u64;
        captured.tail.extend_from_slice(&rest[skipped..]);
        if captured.tail.len() > 2 * captured.half {
            captured.cut();
        }
    }

    /// All that was kept, as text, with a mark where something was left out.
    pub(super) fn text(&self) -> String {
        let mut captured = self.captured.lock().unwrap_or_else(PoisonError::into_inner);
        captured.cut();
        let head = String::from_utf8_lossy(&captured.head);
        let tail = String::from_utf8_lossy(&captured.tail);
        match captured.left_out {
            0 => format!("{head}{tail}"),
            n => format!("{head}\n[... {n} bytes left out ...]\n{tail}"),
        }
    }
}

impl Captured {
    fn cut(&mut self) {
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.left_out += excess as u64;
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Capture {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_WRITE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_kept_whole() {
        let capture = Capture::new(16, &Debt::default());
        capture.push(b"hello ");
        capture.push(b"world");
        assert_eq!(capture.text(), "hello world");
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end_in_bounded_memory() {
        let capture = Capture::new(8, &Debt::default());
        for i in 0..100_000 {
            capture.push(format!("{i:05}").as_bytes());
        }
        assert_eq!(capture.text(), "0000\n[... 499992 bytes left out ...]\n9999");
        assert!(capture.captured.lock().unwrap().tail.capacity() < 64);
    }
}
