"""The interface of the original TARP client, for programs that were written for it.

    import tarp.client

    c = tarp.client.client("http://localhost:8080")
    c.add(1, 2)
    handle = c.simulate(9)                # of a procedure that is asynchronous
    handle.wait()
    mimetype, data = c.get_data(rate=2)   # of a web procedure

New programs use `tarp.connect`.

This is a package although it could be a module: the original distribution has a module
`tarp/client.py`, and where both are installed neither must overwrite the other's file. Python takes
the package, whichever was installed last.
"""

from __future__ import annotations

from ._client import client
from ._failures import InvalidServerState, OperationInProgress

__all__ = ["InvalidServerState", "OperationInProgress", "client"]
