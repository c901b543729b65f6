"""What a call used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Receipt(NamedTuple):
    """What a call used, as the host measured it."""

    #: Work: about one unit for each WebAssembly instruction.
    fuel: int
    #: The most memory that the call held at once, in bytes.
    peak_memory: int
    #: Microseconds to make the instance that ran the call.
    instantiate_us: int
    #: Microseconds that the procedure ran.
    run_us: int

    @classmethod
    def of_headers(cls, headers: Mapping[str, str]) -> Receipt | None:
        """The receipt in a reply's headers; None where there is none."""
        try:
            return cls(
                int(headers["x-tarp-fuel"]),
                int(headers["x-tarp-peak-memory"]),
                int(headers["x-tarp-instantiate-us"]),
                int(headers["x-tarp-run-us"]),
            )
        except (KeyError, ValueError):
            return None
