//! The test component `namesakes`: procedures with names that the C library has as well.
//!
//! What Rust's own library does in here still calls the C library's functions, not these.

#[tarp_guest::procedures]
mod namesakes {
    /// Says that it was called, which is all that it does.
    pub fn exit(code: i32) -> String {
        format!("the procedure exit was called with {code}")
    }

    /// Bytes of this number: not what C's `malloc` gives.
    pub fn malloc(size: u32) -> Vec<u8> {
        vec![b'm'; size as usize]
    }

    /// Says that it was called.
    pub fn free(address: u32) -> String {
        format!("the procedure free was called with {address}")
    }

    /// The text backwards.
    pub fn write(text: &str) -> String {
        text.chars().rev().collect()
    }

    /// The number of characters.
    pub fn strlen(text: &str) -> u64 {
        text.chars().count() as u64
    }

    /// Says that it was called.
    pub fn main() -> String {
        "the procedure main was called".into()
    }

    /// Says that it was called.
    pub fn abort() -> String {
        "the procedure abort was called".into()
    }

    /// A memory, for what it is worth.
    pub fn memory() -> Vec<String> {
        vec!["a cake".into(), "a cup of tea".into()]
    }

    /// Prints the text, allocates and frees a little, and ends the program with C's `exit`.
    pub fn leave(text: &str) {
        println!("{text}");
        drop(vec![1_u8; 1_000_000]);
        std::process::exit(3);
    }

    /// Fails by a panic, which ends with C's `abort`.
    pub fn stumble() {
        panic!("stumbled");
    }
}
