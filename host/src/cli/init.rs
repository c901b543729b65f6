//! `tarp init`: what a host needs to serve other machines: a certificate, the first token, a configuration.

mod authority;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tarp_host::auth::{FileTokenStore, Right, Rights, TokenLimits, TokenName};
use tarp_host::files::{create_private_directory, write_private};

use self::authority::{Authority, Pair};
use super::screen::{BOLD, painted, print};
use super::token;

/// Make what a host needs to serve other machines: a certificate, the first token, and tarp.toml.
///
/// The certificate is signed by an authority of the host's own, which is made too: clients trust its ca.pem.
/// The last line of the output is the token, which may do everything; make others with `tarp token create`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory for tarp.toml, the certificate and the host's data
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// A name or an IP address by which clients call the host, in place of what this machine says of itself;
    /// may be repeated
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// What to call the first token
    #[arg(long, default_value = "admin", value_name = "NAME")]
    token: TokenName,
    /// Only make another certificate, by the same authority, in place of the one that is there; a running
    /// host takes it
    #[arg(long)]
    renew: bool,
    /// Only make a certificate for a client of this name, by the same authority, for callers that have one in
    /// place of a token
    #[arg(long, value_name = "NAME", conflicts_with_all = ["renew", "hosts", "token"])]
    client: Option<TokenName>,
}

/// The files, below the directory.
struct Files {
    config: PathBuf,
    data: PathBuf,
    ca: Pair,
    host: Pair,
    /// The directory for certificates of clients.
    clients: PathBuf,
}

impl Files {
    fn of(directory: &Path) -> Self {
        let tls = directory.join("tls");
        let pair = |name: &str| Pair {
            certificate: tls.join(format!("{name}.pem")),
            key: tls.join(format!("{name}.key")),
        };
        Self {
            config: directory.join("tarp.toml"),
            data: directory.join("data"),
            ca: pair("ca"),
            host: pair("host"),
            clients: tls.join("clients"),
        }
    }

    fn client(&self, name: &TokenName) -> Pair {
        let pair = |ending: &str| self.clients.join(format!("{name}.{ending}"));
        Pair { certificate: pair("pem"), key: pair("key") }
    }
}

impl Init {
    /// Makes it.
    ///
    /// # Errors
    ///
    /// Where something of it is there already, or cannot be written.
    pub(crate) fn run(self) -> Result<()> {
        std::fs::create_dir_all(&self.dir)
            .with_context(|| format!("cannot make {}", self.dir.display()))?;
        let files = Files::of(&self.dir.canonicalize()?);
        if let Some(name) = &self.client {
            return make_client(&files, name);
        }
        let hosts = if self.hosts.is_empty() { own_names() } else { checked(&self.hosts)? };
        if self.renew {
            let authority = Authority::load(&files.ca)?;
            authority.issue(&hosts)?.write(&files.host)?;
            return print(format_args!(
                "{} is for {} now, for {} days",
                files.host.certificate.display(),
                listed(&hosts),
                authority::DAYS
            ));
        }
        let all = [
            &files.config,
            &files.ca.certificate,
            &files.ca.key,
            &files.host.certificate,
            &files.host.key,
        ];
        let there = all.into_iter().find(|file| file.exists());
        ensure!(
            there.is_none(),
            "{} is there already, and is not written over; `tarp init --renew` makes another certificate, `tarp token create` another token",
            there.map(|file| file.display().to_string()).unwrap_or_default()
        );
        create_private_directory(&self.dir.join("tls"))?;
        let authority = Authority::new()?;
        authority.write(&files.ca)?;
        authority.issue(&hosts)?.write(&files.host)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let store = FileTokenStore::new(&files.data);
        let token = token::create(
            &store,
            self.token,
            Rights::new([Right::Admin]),
            TokenLimits::default(),
            None,
        );
        let issued = runtime.block_on(token)?;
        // Last: without it nothing is served by accident.
        write_private(&files.config, config(&files, &hosts)?.as_bytes())
            .with_context(|| format!("cannot write {}", files.config.display()))?;
        print(instructions(&files, &hosts)?)?;
        print(&issued.text)
    }
}

