//! How much one caller may do: the [`Rate`]s of calls and of bytes, and what a token says of them,
//! [`TokenLimits`].

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// So much in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    amount: NonZeroU64,
    period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
}

/// The periods, and how they are written.
const PERIODS: [(&str, Period); 4] =
    [("s", Period::Second), ("min", Period::Minute), ("h", Period::Hour), ("d", Period::Day)];

impl Rate {
    /// How much in a [`Self::period`].
    #[must_use]
    pub fn amount(self) -> u64 {
        self.amount.get()
    }

    /// How long it is in which that much is let through.
    #[must_use]
    pub fn period(self) -> Duration {
        Duration::from_secs(match self.period {
            Period::Second => 1,
            Period::Minute => 60,
            Period::Hour => 60 * 60,
            Period::Day => 24 * 60 * 60,
        })
    }

    fn read(text: &str, amount: impl FnOnce(&str) -> Option<u64>) -> Option<Self> {
        let (number, unit) = text.split_once('/')?;
        let (_, period) = PERIODS.into_iter().find(|(name, _)| *name == unit.trim())?;
        Some(Self { amount: NonZeroU64::new(amount(number.trim())?)?, period })
    }

    fn unit(self) -> &'static str {
        PERIODS.iter().find(|(_, period)| *period == self.period).map_or("", |(name, _)| name)
    }
}

/// So many calls in a period, such as `10/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRate(pub Rate);

/// So many bytes in a period, such as `100 MiB/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRate(pub Rate);

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRate {
    /// Of calls.
    #[error("{0:?} is no rate of calls; one is such as 10/s, 600/min, 1000/h or 5000/d")]
    Calls(String),
    /// Of bytes.
    #[error("{0:?} is no rate of bytes; one is such as \"10 MiB/s\", \"1 GiB/h\" or \"5 GB/d\"")]
    Bytes(String),
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

impl FromStr for CallRate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let is_digit = |byte: u8| byte.is_ascii_digit();
        let number = |text: &str| text.bytes().all(is_digit).then(|| text.parse().ok()).flatten();
        Rate::read(text, number).map(Self).ok_or_else(|| InvalidRate::Calls(shown(text)))
    }
}

impl FromStr for ByteRate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let size = |text: &str| text.parse::<ByteSize>().ok().map(|size| size.as_u64());
        Rate::read(text, size).map(Self).ok_or_else(|| InvalidRate::Bytes(shown(text)))
    }
}

impl fmt::Display for CallRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.amount, self.0.unit())
    }
}

impl fmt::Display for ByteRate {
    /// Exactly: what is written is read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        let bytes = self.0.amount.get();
        let whole = |(_, bits): &(&str, u32)| bytes.trailing_zeros() >= *bits;
        let (name, bits) = UNITS.into_iter().find(whole).unwrap_or(("B", 0));
        write!(f, "{} {name}/{}", bytes >> bits, self.0.unit())
    }
}

fn from_text<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    String::deserialize(from)?.parse().map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for CallRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from_text(from)
    }
}

impl<'de> Deserialize<'de> for ByteRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from_text(from)
    }
}

/// What a token says of a limit that the host has for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit<T> {
    /// It has none.
    Unlimited,
    /// It has one of its own.
    Most(T),
}

const UNLIMITED: &str = "unlimited";

impl<T> Limit<T> {
    /// The limit of a token: its own where it has one, or else the host's; `None` for no limit.
    pub fn or(own: Option<Self>, of_host: Option<T>) -> Option<T> {
        match own {
            None => of_host,
            Some(Self::Unlimited) => None,
            Some(Self::Most(most)) => Some(most),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str(UNLIMITED),
            Self::Most(most) => most.fmt(f),
        }
    }
}

impl<T: FromStr> FromStr for Limit<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == UNLIMITED { Ok(Self::Unlimited) } else { text.parse().map(Self::Most) }
    }
}

impl<T: fmt::Display> Serialize for Limit<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Limit<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from_text(from)
    }
}

/// What a token may do at the most. What it leaves out is as the host has it for all tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenLimits {
    /// Calls in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Limit<CallRate>>,
    /// Calls at once after a pause; those of one period where only `rate` is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<NonZeroU32>,
    /// Calls under way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_calls: Option<Limit<NonZeroU32>>,
    /// Bytes of bodies, received and sent, in a period.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Limit<ByteRate>>,
    /// Jobs running at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_running: Option<Limit<NonZeroU32>>,
    /// Jobs waiting at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_queued: Option<Limit<NonZeroU32>>,
}

impl TokenLimits {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_calls_are_read_as_they_are_written() {
        for text in ["10/s", "600/min", "1000/h", "5000/d", "1/s"] {
            assert_eq!(text.parse::<CallRate>().unwrap().to_string(), text);
        }
        let rate = "90/min".parse::<CallRate>().unwrap().0;
        assert_eq!((rate.amount(), rate.period()), (90, Duration::from_secs(60)));
        for text in
            ["", "10", "10/", "/s", "0/s", "+1/s", "-1/s", "1.5/s", "10/m", "10/ms", "1/s/s"]
        {
            assert!(text.parse::<CallRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn rates_of_bytes_are_written_exactly() {
        for (text, bytes, written) in [
            ("10 MiB/s", 10 << 20, "10 MiB/s"),
            ("1GiB/h", 1 << 30, "1 GiB/h"),
            ("5 GB / d", 5_000_000_000, "5000000000 B/d"),
            ("1536 KiB/min", 1536 << 10, "1536 KiB/min"),
            ("100/s", 100, "100 B/s"),
        ] {
            let rate: ByteRate = text.parse().unwrap();
            assert_eq!((rate.0.amount(), &*rate.to_string()), (bytes, written), "{text}");
            assert_eq!(rate.to_string().parse::<ByteRate>(), Ok(rate), "{rate}");
        }
        for text in ["", "10 MiB", "MiB/s", "0 B/s", "10 MiB/week", "-1 B/s"] {
            assert!(text.parse::<ByteRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_s_own_limit_wins() {
        let most = |text: &str| text.parse::<Limit<NonZeroU32>>().unwrap();
        let of_host = NonZeroU32::new(4);
        assert_eq!(Limit::or(None, of_host), of_host);
        assert_eq!(Limit::or(Some(most("unlimited")), of_host), None);
        assert_eq!(Limit::or(Some(most("7")), of_host), NonZeroU32::new(7));
        assert_eq!(Limit::or(Some(most("7")), None), NonZeroU32::new(7));
        assert!("0".parse::<Limit<NonZeroU32>>().is_err());
    }
}
