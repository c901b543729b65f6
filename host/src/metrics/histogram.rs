//! Counts how often which sizes occur: [`Histogram`], which any thread adds to without waiting, and
//! [`Counts`], what was in it at one moment.

use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets between a power of two and the next, so that a quantile is off by an eighth at the most.
const STEPS: usize = 4;

/// Up to 2^44: half a year in microseconds, 16 TiB, an hour's fuel.
const BUCKETS: usize = 43 * STEPS;

/// A histogram of whole numbers.
pub(super) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0) }
    }
}

impl Histogram {
    pub(super) fn record(&self, n: u64) {
        self.buckets[bucket(n)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(n, Ordering::Relaxed);
    }

    /// What is in it is in `counts` too.
    pub(super) fn add_to(&self, counts: &mut Counts) {
        for (count, bucket) in counts.buckets.iter_mut().zip(&self.buckets) {
            *count += bucket.load(Ordering::Relaxed);
        }
        counts.sum += self.sum.load(Ordering::Relaxed);
    }

    /// What is in `counts` is in it too.
    pub(super) fn absorb(&self, counts: &Counts) {
        for (bucket, count) in self.buckets.iter().zip(counts.buckets) {
            bucket.fetch_add(count, Ordering::Relaxed);
        }
        self.sum.fetch_add(counts.sum, Ordering::Relaxed);
    }

    #[cfg(test)]
    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.add_to(&mut counts);
        counts
    }
}

/// The bucket of a number: those of `(low(i), low(i + 1)]` are in bucket `i`, and 0 is in the first.
fn bucket(n: u64) -> usize {
    let n = n.saturating_sub(1);
    if n < STEPS as u64 {
        return n as usize;
    }
    let octave = n.ilog2() as usize;
    let step = (n >> (octave - 2)) as usize % STEPS;
    ((octave - 1) * STEPS + step).min(BUCKETS - 1)
}

/// What all numbers of a bucket are above, but for 0 in the first.
fn low(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    ((STEPS + bucket % STEPS) as u64) << (bucket / STEPS - 1)
}

/// What was in one histogram, or in several together.
#[derive(Clone)]
pub(super) struct Counts {
    buckets: [u64; BUCKETS],
    sum: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], sum: 0 }
    }
}

impl Counts {
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// What is in it is in `counts` too.
    pub(super) fn add_to(&self, counts: &mut Self) {
        for (sum, count) in counts.buckets.iter_mut().zip(self.buckets) {
            *sum += count;
        }
        counts.sum += self.sum;
    }

    /// What has come since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let mut since = self.clone();
        for (count, before) in since.buckets.iter_mut().zip(before.buckets) {
            *count = count.saturating_sub(before);
        }
        since.sum = since.sum.saturating_sub(before.sum);
        since
    }

    /// The number that the share `q` of all numbers does not exceed; `None` where there are none.
    pub(super) fn quantile(&self, q: f64) -> Option<u64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let mut before = 0;
        for (i, &here) in self.buckets.iter().enumerate() {
            if before + here >= rank {
                // As if those of a bucket were spread evenly.
                let share = (rank - before) as f64 / here as f64;
                let width = (low(i + 1) - low(i)) as f64;
                return Some(low(i) + (share * width).round() as u64);
            }
            before += here;
        }
        None
    }

    /// How many are in `(previous bound, bound]` for each of the bounds, which are powers of two, and
    /// how many are above the last.
    pub(super) fn within(&self, bounds: &[u64]) -> Vec<u64> {
        let mut counts = vec![0; bounds.len() + 1];
        for (i, count) in self.buckets.iter().enumerate() {
            counts[bounds.partition_point(|&bound| bound < low(i + 1))] += count;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_in_the_bucket_whose_bounds_are_around_it() {
        for exponent in 0..44 {
            for n in [1u64 << exponent, (1 << exponent) + 1, (1 << exponent) + (1 << exponent) / 3]
            {
                let i = bucket(n);
                assert!(low(i) < n && (n <= low(i + 1) || i == BUCKETS - 1), "{n} in {i}");
                assert!(low(i + 1) - low(i) <= (n / 4).max(1), "{n} in {i}");
            }
        }
        assert_eq!((bucket(0), bucket(1), bucket(u64::MAX)), (0, 0, BUCKETS - 1));
    }

    #[test]
    fn quantiles_are_off_by_an_eighth_at_the_most() {
        let histogram = Histogram::default();
        assert_eq!(histogram.counts().quantile(0.5), None);
        (1..=1000).for_each(|n| histogram.record(n));
        let counts = histogram.counts();
        assert_eq!((counts.count(), counts.sum()), (1000, 500_500));
        for (q, exact) in [(0.5, 500.0), (0.95, 950.0), (1.0, 1000.0), (0.0, 1.0)] {
            let got = counts.quantile(q).unwrap() as f64;
            assert!((got - exact).abs() <= exact / 8.0, "{q}: {got}");
        }
    }

    #[test]
    fn counts_are_divided_at_bounds_and_subtracted() {
        let histogram = Histogram::default();
        [1, 16, 17, 64, 65].into_iter().for_each(|n| histogram.record(n));
        let before = histogram.counts();
        assert_eq!(before.within(&[16, 64]), [2, 2, 1]);
        histogram.record(64);
        let since = histogram.counts().since(&before);
        assert_eq!((since.count(), since.sum(), since.within(&[64])), (1, 64, vec![1, 0]));
    }
}
