//! What a call took, as headers of its reply.

use std::time::Duration;

use http::{HeaderMap, HeaderName};

use crate::sandbox::Receipt;

const FUEL: HeaderName = HeaderName::from_static("x-tarp-fuel");
const PEAK_MEMORY: HeaderName = HeaderName::from_static("x-tarp-peak-memory");
const INSTANTIATE: HeaderName = HeaderName::from_static("x-tarp-instantiate-us");
const RUN: HeaderName = HeaderName::from_static("x-tarp-run-us");

/// The fuel that the receipt in these headers has, if there is one.
pub(in crate::front) fn fuel(headers: &HeaderMap) -> Option<u64> {
    headers.get(FUEL)?.to_str().ok()?.parse().ok()
}

/// The receipt, as headers.
pub(in crate::front) fn write_receipt(receipt: &Receipt, headers: &mut HeaderMap) {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    for (name, number) in [
        (FUEL, receipt.fuel),
        (PEAK_MEMORY, receipt.peak_memory as u64),
        (INSTANTIATE, micros(receipt.instantiate)),
        (RUN, micros(receipt.run)),
    ] {
        headers.insert(name, number.into());
    }
}
