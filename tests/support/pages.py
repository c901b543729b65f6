"""The README and the pages of the book: their fenced blocks, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from host import REPOSITORY

FENCE = re.compile(r"( *)(`{3,})(.*)")
LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"#{1,6} +(.+?)\s*")
CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True)
class Block:
    """A fenced block. `info` is what follows the language: flags, and `name=value` pairs."""

    page: str
    line: int
    language: str
    info: tuple[str, ...]
    text: str

    def option(self, name: str) -> str | None:
        """The value of `name=value` in the info string."""
        values = (word.partition("=")[2] for word in self.info if word.startswith(f"{name}="))
        return next(values, None)

    @property
    def not_run(self) -> str | None:
        """Why it is not run, from `no-run=REASON`."""
        return self.option("no-run")

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[str]:
    """The README and every page of the book, relative to the repository."""
    book = sorted(path.relative_to(REPOSITORY) for path in (REPOSITORY / "docs").rglob("*.md"))
    return ["README.md", *map(str, book)]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found = []
    lines = iter(enumerate((REPOSITORY / page).read_text().splitlines(), 1))
    for number, line in lines:
        if not (fence := FENCE.fullmatch(line)):
            continue
        indent, ticks, info = fence.groups()
        body = []
        for _, inner in lines:
            if inner.strip() == ticks:
                break
            body.append(inner.removeprefix(indent))
        else:
            raise AssertionError(f"{page}:{number}: the block is not closed")
        language, *rest = info.split() or [""]
        found.append(Block(page, number, language, tuple(rest), "\n".join(body) + "\n"))
    return found


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page outside of fenced blocks, with their numbers."""
    closing = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if closing:
            closing = None if line.strip() == closing else closing
        elif fence := FENCE.fullmatch(line):
            closing = fence.group(2)
        else:
            yield number, line


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mdBook both make them."""
    found: dict[str, int] = {}
    names = set()
    for _, line in prose(page):
        if not (heading := HEADING.fullmatch(line)):
            continue
        text = re.sub(r"[^\w\- ]", "", heading.group(1).lower()).replace(" ", "-")
        count = found.get(text, 0)
        found[text] = count + 1
        names.add(f"{text}-{count}" if count else text)
    return names


def links(page: Path) -> Iterator[tuple[int, str]]:
    """The targets of a page's links and pictures, with the numbers of their lines."""
    lines = list(prose(page))
    # The text of a link may go on in the next line.
    text = "\n".join(CODE.sub("", line) for _, line in lines)
    for link in LINK.finditer(text):
        yield lines[text.count("\n", 0, link.start())][0], link.group(1)
