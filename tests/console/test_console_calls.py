"""Calls from the console: a form for each kind of type, what comes of it, and how it fails."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import pytest

from browser import Browser
from console import RESULT, Console, field
from host import Host, MakeHost, eventually


@pytest.fixture
def console(browser: Browser, host: Host) -> Console:
    browser.resize(1280)
    return Console(browser, host)


# Forms and results, beside the table of values.


def test_an_integer_may_be_typed_for_a_float(console: Console) -> None:
    console.open_procedure("echo_f64")
    console.browser.type(field("value"), "3")
    console.call()
    assert console.browser.text(f"{RESULT} .big") == "3.0"


def test_the_receipt_stands_beside_the_result(console: Console) -> None:
    console.open_procedure("answer")
    console.call()
    receipt = console.browser.text(".receipt")
    for name in ("Run", "Start", "Fuel", "Memory", "Round trip"):
        assert name in receipt
    assert "42" in console.browser.text(f"{RESULT} .big")


def test_what_a_procedure_prints_stands_below_its_result(console: Console) -> None:
    console.open_procedure("chatter")
    console.browser.type(field("line"), "<b>hello</b>")
    console.call()
    for label in ("Standard output", "Standard error"):
        assert console.browser.text(f'{RESULT} [aria-label="{label}"]').strip() == "<b>hello</b>"
    console.open_procedure("answer")
    console.call()
    assert "Standard" not in console.browser.text(RESULT)


# Compound types.


def test_variants_and_what_their_cases_carry(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_measurement")
    console.call()
    assert "missing" in console.shown()
    browser.choose(field("value"), "count")
    browser.type(field("value.count"), "9223372036854775807")
    console.call()
    assert '{"count": 9223372036854775807}' in console.json_text()
    browser.choose(field("value"), "position")
    browser.type(field("value.position.x"), "1")
    browser.type(field("value.position.y"), "2")
    console.call()
    assert console.json() == {"position": {"x": 1.0, "y": 2.0}}
    browser.choose(field("value"), "series")
    browser.type(field("value.series"), "1 2 3")
    console.call()
    assert console.json() == {"series": [1.0, 2.0, 3.0]}


def test_lists_grow_and_shrink(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_list_string")
    for i, text in enumerate(("one", "two", "three")):
        console.press("Add text")
        browser.type(field(f"value[{i}]"), text)
    console.press("Remove item 2 of value")
    console.call()
    assert console.json() == ["one", "three"]


def test_lists_of_variants_and_of_lists(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_list_measurement")
    console.press("Add variant")
    console.press("Add variant")
    browser.choose(field("value[1]"), "note")
    browser.type(field("value[1].note"), "a remark")
    console.call()
    assert console.json() == ["missing", {"note": "a remark"}]
    console.open_procedure("echo_cube")
    console.press("Add list")
    browser.type(field("value[0]"), "1, 2\n3, 4")
    console.call()
    assert console.json() == [[[1.0, 2.0], [3.0, 4.0]]]


def test_a_list_of_records_is_a_table_to_type_in(console: Console) -> None:
    browser = console.browser
    console.open_procedure("geometry/bounding_box")
    for i, (x, y) in enumerate((("0", "1"), ("3", "5"), ("-1", "2"))):
        if i:
            console.press("Add row")
        browser.type(field(f"points[{i}].x"), x)
        browser.type(field(f"points[{i}].y"), y)
    console.press("Remove row 2 of points")
    console.call()
    assert console.json() == {"corner": {"x": -1.0, "y": 1.0}, "width": 1.0, "height": 1.0}


def test_every_procedure_has_a_form(console: Console) -> None:
    """Each example, with nothing filled in: no form fails to be drawn."""
    console.open()
    for name in eventually(console.names):
        console.browser.run("location.hash = arguments[0]", f"#/procedures/{name}")
        console.until(f"document.querySelector('main h1').textContent === {name!r}")
        assert console.browser.run("return document.querySelector('button.primary') !== null"), name
    assert console.complaints() == []


# Files.


def test_numbers_from_a_file_of_csv(console: Console, tmp_path: Path) -> None:
    browser = console.browser
    (tmp_path / "series.csv").write_text(
        "time,volts\n" + "".join(f"{i},{i * i}\n" for i in range(5))
    )
    console.open_procedure("statistics/summary")
    browser.type("input[type=file]", str(tmp_path / "series.csv"))
    console.says("Choose one of the 2 columns of series.csv.", "form")
    browser.choose(".chosen-file select", "2")
    console.says("5 numbers", "form")
    console.says("The first line was taken as titles: time, volts.", "form")
    console.call()
    summary = console.json()
    assert (summary["count"], summary["maximum"]) == (5, 16.0)


def test_a_million_numbers_from_a_file(console: Console, tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text("\n".join(map(str, range(1_000_000))))
    console.open_procedure("statistics/summary")
    console.browser.type("input[type=file]", str(tmp_path / "many.csv"))
    console.says("1 M numbers", "form")
    console.call()
    assert console.json()["count"] == 1_000_000


def test_records_from_a_file_and_from_the_clipboard(console: Console, tmp_path: Path) -> None:
    browser = console.browser
    (tmp_path / "points.csv").write_text("y;x\n1;0\n5;3\n")
    console.open_procedure("echo_list_point")
    browser.type("input[type=file]", str(tmp_path / "points.csv"))
    console.until("document.querySelectorAll('.rows tbody tr').length === 2")
    console.call()
    assert console.json() == [{"x": 0.0, "y": 1.0}, {"x": 3.0, "y": 5.0}]
    browser.run(
        """
        const data = new DataTransfer();
        data.setData("text", "1\\t2\\n3\\t4\\n5\\t6");
        const paste = new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
        document.querySelector(".rows input").dispatchEvent(paste);
        """
    )
    console.until("document.querySelectorAll('.rows tbody tr').length === 3")
    console.call()
    assert console.json()[2] == {"x": 5.0, "y": 6.0}


def test_a_table_that_does_not_fit_changes_nothing(console: Console, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y,z\n1,2,3\n")
    console.open_procedure("echo_list_point")
    console.browser.type("input[type=file]", str(tmp_path / "points.csv"))
    console.says(
        "There is no field `z`; the first line has titles: x,y. Nothing was taken.", "form"
    )


def png() -> bytes:
    """A picture of two by one points."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + bytes((255, 0, 0, 0, 0, 255)))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_bytes_from_a_file_and_a_picture_as_a_picture(console: Console, tmp_path: Path) -> None:
    (tmp_path / "dots.png").write_bytes(png())
    console.open_procedure("echo_bytes")
    console.choose("File")
    console.browser.type("input[type=file]", str(tmp_path / "dots.png"))
    console.says("dots.png", "form")
    console.call()
    size = "(x => x && x.complete && [x.naturalWidth, x.naturalHeight])"
    seen = console.until(f"{size}(document.querySelector('img.picture'))")
    assert seen == [2, 1]
    assert "image/png" in console.shown()


