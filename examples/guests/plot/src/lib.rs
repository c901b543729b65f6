//! The example `plot`: web procedures, which answer requests as they are.
//!
//! A browser shows `/get_plot?frequency=2&amplitude=0.5`. A procedure keeps nothing from one call to
//! the next, so the two numbers are in each request.

mod canvas;
mod sine;

#[tarp_guest::procedures]
mod plot {
    use tarp_guest::{Request, Response};

    use crate::canvas;
    use crate::sine::Sine;

    /// Checks a frequency in Hz and an amplitude, sent as JSON, and gives them back with what
    /// `get_data` and `get_plot` need.
    #[procedure(web, methods = "POST")]
    pub fn set_params(request: &Request) -> Response {
        match request.json::<Sine>().and_then(Sine::checked) {
            Ok(sine) => Response::json(&sine.described()),
            Err(message) => Response::text(message).with_status(400),
        }
    }

    /// One second of the sine with the query's `frequency` and `amplitude`, as JSON: times `t` and
    /// values `y`.
    #[procedure(web, methods = "GET")]
    pub fn get_data(request: &Request) -> Response {
        answer(request, |sine| Response::json(&sine.data()))
    }

    /// A picture of it, a PNG that a browser shows.
    #[procedure(web, methods = "GET")]
    pub fn get_plot(request: &Request) -> Response {
        answer(request, |sine| Response::png(canvas::picture(&sine.data())))
    }

    fn answer(request: &Request, with: impl Fn(Sine) -> Response) -> Response {
        match Sine::of_query(request) {
            Ok(sine) => with(sine),
            Err(message) => Response::text(message).with_status(400),
        }
    }
}

#[cfg(test)]
mod tests {
    use tarp_guest::web::{Body, Content};
    use tarp_guest::{Request, Response};

    use crate::plot;

    fn post(json: &str) -> Response {
        plot::set_params(&Request::post("/set_params", Body::Json(json.into())))
    }

    fn json(response: Response) -> String {
        match response.content {
            Content::Json(text) => text,
            other => panic!("expected JSON, got {other:?}"),
        }
    }

    #[test]
    fn parameters_come_back_checked() {
        let answer = json(post(r#"{"frequency": 2, "amplitude": 0.5}"#));
        assert!(answer.starts_with(r#"{"frequency":2.0,"amplitude":0.5,"#), "{answer}");
        assert!(answer.contains("/get_plot?frequency=2&amplitude=0.5"), "{answer}");
        for (wrong, words) in [
            (r#"{"frequency": -1}"#, "frequency"),
            (r#"{"amplitude": 1e9}"#, "amplitude"),
            (r#"{"phase": 1}"#, "phase"),
            ("3", "body"),
        ] {
            let refused = post(wrong);
            assert_eq!(refused.status, Some(400), "{wrong}");
            assert!(
                matches!(refused.content, Content::Text(text) if text.contains(words)),
                "{wrong}"
            );
        }
    }

    #[test]
    fn data_and_picture_of_a_query() {
        let request = Request::get("/get_data", &[("frequency", "1"), ("amplitude", "2")]);
        assert!(json(plot::get_data(&request)).starts_with(r#"{"t":[0.0,"#));
        let Content::Raw(raw) = plot::get_plot(&request).content else {
            panic!("a picture is raw")
        };
        assert_eq!(raw.media_type, "image/png");
        assert!(raw.data.starts_with(b"\x89PNG\r\n"));
        let refused = plot::get_plot(&Request::get("/get_plot", &[("frequency", "fast")]));
        assert_eq!(refused.status, Some(400));
    }
}
