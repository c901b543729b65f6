"""An event loop for the coroutines of one call."""

from __future__ import annotations

import asyncio
import time
from typing import Any


class Loop(asyncio.BaseEventLoop):
    """An event loop without sockets, which a component has not: it sleeps until the next timer."""

    class _Selector:
        def select(self, timeout: float | None) -> list[Any]:
            if timeout is None:
                raise RuntimeError("every task waits for something that cannot happen here")
            time.sleep(timeout)
            return []

    def __init__(self) -> None:
        super().__init__()
        self._selector = self._Selector()

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def run(coroutine: Any) -> Any:
    """What the coroutine gives in the end."""
    loop = Loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(coroutine)
    finally:
        asyncio.set_event_loop(None)
