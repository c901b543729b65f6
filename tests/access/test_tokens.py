"""Tokens: made, listed, rotated and revoked beside a running host, and what others get."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import tarp

from command_line import CommandLine
from host import DEADLINE, Host, MakeHost, at, bare, eventually, result_of, run_binary
from original_client import Client
from tokens import TOKEN, bearer, create, knows, refused, status, tarp_token

ADD = "/add?x=1&y=2"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# The command.


def test_create_prints_the_token_alone_on_the_last_line(data: Path) -> None:
    made = tarp_token(data, "create", "alice", "--allow", "call:stats/*", "--allow", "jobs")
    assert made.returncode == 0, made.stderr
    assert TOKEN.fullmatch(made.stdout.rstrip("\n")), made.stdout
    assert "call:stats/*, jobs" in made.stderr
    assert "first token" in made.stderr
    assert "first token" not in tarp_token(data, "create", "bob", "--allow", "jobs").stderr


def test_only_a_hash_is_stored_in_a_file_for_the_owner_alone(data: Path) -> None:
    secret = TOKEN.fullmatch(create(data, "alice", "admin")).group(2)  # type: ignore[union-attr]
    stored = (data / "tokens.json").read_text()
    assert secret not in stored
    assert base64.urlsafe_b64decode(secret + "=").hex() not in stored
    assert stat.S_IMODE((data / "tokens.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_list_shows_all_but_the_secret(data: Path) -> None:
    assert "no tokens" in tarp_token(data, "list").stdout
    token = create(data, "alice", "call:*", "jobs:all", expires="30d")
    create(data, "bob", "deploy")
    shown = tarp_token(data, "list")
    assert shown.stdout.count("\n") == 3
    alice, bob = json.loads(tarp_token(data, "list", "--json").stdout)
    assert (alice["name"], alice["allow"]) == ("alice", ["call:*", "jobs:all"])
    assert token.startswith(f"tarp_{alice['id']}_")
    expires = at(alice["expires"]) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < expires <= timedelta(days=30)
    assert bob["expires"] is None
    for output in (shown.stdout, json.dumps([alice, bob])):
        assert token[22:] not in output


def test_mistakes_are_refused_with_what_is_right(data: Path) -> None:
    create(data, "alice", "jobs")
    for words, message in [
        (["create", "bob"], "--allow"),
        (["create", "bob", "--allow", "fly"], "call:PATTERN"),
        (["create", "a b", "--allow", "jobs"], "letters"),
        (["create", "alice", "--allow", "jobs"], "rotate alice"),
        (["create", "bob", "--allow", "jobs", "--expires", "soon"], "30d"),
        (["create", "bob", "--allow", "jobs", "--expires", "0s"], "more than 0"),
        (["revoke", "carol"], "tarp token list"),
        (["rotate", "carol"], "tarp token list"),
    ]:
        ran = tarp_token(data, *words)
        assert ran.returncode != 0, words
        assert message in ran.stderr, ran.stderr
        assert not ran.stdout
    assert len(json.loads(tarp_token(data, "list", "--json").stdout)) == 1


def test_whose_tokens_is_asked_where_nothing_says_so(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = CommandLine("http://127.0.0.1:9")
    command.environment = home
    ran = command("token", "list")
    assert ran.code == 1
    assert "--data DIR" in ran.err
    config = tmp_path / "tarp.toml"
    config.write_text(f"data = '{tmp_path}/named'\n")
    command.ok("token", "create", "a", "--allow", "jobs", "--config", config)
    assert (tmp_path / "named/tokens.json").exists()
    (tmp_path / "procedures").mkdir()
    command.ok("token", "create", "a", "--allow", "jobs", "--folder", tmp_path / "procedures")
    assert len(list(tmp_path.glob(".local/share/tarp/procedures-*/tokens.json"))) == 1


def test_tokens_made_at_the_same_time_are_all_kept(data: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda n: create(data, f"t{n}", "jobs"), range(12)))
    assert len(set(tokens)) == 12
    assert len(json.loads(tarp_token(data, "list", "--json").stdout)) == 12


# A running host.


def test_the_first_token_closes_a_running_host_and_revoking_the_last_does_not_open_it(
    make_host: MakeHost,
) -> None:
    host = make_host("math")
    assert host.get("add", {"x": 1, "y": 2}) == 3
    token = create(host.data, "alice", "call:*")
    eventually(lambda: status(host, None, ADD) == 401)
    assert status(host, token, ADD) == 200
    second = create(host.data, "bob", "call:*")
    knows(host, second)
    assert tarp_token(host.data, "revoke", "alice").returncode == 0
    eventually(lambda: status(host, token, ADD) == 401)
    assert status(host, second, ADD) == 200
    rotated = tarp_token(host.data, "rotate", "bob").stdout.strip()
    eventually(lambda: status(host, second, ADD) == 401)
    assert status(host, rotated, ADD) == 200
    assert rotated[:22] == second[:22], "it is the same token with another secret"
    tarp_token(host.data, "revoke", rotated[5:21])
    eventually(lambda: status(host, rotated, ADD) == 401)
    assert status(host, None, ADD) == 401
    (host.data / "tokens.json").unlink()
    eventually(lambda: "tokens are gone" in host.log)
    assert status(host, None, ADD) == 401


def test_a_token_expires_while_the_host_runs(make_host: MakeHost) -> None:
    host = make_host("math")
    token = create(host.data, "short", "call:*", expires="3s")
    eventually(lambda: status(host, token, ADD) in (200, 401) and status(host, None, ADD) == 401)
    eventually(lambda: status(host, token, ADD) == 401)
    assert "expired" in tarp_token(host.data, "rotate", "short").stderr
    renewed = tarp_token(host.data, "rotate", "short", "--expires", "1h").stdout.strip()
    knows(host, renewed)


@pytest.mark.attack(
    "a file of tokens that is damaged, or that others can write to",
    "refused with 503 until it is mended; the log says why",
)
def test_doubt_about_the_tokens_lets_nobody_in(make_host: MakeHost) -> None:
    host = make_host("math")
    file = host.data / "tokens.json"
    token = create(host.data, "alice", "admin")
    knows(host, token)
    whole = file.read_bytes()

    def refuses() -> bool:
        replies = [host.request("GET", ADD, headers=headers) for headers in ({}, bearer(token))]
        assert not any(str(host.data) in reply.text for reply in replies)
        return all(reply.status_code == 503 for reply in replies)

    for content in (whole[: len(whole) // 2], b"", b"{}", whole.replace(b"admin", b"root")):
        file.write_bytes(content)
        eventually(refuses)
        assert status(host, None, "/-/health/live") == 200
        assert tarp_token(host.data, "create", "bob", "--allow", "admin").returncode == 1
        assert file.read_bytes() == content, "what is no file of tokens is not written over"
        file.write_bytes(whole)
        knows(host, token)
    file.chmod(0o666)
    eventually(refuses)
    file.chmod(0o600)
    knows(host, token)
    assert "tokens.json" in host.log


def test_a_host_does_not_start_with_tokens_that_it_cannot_read(make_host: MakeHost) -> None:
    host = make_host("math", start=False)
    create(host.data, "alice", "admin")
    (host.data / "tokens.json").write_text("{")
    with pytest.raises(AssertionError):
        host.start()
    assert "tokens.json" in host.log
    assert "restore it" in host.log


def test_tokens_are_asked_for_without_a_job_store_too(make_host: MakeHost) -> None:
    host = make_host("math", flags=["--jobs", "none"])
    token = create(host.data, "alice", "call:*")
    eventually(lambda: status(host, None, ADD) == 401)
    assert status(host, token, ADD) == 200


# Requests.


@pytest.fixture(scope="module")
def closed(make_module_host) -> tuple[Host, str]:
    """A host that asks for tokens, and one that may do everything."""
    host = make_module_host("math", "app", "jobs", environment={"TARP_LOG": "trace"}, start=False)
    token = create(host.data, "admin", "admin")
    return host.start(), token


def test_every_reason_for_a_refusal_is_told_alike(closed: tuple[Host, str]) -> None:
    host, token = closed
    other = "x" if token[-1] != "x" else "y"
    bodies = []
    for authorization in [
        None,
        "",
        "Bearer",
        f"Bearer {token[:-1]}",
        f"Bearer {token[:-1]}{other}",
        f"Bearer {token[:22]}{'A' * 43}",
        f"Bearer tarp_{'0' * 16}_{'A' * 43}",
        f"Bearer {token}x",
        f"Bearer {token} x",
        f"Digest {token}",
        token,
        "Basic " + base64.b64encode(token.encode()).decode(),
        "Basic " + base64.b64encode(f"{token}:".encode()).decode(),
        "Basic \u00e4",
        "Basic " + "A" * 60_000,
    ]:
        headers = (
            {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
        )
        reply = host.request("GET", ADD, headers=headers)
        assert "x-tarp-catalog" not in reply.headers
        bodies.append(refused(reply))
    assert all(body == bodies[0] for body in bodies)
    assert token not in str(bodies)


def test_a_token_comes_as_bearer_or_as_a_password(closed: tuple[Host, str]) -> None:
    host, token = closed
    for user in ("", "anybody", "ünï"):
        pair = base64.b64encode(f"{user}:{token}".encode()).decode()
        reply = host.request("GET", ADD, headers={"Authorization": f"basic {pair}"})
        assert result_of(reply) == 3
    assert result_of(host.request("GET", ADD, auth=("user", token))) == 3
    assert refused(host.request("GET", ADD, params={"token": token, "access_token": token}))
    with socket.create_connection(("127.0.0.1", host.port), DEADLINE) as twice:
        header = f"Authorization: Bearer {token}\r\n"
        twice.sendall(f"GET {ADD} HTTP/1.1\r\nHost: localhost\r\n{header}{header}\r\n".encode())
        assert twice.recv(1024).startswith(b"HTTP/1.1 401 ")


@pytest.mark.attack("a large body without a token", "refused before any of it is read")
def test_who_has_no_token_is_refused_before_the_body_is_read(closed: tuple[Host, str]) -> None:
    host, _ = closed
    head = "POST /add HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", host.port), DEADLINE) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1024).startswith(b"HTTP/1.1 401 ")


def test_no_log_error_or_page_has_a_token(closed: tuple[Host, str]) -> None:
    host, token = closed
    secret = token[22:]
    texts = [
        host.request(method, path, headers=headers).text
        for method in ("GET", "POST")
        for path in (
            "/",
            ADD,
            "/nothing",
            "/-/procedures",
            "/-/metrics",
            "/-/overview",
            "/-/jobs",
            "/app/about",
        )
        for headers in (bearer(token), {"Authorization": f"Basic {token}"}, bearer(token + "x"))
    ]
    assert not any(secret in text for text in texts)
    job = bare(
        host.request(
            "POST", "/add", json=[1, 2], headers=bearer(token) | {"Prefer": "respond-async"}
        )
    )
    for page in ("", "/arguments", "/logs", "/result?wait=20"):
        assert (
            secret
            not in host.request("GET", f"/-/jobs/{job['id']}{page}", headers=bearer(token)).text
        )
    # With HTTP/2 too, whose library logs frames.
    url = f"{host.address}{ADD}"
    command = ["curl", "--silent", "--http2-prior-knowledge", "--oauth2-bearer", token, url]
    ran = subprocess.run(command, capture_output=True, timeout=DEADLINE, check=True)
    assert json.loads(ran.stdout)["result"] == 3
    assert "TRACE" in host.log
    assert secret not in host.log
    stored = b"".join(path.read_bytes() for path in host.data.rglob("*") if path.is_file())
    assert secret.encode() not in stored


@pytest.mark.attack(
    "a component that reads the headers of requests", "it gets no token of the host"
)
def test_components_do_not_see_tokens(closed: tuple[Host, str]) -> None:
    host, token = closed
    reply = host.request("POST", "/app/echo", data=b"x", headers=bearer(token))
    assert reply.status_code == 200
    assert token not in reply.text
    assert token not in str(reply.headers)


# Clients.


def test_the_original_client_works_with_a_token_in_its_url(closed: tuple[Host, str]) -> None:
    host, token = closed
    client = Client(host.address.replace("//", f"//user:{token}@"))
    assert client.add(1, 2) == 3


def test_the_python_client_takes_a_token(closed: tuple[Host, str]) -> None:
    host, token = closed
    with tarp.connect(host.address, token=token) as connected:
        assert connected.add(1, 2) == 3
    with tarp.connect(host.address.replace("//", f"//user:{token}@")) as connected:
        assert connected.add(1, 2) == 3
    with pytest.raises(tarp.Unauthorized), tarp.connect(host.address, token="wrong") as connected:
        connected.add(1, 2)


def test_the_command_line_takes_a_token_from_its_environment_or_a_file(
    closed: tuple[Host, str], tmp_path: Path
) -> None:
    host, token = closed
    command = CommandLine(host.address)
    without = command("call", "add", "1", "2")
    assert without.code == 2
    assert "Unauthorized" in without.err
    assert command.ok("call", "add", "1", "2", TARP_TOKEN=token).text.strip() == "3"
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    assert command.ok("call", "add", "1", "2", TARP_TOKEN_FILE=str(file)).text.strip() == "3"
    assert "add" in command.ok("list", "--token-file", file).text
    assert command.ok("jobs", "--token-file", file)
    missing = command("call", "add", "1", "2", TARP_TOKEN_FILE=str(tmp_path / "none"))
    assert (missing.code, "none" in missing.err) == (2, True)


# Streams.


def test_a_stream_of_events_ends_with_its_token(make_host: MakeHost) -> None:
    host = make_host("math")
    tokens = [create(host.data, name, "jobs") for name in ("alice", "bob")]
    knows(host, tokens[1])
    url = f"{host.address}/-/events"
    streams = [requests.get(url, headers=bearer(t), stream=True, timeout=DEADLINE) for t in tokens]
    assert [next(stream.iter_lines()) for stream in streams] == [b"event: catalog"] * 2
    tarp_token(host.data, "revoke", "alice")
    for _ in streams[0].iter_content(1024):
        pass
    assert status(host, tokens[1]) == 200
    streams[1].close()


def test_a_start_that_is_refused_says_nothing_of_tokens() -> None:
    assert "tarp_" not in run_binary("serve", "/nowhere").stderr
