"""What came of a component that was deployed or rolled back."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Union

from ._exceptions import InvalidOption
from ._message import Buffer

#: What names a file.
PathLike = Union[str, "os.PathLike[str]"]

WASM = "application/wasm"


@dataclass(frozen=True)
class Deployment:
    """A version of a component that the host serves from now on."""

    name: str
    #: The file in the host's folder.
    file: str
    #: What `if_match` takes: the digest, and the beginning of the sidecar's where there is one.
    version: str
    #: BLAKE3 of the component, in hexadecimal.
    digest: str
    #: What was served before; None where nothing was.
    previous: str | None
    #: Full names.
    procedures: tuple[str, ...]
    #: Procedures that were not there before, by name and types.
    added: tuple[str, ...]
    #: Procedures that are no longer there.
    removed: tuple[str, ...]
    #: Procedures with other types: what they were, and what they are.
    changed: tuple[tuple[str, str], ...]
    #: What its owner should know, though it is served.
    problems: tuple[str, ...]

    def __str__(self) -> str:
        """Such as `math.wasm 1f0c5a7e2b4d: 2 procedures, 1 added, 1 changed`."""
        count = len(self.procedures)
        parts = [f"{count} procedure{'' if count == 1 else 's'}"]
        for what in ("added", "removed", "changed"):
            if number := len(getattr(self, what)):
                parts.append(f"{number} {what}")
        return f"{self.file} {self.digest[:12]}: {', '.join(parts)}"

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Deployment:
        """Reads the object of the host."""
        changes = data["changes"]
        return cls(
            name=data["name"],
            file=data["file"],
            version=data["version"],
            digest=data["digest"],
            previous=data.get("previous"),
            procedures=tuple(data["procedures"]),
            added=tuple(changes["added"]),
            removed=tuple(changes["removed"]),
            changed=tuple((one["before"], one["after"]) for one in changes["changed"]),
            problems=tuple(data["problems"]),
        )


class Upload(NamedTuple):
    """A component as it is sent."""

    name: str
    content_type: str
    body: tuple[Buffer, ...]


def upload(path: PathLike, name: str | None, sidecar: PathLike | None) -> Upload:
    """Reads a component, and its sidecar; OSError where that cannot be done."""
    component = Path(check_path("path", path))
    content = component.read_bytes()
    if name is None:
        name = component.name
    if sidecar is None:
        return Upload(check_name(name), WASM, (content,))
    text = Path(check_path("sidecar", sidecar)).read_bytes()
    boundary = uuid.uuid4().hex

    def head(part: str, kind: str) -> bytes:
        disposition = f'form-data; name="{part}"; filename="{part}"'
        lines = (f"--{boundary}", f"Content-Disposition: {disposition}", f"Content-Type: {kind}")
        return "\r\n".join((*lines, "", "")).encode()

    body = (
        *(head("component", WASM), content, b"\r\n"),
        *(head("sidecar", "application/toml"), text, b"\r\n"),
        f"--{boundary}--\r\n".encode(),
    )
    return Upload(check_name(name), f"multipart/form-data; boundary={boundary}", body)


def check_name(name: Any) -> str:
    """Refuses what is no name of a component."""
    if not isinstance(name, str) or not name:
        raise InvalidOption(f"the name of a component is a str, not {name!r}")
    return name


def check_path(option: str, path: Any) -> PathLike:
    """Refuses what names no file."""
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidOption(f"{option} is the path of a file, not a {type(path).__name__}")
    return path


def check_digest(option: str, digest: Any) -> None:
    """Refuses what is no digest, or tag of a version."""
    if digest is None:
        return
    if not isinstance(digest, str) or not digest.replace(".", "").isalnum() or not digest.isascii():
        raise InvalidOption(f"{option} is the digest of a version, not {digest!r}")
