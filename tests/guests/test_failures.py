"""Guests that misbehave: each caller gets the failure of the table, with the guest's own words, and
nobody else notices."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from host import CallFailed, Host, MakeHost, Receipt, in_background

#: Small enough that every misbehaviour ends soon, and each by the limit that it is about.
SIDECAR = """
[limits]
fuel = 1_000_000_000
memory = "64 MiB"
deadline = "20 s"
result = "1 MiB"

[procedures.spin.limits]
fuel = 200_000_000

[procedures.sleep_for.limits]
deadline = "700 ms"

[procedures.flood_stdout.limits]
fuel = 20_000_000

[procedures.flood_stderr.limits]
fuel = 20_000_000
"""

S64_MIN = -(2**63)


class Misbehaviour(NamedTuple):
    """A call and what its caller must see."""

    procedure: str
    arguments: dict[str, Any]
    status: int
    kind: str
    #: Parts of the message.
    words: tuple[str, ...]

    def __str__(self) -> str:
        return "-".join([self.procedure, *map(str, self.arguments.values())])


MISBEHAVIOURS = [
    Misbehaviour("spin", {}, 500, "OutOfFuel", ("`spin`", "fuel", "200000000")),
    Misbehaviour("recurse", {}, 500, "Trap", ("`recurse`", "call itself without end")),
    Misbehaviour("recurse_with_frames", {}, 500, "Trap", ("call itself without end",)),
    Misbehaviour("panic", {"message": "it broke"}, 500, "Trap", ("`panic`", "it broke", ".rs:")),
    Misbehaviour("unreachable", {}, 500, "Trap", ("`unreachable`", "unreachable")),
    Misbehaviour(
        "read_item", {"index": 7}, 500, "Trap", ("the len is 3 but the index is 7", ".rs:")
    ),
    Misbehaviour("divide", {"dividend": 1, "divisor": 0}, 500, "Trap", ("divide by zero",)),
    Misbehaviour("divide", {"dividend": S64_MIN, "divisor": -1}, 500, "Trap", ("overflow",)),
    Misbehaviour("hog", {}, 500, "OutOfMemory", ("`hog`", "64", "MiB", "memory")),
    Misbehaviour("hog_politely", {}, 500, "OutOfMemory", ("`hog_politely`", "memory")),
    Misbehaviour("hog_slowly", {"milliseconds": 1}, 500, "OutOfMemory", ("64", "MiB")),
    Misbehaviour("flood_stdout", {"bytes": 1 << 60}, 500, "OutOfFuel", ("fuel",)),
    Misbehaviour("flood_stderr", {"bytes": 1 << 60}, 500, "OutOfFuel", ("fuel",)),
    Misbehaviour("flood_result", {"bytes": 2 << 20}, 413, "TooLarge", ("`flood_result`", "result")),
    Misbehaviour(
        "sleep_for", {"milliseconds": 60_000}, 504, "DeadlineExceeded", ("deadline", "700ms")
    ),
    Misbehaviour("quit", {"code": 0}, 500, "Trap", ("`quit`", "exit code 0")),
    Misbehaviour("quit", {"code": 3}, 500, "Trap", ("`quit`", "exit code")),
    Misbehaviour("fail_with_string", {"message": "no"}, 500, "ProcedureError", ("no",)),
    Misbehaviour("fail_with_nothing", {}, 500, "ProcedureError", ("`fail_with_nothing`",)),
    Misbehaviour("fail_as_busy", {"message": "m"}, 503, "OperationInProgress", ("m",)),
    Misbehaviour("answer_at_start", {}, 500, "Trap", ("this component cannot start",)),
]


@pytest.fixture(scope="module")
def wild(make_module_host: MakeHost) -> Host:
    return make_module_host(
        "math", "misbehave", "misbehave_at_start", sidecars={"misbehave": SIDECAR}
    )


def failure(host: Host, procedure: str, arguments: dict[str, Any]) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        host.post(procedure, arguments)
    return caught.value


# What the caller sees.


@pytest.mark.parametrize("case", MISBEHAVIOURS, ids=str)
@pytest.mark.parametrize("way", ["JSON", "RPC", "query"])
def test_the_caller_gets_the_failure(wild: Host, case: Misbehaviour, way: str) -> None:
    call = {
        "JSON": lambda: wild.post(case.procedure, case.arguments),
        "RPC": lambda: wild.rpc(case.procedure, **case.arguments),
        "query": lambda: wild.get(case.procedure, case.arguments),
    }[way]
    with pytest.raises(CallFailed) as caught:
        call()
    error = caught.value
    assert (error.status, error.kind) == (case.status, case.kind), error
    for word in case.words:
        assert word in error.message
    assert ("Retry-After" in error.reply.headers) == (case.kind == "OperationInProgress")


@pytest.mark.parametrize("case", MISBEHAVIOURS, ids=str)
def test_a_failed_call_has_its_receipt(wild: Host, case: Misbehaviour) -> None:
    receipt = Receipt.of(failure(wild, case.procedure, case.arguments).reply)
    assert min(receipt) >= 0
    assert receipt.fuel > 0
    assert 0 < receipt.peak_memory <= 512 << 20


def test_nothing_of_the_host_shows_in_a_failure(wild: Host) -> None:
    for case in MISBEHAVIOURS:
        text = failure(wild, case.procedure, case.arguments).reply.text
        assert str(wild.folder) not in text
        assert str(wild.cache) not in text
        assert "tarp_host" not in text
        assert "wasmtime" not in text


@pytest.mark.parametrize(
    ("procedure", "arguments", "function"),
    [
        ("panic", {"message": "m"}, "panic"),
        ("recurse", {}, "descend"),
        ("recurse_with_frames", {}, "descend_with_frames"),
        ("unreachable", {}, "abort"),
        ("spin", {}, "spin"),
    ],
)
def test_a_backtrace_names_the_guests_functions(
    wild: Host, procedure: str, arguments: dict[str, Any], function: str
) -> None:
    backtrace = failure(wild, procedure, arguments).body["backtrace"]
    assert isinstance(backtrace, str)
    assert function in backtrace
    assert len(backtrace) < 100_000, "a deep recursion is not shown whole"


def test_a_panic_is_told_in_the_guests_words(wild: Host) -> None:
    error = failure(wild, "panic", {"message": "first line\nsecond line: ü"})
    assert "first line\nsecond line: ü" in error.message
    assert re.search(r"\w+\.rs:\d+:\d+", error.message), "the place in the guest's source"
    assert "first line\nsecond line: ü" in error.body["stderr"]


def test_procedures_errors_keep_their_value(wild: Host) -> None:
    record = {"code": 7, "message": "lens", "attempts": ["first", "second"]}
    cases: list[tuple[str, dict[str, Any], Any]] = [
        ("fail_with_string", {"message": "no light"}, "no light"),
        ("fail_with_record", {"message": "lens"}, record),
        ("fail_with_enum", {}, "too_bright"),
        ("fail_with_number", {"number": -3}, -3),
        ("fail_with_list", {"messages": ["a", "b"]}, ["a", "b"]),
    ]
    for procedure, arguments, value in cases:
        error = failure(wild, procedure, arguments)
        assert (error.status, error.kind) == (500, "ProcedureError")
        assert error.body["value"] == value
        for part in value.values() if isinstance(value, dict) else [value]:
            if isinstance(part, str | int):
                assert str(part) in error.message
    assert failure(wild, "fail_with_string", {"message": "no light"}).message == "no light"
    assert "value" not in failure(wild, "fail_with_nothing", {}).body


def test_failures_of_our_own_type_choose_what_the_caller_sees(wild: Host) -> None:
    busy = failure(wild, "fail_as_busy", {"message": "in use", "retry_after": 7})
    assert (busy.status, busy.kind, busy.message) == (503, "OperationInProgress", "in use")
    assert busy.reply.headers["Retry-After"] == "7"
    state = failure(wild, "fail_as_invalid_state", {"message": "shut"})
    assert (state.status, state.kind, state.message) == (503, "InvalidServerState", "shut")
    other = failure(wild, "fail_as_other", {"message": "lost"})
    assert (other.status, other.kind, other.message) == (500, "ProcedureError", "lost")


# Output.


def test_output_of_a_failed_call_is_shown_and_of_a_good_one_is_not(wild: Host) -> None:
    assert wild.post("chatter", ["hello"]) == "hello"
    reply = wild.request("POST", "/chatter", json=["hello"])
    assert reply.json() == {"status": "success", "mimetype": "text/plain", "result": "hello"}


def test_floods_are_counted_by_the_guest_and_cut_by_the_host(wild: Host) -> None:
    for stream in ("stdout", "stderr"):
        assert wild.post(f"flood_{stream}", {"bytes": 1_000_000}) == 1_000_000
        error = failure(wild, f"flood_{stream}", {"bytes": 1 << 60})
        output = error.body[stream]
        assert output.startswith("xxxx")
        assert output.endswith("xxxx")
        assert "left out" in output
        assert len(output) <= (64 << 10) + 100, "the default limit, and a mark"


def test_a_long_panic_is_cut_at_the_configured_limit(make_host: MakeHost) -> None:
    host = make_host("misbehave", config="[limits]\noutput = '2 KiB'\n")
    error = failure(host, "panic", {"message": "begin " + "x" * 100_000 + " end"})
    assert "begin" in error.body["stderr"]
    assert "end" in error.body["stderr"]
    assert "left out" in error.body["stderr"]
    assert len(error.body["stderr"]) < 2 * 1024 + 100
    assert "begin" in error.message
    assert len(error.message) < 3000


# Nobody else notices.


def calls_of_others(host: Host) -> Any:
    """Calls `add` until told to stop, at least once; every answer must be right."""

    def call(over: threading.Event) -> None:
        n = 0
        while n == 0 or not over.is_set():
            assert host.get("add", {"x": n, "y": 1}) == n + 1
            assert host.rpc("add", n, 2) == n + 2
            n += 1

    return in_background(call, 2)


@pytest.mark.parametrize("case", MISBEHAVIOURS, ids=str)
def test_others_are_answered_meanwhile(wild: Host, case: Misbehaviour) -> None:
    with calls_of_others(wild), ThreadPoolExecutor(4) as pool:
        errors = pool.map(lambda _: failure(wild, case.procedure, case.arguments), range(8))
        assert {(error.status, error.kind) for error in errors} == {(case.status, case.kind)}
    assert wild.is_running


def test_all_misbehave_at_once(wild: Host) -> None:
    cases = MISBEHAVIOURS * 3
    with calls_of_others(wild), ThreadPoolExecutor(len(MISBEHAVIOURS)) as pool:
        errors = pool.map(lambda case: failure(wild, case.procedure, case.arguments), cases)
        for case, error in zip(cases, errors, strict=True):
            assert (error.status, error.kind) == (case.status, case.kind), error
    assert wild.is_running
    assert "panicked" not in wild.log, "only guests panic, and their callers hear of it"


def test_a_component_that_cannot_start_is_listed_and_hurts_no_other(wild: Host) -> None:
    assert wild.serves("answer_at_start")
    error = failure(wild, "answer_at_start", {})
    assert "panic" in error.body["backtrace"]
    assert "this component cannot start" in error.body["stderr"]
    assert wild.rpc("add", 1, 2) == 3
