//! Draws points with their line, and writes a page around the drawing. Knows nothing of how a line is fitted.

use std::fmt::Write as _;

use crate::fit::{Line, Row};

/// Pixels, as is the margin on each side.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 300.0;
const MARGIN: f64 = 20.0;

/// An SVG image of the points and the line.
pub(crate) fn svg(rows: &[Row]) -> String {
    let horizontal = Scale::new(rows.iter().map(|row| row.x), MARGIN, WIDTH - MARGIN);
    // The vertical axis of SVG points downwards.
    let values = rows.iter().flat_map(|row| [row.y, row.fitted]);
    let vertical = Scale::new(values, HEIGHT - MARGIN, MARGIN);
    let mut points = String::new();
    let mut line = String::new();
    for row in rows {
        let (x, y) = (horizontal.pixel(row.x), vertical.pixel(row.y));
        let _ = write!(points, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4"/>"#);
        let _ = write!(line, "{x:.1},{:.1} ", vertical.pixel(row.fitted));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\">\
         <polyline points=\"{}\" fill=\"none\" stroke=\"crimson\" stroke-width=\"2\"/>{points}</svg>",
        line.trim_end()
    )
}

/// An HTML page with the equation of the line, the drawing and the table.
pub(crate) fn page(rows: &[Row], line: Line) -> String {
    let mut table = String::new();
    for Row { x, y, fitted, residual } in rows {
        let _ = write!(
            table,
            "<tr><td>{x}</td><td>{y}</td><td>{fitted:.4}</td><td>{residual:.4}</td></tr>"
        );
    }
    let Line { slope, intercept, r_squared } = line;
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>A fitted line</title>\
         <h1>A fitted line</h1><p>y = {slope:.4} x + {intercept:.4}, R² = {r_squared:.4}</p>{}\
         <table><tr><th>x</th><th>y</th><th>fitted</th><th>residual</th></tr>{table}</table></html>",
        svg(rows)
    )
}

/// Maps numbers to pixels.
struct Scale {
    minimum: f64,
    pixels_per_unit: f64,
    start: f64,
}

impl Scale {
    /// Maps the smallest of the numbers to `start` and the largest to `end`.
    fn new(numbers: impl Iterator<Item = f64> + Clone, start: f64, end: f64) -> Self {
        let minimum = numbers.clone().fold(f64::INFINITY, f64::min);
        let span = numbers.fold(f64::NEG_INFINITY, f64::max) - minimum;
        let pixels_per_unit = if span > 0.0 { (end - start) / span } else { 0.0 };
        Self { minimum, pixels_per_unit, start }
    }

    fn pixel(&self, number: f64) -> f64 {
        self.start + (number - self.minimum) * self.pixels_per_unit
    }
}
