"""The real host as a child process, and the plainest ways to call what it serves.

Everything that the tests know about starting, stopping and addressing the host is here: its
command line, its two lines on standard output, the envelope and the receipt of a call.
"""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import requests

REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = REPOSITORY / "tests"
BINARY = Path(os.environ.get("TARP_BIN") or REPOSITORY / "target/debug/tarp")
GUESTS = Path(os.environ.get("TARP_GUESTS") or REPOSITORY / "target/test-guests")

#: The examples that load and do what they say. `misbehave_at_start` never answers a call.
GOOD_GUESTS = (
    *("math", "text", "shapes", "maps", "misbehave", "asynchronous", "jobs"),
    *("stats", "plot", "namesakes"),
)

LISTENING = re.compile(r"listening on (https?://\S+:\d+), watching (.+)")
READY = re.compile(r"ready: (\d+) procedures? from (\d+) components?(?:,? with (\d+) problems?)?")

#: Long enough for a busy machine; what takes so long has failed.
DEADLINE = 30.0

#: The states in which a job may end.
TERMINAL = frozenset({"succeeded", "failed", "cancelled", "timed_out", "interrupted"})


def eventually(check: Callable[[], Any], deadline: float = DEADLINE) -> Any:
    """Calls `check` until it returns something true without an AssertionError; gives that back."""
    end = time.monotonic() + deadline
    while True:
        try:
            if result := check():
                return result
            failure = AssertionError(f"still {result!r} after {deadline} s")
        except AssertionError as error:
            failure = error
        if time.monotonic() > end:
            raise failure
        time.sleep(0.02)


def place(source: Path | bytes, target: Path) -> None:
    """Puts a file where it belongs at once, as a careful program does: under another name first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.part")
    if isinstance(source, bytes):
        unfinished.write_bytes(source)
    else:
        shutil.copyfile(source, unfinished)
    unfinished.replace(target)


def guest(name: str) -> Path:
    """The component of an example."""
    return GUESTS / f"{name}.wasm"


class Receipt(NamedTuple):
    """What a call used, as the reply's headers say."""

    fuel: int
    peak_memory: int
    instantiate_us: int
    run_us: int

    @classmethod
    def of(cls, reply: requests.Response) -> Self:
        names = ("fuel", "peak-memory", "instantiate-us", "run-us")
        return cls(*(int(reply.headers[f"x-tarp-{name}"]) for name in names))


@dataclass(eq=False)
class CallFailed(Exception):
    """A reply that is not a success, taken apart."""

    status: int
    body: dict[str, Any]
    reply: requests.Response

    def __post_init__(self) -> None:
        super().__init__(f"{self.status} {self.kind}: {self.message}")

    @property
    def kind(self) -> str:
        return self.body["type"]

    @property
    def message(self) -> str:
        return self.body["message"]


def result_of(reply: requests.Response) -> Any:
    """The result in an envelope of success; CallFailed for an envelope of failure."""
    assert reply.headers["Content-Type"] == "application/json", reply.headers
    body = reply.json()
    if reply.status_code == 200:
        assert body["status"] == "success", body
        return body["result"]
    assert body["status"] == "error", body
    assert isinstance(body["type"], str), body
    assert isinstance(body["message"], str), body
    raise CallFailed(reply.status_code, body, reply)


def bare(reply: requests.Response) -> Any:
    """The JSON of a success under `/-/`, which has no envelope; CallFailed for a failure."""
    if reply.ok:
        assert reply.headers["Content-Type"] == "application/json", reply.headers
        return reply.json()
    return result_of(reply)


