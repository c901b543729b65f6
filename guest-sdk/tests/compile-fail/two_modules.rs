//! Two modules of a crate are one component, where each name means one thing.
#![allow(unused)]

#[tarp_guest::procedures]
mod first {
    pub struct Peak {
        height: f32,
    }

    pub fn highest(peaks: Vec<Peak>) {}
}

#[tarp_guest::procedures]
mod second {
    pub struct Peak {
        height: f64,
    }

    pub fn highest() {}

    pub fn lowest(peaks: Vec<Peak>) {}
}

mod other {
    #[tarp_guest::procedures]
    mod second {
        pub fn alone() {}
    }
}

fn main() {}
