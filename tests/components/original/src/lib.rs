//! What the examples of the original TARP call, under the names that they have there: programs that were
//! written for its servers find them here.
//!
//! Its servers kept what `setRange` was told for later calls. A procedure here keeps nothing from one call
//! to the next, so `getData` and `showFigure` take the range from their own query.

mod figure;

#[tarp_guest::procedures]
mod original {
    use tarp_guest::{Request, Response};

    use crate::Range;
    use crate::figure::figure;

    /// So many numbers from `lower` to `upper`, both included, evenly spaced.
    #[procedure(aliases = ["rpcExample"], arrays = "numpy")]
    pub fn rpc_example(
        value: u32,
        #[default = 0.0] lower: f64,
        #[default = 10.0] upper: f64,
    ) -> Vec<f64> {
        Range { lower, upper }.points(value)
    }

    /// The same as a job: its caller gets a handle.
    #[procedure(asynchronous, suggested_wait = 1, aliases = ["asyncRPCExample"], arrays = "numpy")]
    pub fn async_rpc_example(
        value: u32,
        #[default = 0.0] lower: f64,
        #[default = 10.0] upper: f64,
    ) -> Vec<f64> {
        Range { lower, upper }.points(value)
    }

    /// Adds two numbers as a job.
    #[procedure(asynchronous, suggested_wait = 1)]
    pub fn my_long_function(x: f64, y: f64) -> f64 {
        x + y
    }

    /// Checks the range in the query, and gives it back.
    #[procedure(web, methods = ["GET", "POST"], aliases = ["setRange"])]
    pub fn set_range(request: &Request) -> Response {
        answer(request, |range| Response::json(&range))
    }

    /// Says that there is data: it is made when it is asked for.
    #[procedure(web, methods = "GET", aliases = ["generateData"])]
    pub fn generate_data(_request: &Request) -> Response {
        Response::json(&())
    }

    /// A hundred points `x` in the query's range, from 0 to 10 where it has none, and their sines `y`.
    #[procedure(web, methods = "GET", aliases = ["getData"])]
    pub fn sine_data(request: &Request) -> Response {
        answer(request, |range| Response::json(&range.sine()))
    }

    /// A picture of them, a PNG.
    #[procedure(web, methods = "GET", aliases = ["showFigure"])]
    pub fn sine_figure(request: &Request) -> Response {
        answer(request, |range| Response::png(figure(&range.sine().y)))
    }

    fn answer(request: &Request, with: impl Fn(Range) -> Response) -> Response {
        match Range::of_query(request) {
            Ok(range) => with(range),
            Err(message) => Response::text(message).with_status(400),
        }
    }
}

use serde::Serialize;
use tarp_guest::Request;

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Range {
    lower: f64,
    upper: f64,
}

/// Points of a curve.
#[derive(Serialize)]
struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Range {
    /// That of a query; 0 to 10 for what it does not say.
    fn of_query(request: &Request) -> Result<Self, String> {
        let number = |name: &str, default: f64| match request.query(name) {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(number) if f64::is_finite(number) => Ok(number),
                _ => Err(format!("`{name}` is to be a number; it is `{text}`")),
            },
        };
        Ok(Self { lower: number("lower", 0.0)?, upper: number("upper", 10.0)? })
    }

    fn points(self, count: u32) -> Vec<f64> {
        let step = (self.upper - self.lower) / f64::from(count.max(2) - 1);
        let mut points: Vec<_> = (0..count).map(|k| self.lower + f64::from(k) * step).collect();
        if let [_, .., last] = points.as_mut_slice() {
            *last = self.upper;
        }
        points
    }

    fn sine(self) -> Curve {
        let x = self.points(100);
        Curve { y: x.iter().map(|x| x.sin()).collect(), x }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tarp_guest::web::Content;

    #[test]
    fn points_are_those_of_numpys_linspace() {
        let range = Range { lower: 0.0, upper: 100.0 };
        assert_eq!(range.points(5), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(range.points(1), [0.0]);
        assert!(range.points(0).is_empty());
    }

    #[test]
    fn a_query_has_the_range() {
        let of = |query: &[(&str, &str)]| Range::of_query(&Request::get("/", query));
        assert_eq!(of(&[]), Ok(Range { lower: 0.0, upper: 10.0 }));
        assert_eq!(of(&[("upper", "3.5")]), Ok(Range { lower: 0.0, upper: 3.5 }));
        assert!(of(&[("lower", "low")]).unwrap_err().contains("`lower`"));
    }

    #[test]
    fn a_figure_is_a_picture() {
        let Content::Raw(raw) = original::sine_figure(&Request::get("/", &[])).content else {
            panic!("a picture is raw");
        };
        assert_eq!(raw.media_type, "image/png");
        assert!(raw.data.starts_with(b"\x89PNG\r\n"));
    }
}
