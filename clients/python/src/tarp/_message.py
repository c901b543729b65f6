"""Requests and replies as data: what the protocol says, without a socket in sight."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import NamedTuple, Optional, TypeVar, Union

T = TypeVar("T")

Buffer = Union[bytes, bytearray, memoryview]


class Request(NamedTuple):
    """One request to the host."""

    method: str
    #: Path and query, percent-encoded, relative to the host's address.
    target: str
    headers: Mapping[str, str] = {}
    #: Sent one after the other, without being joined where they are large.
    body: Sequence[Buffer] = ()
    #: Seconds that the host may keep silent; None for ever.
    timeout: float | None = None


class Reply(NamedTuple):
    """One reply of the host."""

    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: Buffer

    @property
    def content_type(self) -> str:
        """The content type without its parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Pause(NamedTuple):
    """A time to wait before the next request."""

    seconds: float


#: A conversation with the host that gives a `T` in the end: it yields requests and is sent their
#: replies, or has thrown into it why there is none; it yields pauses and is sent None. Whoever
#: carries it out decides how: with sockets and sleep, with asyncio, or with a list of replies.
Exchange = Generator[Union[Request, Pause], Optional[Reply], T]


def ask(request: Request) -> Exchange[Reply]:
    """The simplest exchange: one request and its reply."""
    reply = yield request
    assert reply is not None, "a request is answered by a reply"
    return reply
