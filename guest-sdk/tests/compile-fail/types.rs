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

    pub fn machine_size(n: usize) -> Vec<usize> {
        vec![n]
    }

    pub fn large(n: u128) {}

    pub fn fixed(values: [f64; 3]) {}

    pub fn set(values: std::collections::HashSet<String>) {}

    pub fn boxed(values: Box<[f64]>) {}

    pub fn inner_reference(values: Vec<&str>) {}

    pub fn changes(values: &mut Vec<f64>) {}

    pub fn function(f: fn(f64) -> f64) {}

    pub fn unit(values: Vec<()>) {}

    pub fn half_a_result() -> std::io::Result<f64> {
        Ok(1.0)
    }

    pub fn owned_context(cx: Context) {}
}

fn main() {}
