"""The audit log: a line for every outcome, what is never in it, files that cannot be written."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from failing_disk import Disk
from host import DEADLINE, Host, MakeHost, eventually, guest, place, run_binary
from tokens import TOKEN, bearer, create, status, tarp_token

ADD = "/add?x=1&y=2"


class Audited:
    """A host that keeps an audit log, with tokens."""

    def __init__(
        self, make_host: MakeHost, home: Path, *guests: str, more: str = "", **rest: Any
    ) -> None:
        self.file = home / "audit.jsonl"
        config = f"[audit]\nfile = '{self.file}'\n{more}"
        self.host: Host = make_host(*guests, config=config, start=False, **rest)
        self.tokens = {"admin": create(self.host.data, "admin", "admin")}

    def start(self) -> Audited:
        self.host.start()
        return self

    def ask(self, name: str | None, method: str, path: str, **options: Any) -> Any:
        headers = bearer(self.tokens[name]) if name else {}
        headers |= options.pop("headers", {})
        return self.host.request(method, path, headers=headers, **options)

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        text = self.file.read_text() if self.file.exists() else ""
        # The last one may just be being written.
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [line for line in lines if event in (None, line["event"])]

    def line(self, event: str, **members: Any) -> dict[str, Any]:
        """The only line of this event with these members, as soon as it is there."""

        def look() -> list[dict[str, Any]]:
            lines = self.lines(event)
            return [line for line in lines if members.items() <= line.items()]

        found = eventually(look)
        assert len(found) == 1, found
        return found[0]


@pytest.fixture
def audited(make_host: MakeHost, tmp_path: Path) -> Audited:
    sidecars = {"misbehave": "[procedures.sleep_for]\nlimits = { deadline = '300 ms' }\n"}
    guests = ("math", "stats", "plot", "app", "jobs", "misbehave")
    audited = Audited(make_host, tmp_path, *guests, sidecars=sidecars)
    audited.tokens["alice"] = create(audited.host.data, "alice", "call:*", "jobs")
    return audited.start()


def test_a_call_is_told_with_who_what_and_how_much(audited: Audited) -> None:
    reply = audited.ask("alice", "POST", "/add", json=[1, 2])
    line = audited.line("call", procedure="add")
    identity = TOKEN.fullmatch(audited.tokens["alice"])[1]
    assert (line["token"], line["name"], line["address"]) == (identity, "alice", "127.0.0.1")
    assert (line["method"], line["outcome"], line["status"]) == ("POST", "success", 200)
    assert line["fuel"] == int(reply.headers["X-Tarp-Fuel"])
    assert line["received"] == len("[1, 2]")
    assert line["sent"] == len(reply.content)
    assert 0 < line["seconds"] < DEADLINE
    assert "arguments" not in line
    assert "path" not in line
    assert abs(time.time() - moment(line["time"])) < DEADLINE


def moment(text: str) -> float:
    assert text.endswith("Z")
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("path", "procedure", "outcome", "code"),
    [
        ("/add?x=1&y=a", "add", "BadArguments", 400),
        ("/statistics_mean?values=1,2", "statistics/mean", "success", 200),
        ("/panic?message=no", "panic", "Trap", 500),
        ("/sleep_for?milliseconds=60000", "sleep_for", "DeadlineExceeded", 504),
        ("/get_plot?frequency=2&amplitude=0.5", "get_plot", "success", 200),
        ("/app/about", "app", "success", 200),
    ],
)
def test_every_outcome_is_told(
    audited: Audited, path: str, procedure: str, outcome: str, code: int
) -> None:
    reply = audited.ask("alice", "GET", path, headers={"Accept-Encoding": "identity"})
    assert reply.status_code == code, reply.text
    line = audited.line("call", procedure=procedure)
    assert (line["outcome"], line["status"]) == (outcome, code)
    assert ("fuel" in line) == (procedure != "app" and outcome != "BadArguments")
    assert line["sent"] == len(reply.content)


def test_what_is_refused_is_told(audited: Audited) -> None:
    assert audited.ask(None, "GET", ADD).status_code == 401
    line = audited.line("refused", outcome="Unauthorized")
    assert (line["path"], line["status"], line["method"]) == ("/add", 401, "GET")
    assert "token" not in line
    assert audited.ask("alice", "GET", "/-/metrics").status_code == 403
    line = audited.line("refused", outcome="Forbidden")
    assert (line["path"], line["name"]) == ("/-/metrics", "alice")
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert audited.ask("alice", "GET", ADD, headers=foreign).status_code == 403
    assert audited.line("refused", outcome="Forbidden", procedure="add")["name"] == "alice"
    limited = tarp_token(audited.host.data, "limit", "alice", "--rate", "1/h")
    assert limited.returncode == 0
    eventually(lambda: audited.ask("alice", "GET", ADD).status_code == 429)
    eventually(lambda: audited.lines("refused")[-1]["outcome"] == "TooManyRequests")
    assert audited.lines("refused")[-1]["name"] == "alice"
    assert audited.ask("admin", "GET", "/nothing").status_code == 404
    assert audited.line("refused", outcome="NotFound")["path"] == "/nothing"
    # Reading is not told of.
    told = len(audited.lines())
    for path in ("/", "/-/procedures", "/-/jobs", "/-/health", "/-/openapi.json"):
        assert audited.ask("admin", "GET", path).status_code == 200
    audited.ask("admin", "GET", ADD)
    eventually(lambda: len(audited.lines()) == told + 1)


def test_a_caller_who_goes_away_is_told_of(audited: Audited) -> None:
    with pytest.raises(Exception, match="timed out"):
        audited.host.session.get(
            audited.host.address + "/spin", headers=bearer(audited.tokens["alice"]), timeout=0.5
        )
    line = audited.line("call", procedure="spin")
    assert line["outcome"] == "Cancelled"
    assert "status" not in line


def test_a_job_is_told_of_from_its_submission_to_its_end(audited: Audited) -> None:
    wanted = {"Prefer": "respond-async"}
    handles = {}
    for name, arguments in (("add", [1, 2]), ("panic", ["no"]), ("spin", [])):
        reply = audited.ask("alice", "POST", f"/{name}", json=arguments, headers=wanted)
        assert reply.status_code == 202, reply.text
        handles[name] = reply.json()["id"]
        line = audited.line("job_submitted", job=handles[name])
        assert (line["procedure"], line["name"], line["status"]) == (name, "alice", 202)
    line = audited.line("job_ended", job=handles["add"])
    assert (line["procedure"], line["state"], line["outcome"]) == ("add", "succeeded", "success")
    assert (line["name"], line["attempts"]) == ("alice", 1)
    assert line["fuel"] > 0
    line = audited.line("job_ended", job=handles["panic"])
    assert (line["state"], line["outcome"]) == ("failed", "Trap")
    path = f"/-/jobs/{handles['spin']}"
    eventually(lambda: audited.ask("alice", "GET", path).json()["state"] == "running")
    assert audited.ask("admin", "DELETE", path).status_code == 200
    assert audited.line("job_cancelled", job=handles["spin"])["name"] == "admin"
    line = audited.line("job_ended", job=handles["spin"])
    assert (line["state"], line["outcome"], line["name"]) == ("cancelled", "Cancelled", "alice")
    assert audited.ask("admin", "DELETE", f"/-/jobs/{handles['add']}").status_code == 200
    assert audited.line("job_removed", job=handles["add"])["name"] == "admin"


def test_a_call_with_a_key_names_the_job_that_keeps_it(audited: Audited) -> None:
    for _ in range(2):
        key = {"Idempotency-Key": "once"}
        assert audited.ask("alice", "POST", "/add", json=[1, 2], headers=key).status_code == 200
    eventually(lambda: len(audited.lines("call")) == 2)
    first, second = audited.lines("call")
    assert first["job"] == second["job"]
    assert audited.line("job_ended", job=first["job"])["state"] == "succeeded"


def test_tokens_and_logins_are_told_of(audited: Audited) -> None:
    data = audited.host.data
    audited.tokens["bob"] = create(data, "bob", "call:add")
    line = audited.line("token_created", name="bob")
    assert (line["token"], line["allow"]) == (
        TOKEN.fullmatch(audited.tokens["bob"])[1],
        ["call:add"],
    )
    assert audited.ask("bob", "POST", "/-/session").status_code == 200
    assert audited.line("logged_in", name="bob")["address"] == "127.0.0.1"
    assert audited.ask("bob", "DELETE", "/-/session").status_code == 200
    audited.line("logged_out", name="bob")
    assert tarp_token(data, "rotate", "bob").returncode == 0
    audited.line("token_changed", name="bob")
    assert tarp_token(data, "revoke", "bob").returncode == 0
    audited.line("token_revoked", name="bob")
    for event in ("created", "changed", "revoked"):
        assert f"uid {os.getuid()}" in audited.line(f"token_{event}", name="bob")["by"]


def test_who_changes_components_is_told_of(audited: Audited) -> None:
    audited.tokens["ci"] = create(audited.host.data, "ci", "deploy")
    eventually(lambda: audited.ask("ci", "GET", "/-/components").status_code == 200)
    sent = {"Content-Type": "application/wasm"}
    path = "/-/components/plot"
    assert audited.ask("ci", "PUT", path, data=b"nonsense", headers=sent).status_code == 400
    line = audited.line("component_deployed", name="ci")
    assert (line["path"], line["status"], line["received"]) == (path, 400, 8)
    content = guest("plot").read_bytes()
    assert audited.ask("ci", "PUT", path, data=content, headers=sent).status_code == 200
    assert audited.line("component_deployed", outcome="success")["path"] == path
    assert audited.ask("ci", "DELETE", path).status_code == 200
    assert audited.line("component_removed", outcome="success")["name"] == "ci"
    reply = audited.ask("ci", "POST", f"{path}/rollback")
    line = audited.line("component_rolled_back", name="ci")
    assert (line["path"], line["status"]) == (f"{path}/rollback", reply.status_code)


def test_the_host_s_start_and_its_end_are_told_of(audited: Audited) -> None:
    audited.line("started")
    audited.ask("alice", "GET", ADD)
    assert audited.host.stop() == 0
    events = [line["event"] for line in audited.lines()]
    assert events == ["started", "call", "stopped"]
    assert stat.S_IMODE(audited.file.stat().st_mode) == 0o600
    audited.host.restart()
    audited.host.stop()
    assert [line["event"] for line in audited.lines()] == [*events, "started", "stopped"]


# What is in it and what is not.


@pytest.mark.attack(
    "tokens in the path, in the query and in the arguments of requests, with an audit log",
    "the log has no secret of them",
)
def test_no_line_has_a_secret(make_host: MakeHost, tmp_path: Path) -> None:
    audited = Audited(make_host, tmp_path, "math", "text", "misbehave", more="arguments = true\n")
    audited.start()
    token = audited.tokens["admin"]
    secret = TOKEN.fullmatch(token)[2]
    audited.ask(None, "GET", f"/{token}")
    audited.ask(None, "GET", f"/tarp%5f{token[5:]}")
    audited.ask("admin", "GET", f"/reverse?text={token}")
    audited.ask("admin", "POST", "/slugify", json={"text": token})
    audited.ask("admin", "POST", "/slugify", json=[f"x{token}{token}"])
    eventually(lambda: len(audited.lines()) == 6)
    text = audited.file.read_text()
    assert secret not in text
    assert secret.lower() not in text.lower()
    assert f"{token[:22]}{'*' * 43}" in text


def test_arguments_are_told_only_where_they_are_asked_for(
    make_host: MakeHost, tmp_path: Path
) -> None:
    audited = Audited(make_host, tmp_path, "math", "text", more="arguments = true\n").start()
    audited.ask("admin", "GET", ADD)
    audited.ask("admin", "POST", "/scale", json=[[1.5, 2], 3])
    audited.ask("admin", "POST", "/slugify", json={"text": "x" * 20_000})

    def by_name(procedure: str) -> object:
        return audited.line("call", procedure=procedure)["arguments"]

    # As they came: a query is text until it is checked.
    assert by_name("add") in ({"x": 1, "y": 2}, {"x": "1", "y": "2"})
    assert by_name("scale") == {"values": [1.5, 2], "factor": 3}
    assert by_name("slugify") == "more than 16 KiB"


def test_it_is_off_by_default(make_host: MakeHost) -> None:
    host = make_host("math")
    assert status(host, None, ADD) == 200
    assert not list(host.data.rglob("*audit*"))
    assert "tarp_audit" not in host.request("GET", "/-/metrics").text


# Its files.


def test_full_files_are_kept_with_numbers(make_host: MakeHost, tmp_path: Path) -> None:
    more = "max_size = '64 KiB'\nkeep = 2\n"
    audited = Audited(make_host, tmp_path, "math", more=more).start()
    count = 1500
    for _ in range(count):
        assert audited.ask("admin", "GET", ADD).status_code == 200
    assert audited.host.stop() == 0
    files = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("audit"))
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    for name in files:
        path = tmp_path / name
        assert path.stat().st_size <= 64 << 10
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert all(json.loads(line) for line in path.read_text().splitlines())
    assert audited.lines()[-1]["event"] == "stopped"


@pytest.mark.attack(
    "a disk that is full, under an audit log",
    "calls go on; what could not be written is counted in the log once it can be",
)
def test_a_full_disk_holds_up_no_call(make_host: MakeHost, faults: Path, tmp_path: Path) -> None:
    logs, disk = tmp_path / "logs", Disk(tmp_path / "trigger")
    logs.mkdir()
    environment = disk.under(logs, faults)
    more = "arguments = true\n"
    audited = Audited(make_host, logs, "math", "text", more=more, environment=environment).start()
    audited.ask("admin", "GET", ADD)
    audited.line("call", procedure="add")
    # Of each line 15 KiB: more than may wait.
    body = {"text": "x" * (15 << 10)}
    with disk.failing("write", errno.ENOSPC):
        for _ in range(320):
            assert audited.ask("admin", "POST", "/slugify", json=body).status_code == 200
        assert dropped(audited) > 10
        assert len(audited.lines("call")) == 1
    told = eventually(lambda: audited.lines("dropped"))
    assert sum(line["lines"] for line in told) == dropped(audited)
    assert len(audited.lines("call")) + dropped(audited) >= 321
    assert "audit log" in audited.host.log
    audited.ask("admin", "GET", ADD)
    eventually(lambda: audited.lines("call")[-1]["procedure"] == "add")


def dropped(audited: Audited) -> int:
    text = audited.ask("admin", "GET", "/-/metrics").text
    line = next(
        line for line in text.splitlines() if line.startswith("tarp_audit_dropped_lines_total")
    )
    return int(line.split()[-1])


def test_a_full_disk_does_not_hold_up_the_end(
    make_host: MakeHost, faults: Path, tmp_path: Path
) -> None:
    logs, disk = tmp_path / "logs", Disk(tmp_path / "trigger")
    logs.mkdir()
    environment = disk.under(logs, faults)
    audited = Audited(make_host, logs, "math", environment=environment).start()
    with disk.failing("write", errno.ENOSPC):
        assert audited.ask("admin", "GET", ADD).status_code == 200
        assert audited.host.stop() == 0
    assert "the last lines of the audit log are lost" in audited.host.log


@pytest.mark.parametrize("kind", ["folder", "device", "nowhere"])
def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "procedures"
    folder.mkdir()
    place(guest("math"), folder / "math.wasm")
    file = {"folder": tmp_path, "device": "/dev/null", "nowhere": tmp_path / "no/such"}[kind]
    config = tmp_path / "tarp.toml"
    config.write_text(f"[audit]\nfile = '{file}'\n")
    flags = ("--config", config, "--port", "0", "--cache", tmp_path / "cache")
    refused = run_binary("serve", folder, *flags)
    assert refused.returncode != 0
    assert f"cannot write the audit log {file}" in refused.stderr
    assert "[audit]" in refused.stderr


def test_two_hosts_do_not_write_to_one_file(audited: Audited, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text(f"[audit]\nfile = '{audited.file}'\n")
    flags = ("--config", config, "--port", "0", "--cache", tmp_path / "cache")
    refused = run_binary("serve", audited.host.folder, *flags)
    assert refused.returncode != 0
    assert refused.stderr.count("another host writes to it") == 1
