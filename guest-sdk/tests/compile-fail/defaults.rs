//! Defaults that their parameters cannot hold.
#![allow(unused, unexpected_cfgs)]

#[tarp_guest::procedures]
mod defaults {
    pub enum Kind {
        A,
        B(u8),
    }

    pub fn great(#[default = 300] n: u8) {}

    pub fn negative(#[default = -1] n: u32) {}

    pub fn fraction(#[default = 0.5] n: i64) {}

    pub fn text(#[default = 1] text: String) {}

    pub fn number(#[default = "1"] n: f64) {}

    pub fn suffix(#[default = 1u8] n: u32) {}

    pub fn computed(#[default = 1 + 1] n: u32) {}

    pub fn in_a_list(#[default = [1.0, "x"]] values: Vec<f64>) {}

    pub fn option(#[default = 1] n: Option<u8>) {}

    pub fn case(#[default = Kind::C] kind: Kind) {}

    pub fn case_with_value(#[default = Kind::B(1)] kind: Kind) {}

    pub fn twice(#[default = 1] #[default = 2] n: u8) {}

    pub fn form(#[default(1)] n: u8) {}
}

fn main() {}
