//! Deserialisers that refuse what makes no sense, so that the refusal has a line.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::{Deserialize, Deserializer, Error};
use tarp_schema::procedure::{MAX_NAME_LENGTH, is_valid_name};

use super::{MAX_MEMORY, WebMethod};
use crate::codec::json::Parsed;
use crate::value::Value;

pub(super) fn count<'de, D, N>(from: D) -> Result<Option<N>, D::Error>
where
    D: Deserializer<'de>,
    N: Deserialize<'de> + Default + PartialEq,
{
    let n = N::deserialize(from)?;
    if n == N::default() { Err(D::Error::custom("must be more than 0")) } else { Ok(Some(n)) }
}

pub(super) fn urgency<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    match u8::deserialize(from)? {
        n @ 0..=7 => Ok(Some(n)),
        _ => Err(D::Error::custom("must be from 0, the most urgent, to 7")),
    }
}

pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    ByteSize::deserialize(from).map(|size| Some(size.as_u64()))
}

pub(super) fn size<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let size = ByteSize::deserialize(from)?.as_u64();
    usize::try_from(size).map_err(D::Error::custom)
}

/// Below the least of these not even one call of an ordinary component has room.
pub(super) fn budget<'de, D: Deserializer<'de>>(from: D) -> Result<Option<usize>, D::Error> {
    const LEAST: usize = 64 << 20;
    match size(from)? {
        n if n >= LEAST => Ok(Some(n)),
        n => Err(D::Error::custom(format!(
            "must be at least 64 MiB, not {}",
            ByteSize(n as u64).display().iec()
        ))),
    }
}

pub(super) fn memory<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    const PAGE: u64 = 64 << 10;
    match ByteSize::deserialize(from)?.as_u64() {
        n if (PAGE..=MAX_MEMORY).contains(&n) => Ok(Some(n)),
        n => Err(D::Error::custom(format!(
            "must be from 64 KiB to 4 GiB, not {}",
            ByteSize(n).display().iec()
        ))),
    }
}

pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    match humantime_serde::deserialize(from)? {
        Duration::ZERO => Err(D::Error::custom("must be more than 0, such as \"30 s\"")),
        duration => Ok(Some(duration)),
    }
}

pub(super) fn values<'de, D>(from: D) -> Result<BTreeMap<String, Value>, D::Error>
where
    D: Deserializer<'de>,
{
    let values = BTreeMap::<String, Parsed>::deserialize(from)?;
    Ok(values.into_iter().map(|(name, value)| (name, value.0)).collect())
}

/// Further names of a procedure.
pub(super) fn aliases<'de, D>(from: D) -> Result<Option<Vec<String>>, D::Error>
where
    D: Deserializer<'de>,
{
    let aliases = Vec::<String>::deserialize(from)?;
    for (place, name) in aliases.iter().enumerate() {
        alias(name).map_err(D::Error::custom)?;
        if aliases[..place].contains(name) {
            return Err(D::Error::custom(format!("`{name}` is there twice")));
        }
    }
    Ok(Some(aliases))
}

/// Checks a further name of a procedure: unlike names in WIT, it may have capital letters.
///
/// # Errors
///
/// Why it cannot be one, and what can.
pub(crate) fn alias(name: &str) -> Result<(), String> {
    if !is_valid_name(name) {
        let shown: String = name.chars().take(80).collect();
        return Err(format!(
            "`{shown}` cannot be a name; one has ASCII letters, digits and _ after a letter, in parts separated by /, and {MAX_NAME_LENGTH} characters at the most"
        ));
    }
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is an address of the original protocol"));
    }
    Ok(())
}

/// What the original protocol answers itself.
const RESERVED: [&str; 2] = ["asyncGet", "asyncProbe"];

pub(super) fn methods<'de, D>(from: D) -> Result<Option<Vec<WebMethod>>, D::Error>
where
    D: Deserializer<'de>,
{
    let methods = Vec::deserialize(from)?;
    if methods.is_empty() {
        return Err(D::Error::custom("must be [\"GET\"], [\"POST\"] or both"));
    }
    Ok(Some(methods))
}

pub(super) fn prefix<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let prefix = String::deserialize(from)?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let sound = |part: &str| !part.is_empty() && part.chars().all(is_name);
    if prefix.is_empty() || prefix.split('/').all(sound) {
        Ok(Some(prefix))
    } else {
        Err(D::Error::custom("must be names of lower-case letters, digits and _, separated by /"))
    }
}
