"""Notes of a field trip: a package that imports as people do, in functions too."""

from .mathematics import convert, integral, shortest
from .pages import decode, local, parse, render
from .readings import everything_read, readings, versions
from .system import chances, pooled, starts_a_thread

__all__ = [
    "chances",
    "convert",
    "decode",
    "everything_read",
    "integral",
    "local",
    "parse",
    "pooled",
    "readings",
    "render",
    "shortest",
    "starts_a_thread",
    "versions",
]
