//! The test component `host-calls`: procedures that ask too much of the host, each by calls that WASI allows.
//!
//! A loop that does nothing but call the host uses little fuel of its own, so that a host that counted
//! instructions alone would work for it without end.

/// Procedures that ask too much of the host.
#[tarp_guest::procedures]
mod host_calls {
    use std::hint::black_box;
    use std::io::Write as _;

    use wasip2::clocks::{monotonic_clock, wall_clock};
    use wasip2::http::types::{Fields, Method, OutgoingRequest};
    use wasip2::random::random::get_random_bytes;

    /// Asks for so many random bytes, again and again.
    pub fn random_forever(bytes: u64) {
        loop {
            black_box(get_random_bytes(bytes));
        }
    }

    /// Asks for so many random bytes, so many times, and gives how many came.
    pub fn random(bytes: u64, times: u32) -> u64 {
        (0..times).map(|_| get_random_bytes(bytes).len() as u64).sum()
    }

    /// Looks at the clock, again and again.
    pub fn clock_forever() {
        loop {
            black_box(wall_clock::now());
        }
    }

    /// Writes lines, again and again.
    pub fn write_forever() {
        let line = [b'x'; 4096];
        loop {
            _ = std::io::stdout().write_all(&line);
        }
    }

    /// Copies so many bytes within its memory, again and again.
    pub fn copy_forever(bytes: u32) {
        let length = bytes as usize;
        let mut memory = vec![1_u8; length + 8];
        loop {
            black_box(&mut memory).copy_within(..length, 8);
        }
    }

    /// Fills so many bytes of its memory, again and again.
    pub fn fill_forever(bytes: u32) {
        let mut memory = vec![1_u8; bytes as usize];
        loop {
            black_box(&mut memory).fill(2);
        }
    }

    /// Holds so many timers at once, and gives their number.
    pub fn timers(count: u32) -> u32 {
        let timers: Vec<_> =
            (0..count).map(|_| monotonic_clock::subscribe_duration(1_000_000_000)).collect();
        timers.len() as u32
    }

    /// Begins a request with a method of so many letters, and gives whether the host took it.
    pub fn begin_request(letters: u32) -> bool {
        let request = OutgoingRequest::new(Fields::new());
        request.set_method(&Method::Other("X".repeat(letters as usize))).is_ok()
    }

    /// Makes its memory larger by so many pages of 64 KiB, and gives whether it could.
    pub fn grow(pages: u32) -> bool {
        let mut memory: Vec<u8> = Vec::new();
        memory.try_reserve_exact((pages as usize) << 16).is_ok()
    }
}
