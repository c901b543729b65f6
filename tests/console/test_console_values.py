"""The console's modules that draw nothing: exact JSON, forms' values, CSV, what a value looks like,
code to copy. They run in Chromium, in a page of the host, as the console has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from browser import Browser
from host import TESTS, Host


class Modules:
    """The modules below `lib/` in a page."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def run(self, names: str, body: str, given: Any = None) -> Any:
        """What a function with this body gives: it sees the modules by name, and `given`.

        The body is part of the script: the page's policy has no `eval`.
        """
        listed = names.split()
        result = self.browser.run_until_done(
            f"""
            const done = arguments[arguments.length - 1];
            const given = arguments[0];
            Promise.all({json.dumps(listed)}.map((name) => import(`/-/console/lib/${{name}}.js`)))
                .then(([{", ".join(listed)}]) => {{ {body} }})
                .then((result) => done({{result}}), (error) => done({{error: String(error)}}));
            """,
            given,
        )
        assert "error" not in result, result["error"]
        return result.get("result")


@pytest.fixture(scope="module")
def modules(browser: Browser, host: Host) -> Modules:
    browser.open(host.address)
    return Modules(browser)


# JSON without a loss.

EXACT = [
    "0",
    "-0",
    "1.0",
    "1e5",
    "-1.5E-7",
    "0.1",
    "9007199254740993",
    "-9223372036854775808",
    "18446744073709551615",
    "123456789012345678901234567890",
    "true",
    "null",
    '""',
    '"\\u00e9\\n\\"</script>"',
    "[]",
    "{}",
    '[1, [2.50, "x"], {"a": null}]',
    '{"__proto__": 1, "constructor": 2, "2": 3, "1": 4}',
]


@pytest.mark.parametrize("text", EXACT)
def test_every_number_is_written_as_it_was_read(modules: Modules, text: str) -> None:
    back = modules.run("exact", "return exact.write(exact.parse(given))", text)
    if '"' in text:
        assert json.loads(back) == json.loads(text)
        assert list(json.loads(back)) == list(json.loads(text))
    else:
        assert back == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tru",
        "[1,]",
        "{,}",
        '{"a" 1}',
        "01",
        "1.",
        "+1",
        "NaN",
        '"a',
        '"\t"',
        "[1] 2",
        "[1",
        "-",
    ],
)
def test_what_is_no_json_is_refused_with_its_place(modules: Modules, text: str) -> None:
    script = "try { exact.parse(given); return null; } catch (e) { return [e.name, e.message]; }"
    name, message = modules.run("exact", script, text)
    assert name == "SyntaxError"
    assert "character" in message or "JSON" in message


def test_a_long_list_is_read_in_good_time_and_in_lines(modules: Modules) -> None:
    count, lines = modules.run(
        "exact",
        """
        const read = exact.parse(`[${Array.from({length: 200000}, (_, i) => i / 8).join(",")}]`);
        return [read.length, exact.write(read.slice(0, 100), "  ").split("\\n").length];
        """,
    )
    assert (count, lines) == (200_000, 102)


# Forms: types, drafts, and what is sent.

POINT = {"record": [{"name": "x", "type": "f64"}, {"name": "y", "type": "f64"}]}
FIGURE = {
    "variant": [
        {"name": "empty", "type": None},
        {"name": "circle", "type": {"record": [{"name": "center", "type": POINT}]}},
        {"name": "polygon", "type": {"list": POINT}},
    ]
}

