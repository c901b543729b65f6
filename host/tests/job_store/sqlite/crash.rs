//! A host is killed at any moment, again and again, and what it acknowledged is checked each time.
//!
//! The killed process is this test in another process: it works on a store, and writes what it is
//! about to do and what was acknowledged to its output, a line each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tarp_host::jobs::model::{Completion, JobId, JobState, NewJob};
use tarp_host::jobs::store::{JobStore, Lookup, SqliteStore, Submission};

use super::open;
use crate::common::{DAY, HOUR, at, claim, completion, finish, found, job, key, version};

const STORE: &str = "TARP_CRASH_STORE";
const ROUNDS: usize = 25;

/// What is known of a job, from the lines.
#[derive(Debug, Default)]
struct Known {
    place: Option<u64>,
    claimed: bool,
    stop: bool,
    ended: Option<JobState>,
    /// Its end was begun, with a short time to be kept.
    may_be_gone: bool,
}

#[test]
fn what_was_acknowledged_survives_being_killed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(directory) = std::env::var_os(STORE) {
        runtime.block_on(work_for_ever(open(Path::new(&directory))));
    }
    let directory = tempfile::tempdir().unwrap();
    let (mut known, mut gone) = (BTreeMap::new(), 0);
    for round in 0..ROUNDS {
        // At any step: after so many lines, some of them of the same transaction.
        let lines = 1 + usize::from(JobId::random().as_bytes()[15]) * (1 + round % 4);
        run_and_kill(directory.path(), lines, &mut known);
        let store = open(directory.path());
        gone = runtime.block_on(check(&store, &known));
    }
    let ended = known.values().filter(|known| known.ended.is_some()).count();
    assert!(ended > ROUNDS && gone > 0, "{ended} jobs ended, {gone} are gone: it shows little");
}

fn run_and_kill(directory: &Path, lines: usize, known: &mut BTreeMap<JobId, Known>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sqlite::crash::what_was_acknowledged_survives_being_killed",
            "--nocapture",
        ])
        .env(STORE, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut line, mut count) = (String::new(), 0);
    while output.read_line(&mut line).unwrap() > 0 {
        // What is cut in its middle was never said.
        if let Some(said) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("> ")) {
            note(said, known);
            count += 1;
            if count == lines {
                child.kill().unwrap();
            }
        }
        line.clear();
    }
    child.wait().unwrap();
    assert!(count >= lines, "the process ended by itself after {count} of {lines} lines");
}

fn note(said: &str, known: &mut BTreeMap<JobId, Known>) {
    let words: Vec<_> = said.split(' ').collect();
    let job: &mut Known = known.entry(words[1].parse().unwrap()).or_default();
    match words[0] {
        "submitted" => job.place = Some(words[2].parse().unwrap()),
        "claimed" => job.claimed = true,
        "stop" => job.stop = true,
        "completion" => job.may_be_gone |= words[2] == "short",
        "ended" => job.ended = JobState::from_name(words[2]),
        other => panic!("{other}"),
    }
}

/// Gives how many jobs were removed.
async fn check(store: &SqliteStore, known: &BTreeMap<JobId, Known>) -> usize {
    let mut gone = 0;
    let unfinished = store.unfinished().await.unwrap();
    for job in &unfinished {
        assert!(!job.state.is_terminal());
    }
    for (id, known) in known {
        let Some(place) = known.place else { continue };
        let job = match store.get(*id).await.unwrap() {
            Lookup::Found(job) => job,
            Lookup::Gone { .. } if known.may_be_gone => {
                gone += 1;
                continue;
            }
            other => panic!("{id} was acknowledged ({known:?}) and is {other:?}"),
        };
        assert_eq!(job.sequence, place);
        assert!(!known.claimed || job.attempts == 1, "{known:?} {job:?}");
        assert!(!known.stop || job.cancel_requested, "{known:?} {job:?}");
        match known.ended {
            Some(state) => assert_eq!(job.state, state, "{known:?}"),
            None => assert!(!known.claimed || job.state != JobState::Queued, "{known:?} {job:?}"),
        }
        let result = store.result(*id).await.unwrap();
        assert_eq!(result.is_some(), job.state == JobState::Succeeded, "{job:?}");
        assert!(result.is_none_or(|result| result == content(*id)));
        assert_eq!(unfinished.contains(&job), !job.state.is_terminal());
        let again = store.submit(NewJob { key: key(&id.to_string(), 1), ..self::job() }).await;
        assert_eq!(again.unwrap(), Submission::Known(*id));
    }
    // Nothing is half there: each that is queued can be run, and each that is not over can end.
    for job in unfinished {
        if job.state == JobState::Queued {
            let claim = claim(store, job.id, version("d"), at(2)).await.unwrap().unwrap();
            assert_eq!(claim.arguments, content(job.id));
        }
    }
    gone
}

/// Arguments and results, so that one job's are not taken for another's; some take many pages.
fn content(id: JobId) -> Vec<u8> {
    id.as_bytes().repeat(1 + usize::from(id.as_bytes()[14]) * 8)
}

fn say(line: &str) {
    // One write, so that lines of several tasks do not mix.
    std::io::stdout().write_all(format!("> {line}\n").as_bytes()).unwrap();
}

async fn work_for_ever(store: SqliteStore) -> ! {
    // Whichever task finds something wrong ends the process, and so the test.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{info}");
        std::process::abort();
    }));
    let store = Arc::new(store);
    for _ in 0..7 {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            loop {
                live(&store).await;
            }
        });
    }
    loop {
        // Little enough that keys and what is kept for a day live through all rounds.
        store.prune(Duration::from_millis(1)).await.unwrap();
    }
}

/// The life of a job.
async fn live(store: &SqliteStore) {
    let id = JobId::random();
    let dice = id.as_bytes()[15];
    let key = key(&id.to_string(), 1);
    let new = NewJob { id, arguments: content(id), key, ..job() };
    let Submission::New(place) = store.submit(new).await.unwrap() else { panic!("{id}") };
    say(&format!("submitted {id} {place}"));
    if dice.is_multiple_of(8) {
        return;
    }
    if dice % 8 == 1 {
        assert!(store.ask_to_stop(id).await.unwrap());
        say(&format!("stop {id}"));
    }
    let claim = claim(store, id, version("d"), at(2)).await.unwrap().unwrap();
    assert_eq!(claim.arguments, content(id));
    say(&format!("claimed {id}"));
    let state = if dice.is_multiple_of(4) { JobState::Failed } else { JobState::Succeeded };
    let is_short = dice.is_multiple_of(3);
    say(&format!("completion {id} {}", if is_short { "short" } else { "long" }));
    let completion = Completion {
        result: Some(content(id).into()),
        keep_for: if is_short { Duration::from_millis(3) } else { DAY + HOUR },
        ..completion(state)
    };
    assert!(finish(store, id, completion).await.unwrap());
    say(&format!("ended {id} {}", state.name()));
    if !is_short {
        assert_eq!(found(store, id).await.state, state);
    }
}
