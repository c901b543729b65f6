"""Checks every link of a built book: `python tests/book/links.py target/book`.

Pages, files and anchors of the book must be there; addresses elsewhere must be well formed. Links
that leave the book's folder are refused, since only the folder is published.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes that name another document.
LINKS = {"a": "href", "link": "href", "img": "src", "script": "src", "iframe": "src"}

#: mdBook's own pages, which repeat others under a different root.
GENERATED = {"404.html", "print.html"}


class Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[int, str]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if anchor := attributes.get("id"):
            self.anchors.add(anchor)
        target = attributes.get(LINKS.get(tag, ""))
        if target is not None:
            self.links.append((self.getpos()[0], target))


def broken(book: Path) -> list[str]:
    """What is wrong with the links of a book, one line for each."""
    book = book.resolve()
    pages = {path: Page(path) for path in sorted(book.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        if path.name in GENERATED:
            continue
        for line, target in page.links:
            if reason := fault(book, pages, path, target):
                found.append(f"{path.relative_to(book)}:{line}: {target}: {reason}")
    if not pages:
        found.append(f"{book}: there are no pages")
    return found


def fault(book: Path, pages: dict[Path, Page], path: Path, target: str) -> str | None:
    """What is wrong with one link."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        return str(error)
    if parts.scheme or parts.netloc:
        if parts.scheme == "data":
            return None
        if parts.scheme not in ("http", "https") or "." not in (parts.hostname or ""):
            return "is not a web address"
        return None
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if file.is_dir():
        file /= "index.html"
    if book not in file.parents:
        return "leaves the book"
    if not file.is_file():
        return "there is no such file"
    if parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
        return "there is no such anchor"
    return None


def main() -> int:
    found = broken(Path(sys.argv[1]))
    print("\n".join(found) or "all links resolve")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
