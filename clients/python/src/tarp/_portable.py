"""Hosts in pickles: address and options, and where the token came from, but never the token.

In a process that gets many pickles of one host, such as a worker of a pool, there is one host for
all of them, and so its connections are used again.
"""

from __future__ import annotations

import os
import ssl
import threading
import uuid
import weakref
from dataclasses import replace
from typing import Any, NamedTuple

from ._address import TOKEN_VARIABLE, Address, Verify, parse_address
from ._exceptions import InvalidOption
from ._forks import renew_after_fork
from ._protocol import Options

#: As many hosts are kept for the pickles of a process, at most.
_MAX_HOSTS = 32


class Portable(NamedTuple):
    """What a pickle says of a host."""

    url: str
    verify: Verify
    #: Identifies credentials that were given to `connect`; they are known in the process where that
    #: was, and in its forks. None for those of the environment, or none at all.
    given: str | None
    options: Options
    #: The other arguments of the host's class.
    rest: tuple[Any, ...]


class _Known:
    """What this process knows."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        #: Addresses with credentials that were given here.
        self.given: weakref.WeakValueDictionary[str, Address] = weakref.WeakValueDictionary()
        self.hosts: dict[tuple[type, Portable, str | None], Any] = {}
        renew_after_fork(self)

    def _after_fork(self) -> None:
        self.lock = threading.Lock()


_known = _Known()


def portable(address: Address, options: Options, rest: tuple[Any, ...]) -> Portable:
    """What to write into a pickle; InvalidOption for what cannot be written."""
    if isinstance(address.verify, ssl.SSLContext):
        raise InvalidOption(
            "an ssl.SSLContext cannot be pickled; connect with verify=PATH, a file of authorities"
        )
    given = None
    if address.is_given:
        with _known.lock:
            given = next((k for k, known in _known.given.items() if known is address), None)
            if given is None:
                given = str(uuid.uuid4())
                _known.given[given] = address
    verify = address.verify
    if not isinstance(verify, bool):
        verify = os.path.abspath(os.fspath(verify))
    return Portable(address.url, verify, given, options, rest)


def address_of(known: Portable) -> Address:
    """The address that a pickle speaks of, with the credentials that this process has for it."""
    if known.given is None:
        return parse_address(known.url, verify=known.verify)
    with _known.lock:
        address = _known.given.get(known.given)
    if address is not None:
        return address
    address = parse_address(known.url, verify=known.verify)
    # Pools break where a pickle cannot be read, so this is told when the host is used.
    return replace(address, lacks_token=address.authorization is None)


def shared_host(kind: type[Any], known: Portable) -> Any:
    """The host of this process for such pickles."""
    key = (kind, known, os.environ.get(TOKEN_VARIABLE))
    with _known.lock:
        host = _known.hosts.pop(key, None)
    if host is None or host._is_closed:
        host = kind(address_of(known), known.options, *known.rest)
    with _known.lock:
        # The one that was used last is the last.
        host = _known.hosts.setdefault(key, host)
        if len(_known.hosts) > _MAX_HOSTS:
            del _known.hosts[next(iter(_known.hosts))]
    return host


def new_host(kind: type[Any], known: Portable) -> Any:
    """A host of its own: one of asyncio belongs to a loop."""
    return kind(address_of(known), known.options, *known.rest)
