"""In place of `bz2`, whose compiled part this Python has not: packages that only mention it are
imported all the same, and its use is an error."""

from __future__ import annotations

from typing import Any, NoReturn


def _lacks(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError(
        "Python in a component cannot read or write bz2; use zlib, gzip or zipfile"
    )


open = compress = decompress = _lacks


class BZ2File:
    __init__ = _lacks


class BZ2Compressor:
    __init__ = _lacks


class BZ2Decompressor:
    __init__ = _lacks
