"""`python -m tarp`, and the stubs that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tarp.__main__ import main

URL = "http://127.0.0.1:1"


def test_the_list(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([url]) == 0
    shown = capsys.readouterr()
    assert "add(x: int, y: int) -> int\n    Adds two integers." in shown.out
    assert "statistics/mean(values: list[float]) -> float" in shown.out
    assert "problem: text.wasm: " in shown.err
    assert main(["list", url, "statistics/mean"]) == 0
    assert "(values: list<f64>) -> result<f64, string>  (math.wasm)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (["add", "1", "2"], 3),
        (["add", "1", "y=2"], 3),
        (["statistics/mean", "[1, 2, 6]"], 3.0),
        (["reverse", "12"], "21"),
        (["reverse", "text=a=b"], "b=a"),
        (["echo_string", "a=b"], "a=b"),
        (["echo_option", "null"], None),
        (["echo_point", '{"x": 1, "y": 2}'], {"x": 1.0, "y": 2.0}),
        (["echo_marks", '["noisy"]'], ["noisy"]),
        (["echo_bytes", "abc"], "abc"),
        (["echo_color", "red"], "red"),
        (["step_aside", "3"], 3),
    ],
)
def test_a_call(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], result: object
) -> None:
    assert main(["call", url, *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == result


def test_a_call_without_a_result_and_one_with_a_receipt(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["call", url, "nothing"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["call", url, "--receipt", "add", "1", "2"]) == 0
    assert capsys.readouterr().err.startswith("fuel ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["call", "add", "one", "2"], "BadArguments: the argument `x`"),
        (["call", "ad"], "did you mean `add`"),
        (["call", "panic", "it broke"], "Trap: "),
        (["list", "nobody"], "no procedure `nobody`"),
    ],
)
def test_failures(
    url: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    command, *rest = arguments
    assert main([command, url, *rest]) == 1
    assert words in capsys.readouterr().err


def test_nobody_at_the_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([URL]) == 1
    assert capsys.readouterr().err.startswith(f"tarp: cannot connect to {URL}")


def test_as_a_module(url: str) -> None:
    command = [sys.executable, "-m", "tarp", "call", url, "add", "1", "2"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b"3"


USE = """
    from __future__ import annotations
    from typing import TYPE_CHECKING, cast
    import tarp
    import tarp.aio
    if TYPE_CHECKING:
        import awaited
        import procedures

    host = cast("procedures.Procedures", tarp.connect("http://localhost"))
    number: int = host.add(1, y=2)
    mean: float = host.statistics.mean([1, 2])
    flat: float = host.statistics_mean(values=range(3))
    job: tarp.Job[int] = host.add.submit(1, 2)
    whole: int = job.result()
    x: float = host.echo_point({"x": 1, "y": 2})["x"]
    host.echo_sample(host.echo_sample({"label": "a", "values": (1, 2), "marks": ["noisy"],
        "taken_at": {"x": 1, "y": 2}, "color": "red", "calibration": {"ok": 0.5}}))
    host.echo_measurement("missing")
    host.echo_measurement({"count": 1})
    host.echo_pairs({"a": 1.0})
    host.greet("Ada", greeting=None)
    for each in host.add.options(priority=1).map([1], [2]):
        number = each
    with tarp.connect("http://localhost") as plain:
        plain.any_name.at_all(1).goes

    async def main() -> None:
        async with cast("awaited.Procedures", tarp.aio.connect("http://localhost")) as host:
            number: int = await host.add(1, 2)
            job: tarp.aio.Job[float] = await host.statistics.mean.submit([1])
            mean: float = await job
            async for each in host.add.map([1], [2]):
                number = each
"""

MISUSE = """
    host.add("one", 2)
    host.add(1, 2, 3)
    host.ad(1, 2)
    text: str = host.add(1, 2)
    host.echo_color("blue")
    host.echo_point({"x": 1})
    host.statistics.meen([1])
"""


def test_stubs_are_what_mypy_needs(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, flags in (("procedures", []), ("awaited", ["--aio"])):
        assert main(["stubs", url, *flags]) == 0
        (tmp_path / f"{name}.pyi").write_text(capsys.readouterr().out, "utf-8")
    use = textwrap.dedent(USE)
    (tmp_path / "use.py").write_text(use)
    (tmp_path / "misuse.py").write_text(use + textwrap.dedent(MISUSE))
    assert mypy(tmp_path, "procedures.pyi", "awaited.pyi", "use.py") == []
    first = use.count("\n") + 2
    wrong = {int(line.split(":")[1]) for line in mypy(tmp_path, "misuse.py")}
    assert wrong == set(range(first, first + MISUSE.count("\n") - 1))


def mypy(folder: Path, *files: str) -> list[str]:
    """The errors that mypy finds."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *files]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert not ran.stderr
    return [line for line in ran.stdout.splitlines() if ": error: " in line]
