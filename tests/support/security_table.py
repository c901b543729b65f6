"""The table at the beginning of docs/security.md, made of what tests declare.

A test declares what it tries and what comes with a marker of two texts:

    @pytest.mark.attack("headers without an end", "refused, and the connection is closed")

`pytest --security-table -m attack` runs these tests and writes the table, with the rows of those
that passed. `attacks/test_security_table.py` compares the table with the declarations.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from host import REPOSITORY, TESTS

PAGE = REPOSITORY / "docs" / "security.md"
BEGIN, END = "<!-- security table: begin -->", "<!-- security table: end -->"


@dataclass(frozen=True)
class Row:
    tried: str
    came: str
    #: Relative to the tests' folder, as pytest names it.
    test: str

    def __str__(self) -> str:
        return f"| {self.tried} | {self.came} | `tests/{self.test}` |"


def declared() -> list[Row]:
    """What all tests declare, by file and in each from top to bottom."""
    return [row for file in sorted(TESTS.rglob("test_*.py")) for row in declared_in(file)]


def declared_in(file: Path) -> Iterator[Row]:
    for function in functions_of(file):
        for marker in attacks_of(function):
            assert not marker.keywords, f"{file}: {function.name}"
            tried, came = (ast.literal_eval(text) for text in marker.args)
            assert "|" not in tried + came, "a row is a line of a table"
            yield Row(tried, came, f"{file.relative_to(TESTS)}::{function.name}")


def functions_of(file: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def attacks_of(function: ast.FunctionDef) -> list[ast.Call]:
    calls = [call for call in function.decorator_list if isinstance(call, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) == "pytest.mark.attack"]


def table(rows: list[Row]) -> str:
    """The table as the page has it, between its two comments."""
    head = "| What was tried | What came | Test |\n|---|---|---|"
    return "\n".join([BEGIN, head, *map(str, rows), END])


def table_of_page() -> str:
    text = PAGE.read_text()
    begin, end = text.index(BEGIN), text.index(END)
    return text[begin : end + len(END)]


class Writer:
    """Writes the table when the session ends, of tests whose every variant passed."""

    def __init__(self) -> None:
        self.outcomes: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Without the part in brackets that tells variants apart.
        self.outcomes.setdefault(report.nodeid.split("[")[0], set()).add(report.outcome)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        rows = declared()
        passed = [row for row in rows if self.outcomes.get(row.test) == {"passed"}]
        PAGE.write_text(PAGE.read_text().replace(table_of_page(), table(passed)))
        terminalreporter.write_line(f"{PAGE}: {len(passed)} rows")
        for row in rows:
            if row not in passed:
                terminalreporter.write_line(f"left out, since it did not pass: {row.test}")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--security-table",
        action="store_true",
        help="write the table of docs/security.md, of the tests marked `attack` that passed",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "attack(tried, came): a row of docs/security.md's table")
    if config.getoption("--security-table"):
        config.pluginmanager.register(Writer())
