//! `tarp token`: makes, lists and revokes the tokens by which a host knows its callers.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anstream::eprintln;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tarp_host::auth::{
    ByteRate, CallRate, FileTokenStore, Issued, Limit, Right, Rights, Token as Kept, TokenLimits,
    TokenName, TokenSet, TokenStore, TokenStoreError,
};
use tarp_host::config::{ConfigFile, read};

use super::directories;
use super::screen::{BOLD, WARN, counted, painted, print, print_json};

/// Make, list and revoke the tokens by which a host knows its callers.
///
/// With the first token, the host refuses requests without one. A running host knows of a change within a
/// second. Only a hash of each token is kept: what `create` and `rotate` print cannot be had again.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    host: OfHost,
    #[command(subcommand)]
    command: Command,
}

/// Which host's tokens.
#[derive(Debug, Args)]
struct OfHost {
    /// The data directory of the host, as `tarp serve` has it
    #[arg(long, global = true, env = "TARP_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// The configuration file of the host, for the data directory that it names
    #[arg(long, global = true, env = "TARP_CONFIG", value_name = "tarp.toml")]
    config: Option<PathBuf>,
    /// The folder that the host serves, where no data directory is named
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(Create),
    Limit(SetLimits),
    List(List),
    Revoke(Revoke),
    Rotate(Rotate),
}

/// Make a token, and print it on standard output.
#[derive(Debug, Args)]
struct Create {
    /// What to call it, such as the name of the person or the instrument that has it
    name: TokenName,
    /// What it allows; may be repeated: call:PATTERN (* stands for any characters), jobs, jobs:all, deploy,
    /// metrics, admin
    #[arg(long, required = true, value_name = "RIGHT")]
    allow: Vec<Right>,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    expiry: Expiry,
}

/// How much a token may do. What is not said is as the host's configuration has it for all tokens.
#[derive(Debug, Args)]
struct LimitFlags {
    /// Calls in a period, such as 10/s, 600/min or 1000/h; or `unlimited`
    #[arg(long, value_name = "CALLS/PERIOD", help_heading = "Limits")]
    rate: Option<Limit<CallRate>>,
    /// Calls at once after a pause [default: those of one period of --rate]
    #[arg(long, value_name = "CALLS", help_heading = "Limits")]
    burst: Option<NonZeroU32>,
    /// Calls under way at once; or `unlimited`
    #[arg(long, value_name = "CALLS", help_heading = "Limits")]
    max_calls: Option<Limit<NonZeroU32>>,
    /// Bytes of bodies, received and sent, in a period, such as 1GiB/h; or `unlimited`
    #[arg(long, value_name = "SIZE/PERIOD", help_heading = "Limits")]
    bytes: Option<Limit<ByteRate>>,
    /// Jobs running at once; or `unlimited`
    #[arg(long, value_name = "JOBS", help_heading = "Limits")]
    max_running: Option<Limit<NonZeroU32>>,
    /// Jobs waiting at once; or `unlimited`
    #[arg(long, value_name = "JOBS", help_heading = "Limits")]
    max_queued: Option<Limit<NonZeroU32>>,
}

impl LimitFlags {
    fn limits(self) -> TokenLimits {
        let Self { rate, burst, max_calls, bytes, max_running, max_queued } = self;
        TokenLimits { rate, burst, max_calls, bytes, max_running, max_queued }
    }
}

/// Change how much a token may do: the limits that are named are its own, all others the host's.
///
/// A running host knows of it within a second; the token stays as it is.
#[derive(Debug, Args)]
struct SetLimits {
    /// Its name, or its id
    token: String,
    #[command(flatten)]
    limits: LimitFlags,
}

#[derive(Debug, Args)]
struct Expiry {
    /// For how long it is valid, such as 30d or 12h; `never` for until it is revoked [default: never]
    #[arg(long, value_name = "DURATION", value_parser = expiry)]
    expires: Option<ValidFor>,
}

/// For how long a token is valid.
#[derive(Debug, Clone, Copy)]
enum ValidFor {
    Ever,
    Duration(Duration),
}

/// List all tokens, and what they allow.
#[derive(Debug, Args)]
struct List {
    /// Say it in JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Remove a token: whoever has it is refused.
///
/// A host whose last token is revoked refuses everybody.
#[derive(Debug, Args)]
struct Revoke {
    /// Its name, or its id
    token: String,
}

/// Give a token another secret, and print the new token on standard output; the old one is refused.
///
/// It keeps its name, its rights, its limits and its jobs.
#[derive(Debug, Args)]
struct Rotate {
    /// Its name, or its id
    token: String,
    #[command(flatten)]
    expiry: Expiry,
}

fn expiry(text: &str) -> Result<ValidFor, String> {
    if text == "never" {
        return Ok(ValidFor::Ever);
    }
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be more than 0, such as 30d".into()),
        Ok(duration) => Ok(ValidFor::Duration(duration)),
        Err(e) => Err(format!("{e}; a duration is such as 30d or 12h")),
    }
}

