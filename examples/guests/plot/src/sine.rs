//! One second of a sine. Knows nothing of pictures.

use serde::{Deserialize, Serialize};
use tarp_guest::Request;

/// How many points there are in one second.
const POINTS: u32 = 1000;

/// The two numbers of a sine.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sine {
    /// In Hz.
    frequency: f64,
    amplitude: f64,
}

/// A sine with where to see it.
#[derive(Serialize)]
pub(crate) struct Described {
    #[serde(flatten)]
    sine: Sine,
    data: String,
    plot: String,
}

/// What is drawn.
#[derive(Serialize)]
pub(crate) struct Data {
    /// In seconds.
    pub(crate) t: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

impl Default for Sine {
    fn default() -> Self {
        Self { frequency: 1.0, amplitude: 1.0 }
    }
}

impl Sine {
    /// The sine that a query asks for; what it does not say is 1.
    pub(crate) fn of_query(request: &Request) -> Result<Self, String> {
        let number = |name: &str, default: f64| match request.query(name) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| format!("`{name}` is to be a number; it is `{text}`"))
            }
        };
        let Self { frequency, amplitude } = Self::default();
        let frequency = number("frequency", frequency)?;
        Self { frequency, amplitude: number("amplitude", amplitude)? }.checked()
    }

    /// The same, if it can be drawn.
    pub(crate) fn checked(self) -> Result<Self, String> {
        let Self { frequency, amplitude } = self;
        if !(0.0..=100.0).contains(&frequency) {
            return Err(format!("`frequency` is to be 0 to 100 Hz; it is {frequency}"));
        }
        if !(0.0..=1000.0).contains(&amplitude) {
            return Err(format!("`amplitude` is to be 0 to 1000; it is {amplitude}"));
        }
        Ok(self)
    }

    pub(crate) fn described(self) -> Described {
        let Self { frequency, amplitude } = self;
        let at = |name: &str| format!("/{name}?frequency={frequency}&amplitude={amplitude}");
        Described { sine: self, data: at("get_data"), plot: at("get_plot") }
    }

    pub(crate) fn data(self) -> Data {
        let t: Vec<f64> =
            (0..=POINTS).map(|number| f64::from(number) / f64::from(POINTS)).collect();
        let turn = std::f64::consts::TAU * self.frequency;
        let y = t.iter().map(|t| self.amplitude * (turn * t).sin()).collect();
        Data { t, y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_of_1_hz() {
        let data = Sine { frequency: 1.0, amplitude: 2.0 }.data();
        assert_eq!((data.t.len(), data.y.len()), (1001, 1001));
        assert!((data.y[250] - 2.0).abs() < 1e-9 && data.y[500].abs() < 1e-9);
    }
}
