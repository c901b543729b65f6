"""Links of the README and of every other document, and paths that they name: all are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from links import broken

from host import REPOSITORY
from pages import anchors, links, pages, prose

#: Documents outside of the book.
OTHERS = [
    *("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "STYLE.md"),
    *("bench/README.md", "clients/python/README.md", "tests/components/README.md"),
    *(
        str(file.relative_to(REPOSITORY))
        for file in sorted((REPOSITORY / "examples").rglob("README.md"))
    ),
]

DOCUMENTS = sorted({*pages(), *OTHERS})

#: A path in code font: of a folder at the root of the repository, or a file there.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*|[A-Z]+\.md)`")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    page = REPOSITORY / document
    faults = []
    for line, target in links(page):
        parts = urlsplit(target)
        if parts.scheme:
            assert parts.scheme in ("http", "https"), f"{document}:{line}: {target}"
            assert "." in parts.netloc, f"{document}:{line}: {target}"
            continue
        file = (page.parent / parts.path).resolve() if parts.path else page
        if not file.exists():
            faults.append(f"{document}:{line}: {target}: there is no such file")
        elif parts.fragment and parts.fragment not in anchors(file):
            faults.append(f"{document}:{line}: {target}: there is no such heading")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("document", [page for page in pages() if page.startswith("docs/")])
def test_the_book_keeps_to_itself(document: str) -> None:
    page = REPOSITORY / document
    for line, target in links(page):
        parts = urlsplit(target)
        if not parts.scheme and parts.path:
            file = (page.parent / parts.path).resolve()
            assert REPOSITORY / "docs" in file.parents, f"{document}:{line}: {target}"


def test_the_book_has_every_page() -> None:
    summary = REPOSITORY / "docs/SUMMARY.md"
    named = [target for _, target in links(summary)]
    assert len(named) == len(set(named))
    there = {str(path.relative_to(summary.parent)) for path in summary.parent.rglob("*.md")}
    assert set(named) == there - {"SUMMARY.md"}


@pytest.mark.parametrize("document", ["CONTRIBUTING.md", "README.md", *pages()])
def test_paths_that_are_named_are_there(document: str) -> None:
    top = {path.name for path in REPOSITORY.iterdir()} - {"target"}
    for line, text in prose(REPOSITORY / document):
        for path in PATH.findall(text):
            if path.split("/")[0] in top or path.endswith(".md"):
                assert list(REPOSITORY.glob(path.rstrip("/"))), f"{document}:{line}: {path}"


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 150


def test_a_newcomer_finds_the_limit_of_fuel_in_three_steps() -> None:
    readme = dict.fromkeys(target for _, target in links(REPOSITORY / "README.md"))
    assert "docs/design.md" in readme
    rows = [text for _, text in prose(REPOSITORY / "docs/design.md") if text.startswith("| fuel |")]
    file = PATH.findall(rows[0])[0]
    assert "set_fuel" in (REPOSITORY / file).read_text()


def built(folder: Path, **files: str) -> Path:
    for name, body in files.items():
        (folder / f"{name}.html").write_text(f"<!DOCTYPE html><html><body>{body}</body></html>")
    return folder


def test_broken_links_of_a_built_book_are_found(tmp_path: Path) -> None:
    good = '<h1 id="a">A</h1><a href="two.html#b">2</a><a href="https://docs.rs/axum">3</a>'
    book = built(tmp_path, one=good, two='<h1 id="b">B</h1><a href="#b">here</a>')
    assert broken(book) == []
    built(
        tmp_path,
        one=good + '<a href="three.html">3</a><a href="two.html#c">c</a><img src="p.png">'
        '<a href="../outside.html">o</a><a href="http://nowhere">n</a>',
    )
    assert [line.partition(": ")[2] for line in broken(book)] == [
        "three.html: there is no such file",
        "two.html#c: there is no such anchor",
        "p.png: there is no such file",
        "../outside.html: leaves the book",
        "http://nowhere: is not a web address",
    ]


def test_a_folder_without_a_book_is_no_book(tmp_path: Path) -> None:
    assert broken(tmp_path)
    script = Path(__file__).with_name("links.py")
    ran = subprocess.run(["python3", script, tmp_path], capture_output=True, check=False)
    assert ran.returncode == 1


def test_contributing_names_every_step_of_the_test_command() -> None:
    source, _, _ = (REPOSITORY / "xtask/src/test.rs").read_text().partition("#[cfg(test)]")
    steps = re.findall(r'\bstep\(\s*"([a-z]+)"', source)
    rows = [text for _, text in prose(REPOSITORY / "CONTRIBUTING.md") if text.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`([a-z]+)`", row.split("|")[1])]
    assert len(steps) > 10
    assert set(steps) <= set(named)
