//! Random walks that are the same each time.

/// Where the walk of that number ends.
pub(crate) fn end(number: u64, steps: u64) -> f64 {
    // Marsaglia's xorshift, begun at another place for each walk.
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut place = 0_i64;
    for _ in 0..steps {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        place += if state >> 63 == 1 { 1 } else { -1 };
    }
    place as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_differ_and_end_where_steps_can_lead() {
        let ends: Vec<_> = (1..=100).map(|number| end(number, 99)).collect();
        assert!(ends.iter().all(|end| end.abs() <= 99.0 && end.rem_euclid(2.0) == 1.0));
        let mean = ends.iter().sum::<f64>() / 100.0;
        // Its standard deviation is 1.
        assert!(mean.abs() < 4.0, "{mean}");
        assert!(ends.iter().any(|end| *end != ends[0]));
        assert_eq!(end(1, 0), 0.0);
    }
}
