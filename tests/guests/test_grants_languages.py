"""What a sidecar grants, as other languages than Rust see it: by their own libraries."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

import command_line
from host import CallFailed, Host, MakeHost, eventually
from lab_server import SECRET, serving

PYTHON = '''
import os
import urllib.error
import urllib.request


def read_file(path: str) -> str:
    """The text of a file."""
    with open(path) as file:
        return file.read()


def variable(key: str) -> str:
    """A variable of the environment."""
    return os.environ.get(key, "none")


def fails() -> str:
    """Fails for a reason of its own."""
    raise ValueError("a reason of its own")


def get(address: str, key: str) -> str:
    """What a server answers to a request with a key, or with the one in a variable."""
    request = urllib.request.Request(address, headers={"X-Key": os.environ.get(key, key)})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return f"{response.status} {response.headers['X-Lab']} {response.read().decode()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.headers['X-Lab']} {error.read().decode()}"


def post(address: str, text: str) -> str:
    """What a server answers to a text."""
    with urllib.request.urlopen(address, text.encode()) as response:
        return response.read().decode()
'''

JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { env } from "node:process";

/** @param {string} path */
export const readFile = (path) => readFileSync(path, "utf8");

/** @param {string} key */
export const variable = (key) => env[key] ?? "none";

/** @returns {string} */
export function fails() {
  throw new Error("a reason of its own");
}

/** @param {string} address @param {string} key */
export async function get(address, key) {
  const response = await fetch(address, { headers: { "X-Key": env[key] ?? key } });
  return `${response.status} ${response.headers.get("X-Lab")} ${await response.text()}`;
}

/** @param {string} address @param {string} text */
export async function post(address, text) {
  const response = await fetch(address, { method: "post", body: text });
  return response.text();
}

/**
 * Does something with files, which is told as Node tells it.
 *
 * @param {string} folder
 * @returns {Promise<string[]>}
 */
export async function work(folder) {
  const fs = await import("node:fs");
  const { readFile, writeFile } = await import("fs/promises");
  fs.mkdirSync(`${folder}/a/b`, { recursive: true });
  await writeFile(`${folder}/a/b/c.txt`, "häl");
  fs.appendFileSync(`${folder}/a/b/c.txt`, "lo");
  fs.renameSync(`${folder}/a/b/c.txt`, `${folder}/a/d.txt`);
  const told = [
    await readFile(`${folder}/a/d.txt`, "utf8"),
    String(fs.statSync(`${folder}/a/d.txt`).size),
    ...fs.readdirSync(`${folder}/a`),
    ...fs.readdirSync(folder, { withFileTypes: true }).map((it) => `${it.name} ${it.isFile()}`),
  ];
  for (const attempt of [
    () => fs.readFileSync(`${folder}/gone`),
    () => fs.readFileSync(`${folder}/a`),
    () => fs.mkdirSync(`${folder}/a`),
    () => fs.rmSync(`${folder}/a`),
    () => fs.writeFileSync(`${folder}/a/d.txt`, "", { flag: "wx" }),
  ]) {
    try {
      attempt();
    } catch (error) {
      told.push(error.code);
    }
  }
  fs.rmSync(`${folder}/a`, { recursive: true });
  told.push(String(fs.existsSync(`${folder}/a`)));
  return told;
}
"""

WIT = """
package lab:reader;

world reader {
  import tarp:procedure/http@0.1.0;
  /// The text of a file, of a kilobyte at the most.
  export read-file: func(path: string) -> result<string, string>;
  /// A variable of the environment.
  export variable: func(key: string) -> result<string, string>;
  /// Fails for a reason of its own.
  export fails: func() -> result<string, string>;
  /// The status and the text that a server answers to a request with this key.
  export get: func(address: string, key: string) -> result<string, string>;
  /// What a server answers to a text.
  export post: func(address: string, text: string) -> result<string, string>;
}
"""

