//! One budget of memory for the whole host: [`MemoryBudget`], and what one holder has of it, a [`Charge`].
//!
//! Whatever a caller, a guest or a file makes the host hold is charged as it grows: bodies, decoded
//! values, memories of guests, results, replies until they are written. A charge gives back what it
//! holds when it is dropped. It knows neither HTTP nor wasm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use tokio::sync::Notify;

use crate::codec::pickle;
use crate::error::{CallError, ErrorKind};

/// How long a holder waits for room before it is refused.
pub const ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// A charge grows by at least so much, so that small steps do not touch the shared counter.
const BLOCK: usize = 64 << 10;

/// A holder of no more than this is small, and may draw on what is kept back from large ones: when large
/// uploads or calls have used up the rest, ordinary calls are still answered.
const SMALL: usize = 4 << 20;

/// The memory that everything which is charged may take together.
#[derive(Debug, Clone)]
pub struct MemoryBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: usize,
    used: AtomicUsize,
    /// How many wait for room, so that giving back costs nothing while nobody does.
    waiting: AtomicUsize,
    freed: Notify,
}

/// What a charge is for, which says how much of the budget it may draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A request that is arriving, or is being decoded: up to a half of the budget, to three quarters
    /// for small ones. Uploads alone cannot keep running calls from what they need.
    Request,
    /// A guest, a result, a reply: up to three quarters of the budget, to all of it for small ones.
    Work,
}

/// There is no room for what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoRoom {
    message: String,
    /// Whether it would not fit even if nobody else held anything.
    pub is_hopeless: bool,
}

impl From<NoRoom> for CallError {
    fn from(error: NoRoom) -> Self {
        if error.is_hopeless {
            Self::new(ErrorKind::TooLarge, error.message)
        } else {
            Self::new(ErrorKind::Overloaded, error.message).retry_after(1)
        }
    }
}

impl MemoryBudget {
    /// A budget of `total` bytes.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self(Arc::new(Shared {
            total,
            used: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
        }))
    }

    /// A budget that is never used up, for work on the operator's own files and in tests.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(usize::MAX)
    }

    /// All of it, in bytes.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total
    }

    /// Bytes that are charged at the moment.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// A charge that holds nothing yet.
    #[must_use]
    pub fn charge(&self, purpose: Purpose) -> Charge {
        Charge { budget: self.clone(), purpose, held: 0, spent: 0, refused: 0 }
    }

    /// How far the budget may be used for a holder that then has `held` bytes.
    fn ceiling(&self, purpose: Purpose, held: usize) -> usize {
        let quarter = self.0.total / 4;
        let kept_back = match (purpose, held <= SMALL) {
            (Purpose::Request, false) => 2 * quarter,
            (Purpose::Request, true) | (Purpose::Work, false) => quarter,
            (Purpose::Work, true) => 0,
        };
        self.0.total - kept_back
    }

    fn give_back(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.0.used.fetch_sub(bytes, Ordering::SeqCst);
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            self.0.freed.notify_waiters();
        }
    }
}

/// What one holder has of the budget; given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: MemoryBudget,
    purpose: Purpose,
    /// Bytes that the budget counts as ours.
    held: usize,
    /// Bytes of them that are in use.
    spent: usize,
    /// Bytes that were missing when there was last no room.
    refused: usize,
}

impl Charge {
    /// A charge that is never refused.
    #[must_use]
    pub fn unlimited() -> Self {
        MemoryBudget::unlimited().charge(Purpose::Work)
    }

