//! What a shell may complete that only the host knows: procedures, their parameters, jobs.
//!
//! A person waits at the prompt: a host that does not answer at once offers nothing, and says nothing.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{ArgMatches, Args, Command};
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _,
};

use crate::address::{Connection, is_address};
use crate::catalog::{Catalog, Procedure};
use crate::client::Client;
use crate::error::Result;
use crate::job::Job;
use crate::types::{Told, Type};

/// How long a host may take to answer.
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(1);

/// For the words of `tarp call`, which is `C`.
pub(crate) fn words<C: Args>() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let current = current.to_str().unwrap_or_default();
        let (matches, last) = typed::<C>();
        let (connection, words) = told(&matches);
        if let Some(paths) = files(current, &last) {
            return paths;
        }
        let catalog = ask(&connection, async |client| Catalog::of(client).await);
        let Some(catalog) = catalog else { return Vec::new() };
        let candidates = match words.split_first() {
            None => names(&catalog),
            Some((name, given)) => match catalog.find(name, "") {
                Ok(procedure) => arguments(procedure, given),
                Err(_) => Vec::new(),
            },
        };
        beginning(current, candidates)
    })
}

/// For the pattern of `tarp list`, which is `C`.
pub(crate) fn patterns<C: Args>() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let (connection, _) = told(&typed::<C>().0);
        let catalog = ask(&connection, async |client| Catalog::of(client).await);
        let candidates = catalog.map(|catalog| names(&catalog)).unwrap_or_default();
        beginning(current.to_str().unwrap_or_default(), candidates)
    })
}

/// For the IDs of jobs in `tarp jobs`, which is `C`.
pub(crate) fn jobs<C: Args>() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let (connection, _) = told(&typed::<C>().0);
        let jobs = ask(&connection, async |client| {
            let told = client.json(client.get("/-/jobs")).await?;
            let jobs = told["jobs"].as_array().cloned().unwrap_or_default();
            jobs.iter().map(|job| Job::read(job, client)).collect::<Result<Vec<_>>>()
        });
        let candidate = |job: Job| (job.id, format!("{} {}", job.procedure, job.state));
        let candidates = jobs.unwrap_or_default().into_iter().map(candidate).collect();
        beginning(current.to_str().unwrap_or_default(), candidates)
    })
}

/// A word, and what is told beside it where a shell shows that.
type Candidate = (String, String);

fn names(catalog: &Catalog) -> Vec<Candidate> {
    let named = |procedure: &Procedure| (procedure.name.clone(), procedure.signature.clone());
    catalog.procedures.iter().map(named).collect()
}

/// What may follow the arguments that there are: further ones by name, and what the next one can be.
fn arguments(procedure: &Procedure, given: &[String]) -> Vec<Candidate> {
    let name = |word: &String| Some(&*procedure.parameter(word.split_once('=')?.0)?.name);
    let named: Vec<_> = given.iter().filter_map(name).collect();
    let free = procedure.parameters.iter().skip(given.len() - named.len());
    let open: Vec<_> = free.filter(|p| !named.contains(&&*p.name)).collect();
    let mut candidates = Vec::new();
    if let Some(next) = open.first() {
        let cases = cases(&next.ty).into_iter().map(|case| (case, next.name.to_string()));
        candidates.extend(cases);
    }
    for parameter in open {
        let about = parameter.ty.to_string();
        candidates.push((format!("{}=", parameter.name), about.clone()));
        let cases = cases(&parameter.ty).into_iter();
        candidates.extend(cases.map(|case| (format!("{}={case}", parameter.name), about.clone())));
    }
    candidates
}

fn cases(ty: &Told) -> Vec<String> {
    match ty.known().map(Type::present) {
        Some(Type::Bool) => vec!["true".into(), "false".into()],
        Some(Type::Enum(names) | Type::Flags(names)) => {
            names.iter().map(ToString::to_string).collect()
        }
        _ => Vec::new(),
    }
}

/// The files for `@…` and `name=@…`; `None` where none is begun.
fn files(current: &str, last: &str) -> Option<Vec<CompletionCandidate>> {
    // Bash takes words apart at these characters.
    if last.ends_with('@') && !current.contains('@') {
        return Some(PathCompleter::any().complete(OsStr::new(current)));
    }
    let at = current.find('@').filter(|at| *at == 0 || current[..*at].ends_with('='))?;
    let (prefix, path) = current.split_at(at + 1);
    let paths = PathCompleter::any().complete(OsStr::new(path));
    Some(paths.into_iter().map(|path| path.add_prefix(prefix)).collect())
}