impl Expiry {
    /// The moment, where one is given.
    fn moment(&self) -> Result<Option<Option<SystemTime>>> {
        /// The last moment that a file can have.
        const LAST_YEAR: Duration = Duration::from_secs(253_370_764_800);
        Ok(match self.expires {
            None => None,
            Some(ValidFor::Ever) => Some(None),
            Some(ValidFor::Duration(duration)) => {
                let moment = SystemTime::now().checked_add(duration);
                let moment = moment.filter(|at| *at < SystemTime::UNIX_EPOCH + LAST_YEAR);
                Some(Some(moment.context("--expires is too long; `never` is as good")?))
            }
        })
    }
}

impl OfHost {
    fn store(&self) -> Result<FileTokenStore> {
        let of_file = match &self.config {
            Some(path) => read::<ConfigFile>(path)?.data,
            None => None,
        };
        let named = self.data.clone().or(of_file);
        let directory = match (&named, &self.folder) {
            (None, None) => bail!(
                "whose tokens? Name the host's data directory with --data DIR (or TARP_DATA) as `tarp serve` has it, its --config, or with --folder DIR the folder that it serves"
            ),
            (_, folder) => directories::data(named, folder.as_deref().unwrap_or(Path::new(".")))?,
        };
        Ok(FileTokenStore::new(&directory))
    }
}

impl Token {
    /// Does what the command line asks for.
    ///
    /// # Errors
    ///
    /// Where the tokens cannot be read or changed.
    pub(crate) fn run(self) -> Result<()> {
        let store = self.host.store()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            match self.command {
                Command::Create(create) => create.run(&store).await,
                Command::Limit(limit) => limit.run(&store).await,
                Command::List(list) => list.run(&store).await,
                Command::Revoke(revoke) => revoke.run(&store).await,
                Command::Rotate(rotate) => rotate.run(&store).await,
            }
        })
    }
}

impl Create {
    async fn run(self, store: &FileTokenStore) -> Result<()> {
        let Self { name, allow, limits, expiry } = self;
        if allow.len() > Rights::MAX_COUNT {
            bail!(
                "a token has {} rights at the most; a pattern can stand for many names",
                Rights::MAX_COUNT
            );
        }
        let is_first = store.load().await?.is_none();
        let expires = expiry.moment()?.flatten();
        let issued = create(store, name, Rights::new(allow), limits.limits(), expires).await?;
        if is_first {
            eprintln!("It is the first token: the host refuses requests without one from now on.");
        }
        show(&issued)
    }
}

/// Makes a token and keeps it.
pub(super) async fn create(
    store: &FileTokenStore,
    name: TokenName,
    rights: Rights,
    limits: TokenLimits,
    expires: Option<SystemTime>,
) -> Result<Issued> {
    let Issued { token, text } = Kept::issue(name, rights, expires);
    let token = token.with_limits(limits);
    let added = token.clone();
    store.update(Box::new(move |tokens| tokens.add(added))).await?;
    Ok(Issued { token, text })
}

impl SetLimits {
    async fn run(self, store: &FileTokenStore) -> Result<()> {
        let (sender, changed) = tokio::sync::oneshot::channel();
        let change = move |tokens: &mut TokenSet| -> Result<(), TokenStoreError> {
            let token = Arc::unwrap_or_clone(tokens.remove(&self.token)?);
            let token = token.with_limits(self.limits.limits());
            tokens.add(token.clone())?;
            let _ = sender.send(token);
            Ok(())
        };
        store.update(Box::new(change)).await?;
        let token = changed.await?;
        let limits = limits(&token.limits);
        let limits = if limits.is_empty() { "those of the host".to_owned() } else { limits };
        print(format_args!("limits of `{}` ({}): {limits}", token.name, token.id))
    }
}

