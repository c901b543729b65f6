"""Which caller may do what: a table of callers times addresses, and what each is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from certificate import Authority, make_certificate
from host import Host, bare, eventually, result_of
from tokens import bearer, create, refused, status, tarp_token

#: Addresses that nobody needs a token for.
OPEN = {"/-/health", "/-/health/live", "/-/health/ready", "/-/docs", "/-/console/main.js"}

#: The right that each address needs besides a valid token; None for those that every token opens.
NEEDED: dict[str, str | None] = {
    "/": None,
    "/-/procedures": None,
    "/-/openapi.json": None,
    "/-/events": None,
    "/-/session": None,
    "/-/client/": None,
    "/-/client/{name}": None,
    "/-/nothing": None,
    "/-/metrics": "metrics",
    "/-/overview": "metrics",
    "/-/components": "deploy",
    "/-/components/{name}": "deploy",
    "/-/components/{name}/rollback": "deploy",
    "/-/jobs": "jobs",
    "/-/jobs/counts": "jobs",
    "/-/jobs/{id}": "jobs",
    "/-/jobs/{id}/result": "jobs",
    "/-/jobs/{id}/arguments": "jobs",
    "/-/jobs/{id}/logs": "jobs",
    "/-/jobs/{id}/events": "jobs",
    "/asyncGet": "jobs",
    "/asyncProbe": "jobs",
    "/add": "call:add",
    "/statistics/mean": "call:statistics/mean",
    "/statistics_mean": "call:statistics/mean",
    "/my_function": "call:my_function",
    "/app/": "call:app",
    "/app/{path}": "call:app",
    "/nothing": "call:nothing",
    "/nothing/at/all": "call:nothing/at/all",
}

#: Callers with a valid token, by what it allows, and the rights that this includes.
RIGHTS: dict[str, list[str]] = {
    "call:add": ["call:add"],
    "call:statistics/*": ["call:statistics/mean"],
    "call:a*": ["call:add", "call:app"],
    "call:lin-*": [],
    "call:*": [right for right in NEEDED.values() if right and right.startswith("call:")],
    "jobs": ["jobs"],
    "jobs:all": ["jobs"],
    "deploy": ["deploy"],
    "metrics": ["metrics"],
    "admin": [right for right in NEEDED.values() if right],
}

#: Callers without any, the last one with a certificate that names nobody.
REFUSED = ("none", "wrong", "nonsense", "expired", "revoked", "stranger")

#: Those who show their rights by a certificate are called after the right, with this before it.
BY_CERTIFICATE = "certificate of "

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")


class Closed:
    """A host that asks for tokens, and the tokens of all kinds of callers."""

    def __init__(self, host: Host, authority: Authority) -> None:
        self.host = host
        adapter = requests.adapters.HTTPAdapter(pool_connections=64)
        host.session.mount("https://", adapter)
        self.certificates = {
            BY_CERTIFICATE + right: authority.issue(f"c{number}")
            for number, right in enumerate(RIGHTS)
        }
        self.certificates["stranger"] = authority.issue("stranger")
        self.tokens: dict[str, str | None] = {
            "none": None,
            "wrong": f"tarp_{'0' * 16}_{'A' * 43}",
            "nonsense": "letmein",
        }
        for number, right in enumerate(RIGHTS):
            self.tokens[right] = create(host.data, f"t{number}", right)
        self.tokens["expired"] = create(host.data, "expired", "admin", expires="1s")
        self.tokens["revoked"] = create(host.data, "revoked", "admin")
        tarp_token(host.data, "revoke", "revoked")
        host.start()
        eventually(lambda: status(host, self.tokens["expired"]) == 401)

    def ask(self, caller: str, path: str, method: str = "GET", **options: Any) -> Any:
        token = self.tokens.get(caller)
        certificate = self.certificates.get(caller)
        options["cert"] = tuple(map(str, certificate)) if certificate else None
        headers = (bearer(token) if token else {}) | options.pop("headers", {})
        with self.host.request(
            method, path, headers=headers, stream=True, allow_redirects=False, **options
        ) as reply:
            if "event-stream" not in reply.headers.get("Content-Type", ""):
                assert reply.content is not None
        return reply


@pytest.fixture(scope="module")
def closed(make_module_host, tmp_path_factory: pytest.TempPathFactory) -> Closed:
    home = tmp_path_factory.mktemp("closed")
    authority, own = Authority(home), make_certificate(home)
    config = (
        f'[server]\ntls_cert = "{own.cert}"\ntls_key = "{own.key}"\n'
        f'tls_client_ca = "{authority.file}"\n'
    )
    for number, right in enumerate(RIGHTS):
        config += f'[[callers.certificate]]\nname = "c{number}"\nallow = ["{right}"]\n'
    host = make_module_host("math", "stats", "app", "jobs", config=config, start=False)
    host.verify = str(own.cert)
    return Closed(host, authority)


def callers() -> Iterator[tuple[str, list[str]]]:
    """Every caller with their rights, by a token and by a certificate."""
    for right, included in RIGHTS.items():
        yield right, included
        yield BY_CERTIFICATE + right, included


def filled(path: str) -> str:
    """The address with something in the place of its parameters."""
    unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
    path = path.replace("{id}", unknown).replace("{name}", "nothing.whl").replace("{path}", "about")
    return path + f"?UUID={unknown}" if path.startswith("/async") else path


def test_the_table_has_every_address_of_the_host(closed: Closed) -> None:
    document = bare(closed.ask("admin", "/-/openapi.json"))
    described = {path for path in document["paths"] if path.startswith("/-/") or "async" in path}
    assert described <= NEEDED.keys() | OPEN
    own = {path for path in NEEDED.keys() | OPEN if path.startswith("/-/") or "async" in path}
    assert own - described == {"/-/docs", "/-/console/main.js", "/-/nothing"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [*NEEDED, *sorted(OPEN)])
def test_every_caller_at_every_address(closed: Closed, path: str, method: str) -> None:
    for caller, rights in (*((caller, []) for caller in REFUSED), *callers()):
        reply = closed.ask(caller, filled(path), method)
        said = f"{caller} {method} {path}: {reply.status_code}"
        if path in OPEN:
            assert reply.status_code not in (401, 403), said
        elif caller in REFUSED:
            assert reply.status_code == 401, said
        elif NEEDED[path] is None or NEEDED[path] in rights:
            assert reply.status_code not in (401, 403), said
        else:
            assert reply.status_code == 403, said
            if method != "HEAD":
                body = reply.json()
                assert body["type"] == "Forbidden", said
                # What an address leads to is told only to those who may go there.
                right = f"call:{path[1:]}" if NEEDED[path].startswith("call:") else NEEDED[path]
                right = re.sub(r"\{path\}", "about", right)
                assert f"`{right}`" in body["message"], body


def test_whether_there_is_anything_is_told_to_those_who_may_call_it(closed: Closed) -> None:
    there, absent = (closed.ask("jobs", path) for path in ("/linspace", "/lin-space"))
    assert closed.ask("call:*", "/linspace").status_code != 404
    assert there.status_code == absent.status_code == 403
    alike = absent.json()["message"].replace("lin-space", "linspace")
    assert there.json()["message"] == alike
    misspelt = closed.ask("call:*", "/lin-space")
    assert misspelt.status_code == 404
    assert "`linspace`" in misspelt.json()["message"]
    # It is near as well, but not for this caller.
    other = closed.ask("call:lin-*", "/lin-space")
    assert other.status_code == 404
    assert "linspace" not in other.json()["message"]


# What is shown.


def shown(closed: Closed, caller: str) -> set[str]:
    """Everything that a caller is shown, which is the same everywhere."""
    listing = result_of(closed.ask(caller, "/"))
    listed = {
        entry["name"] for kind in ("GET", "POST", "RPC", "ASYNCRPC") for entry in listing[kind]
    }
    catalog = bare(closed.ask(caller, "/-/procedures"))
    procedures = {entry["name"] for entry in catalog["procedures"]}
    aliases = {alias for entry in catalog["procedures"] for alias in entry["aliases"]}
    mounts = {entry["name"] for entry in catalog["mounts"]}
    paths = bare(closed.ask(caller, "/-/openapi.json"))["paths"]
    described = {path[1:] for path in paths if not path.startswith("/-/")}
    described -= {"", "asyncGet", "asyncProbe"}
    assert listed - aliases == procedures
    assert {path.removesuffix("/{path}") for path in described} - aliases == procedures | mounts
    return procedures | mounts


def test_each_caller_is_shown_what_it_may_call(closed: Closed) -> None:
    for caller in RIGHTS:
        assert shown(closed, caller) == shown(closed, BY_CERTIFICATE + caller)
    everything = shown(closed, "admin")
    assert {"add", "statistics/mean", "app"} <= everything
    assert shown(closed, "call:*") == everything
    assert shown(closed, "call:add") == {"add"}
    assert shown(closed, "call:statistics/*") == {
        name for name in everything if name.startswith("statistics/")
    }
    assert shown(closed, "call:a*") == {name for name in everything if name.startswith("a")}
    assert shown(closed, "jobs") == set()


def test_the_document_says_that_tokens_are_needed(closed: Closed) -> None:
    document = bare(closed.ask("admin", "/-/openapi.json"))
    assert document["security"] == [{"bearer": []}, {"basic": []}, {"certificate": []}]
    schemes = document["components"]["securitySchemes"]
    assert schemes.keys() == {"bearer", "basic", "certificate"}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert ("401" in operation["responses"]) == (path not in OPEN), path
            assert (operation.get("security") == []) == (path in OPEN), path


def test_problems_are_shown_to_those_who_can_mend_them(closed: Closed) -> None:
    (closed.host.folder / "broken.wasm").write_bytes(b"no component")
    eventually(lambda: bare(closed.ask("deploy", "/-/procedures"))["problems"])
    assert result_of(closed.ask("admin", "/"))["problems"]
    assert not result_of(closed.ask("call:*", "/"))["problems"]
    assert not bare(closed.ask("call:*", "/-/procedures"))["problems"]
    assert refused(closed.ask("none", "/-/procedures"))
    (closed.host.folder / "broken.wasm").unlink()


def test_a_job_needs_the_right_to_submit_jobs_and_the_one_to_call(closed: Closed) -> None:
    wanted = {"Prefer": "respond-async"}
    reply = closed.ask("call:add", "/add", "POST", json=[1, 2], headers=wanted)
    assert reply.status_code == 403
    assert "`jobs`" in reply.json()["message"]
    reply = closed.ask("jobs", "/add", "POST", json=[1, 2], headers=wanted)
    assert reply.status_code == 403
    assert "`call:add`" in reply.json()["message"]
