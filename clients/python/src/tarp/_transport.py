"""Carries exchanges out over sockets, for callers that wait.

Any number of threads may use one transport: each request has a connection of its own while it
lasts, and connections are used again.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from ._address import Address
from ._exceptions import ConnectionFailed, HostClosed, TarpError, TimedOut
from ._http import ReplyReader, RequestWriter
from ._message import Exchange, Pause, Reply, Request, T

#: Connections that are kept for later, at most.
_MAX_IDLE = 32

_READ_SIZE = 1 << 16

#: How much of a large body is sent under one timeout.
_SEND_SIZE = 1 << 20


class Transport:
    """Connections to one host."""

    def __init__(self, address: Address, connect_timeout: float | None) -> None:
        self.address = address
        self._connect_timeout = connect_timeout
        self._writer = RequestWriter(address)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._closed = False

    def carry_out(self, exchange: Exchange[T], notice: Callable[[Reply], None]) -> T:
        """Carries an exchange out, and tells `notice` of every reply."""
        try:
            step = next(exchange)
            while True:
                try:
                    reply = self._step(step)
                except TarpError as error:
                    step = exchange.throw(error)
                else:
                    if reply is not None:
                        notice(reply)
                    step = exchange.send(reply)
        except StopIteration as end:
            result: T = end.value
            return result

    def _step(self, step: Request | Pause) -> Reply | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        return self.send(step)

    def send(self, request: Request) -> Reply:
        """Sends a request and reads the reply; ConnectionFailed, TimedOut or InvalidReply."""
        connection = self._take(request.timeout)
        try:
            return connection.exchange(request)
        except BaseException as error:
            self._spoilt(connection, error)
            raise
        finally:
            self._give_back(connection)

    @contextlib.contextmanager
    def stream(self, request: Request) -> Iterator[Reply | Iterator[bytes]]:
        """Sends a request for events, read as they come; the whole reply where it has none.

        The connection belongs to the stream alone, and is closed at the block's end.
        """
        connection = self._take(request.timeout, fresh=True)
        try:
            yield connection.stream(request)
        except BaseException as error:
            self._spoilt(connection, error)
            raise
        finally:
            connection.reusable = False
            self._give_back(connection)

    def close(self) -> None:
        """Closes all connections; who waits on one gets HostClosed."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for connection in self._busy:
                connection.shut_down()
        for connection in idle:
            connection.close()

    def _after_fork(self) -> None:
        """Leaves its parent's sockets alone: both would read each other's replies."""
        parents = [*self._idle, *self._busy]
        self._lock = threading.Lock()
        self._idle, self._busy = [], set()
        for connection in parents:
            connection.close()

    def __del__(self) -> None:
        # As for files: who does not close must not leak. The original client never closed.
        for connection in self._idle:
            connection.close()

    @property
    def is_closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed

    def _check_open(self) -> None:
        if self._closed:
            raise self._has_been_closed()

    def _has_been_closed(self) -> HostClosed:
        return HostClosed(f"the connection to {self.address.url} has been closed")

    def _take(self, timeout: float | None, fresh: bool = False) -> _Connection:
        """A connection for one request, which comes about within that request's timeout."""
        connection = None if fresh else self._take_idle()
        if connection is None:
            self._check_open()
            limits = [t for t in (self._connect_timeout, timeout) if t is not None]
            connection = _Connection(self.address, min(limits, default=None), self._writer)
        with self._lock:
            self._busy.add(connection)
            if not self._closed:
                return connection
        self._give_back(connection)
        raise self._has_been_closed()

    def _take_idle(self) -> _Connection | None:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if connection.is_fresh():
                    return connection
                connection.close()
        return None

    def _spoilt(self, connection: _Connection, error: BaseException) -> None:
        """Nobody knows what is still to come on it, whatever the error was, also Ctrl-C."""
        connection.reusable = False
        if isinstance(error, ConnectionFailed):
            self._check_open()

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            if connection.reusable and not self._closed and len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()