    /// Bytes in use.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.spent
    }

    /// Takes `bytes` more, before they are allocated.
    ///
    /// # Errors
    ///
    /// Where there is no room for them at this moment.
    #[inline]
    pub fn take(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let spent = self.spent.saturating_add(bytes);
        if spent > self.held {
            self.grow(spent)?;
        }
        self.spent = spent;
        Ok(())
    }

    fn grow(&mut self, spent: usize) -> Result<(), NoRoom> {
        let wanted = spent.checked_next_multiple_of(BLOCK).unwrap_or(spent);
        let more = wanted - self.held;
        let ceiling = self.budget.ceiling(self.purpose, wanted);
        let fits = |used: usize| used.checked_add(more).filter(|used| *used <= ceiling);
        let taken = self.budget.0.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits);
        if taken.is_err() {
            self.refused = spent - self.spent;
            return Err(self.no_room(wanted, ceiling));
        }
        self.held = wanted;
        Ok(())
    }

    #[cold]
    fn no_room(&self, wanted: usize, ceiling: usize) -> NoRoom {
        let iec = |bytes: usize| ByteSize(bytes as u64).display().iec().to_string();
        let total = iec(self.budget.0.total);
        let is_hopeless = wanted > ceiling;
        let message = if is_hopeless {
            format!(
                "this needs {} of the host's memory, of which one request or call gets {} at the most; ask for less, or raise `memory` of [server], which is {total}",
                iec(wanted),
                iec(ceiling)
            )
        } else {
            format!(
                "the host has no room for it at the moment: calls, jobs, requests and replies take all of its {total} of memory; try again later, or raise `memory` of [server]"
            )
        };
        NoRoom { message, is_hopeless }
    }

    /// Takes `bytes` more as soon as there is room for them, within [`ROOM_TIMEOUT`].
    ///
    /// # Errors
    ///
    /// Where there was no room.
    pub async fn take_soon(&mut self, bytes: usize) -> Result<(), NoRoom> {
        match self.take(bytes) {
            Err(error) if !error.is_hopeless => self.wait(bytes).await,
            taken => taken,
        }
    }

    #[cold]
    async fn wait(&mut self, bytes: usize) -> Result<(), NoRoom> {
        struct Waiting(MemoryBudget);
        impl Drop for Waiting {
            fn drop(&mut self) {
                self.0.0.waiting.fetch_sub(1, Ordering::SeqCst);
            }
        }
        let budget = self.budget.clone();
        budget.0.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(budget.clone());
        let deadline = tokio::time::Instant::now() + ROOM_TIMEOUT;
        loop {
            let mut freed = std::pin::pin!(budget.0.freed.notified());
            // From here on no room that is given back goes unnoticed.
            freed.as_mut().enable();
            let refused = match self.take(bytes) {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            if tokio::time::timeout_at(deadline, freed).await.is_err() {
                return Err(refused);
            }
        }
    }

    /// After a refusal in work that can be begun again: waits until there is as much room as that work
    /// was refused at, and sets what is in use back to `spent`, keeping the room.
    ///
    /// # Errors
    ///
    /// Where there was no room.
    pub async fn wait_to_begin_again(&mut self, spent: usize) -> Result<(), NoRoom> {
        self.take_soon(self.refused).await?;
        self.spent = spent;
        Ok(())
    }

    /// A quarter of the budget, which leaves most of it to others.
    #[must_use]
    pub fn share(&self) -> usize {
        self.budget.total() / 4
    }

    /// Counts `bytes` as in use that are taken together with what is taken next, so that they do not touch
    /// the shared counter by themselves.
    pub fn expect(&mut self, bytes: usize) {
        self.spent = self.spent.saturating_add(bytes);
    }

    /// Has exactly `bytes` in use, whether there is room or not: for what is measured, and is bounded by
    /// other means.
    pub fn follow(&mut self, bytes: usize) {
        match bytes.checked_sub(self.spent) {
            Some(more) => self.force(more),
            None => self.shrink_to(bytes),
        }
    }

    /// Takes `bytes` more, whether there is room or not: for what must not fail, and is bounded by
    /// other means.
    pub fn force(&mut self, bytes: usize) {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > self.held {
            self.budget.0.used.fetch_add(self.spent - self.held, Ordering::SeqCst);
            self.held = self.spent;
        }
    }

    /// Waits for room for `bytes` more, and has them ready for [`Self::take`].
    ///
    /// # Errors
    ///
    /// Where there was no room.
    pub async fn reserve_soon(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let spent = self.spent;
        self.take_soon(bytes).await?;
        self.spent = spent;
        Ok(())
    }

    /// What there was no room for when something was last refused.
    #[must_use]
    pub fn refusal(&self) -> NoRoom {
        let wanted = self.spent.saturating_add(self.refused);
        self.no_room(wanted, self.budget.ceiling(self.purpose, wanted))
    }

    /// Holds the room of `bytes` for as long as anybody has a part of them.
    #[must_use]
    pub fn hold(self, bytes: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        if self.held == 0 {
            return Bytes::from_owner(bytes);
        }
        Bytes::from_owner(Held { bytes, _charge: self })
    }

    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.spent = self.spent.min(bytes);
        let kept = self.spent.checked_next_multiple_of(BLOCK).unwrap_or(self.spent).min(self.held);
        self.budget.give_back(self.held - kept);
        self.held = kept;
    }
}

