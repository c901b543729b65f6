//! What is no module of procedures.
#![allow(unused, unexpected_cfgs)]

#[tarp_guest::procedures]
pub fn function() {}

#[tarp_guest::procedures]
mod empty {
    fn private() {}
}

#[tarp_guest::procedures(world = "x")]
mod arguments {
    pub fn f() {}
}

fn main() {
    // The module is there whatever is wrong with it: this is no error more.
    arguments::f();
}
