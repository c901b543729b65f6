//! The example `fit`: a line fitted to points, as numbers, as a table, as a drawing and as a web page.
//!
//! A browser shows `/fit_report?x=1,2,3,4&y=2.1,3.9,6.2,7.8`.

mod drawing;
mod line;

#[tarp_guest::procedures]
mod fit {
    use tarp_guest::{Request, Response};

    use crate::{drawing, line};

    /// The line of least squares, `y = slope * x + intercept`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Line {
        /// Change of `y` per unit of `x`.
        pub slope: f64,
        /// Value at `x = 0`.
        pub intercept: f64,
        /// The part of the variance that the line explains, 0 to 1.
        pub r_squared: f64,
    }

    /// A point, and the line at its `x`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Row {
        /// As given.
        pub x: f64,
        /// As given.
        pub y: f64,
        /// Value of the line.
        pub fitted: f64,
        /// `y - fitted`.
        pub residual: f64,
    }

    /// Fits a line to points; an error for fewer than two, or if all `x` are equal.
    pub fn fit_line(x: &[f64], y: &[f64]) -> Result<Line, String> {
        line::fit(x, y)
    }

    /// The points with the line's values and the residuals: a table, as CSV for `Accept: text/csv`.
    pub fn fit_table(x: &[f64], y: &[f64]) -> Result<Vec<Row>, String> {
        Ok(line::rows(x, y, line::fit(x, y)?))
    }

    /// An SVG image of the points and the line, for `?x=1,2,3&y=2,4,5`.
    #[procedure(web, methods = "GET")]
    pub fn fit_plot(request: &Request) -> Response {
        answer(request, |rows, _| Response::raw("image/svg+xml", drawing::svg(rows)))
    }

    /// A web page with the line, the drawing and the table, for `?x=1,2,3&y=2,4,5`.
    #[procedure(web, methods = "GET")]
    pub fn fit_report(request: &Request) -> Response {
        answer(request, |rows, line| Response::html(drawing::page(rows, line)))
    }

    fn answer(request: &Request, with: impl Fn(&[Row], Line) -> Response) -> Response {
        let fitted = line::numbers(request, "x").and_then(|x| {
            let y = line::numbers(request, "y")?;
            let line = line::fit(&x, &y)?;
            Ok((line::rows(&x, &y, line), line))
        });
        match fitted {
            Ok((rows, line)) => with(&rows, line),
            Err(message) => Response::text(message).with_status(400),
        }
    }
}

#[cfg(test)]
mod tests {
    use tarp_guest::web::Content;
    use tarp_guest::{Request, Response};

    use crate::fit;

    fn text(response: Response) -> String {
        match response.content {
            Content::Text(text) => text,
            Content::Raw(raw) => String::from_utf8(raw.data).unwrap(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    #[test]
    fn a_line_is_fitted_and_its_rows_have_the_residuals() {
        let line = fit::fit_line(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]).unwrap();
        assert_eq!(line, fit::Line { slope: 2.0, intercept: 1.0, r_squared: 1.0 });
        let rows = fit::fit_table(&[0.0, 1.0, 2.0], &[0.0, 3.0, 0.0]).unwrap();
        assert_eq!((rows[1].fitted, rows[1].residual), (1.0, 2.0));
        for (x, y, words) in [
            (&[1.0][..], &[1.0][..], "2 or more"),
            (&[1.0, 2.0], &[1.0], "as many"),
            (&[1.0, 1.0], &[1.0, 2.0], "differ"),
            (&[1.0, f64::NAN], &[1.0, 2.0], "finite"),
        ] {
            assert!(fit::fit_line(x, y).unwrap_err().contains(words), "{x:?} {y:?}");
        }
    }

    #[test]
    fn a_query_becomes_a_drawing_and_a_page() {
        let request = Request::get("/fit_plot", &[("x", "1, 2,3"), ("y", "2,4,5")]);
        assert!(text(fit::fit_plot(&request)).starts_with("<svg"));
        let page = text(fit::fit_report(&request));
        assert!(page.contains("<svg") && page.contains("<td>5</td>"), "{page}");
        let refused = fit::fit_plot(&Request::get("/fit_plot", &[("x", "1,two"), ("y", "1,2")]));
        assert_eq!(refused.status, Some(400));
        assert!(text(refused).contains("`two`"));
        let refused = fit::fit_plot(&Request::get("/fit_plot", &[("x", "1,2")]));
        assert!(text(refused).contains("`y`"));
    }
}
