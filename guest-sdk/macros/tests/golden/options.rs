mod options {
    use tarp_guest::{Context, Request, Response};

    enum Kind {
        Gaussian,
        LongTail,
        Other(u8),
    }

    #[procedure]
    pub fn plain(_x: u8, type_: u8) {}

    #[procedure(asynchronous, suggested_wait = 2)]
    pub fn simulate(steps: u64, #[default = 10] n: u32, cx: &Context) -> Vec<f64> {}

    #[procedure(suggested_wait = 60)]
    pub async fn wait(cx: &tarp_guest::Context, seconds: u32) {}

    pub async fn aside() {}

    pub fn defaults(
        #[default = true] a: bool,
        #[default = 'x'] b: char,
        #[default = "ten"] c: String,
        #[default = "borrowed"] d: &str,
        #[default = -128] e: i8,
        #[default = 18446744073709551615] f: u64,
        #[default = 1] g: f64,
        #[default = -2.5e3] h: f32,
        #[default = None] i: Option<u8>,
        #[default = Some(3)] j: Option<u8>,
        #[default = [1.0, 2.5]] k: Vec<f64>,
        #[default = []] l: &[String],
        #[default = (1, "x")] m: (u8, String),
        #[default = Kind::LongTail] n: Kind,
        #[default = 0xFF_u8] o: u8,
        #[default = []] p: Vec<u8>,
    ) {
    }

    pub fn page(request: Request) -> Response {}

    #[procedure(web)]
    pub fn page_or_error(request: &Request, cx: &Context) -> Result<Response, String> {}

    #[procedure(web, methods = "GET")]
    pub fn plot(request: Request) -> Response {}

    #[procedure(web, methods = ["POST"], aliases = ["setRange", "old/form"])]
    pub fn form(request: Request) -> Response {}

    #[procedure(aliases = "rpcExample", arrays = "numpy")]
    pub fn linspace(n: u32) -> Vec<f64> {}
}
