"""`tarp call`: arguments in every form, results where they are to go, failures with exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from certificate import make_certificate
from command_line import CommandLine
from host import Host, MakeHost
from stand_in import Answer, StandIn, envelope, procedure, raw, standing_in

HELP = Path(__file__).parent / "help"


@pytest.fixture(scope="module")
def tarp(host: Host) -> CommandLine:
    return CommandLine(host.address)


@pytest.fixture
def stand_in() -> StandIn:
    with standing_in() as stand_in:
        yield stand_in


# Arguments.


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["add", "1", "2"], "3"),
        (["add", "x=1", "y=-2"], "-1"),
        (["add", "-1", "-2"], "-3"),
        (["add", "y=5", "1"], "6"),
        (["statistics/mean", "[1, 2, 3]"], "2.0"),
        (["statistics_mean", "1,2,3"], "2.0"),
        (["echo_bool", "true"], "true"),
        (["echo_u64", "18446744073709551615"], "18446744073709551615"),
        (["echo_s64", "-9223372036854775808"], "-9223372036854775808"),
        (["echo_list_u64", "[18446744073709551615]"], "[18446744073709551615]"),
        (["echo_f64", "0.30000000000000004"], "0.30000000000000004"),
        (["echo_f64", "nan"], "NaN"),
        (["echo_f64", "value=-inf"], "-Infinity"),
        (["echo_string", "two words"], "two words"),
        (["echo_string", "5"], "5"),
        (["echo_string", '"a=b"'], "a=b"),
        (["echo_string", '"@home"'], "@home"),
        (["echo_char", "é"], "é"),
        (["echo_color", "light_blue"], "light_blue"),
        (["echo_marks", "noisy,saturated"], '["noisy", "saturated"]'),
        (["echo_measurement", "missing"], "missing"),
        (["echo_measurement", '{"count": 7}'], '{"count": 7}'),
        (["echo_option", "null"], "null"),
        (["echo_option"], "null"),
        (["echo_point", '{"x": 1, "y": 2}'], '{"x": 1.0, "y": 2.0}'),
        (["greet", "Ada", "greeting=Good morning"], "Good morning, Ada!"),
        (["echo_bytes", "aGk="], "hi"),
        (["checksum", "aGk="], "3633523372"),
        (["nothing"], ""),
    ],
)
def test_a_word_is_read_by_the_type_of_its_parameter(
    tarp: CommandLine, words: list[str], printed: str
) -> None:
    assert tarp.ok("call", *words).text.rstrip("\n") == printed


@pytest.mark.parametrize(
    "dtype", ["i1", "i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8", ">i4", ">f8"]
)
def test_an_array_of_numpy_is_an_argument_and_a_result(
    tarp: CommandLine, tmp_path: Path, dtype: str
) -> None:
    array = np.array([0, 1, 100], dtype)
    np.save(tmp_path / "in.npy", array)
    kind = array.dtype
    name = f"echo_list_{ {'i': 's'}.get(kind.kind, kind.kind) }{kind.itemsize * 8}"
    tarp.ok("call", name, f"@{tmp_path}/in.npy", "-o", tmp_path / "out.npy")
    back = np.load(tmp_path / "out.npy")
    assert back.dtype == kind.newbyteorder("=")
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_keeps_its_axes(tarp: CommandLine, tmp_path: Path, order: str) -> None:
    matrix = np.array([[1, 2, np.nan], [4, np.inf, 6]], order=order)
    np.save(tmp_path / "in.npy", matrix)
    tarp.ok("call", "transpose", f"matrix=@{tmp_path}/in.npy", "-o", tmp_path / "out.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), matrix.T)


def test_numbers_of_an_array_become_those_that_are_needed(
    tarp: CommandLine, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", np.array([1.0, 2.0]))
    assert tarp.value("echo_list_s16", f"@{tmp_path}/a.npy") == [1, 2]
    np.save(tmp_path / "a.npy", np.array([1.5]))
    wrong = tarp("call", "echo_list_s16", f"@{tmp_path}/a.npy")
    assert wrong.code == 2
    assert "holds 1.5, which is no s16" in wrong.err
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    wrong = tarp("call", "sum", f"@{tmp_path}/a.npy")
    assert wrong.code == 2
    assert "with shape (2, 3), not list<f64>" in wrong.err


def test_files_are_read_by_their_kind(tarp: CommandLine, tmp_path: Path) -> None:
    def file(name: str, content: str) -> str:
        (tmp_path / name).write_text(content)
        return f"@{tmp_path / name}"

    assert tarp.value("sum", file("a.json", "[1, 2.5]")) == 3.5
    assert tarp.value("sum", file("a.csv", "value\n1\n2.5\n")) == 3.5
    assert tarp.value("transpose", file("b.csv", "1,2\n3,4\n")) == [[1, 3], [2, 4]]
    points = file("points.csv", "y,x\n1,0\n3,2\n")
    box = tarp.value("geometry/bounding_box", points)
    assert box == {"corner": {"x": 0, "y": 1}, "width": 2, "height": 2}
    assert tarp.value("reverse", file("note.txt", "né")) == "én"
    assert tarp.value("reverse", file("text.json", "[]")) == "][", "text is the file itself"


def test_any_file_is_bytes_where_bytes_are_wanted(tarp: CommandLine, tmp_path: Path) -> None:
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    (tmp_path / "a.png").write_bytes(image)
    assert tarp.ok("call", "echo_bytes", f"@{tmp_path}/a.png").out == image
    np.save(tmp_path / "a.npy", np.zeros(3))
    expected = (tmp_path / "a.npy").read_bytes()
    assert tarp.ok("call", "echo_bytes", f"@{tmp_path}/a.npy").out == expected


def test_standard_input_is_a_file(tarp: CommandLine) -> None:
    assert tarp.ok("call", "echo_bytes", "@-", stdin=b"\0\xff").out == b"\0\xff"
    assert tarp.value("sum", "@-", stdin=b"1\n2\n") == 3
    assert tarp.value("sum", "values=@-", stdin=b"[1, 2]") == 3
    assert tarp.ok("call", "echo_string", "@-", stdin="naïve\n".encode()).text == "naïve\n"


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["statistics/maen", "1"], ["no procedure `statistics/maen`", "`statistics/mean`?"]),
        (["median", "1"], ["did you mean `statistics/median`?"]),
        (["add", "1"], ["argument `y` (s64) of `add` is missing", "add(x: s64, y: s64) -> s64"]),
        (["add", "1", "2", "3"], ["takes 2 arguments", "`3`"]),
        (["add", "1", "two"], ["argument `y` (s64)", "`two`"]),
        (["scale", "vaules=1", "2"], ["no argument `vaules`", "did you mean `values`?"]),
        (["add", "1", "x=1", "y=2"], ["`x`", "came twice"]),
        (["sum", "@/nowhere.npy"], ["/nowhere.npy", "No such file"]),
        (["echo_color", "gren"], ["gren", "green"]),
        (["echo_u8", "256"], ["256", "u8"]),
        (["sum", "1", "--data", "x"], ["no web procedure"]),
        (["sum", "1", "-o", "sum.npy", "--since"], ["--since"]),
        ([], ["PROCEDURE"]),
    ],
)
def test_what_is_wrong_with_the_command_line_is_said(
    tarp: CommandLine, words: list[str], parts: list[str]
) -> None:
    ran = tarp("call", *words)
    assert (ran.code, ran.out) == (2, b"")
    for part in parts:
        assert part in ran.err


# Results.


def test_json_is_one_document(tarp: CommandLine) -> None:
    document = tarp.ok("call", "--json", "add", "1", "2").json
    assert document.keys() == {"result", "receipt"}
    assert document["result"] == 3
    assert document["receipt"].keys() == {"fuel", "peak_memory", "instantiate_us", "run_us"}
    assert document["receipt"]["fuel"] > 0
    assert tarp.ok("call", "--json", "echo_bytes", "aGk=").json["result"] == "aGk="


def test_long_lists_are_lines_and_still_json(tarp: CommandLine) -> None:
    printed = tarp.ok("call", "linspace", "0", "99", "100").text
    assert json.loads(printed) == list(range(100))
    assert 5 < len(printed.splitlines()) < 30


def test_records_are_a_table(stand_in: StandIn) -> None:
    record = {"list": {"record": [{"name": "label", "type": "string"}]}}
    stand_in.serve(
        procedure("peaks", result=record),
        peaks=envelope([{"label": "a", "height": 5}, {"label": "longer", "height": 123}]),
    )
    printed = CommandLine(stand_in.address).ok("call", "peaks").text
    assert printed == "label   height\na            5\nlonger     123\n"


def test_a_file_has_the_form_of_its_name(tarp: CommandLine, tmp_path: Path) -> None:
    def written(name: str, *words: str) -> bytes:
        ran = tarp.ok("call", *words, "-o", tmp_path / name)
        assert ran.out == b""
        assert name in ran.err
        return (tmp_path / name).read_bytes()

    histogram = ("statistics/histogram", "1,2,3,4", "3")
    assert written("a.csv", *histogram) == b"1.0,1\n2.0,1\n3.0,2\n"
    assert json.loads(written("a.json", *histogram)) == [[1, 1], [2, 1], [3, 2]]
    assert written("a.bin", "echo_bytes", "AP8=") == b"\0\xff"
    assert written("a.txt", "echo_string", "né") == "né".encode()
    both = tarp.ok("call", "--json", "add", "1", "2", "-o", tmp_path / "sum.json")
    assert both.json["result"] == 3


def test_a_result_that_cannot_fit_its_file_is_refused_before_the_call(
    tarp: CommandLine, tmp_path: Path
) -> None:
    ran = tarp("call", "echo_point", '{"x": 1, "y": 1}', "-o", tmp_path / "a.npy")
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert "the result is record" in ran.err


def test_a_result_that_does_not_fit_its_file_is_printed(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.serve(procedure("f", result={"list": {"list": "f64"}}), f=envelope([[1], [2, 3]]))
    ran = CommandLine(stand_in.address)("call", "f", "-o", tmp_path / "a.npy")
    assert (ran.code, ran.json) == (1, [[1], [2, 3]])
    assert "one length" in ran.err


def test_bytes_are_described_to_a_terminal(tarp: CommandLine) -> None:
    with tarp.terminal("call", "echo_bytes", "R0lGODlh") as terminal:
        assert terminal.ended() == 0
        assert "6 bytes, a GIF image; -o FILE saves them" in terminal.shown


def test_a_guest_cannot_control_the_terminal(tarp: CommandLine) -> None:
    with tarp.terminal("call", "echo_string", "a\x1b[2Jb") as terminal:
        assert terminal.ended() == 0
        assert "a\\u{1b}[2Jb" in terminal.raw
    assert tarp.ok("call", "echo_string", "a\x1b[2Jb").text == "a\x1b[2Jb\n", "a pipe has it all"


def test_colours_are_for_terminals_that_want_them(tarp: CommandLine) -> None:
    with tarp.terminal("call", "fail_with_string", "no") as terminal:
        assert terminal.ended() == 1
        assert "\x1b[" in terminal.raw
        assert "ProcedureError: no" in terminal.shown
    with tarp.terminal("call", "fail_with_string", "no", NO_COLOR="1") as terminal:
        assert terminal.ended() == 1
        assert "\x1b[" not in terminal.raw
    assert "\x1b" not in tarp("call", "fail_with_string", "no").err


def test_what_takes_long_is_seen_to_be_going_on(tarp: CommandLine) -> None:
    with tarp.terminal("call", "sleep_for", "1500") as terminal:
        terminal.until("sleep_for .*running")
        assert terminal.ended() == 0
        assert terminal.shown.endswith("1500\r\n")


def test_a_reader_who_has_enough_is_no_failure(tarp: CommandLine) -> None:
    process = tarp.start("call", "linspace", "0", "1", "200000")
    assert process.stdout
    assert process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


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


# Web procedures.

WEB = {"methods": ["GET", "POST"]}


def test_a_web_procedure_gets_a_query_and_data(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.serve(procedure("page", web=WEB), page=envelope({"a": 1}))
    tarp = CommandLine(stand_in.address)
    assert tarp.ok("call", "page", "x=1", "y=a b&c").json == {"a": 1}
    assert stand_in.received[-1][:2] == ("GET", "/page?x=1&y=a+b%26c")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    for data, media, body in [
        (f"@{tmp_path}/a.png", "image/png", b"\x89PNG"),
        ('{"a": 1}', "application/json", b'{"a": 1}'),
        ("hello", "text/plain; charset=utf-8", b"hello"),
        ("@-", "application/octet-stream", b"in"),
    ]:
        tarp.ok("call", "page", "x=1", "--data", data, stdin=b"in")
        received = stand_in.received[-1]
        assert received[:2] == ("POST", "/page?x=1")
        assert (received.headers["content-type"], received.body) == (media, body)
    wrong = tarp("call", "page", "1")
    assert wrong.code == 2
    assert "name=value" in wrong.err


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        (raw(b"\x89PNG\0", "image/png"), b"\x89PNG\0"),
        (raw("né\n".encode(), "text/html"), "né\n".encode()),
        (raw(b'{"a":[1]}', "application/json"), b'{"a": [1]}\n'),
        (envelope("AP8=", "application/octet-stream"), b"\0\xff"),
        (envelope("hi", "text/plain"), b"hi\n"),
    ],
)
def test_what_a_web_procedure_answers_is_printed_as_it_is(
    stand_in: StandIn, answer: Answer, printed: bytes
) -> None:
    stand_in.serve(procedure("page", web={"methods": ["GET"]}), page=answer)
    tarp = CommandLine(stand_in.address)
    assert tarp.ok("call", "page").out == printed
    refused = tarp("call", "page", "--data", "x")
    assert refused.code == 2
    assert "GET alone" in refused.err


def test_a_web_procedure_can_say_that_it_failed(stand_in: StandIn, tmp_path: Path) -> None:
    answer = raw(b"no such plot", "text/plain", 404)
    stand_in.serve(procedure("page", web={"methods": ["POST"]}), page=answer)
    tarp = CommandLine(stand_in.address)
    ran = tarp("call", "page", "-o", tmp_path / "a.txt")
    assert ran.code == 1
    assert "status 404" in ran.err
    assert (tmp_path / "a.txt").read_bytes() == b"no such plot"
    assert stand_in.received[-1].method == "POST"
    words = {"status": "error", "type": "ProcedureError", "message": "the procedure answered"}
    stand_in.answers["/page"] = Answer(words | {"result": {"why": [1]}}, status=404)
    ran = tarp("call", "page")
    assert ran.code == 1
    assert '\n    "why": [' in ran.err


# Help.


def test_what_a_newer_host_says_more_is_no_trouble(stand_in: StandIn) -> None:
    parameter: dict[str, Any] = {"name": "table", "type": {"map": ["string", "u8"]}, "more": 1}
    stand_in.serve(procedure("f", parameters=[parameter], more=1), f=envelope(1))
    CommandLine(stand_in.address).ok("call", "f", '{"a": 1}')
    assert json.loads(stand_in.received[-1].body) == {"table": {"a": 1}}


def test_an_argument_with_a_default_may_be_left_out(stand_in: StandIn) -> None:
    parameter = {"name": "n", "type": "u32", "default": 10}
    stand_in.serve(procedure("f", parameters=[parameter]), f=envelope(1))
    CommandLine(stand_in.address).ok("call", "f")
    assert json.loads(stand_in.received[-1].body) == {}


@pytest.mark.parametrize(
    "command",
    [
        "call",
        "jobs",
        "jobs list",
        "jobs show",
        "jobs logs",
        "jobs cancel",
        "jobs result",
        "completions",
    ],
)
def test_the_help_is_as_it_was_written_down(tarp: CommandLine, command: str) -> None:
    """TARP_WRITE_HELP=1 writes it down anew."""
    written = HELP / f"{command.replace(' ', '-')}.txt"
    shown = tarp.ok(*command.split(), "--help").text
    if os.environ.get("TARP_WRITE_HELP"):
        written.write_text(shown)
    assert shown == written.read_text()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_every_shell_can_complete(tarp: CommandLine, shell: str) -> None:
    script = tarp.ok("completions", shell).text
    assert "cancel-on-interrupt" in script