def at(text: str) -> datetime:
    """A time as a job has it: RFC 3339, in UTC."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), text
    return datetime.fromisoformat(text)


def pickled(value: Any, protocol: int | None = None) -> str:
    """A value as the two fields of an RPC body carry it."""
    return base64.b64encode(pickle.dumps(value, protocol)).decode()


def rpc_body(*args: Any, protocol: int | None = None, **kwargs: Any) -> dict[str, str]:
    return {"args": pickled(args, protocol), "kwargs": pickled(kwargs, protocol)}


def run_binary(*arguments: str | Path, deadline: float = DEADLINE) -> subprocess.CompletedProcess:
    """Runs the binary to its end, for starts that are to be refused."""
    command = [str(BINARY), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as data:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=deadline,
            env=clean_environment() | {"TARP_DATA": data},
            check=False,
        )


def clean_environment() -> dict[str, str]:
    """Without the variables that configure the host: a test says all that it wants itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TARP_")}


class Host:
    """One process of the host that watches one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path,
        log_file: Path,
        config: Path | None = None,
        flags: Iterable[str | Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.cache = cache
        self.log_file = log_file
        self.address = ""
        #: What `requests` verifies a certificate against.
        self.verify: str | bool = True
        #: What must survive the host: another one with the same folder takes it up.
        self.data = log_file.parent / "data"
        self._port = 0
        self._arguments = ["serve", folder, "--cache", cache]
        self._arguments += flags
        if config:
            self._arguments += ["--config", config]
        self._environment = clean_environment() | dict(environment or {})
        if "FAULTS_TRIGGER" in self._environment:
            # What is preloaded looks at a file that is no affair of a host.
            self._environment["TARP_NO_LANDLOCK"] = "1"
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._lines: list[str] = []
        self._said = threading.Condition()
        self._ended = False
        self._local = threading.local()

    # Its life.

    def start(self) -> Self:
        """Starts the process and waits until it serves everything that is in the folder."""
        self.launch()
        self.said(READY)
        return self

    def launch(self) -> None:
        """Starts the process and waits until it listens."""
        if self._reader:
            self._reader.join()
        self._lines, self._ended = [], False
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
            )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self.address = self.said(LISTENING).group(1)

    def _command(self) -> list[str]:
        own = ["--port", self._port, "--data", self.data]
        return [str(BINARY), *map(str, [*self._arguments, *own])]

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                with self._said:
                    self._lines.append(line.rstrip("\n"))
                    self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def said(self, pattern: re.Pattern[str], deadline: float = DEADLINE) -> re.Match[str]:
        """Waits for a line on standard output."""

        def found() -> re.Match[str] | None:
            return next(filter(None, map(pattern.fullmatch, self._lines)), None)

        with self._said:
            self._said.wait_for(lambda: found() or self._ended, deadline)
            match = found()
        output = "\n".join(self._lines)
        assert match, f"no line like {pattern.pattern!r} in:\n{output}\nlog:\n{self.log}"
        return match

    @property
    def output(self) -> list[str]:
        """The lines that it has written to standard output so far."""
        return list(self._lines)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process
        return self._process.pid

    @property
    def memory(self) -> int:
        """Bytes of memory that the process has now, shared libraries included."""
        statm = Path(f"/proc/{self.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGESIZE")

    @property
    def log(self) -> str:
        """All that it wrote to standard error."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def ask_to_stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self._process
        self._process.send_signal(how)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Waits for its end; gives its exit code."""
        assert self._process
        return self._process.wait(deadline)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.ask_to_stop(how)
        return self.wait()

    def restart(self) -> Self:
        """Starts it again after its end, at the same address and with the same data."""
        self._port = self.port
        return self.start()

    def kill(self) -> None:
        """Ends this process, whatever it is doing, if it has not ended by itself."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(DEADLINE)

    # Calls.

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    @property
    def session(self) -> requests.Session:
        """One for each thread, as `requests` wants it."""
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            # What the machine's variables say of proxies and certificates has no part in this.
            self._local.session.trust_env = False
            self._local.session.verify = self.verify
        return self._local.session

    def request(self, method: str, path: str = "/", **options: Any) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=DEADLINE, **options)

    def get(self, name: str, query: Any = None) -> Any:
        """Calls a procedure as a browser's address bar does."""
        return result_of(self.request("GET", f"/{name}", params=query))

    def post(self, name: str, arguments: Any) -> Any:
        """Calls a procedure with JSON: an object by name, an array by position."""
        return result_of(self.request("POST", f"/{name}", json=arguments))

    def rpc(self, name: str, *args: Any, protocol: int | None = None, **kwargs: Any) -> Any:
        """Calls a procedure with pickles, as the original client does."""
        body = rpc_body(*args, protocol=protocol, **kwargs)
        payload = result_of(self.request("POST", f"/{name}", json=body))["payload"]
        return pickle.loads(base64.b64decode(payload, validate=True))

    def outcome(self, name: str, *positional: Any, **named: Any) -> str:
        """How a call with JSON ends: `success`, or the type of its failure."""
        try:
            self.post(name, named or list(positional))
        except CallFailed as failed:
            return failed.kind
        return "success"

    # Jobs.

    def submit(self, name: str, *positional: Any, **headers: str) -> dict[str, Any]:
        """Queues a call with JSON by position; gives the job. Headers with `_` in place of `-`."""
        wanted = {"Prefer": "respond-async"}
        wanted |= {header.replace("_", "-"): value for header, value in headers.items()}
        reply = self.request("POST", f"/{name}", json=list(positional), headers=wanted)
        job = bare(reply)
        assert reply.status_code == 202, reply.status_code
        return job

    def job(self, handle: str) -> dict[str, Any]:
        return bare(self.request("GET", f"/-/jobs/{handle}"))

    def jobs(self, **query: Any) -> list[dict[str, Any]]:
        """The first thousand jobs that a query asks for, newest first."""
        return bare(self.request("GET", "/-/jobs", params={"limit": 1000} | query))["jobs"]

    def cancel(self, handle: str) -> dict[str, Any]:
        """Asks a job to stop; one that has ended is kept."""
        return bare(self.request("DELETE", f"/-/jobs/{handle}?keep=true"))

    def logs(self, handle: str) -> dict[str, Any]:
        return bare(self.request("GET", f"/-/jobs/{handle}/logs"))

    def result(self, handle: str, wait: float = DEADLINE - 5) -> Any:
        """The result of a job as soon as it is there; CallFailed where there is none."""
        return result_of(self.request("GET", f"/-/jobs/{handle}/result", params={"wait": wait}))

    def ended(self, handle: str) -> dict[str, Any]:
        """The job as it is after its end."""
        with contextlib.suppress(CallFailed):
            self.result(handle)
        job = self.job(handle)
        assert job["state"] in TERMINAL, job
        return job

    def running(self, handle: str) -> dict[str, Any]:
        """The job as soon as a guest works on it."""
        return eventually(lambda: (job := self.job(handle))["state"] == "running" and job)

    # What it serves.

    def listing(self) -> dict[str, Any]:
        return result_of(self.request("GET"))

    def descriptions(self) -> dict[str, str]:
        """The documentation of every procedure that is called with arguments, by name."""
        listing = self.listing()
        return {
            entry["name"]: entry["description"]
            for kind in ("RPC", "ASYNCRPC")
            for entry in listing[kind]
        }

    def serves(self, name: str) -> bool:
        return name in self.descriptions()

    def problems(self) -> dict[str, list[dict[str, Any]]]:
        """What is wrong with files of the folder, by file."""
        problems: dict[str, list[dict[str, Any]]] = {}
        for problem in self.listing()["problems"]:
            problems.setdefault(problem["file"], []).append(problem)
        return problems


#: Makes hosts for a test; see the fixture `make_host`.
MakeHost = Callable[..., Host]


@contextlib.contextmanager
def in_background(task: Callable[[threading.Event], None], count: int = 1) -> Iterator[None]:
    """Runs `task` in threads of its own beside the block; it is to return when its event is set.

    What it raises is raised at the block's end.
    """
    over = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            task(over)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