/// Makes a certificate for a client, and says what is to be done with it.
fn make_client(files: &Files, name: &TokenName) -> Result<()> {
    let authority = Authority::load(&files.ca)?;
    let pair = files.client(name);
    create_private_directory(&files.clients)
        .with_context(|| format!("cannot make {}", files.clients.display()))?;
    authority.issue_to_client(name.as_str())?.write(&pair)?;
    let bold = |text: &str| painted(BOLD, text);
    let mut text = String::new();
    writeln!(text, "The certificate is for `{name}`, for {} days:", authority::DAYS)?;
    writeln!(text, "  {}", pair.certificate.display())?;
    writeln!(text, "  {}", pair.key.display())?;
    writeln!(
        text,
        "\n{} in {}, with the rights that it is to have:",
        bold("The host:"),
        files.config.display()
    )?;
    writeln!(text, "  [server]")?;
    writeln!(text, "  tls_client_ca = {}", toml_path(&files.ca.certificate)?)?;
    writeln!(text, "  [[callers.certificate]]")?;
    writeln!(text, "  name = \"{name}\"")?;
    writeln!(text, "  allow = [\"call:*\"]")?;
    writeln!(text, "\n{} needs both files, and ca.pem", bold("The client:"))?;
    write!(text, "  curl --cacert ca.pem --cert {name}.pem --key {name}.key https://HOST:8080/")?;
    print(text)
}

/// Refuses what no certificate can have.
fn checked(hosts: &[String]) -> Result<BTreeSet<String>> {
    let is_name = |host: &str| {
        host.len() <= 253
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
            })
    };
    for host in hosts {
        ensure!(
            host.parse::<IpAddr>().is_ok() || is_name(host),
            "{host:?} is neither an IP address nor a name such as lab.example; give it without a scheme and a port"
        );
    }
    Ok(hosts
        .iter()
        .map(|host| host.to_lowercase())
        .chain(["localhost".into(), "127.0.0.1".into()])
        .collect())
}

/// The names and addresses that this machine has, as far as it knows.
fn own_names() -> BTreeSet<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let mut names: BTreeSet<_> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    if checked(std::slice::from_ref(&name)).is_ok() {
        names.insert(format!("{name}.local"));
        names.insert(name);
    }
    names.extend(outward_address().map(|address| address.to_string()));
    names
}

/// The address by which this machine reaches others. Nothing is sent for it: the other one is only for
/// documentation (RFC 5737).
fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

fn listed(hosts: &BTreeSet<String>) -> String {
    hosts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The names by which clients may call the host, besides those that every host answers to.
fn names(hosts: &BTreeSet<String>) -> Vec<&String> {
    hosts.iter().filter(|host| host.parse::<IpAddr>().is_err() && *host != "localhost").collect()
}

fn toml_path(path: &Path) -> Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(toml::Value::from(text).to_string())
}

fn config(files: &Files, hosts: &BTreeSet<String>) -> Result<String> {
    let mut text = String::from("# Written by `tarp init`.\n");
    let names: Vec<_> =
        names(hosts).into_iter().map(|name| toml::Value::from(name.as_str())).collect();
    writeln!(text, "data = {}", toml_path(&files.data)?)?;
    writeln!(text, "\n[server]")?;
    writeln!(text, "bind = \"0.0.0.0\"")?;
    writeln!(text, "tls_cert = {}", toml_path(&files.host.certificate)?)?;
    writeln!(text, "tls_key = {}", toml_path(&files.host.key)?)?;
    writeln!(text, "allowed_hosts = {}", toml::Value::from(names))?;
    Ok(text)
}

fn instructions(files: &Files, hosts: &BTreeSet<String>) -> Result<String> {
    let bold = |text: &str| painted(BOLD, text);
    // What people know the machine by, where it has a name.
    let host = names(hosts).first().map_or("localhost", |name| name.as_str());
    let (ca, config) = (files.ca.certificate.display(), files.config.display());
    let mut text = String::new();
    writeln!(
        text,
        "The certificate is for {}, for {} days; `tarp init --renew` makes the next.",
        listed(hosts),
        authority::DAYS
    )?;
    writeln!(text, "\n{}", bold("The host:"))?;
    writeln!(text, "  tarp serve DIR --config {config}")?;
    writeln!(
        text,
        "\n{} each needs a copy of {ca} and a token, here in TARP_TOKEN",
        bold("Clients:")
    )?;
    writeln!(text, "  curl --cacert ca.pem --oauth2-bearer \"$TARP_TOKEN\" https://{host}:8080/")?;
    writeln!(text, "  tarp list --ca ca.pem https://{host}:8080")?;
    writeln!(text, "  Python:           tarp.connect(\"https://{host}:8080\", verify=\"ca.pem\")")?;
    writeln!(
        text,
        "  original client:  Client(\"https://user:TOKEN@{host}:8080\", server_key=\"ca.pem\")"
    )?;
    writeln!(
        text,
        "\n{} {} signs certificates; keep it as you keep the token.",
        bold("Secret:"),
        files.ca.key.display()
    )?;
    write!(text, "\n{} may do everything, and is shown this once:", bold("The first token"))?;
    Ok(text)
}
