"""Which argument a host means that refuses a whole pickle.

Hosts read a pickle before they know names, so they can only say at which byte it cannot be read.
The arguments are looked through then alone, so that other calls do not pay for it.
"""

from __future__ import annotations

import fractions
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._exceptions import BadArguments, BadRequest, TarpError
from ._types import Type

#: How the message of a host begins that cannot read a pickle.
_UNREADABLE = "pickle, byte "

#: About as many bits as the largest integers have that hosts read: some 4,300 digits.
_MANY_BITS = 14_000

_READABLE_KINDS = "biufSUO"


def named(
    error: BadRequest,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    parameters: Sequence[tuple[str, Type]],
) -> TarpError:
    """The refusal as BadArguments with the name of the argument; any other as it is."""
    if not error.message.startswith(_UNREADABLE):
        return error
    reason = error.message.partition(": ")[2]
    names = [name for name, _ in parameters]
    positional = (
        (f"the argument `{names[n]}`" if n < len(names) else f"argument {n + 1}", arg)
        for n, arg in enumerate(args)
    )
    by_name = ((f"the argument `{name}`", arg) for name, arg in kwargs.items())
    for title, arg in (*positional, *by_name):
        place = next(_unreadable(arg, "", ()), None)
        if place is not None:
            return BadArguments(f"{title}{place}: {reason}")
    return BadArguments(f"the arguments cannot be sent: {reason}")


def _unreadable(value: Any, place: str, within: tuple[int, ...]) -> Iterator[str]:
    """The places of what no host reads."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place
    elif isinstance(value, int):
        if value.bit_length() > _MANY_BITS:
            yield place
    elif isinstance(value, fractions.Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MANY_BITS:
            yield place
    elif isinstance(value, (list, tuple, set, frozenset, Mapping)):
        if id(value) in within or len(within) > sys.getrecursionlimit() // 4:
            yield place
            return
        inside = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in inside:
            yield from _unreadable(item, f"{place}[{key!r}]", (*within, id(value)))
            if isinstance(value, Mapping):
                yield from _unreadable(key, f"{place}[{key!r}]", (*within, id(value)))
    else:
        dtype: Any = getattr(value, "dtype", None)
        kind = getattr(dtype, "kind", "O")
        if kind not in _READABLE_KINDS or (kind == "f" and getattr(dtype, "itemsize", 0) > 8):
            yield place
