"""What all ways of calling have in common."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from notation import Type, kind_of
from value_table import Failed, Row


class Signature(NamedTuple):
    """The types of a procedure, as the host describes them; of a result, that of its success."""

    parameters: dict[str, Type]
    result: Type | None

    @classmethod
    def of(cls, told: dict[str, Any]) -> Self:
        result = told["result"]
        if result is not None and kind_of(result) == "result":
            result = result["result"]["ok"]
        return cls({one["name"]: one["type"] for one in told["parameters"]}, result)

    def typed(self, row: Row) -> list[tuple[str, Type, Any]]:
        """The arguments with their names and types."""
        return [(name, self.parameters[name], value) for name, value in row.arguments.items()]


class Way:
    """A way to call a procedure."""

    def refusal(self, _row: Row, _signature: Signature) -> Failed | None:
        """How a call is refused that cannot be made in this way; part of the message is enough."""
        return None

    def call(self, row: Row, signature: Signature) -> Any:
        """What comes back; raises Failed."""
        raise NotImplementedError
