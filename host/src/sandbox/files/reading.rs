//! Reading a file through a stream, which its guest pays for.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{DynInputStream, InputStream, Pollable, StreamResult};

use super::super::debt::Debt;
use super::open::OpenFile;
use crate::budget::Charge;

/// A stream of a file.
pub(in crate::sandbox) struct ReadFile {
    inner: DynInputStream,
    /// A byte costs a unit of fuel.
    debt: Debt,
    /// For what was read and not yet taken.
    _charge: Charge,
    _open: Arc<OpenFile>,
}

impl ReadFile {
    pub(in crate::sandbox) fn new(
        inner: DynInputStream,
        debt: Debt,
        charge: Charge,
        open: Arc<OpenFile>,
    ) -> Self {
        Self { inner, debt, _charge: charge, _open: open }
    }

    fn paid(&self, read: StreamResult<Bytes>) -> StreamResult<Bytes> {
        read.inspect(|bytes| self.debt.add(bytes.len() as u64))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for ReadFile {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for ReadFile {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.read(size);
        self.paid(read)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.blocking_read(size).await;
        self.paid(read)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
