"""`python -m tarp`: lists procedures, calls one, writes stubs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from . import _version
from ._exceptions import InvalidOption, RemoteError, TarpError
from ._host import Host, connect
from ._names import meant
from ._procedure import Procedure
from ._receipt import Receipt
from ._stubs import stubs
from ._types import kind_of, returned

_EXAMPLES = """\
examples:
  python -m tarp http://localhost:8080
  python -m tarp call http://localhost:8080 add 1 y=2
  python -m tarp stubs http://localhost:8080 > procedures.pyi
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the arguments ask for; gives the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] not in ("list", "call", "stubs", "-h", "--help", "--version"):
        arguments = ["list", *arguments]
    asked = _parser().parse_args(arguments)
    verify = False if asked.insecure else asked.ca_file or True
    try:
        with connect(asked.url, token=asked.token, verify=verify, arrays="list") as host:
            asked.do(host, asked)
    except RemoteError as error:
        print(f"{error.type}: {error.message}", file=sys.stderr)
        if error.backtrace:
            print(error.backtrace, file=sys.stderr)
        return 1
    except (TarpError, ValueError, KeyError, OSError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"tarp: {message}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tarp",
        description="Calls the procedures of a TARP host.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = _command(commands, "list", "list what there is to call (the default)", _list)
    listing.add_argument("names", nargs="*", metavar="NAME", help="show these, in full")
    call = _command(commands, "call", "call a procedure and print its result as JSON", _call)
    call.add_argument("procedure", metavar="PROCEDURE")
    call.add_argument(
        "values",
        nargs="*",
        metavar="[NAME=]VALUE",
        help="an argument: text for a text, JSON for anything else; of a web procedure, NAME=VALUE"
        " is for the query, and VALUE the body",
    )
    call.add_argument("--receipt", action="store_true", help="print what the call used as well")
    write = _command(commands, "stubs", "write stubs for type checkers and editors", _stubs)
    write.add_argument("--aio", action="store_true", help="for tarp.aio")
    return parser


def _command(commands: Any, name: str, purpose: str, do: Any) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=purpose, description=purpose)
    command.add_argument("url", metavar="ADDRESS", help="the host, such as lab:8080")
    command.add_argument("--token", help="otherwise TARP_TOKEN, or the URL's user and password")
    command.add_argument("--ca-file", metavar="FILE", help="PEM file with authorities to trust")
    command.add_argument("--insecure", action="store_true", help="verify no certificate")
    command.set_defaults(do=do)
    return command


def _list(host: Host, asked: argparse.Namespace) -> None:
    for name in asked.names:
        info = host[name].info
        print(f"{info.name}{info.signature}\n    {info.types}  ({info.file})\n")
        for line in info.documentation.splitlines():
            print(f"    {line}".rstrip())
    if asked.names:
        return
    for info in host.procedures.values():
        first = info.documentation.partition("\n")[0]
        print(f"{info.name}{info.signature}" + (f"\n    {first}" if first else ""))
    for problem in host.problems:
        print(f"problem: {problem.get('file')}: {problem.get('message')}", file=sys.stderr)


def _call(host: Host, asked: argparse.Namespace) -> None:
    procedure = host[asked.procedure]
    if procedure.info.web_methods:
        _call_web(procedure, asked)
        return
    types = dict(procedure.info.parameters)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for text in asked.values:
        given, separator, value = text.partition("=")
        name = meant(given, types)
        if separator and name is not None:
            named[name] = _value(value, types[name])
        else:
            index = len(positional)
            ty = list(types.values())[index] if index < len(types) else "string"
            positional.append(_value(text, ty))
    value, receipt = procedure.with_receipt(*positional, **named)
    if returned(procedure.info.result) is not None:
        print(json.dumps(value, default=_plain, ensure_ascii=False))
    _print_receipt(asked, receipt)


def _call_web(procedure: Procedure, asked: argparse.Namespace) -> None:
    """NAME=VALUE is for the query; a VALUE is the body, JSON or else a text."""
    bodies: list[Any] = []
    query: dict[str, list[str]] = {}
    for text in asked.values:
        name, separator, value = text.partition("=")
        if separator and name.isidentifier():
            query.setdefault(name, []).append(value)
            continue
        try:
            bodies.append(json.loads(text))
        except ValueError:
            bodies.append(text)
    value, receipt = procedure.with_receipt(*bodies, **query)
    if isinstance(value, bytes):
        if sys.stdout.isatty():
            raise InvalidOption(f"{len(value)} bytes are not for a terminal; redirect them")
        sys.stdout.buffer.write(value)
        sys.stdout.buffer.flush()
    else:
        print(json.dumps(value, ensure_ascii=False))
    _print_receipt(asked, receipt)


def _print_receipt(asked: argparse.Namespace, receipt: Receipt | None) -> None:
    if asked.receipt and receipt is not None:
        used = ", ".join(f"{name} {number:,}" for name, number in receipt._asdict().items())
        print(used, file=sys.stderr)


def _value(text: str, ty: Any) -> Any:
    kind, inner = kind_of(ty)
    if kind == "option":
        return None if text == "null" else _value(text, inner)
    if kind in ("string", "char", "enum"):
        return text
    if kind == "list" and inner == "u8":
        return text.encode()
    try:
        return json.loads(text)
    except ValueError:
        # The host knows the type, and says what is wrong with the text.
        return text


def _plain(value: object) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{value!r} cannot be printed as JSON")


def _stubs(host: Host, asked: argparse.Namespace) -> None:
    catalog = host._current()
    sys.stdout.write(stubs(host.url, catalog, for_asyncio=asked.aio))


if __name__ == "__main__":
    sys.exit(main())
