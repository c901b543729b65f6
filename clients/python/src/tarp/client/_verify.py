"""What a certificate is verified against: `server_key`, which was `verify` of `requests`."""

from __future__ import annotations

import os
import ssl

from .._address import Verify


def verification(server_key: str | bool | None) -> Verify:
    """A file or a directory of authorities; False for none; else the system's, or those that the
    variables REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE name."""
    if server_key is None or server_key is True:
        variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        server_key = next(filter(None, map(os.environ.get, variables)), True)
    if isinstance(server_key, str) and os.path.isdir(server_key):
        return ssl.create_default_context(capath=server_key)
    return server_key
