//! One number, as people and programs write it. Knows nothing of lists.

use std::borrow::Cow;

use serde_json::{Number, Value};

use crate::types::Type;

/// Words for a value that is missing, in any case.
const GAPS: [&str; 6] = ["NA", "N/A", "#N/A", "<NA>", "None", "null"];

/// The longest text that a message repeats.
const MAX_LENGTH: usize = 40;

/// Whether a cell says that there is no value: by nothing, or by a word for it.
pub(in crate::arguments) fn is_gap(text: &str) -> bool {
    text.is_empty() || is_gap_word(text)
}

pub(super) fn is_gap_word(text: &str) -> bool {
    GAPS.iter().any(|gap| gap.eq_ignore_ascii_case(text))
}

/// Why a text is not a number of its type.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(in crate::arguments) enum NumberError {
    #[error("a number is needed")]
    Nothing,
    #[error("`{text}` is not a number{cure}")]
    NotANumber { text: String, cure: Cow<'static, str> },
    #[error("`{0}` is not a whole number")]
    NotWhole(String),
    /// In hexadecimal, octal or binary notation.
    #[error("`{0}` has more than 64 bits")]
    LargeDigits(String),
    #[error("`{text}` is out of range for {ty}: {} to {}", ty.range().0, ty.range().1)]
    OutOfRange { text: String, ty: Type },
    #[error("`{text}` is beyond the range of {ty}")]
    BeyondRange { text: String, ty: Type },
    #[error("`{text}` is not exactly of {ty}; the nearest is {near:.0}")]
    Inexact { text: String, ty: Type, near: f64 },
    #[error("a number is missing, and {0} has no NaN for that")]
    Missing(Type),
    #[error("`{text}` is no number, and {ty} has no NaN for a gap")]
    Gap { text: String, ty: Type },
}

/// Reads a number of a type.
pub(super) fn read(text: &str, ty: &Type) -> Result<Value, NumberError> {
    let (is_negative, body) = signed(text);
    if let Some(name) = named(body) {
        return match (ty.is_float(), name, is_negative) {
            (false, ..) => Err(NumberError::not_whole(text)),
            (true, "Infinity", true) => Ok("-Infinity".into()),
            (true, name, _) => Ok(name.into()),
        };
    }
    let Canonical { digits, is_whole } = canonical(body).ok_or_else(|| NumberError::of(text))??;
    if ty.is_integer() {
        if !is_whole {
            return Err(NumberError::not_whole(text));
        }
        integer(text, &digits, is_negative, ty)
    } else {
        float(text, digits, is_negative, is_whole, ty)
    }
}

/// Whether this may have been meant as a number, so that it is no title of a column.
pub(in crate::arguments) fn may_be_number(text: &str) -> bool {
    const LOOK_ALIKE: &str = "0123456789lIOoSB.,_+-\u{2212}eE' ";
    let begins = text.chars().find(|c| c.is_alphanumeric()).is_some_and(char::is_numeric);
    let looks_so = text.contains(['.', ','])
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| LOOK_ALIKE.contains(c));
    is_gap_word(text) || named(signed(text).1).is_some() || begins || looks_so
}

/// `1,5`, where the comma cannot be anything but what separates.
pub(super) fn has_decimal_comma(text: &str) -> bool {
    let (_, body) = signed(text);
    body.split_once(',').is_some_and(|(whole, rest)| {
        let (fraction, exponent) = rest.split_at(rest.find(['e', 'E']).unwrap_or(rest.len()));
        let exponent = exponent.get(1..).map(|power| power.trim_start_matches(['+', '-']));
        is_digits(whole) && is_digits(fraction) && exponent.is_none_or(is_digits)
    })
}

/// `1,234`, which is one number to some and another one to others.
pub(super) fn may_group_thousands(text: &str) -> bool {
    signed(text).1.split_once(',').is_some_and(|(whole, rest)| {
        whole.len() <= 3 && !whole.starts_with('0') && rest.len() == 3 && is_digits(rest)
    })
}

/// What a message repeats of a text.
pub(in crate::arguments) fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_LENGTH {
        return text.to_owned();
    }
    text.chars().take(MAX_LENGTH).chain(['…']).collect()
}

/// The unsigned part of a number in JSON's notation.
struct Canonical {
    digits: String,
    /// Whether it has neither point nor exponent.
    is_whole: bool,
}

/// A sign, which may be the typographic minus, and what follows.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn named(body: &str) -> Option<&'static str> {
    let is = |word: &&str| body.eq_ignore_ascii_case(word);
    if is(&"nan") {
        return Some("NaN");
    }
    ["inf", "infinity"].iter().any(is).then_some("Infinity")
}

