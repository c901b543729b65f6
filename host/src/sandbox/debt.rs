//! What a guest may take of the host in one call, and owes for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::TryRng;

/// Bytes that a guest may hand over in one host call, such as a line for its log. What is larger traps.
pub(super) const MAX_TRANSFER: usize = 8 << 20;

/// Bytes that a guest may write to a stream at once.
pub(super) const MAX_WRITE: usize = 64 << 10;

/// Bytes of random data that a guest may ask for in one call.
pub(super) const MAX_RANDOM: u64 = 1 << 20;

/// Handles of resources, such as pollables, that a call may have at once.
pub(super) const MAX_RESOURCES: usize = 10_000;

/// Fuel that a guest owes for what the host did during a host call.
///
/// Whatever does work in proportion to what the guest asked for adds to it; the guest pays when it
/// goes on.
#[derive(Clone, Default)]
pub(super) struct Debt(Arc<AtomicU64>);

impl Debt {
    pub(super) fn add(&self, fuel: u64) {
        // What a guest sends is counted on another thread.
        let add = |debt: u64| Some(debt.saturating_add(fuel));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    pub(super) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// A source of random numbers that its guest pays for.
pub(super) struct Charged<R> {
    source: R,
    debt: Debt,
}

/// Fuel for a byte of the source; WASI draws four for each byte that the guest gets.
const FUEL_PER_RANDOM_BYTE: u64 = 4;

impl<R> Charged<R> {
    pub(super) fn new(source: R, debt: &Debt) -> Self {
        Self { source, debt: debt.clone() }
    }
}

impl<R: TryRng> TryRng for Charged<R> {
    type Error = R::Error;

    fn try_next_u32(&mut self) -> Result<u32, R::Error> {
        self.debt.add(4 * FUEL_PER_RANDOM_BYTE);
        self.source.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, R::Error> {
        self.debt.add(8 * FUEL_PER_RANDOM_BYTE);
        self.source.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), R::Error> {
        self.debt.add(FUEL_PER_RANDOM_BYTE.saturating_mul(bytes.len() as u64));
        self.source.try_fill_bytes(bytes)
    }
}
