"""Names of tests that are made from values."""

from __future__ import annotations


def shown(value: object) -> str:
    """The beginning of a value's text, the same in every process: the order of a set is not."""
    if isinstance(value, (set, frozenset)):
        value = f"{{{', '.join(sorted(map(repr, value)))}}}"
    return str(value)[:30]
