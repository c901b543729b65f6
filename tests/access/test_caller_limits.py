"""How much each caller may do: of each token and of each address, over HTTP and with the client."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import tarp

from host import DEADLINE, Host, MakeHost, bare, eventually, rpc_body, run_binary
from tokens import bearer, status, tarp_token

ADD = "/add?x=1&y=2"


def used_up(reply: requests.Response) -> dict[str, str]:
    """The body of a refusal for a limit."""
    assert reply.status_code == 429, reply.text
    assert int(reply.headers["Retry-After"]) >= 1
    body = reply.json()
    assert (body["status"], body["type"]) == ("error", "TooManyRequests"), body
    return body


def limited(
    make_host: MakeHost, *guests: str, config: str = "", **tokens: str
) -> tuple[Host, dict]:
    """A host with tokens that may do everything within these limits."""
    host = make_host(*guests, config=config, start=False)
    texts = {}
    for name, limits in tokens.items():
        made = tarp_token(host.data, "create", name, "--allow", "admin", *limits.split())
        assert made.returncode == 0, made.stderr
        texts[name] = made.stdout.splitlines()[-1]
    return host.start(), texts


def statuses(host: Host, token: str | None, count: int, path: str = ADD) -> list[int]:
    return [status(host, token, path) for _ in range(count)]


# Calls in a period.


@pytest.mark.attack(
    "a token that calls without a pause",
    "429 with `Retry-After` beyond its rate; other tokens, health and metrics are answered",
)
def test_a_token_has_its_rate_and_others_have_theirs(make_host: MakeHost) -> None:
    config = "[callers.token]\nrate = '3/h'\n"
    host, tokens = limited(make_host, "math", config=config, alice="", bob="", carl="--rate 5/h")
    assert statuses(host, tokens["alice"], 5) == [200] * 3 + [429] * 2
    assert statuses(host, tokens["bob"], 4) == [200] * 3 + [429]
    assert statuses(host, tokens["carl"], 6) == [200] * 5 + [429]
    body = used_up(host.request("GET", ADD, headers=bearer(tokens["alice"])))
    assert "`alice`" in body["message"]
    assert "3/h" in body["message"]
    assert "tarp token limit alice --rate" in body["message"]
    # Pages are no calls.
    for path in ("/", "/-/procedures", "/-/jobs", "/-/session", "/-/overview", "/-/health"):
        assert status(host, tokens["alice"], path) == 200, path
    text = host.request("GET", "/-/metrics", headers=bearer(tokens["alice"])).text
    assert 'tarp_refusals_total{type="TooManyRequests"} 5' in text


def test_every_kind_of_call_counts(make_host: MakeHost) -> None:
    """By GET, JSON and the original's RPC, as a job, of a web procedure, a mount, and nothing."""
    host, tokens = limited(make_host, "math", "plot", "app", "jobs", alice="--rate 7/h")
    headers = bearer(tokens["alice"])
    asked = [
        ("GET", ADD, {}),
        ("POST", "/add", {"json": [1, 2]}),
        ("POST", "/add", {"json": rpc_body(1, 2)}),
        ("POST", "/add", {"json": [1, 2], "headers": {"Prefer": "respond-async"}}),
        ("GET", "/get_plot?frequency=2&amplitude=0.5", {}),
        ("GET", "/app/about", {}),
        ("GET", "/nothing", {}),
    ]
    for method, path, options in asked:
        options = options | {"headers": headers | options.get("headers", {})}
        assert host.request(method, path, **options).status_code != 429, path
    for method, path, options in asked:
        options = options | {"headers": headers | options.get("headers", {})}
        used_up(host.request(method, path, **options))
    assert len(bare(host.request("GET", "/-/jobs", headers=headers))["jobs"]) == 1


