//! Fits a line, and reads numbers from a query. Knows nothing of drawings.

use tarp_guest::Request;

use crate::fit::{Line, Row};

/// The line of least squares.
pub(crate) fn fit(x: &[f64], y: &[f64]) -> Result<Line, String> {
    if x.len() != y.len() {
        return Err(format!(
            "expected as many numbers in `y` as in `x`: {}, got {}",
            x.len(),
            y.len()
        ));
    }
    if x.len() < 2 {
        return Err(format!("expected 2 or more points, got {}", x.len()));
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let deviations = || x.iter().zip(y).map(|(x, y)| (x - mean_x, y - mean_y));
    let spread: f64 = deviations().map(|(x, _)| x * x).sum();
    let total: f64 = deviations().map(|(_, y)| y * y).sum();
    if !(spread + total).is_finite() {
        return Err("expected finite numbers whose squares are finite".into());
    }
    if spread == 0.0 {
        return Err("expected numbers in `x` that differ from each other".into());
    }
    let slope = deviations().map(|(x, y)| x * y).sum::<f64>() / spread;
    let residual: f64 = deviations().map(|(x, y)| (y - slope * x).powi(2)).sum();
    // Rounding can make the quotient larger than 1.
    let r_squared = if total == 0.0 { 1.0 } else { (1.0 - residual / total).max(0.0) };
    Ok(Line { slope, intercept: mean_y - slope * mean_x, r_squared })
}

/// Each point with the value of the line there.
pub(crate) fn rows(x: &[f64], y: &[f64], line: Line) -> Vec<Row> {
    let row = |(&x, &y): (&f64, &f64)| {
        let fitted = line.slope * x + line.intercept;
        Row { x, y, fitted, residual: y - fitted }
    };
    x.iter().zip(y).map(row).collect()
}

/// The numbers of a query's parameter, which commas separate.
pub(crate) fn numbers(request: &Request, name: &str) -> Result<Vec<f64>, String> {
    let text = request
        .query(name)
        .ok_or_else(|| format!("`{name}` is missing; expected numbers, as in {name}=1,2,3"))?;
    let number = |part: &str| {
        let part = part.trim();
        part.parse()
            .map_err(|_| format!("`{name}`: expected numbers, as in {name}=1,2,3, got `{part}`"))
    };
    text.split(',').map(number).collect()
}
