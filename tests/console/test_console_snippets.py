"""The code that the console shows for a call, run as it is."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from browser import Browser
from console import Console, field
from host import BINARY, Host, MakeHost

LANGUAGES = ("Python", "curl", "JavaScript", "tarp call")
PNG = b"\x89PNG"


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280)
    return Console(browser, host)


@pytest.fixture
def plotting(browser: Browser, make_host: MakeHost) -> Console:
    return Console(browser, make_host("plot"))


def code(console: Console, language: str) -> str:
    """What is shown for a language."""
    console.choose(language, ".snippets")
    console.until(f"document.querySelector('.snippets pre')?.ariaLabel.endsWith('in {language}')")
    return console.browser.run("return document.querySelector('.snippets pre').textContent")


def needed(console: Console, folder: Path) -> list[str]:
    """Saves the files that the code reads, and gives their names."""
    script = """
        const done = arguments[0];
        const make = URL.createObjectURL;
        const buttons = [...document.querySelectorAll(".snippets .tools button")]
            .filter((one) => /\\.(json|bin|txt)$/.test(one.textContent.trim()));
        const files = buttons.map(async (button) => {
            let blob;
            URL.createObjectURL = (made) => ((blob = made), "data:,");
            button.click();
            URL.createObjectURL = make;
            const bytes = new Uint8Array(await blob.arrayBuffer());
            const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
            return [button.textContent.trim(), btoa(binary)];
        });
        Promise.all(files).then(done);
    """
    files = console.browser.run_until_done(script)
    for name, content in files:
        (folder / name).write_bytes(base64.b64decode(content))
    return [name for name, _ in files]


def run(text: str, language: str, folder: Path) -> str:
    """Runs the code in a folder, and gives what it prints."""
    script = folder / {"Python": "call.py", "JavaScript": "call.mjs"}.get(language, "call.sh")
    script.write_text(text)
    programs = {"Python": sys.executable, "JavaScript": "node"}
    path = f"{BINARY.resolve().parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [programs.get(language, "bash"), script.name],
        cwd=folder,
        capture_output=True,
        timeout=50,
        env=os.environ | {"PATH": path},
    )
    assert done.returncode == 0, (text, done.stderr.decode())
    return done.stdout.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call(console: Console, tmp_path: Path, language: str) -> None:
    console.open_procedure("linspace")
    for name, text in (("start", "0"), ("stop", "1"), ("count", "3")):
        console.browser.fill(field(name), text)
    printed = run(code(console, language), language, tmp_path)
    assert "0.5" in printed


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_that_a_shell_would_take_apart(
    console: Console, tmp_path: Path, language: str
) -> None:
    text = '@it\'s "a" $HOME \\n = \u20ac'
    console.open_procedure("echo_string")
    console.browser.fill(field("value"), text)
    printed = run(code(console, language), language, tmp_path)
    assert text in printed.replace('\\"', '"').replace("\\\\", "\\")


@pytest.mark.parametrize("language", LANGUAGES)
def test_long_arguments_come_from_the_files_beside_it(
    console: Console, tmp_path: Path, language: str
) -> None:
    console.open_procedure("statistics/mean")
    numbers = ", ".join(map(str, range(2001)))
    console.browser.run(
        """
        const control = document.querySelector(arguments[0]);
        control.value = arguments[1];
        control.dispatchEvent(new Event("input", {bubbles: true}));
        """,
        field("values"),
        numbers,
    )
    text = code(console, language)
    assert len(text) < 600
    assert needed(console, tmp_path)
    assert "1000" in run(text, language, tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_bytes_go_into_a_file(console: Console, tmp_path: Path, language: str) -> None:
    console.open_procedure("echo_bytes")
    console.choose("Base64", "form")
    content = PNG + bytes(range(256))
    console.browser.fill(field("value"), base64.b64encode(content).decode())
    assert "PNG" not in run(code(console, language), language, tmp_path)
    assert (tmp_path / "echo_bytes.bin").read_bytes() == content


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_job_is_waited_for(console: Console, tmp_path: Path, language: str) -> None:
    console.open_procedure("count_to")
    console.browser.fill(field("n"), "30")
    console.browser.fill(field("pause_ms"), "30")
    console.browser.click(".snippets .given input")
    assert "30" in run(code(console, language), language, tmp_path).split("result")[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_picture_goes_into_a_file(plotting: Console, tmp_path: Path, language: str) -> None:
    """Also before the page has seen that it is one."""
    query: list[Any] = [("frequency", "2"), ("amplitude", "0.5")]
    plotting.open_procedure("get_plot")
    for i, (name, text) in enumerate(query, 1):
        if i > 1:
            plotting.press("Add")
        plotting.browser.fill(f'[aria-label="Query: name {i}"]', name)
        plotting.browser.fill(f'[aria-label="Query: value {i}"]', text)
    assert "PNG" not in run(code(plotting, language), language, tmp_path)
    assert (tmp_path / "get_plot.out").read_bytes().startswith(PNG)
    plotting.call()
    run(code(plotting, language), language, tmp_path)
    assert (tmp_path / "get_plot.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_body_of_json_is_sent_and_its_answer_printed(
    plotting: Console, tmp_path: Path, language: str
) -> None:
    plotting.open_procedure("set_params")
    plotting.browser.fill('[aria-label="Body"]', '{"frequency": 3, "amplitude": 0.25}')
    plotting.call()
    assert "0.25" in run(code(plotting, language), language, tmp_path)
