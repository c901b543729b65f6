"""In place of `lzma`, whose compiled part this Python has not: packages that only mention it are
imported all the same, and its use is an error."""

from __future__ import annotations

from typing import Any, NoReturn


def _lacks(*_: Any, **__: Any) -> NoReturn:
    raise NotImplementedError(
        "Python in a component cannot read or write lzma; use zlib, gzip or zipfile"
    )


open = compress = decompress = _lacks


class LZMAFile:
    __init__ = _lacks


class LZMACompressor:
    __init__ = _lacks


class LZMADecompressor:
    __init__ = _lacks


class LZMAError(Exception):
    pass


FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW = range(4)
CHECK_NONE, CHECK_CRC32, CHECK_CRC64, CHECK_SHA256 = 0, 1, 4, 10
PRESET_DEFAULT, PRESET_EXTREME = 6, 1 << 31
