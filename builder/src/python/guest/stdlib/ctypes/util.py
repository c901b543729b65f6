"""In place of `ctypes.util`: no library is ever found."""

from __future__ import annotations


def find_library(name: str) -> str | None:
    del name
    return None


def find_msvcrt() -> str | None:
    return None


def dllist() -> list[str]:
    return []
