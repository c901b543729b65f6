//! The example `math`: arithmetic and statistics over lists of numbers.
//!
//! Binds the component's exports to plain Rust functions. The numerics are in [`mod@statistics`],
//! which knows nothing of components.

mod statistics;

#[expect(unsafe_code, reason = "generated bindings cross the boundary of the component")]
mod bindings {
    //! Generated from `wit/math.wit`.
    wit_bindgen::generate!({ path: "wit", world: "math" });
    export!(Math with_types_in self);
    use super::Math;
}

use bindings::Guest;
use bindings::exports::demo::math::statistics::{Guest as Statistics, Overview};

tarp_guest::embed_wit!("wit/math.wit");

struct Math;

impl Guest for Math {
    fn my_function(x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }

    fn add(x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }

    fn linspace(start: f64, stop: f64, count: u32) -> Result<Vec<f64>, String> {
        statistics::linspace(start, stop, count)
    }

    fn sum(values: Vec<f64>) -> f64 {
        statistics::sum(&values)
    }

    fn scale(mut values: Vec<f64>, factor: f64) -> Vec<f64> {
        // In place: the list that came in is the list that goes out.
        for value in &mut values {
            *value *= factor;
        }
        values
    }

    fn transpose(matrix: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, String> {
        let width = matrix.first().map_or(0, Vec::len);
        if let Some((row, other)) = matrix.iter().enumerate().find(|(_, r)| r.len() != width) {
            let length = other.len();
            return Err(format!("row {row} has {length} columns, the rows before it have {width}"));
        }
        Ok((0..width).map(|column| matrix.iter().map(|row| row[column]).collect()).collect())
    }
}

impl Statistics for Math {
    fn mean(values: Vec<f64>) -> Result<f64, String> {
        statistics::mean(&values)
    }

    fn median(values: Vec<f64>) -> Result<f64, String> {
        statistics::median(values)
    }

    fn standard_deviation(values: Vec<f64>) -> Result<f64, String> {
        statistics::standard_deviation(&values)
    }

    fn histogram(values: Vec<f64>, bins: u32) -> Result<Vec<(f64, u64)>, String> {
        statistics::histogram(&values, bins)
    }

    fn summary(values: Vec<f64>) -> Result<Overview, String> {
        let mean = statistics::mean(&values)?;
        let standard_deviation = statistics::standard_deviation(&values).ok();
        let (minimum, maximum) = statistics::extremes(&values);
        Ok(Overview {
            count: values.len() as u64,
            minimum,
            maximum,
            mean,
            median: statistics::median(values)?,
            standard_deviation,
        })
    }
}
