"""curl, with bodies of every kind."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from host import DEADLINE, rpc_body
from notation import from_json, is_bytes, parse, to_json, to_text, to_texts
from value_table import Failed, Row
from ways.way import Signature, Way

#: More characters are no address that the host reads.
MAX_ADDRESS = 60_000


class Curl(Way):
    """curl with what one of the functions below writes."""

    def __init__(self, address: str, folder: Path, write: Writer) -> None:
        self.address = address
        self.write = write
        names = (folder / str(n) for n in count())

        def file(content: bytes | str) -> Path:
            path = next(names)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            return path

        self.file = file

    def refusal(self, row: Row, signature: Signature) -> Failed | None:
        return REFUSALS.get(self.write, lambda *_: None)(row, signature)

    def call(self, row: Row, signature: Signature) -> Any:
        words = self.write(row, signature, self.file)
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", *words]
        ran = subprocess.run(
            [*command, "--write-out", "\n%{http_code}", f"{self.address}/{row.procedure}"],
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        body, _, status = ran.stdout.rpartition(b"\n")
        if body == b"":
            raise Failed(status.decode(), "")
        reply = parse(body)
        if status != b"200":
            assert reply["status"] == "error", reply
            raise Failed(reply["type"], reply["message"])
        assert reply["status"] == "success", reply
        if self.write is rpc:
            return pickle.loads(base64.b64decode(reply["result"]["payload"], validate=True))
        return from_json(signature.result, reply["result"])


#: Writes the arguments of a call as words for curl, and what is long or binary to files.
Writer = Callable[[Row, Signature, Callable[[bytes | str], Path]], list[str]]


def body(path: Path, content_type: str) -> list[str]:
    return ["--data-binary", f"@{path}", "--header", f"Content-Type: {content_type}"]


def json_by_name(row: Row, signature: Signature, file: Any) -> list[str]:
    told = {name: to_json(type_, value) for name, type_, value in signature.typed(row)}
    return body(file(json.dumps(told)), "application/json")


def json_by_position(row: Row, signature: Signature, file: Any) -> list[str]:
    told = [to_json(type_, value) for _, type_, value in signature.typed(row)]
    return body(file(json.dumps(told, ensure_ascii=False)), "application/json")


def rpc(row: Row, _: Signature, file: Any) -> list[str]:
    return body(file(json.dumps(rpc_body(*row.arguments.values()))), "application/json")


def pickled(row: Row, _: Signature, file: Any) -> list[str]:
    return body(file(pickle.dumps(((), row.arguments))), "application/vnd.tarp.pickle")


def query(row: Row, signature: Signature, file: Any) -> list[str]:
    """Everything that is no text as JSON."""
    words = ["--get"]
    for name, type_, value in signature.typed(row):
        words += pair(name, to_text(type_, value), file)
    return words


def pair(name: str, text: str, file: Any) -> list[str]:
    # curl leaves the name of an empty file out.
    return ["--data-urlencode", f"{name}@{file(text)}" if text else f"{name}="]


def form(row: Row, signature: Signature, file: Any) -> list[str]:
    """As people write it."""
    words = [] if any(_texts(row, signature)) else ["--request", "POST", "--data", ""]
    for name, text in _texts(row, signature):
        words += pair(name, text, file)
    return words


def _texts(row: Row, signature: Signature) -> Iterator[tuple[str, str]]:
    for name, type_, value in signature.typed(row):
        for text in to_texts(type_, value):
            yield name, text


def multipart(row: Row, signature: Signature, file: Any) -> list[str]:
    """Bytes as files, text as text or, every other length, as files; the rest as parts of JSON."""
    words = []
    for name, type_, value in signature.typed(row):
        if is_bytes(type_) or (type_ == "string" and len(value) % 2):
            words += ["--form", f"{name}=@{file(value)}"]
        elif type_ == {"list": {"list": "u8"}} and value:
            words += [word for item in value for word in ("--form", f"{name}=@{file(item)}")]
        elif type_ == {"list": "string"} and value:
            words += [word for item in value for word in ("--form", f"{name}=<{file(item)}")]
        elif isinstance(type_, str):
            words += ["--form", f"{name}=<{file(to_text(type_, value))}"]
        else:
            told = json.dumps(to_json(type_, value))
            words += ["--form", f"{name}=<{file(told)};type=application/json"]
    return words or ["--header", "Content-Type: multipart/form-data; boundary=x", "--data", "--x--"]


def plain_text(row: Row, signature: Signature, file: Any) -> list[str]:
    _, type_, value = [*signature.typed(row), ("", "string", "x")][0]
    content = value if is_bytes(type_) else to_text(type_, value)
    return body(file(content), "text/plain; charset=utf-8")


def octets(row: Row, signature: Signature, file: Any) -> list[str]:
    _, type_, value = [*signature.typed(row), ("", "string", "x")][0]
    content = value if is_bytes(type_) or type_ == "string" else to_text(type_, value)
    return body(file(content), "application/octet-stream")


# How a call is refused that cannot be written so, by `docs/bodies.md`.


def too_long(row: Row, signature: Signature) -> Failed | None:
    texts = [to_text(type_, value) for _, type_, value in signature.typed(row)]
    return Failed("431", "") if len(quote("".join(texts))) > MAX_ADDRESS else None


def not_one(row: Row, signature: Signature) -> Failed | None:
    match len(row.arguments), len(signature.parameters):
        case _, 0:
            return Failed("BadArguments", "the procedure takes no arguments")
        case _, 1:
            return None
        case _:
            return Failed("BadArguments", "body is one argument, but the procedure takes")


def no_octets(row: Row, signature: Signature) -> Failed | None:
    ((name, type_),) = (
        signature.parameters.items() if len(signature.parameters) == 1 else [("", "")]
    )
    if name and type_ != "string" and not is_bytes(type_):
        return Failed("UnsupportedMediaType", f"`{name}`")
    return not_one(row, signature)


REFUSALS: dict[Writer, Callable[[Row, Signature], Failed | None]] = {
    query: too_long,
    plain_text: not_one,
    octets: no_octets,
}

WRITERS: list[Writer] = [
    *(json_by_name, json_by_position, rpc, pickled),
    *(query, form, multipart, plain_text, octets),
]
