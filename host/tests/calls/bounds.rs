//! A guest that talks as fast as it can pays for it and keeps nobody waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tarp_host::config::Limits;
use tarp_host::error::ErrorKind;
use tarp_host::sandbox::{Level, Observer, Progress, Streams};
use tarp_host::value::Value;

use crate::host::Host;

/// Keeps nothing but how often it was called and how long the longest text was.
#[derive(Default)]
struct Counter {
    progress: AtomicU64,
    log: AtomicU64,
    longest: AtomicUsize,
}

impl Observer for Counter {
    fn started(&self, _: &Streams) {}

    fn progress(&self, _: Progress) {
        self.progress.fetch_add(1, Ordering::Relaxed);
    }

    fn log(&self, _: Level, message: String) {
        self.log.fetch_add(1, Ordering::Relaxed);
        self.longest.fetch_max(message.capacity(), Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    fn fuel(&self, _: u64) {}
}

#[tokio::test]
async fn a_flood_pays_for_each_call_and_lets_others_run() {
    let host = Host::start().await;
    let counter = Arc::new(Counter::default());
    let turns = Arc::new(AtomicU64::new(0));
    let other = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let outcome =
        host.call("flood_job", &[Value::Int(20_000), Value::Int(100)], Some(counter.clone())).await;
    other.abort();
    outcome.result.unwrap();
    assert_eq!(counter.progress.load(Ordering::Relaxed), 20_000);
    assert_eq!(counter.log.load(Ordering::Relaxed), 20_000);
    let fuel = outcome.receipt.fuel;
    assert!(fuel > 2 * 20_000 * 1100, "{fuel}");
    // On this runtime of one thread, the other has a turn only when the guest yields.
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= fuel / 2_000_000, "{turns} turns in {fuel} units of fuel");
}

#[tokio::test]
async fn long_texts_cost_their_length_and_are_not_copied_whole() {
    const LENGTH: i64 = 4 << 20;
    let host = Host::start().await;
    let counter = Arc::new(Counter::default());
    let outcome =
        host.call("flood_job", &[Value::Int(20), Value::Int(LENGTH)], Some(counter.clone())).await;
    outcome.result.unwrap();
    assert!(outcome.receipt.fuel > 40 * LENGTH as u64, "{}", outcome.receipt.fuel);
    let longest = counter.longest.load(Ordering::Relaxed);
    assert!((8192..8300).contains(&longest), "{longest}");
}

#[tokio::test]
async fn a_flood_without_end_ends_with_its_fuel() {
    let host = Host::with(Limits { fuel: 50_000_000, ..Limits::default() }).await;
    let arguments = [Value::Int(i64::MAX), Value::Int(10)];
    let outcome = host.call("flood_job", &arguments, Some(Arc::<Counter>::default())).await;
    assert_eq!(outcome.result.unwrap_err().kind, ErrorKind::OutOfFuel);
    assert_eq!(outcome.receipt.fuel, 50_000_000);
}
