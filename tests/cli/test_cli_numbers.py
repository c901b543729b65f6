"""Numbers in words and files of the command line, where the table of cases does not reach: what is
said on standard error, and how a column is chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_line import CommandLine


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "tv.csv").write_text("time,volts\n0,1.5\n1,2.5\n")
    return tmp_path / "tv.csv"


def test_several_columns_are_refused_with_how_to_choose_one(tarp: CommandLine, table: Path) -> None:
    ran = tarp("call", "sum", f"@{table}")
    assert (ran.code, ran.out) == (2, b"")
    assert "there are 2 columns (time, volts)" in ran.err
    assert f"'@{table}:volts'" in ran.err
    for column in ("volts", "2"):
        assert tarp.value("sum", f"values=@{table}:{column}") == 4
    assert tarp.value("sum", "@-:time", stdin=table.read_bytes()) == 1
    wrong = tarp("call", "sum", f"@{table}:amps")
    assert wrong.code == 2
    assert "there is no column `amps`; the columns are time, volts" in wrong.err


def test_a_file_whose_name_has_a_colon_is_a_file(tarp: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "run:2").write_text("1\n2\n")
    assert tarp.value("sum", f"@{tmp_path}/run:2") == 3
    assert tarp("call", "sum", f"@{tmp_path}/nothing:2").code == 2


def test_what_was_made_of_a_text_is_said(tarp: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("# of today\nx\n1,5\n".replace("1,5", "1.5") + "NA\n")
    ran = tarp.ok("call", "--json", "echo_list_f64", f"@{tmp_path}/a.csv")
    assert ran.json["result"] == [1.5, "NaN"]
    assert "the first line was taken as a title: x" in ran.err
    assert "1 line that begins with # was taken as a comment" in ran.err
    assert "1 gap became NaN, at line 4" in ran.err
    ran = tarp.ok("call", "--json", "echo_list_f64", "1,5; 2,5")
    assert ran.json["result"] == [1.5, 2.5]
    assert "commas were read as decimal points" in ran.err


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("1.O\n2\n3\n", "line 1: `1.O` is not a number"),
        ("1\nl\n3\n", "line 2: `l` is not a number"),
        ("1\n\n3\n", "line 2 is blank"),
        ("1 2 3\n4 5\n", "line 1 has 3 cells, and line 2 has 2 cells"),
        ("[1, 2, ...]", "the array was shortened"),
    ],
)
def test_a_file_that_is_not_all_numbers_names_its_line(
    tarp: CommandLine, tmp_path: Path, content: str, part: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    ran = tarp("call", "sum", f"@{tmp_path}/a.csv")
    assert (ran.code, ran.out) == (2, b"")
    assert part in ran.err


@pytest.mark.parametrize(
    ("words", "back"),
    [
        (["-1,2"], [-1.0, 2.0]),
        (["-.5"], [-0.5]),
        (["-1;-2"], [-1.0, -2.0]),
        (["-1 2"], [-1.0, 2.0]),
        (["-0x10,1"], [-16.0, 1.0]),
        (["-1_000"], [-1000.0]),
        (["-1,2", "--job"], [-1.0, 2.0]),
        (["--", "-1,2"], [-1.0, 2.0]),
    ],
)
def test_a_list_may_begin_with_a_negative_number(
    tarp: CommandLine, words: list[str], back: list[float]
) -> None:
    assert tarp.value("echo_list_f64", *words) == back


def test_text_in_utf_16_is_refused_with_the_cure(tarp: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("1\n2\n".encode("utf-16"))
    ran = tarp("call", "sum", f"@{tmp_path}/a.csv")
    assert ran.code == 2
    assert "save it as UTF-8" in ran.err


def test_half_precision_is_read_exactly(tarp: CommandLine, tmp_path: Path) -> None:
    array = np.array([1, -2, 1 / 3, 65504, 6e-8, np.inf, np.nan], "f2")
    np.save(tmp_path / "in.npy", array)
    tarp.ok("call", "echo_list_f64", f"@{tmp_path}/in.npy", "-o", tmp_path / "out.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), array.astype("f8"))


def test_bytes_in_npy_are_an_array(tarp: CommandLine, tmp_path: Path) -> None:
    tarp.ok("call", "echo_bytes", "AP8=", "-o", tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").tolist() == [0, 255]
    # What is such a file already stays what it is.
    np.save(tmp_path / "b.npy", np.zeros(3))
    tarp.ok("call", "echo_bytes", f"@{tmp_path}/b.npy", "-o", tmp_path / "c.npy")
    assert (tmp_path / "c.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    refused = tarp("call", "echo_string", "1", "-o", tmp_path / "d.npy")
    assert refused.code == 2
    assert not (tmp_path / "d.npy").exists()


@pytest.mark.parametrize(
    ("procedure", "value"),
    [
        ("echo_list_string", ["a, b", " c ", "#d", "", 'q"u"ote', "two\nlines", " "]),
        ("echo_list_string", ["a;b", "c\td", ""]),
        ("echo_list_string", ["sep=;", "a"]),
        ("echo_list_string", ["\ufeffa", "\u0085", "\u00a0b"]),
        ("echo_list_char", ["a", " ", '"', "\t"]),
        ("echo_pairs", [[" a", 1.5], ["b ", "NaN"], ["1;2", -0.0]]),
        ("echo_list_point", [{"x": 1.5, "y": 2.0}, {"x": "Infinity", "y": 5e-324}]),
        ("echo_list_option", [1, None, 3]),
        ("echo_matrix", [[1.5, 2.0], [3.0, "NaN"]]),
    ],
)
def test_a_file_of_csv_is_read_as_what_was_written(
    tarp: CommandLine, tmp_path: Path, procedure: str, value: Any
) -> None:
    file = tmp_path / "value.csv"
    given = tmp_path / "value.json"
    given.write_text(json.dumps(value))
    tarp.ok("call", procedure, f"@{given}", "-o", file)
    assert tarp.value(procedure, f"@{file}") == value, file.read_text()
