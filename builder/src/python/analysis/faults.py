"""What the author has to change."""

from __future__ import annotations


class Diagnostic(Exception):
    """Something in the source that cannot become part of a component."""

    def __init__(self, message: str, file: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line

    def as_json(self) -> dict[str, object]:
        return {"file": self.file, "line": self.line, "message": self.message}
