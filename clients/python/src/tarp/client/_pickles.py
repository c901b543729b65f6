"""Values in the envelopes of RPC: pickles in base64."""

from __future__ import annotations

import base64
import binascii
import pickle
from typing import Any

from .._exceptions import InvalidReply
from .._pickling import pickle_value
from .._unpickling import unpickle


def pickled(value: Any, *, for_host: bool) -> str:
    """An argument tuple or dict. A host gets it in its own terms, an original server as it is.

    What goes to an original server is what the original client sent, since it unpickles whatever
    the program's own classes are.
    """
    data = b"".join(pickle_value(value)) if for_host else pickle.dumps(value)
    return base64.b64encode(data).decode("ascii")


def unpickled(result: Any) -> Any:
    """The value in `{"payload": ...}`; InvalidReply for anything else."""
    try:
        data = base64.b64decode(result["payload"])
    except (KeyError, TypeError, binascii.Error) as error:
        raise InvalidReply(f"the reply has no pickle: {error!r}") from error
    return unpickle(data)
