//! Fuzzes the pickle decoder, and the encoder with what the decoder makes.
//!
//! Whatever the bytes are, decoding neither panics nor takes much time or memory. What does decode
//! is encoded, decoded and encoded again, and the two encodings are the same.

#![no_main]
// The target uses a part of what it includes.
#![allow(dead_code, unused_imports)]

#[path = "../src/value.rs"]
mod value;
#[path = "../src/codec"]
mod codec {
    #[path = "pickle/mod.rs"]
    pub mod pickle;
}

use codec::pickle::{Arrays, Budget, decode, encode};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    // Small enough for the fuzzer's limits on memory and time to be those of the budget.
    let budget = Budget { expansion: 16 << 20, ..Budget::default() };
    let Ok(decoded) = decode(&data.to_vec().into(), &budget) else {
        return Corpus::Keep;
    };
    // Arrays of many dimensions nest as lists, and shared byte strings are written each time.
    let generous = Budget { bytes: 1 << 30, depth: 1000, expansion: 1 << 30, ..budget };
    for arrays in [Arrays::Lists, Arrays::Numpy] {
        let once = encode(&decoded.value, arrays);
        let again = decode(&once.clone().into(), &generous);
        let again = again.unwrap_or_else(|error| panic!("{error}: {:?}", decoded.value));
        if arrays == Arrays::Lists {
            let twice = encode(&again.value, arrays);
            assert!(twice == once, "{:?} became {:?}", decoded.value, again.value);
        }
    }
    Corpus::Keep
});
