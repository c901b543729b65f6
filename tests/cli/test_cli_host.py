"""`tarp call` of procedures that fail, and of hosts that are elsewhere, gone or not trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from certificate import make_certificate
from command_line import CommandLine
from host import Host, MakeHost
from stand_in import Answer, StandIn, envelope, procedure

# Failures.


def test_a_failure_shows_what_the_guest_left(tarp: CommandLine) -> None:
    ran = tarp("call", "panic", "no way")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith("Trap: `panic` panicked at ")
    assert "backtrace:\n" in ran.err
    assert "\nstderr:\n" in ran.err
    assert "\n  no way" in ran.err


def test_the_value_of_a_failure_is_shown(tarp: CommandLine) -> None:
    ran = tarp("call", "fail_with_record", "no")
    assert ran.code == 1
    assert '\n    "code": ' in ran.err


def test_a_failure_is_one_document_for_programs(tarp: CommandLine) -> None:
    ran = tarp("call", "--json", "fail_with_string", "no")
    assert (ran.code, ran.err) == (1, "")
    assert ran.json["type"] == "ProcedureError"
    assert ran.json["message"] == "no"
    assert ran.json["receipt"]["fuel"] > 0
    ran = tarp("call", "--json", "add", "1")
    assert (ran.code, ran.json["type"]) == (2, "Usage")


def test_a_host_that_is_not_there_is_asked_for(tarp: CommandLine) -> None:
    ran = tarp("call", "http://127.0.0.1:1", "add", "1", "2")
    assert ran.code == 3
    assert "is `tarp serve` running at http://127.0.0.1:1?" in ran.err
    ran = tarp("call", "--url", "127.0.0.1:1", "add")
    assert ran.code == 3
    assert "running at http://127.0.0.1:1?" in ran.err
    ran = tarp("call", "--url", "ftp://127.0.0.1:1", "add")
    assert ran.code == 2
    assert "http://" in ran.err


def test_who_is_no_host_is_told_apart(stand_in: StandIn) -> None:
    ran = CommandLine(stand_in.address)("call", "add", "1", "2")
    assert ran.code == 3
    assert "does not answer as a TARP host does" in ran.err
    stand_in.answers["/-/procedures"] = Answer({}, status=301, headers={"Location": "https://x/"})
    ran = CommandLine(stand_in.address)("call", "add", "1", "2")
    assert ran.code == 3
    assert "it leads to https://x/" in ran.err


def test_a_host_that_is_full_is_no_fault_of_the_procedure(stand_in: StandIn) -> None:
    full = {"status": "error", "type": "Overloaded", "message": "every place is taken"}
    stand_in.serve(procedure("f"), f=Answer(full, status=503))
    assert CommandLine(stand_in.address)("call", "f").code == 3


# The host's address.


def test_the_url_may_be_the_first_word_a_flag_or_a_variable(host: Host) -> None:
    nowhere = CommandLine("http://127.0.0.1:1")
    assert nowhere.ok("call", host.address, "add", "1", "2").text == "3\n"
    assert nowhere.ok("call", "--url", host.address, "add", "1", "2").text == "3\n"
    assert nowhere.ok("call", "add", "1", "2", TARP_URL=host.address + "/").text == "3\n"


@pytest.mark.parametrize(
    ("user", "token", "sent"),
    [
        ("", "", None),
        ("", "s3cret", "Bearer s3cret"),
        ("ada:p%40ss@", "s3cret", "Basic YWRhOnBAc3M="),
    ],
)
def test_the_token_and_the_password_are_sent(
    stand_in: StandIn, user: str, token: str, sent: str | None
) -> None:
    stand_in.serve(procedure("f"), f=envelope(1))
    address = stand_in.address.replace("://", f"://{user}")
    ran = CommandLine(address, TARP_TOKEN=token).ok("call", "f")
    assert ran.text == "1\n"
    assert [received.headers.get("authorization") for received in stand_in.received] == [sent] * 2


def test_a_password_is_never_shown(stand_in: StandIn) -> None:
    address = stand_in.address.replace("://", "://ada:s3cret@")
    ran = CommandLine(address)("call", "f")
    assert ran.code == 3
    assert "s3cret" not in ran.err
    assert "s3cret" not in CommandLine(address)("call", "--help").text


def test_a_certificate_is_trusted_where_it_is_named(make_host: MakeHost, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    other = make_certificate(tmp_path, "other")
    host = make_host("math", flags=["--tls-cert", made.cert, "--tls-key", made.key])
    tarp = CommandLine(host.address)
    assert tarp.ok("call", "--ca", made.cert, "add", "1", "2").text == "3\n"
    for words in [(), ("--ca", other.cert)]:
        ran = tarp("call", *words, "add", "1", "2")
        assert ran.code == 3
        assert "--ca FILE says whom to trust" in ran.err
    wrong_name = host.address.replace("127.0.0.1", "127.0.0.2")
    assert tarp("call", wrong_name, "--ca", made.cert, "add", "1", "2").code == 3
    ran = tarp("call", "--ca", made.key, "add", "1", "2")
    assert ran.code == 2
    assert "no certificate" in ran.err
