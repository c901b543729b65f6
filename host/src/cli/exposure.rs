//! Refuses to serve other machines by accident: without tokens whoever reaches the host calls everything, and
//! without TLS whoever is on the way reads along.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Result, bail};
use tarp_host::auth::{FileTokenStore, TokenStore as _};
use tarp_host::config::{BindFault, HostConfig, bind_address};

/// Reads what `--bind` says.
///
/// # Errors
///
/// For anything but an IP address, with the flags that are meant.
pub(super) fn bind(text: &str) -> Result<IpAddr, String> {
    bind_address(text).map_err(|fault| match fault {
        BindFault::Port(address) => {
            format!("the port is set by itself: --bind {} --port {}", address.ip(), address.port())
        }
        BindFault::NoAddress => fault.to_string(),
    })
}

/// Lets through a host that other machines cannot reach, or that has a certificate and knows its callers.
///
/// # Errors
///
/// What is missing, and the commands that make it; where the tokens cannot be read.
pub(super) async fn check(config: &HostConfig, folder: &Path) -> Result<()> {
    let bind = config.server.bind;
    if bind.to_canonical().is_loopback() {
        return Ok(());
    }
    let knows_callers = !config.callers.certificate.is_empty();
    let has_tokens = match &config.tokens {
        Some(directory) => FileTokenStore::new(directory).load().await?.is_some(),
        None => false,
    };
    let missing = match (has_tokens || knows_callers, config.server.tls_cert.is_some()) {
        (true, true) => return Ok(()),
        (false, false) => "no tokens and no TLS: whoever reaches it could call everything",
        (false, true) => "no tokens: whoever reaches it could call everything",
        (true, false) => "no TLS: whoever is on the way could read the tokens",
    };
    let folder = folder.display();
    bail!(
        "other machines reach {bind}, and there are {missing}. Make what is missing, and serve with it:\n\n  \
         tarp init                                 # a certificate, the first token, tarp.toml\n  \
         tarp serve {folder} --config tarp.toml\n  \
         tarp token create NAME --allow 'call:*' --config tarp.toml\n\n\
         or say --insecure, where something else protects it, such as a proxy"
    )
}
