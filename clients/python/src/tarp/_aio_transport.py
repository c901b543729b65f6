"""Carries exchanges out with asyncio; the other transport is `_transport`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from ._address import Address
from ._exceptions import ConnectionFailed, HostClosed, TarpError
from ._forks import renew_after_fork
from ._http import ReplyReader, RequestWriter
from ._message import Exchange, Pause, Reply, Request, T
from ._transport import broke, cannot_connect, too_slow

_READ_SIZE = 1 << 18
_SEND_SIZE = 1 << 20


class AsyncTransport:
    """Connections to one host, for the tasks of one event loop."""

    def __init__(
        self, address: Address, connect_timeout: float | None, max_connections: int
    ) -> None:
        self.address = address
        self._connect_timeout = connect_timeout
        self._writer = RequestWriter(address)
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._max_connections = max_connections
        #: Made where it is needed: Python 3.9 binds it to the loop of that moment.
        self._permits: asyncio.Semaphore | None = None
        self._closed = False
        renew_after_fork(self)

    def _after_fork(self) -> None:
        # Closing them would tell the loop of the parent, with which a fork shares its selector.
        self._idle, self._busy, self._permits = [], set(), None

    async def carry_out(self, exchange: Exchange[T], notice: Callable[[Reply], None]) -> T:
        """Carries an exchange out, and tells `notice` of every reply."""
        try:
            step = next(exchange)
            while True:
                try:
                    reply = await self._step(step)
                except TarpError as error:
                    step = exchange.throw(error)
                else:
                    if reply is not None:
                        notice(reply)
                    step = exchange.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _step(self, step: Request | Pause) -> Reply | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if self._permits is None:
            self._permits = asyncio.Semaphore(self._max_connections)
        async with self._permits, self._connection() as connection:
            return await connection.exchange(step)

    @contextlib.asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Reply | AsyncIterator[bytes]]:
        """Sends a request for events, read as they come; the whole reply where it has none.

        The connection belongs to the stream alone, and is closed at the block's end.
        """
        async with self._connection(fresh=True) as connection:
            yield await connection.stream(request)

    def close(self) -> None:
        """Closes all connections; who waits on one gets HostClosed."""
        self._closed = True
        for connection in [*self._idle, *self._busy]:
            connection.close()
        self._idle.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise HostClosed(f"the connection to {self.address.url} has been closed")

    @contextlib.asynccontextmanager
    async def _connection(self, fresh: bool = False) -> AsyncIterator[_Connection]:
        self._check_open()
        connection = None if fresh else self._take()
        if connection is None:
            connection = _Connection(self.address, self._writer)
            await connection.open(self._connect_timeout)
        self._busy.add(connection)
        done = False
        try:
            yield connection
            done = not fresh
        except ConnectionFailed:
            self._check_open()
            raise
        finally:
            self._busy.discard(connection)
            if done and connection.reusable and not self._closed:
                self._idle.append(connection)
            else:
                # Whatever it was, also a cancelled task: nobody knows what is still to come on it.
                connection.close()

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_fresh():
                return connection
            connection.close()
        return None


class _Connection:
    """One connection, which one task uses at a time."""

    def __init__(self, address: Address, writer: RequestWriter) -> None:
        self._address = address
        self._requests = writer
        self.reusable = True

    async def open(self, timeout: float | None) -> None:
        name = self._address.host if self._address.tls else None
        opening = asyncio.open_connection(
            self._address.host,
            self._address.port,
            ssl=self._address.tls,
            server_hostname=name,
            limit=_READ_SIZE,
        )
        try:
            self._reader, self._writer = await asyncio.wait_for(opening, timeout)
        except (OSError, asyncio.TimeoutError) as error:
            failure = error if isinstance(error, OSError) else TimeoutError()
            raise cannot_connect(self._address, failure) from error
        connected: socket.socket | None = self._writer.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def is_fresh(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def exchange(self, request: Request) -> Reply:
        reader = ReplyReader()
        with _Alarm(self._address, request, self._writer) as alarm:
            await self._send(request, reader, alarm)
            while not reader.done:
                await self._receive(reader, alarm)
        self.reusable = reader.reusable
        return reader.reply()

    async def stream(self, request: Request) -> Reply | AsyncIterator[bytes]:
        reader = ReplyReader()
        with _Alarm(self._address, request, self._writer) as alarm:
            await self._send(request, reader, alarm)
            while not (reader.status or reader.done):
                await self._receive(reader, alarm)
            if reader.has_events:
                return self._pieces(reader, request)
            while not reader.done:
                await self._receive(reader, alarm)
        return reader.reply()

    async def _pieces(self, reader: ReplyReader, request: Request) -> AsyncIterator[bytes]:
        while True:
            if piece := reader.take():
                yield piece
            if reader.done:
                return
            with _Alarm(self._address, request, self._writer) as alarm:
                await self._receive(reader, alarm)

    async def _send(self, request: Request, reader: ReplyReader, alarm: _Alarm) -> None:
        try:
            for piece in self._requests.write(request):
                view = memoryview(piece)
                for start in range(0, len(view), _SEND_SIZE):
                    self._writer.write(view[start : start + _SEND_SIZE])
                    if len(view) > _SEND_SIZE:
                        await self._writer.drain()
                        alarm.again()
        except OSError as error:
            # A host may refuse a long body before it has read it all; its reply says why.
            await self._early_reply(reader, alarm, error)

    async def _early_reply(self, reader: ReplyReader, alarm: _Alarm, error: OSError) -> None:
        try:
            while not reader.done:
                await self._receive(reader, alarm)
        except ConnectionFailed:
            raise broke(self._address, error) from error
        reader.reusable = False

    async def _receive(self, reader: ReplyReader, alarm: _Alarm) -> None:
        place = reader.vacancy()
        try:
            data = await self._reader.read(_READ_SIZE if place is None else len(place))
        except OSError as error:
            raise broke(self._address, error) from error
        alarm.again()
        if not data:
            reader.end()
            if not reader.done:
                raise broke(self._address, None)
        elif place is None:
            reader.feed(data)
        else:
            with place:
                place[: len(data)] = data
            reader.fill(len(data))

    def close(self) -> None:
        # Waiting for the end of TLS would make closing depend on the host.
        self._writer.transport.abort()


class _Alarm:
    """Ends a connection on which nothing has moved for the request's timeout."""

    def __init__(self, address: Address, request: Request, writer: asyncio.StreamWriter) -> None:
        self._address = address
        self._request = request
        self._writer = writer
        self._rang = False
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> _Alarm:
        self._set()
        return self

    def again(self) -> None:
        """Begins to wait anew."""
        if self._rang:
            raise broke(self._address, None)
        self._stop()
        self._set()

    def _set(self) -> None:
        if self._request.timeout is not None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(self._request.timeout, self._ring)

    def _ring(self) -> None:
        self._rang = True
        self._writer.transport.abort()

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self._stop()
        if self._rang and isinstance(error, ConnectionFailed):
            raise too_slow(self._address, self._request) from error