/// Bytes that keep their room until the last who has a part of them lets go: a reply is charged until
/// its connection has written it.
struct Held<T> {
    bytes: T,
    _charge: Charge,
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Held<T> {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_ref()
    }
}

impl pickle::Room for Charge {
    fn take(&mut self, bytes: usize) -> bool {
        Self::take(self, bytes).is_ok()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.give_back(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn what_is_charged_is_given_back() {
        let budget = MemoryBudget::new(64 * MIB);
        let mut charge = budget.charge(Purpose::Work);
        charge.take(1).unwrap();
        assert_eq!(budget.used(), BLOCK, "a block at a time");
        charge.take(8 * MIB).unwrap();
        charge.shrink_to(MIB);
        assert_eq!(budget.used(), MIB);
        drop(charge);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn large_holders_leave_room_for_small_ones() {
        let budget = MemoryBudget::new(64 * MIB);
        let mut uploads = budget.charge(Purpose::Request);
        uploads.take(32 * MIB).unwrap();
        assert!(!budget.charge(Purpose::Request).take(8 * MIB).unwrap_err().is_hopeless);
        let mut small = budget.charge(Purpose::Request);
        small.take(MIB).unwrap();
        let mut work = budget.charge(Purpose::Work);
        work.take(15 * MIB).unwrap();
        assert!(work.take(2 * MIB).is_err());
        assert!(budget.charge(Purpose::Request).take(MIB).is_err());
        budget.charge(Purpose::Work).take(MIB).unwrap();
    }

    #[test]
    fn what_can_never_fit_is_too_large_and_what_may_fit_later_is_not() {
        let budget = MemoryBudget::new(64 * MIB);
        let kind = |bytes| {
            let refusal = budget.charge(Purpose::Work).take(bytes).unwrap_err();
            CallError::from(refusal).kind
        };
        assert_eq!(kind(49 * MIB), ErrorKind::TooLarge);
        let mut other = budget.charge(Purpose::Work);
        other.take(40 * MIB).unwrap();
        assert_eq!(kind(40 * MIB), ErrorKind::Overloaded);
        assert_eq!(kind(usize::MAX), ErrorKind::TooLarge);
    }

    #[tokio::test]
    async fn a_holder_waits_a_moment_for_room() {
        let budget = MemoryBudget::new(64 * MIB);
        let mut other = budget.charge(Purpose::Work);
        other.take(48 * MIB).unwrap();
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move {
                let mut charge = budget.charge(Purpose::Work);
                charge.take_soon(8 * MIB).await.map(|()| charge)
            }
        });
        tokio::time::sleep(ROOM_TIMEOUT / 2).await;
        drop(other);
        let charge = waiting.await.unwrap().unwrap();
        assert_eq!(budget.used(), 8 * MIB);
        let mut rest = budget.charge(Purpose::Work);
        rest.take(40 * MIB).unwrap();
        assert!(budget.charge(Purpose::Work).take_soon(8 * MIB).await.is_err());
        drop((charge, rest));
        assert_eq!(budget.0.waiting.load(Ordering::SeqCst), 0);
    }
}
