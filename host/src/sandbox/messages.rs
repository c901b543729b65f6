//! What a guest that speaks `wasi:http` may hold.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use wasmtime_wasi_http::Error;

/// Bytes of the header fields of one message.
pub(super) const MAX_FIELDS: usize = 32 << 10;

/// Handles of resources that a guest may have at once. Fewer than elsewhere, since each may stand for
/// a message with its fields.
pub(super) const MAX_RESOURCES: usize = 1_000;

/// The body of a message that comes from a guest or goes to one.
pub(super) type GuestBody = UnsyncBoxBody<Bytes, Error>;
