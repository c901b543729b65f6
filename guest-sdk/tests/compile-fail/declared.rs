//! Structs and enums that cannot be passed.
#![allow(unused, unexpected_cfgs)]

#[tarp_guest::procedures]
mod declared {
    pub struct Tree {
        children: Vec<Tree>,
    }

    pub struct Generic<T> {
        value: T,
    }

    pub struct Pair(f64, f64);

    pub struct Nothing;

    pub enum Figure {
        Circle { radius: std::time::Duration },
    }

    #[flags]
    pub struct Marks {
        bold: bool,
        size: u8,
    }

    #[flags]
    pub enum Bits {
        A,
    }

    pub struct Clock {
        since: std::time::Instant,
    }

    pub fn tree(of: Tree) {}
    pub fn generic(of: Generic<u8>) {}
    pub fn pair(of: Pair) {}
    pub fn nothing(of: Nothing) {}
    pub fn figure(of: Figure) {}
    pub fn marks(of: Marks) {}
    pub fn bits(of: Bits) {}
    pub fn clock(of: Clock) {}
}

fn main() {}
