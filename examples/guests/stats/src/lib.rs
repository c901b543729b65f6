//! The example `stats`: procedures made of plain Rust, with types of its own, a default and a job.
//!
//! There is no WIT file: `#[procedures]` writes it.

mod bins;
mod walk;

#[tarp_guest::procedures]
mod stats {
    use std::collections::BTreeMap;

    use tarp_guest::Context;

    use crate::{bins, walk};

    /// What can be said of some numbers in short.
    #[derive(Debug, PartialEq)]
    pub struct Summary {
        /// How many there are.
        pub count: u32,
        pub mean: f64,
        /// The sample standard deviation; absent for a single number.
        pub deviation: Option<f64>,
        /// The least and the greatest.
        pub range: (f64, f64),
    }

    /// Why numbers cannot be described.
    #[derive(Debug, PartialEq)]
    pub enum Problem {
        /// There are none.
        Empty,
        /// The one at this place is not a number.
        NotANumber(u32),
    }

    /// How bins are spaced.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Spacing {
        /// Each as wide as the one before.
        Linear,
        /// Each as much wider as the one before was; for numbers above 0.
        Logarithmic,
    }

    /// What to sort numbers into.
    #[derive(Debug)]
    pub enum Bins {
        /// So many, from the least number to the greatest.
        Count(u32),
        /// Between these edges, in ascending order.
        Edges(Vec<f64>),
        /// So many, from one number to another.
        Between(u32, f64, f64),
    }

    /// How a histogram is counted.
    #[flags]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Counting {
        /// Each bin has those of the bins before as well.
        pub cumulative: bool,
        /// The parts of all numbers in place of how many they are.
        pub relative: bool,
    }

    /// Numbers in bins.
    #[derive(Debug, PartialEq)]
    pub struct Histogram {
        /// One more than there are bins.
        pub edges: Vec<f64>,
        /// How many numbers are in each; those on an edge are in the bin above it, but those on the
        /// last one in the last bin.
        pub counts: Vec<f64>,
        /// How many are `below` and `above` all bins.
        pub outside: BTreeMap<String, u32>,
    }

    /// The arithmetic mean; an error for an empty list.
    pub fn mean(values: &[f64]) -> Result<f64, String> {
        if values.is_empty() {
            return Err("the mean needs 1 or more values; got 0".into());
        }
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Count, mean, deviation and range at once.
    pub fn describe(values: &[f64]) -> Result<Summary, Problem> {
        if let Some(place) = values.iter().position(|value| value.is_nan()) {
            return Err(Problem::NotANumber(place as u32));
        }
        let mean = mean(values).map_err(|_| Problem::Empty)?;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Ok(Summary {
            count: values.len() as u32,
            mean,
            deviation: (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt()),
            range: (least, greatest),
        })
    }

    /// Sorts numbers into bins and counts them.
    pub fn histogram(
        values: &[f64],
        bins: Bins,
        #[default = Spacing::Linear] spacing: Spacing,
        counting: Counting,
    ) -> Result<Histogram, String> {
        bins::histogram(values, bins, spacing, counting)
    }

    /// The sum of each name's amounts.
    pub fn totals(amounts: Vec<(String, f64)>) -> BTreeMap<String, f64> {
        let mut totals = BTreeMap::new();
        for (name, amount) in amounts {
            *totals.entry(name).or_insert(0.0) += amount;
        }
        totals
    }

    /// The mean of the values, each with the weight of its name; 1 where it has none.
    pub fn weighted_mean(
        values: BTreeMap<String, f64>,
        weights: BTreeMap<String, f64>,
    ) -> Result<f64, String> {
        let weight = |name: &String| weights.get(name).copied().unwrap_or(1.0);
        let total: f64 = values.keys().map(weight).sum();
        if total <= 0.0 {
            return Err(format!("the weights are to have a sum above 0; it is {total}"));
        }
        Ok(values.iter().map(|(name, value)| value * weight(name)).sum::<f64>() / total)
    }

    /// Where `n` random walks of `steps` steps end, each step 1 up or down.
    ///
    /// The same numbers give the same walks. Reports each walk as progress.
    #[procedure(asynchronous, suggested_wait = 2)]
    pub fn simulate(steps: u64, #[default = 10] n: u32, cx: &Context) -> Result<Vec<f64>, String> {
        cx.info(format_args!("{n} walks of {steps} steps"));
        let mut ends = Vec::new();
        for number in 1..=n {
            if cx.cancelled() {
                return Err(format!("stopped after {} of {n} walks", number - 1));
            }
            ends.push(walk::end(number.into(), steps));
            cx.progress(number, n, format_args!("walk {number} of {n}"));
        }
        Ok(ends)
    }
}

// What a native build keeps of what was said is not there in a component.
#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use std::collections::BTreeMap;

    use tarp_guest::{Context, Said};

    use crate::stats::{self, Problem, Summary};

    #[test]
    fn numbers_are_described() {
        assert_eq!(stats::mean(&[1.0, 2.0, 6.0]), Ok(3.0));
        assert!(stats::mean(&[]).unwrap_err().contains("got 0"));
        let summary =
            Summary { count: 2, mean: 2.0, deviation: Some(2_f64.sqrt()), range: (1.0, 3.0) };
        assert_eq!(stats::describe(&[3.0, 1.0]), Ok(summary));
        assert_eq!(stats::describe(&[3.0]).unwrap().deviation, None);
        assert_eq!(stats::describe(&[]), Err(Problem::Empty));
        assert_eq!(stats::describe(&[1.0, f64::NAN]), Err(Problem::NotANumber(1)));
    }

    #[test]
    fn amounts_are_added() {
        let amounts = vec![("b".into(), 1.0), ("a".into(), 2.0), ("b".into(), 3.0)];
        let totals = BTreeMap::from([("a".into(), 2.0), ("b".into(), 4.0)]);
        assert_eq!(stats::totals(amounts), totals);
        let weights = BTreeMap::from([("b".into(), 3.0)]);
        assert_eq!(stats::weighted_mean(totals, weights), Ok(3.5));
        assert!(stats::weighted_mean(BTreeMap::new(), BTreeMap::new()).is_err());
    }

    #[test]
    fn a_simulation_says_how_far_it_is_and_stops_when_asked() {
        let cx = Context::new();
        let ends = stats::simulate(100, 3, &cx).unwrap();
        assert_eq!(ends.len(), 3);
        assert_eq!(ends, stats::simulate(100, 3, &Context::new()).unwrap());
        let last =
            Said::Progress { done: 3.0, total: Some(3.0), message: Some("walk 3 of 3".into()) };
        assert_eq!(cx.said().last(), Some(&last));
        cx.cancel();
        assert_eq!(stats::simulate(100, 3, &cx), Err("stopped after 0 of 3 walks".into()));
    }
}
