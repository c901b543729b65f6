//! The numerics of the example: plain functions over slices of `f64`.
//!
//! Knows nothing of components or hosts, so it is tested like any Rust code.

/// The most intervals that [`histogram`] divides a range into.
const MAX_BINS: u32 = 1_000_000;

pub(crate) fn linspace(start: f64, stop: f64, count: u32) -> Result<Vec<f64>, String> {
    if count == 0 {
        return Err("count is 0; linspace needs at least one point".into());
    }
    let mut points = Vec::new();
    points
        .try_reserve_exact(count as usize)
        .map_err(|_| format!("{count} points do not fit into the memory of this call"))?;
    let step = (stop - start) / f64::from((count - 1).max(1));
    points.extend((0..count).map(|index| start + step * f64::from(index)));
    // Rounding may miss the end by a bit, and `stop` is promised to be included.
    if count > 1 {
        points[count as usize - 1] = stop;
    }
    Ok(points)
}

/// Neumaier's sum: what each addition rounds off is collected and added at the end.
pub(crate) fn sum(values: &[f64]) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0);
    for &value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    // With an infinity among the values the compensation is NaN, the plain sum is right.
    if total.is_finite() { total + lost } else { total }
}

pub(crate) fn mean(values: &[f64]) -> Result<f64, String> {
    require("the mean", values, 1)?;
    Ok(sum(values) / values.len() as f64)
}

pub(crate) fn median(mut values: Vec<f64>) -> Result<f64, String> {
    require("the median", &values, 1)?;
    if values.iter().any(|value| value.is_nan()) {
        return Ok(f64::NAN);
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if even {
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        return Ok(lower.midpoint(upper));
    }
    Ok(upper)
}

pub(crate) fn standard_deviation(values: &[f64]) -> Result<f64, String> {
    require("the standard deviation", values, 2)?;
    let mean = mean(values)?;
    let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
    Ok((sum(&squares) / (values.len() - 1) as f64).sqrt())
}

/// The smallest and the largest value; NaN when one of them is NaN.
pub(crate) fn extremes(values: &[f64]) -> (f64, f64) {
    if values.iter().any(|value| value.is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    values.iter().fold(start, |(low, high), &value| (low.min(value), high.max(value)))
}

pub(crate) fn histogram(values: &[f64], bins: u32) -> Result<Vec<(f64, u64)>, String> {
    if !(1..=MAX_BINS).contains(&bins) {
        return Err(format!("bins is {bins}, expected 1 to {MAX_BINS}"));
    }
    require("a histogram", values, 1)?;
    let (mut low, mut high) = extremes(values);
    if !(high - low).is_finite() {
        return Err("a histogram needs finite values of a finite range".into());
    }
    if low == high {
        (low, high) = (low - 0.5, high + 0.5);
    }
    let width = (high - low) / f64::from(bins);
    let mut counts: Vec<(f64, u64)> =
        (0..bins).map(|bin| (low + width * f64::from(bin), 0)).collect();
    for value in values {
        let bin = ((value - low) / (high - low) * f64::from(bins)) as usize;
        // The largest value falls exactly on the end of the last interval.
        counts[bin.min(bins as usize - 1)].1 += 1;
    }
    Ok(counts)
}

fn require(what: &str, values: &[f64], least: usize) -> Result<(), String> {
    if values.len() < least {
        let count = values.len();
        return Err(format!("{what} needs {least} or more values; got {count}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linspace_includes_both_ends() {
        assert_eq!(linspace(0.0, 1.0, 5).unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(linspace(0.0, 0.1, 4).unwrap()[3], 0.1);
        assert_eq!(linspace(3.0, 9.0, 1).unwrap(), [3.0]);
        assert!(linspace(0.0, 1.0, 0).is_err());
    }

    #[test]
    fn sum_loses_nothing_that_matters() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[1.0, f64::INFINITY]), f64::INFINITY);
    }

    #[test]
    fn median_of_odd_even_and_none() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]).unwrap(), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]).unwrap(), 2.5);
        assert!(median(vec![1.0, f64::NAN]).unwrap().is_nan());
        assert!(median(vec![]).is_err());
    }

    #[test]
    fn standard_deviation_is_that_of_a_sample() {
        assert_eq!(standard_deviation(&[2.0, 4.0, 6.0]).unwrap(), 2.0);
        assert!(standard_deviation(&[2.0]).is_err());
    }

    #[test]
    fn histogram_counts_every_value_once() {
        let bins = histogram(&[0.0, 1.0, 1.5, 4.0], 4).unwrap();
        assert_eq!(bins, [(0.0, 1), (1.0, 2), (2.0, 0), (3.0, 1)]);
        assert_eq!(histogram(&[7.0], 1).unwrap(), [(6.5, 1)]);
        assert!(histogram(&[f64::NAN], 2).is_err());
        assert!(histogram(&[1.0], 0).is_err());
    }
}
