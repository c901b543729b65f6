"""Values in the notations of HTTP and the command line, by their type as the host describes it."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from value_table import single

#: A type as JSON has it: a name such as `u8`, or an object of one kind such as `{"list": "u8"}`.
Type = Any

TEXTUAL = ("string", "char")
FLOATS = ("f32", "f64")


def kind_of(type_: Type) -> str:
    return type_ if isinstance(type_, str) else next(iter(type_))


def is_number(type_: Type) -> bool:
    return isinstance(type_, str) and (type_ in FLOATS or type_[1:].isdigit())


def is_bytes(type_: Type) -> bool:
    return type_ == {"list": "u8"}


def is_text(type_: Type) -> bool:
    """Whether a word is such a value as it stands."""
    return type_ in TEXTUAL or kind_of(type_) == "enum"


def members_of(type_: Type) -> list[tuple[str, Type]]:
    """The fields of a record or the cases of a variant."""
    return [(member["name"], member["type"]) for member in type_[kind_of(type_)]]


def cases_of(type_: Type) -> dict[str, Type | None]:
    """What the cases of a variant or a result carry."""
    return type_["result"] if kind_of(type_) == "result" else dict(members_of(type_))


# JSON.


def to_json(type_: Type, value: Any) -> Any:
    """What `json.dumps` is to be given."""
    match kind_of(type_):
        case "f32" | "f64" if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case "list" if is_bytes(type_):
            return base64.b64encode(value).decode()
        case "list":
            return [to_json(type_["list"], item) for item in value]
        case "tuple":
            return [to_json(*pair) for pair in zip(type_["tuple"], value, strict=True)]
        case "record":
            return {name: to_json(member, value[name]) for name, member in members_of(type_)}
        case "option" if value is None:
            return None
        case "option" if kind_of(type_["option"]) == "option":
            return {"some": to_json(type_["option"], value["some"])}
        case "option":
            return to_json(type_["option"], value)
        case "variant" if isinstance(value, str):
            return value
        case "variant" | "result":
            ((name, carried),) = value.items()
            type_ = cases_of(type_)[name]
            return {name: None if type_ is None else to_json(type_, carried)}
        case "flags":
            return [name for name in type_["flags"] if name in value]
        case _:
            return value


def from_json(type_: Type | None, told: Any) -> Any:
    """The value that was told in JSON; a reply in another notation than that of its type fails."""
    if type_ is None:
        assert told is None, told
        return None
    kind = kind_of(type_)
    match kind:
        case "f32" | "f64":
            words = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
            number = words[told] if isinstance(told, str) else told
            assert isinstance(number, float), told
            return number if kind == "f64" or not math.isfinite(number) else single(number)
        case "list" if is_bytes(type_):
            return base64.b64decode(told, validate=True)
        case "list":
            return [from_json(type_["list"], item) for item in told]
        case "tuple":
            return tuple(from_json(*pair) for pair in zip(type_["tuple"], told, strict=True))
        case "record":
            members = members_of(type_)
            assert list(told) == [name for name, _ in members], told
            return {name: from_json(member, told[name]) for name, member in members}
        case "option" if kind_of(type_["option"]) == "option":
            return None if told is None else {"some": from_json(type_["option"], told["some"])}
        case "option":
            return None if told is None else from_json(type_["option"], told)
        case "variant" | "result":
            types = cases_of(type_)
            if isinstance(told, str):
                assert kind == "variant", told
                assert types[told] is None, told
                return told
            ((name, carried),) = told.items()
            return {name: from_json(types[name], carried)}
        case "flags":
            assert told == [name for name in type_["flags"] if name in told], told
            return set(told)
        case "enum":
            assert told in type_["enum"], told
            return told
        case "bool":
            assert isinstance(told, bool), told
            return told
        case "string" | "char":
            assert isinstance(told, str), told
            return told
        case _:
            assert isinstance(told, int), told
            assert not isinstance(told, bool), told
            return told


def parse(text: str | bytes) -> Any:
    """Reads JSON as RFC 8259 has it, without Python's NaN and Infinity."""

    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is not JSON")

    return json.loads(text, parse_constant=refuse)


# Text.


def to_text(type_: Type, value: Any) -> str:
    """One value as text, as a query or a form has it: text itself, everything else as JSON."""
    if value is not None and kind_of(type_) == "option" and kind_of(type_["option"]) != "option":
        return to_text(type_["option"], value)
    told = to_json(type_, value)
    plain = is_text(type_) or is_bytes(type_) or type_ in FLOATS
    return told if plain and isinstance(told, str) else json.dumps(told)


def to_texts(type_: Type, value: Any) -> list[str]:
    """The same as a person writes it: a name once for each item, numbers with commas."""
    kind = kind_of(type_)
    if kind == "option":
        return [] if value is None else to_texts(type_["option"], value)
    if kind == "flags" and value:
        return to_json(type_, value)
    if kind == "list" and value and not is_bytes(type_):
        item = type_["list"]
        if is_number(item):
            return [commas(item, value)]
        if (
            kind_of(item) == "list"
            and is_number(item["list"])
            and not is_bytes(item)
            and all(value)
        ):
            return [commas(item["list"], row) for row in value]
        texts = [to_text(item, one) for one in value]
        if not texts[0].startswith("["):
            return texts
    return [to_text(type_, value)]


def commas(item: Type, numbers: list[Any]) -> str:
    return ",".join(to_text(item, number) for number in numbers)