def test_a_limit_is_over_after_the_time_that_the_refusal_says(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", alice="--rate 60/min --burst 1")
    assert status(host, tokens["alice"], ADD) == 200
    refused = host.request("GET", ADD, headers=bearer(tokens["alice"]))
    used_up(refused)
    time.sleep(int(refused.headers["Retry-After"]))
    assert status(host, tokens["alice"], ADD) == 200


def test_the_body_is_not_read_of_what_is_refused(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", alice="--rate 1/h")
    assert status(host, tokens["alice"], ADD) == 200
    lines = [
        "POST /add HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {tokens['alice']}",
        "Content-Length: 60000000",
    ]
    with socket.create_connection(("127.0.0.1", host.port), DEADLINE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 429 ")


@pytest.mark.attack(
    "an address that calls without a pause, with and without a token, or guesses tokens",
    "429 beyond what an address may do; guesses count",
)
def test_an_address_has_its_rate_whatever_its_token(make_host: MakeHost) -> None:
    config = "[callers.address]\nrate = '6/h'\n"
    host, tokens = limited(make_host, "math", config=config, alice="", bob="")
    wrong = f"tarp_{'0' * 16}_{'A' * 43}"
    assert statuses(host, tokens["alice"], 2) == [200] * 2
    assert statuses(host, tokens["bob"], 2) == [200] * 2
    assert statuses(host, wrong, 2) == [401] * 2
    for token in (tokens["alice"], tokens["bob"], wrong, None):
        body = used_up(host.request("GET", ADD, headers=bearer(token) if token else {}))
        assert "[callers.address]" in body["message"]
    # Another address of this machine is another caller.
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", From("127.0.0.2"))
        reply = session.get(host.address + ADD, headers=bearer(tokens["alice"]), timeout=DEADLINE)
    assert reply.status_code == 200, reply.text
    assert status(host, None, "/-/health") == 200


class From(requests.adapters.HTTPAdapter):
    """Connects from an address of this machine."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self.address, 0))


def test_without_a_configuration_there_are_no_limits(make_host: MakeHost) -> None:
    host = make_host("math")
    assert set(statuses(host, None, 300)) == {200}


# Calls at once.


@pytest.mark.attack(
    "a token with more calls at once than it may have",
    "they wait for a moment, then 429; calls of other tokens run",
)
def test_a_token_has_so_many_calls_at_once(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", "misbehave", alice="--max-calls 2", bob="")

    def sleep(milliseconds: int) -> requests.Response:
        headers = bearer(tokens["alice"])
        return host.request("POST", "/sleep_for", json=[milliseconds], headers=headers)

    with ThreadPoolExecutor(4) as threads:
        long = [threads.submit(sleep, 4_000) for _ in range(2)]
        eventually(lambda: running(host, tokens["bob"]) == 2)
        body = used_up(host.request("GET", ADD, headers=bearer(tokens["alice"])))
        assert "2 calls of the token `alice`" in body["message"]
        assert status(host, tokens["bob"], ADD) == 200
        assert status(host, tokens["alice"], "/-/procedures") == 200
        # Who waits gets the place of a call that ends.
        assert [call.result().status_code for call in long] == [200] * 2
        short = [threads.submit(sleep, 200) for _ in range(4)]
        assert [call.result().status_code for call in short] == [200] * 4


def running(host: Host, token: str) -> int:
    text = host.request("GET", "/-/metrics", headers=bearer(token)).text
    line = next(
        line
        for line in text.splitlines()
        if line.startswith('tarp_calls_running{procedure="sleep_for"')
    )
    return int(line.split()[-1])


# Bytes.


@pytest.mark.attack(
    "a token that sends or fetches more bytes than it may",
    "429 for whatever has bytes, until what was used beyond is made up for",
)
def test_bytes_of_requests_and_of_replies_count(make_host: MakeHost) -> None:
    config = "[callers.token]\nbytes = '64 KiB/h'\n"
    host, tokens = limited(make_host, "text", "math", "jobs", config=config, up="", down="", job="")
    big = "x" * (80 << 10)
    # What was let through is answered whole, and goes on the account.
    sent = host.request("POST", "/word_count", data=big, headers=bearer(tokens["up"]) | PLAIN)
    assert sent.status_code == 200, sent.text
    for path in (ADD, "/-/procedures", "/-/jobs"):
        body = used_up(host.request("GET", path, headers=bearer(tokens["up"])))
    assert "64 KiB/h of bodies" in body["message"]
    fetched = host.request(
        "GET", "/linspace?start=0&stop=1&count=20000", headers=bearer(tokens["down"])
    )
    assert len(fetched.content) > 64 << 10
    used_up(host.request("GET", ADD, headers=bearer(tokens["down"])))
    assert status(host, tokens["down"], "/-/metrics") == 200
    assert status(host, tokens["down"], "/-/session") == 200
    assert status(host, tokens["job"], ADD) == 200


PLAIN = {"Content-Type": "text/plain"}


def test_bytes_are_counted_as_they_are_sent(make_host: MakeHost) -> None:
    """Packed, a large reply is small."""
    host, tokens = limited(make_host, "math", alice="--bytes 32KiB/h")
    headers = bearer(tokens["alice"]) | {"Accept-Encoding": "gzip", "Accept": "application/json"}
    path = "/linspace?start=0&stop=0&count=40000"
    reply = host.request("GET", path, headers=headers)
    assert reply.headers["Content-Encoding"] == "gzip"
    assert len(reply.content) > 64 << 10
    assert status(host, tokens["alice"], ADD) == 200


# Tokens and their limits.


def test_limits_of_a_running_host_s_tokens_are_changed(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", alice="--rate 1/h")
    assert statuses(host, tokens["alice"], 2) == [200, 429]
    changed = tarp_token(host.data, "limit", "alice", "--rate", "unlimited", "--bytes", "1GiB/h")
    assert changed.returncode == 0, changed.stderr
    assert "rate unlimited, bytes 1 GiB/h" in changed.stdout
    eventually(lambda: status(host, tokens["alice"], ADD) == 200)
    assert set(statuses(host, tokens["alice"], 20)) == {200}
    listed = json.loads(tarp_token(host.data, "list", "--json").stdout)
    assert listed[0]["limits"] == {"rate": "unlimited", "bytes": "1 GiB/h"}
    assert "(rate unlimited, bytes 1 GiB/h)" in tarp_token(host.data, "list").stdout
    rotated = tarp_token(host.data, "rotate", "alice")
    assert "Its limits: rate unlimited, bytes 1 GiB/h." in rotated.stderr
    changed = tarp_token(host.data, "limit", "alice")
    assert "limits of `alice`" in changed.stdout
    assert "those of the host" in changed.stdout
    assert json.loads(tarp_token(host.data, "list", "--json").stdout)[0]["limits"] == {}


@pytest.mark.parametrize(
    ("flag", "value", "word"),
    [
        ("--rate", "10", "10/s"),
        ("--rate", "0/s", "10/s"),
        ("--bytes", "1GiB", "GiB/h"),
        ("--max-calls", "0", "zero"),
        ("--burst", "-1", "invalid digit"),
    ],
)
def test_what_is_no_limit_is_refused(make_host: MakeHost, flag: str, value: str, word: str) -> None:
    host = make_host(start=False)
    made = tarp_token(host.data, "create", "alice", "--allow", "admin", f"{flag}={value}")
    assert made.returncode == 2
    assert word in made.stderr


def test_a_configuration_that_is_no_limit_is_refused(tmp_path) -> None:
    config = tmp_path / "tarp.toml"
    config.write_text("[callers.token]\nrate = 'fast'\n")
    refused = run_binary("serve", tmp_path, "--config", config)
    assert refused.returncode != 0
    assert "line 2" in refused.stderr
    assert "10/s" in refused.stderr


# The Python client.


def test_the_client_waits_and_sends_again(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", "jobs", alice="--rate 120/min --burst 1")
    with tarp.connect(host.address, token=tokens["alice"]) as client:
        start = time.monotonic()
        assert [client.add(i, 1) for i in range(3)] == [1, 2, 3]
        assert client.add.submit(1, 2).result(DEADLINE) == 3
        assert time.monotonic() - start > 1.0, "it was made to wait"
    with tarp.connect(host.address, token=tokens["alice"], retry_for=0) as client:
        with pytest.raises(tarp.TooManyRequests) as caught:
            [client.add(1, 2) for _ in range(3)]
        assert caught.value.retry_after == 1
        assert caught.value.type == "TooManyRequests"


def test_many_threads_of_a_client_are_all_served(make_host: MakeHost) -> None:
    host, tokens = limited(make_host, "math", alice="--rate 20/s --burst 6 --max-calls 2")
    connected = tarp.connect(host.address, token=tokens["alice"], retry_for=DEADLINE)
    with connected as client, ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda i: client.add(i, 1), range(16))) == list(range(1, 17))