#: A type, and values of it that a draft must be able to hold: as JSON has them.
VALUES: list[tuple[Any, list[str]]] = [
    ("bool", ["true", "false"]),
    ("u64", ["18446744073709551615"]),
    ("s64", ["-9223372036854775808"]),
    ("f64", ["1.50", "-2.5e-300", '"NaN"', '"-Infinity"']),
    ("char", ['"é"', '"𝄞"']),
    ("string", ['""', '"a \\"quoted\\" text"']),
    ({"list": "u8"}, ['"aGk="', '""']),
    ({"list": "f64"}, ["[]", '[1, 2.50, "Infinity"]']),
    ({"list": {"list": "s32"}}, ["[[1, 2], [3]]"]),
    ({"list": "string"}, ["[]", '["", "a,b"]']),
    ({"list": POINT}, ["[]", '[{"x": 1, "y": 2.5}]']),
    ({"list": {"tuple": ["string", "u32"]}}, ['[["a", 1], ["b", 2]]']),
    ({"map": {"key": "string", "value": "f64"}}, ["{}", '{"b": 1, "": 2.50, "a": "NaN"}']),
    ({"map": {"key": "bool", "value": "string"}}, ['{"false": "x", "true": ""}']),
    ({"map": {"key": "u64", "value": POINT}}, ['{"18446744073709551615": {"x": 1, "y": 2}}']),
    (
        {"option": {"map": {"key": "char", "value": {"map": {"key": "s8", "value": "bool"}}}}},
        ["null", '{"é": {"-128": true, "1": false}, "x": {}}'],
    ),
    ({"list": {"list": POINT}}, ['[[{"x": 1, "y": 2}], []]']),
    (POINT, ['{"x": 1, "y": -0.0}']),
    ({"tuple": ["s8", "string", "bool"]}, ['[-1, "x", true]']),
    ({"option": "s32"}, ["null", "5"]),
    ({"option": {"option": "s32"}}, ["null", '{"some": null}', '{"some": 5}']),
    ({"enum": ["red", "light_blue"]}, ['"light_blue"']),
    ({"flags": ["a", "b", "c"]}, ["[]", '["a", "c"]']),
    (FIGURE, ['"empty"', '{"circle": {"center": {"x": 1, "y": 2}}}', '{"polygon": []}']),
    ({"result": {"ok": "s32", "err": "string"}}, ['{"ok": 1}', '{"err": "no"}']),
    ({"result": {"ok": None, "err": None}}, ['{"ok": null}', '{"err": null}']),
    ({"list": {"option": "s32"}}, ["[null, 1]"]),
    (
        {"list": {"record": [{"name": "a", "type": {"option": "string"}}]}},
        ['[{"a": null}, {"a": "x"}]'],
    ),
]


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in VALUES for text in texts]
)
def test_a_value_goes_through_a_form_unchanged(modules: Modules, kind: Any, text: str) -> None:
    back, faults = modules.run(
        "exact draft encode",
        """
        const faults = new Map();
        const drafted = draft.draftOf(given.kind, exact.parse(given.text));
        return [encode.encode(given.kind, drafted, "value", faults), [...faults]];
        """,
        {"kind": kind, "text": text},
    )
    assert faults == []
    assert back == text or json.loads(back) == json.loads(text)


@pytest.mark.parametrize(
    ("kind", "typed", "sent"),
    [
        ("u8", " 255 ", "255"),
        ("s32", "1_000", "1000"),
        ("u64", "+18446744073709551615", "18446744073709551615"),
        ("f64", ".5", "0.5"),
        ("f64", "inf", '"Infinity"'),
        ("f64", "-Infinity", '"-Infinity"'),
        ("f64", "nan", '"NaN"'),
        ("f64", "0x10", "16"),
    ],
)
def test_numbers_may_be_typed_in_many_ways(
    modules: Modules, kind: str, typed: str, sent: str
) -> None:
    script = 'return encode.encode(given[0], given[1], "value", new Map())'
    assert modules.run("encode", script, [kind, typed]) == sent


