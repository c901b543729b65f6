//! The test component `jobs`: procedures for trying out jobs.
//!
//! What they have to say goes through [`tarp_guest::job`]; none of them knows whether anybody
//! listens.

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/jobs.wit` and the package `tarp:procedure`.
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "demo:jobs/jobs",
        with: { "tarp:procedure/failures@0.1.0": tarp_guest::failures },
    });
    export!(Jobs with_types_in self);
    use super::Jobs;
}

use std::thread::sleep;
use std::time::Duration;

use bindings::{Failure, Guest};
use tarp_guest::job::{self, Level};
use wit_bindgen::yield_async;

tarp_guest::embed_wit!("wit/jobs.wit");

struct Jobs;

impl Guest for Jobs {
    fn count_to(n: u64, pause_ms: u32) -> u64 {
        job::log(Level::Info, &format!("counting to {n}"));
        for step in 1..=n {
            report_step(step, n);
            if pause_ms > 0 {
                sleep(Duration::from_millis(pause_ms.into()));
            }
        }
        job::log(Level::Info, &format!("counted to {n}"));
        n
    }

    async fn count_aside(n: u64) -> u64 {
        for step in 1..=n {
            report_step(step, n);
            yield_async().await;
        }
        n
    }

    fn until_asked_to_stop() -> String {
        println!("waiting");
        let mut looked = 1_u64;
        while !job::cancelled() {
            looked += 1;
            sleep(Duration::from_millis(1));
        }
        format!("was asked to stop at look {looked}")
    }

    fn burn(steps: u64) -> u64 {
        // Marsaglia's xorshift: each number depends on the one before, so nothing can be left out.
        let mut number = 0x9E37_79B9_7F4A_7C15;
        for _ in 0..steps {
            number ^= number << 13;
            number ^= number >> 7;
            number ^= number << 17;
        }
        number
    }

    fn chatty(lines: u32) {
        for line in 1..=lines {
            println!("line {line} of {lines}");
            eprintln!("line {line} of {lines}, to standard error");
        }
    }

    fn fail_after(n: u32, message: String) -> Result<(), Failure> {
        for step in 1..=n {
            report_step(step.into(), n.into());
        }
        job::log(Level::Error, &message);
        Err(message.into())
    }

    fn report(done: f64, total: Option<f64>, message: Option<String>) {
        job::progress(done, total, message.as_deref());
    }

    fn note(message: String) {
        for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error] {
            job::log(level, &message);
        }
    }

    fn flood_job(times: u64, length: u32) {
        let text = "x".repeat(length as usize);
        for time in 0..times {
            job::progress(time as f64, None, Some(&text));
            job::log(Level::Info, &text);
        }
    }
}

fn report_step(step: u64, of: u64) {
    job::progress(step as f64, Some(of as f64), Some(&format!("step {step} of {of}")));
}
