"""HTTP/1.1 without input or output: requests into bytes, bytes into replies.

Both transports use it. Replies are parsed by httptools; a body of known length goes past it,
straight from the socket into the place where it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import httptools

from . import _version
from ._address import Address
from ._exceptions import InvalidOption, InvalidReply
from ._message import Buffer, Reply, Request

#: Buffers smaller than this are joined, since another system call costs more than copying them.
_SMALL = 1 << 16

#: Room for a body is made in steps, the first of this size, so that a reply that only promises to
#: be long takes no memory for it; a body of many such steps is not held twice while it grows.
_STEP = 1 << 28
_NEXT_STEP = 1 << 24

#: Bytes of names and values.
_MAX_HEADERS = 1 << 16

_USER_AGENT = f"tarp-client/{_version.__version__}"


class Headers(Mapping[str, str]):
    """The headers of a reply, by their names in lower case.

    Each is decoded when it is asked for: of most replies that is two of a dozen.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: dict[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        return self._raw[name.encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)


class RequestWriter:
    """Writes requests to one address as the bytes to send."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._prefix = address.prefix
        lines = [f" HTTP/1.1\r\nHost: {address.authority}\r\nUser-Agent: {_USER_AGENT}\r\n"]
        if address.authorization:
            lines.append(f"Authorization: {address.authorization}\r\n")
        self._common = "".join(lines)

    def write(self, request: Request) -> Iterator[Buffer]:
        """What to send, in pieces: the first has the head."""
        if self._address.lacks_token:
            raise InvalidOption(
                f"the token for {self._address.url} was given to `connect` in another process, and"
                " a token is never in a pickle; set TARP_TOKEN in this process"
            )
        lines = [request.method, " ", self._prefix, request.target, self._common]
        for name, value in request.headers.items():
            if not value.isprintable():
                raise InvalidOption(f"the header {name} must not have the value {value!r}")
            lines.append(f"{name}: {value}\r\n")
        if request.body or request.method == "POST":
            length = sum(_size(piece) for piece in request.body)
            lines.append(f"Content-Length: {length}\r\n")
        lines.append("\r\n")
        try:
            small = bytearray("".join(lines), "latin-1")
        except UnicodeEncodeError as error:
            wrong = error.object[error.start]
            raise InvalidOption(f"{wrong!r} cannot stand in a header") from None
        for piece in request.body:
            if _size(piece) < _SMALL:
                small += piece
                continue
            if small:
                yield small
                small = bytearray()
            yield piece
        if small:
            yield small


def _size(piece: Buffer) -> int:
    return piece.nbytes if isinstance(piece, memoryview) else len(piece)


class ReplyReader:
    """Reads one reply from the bytes that it is fed."""

    def __init__(self) -> None:
        #: Whether the reply is complete.
        self.done = False
        #: Whether anything of the reply has come.
        self.begun = False
        #: Whether the connection can be used again, once the reply is complete.
        self.reusable = False
        self.status = 0
        self._raw_headers: dict[bytes, bytes] = {}
        self.headers = Headers(self._raw_headers)
        self._parser = httptools.HttpResponseParser(self)
        self._header_bytes = 0
        self._length: int | None = None
        self._body = bytearray()
        self._filled = 0

    def feed(self, data: Buffer) -> None:
        """Takes what came; InvalidReply where it is not HTTP."""
        self.begun = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, InvalidReply):
                raise cause from None
            raise InvalidReply(f"what came is not a reply in HTTP: {error}") from None

    def end(self) -> None:
        """Says that the connection has ended: which is how a body of unknown length ends."""
        known = self._length is not None or "transfer-encoding" in self.headers
        if self.status and not known:
            self.done = True

    @property
    def has_events(self) -> bool:
        """Whether the reply, whose head has come, is a stream of events."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return self.status == 200 and kind == "text/event-stream"

    def vacancy(self) -> memoryview | None:
        """The place for the next bytes of a body of known length; None where `feed` takes them."""
        if self._length is None or self.done:
            return None
        if self._filled == len(self._body):
            missing = self._length - self._filled
            if self._filled:
                self._body += bytes(min(missing, _NEXT_STEP))
            else:
                self._body = bytearray(min(missing, _STEP))
        return memoryview(self._body)[self._filled :]

    def fill(self, count: int) -> None:
        """Says how many bytes of the vacancy have been filled."""
        self._filled += count
        if self._filled == self._length:
            self.done = True

    def take(self) -> bytes:
        """What has come of a body since the last time, for a reply that is read as it comes."""
        taken = bytes(self._body[: self._filled])
        del self._body[: self._filled]
        self._filled = 0
        return taken

    def reply(self) -> Reply:
        """The complete reply; the reader is of no use after that."""
        # The parser refers to this reader too, and a cycle would keep a large body for long.
        del self._parser
        return Reply(self.status, self.headers, self._body)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.done:
            raise InvalidReply("more came than one reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > _MAX_HEADERS:
            raise InvalidReply("the headers of the reply are too large")
        self._raw_headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.reusable = self._parser.should_keep_alive()
        length = self._raw_headers.get(b"content-length")
        if length is not None and b"transfer-encoding" not in self._raw_headers:
            self._length = int(length)

    def on_body(self, data: bytes) -> None:
        if self._length is None:
            self._body += data
            self._filled = len(self._body)
            return
        if len(data) == self._length:
            self._body = bytearray(data)
            self.fill(len(data))
            return
        place = self.vacancy()
        while place and data:
            count = min(len(place), len(data))
            place[:count] = data[:count]
            place.release()
            data = data[count:]
            self.fill(count)
            place = self.vacancy()

    def on_message_complete(self) -> None:
        if self.status < 200:
            # "100 Continue" and its like announce the reply; they are not it.
            self.status, self._length = 0, None
            self._raw_headers.clear()
            return
        self.done = True
