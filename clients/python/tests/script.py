"""Carries exchanges out without a host: the replies are those of a script."""

from __future__ import annotations

import json
from typing import Any, Union

from tarp._message import Exchange, Pause, Reply, Request, T

Line = Union[Reply, Exception]


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    """A reply with JSON, as a host marks its own."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named.setdefault("content-type", "application/json")
    named.setdefault("x-tarp-catalog", "1")
    return Reply(status, named, json.dumps(body).encode())


def failure(kind: str, status: int, message: str = "no", **headers: str) -> Reply:
    """The reply of a failure."""
    return reply({"status": "error", "type": kind, "message": message}, status, **headers)


class Played:
    """An exchange that met with these replies: what it asked, how long it paused, what it gave."""

    def __init__(self, exchange: Exchange[T], *lines: Line) -> None:
        self.requests: list[Request] = []
        self.pauses: list[float] = []
        self.result: Any = None
        self.error: Exception | None = None
        left = list(lines)
        answer: Reply | None = None
        try:
            step = next(exchange)
            while True:
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    step = exchange.send(None)
                    continue
                self.requests.append(step)
                line = left.pop(0)
                if isinstance(line, Exception):
                    step = exchange.throw(line)
                    continue
                answer = line
                step = exchange.send(answer)
        except StopIteration as end:
            self.result = end.value
        except Exception as error:
            self.error = error
        assert not left, "the exchange ended before its script"
