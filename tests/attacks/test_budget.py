"""What is made of a request is charged while it is made, and so is all that waits beside it."""

from __future__ import annotations

import errno
import gzip
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import h2.config
import h2.connection
import hpack
import pytest

from binary import slow_to_compile
from failing_disk import host_on_disk
from host import CallFailed, Host, MakeHost, eventually, place
from watch import MIB, Watch, charged, connect

SMALL = "[server]\nmemory = '256 MiB'\nmax_body = '64 MiB'\n"


@pytest.mark.attack(
    "compressed bodies that are unpacked at once",
    "what they become is charged as it grows",
)
def test_packed_bodies_share_a_budget_while_they_are_unpacked(make_host: MakeHost) -> None:
    """Each was unpacked whole before it was charged."""
    host = make_host("math", "text", config=SMALL)
    packed = gzip.compress(bytes(60 * MIB), 1)
    assert len(packed) < MIB

    def attack(_: int) -> tuple[int, str]:
        reply = host.request(
            "POST",
            "/checksum",
            data=packed,
            headers={"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"},
        )
        return reply.status_code, "" if reply.ok else reply.json()["type"]

    with Watch(host) as watch, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(attack, range(12)))
    watch.check(growth=640 * MIB)
    assert set(answers) <= {(200, ""), (503, "Overloaded")}, answers
    assert (503, "Overloaded") in answers


@pytest.mark.attack(
    "30 MiB of multipart made of tiny parts",
    "413, before the parts are held",
)
def test_a_form_of_many_parts_is_charged_for_each(make_host: MakeHost) -> None:
    """Each part of 50 bytes took some hundreds."""
    host = make_host("math", "text", config=SMALL)
    part = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
    body = part * (30 * MIB // len(part)) + b"--b--\r\n"
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    with Watch(host) as watch:
        reply = host.request("POST", "/add", data=body, headers=form)
    watch.check(growth=160 * MIB)
    assert (reply.status_code, reply.json()["type"]) == (413, "TooLarge"), reply.text[:500]
    assert "`memory`" in reply.json()["message"]
    # What is ordinary is served.
    reply = host.request("POST", "/checksum", files={"data": ("zeros", bytes(20 * MIB))})
    assert reply.status_code == 200, reply.text[:500]


def literal(text: str) -> bytes:
    """A string as HPACK has it (RFC 7541, 5.2), without Huffman's code."""
    length = len(text)
    if length < 127:
        return bytes([length]) + text.encode()
    prefix, rest = bytearray([127]), length - 127
    while rest >= 128:
        prefix.append(rest % 128 | 128)
        rest //= 128
    return bytes([*prefix, rest]) + text.encode()


def open_streams(host: Host, stack: ExitStack, count: int) -> set[int]:
    """Opens so many streams with long headers, which wait for bodies; gives the statuses."""
    socket = stack.enter_context(connect(host))
    http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    http.initiate_connection()
    socket.sendall(http.data_to_send())
    # Literals without indexing (RFC 7541, 6.2.2), by hand: h2 takes minutes to pack so many.
    fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", f"localhost:{host.port}"),
        (":path", "/add"),
        *((f"x-{n}", "v" * 7000) for n in range(8)),
    ]
    block = b"".join(b"\0" + literal(name) + literal(value) for name, value in fields)
    pieces = [block[start : start + 16384] for start in range(0, len(block), 16384)]
    for number in range(count):
        stream = 2 * number + 1
        for piece in pieces:
            # HEADERS first, then CONTINUATION; the last piece ends the headers.
            kind = 1 if piece is pieces[0] else 9
            flags = 4 if piece is pieces[-1] else 0
            head = len(piece).to_bytes(3, "big") + bytes([kind, flags])
            socket.sendall(head + stream.to_bytes(4, "big") + piece)
    received = b""
    socket.settimeout(3)
    with suppress(TimeoutError):
        while data := socket.recv(1 << 16):
            received += data
    return statuses_in(received)


def statuses_in(received: bytes) -> set[int]:
    """The statuses in frames of HTTP/2 (RFC 9113, 4.1), each of whose HEADERS are in one frame."""
    decoder, statuses = hpack.Decoder(), set()
    while len(received) >= 9:
        length, kind = int.from_bytes(received[:3], "big"), received[3]
        payload, received = received[9 : 9 + length], received[9 + length :]
        if kind == 1 and len(payload) == length:
            statuses.add(int(dict(decoder.decode(payload))[":status"]))
    return statuses


@pytest.mark.attack(
    "a thousand streams of HTTP/2 with 56 KiB of headers each",
    "headers are charged; who finds no room gets 503",
)
def test_headers_of_many_streams_share_a_budget(make_host: MakeHost) -> None:
    """One connection could hold 16 MiB of headers, and there are a thousand of them."""
    host = make_host("math", config="[server]\nmemory = '64 MiB'\n")
    statuses: set[int] = set()
    with Watch(host) as watch, ExitStack() as stack:
        for _ in range(4):
            statuses |= open_streams(host, stack, 250)
        assert charged(host) > 30 * MIB
    watch.check(growth=240 * MIB)
    assert 503 in statuses, statuses
    eventually(lambda: charged(host) < MIB)


