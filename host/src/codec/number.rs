//! Numbers as text: in JSON, in queries, in forms. They are read exactly, or kept as text where no
//! type can hold them.

use num_bigint::BigInt;

use crate::value::{NUMBER, Value};

/// More digits than the integer part of any float has; reading them takes quadratic time.
const MAX_DIGITS: usize = 400;

/// The number that `text` is; `None` where it is none. One that is too large for every type is a
/// [`Value::Named`] of the class [`NUMBER`].
pub fn read(text: &str) -> Option<Value> {
    if let Ok(n) = text.parse() {
        return Some(Value::Int(n));
    }
    let too_large = || Some(Value::Named { class: NUMBER, text: text.into() });
    if is_integer(text) {
        if text.len() > MAX_DIGITS {
            return too_large();
        }
        let n: BigInt = text.parse().ok()?;
        return Some(i64::try_from(&n).map_or_else(|_| Value::BigInt(Box::new(n)), Value::Int));
    }
    match text.parse::<f64>() {
        Ok(x) if x.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => too_large(),
        Ok(x) => Some(Value::Float(x)),
        Err(_) => None,
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
            ("1e3", Some(Value::Float(1000.0))),
            ("-Infinity", Some(Value::Float(f64::NEG_INFINITY))),
            ("1e400", Some(named("1e400"))),
            ("1e-400", Some(Value::Float(0.0))),
            ("18446744073709551616", Some(Value::BigInt(Box::new(BigInt::from(1u128 << 64))))),
            ("", None),
            ("-", None),
            ("1,5", None),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
