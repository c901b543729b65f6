"""URLs and credentials."""

from __future__ import annotations

import base64
import ssl

import pytest

import tarp
from tarp._address import parse_address


@pytest.mark.parametrize(
    ("url", "authority", "prefix"),
    [
        ("http://localhost:8080", "localhost:8080", ""),
        ("localhost:8080", "localhost:8080", ""),
        ("http://lab.example/", "lab.example", ""),
        ("http://lab.example/tarp/", "lab.example", "/tarp"),
        ("https://lab.example:8443", "lab.example:8443", ""),
        ("https://lab.example", "lab.example", ""),
        ("http://[::1]:8080", "[::1]:8080", ""),
        ("[::1]:8080", "[::1]:8080", ""),
        ("[::1]", "[::1]:8080", ""),
        ("::1", "[::1]:8080", ""),
        ("localhost", "localhost:8080", ""),
        ("127.0.0.1", "127.0.0.1:8080", ""),
        ("lab:80/tarp", "lab", "/tarp"),
        ("http://lab/a%20b/größe//", "lab", "/a%20b/gr%C3%B6%C3%9Fe"),
        ("user:p%40ss@lab:8080", "lab:8080", ""),
    ],
)
def test_urls(url: str, authority: str, prefix: str) -> None:
    address = parse_address(url)
    assert (address.authority, address.prefix) == (authority, prefix)
    assert (address.tls is not None) == url.startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://lab.example",
        "http://",
        "http://a/?b",
        "http://a:b",
        "http://127.0.0.1:0",
        "http://lab..example",
        f"http://{'a' * 300}",
        " http://a",
    ],
)
def test_what_is_no_url_of_a_host(url: str) -> None:
    with pytest.raises(tarp.InvalidOption):
        parse_address(url)


def test_where_the_token_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    basic = "Basic " + base64.b64encode(b"user:p@ss").decode()
    assert parse_address("http://a").authorization is None
    assert parse_address("http://user:p%40ss@a").authorization == basic
    assert parse_address("http://a", token="argument").authorization == "Bearer argument"
    monkeypatch.setenv("TARP_TOKEN", "variable")
    assert parse_address("http://a").authorization == "Bearer variable"
    assert parse_address("http://user:p%40ss@a").authorization == basic
    assert parse_address("http://user:x@a", token="argument").authorization == "Bearer argument"
    with pytest.raises(ValueError, match="token"):
        parse_address("http://a", token="two\r\nlines: x")


def test_secrets_are_not_shown() -> None:
    address = parse_address("http://user:secret@a:1", token="hidden")
    assert "secret" not in repr(address) + address.url
    assert "hidden" not in repr(address)
    with pytest.raises(ValueError, match="not the URL") as caught:
        parse_address("ftp://user:secret@a")
    assert "secret" not in str(caught.value)


def test_how_certificates_are_verified() -> None:
    strict = parse_address("https://a").tls
    lax = parse_address("https://a", verify=False).tls
    own = ssl.create_default_context()
    assert strict is not None
    assert lax is not None
    assert strict.verify_mode == ssl.CERT_REQUIRED
    assert strict.check_hostname
    assert lax.verify_mode == ssl.CERT_NONE
    assert parse_address("https://a", verify=own).tls is own