C = r"""
#include "reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text(char *copy, size_t size, reader_string_t *from) {
    snprintf(copy, size, "%.*s", (int)from->len, (char *)from->ptr);
    reader_string_free(from);
}

bool exports_reader_read_file(reader_string_t *path, reader_string_t *ret, reader_string_t *err) {
    char name[1024] = "", content[1025] = "";
    text(name, sizeof name, path);
    FILE *file = fopen(name, "r");
    if (!file) {
        reader_string_dup(err, strerror(errno));
        return false;
    }
    fread(content, 1, 1024, file);
    fclose(file);
    reader_string_dup(ret, content);
    return true;
}

bool exports_reader_variable(reader_string_t *key, reader_string_t *ret, reader_string_t *err) {
    char name[1024] = "";
    text(name, sizeof name, key);
    const char *value = getenv(name);
    reader_string_dup(ret, value ? value : "none");
    return true;
}

bool exports_reader_fails(reader_string_t *ret, reader_string_t *err) {
    reader_string_dup(err, "a reason of its own");
    return false;
}

/* The value of a header, or "None". */
static const char *header(const tarp_procedure_http_response_t *response, const char *name) {
    static char value[256];
    for (size_t i = 0; i < response->headers.len; i++) {
        tarp_procedure_http_header_t *header = &response->headers.ptr[i];
        if (header->f0.len == strlen(name) && !memcmp(header->f0.ptr, name, header->f0.len)) {
            snprintf(value, sizeof value, "%.*s", (int)header->f1.len, (char *)header->f1.ptr);
            return value;
        }
    }
    return "None";
}

bool exports_reader_get(reader_string_t *address, reader_string_t *key, reader_string_t *ret,
                        reader_string_t *err) {
    char name[256] = "";
    text(name, sizeof name, key);
    const char *value = getenv(name) ? getenv(name) : name;
    tarp_procedure_http_header_t sent = { .f1 = { (uint8_t *)value, strlen(value) } };
    reader_string_set(&sent.f0, "x-key");
    tarp_procedure_http_request_t request = { .url = *address, .headers = { &sent, 1 } };
    reader_string_set(&request.method, "GET");
    tarp_procedure_http_response_t response;
    if (!tarp_procedure_http_send(&request, &response, err)) return false;
    char told[1024];
    snprintf(told, sizeof told, "%d %s %.*s", response.status, header(&response, "x-lab"),
             (int)response.body.len, (char *)response.body.ptr);
    reader_string_dup(ret, told);
    return true;
}

bool exports_reader_post(reader_string_t *address, reader_string_t *text, reader_string_t *ret,
                         reader_string_t *err) {
    tarp_procedure_http_request_t request = { .url = *address, .body = { text->ptr, text->len } };
    reader_string_set(&request.method, "POST");
    tarp_procedure_http_response_t response;
    if (!tarp_procedure_http_send(&request, &response, err)) return false;
    ret->ptr = response.body.ptr;
    ret->len = response.body.len;
    return true;
}
"""

SOURCES = {
    "python": {"reader.py": PYTHON},
    "javascript": {"reader.js": JAVASCRIPT},
    "c": {"reader.c": C, "reader.wit": WIT},
}

run = functools.partial(command_line.run, deadline=240)