@pytest.mark.parametrize(
    ("kind", "typed", "complaint"),
    [
        ("u8", "256", "`256` is out of range for u8: 0 to 255"),
        ("s64", "9223372036854775808", "out of range"),
        ("u32", "-1", "out of range"),
        ("u32", "1.5", "`1.5` is not a whole number"),
        ("u32", "", "a number is needed"),
        ("f64", "one", "`one` is not a number"),
        ("f64", "", "a number is needed"),
        ("char", "ab", "Exactly one character."),
        ({"list": "f64"}, {"text": "1, 2, x, 4", "file": None}, "item 3: `x` is not a number"),
        ({"list": {"list": "u8"}}, None, None),
        ({"map": {"key": "u8", "value": "u8"}}, None, None),
    ],
)
def test_what_does_not_fit_is_told_by_its_path(
    modules: Modules, kind: Any, typed: Any, complaint: str | None
) -> None:
    script = """
        const faults = new Map();
        const drafted = given.typed ?? draft.blank(given.kind);
        const type = {record: [{name: "x", type: given.kind}]};
        encode.encode(type, {parts: [drafted]}, "value", faults);
        return [...faults];
    """
    faults = modules.run("draft encode", script, {"kind": kind, "typed": typed})
    if complaint is None:
        assert faults == []
    else:
        ((path, message),) = faults
        assert path == "value.x"
        assert complaint in message


@pytest.mark.parametrize(
    ("keys", "path", "complaint"),
    [
        (["1", "2"], None, None),
        (["1", "x"], "value[1].key", "`x` is not a number"),
        (["1", "256"], "value[1].key", "out of range"),
        (["1", "+1"], "value[1].key", "The key 1 comes twice."),
    ],
)
def test_keys_of_a_map_are_told_by_their_path(
    modules: Modules, keys: list[str], path: str | None, complaint: str | None
) -> None:
    faults = modules.run(
        "encode",
        """
        const faults = new Map();
        const entries = given.map((key, id) => ({id, key, value: "7"}));
        const type = {map: {key: "u8", value: "u8"}};
        encode.encode(type, {entries}, "value", faults);
        return [...faults];
        """,
        keys,
    )
    if complaint is None:
        assert faults == []
    else:
        ((place, message),) = faults
        assert place == path
        assert complaint in message


# Numbers, lists and tables from text.

TABLE = json.loads((TESTS / "values" / "number-text.json").read_text())


def test_text_is_read_as_the_table_of_cases_has_it(modules: Modules) -> None:
    """The command line has the same table, in `cli-client/src/arguments/numbers/tests.rs`."""
    read = modules.run(
        "encode number numbers table types",
        """
        const attempt = (read) => {
            try {
                return read();
            } catch (error) {
                if (!(error instanceof number.Fault)) throw error;
                return {refused: error.message};
            }
        };
        const one = ({type, text}) => ({
            text: number.readNumber(number.trimmed(text), type),
            notes: [],
        });
        const list = (one_) => numbers.readNumbers(one_.text, one_.type, one_.column ?? null);
        const rows = ({type, text}) => {
            const columns = types.columnsOf(type);
            const {rows, notes} = table.readRows(text, columns, Boolean(type.list.record));
            const faults = new Map();
            const draft = {rows: rows.map((cells, id) => ({id, cells}))};
            return {text: encode.encode(type, draft, "", faults), notes, faults: [...faults]};
        };
        return {
            numbers: given.numbers.map((one_) => attempt(() => one(one_))),
            lists: given.lists.map((one_) => attempt(() => list(one_))),
            tables: given.tables.map((one_) => attempt(() => rows(one_))),
        };
        """,
        TABLE,
    )
    for kind, cases in TABLE.items():
        assert len(cases) > 30
        for case, came in zip(cases, read[kind], strict=True):
            if "refused" in case:
                assert came == {"refused": case["refused"]}, case
            else:
                assert came.get("notes") == case.get("notes", []), (case, came)
                assert came.get("faults", []) == [], (case, came)
                value = json.loads(came["text"])
                assert exact(value) == exact(case["value"]), (case, came)


