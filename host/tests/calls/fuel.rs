//! Fuel used so far: true at any time, and never behind by much.

use tarp_host::value::Value;

use crate::host::Host;
use crate::recorder::Recorder;

/// What is used between two yields, and what a host call or two may cost on top.
const BEHIND: u64 = 1_010_000;

async fn watch(name: &str, argument: i64) -> (Vec<u64>, u64) {
    let host = Host::start().await;
    let (recorder, observer) = Recorder::new();
    let outcome = host.call(name, &[Value::Int(argument)], observer).await;
    outcome.result.unwrap();
    let reported = recorder.fuel.lock().unwrap().clone();
    assert!(reported.is_sorted(), "{reported:?}");
    (reported, outcome.receipt.fuel)
}

#[tokio::test]
async fn a_guest_that_only_computes_is_followed_closely() {
    let (reported, total) = watch("burn", 4_000_000).await;
    assert!(total > 20_000_000, "{total}");
    assert!(reported.windows(2).all(|pair| pair[1] - pair[0] <= BEHIND), "{reported:?}");
    let last = *reported.last().unwrap();
    assert!(last <= total && total - last <= BEHIND, "{last} of {total}");
}

#[tokio::test]
async fn turns_that_a_guest_yields_of_its_own_accord_are_not_counted_as_fuel() {
    let (reported, total) = watch("step_aside", 1000).await;
    let last = *reported.last().unwrap();
    assert!(last <= total && total < 1_000_000, "{last} of {total}");
}
