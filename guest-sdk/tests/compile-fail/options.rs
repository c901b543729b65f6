//! Options that make no sense.
#![allow(unused, unexpected_cfgs)]

#[tarp_guest::procedures]
mod options {
    use tarp_guest::{Context, Request, Response};

    #[procedure(async)]
    pub fn keyword() {}

    #[procedure(parallel)]
    pub fn unknown() {}

    #[procedure(suggested_wait = 2)]
    pub fn nobody_waits() {}

    #[procedure(asynchronous, suggested_wait = 0)]
    pub fn no_time() {}

    #[procedure(asynchronous, asynchronous)]
    pub fn twice() {}

    #[procedure(web)]
    pub fn no_request() -> Response {
        Response::text("")
    }

    #[procedure(methods = "GET")]
    pub fn no_web() {}

    #[procedure(web, methods = "PUT")]
    pub fn put(request: Request) -> Response {
        Response::text("")
    }

    pub fn request_and_more(request: Request, n: u8) -> Response {
        Response::text("")
    }

    pub fn default_of_context(#[default = 1] cx: &Context) {}

    #[procedure(aliases = ["to-day"])]
    pub fn no_name() {}

    #[procedure(aliases = ["a", "a"])]
    pub fn same_name() {}

    #[procedure(arrays = "pandas")]
    pub fn no_arrays() {}
}

fn main() {}
