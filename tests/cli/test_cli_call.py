"""`tarp call`: arguments in every form, and results where they are to go."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from command_line import CommandLine
from stand_in import StandIn, envelope, procedure

# What it prints.


@pytest.mark.parametrize("flags", [[], ["--job"]])
def test_what_a_procedure_prints_goes_to_standard_error(
    tarp: CommandLine, flags: list[str]
) -> None:
    ran = tarp.ok("call", *flags, "chatter", "two words")
    assert ran.text == "two words\n"
    assert ran.err.endswith("two words\ntwo words\n")
    document = tarp.ok("call", *flags, "--json", "chatter", "two words").json
    assert (document["stdout"], document["stderr"]) == ("two words\n", "two words\n")
    assert "stdout" not in tarp.ok("call", *flags, "--json", "add", "1", "2").json


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
        (["echo_f64", "0.30000000000000004"], "0.30000000000000004"),
        (["echo_string", "two words"], "two words"),
        (["echo_string", "5"], "5"),
        (["echo_marks", "noisy,saturated"], '["noisy", "saturated"]'),
        (["echo_measurement", "missing"], "missing"),
        (["echo_measurement", '{"count": 7}'], '{"count": 7}'),
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
    """More of them are in the table of values."""
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
        (["echo_list_string", "['a']"], ["got `['a']`", "strings are in double quotes"]),
        (["echo_list_string", '["a", ]'], ["no comma before ]"]),
        (["echo_point", '{"x": NaN, "y": 1}'], ['write the string "NaN"']),
        (["echo_point", "{x: 1, y: 2}"], ["keys are in double quotes"]),
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
    assert json.loads(written("plain", *histogram)) == [[1, 1], [2, 1], [3, 2]]
    for name in ("a.npz", "a.parquet", "a.tsv", "a.xlsx"):
        refused = tarp("call", *histogram, "-o", tmp_path / name)
        assert refused.code == 2
        assert f"{name} would hold bytes or text" in refused.err
        assert ".json" in refused.err
        assert not (tmp_path / name).exists()
    assert tarp.ok("call", "add", "1", "2", "-o", "-").text == "3\n"
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
