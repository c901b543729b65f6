//! What came back for a request, and the receipt in its headers.

use reqwest::header::HeaderMap;
use serde::Serialize;
use serde_json::Value;

/// What a host answered, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether a host wrote it, and not a proxy or the login page of a network on the way to it.
    pub(crate) fn is_of_a_host(&self) -> bool {
        self.headers.contains_key("x-tarp-catalog")
            || Receipt::of(&self.headers).is_some()
            || serde_json::from_slice::<Value>(&self.body).is_ok_and(|json| json.is_object())
    }
}

/// What a call used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Receipt {
    fuel: u64,
    peak_memory: u64,
    instantiate_us: u64,
    run_us: u64,
}

impl Receipt {
    /// The receipt in an answer's headers; `None` where no guest ran.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        Some(Self {
            fuel: number("x-tarp-fuel")?,
            peak_memory: number("x-tarp-peak-memory").unwrap_or_default(),
            instantiate_us: number("x-tarp-instantiate-us").unwrap_or_default(),
            run_us: number("x-tarp-run-us").unwrap_or_default(),
        })
    }
}
