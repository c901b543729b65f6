//! Procedures in Rust: every public function of the module is one.

/// What there is to call.
#[tarp_guest::procedures]
mod procedures {
    /// The arithmetic mean; an error for an empty list.
    pub fn mean(values: Vec<f64>) -> Result<f64, String> {
        if values.is_empty() {
            return Err("values is empty".into());
        }
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// How many values are in each of so many equal parts of their range.
    pub fn histogram(values: Vec<f64>, bins: u32) -> Result<Vec<u64>, String> {
        if bins == 0 || values.is_empty() {
            return Err("there has to be a bin, and a value".into());
        }
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut counts = vec![0; bins as usize];
        for value in values {
            let part = (value - low) / (high - low) * f64::from(bins);
            counts[(part as usize).min(bins as usize - 1)] += 1;
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::procedures::{histogram, mean};

    #[test]
    fn mean_of_three() {
        assert_eq!(mean(vec![1.0, 2.0, 3.0]), Ok(2.0));
        assert!(mean(vec![]).is_err());
    }

    #[test]
    fn histogram_of_four() {
        assert_eq!(histogram(vec![0.0, 1.0, 9.0, 10.0], 2), Ok(vec![2, 2]));
    }
}