@pytest.mark.attack(
    "calls that only sleep",
    "each is charged for its instance",
)
def test_calls_that_sleep_are_charged_for_their_instances(make_host: MakeHost) -> None:
    """A guest that takes no memory takes some in the host: its store, its stack, its tables."""
    host = make_host("math", "misbehave")
    peak = host.request("GET", "/sleep_for?milliseconds=1").headers["x-tarp-peak-memory"]
    before = charged(host)
    calls = 40
    with ThreadPoolExecutor(calls) as pool:
        waiting = [pool.submit(host.rpc, "sleep_for", 4000) for _ in range(calls)]
        eventually(lambda: charged(host) - before >= calls * (int(peak) + (64 << 10)))
        assert all(call.result() == 4000 for call in waiting)
    eventually(lambda: charged(host) <= before)


@pytest.mark.attack(
    "a file that takes much memory to compile",
    "its compiler is charged to the budget",
)
def test_compiling_is_charged(make_host: MakeHost) -> None:
    """The processes that compile had a limit each, and together none."""
    host = make_host("math")
    before = charged(host)
    place(slow_to_compile(60_000), host.folder / "slow.wasm")
    eventually(lambda: charged(host) - before > 20 * MIB)
    (host.folder / "slow.wasm").unlink()
    eventually(lambda: charged(host) <= before)


@pytest.mark.attack(
    "files to compile with a budget that is smaller than a compiler",
    "one is compiled at a time",
)
def test_a_small_budget_keeps_no_component_from_being_compiled(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nmemory = '64 MiB'\n")
    # More than are compiled at once, each of which takes more than the whole budget.
    for blocks in range(6):
        place(slow_to_compile(300 + blocks), host.folder / f"fresh{blocks}.wasm")

    def loads() -> int:
        figures = host.request("GET", "/-/metrics").text
        found = re.findall(r"^tarp_loads_total\{outcome=\"\w+\"\} (\d+)$", figures, re.MULTILINE)
        return sum(map(int, found))

    eventually(lambda: loads() >= 7, 120)
    eventually(lambda: charged(host) == 0)
    assert host.rpc("add", 1, 2) == 3


@pytest.fixture
def stalled(make_host: MakeHost) -> tuple[Host, ExitStack]:
    """A host of which a stalled upload has taken much of the memory, until the stack is closed."""
    config = "[server]\nmemory = '64 MiB'\nmax_body = '64 MiB'\n[jobs]\nplaces = 2\n"
    # One that may be run again, however far it came.
    sidecars = {"misbehave": "[procedures.flood_result]\nidempotent = true\n"}
    host = make_host("math", "misbehave", config=config, sidecars=sidecars)
    stack = ExitStack()
    connection = stack.enter_context(connect(host))
    connection.sendall(
        b"POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n" % (30 * MIB)
    )
    for _ in range(29):
        connection.sendall(bytes(MIB))
    eventually(lambda: charged(host) > 28 * MIB)
    return host, stack


@pytest.mark.attack(
    "a job while the budget is taken",
    "it goes back to the queue, and ends once there is room",
)
def test_a_job_that_finds_no_room_waits_for_it(stalled: tuple[Host, ExitStack]) -> None:
    """It is not its fault, and no attempt of it counts."""
    host, stack = stalled
    with stack:
        with pytest.raises(CallFailed) as caught:
            host.post("flood_result", [18 * MIB])
        assert caught.value.kind == "Overloaded", caught.value
        handle = host.submit("flood_result", 18 * MIB)["id"]
        # It has been begun and put back several times.
        begun = time.monotonic()
        while time.monotonic() - begun < 4:
            job = host.job(handle)
            assert job["state"] in ("queued", "running"), job
            time.sleep(0.1)
        assert host.rpc("add", 1, 2) == 3
    assert len(host.result(handle)) == 24 * MIB


@pytest.mark.attack(
    "results that the store cannot take yet",
    "they stay charged until they are stored",
)
def test_a_result_that_is_not_stored_yet_is_charged(
    make_host: MakeHost, faults: Path, tmp_path: Path
) -> None:
    host, disk = host_on_disk(make_host, faults, tmp_path, "[server]\nmemory = '1 GiB'\n")
    before = charged(host)
    handle = host.submit("flood_result", 60 * MIB)["id"]
    host.running(handle)
    with disk.failing("write", errno.ENOSPC):
        # The guest ends, and what it returned stays.
        calls = 'tarp_calls_total{procedure="flood_result"} 1'
        eventually(lambda: calls in host.request("GET", "/-/metrics").text)
        held = []
        for _ in range(10):
            time.sleep(0.1)
            held.append(charged(host) - before)
        assert min(held) > 59 * MIB, held
    assert len(host.result(handle)) == 80 * MIB
    eventually(lambda: charged(host) <= before)
