"""The handle of an asynchronous call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .._exceptions import TarpError

if TYPE_CHECKING:
    from ._client import client as Client


class asyncResult:
    """An asynchronous call: `client` made it, and `ID` is how its server knows it."""

    def __init__(self, client: Client, ID: str) -> None:
        self.client = client
        self.ID = ID

    def wait(self) -> Any:
        """Waits until the call has ended, and gives its result."""
        return self.client._wait(self.ID)

    def probe(self) -> dict[str, Any]:
        """How far the call is: `status`, `suggested_wait` in seconds and, if it failed, `error`."""
        return self.client._probe(self.ID)

    def status(self) -> str:
        """`in_progress`, `completed` or `failed`."""
        status: str = self.probe().get("status", "unknown")
        return status

    def waitCycle(self) -> Any:
        """The result if there is one; otherwise waits for the suggested time and gives None.

        Raises what the call failed with.
        """
        state = self.probe()
        if state["status"] == "completed":
            return self.wait()
        if state["status"] == "failed":
            reason = state.get("error", "Unknown error")
            raise TarpError(f"Async operation failed with error: {reason}")
        time.sleep(state["suggested_wait"])
        return None

    def __repr__(self) -> str:
        return f"<asynchronous call {self.ID}>"
