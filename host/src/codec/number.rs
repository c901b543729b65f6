//! Numbers as text: in JSON, in queries, in forms. They are read exactly, or kept as text where that
//! takes the type that is wanted.

use num_bigint::BigInt;

use crate::value::{NUMBER, Value};

/// More digits than the integer part of any float has; reading them takes quadratic time.
const MAX_DIGITS: usize = 400;

/// 2 to the power of 64. Beyond it no integer type has the integer that a number is written as.
const BEYOND_INTEGERS: f64 = 18_446_744_073_709_551_616.0;

/// The number that `text` is; `None` where it is none. It is a [`Value::Named`] of the class [`NUMBER`]
/// where it is too large for every type, and where the nearest double is an integer that it is not
/// itself: an integer type must not take `5.0000000000000000001` for 5.
pub fn read(text: &str) -> Option<Value> {
    match text.parse() {
        // An integer has no such zero, and JSON's is a number of JavaScript, which has.
        Ok(0) if text.starts_with('-') => return Some(Value::Float(-0.0)),
        Ok(n) => return Some(Value::Int(n)),
        Err(_) => {}
    }
    let as_written = || Some(Value::Named { class: NUMBER, text: text.into() });
    if is_integer(text) {
        if text.len() > MAX_DIGITS {
            return as_written();
        }
        let n: BigInt = text.parse().ok()?;
        return Some(i64::try_from(&n).map_or_else(|_| Value::BigInt(Box::new(n)), Value::Int));
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => as_written(),
        Ok(x) if x.fract() == 0.0 && x.abs() <= BEYOND_INTEGERS && !is_exactly(text, x) => {
            as_written()
        }
        Ok(x) => Some(Value::Float(x)),
        Err(_) => None,
    }
}

/// The integer that a number with a point or an exponent is, such as `5.0` or `1e3`; `None` where it is
/// no integer, or one beyond 64 bits.
pub fn integral(text: &str) -> Option<i128> {
    let (digits, exponent) = scientific(text)?;
    let zeros = usize::try_from(exponent).ok()?;
    if digits.len() + zeros > 21 {
        return None;
    }
    format!("{digits:0<width$}", width = (digits.len() + zeros).max(1)).parse().ok()
}

/// Whether the number that `text` is written as is this integer.
fn is_exactly(text: &str, x: f64) -> bool {
    // As most are written.
    if let Some((whole, part)) = text.split_once('.')
        && whole.len() <= f64::DIGITS as usize
        && part.bytes().all(|byte| byte == b'0')
    {
        return true;
    }
    integral(text).is_some_and(|n| n == x as i128)
}

/// A decimal number as its digits, without zeros at either end, and a power of ten.
pub fn scientific(text: &str) -> Option<(String, i64)> {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole, part].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = (digits.len() - significant.len()) as i64;
    match significant.trim_start_matches('0') {
        "" => Some((String::new(), 0)),
        digits => {
            let exponent = exponent.checked_sub(part.len() as i64)?.checked_add(zeros)?;
            Some((format!("{sign}{digits}"), exponent))
        }
    }
}

/// Whether these are decimal digits, perhaps after a sign.
pub fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_text() {
        let named = |text: &str| Value::Named { class: NUMBER, text: text.into() };
        for (text, expected) in [
            ("7", Some(Value::Int(7))),
            ("+7", Some(Value::Int(7))),
            ("0", Some(Value::Int(0))),
            ("1e3", Some(Value::Float(1000.0))),
            ("-Infinity", Some(Value::Float(f64::NEG_INFINITY))),
            ("1e400", Some(named("1e400"))),
            ("1e-400", Some(named("1e-400"))),
            ("5.0", Some(Value::Float(5.0))),
            ("5.0000000000000000001", Some(named("5.0000000000000000001"))),
            ("9007199254740993.0", Some(named("9007199254740993.0"))),
            ("18446744073709555712.5", Some(Value::Float(18_446_744_073_709_555_712.0))),
            ("0e999999999999999999999", Some(named("0e999999999999999999999"))),
            ("18446744073709551616", Some(Value::BigInt(Box::new(BigInt::from(1u128 << 64))))),
            ("", None),
            ("-", None),
            ("1,5", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        let Some(Value::Float(zero)) = read("-0") else { panic!("-0 is a float") };
        assert!(zero == 0.0 && zero.is_sign_negative());
    }

    #[test]
    fn an_integer_has_several_notations() {
        for (text, expected) in [
            ("5.0", Some(5)),
            ("-50e-1", Some(-5)),
            ("1e3", Some(1000)),
            ("-0.0", Some(0)),
            ("9007199254740993.0", Some(9_007_199_254_740_993)),
            ("1.8446744073709551615e19", Some(18_446_744_073_709_551_615)),
            ("5.5", None),
            ("1e-400", None),
            ("1e400", None),
            ("NaN", None),
        ] {
            assert_eq!(integral(text), expected, "{text}");
        }
    }
}