/// What a token says of its limits, as the flags have it.
fn limits(limits: &TokenLimits) -> String {
    let TokenLimits { rate, burst, max_calls, bytes, max_running, max_queued } = limits;
    let flag = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let flags = [
        flag("rate", rate.map(|limit| limit.to_string())),
        flag("burst", burst.map(|limit| limit.to_string())),
        flag("max-calls", max_calls.map(|limit| limit.to_string())),
        flag("bytes", bytes.map(|limit| limit.to_string())),
        flag("max-running", max_running.map(|limit| limit.to_string())),
        flag("max-queued", max_queued.map(|limit| limit.to_string())),
    ];
    flags.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

impl List {
    async fn run(self, store: &FileTokenStore) -> Result<()> {
        let tokens = store.load().await?;
        if self.json {
            let tokens = tokens.unwrap_or_default();
            return print_json(
                &tokens.by_name().into_iter().map(|token| Shown::of(token)).collect::<Vec<_>>(),
            );
        }
        let Some(tokens) = tokens else {
            return print("There are no tokens; the host serves everybody who reaches it.");
        };
        print_table(&tokens)
    }
}

impl Revoke {
    async fn run(self, store: &FileTokenStore) -> Result<()> {
        let (sender, revoked) = tokio::sync::oneshot::channel();
        let change = move |tokens: &mut TokenSet| {
            let token = tokens.remove(&self.token)?;
            let _ = sender.send((token, tokens.len()));
            Ok(())
        };
        store.update(Box::new(change)).await?;
        let (token, left) = revoked.await?;
        print(format_args!(
            "revoked `{}` ({}); {} left",
            token.name,
            token.id,
            counted(left, "token")
        ))?;
        if left == 0 {
            eprintln!("The host refuses everybody until there is a token.");
        }
        Ok(())
    }
}

impl Rotate {
    async fn run(self, store: &FileTokenStore) -> Result<()> {
        let expires = self.expiry.moment()?;
        let (sender, rotated) = tokio::sync::oneshot::channel();
        let change = move |tokens: &mut TokenSet| -> Result<(), TokenStoreError> {
            let mut token = Arc::unwrap_or_clone(tokens.remove(&self.token)?);
            token.expires = expires.unwrap_or(token.expires);
            let issued = token.rotate();
            tokens.add(issued.token.clone())?;
            let _ = sender.send(issued);
            Ok(())
        };
        store.update(Box::new(change)).await?;
        show(&rotated.await?)
    }
}

/// Prints a token's text alone on standard output, where a script takes it from, and what it is to people.
fn show(Issued { token, text }: &Issued) -> Result<()> {
    let Shown { name, id, allow, limits: own, expires, has_expired, .. } = Shown::of(token);
    let until = match (&expires, has_expired) {
        (None, _) => "valid until it is revoked".to_owned(),
        (Some(expires), false) => format!("valid until {expires}"),
        (Some(expires), true) => painted(WARN, &format!("expired {expires}")).to_string(),
    };
    eprintln!("{} ({id}) allows {}, and is {until}.", painted(BOLD, name), allow.join(", "));
    if !own.is_empty() {
        eprintln!("Its limits: {}.", limits(own));
    }
    eprintln!(
        "It is shown this once. Callers send it as TARP_TOKEN, or as the password of http://user:TOKEN@host."
    );
    print(text)
}

/// A token as it is listed.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    id: &'a str,
    allow: Vec<String>,
    limits: &'a TokenLimits,
    created: String,
    expires: Option<String>,
    has_expired: bool,
}

impl<'a> Shown<'a> {
    fn of(token: &'a Kept) -> Self {
        let time = |at: SystemTime| {
            humantime::format_rfc3339_seconds(at.max(SystemTime::UNIX_EPOCH)).to_string()
        };
        Self {
            name: token.name.as_str(),
            id: token.id.as_str(),
            allow: token.rights.iter().map(Right::to_string).collect(),
            limits: &token.limits,
            created: time(token.created),
            expires: token.expires.map(time),
            has_expired: token.has_expired(SystemTime::now()),
        }
    }
}

fn print_table(tokens: &TokenSet) -> Result<()> {
    let tokens: Vec<_> = tokens.by_name().into_iter().map(|token| Shown::of(token)).collect();
    let longest = tokens.iter().map(|token| token.name.len()).max().unwrap_or(0).max(4);
    let head =
        format!("{:longest$}  {:16}  {:20}  {:20}  ALLOWS", "NAME", "ID", "CREATED", "EXPIRES");
    print(painted(BOLD, &head))?;
    for Shown { name, id, allow, limits: own, created, expires, has_expired } in &tokens {
        let expires = format!("{:20}", expires.as_deref().unwrap_or("never"));
        let expires = if *has_expired { painted(WARN, &expires).to_string() } else { expires };
        let own = if own.is_empty() { String::new() } else { format!("  ({})", limits(own)) };
        let allow = allow.join(", ");
        print(format_args!("{name:longest$}  {id}  {created}  {expires}  {allow}{own}"))?;
    }
    Ok(())
}
