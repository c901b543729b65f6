//! Numbers that are no floats as the floats that they are: exactly, or with the nearest that is not
//! quite it. A decimal or a fraction counts as exact where it is the shortest notation of its float, as
//! 0.1 is.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::codec::number::scientific;

/// Integers up to here are all floats.
pub(super) const DENSE: u64 = 1 << f64::MANTISSA_DIGITS;

/// Longer ones take long to compute with, and no float has so many digits.
const MAX_DIGITS: usize = 5000;

/// The float, or the one that is nearest.
pub(super) fn integer(n: i64) -> Result<f64, f64> {
    let x = n as f64;
    // 2^63 would come back as the largest integer, which it is not.
    let is_exact = n.unsigned_abs() <= DENSE || x as i128 == i128::from(n);
    if is_exact { Ok(x) } else { Err(x) }
}

/// The float, or the one that is nearest; `None` for an integer beyond all floats.
pub(super) fn big_integer(n: &BigInt) -> Result<f64, Option<f64>> {
    let nearest = n.to_f64().filter(|x| x.is_finite());
    match nearest {
        Some(x) if of_float(x) == *n => Ok(x),
        nearest => Err(nearest),
    }
}

/// The float that the text of a `Decimal` is; `None` where it is no number.
pub(super) fn decimal(text: &str) -> Option<Result<f64, Option<f64>>> {
    let x: f64 = text.parse().ok()?;
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Some(Ok(x));
    }
    if x.is_infinite() {
        return Some(Err(None));
    }
    let (digits, exponent) = scientific(text)?;
    let is_shortest = scientific(&format!("{x:e}"))
        .is_some_and(|shortest| shortest == (digits.clone(), exponent));
    let is_exact = is_shortest || scientific(&exactly(x)) == Some((digits, exponent));
    Some(if is_exact { Ok(x) } else { Err(Some(x)) })
}

/// The float that `numerator/denominator` is; `None` where it is no fraction.
pub(super) fn fraction(text: &str) -> Option<Result<f64, Option<f64>>> {
    let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
    if text.len() > MAX_DIGITS {
        return Some(Err(None));
    }
    let (n, d): (BigInt, BigInt) = (numerator.parse().ok()?, denominator.parse().ok()?);
    if d.is_zero() {
        return None;
    }
    let x = quotient(&n, &d);
    if x.is_infinite() {
        return Some(Err(None));
    }
    // n/d = digits * 10^exponent, or = x = mantissa * 2^power, without a division.
    let is_shortest = scientific(&format!("{x:e}")).is_some_and(|(digits, exponent)| {
        let digits: BigInt = digits.parse().unwrap_or_default();
        let ten = BigInt::from(10).pow(exponent.unsigned_abs() as u32);
        if exponent >= 0 { digits * ten * &d == n } else { digits * &d == &n * ten }
    });
    let (mantissa, power) = parts(x);
    let two = BigInt::from(1) << power.unsigned_abs();
    let is_exact = if power >= 0 { mantissa * two * &d == n } else { mantissa * &d == n * two };
    Some(if is_shortest || is_exact { Ok(x) } else { Err(Some(x)) })
}

/// The nearest float of a quotient, for a message and for the comparison that follows.
fn quotient(n: &BigInt, d: &BigInt) -> f64 {
    // Scaled so that the quotient has more bits than a float; what is cut off is no half.
    let shift = d.bits() as i64 - n.bits() as i64 + 66;
    let (n, d) = if shift >= 0 {
        (n << shift as u64, d.clone())
    } else {
        (n.clone(), d << shift.unsigned_abs())
    };
    let sticky = BigInt::from(i32::from(!(&n % &d).is_zero()));
    let whole: BigInt = (n.abs() / d.abs()) * 2 + sticky;
    let is_negative = n.is_negative() != d.is_negative();
    let magnitude = scaled(whole.to_f64().unwrap_or(f64::INFINITY), -(shift + 1));
    if is_negative { -magnitude } else { magnitude }
}

/// `x * 2^power`, in steps that do not overflow by themselves.
fn scaled(mut x: f64, mut power: i64) -> f64 {
    while power != 0 && x != 0.0 && x.is_finite() {
        let step = power.clamp(-1000, 1000);
        x *= 2f64.powi(step as i32);
        power -= step;
    }
    x
}

/// `mantissa * 2^power`, which is exactly `x`.
fn parts(x: f64) -> (BigInt, i64) {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, power) =
        if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    let mantissa = BigInt::from(mantissa);
    (if x.is_sign_negative() { -mantissa } else { mantissa }, power)
}

fn of_float(x: f64) -> BigInt {
    let (mantissa, power) = parts(x);
    if power >= 0 { mantissa << power as u64 } else { mantissa >> power.unsigned_abs() }
}

/// All digits of a float.
fn exactly(x: f64) -> String {
    // The smallest float has 767 digits.
    format!("{x:.766e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_floats_or_not() {
        assert_eq!(integer(1 << 53), Ok(9_007_199_254_740_992.0));
        assert_eq!(integer((1 << 53) + 1), Err(9_007_199_254_740_992.0));
        assert_eq!(integer(i64::MIN), Ok(-9_223_372_036_854_775_808.0));
        assert!(integer(i64::MAX).is_err());
        let big = |text: &str| big_integer(&text.parse().unwrap());
        assert_eq!(big("1180591620717411303424"), Ok(1_180_591_620_717_411_303_424.0));
        assert!(big("1180591620717411303425").is_err());
        assert_eq!(big_integer(&BigInt::from(10).pow(400)), Err(None));
    }

    #[test]
    fn decimals_are_floats_where_nothing_is_lost() {
        for (text, expected) in [
            ("0.1", Ok(0.1)),
            ("0.10", Ok(0.1)),
            ("1E+2", Ok(100.0)),
            ("-0", Ok(-0.0)),
            ("0.1000000000000000055511151231257827021181583404541015625", Ok(0.1)),
            ("0.10000000000000001", Err(Some(0.1))),
            ("0.3333333333333333333333333333", Err(Some(1.0 / 3.0))),
            ("9007199254740993", Err(Some(9_007_199_254_740_992.0))),
            ("1E400", Err(None)),
            ("1E-400", Err(Some(0.0))),
        ] {
            assert_eq!(decimal(text), Some(expected), "{text}");
        }
        assert!(decimal("NaN").unwrap().unwrap().is_nan());
        assert_eq!(decimal("-Infinity"), Some(Ok(f64::NEG_INFINITY)));
        assert_eq!(decimal("x"), None);
    }

    #[test]
    fn fractions_are_floats_where_nothing_is_lost() {
        let ten = BigInt::from(10).pow(400);
        for (text, expected) in [
            ("1/2".to_owned(), Ok(0.5)),
            ("-3/4".to_owned(), Ok(-0.75)),
            ("1/10".to_owned(), Ok(0.1)),
            ("7".to_owned(), Ok(7.0)),
            ("0".to_owned(), Ok(0.0)),
            ("1/3".to_owned(), Err(Some(1.0 / 3.0))),
            ("2/3".to_owned(), Err(Some(2.0 / 3.0))),
            (format!("{}/{ten}", &ten + 1), Err(Some(1.0))),
            (format!("{ten}/{ten}"), Ok(1.0)),
            (ten.to_string(), Err(None)),
            ("9007199254740993".to_owned(), Err(Some(9_007_199_254_740_992.0))),
        ] {
            assert_eq!(fraction(&text), Some(expected), "{text}");
        }
        assert_eq!(fraction("1/0"), None);
    }
}