/// `None` for what is no number; an error for what is too large a one.
fn canonical(body: &str) -> Option<Result<Canonical, NumberError>> {
    for (prefixes, radix) in [(["0x", "0X"], 16), (["0o", "0O"], 8), (["0b", "0B"], 2)] {
        if let Some(digits) = prefixes.iter().find_map(|prefix| body.strip_prefix(prefix)) {
            return with_radix(body, digits, radix);
        }
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_part = |part: &str| part.is_empty() || plain(part).is_some();
    let rest = fraction.unwrap_or_default();
    if !is_part(whole) || !is_part(rest) || (whole.is_empty() && rest.is_empty()) {
        return None;
    }
    let plain_whole = plain(whole).unwrap_or_default();
    let mut digits = plain_whole.trim_start_matches('0').to_owned();
    if digits.is_empty() {
        digits.push('0');
    }
    if !rest.is_empty() {
        digits.push('.');
        digits += &plain(rest)?;
    }
    if let Some(exponent) = exponent {
        let sign = if exponent.starts_with('-') { "-" } else { "" };
        let power = plain(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?;
        digits += &format!("e{sign}{power}");
    }
    Some(Ok(Canonical { digits, is_whole: fraction.is_none() && exponent.is_none() }))
}

/// Digits of hexadecimal, octal or binary notation.
fn with_radix(body: &str, digits: &str, radix: u32) -> Option<Result<Canonical, NumberError>> {
    let groups: Vec<_> = digits.split('_').collect();
    let is_group = |group: &&str| !group.is_empty() && group.chars().all(|c| c.is_digit(radix));
    if !groups.iter().all(is_group) {
        return None;
    }
    Some(match u64::from_str_radix(&groups.concat(), radix) {
        Ok(number) => Ok(Canonical { digits: number.to_string(), is_whole: true }),
        Err(_) => Err(NumberError::LargeDigits(shortened(body))),
    })
}

/// Digits without the underscores that may be between them.
fn plain(text: &str) -> Option<String> {
    text.split('_').all(is_digits).then(|| text.replace('_', ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn integer(text: &str, digits: &str, is_negative: bool, ty: &Type) -> Result<Value, NumberError> {
    let (low, high) = ty.range();
    // Twenty digits are more than 64 bits have.
    let number = if digits.len() > 20 { None } else { digits.parse::<i128>().ok() };
    let number = number.map(|number| if is_negative { -number } else { number });
    match number.filter(|number| (low..=high).contains(number)) {
        Some(number) => Ok(i64::try_from(number).map_or((number as u64).into(), Value::from)),
        None => Err(NumberError::OutOfRange { text: shortened(text), ty: ty.clone() }),
    }
}

/// The nearest float to a decimal fraction; an integer is exactly one, or refused.
fn float(
    text: &str,
    digits: String,
    is_negative: bool,
    is_whole: bool,
    ty: &Type,
) -> Result<Value, NumberError> {
    let too_large = || NumberError::BeyondRange { text: shortened(text), ty: ty.clone() };
    let wide = match ty {
        Type::F32 => digits.parse::<f32>().map(f64::from),
        _ => digits.parse::<f64>(),
    };
    let near = wide.ok().filter(|near| near.is_finite()).ok_or_else(too_large)?;
    // Fifteen digits always fit into 64 bits, and seven into 32.
    let always = if *ty == Type::F32 { 7 } else { 15 };
    if is_whole && digits.len() > always && format!("{near:.0}") != digits {
        let near = if is_negative { -near } else { near };
        return Err(NumberError::Inexact { text: shortened(text), ty: ty.clone(), near });
    }
    let signed = if is_negative { format!("-{digits}") } else { digits };
    serde_json::from_str::<Number>(&signed).map(Value::from).map_err(|_| too_large())
}

impl NumberError {
    fn not_whole(text: &str) -> Self {
        Self::NotWhole(shortened(text))
    }

    /// Of a text that is no number at all.
    fn of(text: &str) -> Self {
        const SEPARATORS: &str = ".,'\u{2019} \u{a0}\u{202f}";
        if text.is_empty() {
            return Self::Nothing;
        }
        let is_grouped = text.contains(|c: char| c.is_ascii_digit())
            && signed(text).1.chars().all(|c| c.is_ascii_digit() || SEPARATORS.contains(c));
        let cure = match text.chars().find(|c| is_unseen(*c)) {
            _ if is_grouped => ": decimals have a point, and thousands no separator".into(),
            Some(c) => {
                format!(": it has the character U+{:04X}, which is not to be seen", u32::from(c))
                    .into()
            }
            None => cure_of_ellipsis(text).into(),
        };
        Self::NotANumber { text: shortened(text), cure }
    }
}

/// Marks of byte order and direction, joiners, soft hyphens and controls, but for white space.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}')
        || matches!(c, '\u{2066}'..='\u{2069}' | '\u{feff}')
        || (c.is_control() && !c.is_whitespace())
}

/// What NumPy prints in place of most of a long array.
pub(super) fn cure_of_ellipsis(text: &str) -> &'static str {
    match text {
        "..." | "…" => {
            ": the array was shortened when it was printed; save it as .npy, or print all of it"
        }
        _ => "",
    }
}
