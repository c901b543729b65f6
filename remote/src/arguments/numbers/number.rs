//! One number, as people and programs write it. Knows nothing of lists.

use serde_json::{Number, Value};

use crate::types::Type;

/// Words for a value that is missing, in any case.
const GAPS: [&str; 6] = ["NA", "N/A", "#N/A", "<NA>", "None", "null"];

/// The longest text that a message repeats.
const LONGEST: usize = 40;

/// Whether a cell says that there is no value: by nothing, or by a word for it.
pub(in crate::arguments) fn is_gap(text: &str) -> bool {
    text.is_empty() || is_gap_word(text)
}

pub(super) fn is_gap_word(text: &str) -> bool {
    GAPS.iter().any(|gap| gap.eq_ignore_ascii_case(text))
}

/// Reads a number of a type.
pub(super) fn read(text: &str, ty: &Type) -> Result<Value, String> {
    let (is_negative, body) = signed(text);
    if let Some(name) = named(body) {
        return match (ty.is_float(), name, is_negative) {
            (false, ..) => Err(not_whole(text)),
            (true, "Infinity", true) => Ok("-Infinity".into()),
            (true, name, _) => Ok(name.into()),
        };
    }
    let Canonical { digits, is_whole } = canonical(body).ok_or_else(|| not_a_number(text))??;
    if ty.is_integer() {
        if is_whole { integer(text, &digits, is_negative, ty) } else { Err(not_whole(text)) }
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
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
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
fn canonical(body: &str) -> Option<Result<Canonical, String>> {
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
fn with_radix(body: &str, digits: &str, radix: u32) -> Option<Result<Canonical, String>> {
    let groups: Vec<_> = digits.split('_').collect();
    let is_group = |group: &&str| !group.is_empty() && group.chars().all(|c| c.is_digit(radix));
    if !groups.iter().all(is_group) {
        return None;
    }
    Some(match u64::from_str_radix(&groups.concat(), radix) {
        Ok(number) => Ok(Canonical { digits: number.to_string(), is_whole: true }),
        Err(_) => Err(format!("`{}` has more than 64 bits", shortened(body))),
    })
}

/// Digits without the underscores that may be between them.
fn plain(text: &str) -> Option<String> {
    text.split('_').all(is_digits).then(|| text.replace('_', ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn integer(text: &str, digits: &str, is_negative: bool, ty: &Type) -> Result<Value, String> {
    let (low, high) = ty.range();
    // Twenty digits are more than 64 bits have.
    let number = if digits.len() > 20 { None } else { digits.parse::<i128>().ok() };
    let number = number.map(|number| if is_negative { -number } else { number });
    match number.filter(|number| (low..=high).contains(number)) {
        Some(number) => Ok(i64::try_from(number).map_or((number as u64).into(), Value::from)),
        None => Err(format!("`{}` is out of range for {ty}: {low} to {high}", shortened(text))),
    }
}

/// The nearest float to a decimal fraction; an integer is exactly one, or refused.
fn float(
    text: &str,
    digits: String,
    is_negative: bool,
    is_whole: bool,
    ty: &Type,
) -> Result<Value, String> {
    let too_large = || format!("`{}` is beyond the range of {ty}", shortened(text));
    let wide = match ty {
        Type::F32 => digits.parse::<f32>().map(f64::from),
        _ => digits.parse::<f64>(),
    };
    let near = wide.ok().filter(|near| near.is_finite()).ok_or_else(too_large)?;
    // Fifteen digits always fit into 64 bits, and seven into 32.
    let always = if *ty == Type::F32 { 7 } else { 15 };
    if is_whole && digits.len() > always && format!("{near:.0}") != digits {
        let near = if is_negative { -near } else { near };
        let text = shortened(text);
        return Err(format!("`{text}` is not exactly of {ty}; the nearest is {near:.0}"));
    }
    let signed = if is_negative { format!("-{digits}") } else { digits };
    serde_json::from_str::<Number>(&signed).map(Value::from).map_err(|_| too_large())
}

fn not_whole(text: &str) -> String {
    format!("`{}` is not a whole number", shortened(text))
}

fn not_a_number(text: &str) -> String {
    const SEPARATORS: &str = ".,'\u{2019} \u{a0}\u{202f}";
    if text.is_empty() {
        return "a number is needed".into();
    }
    let is_grouped = text.contains(|c: char| c.is_ascii_digit())
        && signed(text).1.chars().all(|c| c.is_ascii_digit() || SEPARATORS.contains(c));
    let cure = match text {
        _ if is_grouped => ": decimals have a point, and thousands no separator",
        text => cure_of_ellipsis(text),
    };
    format!("`{}` is not a number{cure}", shortened(text))
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
