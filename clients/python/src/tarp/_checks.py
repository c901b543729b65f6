"""Options that cannot be are refused where they are given, with InvalidOption."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._exceptions import InvalidOption


def check_seconds(name: str, value: Any, *, least: str = "above") -> None:
    """Refuses what is no number of seconds: above 0, or (`"zero"`) from 0 on; None is for ever."""
    if value is None and least == "above":
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and (value > 0 or (least == "zero" and value == 0)):
        return
    wanted = "a number of seconds above 0, or None" if least == "above" else "0 or more seconds"
    raise InvalidOption(f"{name} is {wanted}, not {value!r}")


def check_wait(value: Any) -> None:
    """Refuses what is no time to wait for a result; 0 and less is not to wait."""
    if value is None:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or value != value:
        raise InvalidOption(f"timeout is a number of seconds, or None, not {value!r}")


def check_count(name: str, value: Any, least: int) -> None:
    """Refuses what is no whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise InvalidOption(f"{name} is a whole number, at least {least}, not {value!r}")


def check_priority(value: Any) -> None:
    """Refuses what is no priority."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in range(8):
        raise InvalidOption(f"a priority is from 0 to 7, not {value!r}")


def check_key(value: Any) -> None:
    """Refuses what cannot stand in a header as an idempotency key."""
    if not isinstance(value, str) or not value or not (value.isascii() and value.isprintable()):
        raise InvalidOption(f"an idempotency key is visible ASCII text, not {value!r}")


def check_moment(name: str, value: Any) -> None:
    """Refuses what is no time."""
    if value is not None and not isinstance(value, datetime):
        raise InvalidOption(f"{name} is a datetime, not {value!r}")
