"""Short requests that stand for much: what is made of a body is charged, or refused."""

from __future__ import annotations

import base64
import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from host import Host, MakeHost
from watch import MIB, Watch

BUDGET = "[server]\nmemory = '512 MiB'\n"
RAW = {"Content-Type": "application/vnd.tarp.pickle"}


@pytest.fixture(scope="module")
def target(make_module_host: MakeHost) -> Host:
    return make_module_host("math", "text", "shapes", config=BUDGET)


def send(target: Host, path: str, body: bytes, **headers: str) -> tuple[int, dict]:
    reply = target.request("POST", path, data=body, headers=headers)
    return reply.status_code, reply.json()


@pytest.mark.attack(
    "60 MiB of JSON made of tiny objects, twice at once",
    "413 or 503; what is made of a body is charged",
)
def test_json_of_many_objects(target: Host) -> None:
    """63 MiB of objects took 4.3 GB, and were then refused; two at once ended the host."""
    body = b"[" + b",".join([b'{"a":1}'] * (60 * MIB // 8)) + b"]"
    json = {"Content-Type": "application/json"}

    def attack(_: int) -> tuple[int, dict]:
        reply = target.request("POST", "/add", data=body, headers=json)
        return reply.status_code, reply.json()

    with Watch(target) as watch, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attack, range(2)))
    watch.check(growth=700 * MIB)
    for status, failure in answers:
        assert (status, failure["type"]) in [(413, "TooLarge"), (503, "Overloaded")], failure


def doubled(levels: int) -> bytes:
    """A pickle of lists that hold one another twice: 2 to the power of `levels` items."""
    value: list = []
    for _ in range(levels):
        value = [value, value]
    return pickle.dumps(((value,), {}), 4)


@pytest.mark.attack(
    "a pickle of 149 bytes that stands for 4 million lists",
    "400, with a budget that goes by the size of the request",
)
def test_a_pickle_of_shared_lists(target: Host) -> None:
    """149 bytes took 440 MB, and seconds of a core, before they were refused."""
    attack = doubled(22)
    assert len(attack) < 400
    with Watch(target) as watch:
        begun = time.monotonic()
        status, failure = send(target, "/sum", attack, **RAW)
        took = time.monotonic() - begun
    watch.check(growth=96 * MIB)
    assert (status, failure["type"]) == (400, "BadRequest"), failure
    assert "bytes of memory" in failure["message"]
    assert took < 10


def test_a_pickle_as_large_as_what_it_means_is_read(target: Host) -> None:
    """The budget is the request's own: it grows with it."""
    numbers = [float(n % 7) for n in range(3_000_000)]
    body = pickle.dumps(((numbers,), {}), 4)
    reply = target.request("POST", "/sum", data=body, headers=RAW)
    assert reply.json()["result"] == sum(numbers)
    reply = target.request(
        "POST", "/sum", data=pickle.dumps(((range(1_000_000),), {})), headers=RAW
    )
    assert reply.json()["result"] == sum(range(1_000_000))


@pytest.mark.attack(
    "a job of 100,000 references to one text of 1 MiB",
    "413 before anything is written out",
)
@pytest.mark.parametrize("procedure", ["join_many", "add"])
def test_a_job_of_shared_text_is_not_written_out(target: Host, procedure: str) -> None:
    """A pickle of 1.2 MB that refers 100,000 times to a text of 1 MiB became 100 GB."""
    text = "x" * MIB
    arguments = pickle.dumps(([text] * 100_000,), 4)
    assert len(arguments) < 2 * MIB
    body = {
        "args": base64.b64encode(arguments).decode(),
        "kwargs": base64.b64encode(pickle.dumps({})).decode(),
    }
    with Watch(target) as watch:
        reply = target.request(
            "POST", f"/{procedure}", json=body, headers={"Prefer": "respond-async"}
        )
    watch.check(growth=128 * MIB)
    assert (reply.status_code, reply.json()["type"]) == (413, "TooLarge"), reply.text[:500]
    assert "max_arguments" in reply.json()["message"]
    # The key of a call is a hash of its arguments, which are written out for it.
    with Watch(target) as watch:
        reply = target.request("POST", f"/{procedure}", json=body, headers={"Idempotency-Key": "k"})
    watch.check(growth=128 * MIB)
    assert reply.status_code == 413, reply.text[:500]


@pytest.mark.attack(
    "a form with 100,000 names",
    "400 without a search that takes the square of it",
)
def test_a_form_with_many_names(target: Host) -> None:
    """100,000 names took 95 s: each was looked for among all that came before."""
    body = "&".join(f"name{n}={n}" for n in range(100_000)).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with Watch(target) as watch:
        begun = time.monotonic()
        status, failure = send(target, "/add", body, **form)
        took = time.monotonic() - begun
    watch.check(growth=128 * MIB)
    assert (status, failure["type"]) == (400, "BadArguments")
    assert took < 10


@pytest.mark.attack(
    "a query with 12,000 names",
    "400 likewise",
)
def test_a_query_with_many_names(target: Host) -> None:
    begun = time.monotonic()
    reply = target.request("GET", "/add?" + "&".join(f"{n:x}" for n in range(12_000)))
    assert reply.status_code == 400
    assert time.monotonic() - begun < 10


@pytest.mark.attack(
    "a result of flags with many names",
    "names count toward `limits.result`: `TooLarge`",
)
def test_names_in_a_result_count(make_host: MakeHost) -> None:
    """A flag takes a bit in the guest, and its name each time that it is written."""
    host = make_host("shapes", config="[limits]\nresult = '300 B'\n")
    every = [f"bit{n}" for n in range(32)]
    assert host.outcome("echo_bits", every[:2]) == "success"
    assert host.outcome("echo_bits", every) == "TooLarge"
