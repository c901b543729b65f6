"""The code of a notebook as one module: its cells in order, without what only a notebook has."""

from __future__ import annotations

import ast
import bisect
import json
import re
from collections.abc import Iterator

from faults import Diagnostic

#: Cell magics whose cell is Python all the same.
TRANSPARENT = {"%%time", "%%timeit", "%%capture", "%%prun"}

#: What the notebook itself supplies.
SUPPLIED = "display = print\n"

#: A line that IPython takes for itself: a magic, a command for the shell, a question.
OWN_LINE = re.compile(r"\s*([%!?]|[\w.]+\s*=\s*[%!])|.*\?\s*$")

#: By the file's name as its author knows it: where each cell begins, and its number.
_cells: dict[str, list[tuple[int, int]]] = {}
#: What was left out.
warnings: list[Diagnostic] = []


def read(data: bytes, file: str) -> str:
    """The text of the module; where it is from is remembered for `located`."""
    try:
        cells = json.loads(data)["cells"]
        cells = [(number, cell) for number, cell in enumerate(cells, 1)]
        code = [
            (number, source(cell["source"]))
            for number, cell in cells
            if cell["cell_type"] == "code"
        ]
    except (KeyError, TypeError, ValueError):
        raise Diagnostic("no notebook of Jupyter (version 4 of its format)", file) from None
    starts = _cells[file] = []
    lines: list[str] = SUPPLIED.splitlines()
    for number, text in code:
        lines.append(f"# cell {number}")
        starts.append((len(lines) + 1, number))
        lines.extend(python_lines(text, file, len(lines) + 1))
    return "\n".join(lines) + "\n"


def source(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def python_lines(text: str, file: str, first: int) -> Iterator[str]:
    lines = text.splitlines()
    begin = next((index for index, line in enumerate(lines) if line.strip()), 0)
    magic = lines[begin].split()[0] if lines and lines[begin].startswith("%%") else ""
    if magic and magic not in TRANSPARENT:
        warnings.append(Diagnostic(f"the cell is left out: it is for `{magic}`", file, first))
        yield from (f"# {line}" for line in lines)
        return
    # A line within a text or an expression is Python, whatever it looks like.
    is_python = parses(text)
    for index, line in enumerate(lines):
        if is_python or line.lstrip().startswith("#") or not OWN_LINE.match(line):
            yield line
            continue
        if not (magic and index == begin):
            text = f"`{line.strip()}` is left out: only a notebook understands it"
            warnings.append(Diagnostic(text, file, first + index))
        indent = line[: len(line) - len(line.lstrip())]
        yield f"{indent}pass  # {line.strip()}"


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def cells(file: str) -> list[tuple[int, int]]:
    """The first line of each cell in the module, and the cell's number."""
    return _cells.get(file, [])


def located(fault: Diagnostic) -> Diagnostic:
    """The same with the cell and the line within it, where it is about a notebook."""
    starts = _cells.get(fault.file)
    if not starts or fault.line is None:
        return fault
    index = bisect.bisect_right(starts, (fault.line, 10**9)) - 1
    if index < 0:
        return fault
    start, number = starts[index]
    message = f"cell {number}, line {fault.line - start + 1}: {fault.message}"
    return Diagnostic(message, fault.file)
