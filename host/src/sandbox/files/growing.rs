//! Writing to a file within the quota of its folder.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::error::format_err;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use super::super::debt::{Debt, MAX_WRITE};
use super::super::hints::Hints;
use super::open::OpenFile;
use crate::budget::Charge;

/// Where bytes go.
#[derive(Clone, Copy)]
pub(in crate::sandbox) enum Position {
    At(u64),
    End,
}

/// Writes all bytes, and gives where they end; or nothing, where the quota has no room for them.
pub(in crate::sandbox) async fn write(
    file: Arc<File>,
    open: Arc<OpenFile>,
    position: Position,
    bytes: Bytes,
    hints: Hints,
) -> io::Result<u64> {
    let Some(mut change) = open.folder.change(&hints).await? else {
        return Err(io::ErrorKind::PermissionDenied.into());
    };
    let write = move || {
        let before = file.metadata()?.len();
        let start = match position {
            Position::At(start) => start,
            Position::End => before,
        };
        let end = start.checked_add(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        if !bytes.is_empty() {
            change.require(end.saturating_sub(before))?;
        }
        let written = file.write_all_at(&bytes, start);
        change.resized(open.inode, before, file.metadata()?.len());
        change.settle();
        written.map(|()| end)
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

/// A file that a guest writes to through a stream.
pub(in crate::sandbox) struct GrowingFile {
    file: Arc<File>,
    open: Arc<OpenFile>,
    position: Position,
    state: State,
    debt: Debt,
    hints: Hints,
    /// For what is being written.
    _charge: Charge,
}

enum State {
    Ready,
    Writing(AbortOnDropJoinHandle<io::Result<u64>>),
    Failed(io::Error),
    Closed,
}

impl GrowingFile {
    pub(in crate::sandbox) fn new(
        file: Arc<File>,
        open: Arc<OpenFile>,
        position: Position,
        (debt, hints): (Debt, Hints),
        charge: Charge,
    ) -> Self {
        Self { file, open, position, state: State::Ready, debt, hints, _charge: charge }
    }

    /// How the last write ended, where it has ended.
    fn outcome(&mut self) -> StreamResult<()> {
        match &self.state {
            State::Closed => return Err(StreamError::Closed),
            State::Ready | State::Writing(_) => return Ok(()),
            State::Failed(_) => {}
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Failed(error) => Err(StreamError::LastOperationFailed(error.into())),
            _ => Ok(()),
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GrowingFile {
    async fn ready(&mut self) {
        if let State::Writing(writing) = &mut self.state {
            self.state = match writing.await {
                Ok(end) => {
                    if let Position::At(position) = &mut self.position {
                        *position = end;
                    }
                    State::Ready
                }
                Err(error) => State::Failed(error),
            };
        }
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for GrowingFile {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        match &self.state {
            State::Ready if bytes.len() <= MAX_WRITE => {}
            State::Closed => return Err(StreamError::Closed),
            _ => return Err(StreamError::Trap(format_err!("more is written than was asked for"))),
        }
        self.debt.add(bytes.len() as u64);
        let (file, open) = (Arc::clone(&self.file), Arc::clone(&self.open));
        let hints = self.hints.clone();
        self.state = State::Writing(spawn(write(file, open, self.position, bytes, hints)));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.outcome()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.outcome()?;
        Ok(if matches!(self.state, State::Ready) { MAX_WRITE } else { 0 })
    }

    async fn cancel(&mut self) {
        if let State::Writing(writing) = std::mem::replace(&mut self.state, State::Closed) {
            writing.cancel().await;
        }
    }
}
