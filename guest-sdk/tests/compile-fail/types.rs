//! Types that cannot be passed.
#![allow(unused, unexpected_cfgs)]

mod elsewhere {
    pub struct Peak;
}

#[tarp_guest::procedures]
mod types {
    use super::elsewhere::Peak;
    use tarp_guest::Context;

    pub fn outside(peaks: Vec<Peak>) -> f64 {
        peaks.len() as f64
    }

    pub fn large(n: u128) {}

    pub fn boxed(values: Box<[f64]>) {}

    pub fn inner_reference(values: Vec<&str>) {}

    pub fn changes(values: &mut Vec<f64>) {}

    pub fn function(f: fn(f64) -> f64) {}

    pub fn unit(values: Vec<()>) {}

    pub fn half_a_result(results: Vec<std::io::Result<f64>>) {}

    pub fn error_inside(results: Vec<Result<f64, std::io::Error>>) {}

    pub fn owned_context(cx: Context) {}
}

fn main() {}
