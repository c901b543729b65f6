//! The misbehaviours that take more than they may: time, stack, memory, output.
//!
//! The compiler may remove what has no effect, hence the `black_box`es.

use std::hint::black_box;
use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

const MEBIBYTE: usize = 1 << 20;

pub(crate) fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Needs nothing but the call stack, which belongs to the host. What happens to the inner result
/// keeps the compiler from turning the recursion into a loop.
pub(crate) fn descend(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { descend(depth + 1).rotate_left(1) ^ depth }
}

/// Keeps a buffer alive in each frame, so the stack in the guest's own memory ends first.
pub(crate) fn descend_with_frames(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    if depth == u64::MAX { 0 } else { descend_with_frames(depth + 1) ^ black_box(&frame)[0] }
}

pub(crate) fn hog(pause: Duration) {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; MEBIBYTE]);
        black_box(&taken);
        if !pause.is_zero() {
            sleep(pause);
        }
    }
}

pub(crate) fn hog_politely() -> u64 {
    let mut taken = Vec::new();
    loop {
        let mut piece: Vec<u8> = Vec::new();
        if taken.try_reserve(1).is_err() || piece.try_reserve_exact(MEBIBYTE).is_err() {
            return (taken.len() * MEBIBYTE) as u64;
        }
        piece.resize(MEBIBYTE, 1);
        taken.push(black_box(piece));
    }
}

/// Writes until all bytes are written or the stream accepts no more.
pub(crate) fn flood(mut stream: impl Write, bytes: u64) -> u64 {
    let piece = [b'x'; 4096];
    let mut written = 0;
    while written < bytes {
        let length = (bytes - written).min(piece.len() as u64);
        match stream.write(&piece[..length as usize]) {
            Ok(0) | Err(_) => break,
            Ok(accepted) => written += accepted as u64,
        }
    }
    // Standard output keeps what follows the last line feed until it is flushed.
    _ = stream.flush();
    written
}
