"""docs/security.md begins with what this suite declares."""

from __future__ import annotations

import difflib

import pytest

from host import TESTS
from security_table import attacks_of, declared, declared_in, functions_of, table, table_of_page


def test_the_page_has_what_the_suite_declares() -> None:
    page, suite = table_of_page().splitlines(), table(declared()).splitlines()
    changes = "\n".join(difflib.unified_diff(page, suite, "docs/security.md", "tests", lineterm=""))
    assert not changes, (
        f"run `target/venv/bin/python -m pytest tests -m attack --security-table`:\n{changes}"
    )


#: Tests of this folder that try nothing: they say what must go on to work.
NO_ATTACKS = {
    "test_a_pickle_as_large_as_what_it_means_is_read",
    "test_a_job_of_another_version_waits_for_the_end_of_the_start",
    "test_the_page_has_what_the_suite_declares",
    "test_every_attack_is_declared",
    "test_a_declaration_becomes_a_row",
}


def test_every_attack_is_declared() -> None:
    tests = [
        test for file in sorted((TESTS / "attacks").glob("*.py")) for test in functions_of(file)
    ]
    undeclared = {test.name for test in tests if not attacks_of(test)}
    assert undeclared == NO_ATTACKS


def test_a_declaration_becomes_a_row(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("security_table.TESTS", tmp_path)
    file = tmp_path / "test_one.py"
    file.write_text(
        "import pytest\n@pytest.mark.attack('much', 'little')\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_it(n): pass\ndef test_other(): pass\n"
    )
    (row,) = declared_in(file)
    assert str(row) == "| much | little | `tests/test_one.py::test_it` |"
