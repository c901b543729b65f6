//! A host as a program that embeds it sees it: what is left of one that is dropped while it serves.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tarp_host::Host;
use tarp_host::config::{
    AuditConfig, CallersConfig, HostConfig, JobsConfig, Limits, LoadingConfig, OutgoingConfig,
    ServerConfig,
};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// For what takes milliseconds on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn config(directory: &Path) -> HostConfig {
    let folder = directory.join("procedures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(guests().join("jobs.wasm"), folder.join("jobs.wasm")).unwrap();
    let limits = Limits { deadline: Duration::from_secs(3600), ..Limits::default() };
    HostConfig {
        folder,
        cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-components"),
        loading: LoadingConfig::default(),
        outgoing: OutgoingConfig::default(),
        compiler: None,
        server: ServerConfig { grace: Duration::from_secs(3600), ..ServerConfig::default() },
        callers: CallersConfig::default(),
        audit: AuditConfig::default(),
        job_limits: limits.clone(),
        limits,
        jobs: JobsConfig::default(),
        data: directory.join("data"),
        tokens: Some(directory.join("data")),
    }
}

fn guests() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/test-guests");
    std::env::var_os("TARP_GUESTS").map_or_else(default, PathBuf::from)
}

/// The names of this process's threads, with how many have each.
fn threads() -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        // One that has ended since has no name.
        if let Ok(name) = std::fs::read_to_string(task.unwrap().path().join("comm")) {
            *names.entry(name.trim().to_owned()).or_default() += 1;
        }
    }
    names
}

/// Sends what is to be sent on a connection of its own.
fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

fn request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}

/// The reply to a request, up to the first time that it has all of these words.
fn answered(address: SocketAddr, request: &str, words: &[&str]) -> (TcpStream, String) {
    let mut stream = sent(address, request.as_bytes());
    let (mut reply, mut buffer) = (String::new(), [0; 4096]);
    while !words.iter().all(|word| reply.contains(word)) {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the connection ended after {reply:?}");
        reply.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    (stream, reply)
}

/// `GET /-/events` by HTTP/2 with prior knowledge: the preface, empty settings, and a frame of headers.
fn events_by_http_2() -> Vec<u8> {
    let mut block = vec![0x82, 0x86];
    for (index, value) in [(0x04, "/-/events"), (0x01, "localhost")] {
        block.extend([index, value.len() as u8]);
        block.extend(value.as_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend([0, 0, block.len() as u8, 0x01, 0x05, 0, 0, 0, 1]);
    bytes.extend(block);
    bytes
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not so: {what}; threads: {:?}", threads());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_left_running_of_a_host_that_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let own_threads = || {
        let is_own = |name: &String| {
            // Of the last, the system keeps the beginning.
            ["tarp-job", "tarp-long-call", "job-store", "job-store-log", "notify-rs inoti"]
                .contains(&name.as_str())
        };
        threads().into_iter().filter(|(name, _)| is_own(name)).collect::<BTreeMap<_, _>>()
    };
    let tasks = || Handle::current().metrics().num_alive_tasks();
    assert_eq!(own_threads(), BTreeMap::new());
    let tasks_before = tasks();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let host = Host::new(config(directory.path())).await.unwrap();
    let (tell, ready) = oneshot::channel();
    let tell = move |_: &_| tell.send(()).unwrap();
    let serving = tokio::spawn(host.serve(listener, tell, std::future::pending()));
    ready.await.unwrap();

    // A job and calls that go on for an hour, streams of events, and an idle connection.
    let streams = tokio::task::spawn_blocking(move || {
        let job = request("/until_asked_to_stop", "Prefer: respond-async\r\n");
        let (job, reply) = answered(address, &job, &["\"id\":\"", "}"]);
        let id = reply.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let events = request(&format!("/-/jobs/{id}/events"), "");
        let (of_job, _) = answered(address, &events, &["\"state\":\"running\""]);
        let (of_host, _) = answered(address, &request("/-/events", ""), &["event: catalog"]);
        let mut of_host_by_http_2 = sent(address, &events_by_http_2());
        // The settings, and then something of the stream.
        let mut reply = vec![0; 64];
        of_host_by_http_2.read_exact(&mut reply).unwrap();
        let waiting = sent(address, request("/until_asked_to_stop", "").as_bytes());
        let computing = sent(address, request("/burn?steps=100000000000", "").as_bytes());
        [job, of_job, of_host, of_host_by_http_2, waiting, computing]
    })
    .await
    .unwrap();
    until("the host has all of its threads", || own_threads().len() == 5).await;

    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    until("no task is left", || tasks() <= tasks_before).await;
    until("no thread is left", || own_threads().is_empty()).await;
    assert!(TcpStream::connect(address).is_err(), "the port is still open");
    for mut stream in streams {
        let mut rest = Vec::new();
        // Reset or closed, but over.
        let _ = stream.read_to_end(&mut rest);
    }
    // The store is closed, and has the job for the next host.
    let next = Host::new(config(directory.path())).await.unwrap();
    drop(next);
    until("a host that never served leaves nothing either", || {
        tasks() <= tasks_before && own_threads().is_empty()
    })
    .await;
}
