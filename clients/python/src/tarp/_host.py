"""A host for callers that wait."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import _protocol
from ._address import Address, Verify, parse_address
from ._arrays import Arrays, check_arrays
from ._catalog import Catalog, ProcedureInfo
from ._checks import check_count, check_seconds
from ._deployment import Deployment, PathLike, check_digest, check_name, upload
from ._exceptions import ConnectionFailed, RemoteError, TarpError, TimedOut
from ._forks import renew_after_fork
from ._host_face import HostFace
from ._job import Job
from ._message import Exchange, T
from ._portable import portable, shared_host
from ._procedure import Procedure
from ._protocol import DEPLOYING, GRACE, Options
from ._status import JobStatus
from ._transport import Transport
from ._watcher import Watcher

if TYPE_CHECKING:
    from typing_extensions import Self


#: Seconds that a host may take where somebody only looks, such as for completions.
_GLANCE = 2.0


def connect(
    url: str,
    *,
    token: str | None = None,
    verify: Verify = True,
    timeout: float | None = None,
    connect_timeout: float | None = 10.0,
    arrays: Arrays = "auto",
    retry_for: float = 10.0,
) -> Host:
    """Connects to a host and reads what there is to call.

    `token`: sent as `Bearer`; without it, the URL's user and password go as `Basic`, or the
    variable TARP_TOKEN as `Bearer`. `verify`: for https, True, False, the path of a PEM file with
    authorities, or an `ssl.SSLContext`. `timeout`: seconds that the host may keep silent during a
    call, by default a bit more than the procedure's own deadline. `connect_timeout`: seconds for a
    connection to come about. `arrays`: `"numpy"` for numpy arrays in results, `"list"` for lists,
    `"auto"` for arrays where numpy values went in. `retry_for`: seconds for which what can safely
    be repeated is repeated while the host is away.

    Raises InvalidOption for a bad URL, ConnectionFailed where nobody answers for `retry_for`
    seconds.
    """
    check_arrays(arrays)
    check_seconds("timeout", timeout)
    check_seconds("connect_timeout", connect_timeout)
    check_seconds("retry_for", retry_for, least="zero")
    options = Options(timeout=timeout, arrays=arrays, retry_for=retry_for)
    address = parse_address(url, token=token, verify=verify)
    host = Host(address, options, connect_timeout)
    try:
        host._renew(retry_for)
    except BaseException:
        host.close()
        raise
    return host


class BaseHost(HostFace):
    """A host without the procedures that are found by name: what generated stubs build on."""

    def __init__(self, address: Address, options: Options, connect_timeout: float | None) -> None:
        super().__init__(address, options)
        self._transport = Transport(address, connect_timeout)
        self._watcher = Watcher()
        #: Held while a job's end is written down, so that it happens once.
        self._settling = threading.Lock()
        self._renewing = threading.Lock()
        self._connect_timeout = connect_timeout
        renew_after_fork(self)

    def _after_fork(self) -> None:
        # In this order: who watches takes the locks and the connections.
        self._settling, self._renewing = threading.Lock(), threading.Lock()
        self._transport._after_fork()
        self._watcher._after_fork()

    def __reduce__(self) -> Any:
        known = portable(self._address, self._options, (self._connect_timeout,))
        return shared_host, (type(self), known)

    @property
    def _is_closed(self) -> bool:
        return self._transport.is_closed

    def job(self, job_id: str) -> Job[Any]:
        """The job of that ID, whoever submitted it; NotFound, or Gone once it has expired."""
        status = self._run(_protocol.job(job_id, self._options.retry_for))
        return Job(self, status.id, status, self._options)

    def jobs(
        self,
        *,
        state: str | Iterable[str] | None = None,
        procedure: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[JobStatus]:
        """The newest jobs of the host, up to `limit`, that are in (one of) the states, of the
        procedure, and submitted between the times."""
        check_count("limit", limit, 0)
        query = _protocol.jobs_query(state, procedure, since, until)
        return self._run(_protocol.jobs(query, limit, self._options.retry_for))

    def deploy(
        self,
        path: PathLike,
        name: str | None = None,
        sidecar: PathLike | None = None,
        *,
        if_match: str | None = None,
        timeout: float | None = DEPLOYING,
    ) -> Deployment:
        """Puts a component into the host's folder, under the file's name unless there is another
        one, and gives what has changed; once that returns, it is served.

        `sidecar`: the path of the sidecar to put beside it; one that is there stays otherwise.
        `if_match`: the digest of the version that is to be replaced; PreconditionFailed where
        another one is served. BadRequest says why a component cannot be served; nothing is
        replaced then. It is never sent twice.
        """
        check_digest("if_match", if_match)
        check_seconds("timeout", timeout)
        sent = upload(path, name, sidecar)
        return self._run(_protocol.deploy(sent, if_match, timeout))

    def rollback(
        self, name: str, to: str | None = None, *, timeout: float | None = DEPLOYING
    ) -> Deployment:
        """Returns to the version of a component before the one that is served, or to the kept
        version with the digest `to`; NotFound where there is none."""
        check_name(name)
        check_digest("to", to)
        check_seconds("timeout", timeout)
        return self._run(_protocol.rollback(name, to, timeout))

    def refresh(self) -> None:
        """Reads anew what there is to call. It happens by itself when the host has changed."""
        self._renew(self._options.retry_for)

    def close(self) -> None:
        """Closes the connections. Jobs go on."""
        self._watcher.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, exchange: Exchange[T]) -> T:
        try:
            return self._transport.carry_out(exchange, self._notice)
        except (RemoteError, ConnectionFailed, TimedOut) as error:
            # Where in this package it happened tells nobody anything.
            raise error.with_traceback(None)  # noqa: B904

    def _current(self) -> Catalog:
        if self._is_stale or not self._catalog.complete:
            self._renew(self._options.retry_for)
        return self._catalog

    def _glance(self) -> Catalog:
        if self._is_stale or not self._catalog.complete:
            with contextlib.suppress(TarpError):
                self._renew(0.0, _GLANCE)
        return self._catalog

    def _renewed(self) -> Catalog:
        retry_for = self._options.retry_for
        self._renew(retry_for)
        if not self._catalog.complete:
            # A name that is missing now may be there in a moment.
            with self._renewing:
                exchange = _protocol.complete_catalog(self._catalog, retry_for)
                self._catalog = self._run(exchange)
        return self._catalog

    def _renew(self, retry_for: float, timeout: float = GRACE) -> None:
        with self._renewing:
            exchange = _protocol.catalog(self._catalog, retry_for, timeout)
            self._catalog = self._run(exchange)
            self._is_stale = False

    def _procedure(self, info: ProcedureInfo) -> Procedure:
        return Procedure(self, info, self._options)


class Host(BaseHost):
    """A host, and its procedures by name: `host.add(1, 2)`, `host.statistics.mean([1, 2])`.

    A procedure whose name is that of a method here is `host["close"]`; any name works so, also
    `host["statistics/mean"]`.
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Procedure: ...
