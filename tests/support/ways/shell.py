"""`tarp call`, with arguments as words, by name and from files, and results in every form."""

from __future__ import annotations

import json
import re
from itertools import count
from pathlib import Path
from typing import Any, Literal

import numpy as np

from command_line import CommandLine
from notation import (
    commas,
    from_json,
    is_bytes,
    is_number,
    is_text,
    kind_of,
    parse,
    to_json,
    to_text,
)
from value_table import Failed, Row
from ways.way import Signature, Way

#: A word that is not taken for the text that it is: it needs the quotes of JSON.
SPECIAL = re.compile(r'[@"-]|[^\W\d][\w-]*=', re.ASCII)
#: Linux takes no longer words.
MAX_WORD = 100_000

DTYPES = {"s": "i", "u": "u", "f": "f"}


class TarpCall(Way):
    """`words` come back as JSON, `names` as people read them, `files` in files."""

    def __init__(self, tarp: CommandLine, folder: Path, style: Literal["words", "names", "files"]):
        self.tarp = tarp
        self.style = style
        self.files = (folder / str(n) for n in count())

    def call(self, row: Row, signature: Signature) -> Any:
        write = {"words": self._word, "names": self._named, "files": self._from_file}[self.style]
        words = [write(*argument) for argument in signature.typed(row)]
        deliver = {"words": self._as_json, "names": self._for_people, "files": self._to_file}
        return deliver[self.style](row, signature.result, ["call", row.procedure, *words])

    def run(self, words: list[str]) -> bytes:
        ran = self.tarp(*words)
        if ran.code == 1 and "--json" in words:
            failure = ran.json
            raise Failed(failure["type"], failure["message"])
        if ran.code:
            kind, _, message = ran.err.strip().partition(": ")
            raise Failed(kind, message)
        return ran.out

    # Arguments.

    def _word(self, name: str, type_: Any, value: Any) -> str:
        word = self._text(type_, value)
        if len(word.encode()) > MAX_WORD:
            return self._from_file(name, type_, value)
        # A number may begin with a minus; what else does is taken for a flag.
        return f"{name}={word}" if re.match(r"-\D|-.*,", word) else word

    def _text(self, type_: Any, value: Any) -> str:
        kind = kind_of(type_)
        if value is None or type_ in ("f32", "f64"):
            return str(value) if value is not None else "null"
        if kind == "option":
            return to_text(type_, value)
        if kind == "flags" and value:
            return ",".join(to_json(type_, value))
        if kind == "list" and value and is_number(type_["list"]) and not is_bytes(type_):
            return commas(type_["list"], value)
        if is_text(type_) and (SPECIAL.match(value) or "\0" in value):
            return json.dumps(value)
        if kind == "variant" and isinstance(value, str):
            return value
        return to_text(type_, value)

    def _named(self, name: str, type_: Any, value: Any) -> str:
        """As JSON has it."""
        told = json.dumps(to_json(type_, value), ensure_ascii=False)
        if len(told.encode()) > MAX_WORD:
            return self._from_file(name, type_, value)
        return f"{name}={told}"

    def _from_file(self, name: str, type_: Any, value: Any) -> str:
        kind = kind_of(type_)
        if is_bytes(type_) or type_ == "string":
            suffix, content = ".dat", value if is_bytes(type_) else value.encode()
        elif kind == "list" and is_number(type_["list"]):
            element = type_["list"]
            array = np.array(value, f"{DTYPES[element[0]]}{int(element[1:]) // 8}")
            path = next(self.files).with_suffix(".npy")
            np.save(path, array)
            return f"{name}=@{path}"
        else:
            suffix, content = ".json", json.dumps(to_json(type_, value)).encode()
        return f"{name}=@{self._file(suffix, content)}"

    def _file(self, suffix: str, content: bytes) -> Path:
        path = next(self.files).with_suffix(suffix)
        path.write_bytes(content)
        return path

    # Results.

    def _as_json(self, _: Row, type_: Any, words: list[str]) -> Any:
        return from_json(type_, parse(self.run(["call", "--json", *words[1:]]))["result"])

    def _for_people(self, row: Row, type_: Any, words: list[str]) -> Any:
        """As it is printed, but for records, which are a table."""
        is_list = isinstance(row.back, list | tuple)
        if is_list and row.back and all(isinstance(item, dict) for item in row.back):
            return self._as_json(row, type_, words)
        out = self.run(words)
        if type_ is None:
            assert out == b""
            return None
        if is_bytes(type_):
            return out
        text = out.decode()
        # The end of the line is not doubled.
        if isinstance(row.back, str) and not row.back.endswith("\n"):
            text = text.removesuffix("\n")
        if is_text(type_) or isinstance(row.back, str) or text.strip() in WORDS:
            return from_json(type_, text.strip() if text.strip() in WORDS else text)
        return from_json(type_, parse(text))

    def _to_file(self, row: Row, type_: Any, words: list[str]) -> Any:
        if type_ is None:
            return self._for_people(row, type_, words)
        is_numbers = kind_of(type_) == "list" and is_number(type_["list"]) and not is_bytes(type_)
        is_plain = is_bytes(type_) or type_ == "string"
        path = next(self.files).with_suffix(
            ".npy" if is_numbers else ".dat" if is_plain else ".json"
        )
        assert self.run([*words, "--output", str(path)]) == b""
        if is_numbers:
            array = np.load(path)
            element = type_["list"]
            assert array.dtype == np.dtype(f"{DTYPES[element[0]]}{int(element[1:]) // 8}")
            return array.tolist()
        if is_plain:
            return path.read_bytes() if is_bytes(type_) else path.read_bytes().decode()
        return from_json(type_, parse(path.read_bytes()))


#: Floats that are printed as words.
WORDS = ("NaN", "Infinity", "-Infinity")