def exact(value: Any) -> Any:
    """With integers and the sign of a zero kept apart from what only equals them."""
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    return repr(float(value)) if isinstance(value, float) or value == 0 else repr(value)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ('"a ""x""",b\r\n"two\nlines",2', [['a "x"', "b"], ["two\nlines", "2"]]),
        ("a;b\n1,5;2", [["a", "b"], ["1,5", "2"]]),
        ("a\tb", [["a", "b"]]),
        ("1  2 3\n4 5 6", [["1", "2", "3"], ["4", "5", "6"]]),
        ("\ufeffa\n1", [["a"], ["1"]]),
        ("", []),
    ],
)
def test_csv_is_read(modules: Modules, text: str, rows: list[list[str]]) -> None:
    script = "return csv.split(given, 'numbers').rows.map(({cells}) => cells)"
    assert modules.run("csv", script, text) == rows


COLUMNS = [
    {"name": "x", "type": "f64"},
    {"name": "taken_at", "type": {"option": "string"}},
    {"name": "fine", "type": "bool"},
    {"name": "color", "type": {"enum": ["red", "green"]}},
]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("Taken at,color,fine,x\nnoon,red,no,1", [["1", "noon", False, "red"]]),
        ("fine;x;color\nTRUE;1,5;green", [["1.5", None, True, "green"]]),
        ("1\tnoon\tyes\tred", [["1", "noon", True, "red"]]),
        ("x,fine,color\n,1,red", [["NaN", None, True, "red"]]),
        ("", []),
        ("x,fine,color,more\n1,1,red,2", "there is no field `more`"),
        ("x,fine\n1,1", "no column for the field `color`"),
        ("x,x,fine,color\n1,2,1,red", "columns 1 and 2 both have the title of the field `x`"),
        ("x,fine,color\n1,maybe,red", "line 2, column 2: expected true or false"),
        ("x,fine,color\n1,1,blue", "line 2, column 3: `blue` is none of red, green"),
        ("x,fine,color\n1,1,red\n2,1", "line 1 has 3 cells, and line 3 has 2 cells"),
        ("x,fine,color\nl,1,red", "line 2, column 1: `l` is not a number"),
        ("1,noon,1", "line 1: 3 cells for 4 fields"),
    ],
)
def test_a_table_is_taken_whole_or_refused(modules: Modules, text: str, outcome: Any) -> None:
    rows = modules.run(
        "number table",
        """
        const bare = (cell) => typeof cell === "object" ? (cell.some ? cell.draft : null) : cell;
        try {
            return table.readRows(given.text, given.columns, true).rows.map((row) => row.map(bare));
        } catch (error) {
            if (!(error instanceof number.Fault)) throw error;
            return error.message;
        }
        """,
        {"text": text, "columns": COLUMNS},
    )
    if isinstance(outcome, str):
        assert outcome in rows
    else:
        assert rows == outcome


def test_tuples_in_brackets_are_a_table(modules: Modules) -> None:
    columns = [{"name": "1", "type": "f64"}, {"name": "2", "type": {"option": "s32"}}]
    read = modules.run(
        "table",
        """
        const {text, columns} = given;
        const {rows, notes} = table.readRows(text, columns, false);
        const whole = [text, "5", "(5", "1,2"].map((one) => table.isTable(one, columns, false));
        const cell = table.isTable("(note", [{name: "1", type: "string"}], false);
        return {rows, notes, whole, cell};
        """,
        {"text": "((1.5, 2), (nan, None))", "columns": columns},
    )
    assert read == {
        "rows": [["1.5", {"some": True, "draft": "2"}], ["NaN", {"some": False, "draft": ""}]],
        "notes": ["1 gap became none, at row 2, item 2"],
        "whole": [True, False, True, False],
        "cell": False,
    }


# What a value looks like.


