"""Every type of failure, as an exception with everything that the host says."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import pickle
import re
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from running_host import RunningHost
from script import failure, reply

import tarp
import tarp.aio
from tarp._address import parse_address
from tarp._message import Reply
from tarp._replies import failure_of, outcome_of
from tarp._transport import cannot_connect

#: Failures that the examples produce: what they are in Python's own terms, and who fails so.
PRODUCED: dict[str, tuple[type[BaseException], str, tuple[Any, ...]]] = {
    "BadArguments": (TypeError, "add", ("one", 2)),
    "ProcedureError": (RuntimeError, "fail_with_record", ("lens",)),
    "Trap": (RuntimeError, "panic", ("it broke",)),
    "OutOfFuel": (RuntimeError, "spin", ()),
    "OutOfMemory": (MemoryError, "hog", ()),
    "TooLarge": (ValueError, "flood_result", (1 << 28,)),
    "DeadlineExceeded": (TimeoutError, "sleep_for", (60_000,)),
    "OperationInProgress": (Exception, "fail_as_busy", ("in use", 7)),
    "InvalidServerState": (Exception, "fail_as_invalid_state", ("shut",)),
}

#: All types on the wire, and what they are besides.
TYPES: dict[str, type[BaseException]] = {
    **{name: row[0] for name, row in PRODUCED.items()},
    "BadRequest": ValueError,
    "Unauthorized": PermissionError,
    "Forbidden": PermissionError,
    "NotFound": LookupError,
    "MethodNotAllowed": Exception,
    "NotAcceptable": Exception,
    "UnsupportedMediaType": TypeError,
    "RequestTimeout": TimeoutError,
    "TooManyRequests": Exception,
    "Gone": LookupError,
    "Conflict": Exception,
    "PreconditionFailed": Exception,
    "Overloaded": Exception,
    "StorageFull": OSError,
    "Unavailable": Exception,
    "Cancelled": concurrent.futures.CancelledError,
    "Interrupted": Exception,
    "Internal": Exception,
}

SIDECAR = """
[limits]
fuel = 1_000_000_000
memory = "64 MiB"
[procedures.sleep_for.limits]
deadline = "500 ms"
[procedures.spin.limits]
fuel = 100_000_000
[procedures.flood_result.limits]
memory = "512 MiB"
result = "1 MiB"
"""


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory, cache: Any) -> Any:
    home = tmp_path_factory.mktemp("host")
    (home / "procedures").mkdir()
    (home / "procedures" / "misbehave.toml").write_text(SIDECAR)
    server = RunningHost(home, cache, guests=("math", "misbehave"))
    with tarp.connect(server.url) as host:
        yield host
    server.kill()


@pytest.mark.parametrize("name", PRODUCED)
def test_a_failure_is_an_exception_of_its_own_type(wild: tarp.Host, name: str) -> None:
    base, procedure, arguments = PRODUCED[name]
    with pytest.raises(getattr(tarp, name)) as caught:
        wild[procedure](*arguments)
    error = caught.value
    assert isinstance(error, base)
    assert isinstance(error, tarp.RemoteError)
    assert error.type == name
    assert str(error) == error.message != ""
    if name != "BadArguments":
        assert error.receipt.fuel > 0


def test_what_is_not_there_and_what_contradicts(host: tarp.Host) -> None:
    with pytest.raises(tarp.NotFound):
        host.job("00000000-0000-4000-8000-000000000000")
    once = host.add.options(idempotency_key="one")
    once.submit(1, 2)
    with pytest.raises(tarp.Conflict):
        once.submit(3, 4)
    job = host.count_to.submit(1_000, 1_000)
    job.cancel()
    with pytest.raises(tarp.Cancelled):
        job.result(60)


def test_a_result_that_is_no_longer_kept_is_gone(make_server: Any, tmp_path: Path) -> None:
    config = tmp_path / "tarp.toml"
    config.write_text('[jobs]\nkeep_results = "1 ms"\nprune_every = "50 ms"\n')
    server = make_server("math", flags=("--config", str(config)))
    with tarp.connect(server.url) as host:
        job = host.add.submit(1, 2)
        # On a busy machine it may be gone already.
        with contextlib.suppress(tarp.Gone):
            assert job.result(60) == 3
        end = time.monotonic() + 60

        def look() -> None:
            while time.monotonic() < end:
                host.job(job.id)

        with pytest.raises(tarp.Gone):
            look()


def test_when_every_place_is_taken_the_host_is_overloaded(make_server: Any, tmp_path: Path) -> None:
    config = tmp_path / "tarp.toml"
    config.write_text("[server]\nmax_calls = 1\n")
    server = make_server("math", "misbehave", flags=("--config", str(config)))
    with tarp.connect(server.url) as host, concurrent.futures.ThreadPoolExecutor(1) as pool:
        long = pool.submit(host.sleep_for, 4_000)

        def insist() -> None:
            # The long call may still be on its way.
            while not long.done():
                host.add(1, 2)

        with pytest.raises(tarp.Overloaded) as caught:
            insist()
        assert caught.value.retry_after == 1
        assert long.result() == 4_000


def test_a_name_that_is_not_the_hosts_is_forbidden(
    server: RunningHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def everything_is_here(_: object, *rest: Any, **named: Any) -> Any:
        return resolve("127.0.0.1", *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", everything_is_here)
    port = server.url.rpartition(":")[2]
    with pytest.raises(tarp.Forbidden, match=r"lab\.invalid") as caught:
        tarp.connect(f"http://lab.invalid:{port}")
    assert isinstance(caught.value, PermissionError)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_on_the_wire_has_its_class(name: str) -> None:
    error = failure_of(failure(name, 500, "as it is", retry_after="3"))
    assert type(error).__name__ == name.replace("Internal", "InternalError")
    assert isinstance(error, TYPES[name])
    assert isinstance(error, tarp.TarpError)
    assert str(error) == "as it is"
    assert getattr(tarp, type(error).__name__) is type(error)
    assert error.retry_after == 3  # type: ignore[attr-defined]


def test_a_type_of_a_newer_host_is_a_remote_error() -> None:
    error = failure_of(failure("Unheard", 418, "of"))
    assert type(error) is tarp.RemoteError
    assert error.type == "Unheard"


def test_the_error_of_the_procedure_comes_as_its_value(wild: tarp.Host) -> None:
    with pytest.raises(tarp.ProcedureError) as caught:
        wild.fail_with_record("lens")
    assert caught.value.value["code"] == 7
    assert caught.value.value["message"] == "lens"
    with pytest.raises(tarp.ProcedureError, match=r"^no light$"):
        wild.fail_with_string("no light")


def test_a_crash_comes_with_backtrace_and_output(wild: tarp.Host) -> None:
    with pytest.raises(tarp.Trap) as caught:
        wild.panic("it broke")
    error = caught.value
    assert "panic" in error.backtrace
    assert "it broke" in error.stderr
    if sys.version_info >= (3, 11):
        assert any("backtrace" in note for note in error.__notes__)


def test_a_busy_procedure_says_when_to_come_again(wild: tarp.Host) -> None:
    with pytest.raises(tarp.OperationInProgress) as caught:
        wild.fail_as_busy("in use", 7)
    assert caught.value.retry_after == 7


def test_wrong_arguments_say_which_and_why(wild: tarp.Host) -> None:
    for arguments, named, words in [
        (("one", 2), {}, "`x`"),
        ((1,), {}, "`y`"),
        ((1, 2, 3), {}, "3"),
        ((1,), {"z": 2}, "`z`"),
    ]:
        with pytest.raises(tarp.BadArguments, match=words):
            wild.add(*arguments, **named)


def test_exceptions_survive_pickling() -> None:
    for name in TYPES:
        error = failure_of(failure(name, 500, "as it is"))
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == "as it is"
        assert again.__dict__ == error.__dict__  # type: ignore[union-attr]


def test_nobody_at_the_address() -> None:
    words = r"^cannot connect to http://127\.0\.0\.1:1: .*; does `tarp serve` run there"
    with pytest.raises(tarp.ConnectionFailed, match=words):
        tarp.connect("http://user:secret@127.0.0.1:1", retry_for=0)

    async def connect() -> None:
        await tarp.aio.connect("http://127.0.0.1:1", retry_for=0)

    with pytest.raises(tarp.ConnectionFailed, match=words):
        asyncio.run(connect())


def untrusted(code: int, why: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {why}")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "words", "is_lasting"),
    [
        (socket.timeout("timed out"), "nothing answered in time; .* firewall", False),
        (socket.gaierror(socket.EAI_NONAME, "Name not known"), "not known; .* spelt", True),
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), "Try again$", False),
        (untrusted(19, "self-signed certificate in chain"), r"chain.*; `verify`.*ca\.pem", True),
        (untrusted(62, "Hostname mismatch"), "Hostname mismatch[^;]*$", True),
        (ssl.SSLError(1, "wrong version number"), "; does it speak TLS", True),
        (OSError(113, "No route to host"), "No route to host$", False),
    ],
)
def test_why_there_is_no_connection_comes_with_its_cure(
    error: OSError, words: str, is_lasting: bool
) -> None:
    failure = cannot_connect(parse_address("https://lab.example"), error)
    assert re.search(words, str(failure))
    assert isinstance(failure, tarp.ConnectionFailed)
    assert failure.is_lasting is is_lasting


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (reply({"hello": "world"}, 404), "no TARP host answers so: 404"),
        (Reply(200, {"content-type": "text/html"}, b"<title>Log in</title>"), "so: 200 Log in"),
        (reply({}, 302, location="https://lab.example/"), "connect to that address"),
        (reply(["result"]), "envelope"),
    ],
)
def test_what_no_host_answers_is_an_invalid_reply(body: Any, words: str) -> None:
    with pytest.raises(tarp.InvalidReply, match=words):
        outcome_of(body)


def test_the_tree_in_the_documentation_is_the_tree() -> None:
    from tarp import _exceptions

    drawn = _exceptions.__doc__ or ""
    for name in tarp.__all__:
        cls = getattr(tarp, name)
        if isinstance(cls, type) and issubclass(cls, tarp.TarpError):
            assert f"{name} " in drawn or f"{name}\n" in drawn, name
