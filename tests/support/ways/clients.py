"""The two Python clients."""

from __future__ import annotations

from functools import reduce
from typing import Any

import tarp

from original_client import Client
from value_table import Failed, Row
from ways.way import Signature, Way


class Original(Way):
    """The original client."""

    def __init__(self, address: str, *, by_name: bool) -> None:
        self.client = Client(address)
        self.by_name = by_name

    def call(self, row: Row, _: Signature) -> Any:
        procedure = getattr(self.client, row.procedure.replace("/", "_"))
        positional, named = _split(row, by_name=self.by_name)
        try:
            return procedure(*positional, **named)
        except Exception as error:
            # It has no types of failures.
            if type(error) is Exception:
                raise Failed(None, str(error)) from error
            raise


class Ours(Way):
    """Our client."""

    def __init__(self, host: tarp.Host, *, by_name: bool) -> None:
        self.host = host
        self.by_name = by_name

    def call(self, row: Row, _: Signature) -> Any:
        procedure = reduce(getattr, row.procedure.split("/"), self.host)
        positional, named = _split(row, by_name=self.by_name)
        try:
            return procedure(*positional, **named)
        except tarp.ProcedureError as error:
            raise Failed("ProcedureError", error.message) from error


def _split(row: Row, *, by_name: bool) -> tuple[list[Any], dict[str, Any]]:
    return ([], row.arguments) if by_name else (list(row.arguments.values()), {})