def test_bytes_as_text_and_as_base64(console: Console) -> None:
    console.open_procedure("echo_bytes")
    console.browser.type(field("value"), "hällo")
    console.call()
    assert "hällo" in console.shown()
    console.choose("Base64")
    console.browser.fill(field("value"), base64.b64encode(bytes(range(20))).decode())
    console.call()
    assert "00 01 02 03" in console.shown()
    assert "20 bytes" in console.shown()


def test_bytes_that_are_an_svg_are_a_picture(console: Console) -> None:
    console.open_procedure("echo_bytes")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="7"><path d="M0 0h9"/></svg>'
    console.browser.type(field("value"), svg)
    console.call()
    size = "(x => x?.complete && [x.naturalWidth, x.naturalHeight])"
    assert console.until(f"{size}(document.querySelector('img.picture'))") == [9, 7]
    assert "image/svg+xml" in console.shown()


# Results.


def test_a_list_of_numbers_is_plotted_and_a_table_too(console: Console) -> None:
    browser = console.browser
    console.open_procedure("linspace")
    for name, text in (("start", "0"), ("stop", "1"), ("count", "5")):
        browser.type(field(name), text)
    console.call()
    console.until("document.querySelector('.plot canvas')?.width > 100")
    drawn = """
        const canvas = document.querySelector(".plot canvas");
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((part) => part > 0);
    """
    assert eventually(lambda: browser.run(drawn)), "there is something on the canvas"
    assert "5 points" in browser.run("return document.querySelector('.plot').ariaLabel")
    console.choose("Table")
    assert browser.text(f"{RESULT} tbody tr:nth-child(5)").split() == ["5", "1.0"]


def test_pairs_are_plotted_and_pairs_with_words_are_a_table(console: Console) -> None:
    browser = console.browser
    console.open_procedure("statistics/histogram")
    browser.type(field("values"), "1 1 2 3 3 3")
    browser.type(field("bins"), "3")
    console.call()
    browser.find(".plot canvas")
    console.open_procedure("word_count")
    browser.type(field("text"), "a b a")
    console.call()
    rows = browser.run(
        """return [...document.querySelectorAll(".answer tbody tr")]
            .map((row) => [...row.cells].map((cell) => cell.textContent))"""
    )
    assert rows == [["1", "a", "2"], ["2", "b", "1"]]