fn beginning(current: &str, candidates: Vec<Candidate>) -> Vec<CompletionCandidate> {
    let begun = candidates.into_iter().filter(|(word, _)| word.starts_with(current));
    begun.map(|(word, about)| CompletionCandidate::new(word).help(Some(about.into()))).collect()
}

/// What was typed before the word that is completed, read as the command line that it may become; and
/// the last of it.
fn typed<C: Args>() -> (ArgMatches, String) {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let line: Vec<String> = words.skip_while(|word| word != "--").skip(1).collect();
    let index = std::env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let before = &line[..index.unwrap_or(line.len().saturating_sub(1)).min(line.len())];
    // Without the program's name; the command's stands for it.
    let words = joined(before.get(1..).unwrap_or_default());
    let command = C::augment_args(Command::new("tarp").ignore_errors(true).disable_help_flag(true));
    let matches = command.clone().try_get_matches_from(words);
    let matches = matches.unwrap_or_else(|_| command.get_matches_from(["tarp"]));
    (matches, before.last().cloned().unwrap_or_default())
}

/// Words as they were typed: bash takes them apart at `:`, `=` and `@`.
fn joined(words: &[String]) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in words {
        let is_separator = !word.is_empty() && word.chars().all(|c| matches!(c, ':' | '=' | '@'));
        let begins = word.starts_with(':') || word.starts_with('=');
        match whole.last_mut() {
            Some(last) if is_open || (is_separator && begins) => *last += word,
            _ => whole.push(word.clone()),
        }
        is_open = is_separator;
    }
    whole
}

/// The host that is meant, and the other words.
fn told(matches: &ArgMatches) -> (Connection, Vec<String>) {
    fn find<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
        // What is said behind a subcommand wins over what its environment says before it.
        let inner = matches.subcommand().and_then(|(_, inner)| find(inner, id));
        inner.or_else(|| matches.try_get_one::<T>(id).ok().flatten().cloned())
    }
    let mut words: Vec<String> = match matches.try_get_many("words") {
        Ok(Some(words)) => words.cloned().collect(),
        _ => Vec::new(),
    };
    let mut connection = Connection {
        url: find(matches, "url"),
        ca: find(matches, "ca"),
        token_file: find(matches, "token_file"),
    };
    if words.first().is_some_and(|word| is_address(word)) {
        connection.url = Some(words.remove(0));
    }
    (connection, words)
}

/// What the host says, if it says it soon.
fn ask<T>(connection: &Connection, question: impl AsyncFnOnce(&Client) -> Result<T>) -> Option<T> {
    let client = Client::new(connection).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime
        .block_on(async { tokio::time::timeout(COMPLETION_TIMEOUT, question(&client)).await });
    // Whoever still looks for the host's name is not waited for.
    runtime.shutdown_background();
    answer.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_that_bash_took_apart_are_whole_again() {
        assert_eq!(
            joined(&words("call http : //lab : 8080 scale")),
            words("call http://lab:8080 scale")
        );
        assert_eq!(joined(&words("call scale x = 5 @ f.npy")), words("call scale x=5 @f.npy"));
        assert_eq!(joined(&words("call scale x =@ f.npy")), words("call scale x=@f.npy"));
    }

    #[test]
    fn arguments_that_are_still_open_are_offered() {
        let procedure: Procedure = serde_json::from_value(json!({
            "name": "f", "signature": "()", "result": null, "mode": "sync", "parameters": [
                {"name": "x", "type": "f64"},
                {"name": "color", "type": {"enum": ["red", "green"]}},
                {"name": "fast", "type": "bool"},
            ],
        }))
        .unwrap();
        let offered = |given: &str| {
            let given: Vec<_> = words(given).into_iter().filter(|word| !word.is_empty()).collect();
            arguments(&procedure, &given).into_iter().map(|(word, _)| word).collect::<Vec<_>>()
        };
        assert_eq!(offered("")[..2], ["x=", "color="]);
        assert_eq!(offered("1")[..3], ["red", "green", "color="]);
        assert_eq!(offered("1 fast=true")[..2], ["red", "green"]);
        assert!(!offered("1 fast=true").contains(&"fast=".to_owned()));
        assert_eq!(offered("1 red true"), [""; 0]);
    }
}