#: A component of Python is built and compiled, on a machine that has other things to do.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", params=SOURCES)
def component(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same procedures in each language."""
    folder = tmp_path_factory.mktemp("reader")
    for name, text in SOURCES[request.param].items():
        (folder / name).write_text(text)
    built = run("build", folder / next(iter(SOURCES[request.param])), "--output", folder)
    assert built.returncode == 0, built.stderr
    return folder / "reader.wasm"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "one.csv").write_text("1,2\n")
    (tmp_path / "secret.txt").write_text("nobody's affair")
    return data


def served(make_host: MakeHost, component: Path, sidecar: str, **options: Any) -> Host:
    folder = component.parent
    (folder / "reader.toml").write_text(sidecar)
    host = make_host(folder=folder, **options)
    eventually(lambda: host.serves("read_file"), deadline=240)
    return host


def failure(host: Host, name: str, *arguments: str) -> str:
    with pytest.raises(CallFailed) as failed:
        host.post(name, list(arguments))
    return failed.value.message


def test_files_and_variables_are_those_that_were_granted(
    make_host: MakeHost, component: Path, data: Path
) -> None:
    folders = f'[{{ host = "{data}", guest = "/spectra", access = "read" }}]'
    sidecar = f'[grants]\nenvironment = {{ MODE = "fast" }}\nfolders = {folders}\n'
    host = served(make_host, component, sidecar)
    assert host.post("read_file", ["/spectra/one.csv"]) == "1,2\n"
    assert host.post("variable", ["MODE"]) == "fast"
    assert host.post("variable", ["PATH"]) == "none"
    for path in ("/spectra/../secret.txt", "/spectra/two.csv", str(data / "one.csv")):
        message = failure(host, "read_file", path)
        assert "nobody's affair" not in message
        assert "`folders" not in message


def test_a_failure_says_what_was_not_granted_where_that_is_the_reason(
    make_host: MakeHost, component: Path
) -> None:
    host = served(make_host, component, "")
    assert "`folders = [{" in failure(host, "read_file", "/spectra/one.csv")
    # The runtime of Python asks for its folders at each start.
    assert "`folders" not in failure(host, "fails")


def test_requests_go_to_granted_servers_and_secrets_with_them(
    make_host: MakeHost, component: Path
) -> None:
    with serving() as server, serving() as other:
        at = f"http://{server.at}"
        secrets = f'{{ LAB_KEY = {{ from = "env:LAB_KEY", to = ["{at}"] }} }}'
        sidecar = f'[grants]\nhttp = ["{at}"]\nsecrets = {secrets}\n'
        host = served(make_host, component, sidecar, environment={"LAB_KEY": SECRET})
        assert host.post("get", [f"{at}/a?b=1", "k"]) == "200 north GET /a?b=1 "
        assert host.post("get", [f"{at}/lost", "k"]) == "404 south nobody knows it"
        assert host.post("post", [f"{at}/a", "häl\nlo"]) == "POST /a häl\nlo"
        placeholder = host.post("variable", ["LAB_KEY"])
        assert SECRET not in placeholder
        refused = failure(host, "get", f"http://{other.at}/", "k")
        assert f'`http = ["http://{other.at}"]` grants it' in refused
        assert other.asked == []
        for address in ("http://", "nonsense", "file:///etc/passwd"):
            assert failure(host, "get", address, "k")
        assert "nonsense" in failure(host, "get", "nonsense", "k")


def test_what_redirects_leads_on_within_the_list(make_host: MakeHost, component: Path) -> None:
    if component.with_suffix(".c").exists():
        return  # Whoever calls the interface itself follows what it wants.
    with serving() as server, serving() as other:
        at = f"http://{server.at}"
        host = served(make_host, component, f'[grants]\nhttp = ["{at}"]\n')
        assert host.post("get", [f"{at}/moved", "k"]) == "200 north GET /here?n=1 "
        assert host.post("get", [f"{at}/to/{server.at}/x", "k"]) == "200 north GET /x "
        refused = failure(host, "get", f"{at}/to/{other.at}/x", "k")
        assert f'`http = ["http://{other.at}"]` grants it' in refused
        assert other.asked == []


def test_a_secret_is_put_into_headers_by_the_host(make_host: MakeHost, component: Path) -> None:
    with serving() as server:
        at = f"http://{server.at}"
        secrets = f'{{ LAB_KEY = {{ from = "env:LAB_KEY", to = ["{at}"] }} }}'
        sidecar = f'[grants]\nhttp = ["{at}"]\nsecrets = {secrets}\n'
        host = served(make_host, component, sidecar, environment={"LAB_KEY": SECRET})
        told = host.post("get", [f"{at}/headers", "LAB_KEY"])
        assert "***" in told
        assert SECRET not in told
        assert any(SECRET in header for header in server.headers)


def test_node_s_own_words_for_files(make_host: MakeHost, component: Path, tmp_path: Path) -> None:
    if not component.with_suffix(".js").exists():
        return
    folder = tmp_path / "results"
    folder.mkdir()
    folders = f'[{{ host = "{folder}", guest = "/results", access = "write", quota = "1 MiB" }}]'
    host = served(make_host, component, f"[grants]\nfolders = {folders}\n")
    assert host.post("work", ["/results"]) == [
        *("hällo", "6", "b", "d.txt", "a false"),
        *("ENOENT", "EISDIR", "EEXIST", "EISDIR", "EEXIST", "false"),
    ]
    assert list(folder.iterdir()) == []
