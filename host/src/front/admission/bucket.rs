//! How much of something a caller has left: a [`Bucket`] that fills evenly, as far as its [`Quota`] says.
//!
//! It is one number, the moment at which the bucket is full again (the generic cell rate algorithm), so that
//! taking from it neither waits nor locks, and a bucket that is full again need not be remembered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::auth::Rate;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    rate: Rate,
    size: u64,
}

impl Quota {
    /// Of a bucket that holds so much, or as much as comes in one period.
    pub(super) fn new(rate: Rate, size: Option<u64>) -> Self {
        Self { rate, size: size.unwrap_or_else(|| rate.amount()) }
    }

    /// How much a full bucket holds.
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// How long it takes until so much has come, in nanoseconds.
    fn time_for(self, amount: u64) -> u64 {
        let nanos = u128::from(amount) * self.rate.period().as_nanos();
        u64::try_from(nanos / u128::from(self.rate.amount())).unwrap_or(u64::MAX)
    }
}

/// What one caller has left. Moments are nanoseconds since any moment that is the same for all uses.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes one, if there is one.
    ///
    /// # Errors
    ///
    /// How long it takes until there is.
    pub(super) fn take(&self, quota: Quota, now: u64) -> Result<(), Duration> {
        let latest = now.saturating_add(quota.time_for(quota.size));
        let after = |full_at: u64| full_at.max(now).saturating_add(quota.time_for(1));
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(after(full_at)).filter(|after| *after <= latest)
        });
        taken.map(drop).map_err(|full_at| Duration::from_nanos(after(full_at) - latest))
    }

    /// Lets through while anything is left.
    ///
    /// # Errors
    ///
    /// How long it takes until there is.
    pub(super) fn check(&self, quota: Quota, now: u64) -> Result<(), Duration> {
        let empty_at = now.saturating_add(quota.time_for(quota.size));
        match self.full_at.load(Ordering::Relaxed).checked_sub(empty_at) {
            None => Ok(()),
            Some(short) => Err(Duration::from_nanos(short.saturating_add(1))),
        }
    }

    /// Takes so much whether it is there or not: what is missing has to come before there is any again.
    pub(super) fn charge(&self, quota: Quota, amount: u64, now: u64) {
        let cost = quota.time_for(amount);
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(full_at.max(now).saturating_add(cost))
        });
    }

    /// Whether nothing is missing.
    pub(super) fn is_full(&self, now: u64) -> bool {
        self.full_at.load(Ordering::Relaxed) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{ByteRate, CallRate};

    const SECOND: u64 = 1_000_000_000;

    fn calls(rate: &str, burst: Option<u64>) -> Quota {
        Quota::new(rate.parse::<CallRate>().unwrap().0, burst)
    }

    #[test]
    fn as_many_as_it_holds_are_let_through_and_then_as_many_as_come() {
        let (bucket, quota) = (Bucket::default(), calls("10/s", Some(3)));
        let mut now = 5 * SECOND;
        for _ in 0..3 {
            assert_eq!(bucket.take(quota, now), Ok(()));
        }
        assert_eq!(bucket.take(quota, now), Err(Duration::from_millis(100)));
        now += SECOND / 20;
        assert_eq!(bucket.take(quota, now), Err(Duration::from_millis(50)));
        now += SECOND / 20;
        assert_eq!(bucket.take(quota, now), Ok(()));
        assert!(bucket.take(quota, now).is_err(), "one came, no more");
        assert!(!bucket.is_full(now));
        now += 10 * SECOND;
        assert!(bucket.is_full(now));
        assert_eq!((0..10).filter(|_| bucket.take(quota, now).is_ok()).count(), 3);
    }

    #[test]
    fn without_a_size_it_holds_what_comes_in_a_period() {
        let (bucket, quota) = (Bucket::default(), calls("600/min", None));
        assert_eq!((0..1000).filter(|_| bucket.take(quota, 0).is_ok()).count(), 600);
        assert_eq!((0..1000).filter(|_| bucket.take(quota, SECOND).is_ok()).count(), 10);
    }

    #[test]
    fn over_a_long_time_the_rate_is_kept_whatever_the_pattern() {
        let (bucket, quota) = (Bucket::default(), calls("7/s", Some(2)));
        let asked = (0..10_000u64).map(|i| i * i % 97 * SECOND / 1000 + i * SECOND / 100);
        let mut moments: Vec<_> = asked.collect();
        moments.sort_unstable();
        let taken = moments.iter().filter(|now| bucket.take(quota, **now).is_ok()).count() as u64;
        assert!((695..=703).contains(&taken), "{taken} in 100 s");
    }

    #[test]
    fn what_was_used_beyond_is_made_up_for() {
        let quota = Quota::new("1 MiB/s".parse::<ByteRate>().unwrap().0, None);
        let bucket = Bucket::default();
        let now = SECOND;
        assert_eq!(bucket.check(quota, now), Ok(()));
        bucket.charge(quota, (1 << 20) - 1, now);
        assert_eq!(bucket.check(quota, now), Ok(()), "a byte is left");
        bucket.charge(quota, 3 << 20, now);
        let wait = bucket.check(quota, now).unwrap_err();
        assert!((2_999..=3_001).contains(&wait.as_millis()), "{wait:?}");
        assert!(bucket.check(quota, now + 2 * SECOND).is_err());
        assert_eq!(bucket.check(quota, now + 3 * SECOND + 1), Ok(()));
        // The largest amounts and the slowest rates end nowhere else than at the end of time.
        let slow = Quota::new("1 B/d".parse::<ByteRate>().unwrap().0, None);
        bucket.charge(slow, u64::MAX, now);
        assert!(bucket.check(slow, now).is_err() && bucket.take(slow, u64::MAX).is_ok());
    }
}
