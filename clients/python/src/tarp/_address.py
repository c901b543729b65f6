"""Where a host is and how to speak to it: URL, credentials, TLS."""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Union
from urllib.parse import quote, unquote, urlsplit

from ._exceptions import InvalidOption

Verify = Union[bool, str, "os.PathLike[str]", ssl.SSLContext]

#: The environment variable with the token, where neither the call nor the URL has one.
TOKEN_VARIABLE = "TARP_TOKEN"

#: Where a host listens unless it is told otherwise.
_PORT = 8080


@dataclass(frozen=True)
class Address:
    """A host's address, taken apart once."""

    host: str
    port: int
    #: The part of the path before the host's own, percent-encoded, without a slash at its end.
    prefix: str
    #: None for plain HTTP.
    tls: ssl.SSLContext | None = field(repr=False)
    #: The value of the Authorization header, if there is one.
    authorization: str | None = field(repr=False)
    #: How a certificate is verified, as `connect` was told.
    verify: Verify = field(default=True, repr=False)
    #: Whether the credentials were given, and are not those of the environment.
    is_given: bool = False
    #: Whether credentials are missing that were given to `connect` in another process.
    lacks_token: bool = False

    @property
    def authority(self) -> str:
        """Host and port, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.tls else 80
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, without credentials."""
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.prefix}"


def parse_address(url: str, *, token: str | None = None, verify: Verify = True) -> Address:
    """Reads a URL such as `http://localhost:8080` or `https://user:TOKEN@lab.example/tarp`.

    Without a scheme it is an address such as `lab:8080`, `user:TOKEN@lab:8080` or `[::1]:8080`, for
    plain HTTP; its port is 8080 where there is none either, as of `localhost`.

    The credentials are `token`, or the URL's user and password, or the variable TARP_TOKEN, in
    this order. A token goes as `Bearer`, user and password go as `Basic`.

    `verify` says how a certificate is verified: True by the system's authorities, a path by the
    authorities of that PEM file, False not at all; or it is an `ssl.SSLContext`.

    Raises InvalidOption for what is no such URL, or no such file.
    """
    if not isinstance(url, str):
        raise InvalidOption(f"the URL of a host is a str, not {type(url).__name__}")
    if not url.isprintable() or " " in url:
        raise InvalidOption(f"the URL of a host has no spaces: {_shown(url)!r}")
    has_scheme = "://" in url
    try:
        parts = urlsplit(url if has_scheme else f"http://{_bracketed(url)}")
        port = parts.port
    except ValueError as error:
        raise InvalidOption(f"{_shown(url)!r} is not the URL of a host: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidOption(f"{_shown(url)!r} is not the URL of a host, like http://localhost:8080")
    if parts.query or parts.fragment:
        raise InvalidOption(f"the URL of a host has no query and no fragment: {_shown(url)!r}")
    if port == 0:
        raise InvalidOption(f"no host listens on port 0: {_shown(url)!r}")
    try:
        parts.hostname.encode("idna")
    except UnicodeError as error:
        raise InvalidOption(f"{_shown(url)!r} has no name of a host: {error}") from None
    tls = _context(verify) if parts.scheme == "https" else None
    return Address(
        host=parts.hostname,
        port=port or (443 if tls else 80 if has_scheme else _PORT),
        prefix=quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~"),
        tls=tls,
        authorization=_authorization(token, parts.username, parts.password),
        verify=verify,
        is_given=bool(token) or parts.username is not None,
    )


def _bracketed(address: str) -> str:
    """An address of IPv6 in the brackets that it has in a URL."""
    try:
        return f"[{IPv6Address(address)}]"
    except ValueError:
        return address


def _authorization(token: str | None, username: str | None, password: str | None) -> str | None:
    if token is None and username is not None:
        pair = f"{unquote(username)}:{unquote(password or '')}"
        return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    if token is not None and not isinstance(token, str):
        raise InvalidOption(f"a token is a str, not {type(token).__name__}")
    token = token or os.environ.get(TOKEN_VARIABLE)
    if not token:
        return None
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise InvalidOption("a token consists of visible ASCII characters")
    return f"Bearer {token}"


def _context(verify: Verify) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if verify is True:
        return ssl.create_default_context()
    if verify is False:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=os.fspath(verify))
    except (OSError, TypeError) as error:
        raise InvalidOption(
            f"verify={verify!r} is no PEM file with authorities to trust: {error}"
        ) from error


def _shown(url: str) -> str:
    """The URL without what may be a secret."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
