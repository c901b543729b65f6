"""How hosts, procedures and jobs look: in a notebook, and as bars while something is under way."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from script import Played, reply

import tarp
from tarp import _html, _protocol
from tarp._catalog import Catalog
from tarp._progress import PlainBar, make_bar

EVIL = "<script>alert('x')</script>&\"'"


class Tags(HTMLParser):
    """Collects the tags of a page, and checks that they are balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, *_: Any) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_everything_from_outside_is_escaped() -> None:
    entry = {
        "name": f"{EVIL}/add",
        "documentation": EVIL,
        "parameters": [{"name": "x", "type": {"enum": [EVIL]}}],
        "result": {"record": [{"name": EVIL, "type": "u8"}]},
    }
    problem = {"file": EVIL, "message": EVIL}
    catalog = Catalog.of_json(
        {"version": "1", "complete": True, "procedures": [entry], "problems": [problem]}, ""
    )
    info = next(iter(catalog.procedures.values()))
    job = {"id": EVIL, "procedure": EVIL, "state": EVIL, "error": {"message": EVIL}}
    status = Played(_protocol.job("x", 0.0), reply(job)).result
    progress = {"done": 1, "total": 2, "message": EVIL}
    running = Played(
        _protocol.job("x", 0.0), reply({**job, "state": "running", "progress": progress})
    ).result
    for page in (
        _html.host(EVIL, catalog),
        _html.namespace(EVIL, catalog),
        _html.procedure(info),
        _html.job(EVIL, status, status.receipt),
        _html.job(EVIL, running, None),
        _html.job(EVIL, None, None),
    ):
        tags = Tags(page)
        assert "script" not in tags.seen
        assert "alert" in tags.text


def test_what_a_notebook_shows(host: tarp.Host) -> None:
    assert "statistics.mean" in Tags(host._repr_html_()).text
    assert "(values: list[float]) -> float" in Tags(host.statistics._repr_html_()).text
    assert "add(x: int, y: int) -> int" in Tags(host.add._repr_html_()).text
    job = host.add.submit(1, 2)
    job.result(60)
    assert "succeeded" in Tags(job._repr_html_()).text
    assert repr(job) == f"<job {job.id} of add: succeeded>"


def test_a_notebook(url: str) -> None:
    cells = [
        f"import tarp\nhost = tarp.connect({url!r})\nhost",
        "host.statistics.mean([1, 2, 6])",
        "host.add",
        "job = host.count_to.submit(3, 1)\njob.result(progress=True)",
        "job",
        "list(host.add.map(range(3), range(3), progress=True))",
        "import tarp.aio\nawaited = await tarp.aio.connect(host.url)\nawait awaited.add(1, 2)",
        "await job",
        "await awaited.close()\nhost.close()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = [
        {kind: text for output in cell.outputs for kind, text in output.get("data", {}).items()}
        for cell in notebook.cells
    ]
    assert "<table>" in shown[0]["text/html"]
    assert shown[1]["text/plain"] == "3.0"
    assert "Adds two integers" in shown[2]["text/html"]
    assert shown[3]["text/plain"] == "3"
    assert "succeeded" in shown[4]["text/html"]
    assert shown[5]["text/plain"] == "[0, 2, 4]"
    assert shown[6]["text/plain"] == "3"
    assert shown[7]["text/plain"] == "3"


def test_bars(host: tarp.Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(host.add.map(range(9), range(9), progress=True))[-1] == 16
    assert "9/9" in capsys.readouterr().err
    assert host.count_to.submit(7, 20).result(60, progress=True) == 7
    assert "7/7" in capsys.readouterr().err


def test_bars_without_tqdm(
    host: tarp.Host, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert isinstance(make_bar("add", 2), PlainBar)
    assert list(host.add.map(range(4), range(4), progress=True))[-1] == 6
    assert capsys.readouterr().err.endswith("\radd: 4 of 4 (100%)\n")
    endless = host.add.map(iter([1]), iter([2]), progress=True)
    assert next(endless) == 3
    endless.close()
    assert "add: 1\n" in capsys.readouterr().err
