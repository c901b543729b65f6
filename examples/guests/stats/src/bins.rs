//! Histograms. Knows nothing of procedures but the types that they take.

use std::collections::BTreeMap;

use crate::stats::{Bins, Counting, Histogram, Spacing};

/// The most bins.
const MOST: u32 = 1_000_000;

pub(crate) fn histogram(
    values: &[f64],
    bins: Bins,
    spacing: Spacing,
    counting: Counting,
) -> Result<Histogram, String> {
    let edges = edges(values, bins, spacing)?;
    let mut counts = vec![0.0; edges.len() - 1];
    let mut outside = BTreeMap::from([("below".to_owned(), 0), ("above".to_owned(), 0)]);
    let (first, last) = (edges[0], edges[edges.len() - 1]);
    for value in values.iter().filter(|value| !value.is_nan()) {
        let place = edges.partition_point(|edge| edge <= value);
        if *value < first {
            *outside.entry("below".into()).or_default() += 1;
        } else if *value > last {
            *outside.entry("above".into()).or_default() += 1;
        } else {
            counts[(place - 1).min(edges.len() - 2)] += 1.0;
        }
    }
    if counting.cumulative {
        let mut before = 0.0;
        for count in &mut counts {
            before += *count;
            *count = before;
        }
    }
    if counting.relative {
        counts.iter_mut().for_each(|count| *count /= values.len().max(1) as f64);
    }
    Ok(Histogram { edges, counts, outside })
}

fn edges(values: &[f64], bins: Bins, spacing: Spacing) -> Result<Vec<f64>, String> {
    let (count, low, high) = match bins {
        Bins::Edges(edges) => {
            let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
            return match edges.len() {
                0 | 1 => Err("bins have 2 edges or more".into()),
                _ if !ascending => Err("edges are to ascend".into()),
                _ => Ok(edges),
            };
        }
        Bins::Between(count, low, high) => (count, low, high),
        Bins::Count(count) => {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (count, low, high)
        }
    };
    if !(1..=MOST).contains(&count) {
        return Err(format!("a histogram has 1 to {MOST} bins; got {count}"));
    }
    if !(low < high && low.is_finite() && high.is_finite()) {
        return Err(format!("there is no room for bins between {low} and {high}"));
    }
    let part = |number: u32| f64::from(number) / f64::from(count);
    let edge = |number: u32| match (number, spacing) {
        (0, _) => low,
        (number, _) if number == count => high,
        (_, Spacing::Linear) => low + (high - low) * part(number),
        (_, Spacing::Logarithmic) => low * (high / low).powf(part(number)),
    };
    if spacing == Spacing::Logarithmic && low <= 0.0 {
        return Err(format!("logarithmic bins begin above 0; these begin at {low}"));
    }
    Ok((0..=count).map(edge).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(bins: Bins, counting: Counting) -> Vec<f64> {
        histogram(&[0.0, 1.0, 1.5, 4.0], bins, Spacing::Linear, counting).unwrap().counts
    }

    #[test]
    fn an_edge_belongs_to_the_bin_above_it() {
        assert_eq!(counts(Bins::Count(4), Counting::default()), [1.0, 2.0, 0.0, 1.0]);
        assert_eq!(counts(Bins::Edges(vec![0.0, 1.5, 4.0]), Counting::default()), [2.0, 2.0]);
    }

    #[test]
    fn ways_of_counting() {
        let cumulative = Counting { cumulative: true, ..Counting::default() };
        assert_eq!(counts(Bins::Count(4), cumulative), [1.0, 3.0, 3.0, 4.0]);
        let both = Counting { cumulative: true, relative: true };
        assert_eq!(counts(Bins::Count(2), both), [0.75, 1.0]);
    }

    #[test]
    fn what_is_outside_is_counted_too() {
        let bins = Bins::Between(1, 0.5, 1.2);
        let histogram =
            histogram(&[0.0, 1.0, 9.0, 8.0], bins, Spacing::Linear, Counting::default()).unwrap();
        assert_eq!(histogram.counts, [1.0]);
        assert_eq!((histogram.outside["below"], histogram.outside["above"]), (1, 2));
    }

    #[test]
    fn logarithmic_bins() {
        let bins = || Bins::Between(3, 1.0, 1000.0);
        let edges = edges(&[], bins(), Spacing::Logarithmic).unwrap();
        assert!(edges.iter().zip([1.0, 10.0, 100.0, 1000.0]).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn bins_that_cannot_be() {
        for (bins, spacing, words) in [
            (Bins::Count(0), Spacing::Linear, "got 0"),
            (Bins::Count(3), Spacing::Linear, "no room"),
            (Bins::Edges(vec![1.0]), Spacing::Linear, "2 edges"),
            (Bins::Edges(vec![1.0, 1.0]), Spacing::Linear, "ascend"),
            (Bins::Between(2, 0.0, 1.0), Spacing::Logarithmic, "above 0"),
            (Bins::Between(2, f64::NAN, 1.0), Spacing::Linear, "no room"),
        ] {
            let message = edges(&[], bins, spacing).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }
}
