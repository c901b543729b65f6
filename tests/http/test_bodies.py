"""Bodies by content type and encoding: each is taken exactly, or refused with what would be."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import re
import socket
import subprocess
import time
import urllib.parse
import zlib
from typing import Any

import pytest
import requests

from host import REPOSITORY, CallFailed, Host, MakeHost, bare, result_of, rpc_body

PICKLE = "application/vnd.tarp.pickle"
JSON = "application/json"
BYTES = "application/octet-stream"


def post(
    host: Host, name: str, body: Any, content_type: str | None = None, **headers: str
) -> requests.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        headers["Content-Type"] = content_type
    return host.request("POST", f"/{name}", data=body, headers=headers)


def refusal(reply: requests.Response) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        result_of(reply)
    return caught.value


# The table of content types.

#: By parameter type: the procedure, a value as JSON has it, and as a text has it.
TYPES: dict[str, tuple[str, Any, str]] = {
    "list<u8>": ("echo_bytes", "aGk=", "aGk="),
    "string": ("echo_string", "aGk=", "aGk="),
    "bool": ("echo_bool", True, "true"),
    "s64": ("echo_s64", 7, "7"),
    "u8": ("echo_u8", 7, "7"),
    "f32": ("echo_f32", 0.5, "0.5"),
    "f64": ("echo_f64", 0.5, "0.5"),
    "char": ("echo_char", "a", "a"),
    "list<s8>": ("echo_list_s8", [49, 50], "49,50"),
    "list<f64>": ("echo_list_f64", [1.5, 2.5], "1.5,2.5"),
    "list<string>": ("echo_list_string", ["ab"], "ab"),
    "list<list<f64>>": ("echo_matrix", [[1.5, 2.5]], "1.5,2.5"),
    "list<tuple<string, f64>>": ("echo_pairs", [["a", 1.5]], '[["a", 1.5]]'),
    "tuple": ("echo_tuple", [-1, "x", True], '[-1, "x", true]'),
    "record": ("echo_point", {"x": 1.5, "y": -2.0}, '{"x": 1.5, "y": -2}'),
    "option<s32>": ("echo_option", 7, "7"),
    "option<list<f64>>": ("echo_option_list", [1.5], "1.5"),
    "enum": ("echo_color", "red", "red"),
    "variant": ("echo_measurement", {"count": 3}, '{"count": 3}'),
    "flags": ("echo_marks", ["noisy"], "noisy"),
    "several": ("add", 3, ""),
}


def documented() -> dict[str, dict[str, str]]:
    """How a body is taken, by content type and column, as the documentation has it."""
    lines = (REPOSITORY / "docs/bodies.md").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| Content-Type |"))
    columns = [cell.strip().strip("`") for cell in lines[start].split("|")[2:-1]]
    table = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return table
        name, *cells = (cell.strip() for cell in line.split("|")[1:-1])
        types = re.findall(r"`([^`]+)`", name) + ([""] if name.endswith(", or none") else [])
        for content_type in types:
            table[content_type] = dict(zip(columns, cells, strict=True))
    return table


def multipart(name: str, content: bytes, filename: str | None = None) -> tuple[bytes, str]:
    named = f'; filename="{filename}"' if filename else ""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
    return head + content + b"\r\n--XX--\r\n", "multipart/form-data; boundary=XX"


def body_for(content_type: str, ty: str) -> tuple[bytes, str | None]:
    """A body of this type with the argument in the notation that it has for it."""
    _, value, text = TYPES[ty]
    named = {"x": 1, "y": 2} if ty == "several" else {"value": value}
    if content_type.endswith("json"):
        return json.dumps(named).encode(), content_type
    if content_type == "application/x-www-form-urlencoded":
        texts = {"x": "1", "y": "2"} if ty == "several" else {"value": text}
        return urllib.parse.urlencode(texts).encode(), content_type
    if content_type == "multipart/form-data":
        if ty == "several":
            first, second = multipart("x", b"1")[0], multipart("y", b"2")
            return first[: -len(b"--XX--\r\n")] + second[0], second[1]
        is_bytes = ty == "list<u8>"
        return multipart("value", b"hi" if is_bytes else text.encode(), "f" if is_bytes else None)
    if content_type == PICKLE:
        if ty == "list<u8>":
            named = {"value": b"hi"}
        return pickle.dumps(((), named)), content_type
    return text.encode() or b"3", content_type or None


def taken(host: Host, content_type: str, ty: str) -> str:
    """How the host takes a body, in the words of the documentation."""
    procedure, value, text = TYPES[ty]
    body, sent_as = body_for(content_type, ty)
    reply = post(host, procedure, body, sent_as, Accept=JSON)
    if reply.status_code != 200:
        kind = {400: "BadArguments", 415: "UnsupportedMediaType"}[reply.status_code]
        assert refusal(reply).kind == kind
        return str(reply.status_code)
    result = result_of(reply)
    if content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        assert result == value
        return "by name"
    if content_type == PICKLE or content_type.endswith("json"):
        assert result == value
        return "pickle" if content_type == PICKLE else "JSON"
    if ty == "list<u8>" and result == base64.b64encode(text.encode()).decode():
        return "its bytes"
    assert result == value
    return "its text" if ty == "string" else "by its type"


@pytest.mark.parametrize("content_type", documented(), ids=lambda name: name or "none")
def test_each_type_is_taken_as_the_documentation_says(host: Host, content_type: str) -> None:
    row = documented()[content_type]
    for ty in TYPES:
        column = {"several": "several parameters"}.get(ty, ty)
        expected = row.get(column, row["any other type"])
        assert taken(host, content_type, ty) == expected, f"{content_type} for {ty}"


def test_the_table_has_every_kind_of_body() -> None:
    assert {JSON, PICKLE, BYTES, "", "text/plain", "multipart/form-data"} <= documented().keys()
    assert len(documented()) >= 12


def test_a_refusal_says_what_is_taken(host: Host) -> None:
    body = b"\0" * 16
    for content_type in (BYTES, "image/png", None):
        refused = refusal(post(host, "sum", body, content_type))
        assert (refused.status, refused.kind) == (415, "UnsupportedMediaType")
        for word in ("list<f64>", JSON, "text/plain", content_type or "without a Content-Type"):
            assert word in refused.message
    assert refusal(post(host, "checksum", b"{}", "json")).status == 415


def test_bytes_are_no_list_of_wider_numbers_in_a_pickle_either(host: Host) -> None:
    for procedure in ("echo_list_f64", "echo_list_s32", "echo_list_s8", "echo_list_u16"):
        with pytest.raises(CallFailed, match=r"bytes.*frombuffer") as caught:
            host.rpc(procedure, b"\1\2\3\4\5\6\7\x08")
        assert caught.value.kind == "BadArguments"


def test_an_empty_body_that_says_what_it_is_is_an_empty_argument(host: Host) -> None:
    for content_type in (BYTES, "text/plain", "image/png"):
        assert result_of(post(host, "echo_bytes", b"", content_type)) == ""
    assert result_of(post(host, "echo_string", b"", BYTES)) == ""
    assert result_of(post(host, "echo_string?value=x", b"", BYTES)) == "x"
    assert "missing" in refusal(post(host, "echo_bytes", b"")).message


def test_a_body_that_nobody_would_read_is_refused(host: Host) -> None:
    with_body = host.request("GET", "/echo_option", json={"value": 1})
    assert (refusal(with_body).status, "POST" in refusal(with_body).message) == (400, True)
    assert refusal(post(host, "answer", "5", JSON)).kind == "BadArguments"
    assert refusal(post(host, "answer", "x", "text/plain")).kind == "BadArguments"


# Text.


def test_charsets_other_than_utf_8_are_refused_by_name(host: Host) -> None:
    for kind in (JSON, "text/plain", "application/x-www-form-urlencoded", "text/csv"):
        refused = refusal(post(host, "echo_string", b'"x"', f"{kind}; charset=ISO-8859-1"))
        assert (refused.status, refused.kind) == (415, "UnsupportedMediaType")
        assert "ISO-8859-1" in refused.message
    assert result_of(post(host, "echo_string", b"x", 'text/plain; charset="UTF-8"')) == "x"


def test_a_byte_order_mark_is_skipped(host: Host) -> None:
    mark = b"\xef\xbb\xbf"
    assert result_of(post(host, "add", mark + b'{"x": 1, "y": 2}', JSON)) == 3
    assert result_of(post(host, "echo_string", mark + b"x", "text/plain")) == "x"
    assert result_of(post(host, "add", mark + b"x=1&y=2", "application/x-www-form-urlencoded")) == 3
    rpc = post(host, "add", mark + json.dumps(rpc_body(1, 2)).encode(), JSON)
    assert pickle.loads(base64.b64decode(result_of(rpc)["payload"])) == 3
    assert result_of(post(host, "echo_bytes", mark, "text/plain")) == "77u/", "bytes are bytes"
    refused = refusal(post(host, "echo_string", '"x"'.encode("utf-16"), JSON))
    assert "UTF-16" in refused.message


# RPC.


def test_rpc_is_an_object_with_exactly_its_members(host: Host) -> None:
    body = rpc_body(1, 2)
    assert result_of(post(host, "echo_list_string", '[["hello", "world"]]', JSON)) == [
        "hello",
        "world",
    ]
    assert host.post("greet", ["Ada", "Hi"]) == "Hi, Ada!"
    as_array = refusal(post(host, "add", json.dumps(list(body.values())), JSON))
    assert as_array.kind == "BadArguments", "two strings for two integers"
    for wrong in (body | {"more": 1}, {"args": body["args"]}, body | {"args": [1, 2]}):
        assert refusal(post(host, "add", json.dumps(wrong), JSON)).kind == "BadRequest"


# Forms with files.


def test_files_are_taken_for_bytes_and_text(host: Host) -> None:
    data = bytes(range(256)) + b"\r\n--not the boundary\r\n"
    files = {"data": ("bin.dat", data)}
    assert result_of(host.request("POST", "/checksum", files=files)) == zlib.crc32(data)
    for part in ("text", ("a.txt", "grün\r\n".encode(), "text/plain")):
        sent = part if isinstance(part, tuple) else ("a", "grün\r\n".encode())
        assert result_of(host.request("POST", "/echo_string", files={"value": sent})) == "grün\r\n"
    not_text = host.request("POST", "/echo_string", files={"value": ("a", b"\xff")})
    assert "UTF-8" in refusal(not_text).message
    empty = host.request("POST", "/echo_bytes", files={"value": ("empty", b"")})
    assert result_of(empty) == ""


def test_curl_sends_a_file_as_a_form(host: Host, tmp_path: Any) -> None:
    path = tmp_path / "bin.dat"
    path.write_bytes(b"123456789")
    command = ["curl", "--silent", "--noproxy", "*", "-F", f"data=@{path}"]
    reply = subprocess.run(
        [*command, f"{host.address}/checksum"], capture_output=True, check=True, timeout=30
    )
    assert json.loads(reply.stdout)["result"] == 0xCBF43926


def test_fields_are_read_as_in_any_form_and_repeated_ones_make_lists(host: Host) -> None:
    def form(*fields: tuple[str, Any]) -> requests.Response:
        return host.request("POST", f"/{procedure}", files=list(fields))

    procedure = "add"
    assert result_of(form(("x", (None, "1")), ("y", (None, "2")))) == 3
    procedure = "echo_list_string"
    assert result_of(form(("value", (None, "a")), ("value", (None, "b,c")))) == ["a", "b,c"]
    assert result_of(form(("value", ("f", b"a")), ("value", ("g", b"b")))) == ["a", "b"]
    procedure = "echo_chunks"
    assert result_of(form(("value", ("f", b"hi")), ("value", ("g", b"")))) == ["aGk=", ""]
    assert result_of(form(("value", ("f", b"hi")))) == ["aGk="]
    procedure = "echo_point"
    point = json.dumps({"x": 1, "y": 2})
    assert result_of(form(("value", (None, point, JSON)))) == {"x": 1.0, "y": 2.0}
    assert result_of(form(("value", ("p.json", point, JSON)))) == {"x": 1.0, "y": 2.0}
    procedure = "echo_list_f64"
    assert result_of(form(("value", (None, "1,2.5")))) == [1.0, 2.5]


def test_what_a_form_with_files_cannot_say_is_refused(host: Host) -> None:
    for procedure, part, status, word in (
        ("echo_list_f64", ("x.npy", b"\0" * 8), 415, "list<f64>"),
        ("echo_s64", ("x.txt", b"5", "text/plain"), 415, "s64"),
        ("echo_bytes", (None, "aGk="), 415, "file"),
        ("echo_string", (None, "x", "text/plain; charset=latin-1"), 415, "latin-1"),
        ("echo_string", ("x", b"x", "text/plain; charset=latin-1"), 415, "latin-1"),
        ("echo_point", (None, "{", JSON), 400, "JSON"),
    ):
        refused = refusal(host.request("POST", f"/{procedure}", files={"value": part}))
        assert refused.status == status, procedure
        assert word in refused.message
        assert "`value`" in refused.message
    unknown = refusal(host.request("POST", "/checksum", files={"dat": ("f", b"x")}))
    assert "did you mean `data`" in unknown.message
    twice = [("value", ("f", b"x")), ("value", ("g", b"y"))]
    assert "2 times" in refusal(host.request("POST", "/echo_bytes", files=twice)).message
    whole, content_type = multipart("value", b"x", "f")
    assert refusal(post(host, "echo_bytes", whole[:-8], content_type)).kind == "BadRequest"
    assert "boundary" in refusal(post(host, "echo_bytes", whole, "multipart/form-data")).message
    for header in ("Content-Transfer-Encoding: base64", "Content-Encoding: gzip"):
        encoded = whole.replace(b"\r\n\r\n", f"\r\n{header}\r\n\r\n".encode(), 1)
        refused = refusal(post(host, "echo_bytes", encoded, content_type))
        assert refused.status == 415
        assert header.lower() in refused.message.lower()
        assert "`value`" in refused.message
    plain = whole.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: Binary\r\n\r\n", 1)
    assert result_of(post(host, "echo_bytes", plain, content_type)) == "eA=="
    # A browser says so where no file was chosen.
    nothing = whole.replace(b'name="value"; filename="f"', b'name="value"; filename=""')
    nothing = nothing.replace(b"\r\n\r\nx\r\n", b"\r\n\r\n\r\n")
    assert "missing" in refusal(post(host, "echo_bytes", nothing, content_type)).message


# Encodings.

VALUES = b'{"values": [1, 2, 6]}'
ZSTD = b'(\xb5/\xfd\x04X\xa9\x00\x00{"values": [1, 2, 6]}$0w\x10'
BROTLI = bytes.fromhex("0b0a807b2276616c756573223a205b312c20322c20365d7d03")
#: Twenty million zeros.
BROTLI_BOMB = bytes.fromhex(
    "cbffff3ff82700e2b14020f7fe8fffff7ff04f00c4611180eefd5ffeb3c4e09f0088c302005d9218"
)


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(VALUES, mtime=0)),
        ("GZip", gzip.compress(VALUES, mtime=0)),
        ("x-gzip", gzip.compress(VALUES, mtime=0)),
        ("deflate", zlib.compress(VALUES)),
        ("deflate", deflated(VALUES)),
        ("zstd", ZSTD),
        ("br", BROTLI),
        ("identity", VALUES),
        ("zstd, gzip", gzip.compress(ZSTD, mtime=0)),
        ("br, identity,deflate", zlib.compress(BROTLI)),
    ],
)
def test_an_encoded_body_is_decoded(host: Host, encoding: str, body: bytes) -> None:
    assert result_of(post(host, "statistics/mean", body, JSON, Content_Encoding=encoding)) == 3.0
    if encoding != "identity":
        raw = refusal(post(host, "statistics/mean", body[:-6], JSON, Content_Encoding=encoding))
        assert (raw.status, raw.kind) == (400, "BadRequest")
        assert encoding.split(",")[-1].strip().lower().removeprefix("x-") in raw.message


def test_an_unknown_encoding_is_refused_by_name(host: Host) -> None:
    for encoding in ("compress", "gzip, lzma"):
        refused = refusal(post(host, "echo_bytes", b"x", BYTES, Content_Encoding=encoding))
        assert (refused.status, refused.kind) == (415, "UnsupportedMediaType")
        assert f"`{encoding.split(', ')[-1]}`" in refused.message
        assert "gzip, deflate, zstd, br" in refused.message


@pytest.mark.attack(
    "a compressed body that is huge when unpacked",
    "413; it is unpacked no further than `max_body`",
)
def test_a_bomb_is_refused(make_host: MakeHost) -> None:
    host = make_host("math", config="[server]\nmax_body = '1 MiB'\n")
    zeros = bytes(20_000_000)
    for encoding, body in (
        ("gzip", gzip.compress(zeros, mtime=0)),
        ("deflate", zlib.compress(zeros)),
        ("br", BROTLI_BOMB),
        ("gzip, gzip", gzip.compress(gzip.compress(zeros, mtime=0), mtime=0)),
    ):
        refused = refusal(post(host, "add", body, BYTES, Content_Encoding=encoding))
        assert (refused.status, refused.kind) == (413, "TooLarge"), encoding
        assert "max_body" in refused.message
    assert host.post("add", [1, 2]) == 3


def test_a_web_procedure_gets_a_decoded_body(host: Host) -> None:
    body = gzip.compress(json.dumps({"frequency": 3, "amplitude": 1}).encode())
    reply = post(host, "set_params", body, "application/vnd.lab+json", Content_Encoding="gzip")
    assert result_of(reply)["frequency"] == 3


# Slow bodies.


def slowly(host: Host, pieces: int, pause: float, size: int = 100) -> bytes:
    """The reply to a body that comes piece by piece."""
    head = f"POST /echo_bytes HTTP/1.1\r\nHost: localhost\r\nContent-Type: {BYTES}\r\n"
    with socket.create_connection(("127.0.0.1", host.port), 30) as connection:
        connection.sendall(f"{head}Content-Length: {pieces * size}\r\n\r\n".encode())
        for piece in range(pieces):
            time.sleep(pause if piece else 0)
            try:
                connection.sendall(b"x" * size)
            except OSError:
                break
        return connection.recv(65536)


def test_a_body_that_stops_is_408_and_a_steady_one_has_the_time_it_takes(
    make_host: MakeHost,
) -> None:
    config = "[server]\nbody_timeout = '1 s'\nbody_min_rate = '20 B'\n"
    host = make_host("shapes", config=config)
    head = f"POST /echo_bytes HTTP/1.1\r\nHost: localhost\r\nContent-Type: {BYTES}\r\n"
    with socket.create_connection(("127.0.0.1", host.port), 30) as connection:
        connection.sendall(f"{head}Content-Length: 10\r\n\r\nx".encode())
        reply = connection.recv(65536)
    assert b" 408 " in reply.splitlines()[0]
    assert b'"RequestTimeout"' in reply
    assert b"connection: close" in reply.lower()
    # Longer than the time-out, and each piece brings seconds of its own.
    assert b" 200 " in slowly(host, pieces=5, pause=0.5).splitlines()[0]


# Jobs.


def test_a_job_is_made_of_any_body(host: Host) -> None:
    files = {"data": ("f", b"123456789")}
    reply = host.request("POST", "/checksum", files=files, headers={"Prefer": "respond-async"})
    assert host.result(bare(reply)["id"]) == 0xCBF43926