def saved(console: Console, label: str) -> str:
    """What a download holds: the page's own blob, read where it is made."""
    script = """
        const [label, done] = arguments;
        const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => {
            URL.createObjectURL = make;
            blob.text().then(done);
            return "data:,";
        };
        const buttons = [...document.querySelectorAll(".answer button")];
        buttons.find((one) => one.textContent.trim() === label).click();
    """
    return console.browser.run_until_done(script, label)


def test_results_can_be_saved(console: Console) -> None:
    console.open_procedure("word_count")
    console.browser.type(field("text"), 'so, so "it" is')
    console.call()
    assert saved(console, "CSV").splitlines()[:2] == ["1,2", "so,2"]
    assert '"so", 2' in saved(console, "JSON")


# Failures.


def test_what_does_not_fit_is_not_sent(console: Console) -> None:
    browser = console.browser
    console.open_procedure("echo_u8")
    browser.type(field("value"), "300")
    browser.click("button.primary")
    console.says("`300` is out of range for u8: 0 to 255.", "form")
    console.until("document.activeElement.id === 'field-value'")
    assert browser.run("return document.activeElement.getAttribute('aria-invalid')") == "true"
    assert not browser.run("return document.querySelector('.outcome')")
    browser.fill(field("value"), "30")
    console.call()
    assert browser.text(f"{RESULT} .big") == "30"


def test_a_panic_shows_all_that_is_known(console: Console) -> None:
    console.open_procedure("panic")
    console.browser.type(field("message"), "the sky fell")
    console.call()
    shown = console.shown()
    for text in ("Trap", "HTTP 500", "the sky fell", "Backtrace of the guest", "misbehave.wasm!"):
        assert text in shown, shown
    assert "Standard error" in shown
    assert "Fuel" in shown


def test_an_error_with_a_value_shows_the_value(console: Console) -> None:
    console.open_procedure("fail_with_record")
    console.browser.type(field("message"), "too dark")
    console.call()
    shown = console.shown()
    assert "ProcedureError" in shown
    for text in ("code", "7", "attempts", "first, second"):
        assert text in shown


def test_a_call_that_takes_too_long_can_be_left(console: Console) -> None:
    console.open_procedure("sleep_for")
    console.browser.type(field("milliseconds"), "50000")
    console.browser.click("button.primary")
    console.says("Stop waiting", "form")
    console.press("Stop waiting")
    console.says("Stopped waiting.")


NASTY = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


def test_nothing_that_a_guest_says_is_html(browser: Browser, make_host: MakeHost) -> None:
    """In a result, an error, the guest's output, a file's name and a description."""
    about = NASTY.replace('"', '\\"')
    sidecars = {"misbehave": f'[procedures.chatter]\ndescription = "{about} `{about}`"'}
    host = make_host("misbehave", "text", sidecars=sidecars)
    console = Console(browser, host)
    before = "return document.querySelectorAll('script, img:not(.brand img)').length"
    for procedure, parameter in (
        ("chatter", "line"),
        ("panic", "message"),
        ("fail_with_string", "message"),
        ("reverse", "text"),
    ):
        console.open_procedure(procedure)
        elements = browser.run(before)
        text = NASTY[::-1] if procedure == "reverse" else NASTY
        browser.type(field(parameter), text)
        console.call()
        assert NASTY in console.shown()
        assert browser.run(before) == elements
        assert "taken" not in browser.run("return document.title")
    console.open_procedure("chatter")
    assert NASTY in browser.text(".prose")
    assert console.complaints() == []


# The call in code.


def test_the_call_is_shown_in_three_languages(console: Console) -> None:
    console.open_procedure("statistics/mean")
    console.browser.type(field("values"), "1 2 3")
    expected: dict[str, list[str]] = {
        "Python": [
            f'tarp.connect("{console.host.address}")',
            "host.statistics.mean(values=[1, 2, 3])",
        ],
        "curl": ["curl", """-d '{"values": [1, 2, 3]}'""", "/statistics/mean"],
        "JavaScript": ["await fetch(", """body: '{"values": [1, 2, 3]}'"""],
    }
    for language, texts in expected.items():
        console.choose(language)
        for text in texts:
            console.says(text, ".snippets pre")


def test_a_default_is_filled_in(browser: Browser, make_host: MakeHost) -> None:
    sidecars = {"math": "[procedures.linspace]\ndefaults = { count = 5, stop = 1.0 }"}
    console = Console(browser, make_host("math", sidecars=sidecars))
    console.open_procedure("linspace")
    browser.type(field("start"), "0")
    console.call()
    assert console.json() == [0.0, 0.25, 0.5, 0.75, 1.0]