@pytest.mark.parametrize(
    ("text", "plotted", "columns"),
    [
        ("[1, 2, 3]", ["value"], ["value"]),
        ("[[0, 1], [1, 4]]", ["y"], ["1", "2"]),
        ('[{"x": 1, "y": 2, "z": 3}, {"x": 2, "y": 3, "z": 4}]', ["y", "z"], ["x", "y", "z"]),
        ('{"time": [0, 1], "volts": [1.5, 2.5]}', ["volts"], ["time", "volts"]),
        ('{"volts": [1.5, 2.5], "t": [0, 1]}', ["volts"], ["volts", "t"]),
        ('[1, "NaN", 2]', ["value"], ["value"]),
        ('[["the", 3], ["a", 1]]', None, ["1", "2"]),
        ('["a", "b"]', None, ["value"]),
        ('{"a": 1, "b": [1, 2]}', None, None),
        ("[]", None, None),
        ("5", None, None),
        ('"text"', None, None),
    ],
)
def test_lists_of_numbers_are_plotted_and_records_are_tables(
    modules: Modules, text: str, plotted: list[str] | None, columns: list[str] | None
) -> None:
    seen = modules.run(
        "exact shape",
        """
        const value = exact.parse(given);
        const series = shape.seriesOf(value);
        const table = shape.tableOf(value);
        const names = (list) => list && list.map(({name}) => name);
        return [names(series?.series), names(table?.columns)];
        """,
        text,
    )
    assert seen == [plotted, columns]


def test_points_that_go_back_and_forth_are_drawn_as_points(modules: Modules) -> None:
    script = "const {x, points} = shape.seriesOf([[2, 1], [0, 5], [1, 3]]); return [x, points];"
    assert modules.run("shape", script) == [[0, 1, 2], True]


# Code to copy.

PROCEDURE = {
    "name": "lab/fit",
    "parameters": [
        {"name": "points", "type": {"list": POINT}},
        {"name": "from", "type": {"option": "u64"}},
        {"name": "marks", "type": {"flags": ["a", "b"]}},
        {"name": "data", "type": {"list": "u8"}},
        {"name": "ratio", "type": "f64"},
    ],
    "result": "u64",
}
BODY = """{"points": [{"x": 1.0, "y": 2}], "from": 18446744073709551615, "marks": ["a"],
    "data": "aGk=", "ratio": "NaN"}""".replace("\n   ", "")


def snippet(modules: Modules, language: str, body: str = BODY, *, job: bool = False) -> str:
    return modules.run(
        "snippets",
        "return snippets[given.language](given.procedure, given.body, given.job)",
        {"language": language, "procedure": PROCEDURE, "body": body, "job": job},
    )


def test_python_is_python(modules: Modules) -> None:
    """It runs, against a stand-in for the client, and gives the arguments that were meant."""
    code = snippet(modules, "python").replace("import tarp\n", "")
    calls: list[dict[str, Any]] = []

    class Stand:
        def __init__(self, *_: Any) -> None: ...
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None: ...
        def __getattr__(self, _name: str) -> Any:
            return self

        def __call__(self, **arguments: Any) -> None:
            calls.append(arguments)

    class Module:
        connect = Stand

    exec(code, {"tarp": Module})
    (arguments,) = calls
    ratio = arguments.pop("ratio")
    assert ratio != ratio
    assert arguments == {
        "points": [{"x": 1.0, "y": 2}],
        "from": 2**64 - 1,
        "marks": {"a"},
        "data": b"hi",
    }
    assert ".submit(" in snippet(modules, "python", job=True)


def test_curl_and_javascript_send_the_text_as_it_is(modules: Modules) -> None:
    quoted = BODY.replace('"NaN"', '"it\'s"')
    curl = snippet(modules, "curl", quoted)
    assert "18446744073709551615" in curl
    assert "it'\\''s" in curl
    assert "respond-async" in snippet(modules, "curl", job=True)
    script = snippet(modules, "javascript", quoted)
    assert json.dumps(quoted) in script
    assert f"'{BODY}'" in snippet(modules, "javascript")


