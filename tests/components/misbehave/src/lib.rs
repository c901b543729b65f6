//! The test component `misbehave`: procedures that do what a host must survive, and ways to fail that
//! it must report.
//!
//! Each does one wrong thing, as a faulty procedure would do it: with ordinary Rust, without any
//! knowledge of the host. [`mod@excess`] holds those that take more than they may.

mod excess;

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/misbehave.wit` and the package `tarp:procedure`.
    wit_bindgen::generate!({
        path: ["../../../wit", "wit"],
        world: "demo:misbehave/misbehave",
        with: { "tarp:procedure/failures@0.1.0": tarp_guest::failures },
    });
    export!(Misbehave with_types_in self);
    use super::Misbehave;
}

use std::thread::sleep;
use std::time::Duration;

use bindings::{Cause, Failure, Guest, Problem};

tarp_guest::embed_wit!("wit/misbehave.wit");

struct Misbehave;

impl Guest for Misbehave {
    fn spin() {
        excess::spin()
    }

    fn recurse() -> u64 {
        excess::descend(0)
    }

    fn recurse_with_frames() -> u64 {
        excess::descend_with_frames(0)
    }

    fn panic(message: String) {
        panic!("{message}")
    }

    fn unreachable() {
        std::process::abort()
    }

    fn read_item(index: u32) -> u8 {
        [1, 2, 3][index as usize]
    }

    fn divide(dividend: i64, divisor: i64) -> i64 {
        dividend / divisor
    }

    fn hog() {
        excess::hog(Duration::ZERO)
    }

    fn hog_politely() -> u64 {
        excess::hog_politely()
    }

    fn hog_slowly(milliseconds: u32) {
        excess::hog(Duration::from_millis(milliseconds.into()))
    }

    fn flood_stdout(bytes: u64) -> u64 {
        excess::flood(std::io::stdout().lock(), bytes)
    }

    fn flood_stderr(bytes: u64) -> u64 {
        excess::flood(std::io::stderr().lock(), bytes)
    }

    fn flood_result(bytes: u32) -> Vec<u8> {
        vec![b'x'; bytes as usize]
    }

    fn sleep_for(milliseconds: u64) -> u64 {
        sleep(Duration::from_millis(milliseconds));
        milliseconds
    }

    fn quit(code: u8) {
        std::process::exit(code.into())
    }

    fn chatter(line: String) -> String {
        eprintln!("{line}");
        println!("{line}");
        line
    }

    fn fail_with_string(message: String) -> Result<u32, String> {
        Err(message)
    }

    fn fail_with_record(message: String) -> Result<u32, Problem> {
        Err(Problem { code: 7, message, attempts: vec!["first".into(), "second".into()] })
    }

    fn fail_with_enum() -> Result<u32, Cause> {
        Err(Cause::TooBright)
    }

    fn fail_with_number(number: i32) -> Result<String, i32> {
        Err(number)
    }

    fn fail_with_list(messages: Vec<String>) -> Result<u32, Vec<String>> {
        Err(messages)
    }

    fn fail_with_nothing() -> Result<u32, ()> {
        Err(())
    }

    fn fail_as_busy(message: String, retry_after: Option<u32>) -> Result<u32, Failure> {
        Err(Failure::busy(message, retry_after))
    }

    fn fail_as_invalid_state(message: String) -> Result<u32, Failure> {
        Err(Failure::invalid_state(message))
    }

    fn fail_as_other(message: String) -> Result<u32, Failure> {
        Err(message.into())
    }
}
