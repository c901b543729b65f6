//! An error that callers could not read is found by the compiler, at the author's line.
#![allow(unused)]

mod elsewhere {
    pub struct Broken;
}

#[tarp_guest::procedures]
mod errors {
    use super::elsewhere::Broken;

    pub fn without_text() -> Result<f64, Broken> {
        Err(Broken)
    }
}

fn main() {}
