//! A type that is not what its name says is found by the compiler, at the author's line.
#![allow(unused, unexpected_cfgs)]

mod elsewhere {
    pub struct Failure;
}

#[tarp_guest::procedures]
mod other_type {
    use super::elsewhere::Failure;

    pub fn f() -> Result<(), Failure> {
        Err(Failure)
    }
}

fn main() {}
