"""Names as authors wrote them, which callers may write in snake_case and in Python's spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tarp._catalog import ProcedureInfo
from tarp._names import meant, snake_form
from tarp._types import spelled

#: The cases that the host is tested with.
CASES = json.loads(
    (Path(__file__).parents[3] / "schema" / "tests" / "names.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("name", "form"), CASES)
def test_the_snake_case_form_is_that_of_the_host(name: str, form: str) -> None:
    assert snake_form(name) == form


def test_an_exact_name_wins_and_a_shared_form_is_nobodys() -> None:
    assert meant("p_ka", ["n", "pKa"]) == "pKa"
    assert meant("t", ["T", "t"]) == "t"
    assert meant("p_ka", ["pKa", "PKa"]) is None
    assert meant("", ["+"]) is None


def test_every_parameter_has_a_spelling_of_its_own_in_python() -> None:
    assert spelled(["in", "V", "größe", "a$", "a_", "2d", "x-y"]) == {
        "in": "in_",
        "V": "V",
        "größe": "größe",
        "a$": "a__",
        "a_": "a_",
        "2d": "_2d",
        "x-y": "x_y",
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"V": 1, "in": 2}, {"V": 1, "in": 2}),
        ({"v": 1, "in_": 2}, {"V": 1, "in": 2}),
        # Both names of one parameter, and one of none, are for the host to refuse.
        ({"V": 1, "v": 2}, {"V": 1, "v": 2}),
        ({"v": 2, "V": 1}, {"v": 2, "V": 1}),
        ({"other": 1}, {"other": 1}),
    ],
)
def test_arguments_go_to_the_parameters_that_are_meant(
    given: dict[str, Any], found: dict[str, Any]
) -> None:
    info = ProcedureInfo("f", parameters=(("V", "f64"), ("in", "f64")))
    assert info.by_name(given) == found
