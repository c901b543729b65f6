"""In place of what starts processes, which a component cannot."""

from __future__ import annotations

from typing import Any


class Popen:
    method = "none"

    def __init__(self, process: Any) -> None:
        raise OSError(
            f"a component has no processes, so `{type(process).__name__}.start` cannot start one; "
            "call the function itself, or use multiprocessing.Pool, which does the work in order"
        )
