//! Deserialisers that refuse what makes no sense, so that the refusal has a line.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use serde::de::{Deserialize, Deserializer, Error};
use tarp_schema::procedure::{MAX_NAME_LENGTH, WebMethod, is_valid_name};

use crate::auth::{Right, Rights};
use crate::codec::json::Parsed;
use crate::value::Value;

/// The most that one call's memory can be: all that a 32-bit guest can address.
pub const MAX_MEMORY: u64 = 4 << 30;

/// Why a text is no address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindFault {
    /// It has a port, too.
    #[error("the port is set by itself: bind = \"{}\" and port = {}", .0.ip(), .0.port())]
    Port(SocketAddr),
    /// It is something else, such as a name.
    #[error(
        "an IP address of this machine is expected, such as 127.0.0.1, or 0.0.0.0 for all of them"
    )]
    NoAddress,
}

/// Reads the address to listen on: an IP address, or `localhost`.
///
/// # Errors
///
/// For anything else; where it has a port, with both.
pub fn bind_address(text: &str) -> Result<IpAddr, BindFault> {
    let address = |text: &str| match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        text => text.trim_start_matches('[').trim_end_matches(']').parse(),
    };
    address(text).map_err(|_| {
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        match (address(host), port.parse()) {
            (Ok(address), Ok(port)) => BindFault::Port(SocketAddr::new(address, port)),
            _ => BindFault::NoAddress,
        }
    })
}

pub(super) fn bind<'de, D: Deserializer<'de>>(from: D) -> Result<IpAddr, D::Error> {
    bind_address(&String::deserialize(from)?).map_err(D::Error::custom)
}

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
    for (index, name) in aliases.iter().enumerate() {
        alias(name).map_err(D::Error::custom)?;
        if aliases[..index].contains(name) {
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
pub(crate) fn alias(name: &str) -> Result<(), InvalidAlias> {
    if !is_valid_name(name) {
        return Err(InvalidAlias::NoName(name.chars().take(80).collect()));
    }
    if RESERVED.contains(&name) {
        return Err(InvalidAlias::Reserved(name.to_owned()));
    }
    Ok(())
}

/// Why a further name of a procedure cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidAlias {
    /// It is no name.
    #[error(
        "`{0}` cannot be a name; one has ASCII letters, digits and _ after a letter, in parts separated by /, and {MAX_NAME_LENGTH} characters at the most"
    )]
    NoName(String),
    /// It has another meaning.
    #[error("`{0}` is an address of the original protocol")]
    Reserved(String),
}

/// What the original protocol answers itself.
const RESERVED: [&str; 2] = ["asyncGet", "asyncProbe"];

/// Origins, as browsers write them.
pub(super) fn origins<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let origins = Vec::<String>::deserialize(from)?;
    let read = |text: String| {
        origin(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is no origin; one is a scheme, a host and, where it is not the usual one, a port, such as \"https://lab.example\" or \"http://localhost:3000\""
            ))
        })
    };
    origins.into_iter().map(read).collect()
}

/// Networks, and addresses for networks of one.
pub(super) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let networks = Vec::<String>::deserialize(from)?;
    let read = |text: String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or(address).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is no address and no network, such as \"127.0.0.1\" or \"10.0.0.0/8\""
            ))
        })
    };
    networks.into_iter().map(read).collect()
}

/// What is written as a text.
pub(super) fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

pub(super) fn rights<'de, D: Deserializer<'de>>(from: D) -> Result<Rights, D::Error> {
    let rights = Vec::<String>::deserialize(from)?;
    if !(1..=Rights::MAX_COUNT).contains(&rights.len()) {
        return Err(D::Error::custom(format!(
            "must be at least one right and at most {}",
            Rights::MAX_COUNT
        )));
    }
    let rights: Result<Vec<Right>, _> = rights.iter().map(|right| right.parse()).collect();
    rights.map(Rights::new).map_err(D::Error::custom)
}

pub(super) fn absolute_paths<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<PathBuf>, D::Error> {
    let paths: Vec<PathBuf> = Vec::deserialize(from)?;
    match paths.iter().find(|path| !path.is_absolute()) {
        None => Ok(paths),
        Some(path) => Err(D::Error::custom(format!(
            "must be absolute paths, such as \"/data\", not \"{}\"",
            path.display()
        ))),
    }
}

/// An origin without what browsers leave out; `None` for what is none.
fn origin(text: &str) -> Option<String> {
    let (scheme, host) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let usual_port = match &*scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (name, port) = match host.rsplit_once(':') {
        // What is behind the colon of an IPv6 address is no port.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_number = |port: &&str| port.bytes().all(|byte| byte.is_ascii_digit());
    let port = match port {
        Some(port) => Some(Some(port).filter(is_number)?.parse::<u16>().ok()?),
        None => None,
    };
    let is_name = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        !name.is_empty() && name.bytes().all(is_part)
    };
    let is_host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_name(name),
    };
    let name = name.to_ascii_lowercase();
    let port = port.filter(|port| *port != usual_port);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    is_host.then(|| format!("{scheme}://{name}{port}"))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, read) in [
            ("https://lab.example", Some("https://lab.example")),
            ("HTTPS://Lab.Example:443", Some("https://lab.example")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://[::1]:80", Some("http://[::1]")),
            ("https://lab.example/", None),
            ("https://lab.example/page", None),
            ("https://user@lab.example", None),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://[::1", None),
            ("https://lab.example:+1", None),
            ("https://lab.example:", None),
            ("https://lab.example:99999", None),
            ("https://", None),
            ("ftp://lab.example", None),
            ("lab.example", None),
            ("null", None),
            ("*", None),
            ("https://*.lab.example", None),
        ] {
            assert_eq!(origin(text).as_deref(), read, "{text}");
        }
    }
}