def test_long_arguments_come_from_a_file(modules: Modules) -> None:
    body = json.dumps({"points": [{"x": 1, "y": 2}] * 500})
    files = {"python": "points.json", "tarp": "points.json"}
    for language in ("python", "curl", "javascript", "tarp"):
        code = snippet(modules, language, body)
        assert files.get(language, "arguments.json") in code
        assert len(code) < 500


# Documentation.


@pytest.mark.parametrize(
    ("text", "rest", "parameters"),
    [
        ("Moves.\n\nat: where\nReturns it", "Moves.\n\nReturns it", {"at": "where"}),
        (
            "Mean.\n\nArgs:\n    at (list): the data,\n        in volts\n    by: how\n\n"
            "Returns:\n    it",
            "Mean.\n\nReturns:\n    it",
            {"at": "the data,\nin volts", "by": "how"},
        ),
        (
            "Mean.\n\nParameters\n----------\nat, by : array\n    Both.\n\nReturns\n-------\nfloat",
            "Mean.\n\nReturns\n-------\nfloat",
            {"at": "Both.", "by": "Both."},
        ),
        (
            "Mean.\n\n:param list at: the data\n:type at: list\n:returns: it",
            "Mean.\n\n:returns: it",
            {"at": "the data"},
        ),
        ("Mean.\n\n@param {number} [at=3] - the data", "Mean.", {"at": "the data"}),
        (
            "Mean.\n\n# Arguments\n\n* `at` - the data\n* `other` - none\n\n# Errors\n\nNo.",
            "Mean.\n\n# Arguments\n\n* `other` - none\n\n# Errors\n\nNo.",
            {"at": "the data"},
        ),
        ("Mean.\n\n```\nat: code\n```", "Mean.\n\n```\nat: code\n```", {}),
        ("See at: it is here.", "See at: it is here.", {}),
    ],
)
def test_what_is_said_of_parameters_is_taken_out(
    modules: Modules, text: str, rest: str, parameters: dict[str, str]
) -> None:
    script = """
        const {text, parameters} = docs.takeApart(given, ["at", "by"]);
        return [text, Object.fromEntries(parameters)];
    """
    assert modules.run("docs", script, text) == [rest, parameters]


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("a *b* `<i>`", "<p>a <em>b</em> <code>{<i>}</code></p>"),
        ("# A\n\n### B", "<h2>A</h2><h3>B</h3>"),
        ("<script>x</script>", "{<script>}x{</script>}"),
        ("a <b onclick=x>c</b>", "<p>a {<b onclick=x>}c{</b>}</p>"),
        ("[a](javascript:x) ![b](/c)", "<p>a (javascript:x) b (/c)</p>"),
        ("[a](https://b.c)", "<p><a https://b.c>a</a></p>"),
        ("- [x] a\n1. b", "<ul><li>☑ a</li></ul><ol><li>b</li></ol>"),
        ("> " * 100 + "a", None),
    ],
)
def test_markdown_is_elements_and_text(modules: Modules, text: str, drawn: str | None) -> None:
    """Text with angles is shown in braces here, to tell it from elements."""
    script = """
        const made = new Set();
        const keep = (...parts) => {
            const [name, given, ...content] = parts;
            const text = content.flat(Infinity)
                .map((one) => (made.has(one) ? one : one.replace(/<[^>]*>/g, "{$&}"))).join("");
            const element = `<${name}${given?.href ? ` ${given.href}` : ""}>${text}</${name}>`;
            made.add(element);
            return element;
        };
        return markdown.elements(given, keep).flat(Infinity).filter(Boolean)
            .map((one) => (made.has(one) ? one : one.trim().replace(/<[^>]*>/g, "{$&}"))).join("");
    """
    seen = modules.run("markdown", script, text)
    assert seen == drawn if drawn else "a" in seen
