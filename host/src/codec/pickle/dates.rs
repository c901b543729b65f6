//! Python's dates, times, durations and time zones, as the text that Python itself makes of them.
//!
//! The states are those of CPython's `Lib/_pydatetime.py` (`__reduce_ex__`, `_getstate`): one byte
//! per field, two for the year, three for the microseconds. It knows no calendar beyond the length of
//! months, and no time-zone database: the offset of a `ZoneInfo` is unknown here.

use std::fmt::Write as _;
use std::sync::Arc;

use super::error::{PickleErrorKind, Step};

const MICROS_PER_SECOND: i128 = 1_000_000;
const MICROS_PER_DAY: i128 = 86_400 * MICROS_PER_SECOND;

/// A `datetime.timedelta`, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delta(i128);

impl Delta {
    pub(super) fn new(days: i64, seconds: i64, micros: i64) -> Step<Self> {
        let total = i128::from(days) * MICROS_PER_DAY
            + i128::from(seconds) * MICROS_PER_SECOND
            + i128::from(micros);
        if total.div_euclid(MICROS_PER_DAY).abs() > 999_999_999 {
            return Err(PickleErrorKind::malformed("a timedelta is longer than 999999999 days"));
        }
        Ok(Self(total))
    }

    /// `str(timedelta)`.
    pub(super) fn text(self) -> String {
        let (days, rest) = (self.0.div_euclid(MICROS_PER_DAY), self.0.rem_euclid(MICROS_PER_DAY));
        let (seconds, micros) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
        let mut text = match days {
            0 => String::new(),
            1 | -1 => format!("{days} day, "),
            _ => format!("{days} days, "),
        };
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let _ = write!(text, "{hours}:{minutes:02}:{:02}", seconds % 60);
        if micros > 0 {
            let _ = write!(text, ".{micros:06}");
        }
        text
    }

    /// As the offset of an aware time: `+05:30`, with seconds and microseconds only where needed.
    fn offset(self) -> String {
        let (sign, size) = if self.0 < 0 { ('-', -self.0) } else { ('+', self.0) };
        let (seconds, micros) = (size / MICROS_PER_SECOND, size % MICROS_PER_SECOND);
        let mut text = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
        if seconds % 60 > 0 || micros > 0 {
            let _ = write!(text, ":{:02}", seconds % 60);
        }
        if micros > 0 {
            let _ = write!(text, ".{micros:06}");
        }
        text
    }
}

/// A `tzinfo` of the standard library.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Fixed { offset: Delta, name: Option<Arc<str>> },
    Key(Arc<str>),
}

impl Zone {
    pub(super) fn fixed(offset: Delta, name: Option<Arc<str>>) -> Step<Self> {
        if offset.0.abs() >= MICROS_PER_DAY {
            return Err(PickleErrorKind::malformed("the offset of a timezone is a day or more"));
        }
        Ok(Self::Fixed { offset, name })
    }

    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Fixed { .. } => "datetime.timezone",
            Self::Key(_) => "zoneinfo.ZoneInfo",
        }
    }

    /// `str(tzinfo)`.
    pub(super) fn text(&self) -> Arc<str> {
        match self {
            Self::Fixed { name: Some(name), .. } | Self::Key(name) => name.clone(),
            Self::Fixed { offset: Delta(0), .. } => "UTC".into(),
            Self::Fixed { offset, .. } => format!("UTC{}", offset.offset()).into(),
        }
    }

    /// What an aware time ends in. An offset that is not known here is replaced by the zone's name
    /// in brackets, as RFC 9557 writes it.
    fn suffix(&self) -> String {
        match self {
            Self::Fixed { offset, .. } => offset.offset(),
            Self::Key(key) if matches!(&**key, "UTC" | "Etc/UTC") => "+00:00".into(),
            Self::Key(key) => format!("[{key}]"),
        }
    }
}

/// `date.isoformat()` from a state of 4 bytes.
pub(super) fn date(state: &[u8]) -> Step<String> {
    let &[high, low, month, day] = state else {
        return Err(wrong("date", state));
    };
    let year = u16::from_be_bytes([high, low]);
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    if !(1..=9999).contains(&year) || day == 0 || day > days {
        return Err(wrong("date", state));
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

/// `time.isoformat()` from a state of 6 bytes.
pub(super) fn time(state: &[u8], zone: Option<&Zone>) -> Step<String> {
    let &[hour, minute, second, a, b, c] = state else {
        return Err(wrong("time", state));
    };
    // The top bit is `fold`, which isoformat() does not show.
    let hour = hour & 0x7f;
    let micros = u32::from_be_bytes([0, a, b, c]);
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return Err(wrong("time", state));
    }
    let mut text = format!("{hour:02}:{minute:02}:{second:02}");
    if micros > 0 {
        let _ = write!(text, ".{micros:06}");
    }
    if let Some(zone) = zone {
        text.push_str(&zone.suffix());
    }
    Ok(text)
}

/// `datetime.isoformat()` from a state of 10 bytes.
pub(super) fn datetime(state: &[u8], zone: Option<&Zone>) -> Step<String> {
    let Some((&[high, low, month, day], clock)) = state.split_first_chunk() else {
        return Err(wrong("datetime", state));
    };
    // The top bit of the month is `fold`; that of the hour would be no hour at all.
    let day = date(&[high, low, month & 0x7f, day])?;
    if clock.first().is_some_and(|hour| *hour > 23) {
        return Err(wrong("datetime", state));
    }
    Ok(format!("{day}T{}", time(clock, zone)?))
}

fn wrong(class: &str, state: &[u8]) -> PickleErrorKind {
    let length = state.len();
    PickleErrorKind::malformed(format!("no {class} has the state that is given ({length} bytes)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_python() {
        let text = |days, seconds, micros| Delta::new(days, seconds, micros).map(Delta::text);
        assert_eq!(text(0, 0, 0).as_deref(), Ok("0:00:00"));
        assert_eq!(text(1, 2, 3).as_deref(), Ok("1 day, 0:00:02.000003"));
        assert_eq!(text(0, -1, 0).as_deref(), Ok("-1 day, 23:59:59"));
        assert_eq!(text(-2, 36_000, 0).as_deref(), Ok("-2 days, 10:00:00"));
        assert!(text(i64::MAX, i64::MAX, i64::MAX).is_err());
    }

    #[test]
    fn impossible_dates_are_refused() {
        assert_eq!(date(&[7, 232, 2, 29]).as_deref(), Ok("2024-02-29"));
        assert!(date(&[7, 231, 2, 29]).is_err());
        assert!(date(&[0, 0, 1, 1]).is_err());
        assert!(time(&[24, 0, 0, 0, 0, 0], None).is_err());
        assert!(time(&[0, 0, 0, 0xff, 0xff, 0xff], None).is_err());
        assert!(datetime(&[], None).is_err());
    }
}
