"""`tarp serve` as a command: its output, its refusals, its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from certificate import Certificate, make_certificate
from command_line import run
from components import CORE_MODULE
from host import (
    BINARY,
    DEADLINE,
    LISTENING,
    READY,
    Host,
    MakeHost,
    clean_environment,
    eventually,
    place,
    run_binary,
)


def refusal(*arguments: str | Path) -> str:
    """What a start that is refused says."""
    ended = run_binary("serve", *arguments)
    assert ended.returncode > 0, "it ended by itself, not by a signal"
    assert ended.stderr.strip(), "it says why"
    assert "panicked" not in ended.stderr
    assert "RUST_BACKTRACE" not in ended.stderr
    return ended.stderr


# What it prints.


def test_it_says_where_it_listens_and_when_it_is_ready(make_host: MakeHost) -> None:
    host = make_host("math")
    listening = host.said(LISTENING)
    assert listening.group(1) == f"http://127.0.0.1:{host.port}"
    assert host.port != 0
    assert Path(listening.group(2)).resolve() == host.folder.resolve()
    assert host.said(READY).group(1, 2, 3) == ("11", "1", None)


def test_problems_at_the_start_are_counted(make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": "oops = 1\n"}, start=False)
    place(CORE_MODULE, host.folder / "core.wasm")
    host.start()
    assert host.said(READY).group(1, 2, 3) == ("0", "0", "2")
    assert "core.wasm" in host.log
    assert "oops" in host.log


def test_standard_output_has_two_lines_and_the_log_goes_elsewhere(make_host: MakeHost) -> None:
    host = make_host("math")
    assert host.rpc("add", 1, 2) == 3
    host.stop()
    assert len(host.output) == 2
    assert host.log.strip()
    assert not LISTENING.search(host.log)


def test_a_log_of_json(make_host: MakeHost) -> None:
    host = make_host("math", "text", flags=["--log", "json"])
    place(CORE_MODULE, host.folder / "core.wasm")
    eventually(lambda: host.problems().get("core.wasm"))
    host.stop()
    lines = [json.loads(line) for line in host.log.splitlines()]
    assert {line["level"] for line in lines} >= {"INFO", "WARN"}
    assert all("timestamp" in line for line in lines)


def test_a_log_of_text_is_no_json(make_host: MakeHost) -> None:
    host = make_host("math", flags=["--log", "text"])
    host.stop()
    with pytest.raises(json.JSONDecodeError):
        json.loads(host.log.splitlines()[0])


def test_help_names_what_can_be_set() -> None:
    text = run_binary("serve", "--help").stdout
    for flag in (
        *("--bind", "--port", "--config", "--log", "--cache", "--tls-cert", "--tls-key"),
        *("--allow-host", "127.0.0.1", "8080"),
    ):
        assert flag in text


# Configuration.


def test_flags_win_over_variables_and_those_over_the_file(make_host: MakeHost) -> None:
    config = "[server]\nport = 1\nbind = '192.0.2.1'\n"
    host = make_host(
        "math",
        config=config,
        flags=["--bind", "127.0.0.1"],
        environment={"TARP_PORT": "2", "TARP_BIND": "192.0.2.2"},
    )
    assert host.get("add", {"x": 1, "y": 2}) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nport = 99999\n", ["line 2", "port"]),
        ("[server]\nprot = 80\n", ["line 2", "prot"]),
        ("\n[sever]\n", ["line 2", "sever"]),
        ("[server]\nbind = 'home'\n", ["line 2", "bind"]),
        ("[server]\ngrace = 'soon'\n", ["line 2", "grace"]),
        ("[server]\nmax_body = 'big'\n", ["line 2", "max_body"]),
        ("[server]\nallowed_hosts = 'x'\n", ["line 2", "allowed_hosts"]),
        ("[limits]\nmemory = '8 GiB'\n", ["line 2", "memory", "4 GiB"]),
        ("[limits]\n\nfuel = 0\n", ["line 3", "fuel"]),
        ("[limits\n", ["line 1"]),
    ],
)
def test_a_bad_configuration_is_refused_by_line_and_key(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(text)
    told = refusal(tmp_path, "--port", "0", "--config", config)
    assert "settings.toml" in told
    for word in words:
        assert word in told
    assert told.count(words[0]) == 1, "it is told once"


def test_a_missing_configuration_is_refused_by_name(tmp_path: Path) -> None:
    assert "nowhere.toml" in refusal(tmp_path, "--config", tmp_path / "nowhere.toml")


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert "nowhere" in refusal(tmp_path / "nowhere", "--port", "0")


def test_a_file_in_place_of_the_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "math.wasm").write_bytes(b"")
    assert "math.wasm" in refusal(tmp_path / "math.wasm", "--port", "0")


def test_a_port_that_is_taken_is_refused_by_number(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refusal(tmp_path, "--port", str(port))
    assert str(port) in told
    assert re.search("in use", told)
    assert "--port" in told, "the cure"


def test_bad_flags_are_refused_by_name(tmp_path: Path) -> None:
    assert "--prot" in refusal(tmp_path, "--prot", "0")
    assert "--log" in refusal(tmp_path, "--log", "yaml")
    assert "--port" in refusal(tmp_path, "--port", "99999")


def test_an_address_with_a_port_is_told_as_flags(tmp_path: Path) -> None:
    for address, ip in (("127.0.0.1:9000", "127.0.0.1"), ("localhost:9000", "127.0.0.1")):
        told = refusal(tmp_path, "--bind", address)
        assert f"--bind {ip} --port 9000" in told
    assert "--bind :: --port 9000" in refusal(tmp_path, "--bind", "[::]:9000")
    assert "such as 127.0.0.1" in refusal(tmp_path, "--bind", "lab.example")
    config = tmp_path / "tarp.toml"
    config.write_text('[server]\nbind = "0.0.0.0:9000"\n')
    told = refusal(tmp_path, "--config", config)
    assert "line 2" in told
    assert 'bind = "0.0.0.0" and port = 9000' in told


# Certificates.


def test_bad_certificates_are_refused_by_file(tmp_path: Path) -> None:
    good = make_certificate(tmp_path, "good")
    other = make_certificate(tmp_path, "other")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no PEM\n")

    def told(certificate: Certificate) -> str:
        flags: list[str | Path] = ["--tls-cert", certificate.cert, "--tls-key", certificate.key]
        return refusal(tmp_path, "--port", "0", "--cache", tmp_path / "cache", *flags)

    missing = tmp_path / "missing.pem"
    assert "missing.pem" in told(Certificate(missing, good.key))
    assert "missing.pem" in told(Certificate(good.cert, missing))
    assert "garbage.pem" in told(Certificate(garbage, good.key))
    assert "garbage.pem" in told(Certificate(good.cert, garbage))
    assert "good-key.pem" in told(Certificate(good.key, good.key))
    assert "good-cert.pem" in told(Certificate(good.cert, good.cert))
    assert "cert.pem" in told(Certificate(good.cert, other.key)), "they do not belong together"


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    cache: list[str | Path] = ["--cache", tmp_path / "cache"]
    assert "key" in refusal(tmp_path, "--port", "0", *cache, "--tls-cert", made.cert)
    assert "cert" in refusal(tmp_path, "--port", "0", *cache, "--tls-key", made.key)


def test_https_is_not_http(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    config = f"[server]\ntls_cert = '{made.cert}'\ntls_key = '{made.key}'\n"
    host = make_host("math", config=config)
    assert host.address.startswith("https://")
    host.verify = str(made.cert)
    assert host.rpc("add", 1, 2) == 3
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://127.0.0.1:{host.port}/add?x=1&y=2")
    assert host.rpc("add", 1, 2) == 3


# The end.


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_asked_to(make_host: MakeHost, how: signal.Signals) -> None:
    host = make_host("math")
    assert host.rpc("add", 1, 2) == 3, "which leaves an idle connection open"
    assert host.stop(how) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_running_calls_finish_and_no_new_ones_begin(
    make_host: MakeHost, how: signal.Signals
) -> None:
    host = make_host("misbehave", "math")
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(host.rpc, "sleep_for", 3000) for _ in range(4)]
        await_running(host, calls)
        host.ask_to_stop(how)
        eventually(lambda: is_closed(host))
        assert host.is_running
        assert not any(call.done() for call in calls)
        assert [call.result() for call in calls] == [3000] * 4
    assert host.wait() == 0


def await_running(host: Host, calls: list) -> None:
    """Waits until calls are under way: later requests have their replies, so they were read."""
    eventually(lambda: all(call.running() for call in calls))
    for _ in range(5):
        assert requests.get(f"{host.address}/add?x=1&y=2").json()["result"] == 3


def is_closed(host: Host) -> bool:
    try:
        socket.create_connection(("127.0.0.1", host.port), 5).close()
    except ConnectionError:
        return True
    return False


def test_what_runs_longer_than_the_grace_is_ended(make_host: MakeHost) -> None:
    host = make_host("misbehave", "math", config="[server]\ngrace = '300 ms'\n")
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(host.rpc, "sleep_for", 50_000)
        await_running(host, [call])
        assert host.stop() == 0
        assert isinstance(call.exception(), requests.exceptions.ConnectionError)


def test_it_ends_while_components_are_still_loading(make_host: MakeHost, tmp_path: Path) -> None:
    host = make_host("shapes", "text", "math", cache=tmp_path / "cache", start=False)
    host.launch()
    assert host.stop() == 0


def test_a_second_host_may_share_folder_and_cache(make_host: MakeHost) -> None:
    one = make_host("math")
    two = make_host(folder=one.folder)
    assert one.port != two.port
    assert one.rpc("add", 1, 2) == two.rpc("add", 1, 2) == 3


def test_a_log_that_is_no_terminal_has_no_colours(make_host: MakeHost) -> None:
    host = make_host("math")
    assert host.stop() == 0
    assert "loaded" in host.log
    assert "\x1b" not in host.log


def test_a_filter_of_the_log_is_taken_or_refused(make_host: MakeHost) -> None:
    host = make_host("math", environment={"TARP_LOG": "warn,tarp_host::catalog=info"})
    assert host.stop() == 0
    assert "loaded" in host.log
    host = make_host("math", environment={"TARP_LOG": "warn"})
    assert host.stop() == 0
    assert "loaded" not in host.log
    ran = run("serve", ".", deadline=DEADLINE, TARP_LOG="loud=and=clear")
    assert ran.returncode == 1
    assert 'TARP_LOG="loud=and=clear" is no filter' in ran.stderr


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ([], ["--cache", "TARP_CACHE", "--data", "TARP_DATA"]),
        (["--jobs", "none"], ["--cache"]),
        (["--cache", "here"], ["--data"]),
    ],
)
def test_a_start_without_a_home_names_all_that_it_needs(
    tmp_path: Path, flags: list[str], missing: list[str]
) -> None:
    environment = {
        name: value for name, value in clean_environment().items() if not name.startswith("XDG_")
    }
    ran = subprocess.run(
        [BINARY, "serve", tmp_path, "--port", "0", *flags],
        env=environment | {"HOME": "/dev/null/nobody"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert ran.returncode == 1
    assert "set HOME, or give " in ran.stderr
    named = {
        word for word in ("--cache", "--data", "TARP_CACHE", "TARP_DATA") if word in ran.stderr
    }
    assert named >= set(missing)
    assert ("--cache" in named) == ("--cache" in missing)
    assert ("--data" in named) == ("--data" in missing)
