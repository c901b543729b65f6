"""A relay in front of a host: it passes everything on, and knows which event streams are open."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

STREAM = re.compile(rb"^GET (\S+/events) HTTP", re.MULTILINE)


class Relay:
    """Looks like a host to `Console`."""

    def __init__(self, address: str) -> None:
        self.target = urlsplit(address)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        self.open: dict[socket.socket, str] = {}
        #: All streams that ever were.
        self.seen: list[str] = []

    @property
    def streams(self) -> list[str]:
        """The paths of the streams that are open."""
        with self.lock:
            return list(self.open.values())

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                host = socket.create_connection((self.target.hostname, self.target.port))
                for source, sink in ((client, host), (host, client)):
                    threading.Thread(
                        target=self.pass_on, args=(source, sink, client), daemon=True
                    ).start()

    def pass_on(self, source: socket.socket, sink: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if source is client and (found := STREAM.search(data)):
                    with self.lock:
                        self.open[client] = found[1].decode()
                        self.seen.append(found[1].decode())
                sink.sendall(data)
        with self.lock:
            self.open.pop(client, None)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextlib.contextmanager
def relay_to(address: str) -> Iterator[Relay]:
    relay = Relay(address)
    thread = threading.Thread(target=relay.accept, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.listener.shutdown(socket.SHUT_RDWR)
        relay.listener.close()
        thread.join()
