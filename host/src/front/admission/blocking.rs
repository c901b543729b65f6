//! Work that takes long, off the way of other requests.

/// Reading or writing more bytes than this takes so long that other requests should not wait behind it.
pub(in crate::front) const LARGE: usize = 1 << 20;

/// Does work that takes long if `size` is large, without keeping other requests waiting.
pub(in crate::front) fn block_in_place_if_large<T>(size: usize, work: impl FnOnce() -> T) -> T {
    if size > LARGE { tokio::task::block_in_place(work) } else { work() }
}