class _Connection:
    """One connection, which one thread uses at a time."""

    def __init__(self, address: Address, timeout: float | None, writer: RequestWriter) -> None:
        self._address = address
        self._writer = writer
        self.reusable = True
        try:
            self._socket = socket.create_connection((address.host, address.port), finite(timeout))
        except OSError as error:
            raise cannot_connect(address, error) from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if address.tls:
                self._socket = address.tls.wrap_socket(self._socket, server_hostname=address.host)
        except OSError as error:
            self._socket.close()
            raise cannot_connect(address, error) from error

        # Windows has no poll, and select cannot take the high numbers of a busy process elsewhere.
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(self._socket, select.POLLIN)

    def is_fresh(self) -> bool:
        """Whether the host has kept it open: on an idle connection only its end can be read."""
        if self._poll is not None:
            return not self._poll.poll(0)
        return not select.select([self._socket], [], [], 0)[0]

    def exchange(self, request: Request) -> Reply:
        reader = self._begin(request)
        while not reader.done:
            self._receive(reader, request)
        self.reusable = reader.reusable
        return reader.reply()

    def stream(self, request: Request) -> Reply | Iterator[bytes]:
        reader = self._begin(request)
        while not (reader.status or reader.done):
            self._receive(reader, request)
        if reader.has_events:
            return self._pieces(reader, request)
        while not reader.done:
            self._receive(reader, request)
        return reader.reply()

    def _pieces(self, reader: ReplyReader, request: Request) -> Iterator[bytes]:
        while True:
            if piece := reader.take():
                yield piece
            if reader.done:
                return
            self._receive(reader, request)

    def _begin(self, request: Request) -> ReplyReader:
        self._socket.settimeout(finite(request.timeout))
        try:
            for piece in self._writer.write(request):
                if len(piece) <= _SEND_SIZE:
                    self._socket.sendall(piece)
                    continue
                view = memoryview(piece)
                for start in range(0, len(view), _SEND_SIZE):
                    self._socket.sendall(view[start : start + _SEND_SIZE])
        except socket.timeout as error:
            raise too_slow(self._address, request) from error
        except OSError as error:
            # A host may refuse a long body before it has read it all; its reply says why.
            if not (reader := self._early_reply(request)):
                raise broke(self._address, error) from error
            return reader
        return ReplyReader()

    def _early_reply(self, request: Request) -> ReplyReader | None:
        reader = ReplyReader()
        try:
            while not reader.done:
                self._receive(reader, request)
        except TarpError:
            return None
        reader.reusable = False
        return reader

    def _receive(self, reader: ReplyReader, request: Request) -> None:
        try:
            place = reader.vacancy()
            if place is None:
                data = self._socket.recv(_READ_SIZE)
                count = len(data)
            else:
                with place:
                    count = self._socket.recv_into(place)
        except socket.timeout as error:
            raise too_slow(self._address, request) from error
        except OSError as error:
            raise broke(self._address, error) from error
        if not count:
            reader.end()
            if not reader.done:
                raise broke(self._address, None)
        elif place is None:
            reader.feed(data)
        else:
            reader.fill(count)

    def shut_down(self) -> None:
        """Wakes the thread that waits on it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


#: Seconds, some thirty years; not much more fits the system's clocks.
_FOR_EVER = 1e9


def finite(timeout: float | None) -> float | None:
    """The timeout as a socket takes it: None where it is as good as for ever."""
    return None if timeout is None or timeout >= _FOR_EVER else timeout


#: OpenSSL's codes for a certificate by an authority that is not known.
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)


def cannot_connect(address: Address, error: OSError) -> TarpError:
    """What is raised where no connection comes about."""
    # A name server that cannot be reached says so in other words.
    is_unknown = isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
    why, cure = str(error), ""
    if isinstance(error, (socket.timeout, TimeoutError)):
        why = "nothing answered in time"
        cure = "is this the address, and does no firewall stand between?"
    elif is_unknown:
        cure = "is the name spelt like this?"
    elif isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _UNKNOWN_AUTHORITY:
            cure = "`verify` takes the file of its authority, such as the `ca.pem` of `tarp init`"
    elif isinstance(error, ssl.SSLError):
        cure = "does it speak TLS? Otherwise the address begins with http://"
    elif isinstance(error, ConnectionRefusedError):
        cure = "does `tarp serve` run there, with this port?"
    failure = ConnectionFailed(f"cannot connect to {address.url}: {why}" + (cure and f"; {cure}"))
    failure.is_lasting = is_unknown or isinstance(error, ssl.SSLError)
    return failure


def too_slow(address: Address, request: Request) -> TarpError:
    """What is raised where the host keeps silent for too long."""
    return TimedOut(
        f"{address.url} kept silent for {request.timeout:g} s; it may still be at work on"
        f" {request.method} {request.target}"
    )


def broke(address: Address, error: OSError | None) -> TarpError:
    """What is raised where a connection ends before its time."""
    why = f": {error}" if error else ""
    return ConnectionFailed(f"{address.url} closed the connection before its reply was there{why}")
