//! Functions that cannot be procedures.
#![allow(unused, unexpected_cfgs)]

#[tarp_guest::procedures]
mod functions {
    pub fn generic<T>(value: T) {}

    pub fn argument((a, b): (f64, f64)) -> f64 {
        a + b
    }

    pub unsafe fn dangerous() {}

    pub extern "C" fn foreign() {}

    #[cfg(feature = "x")]
    pub fn sometimes() {}

    pub fn größe(values: Vec<f64>) {}

    pub fn nameless(__: u8) {}

    pub fn twice(a: u8, _a: u8) {}

    #[procedure(asynchronous)]
    fn private() {}
}

fn main() {}
