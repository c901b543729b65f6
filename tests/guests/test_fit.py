"""The example `fit`: one result as a record, as a table, as a drawing and as a page."""

from __future__ import annotations

import pytest

from host import CallFailed, Host, MakeHost

QUERY = "?x=1,2,3,4&y=2,4,6,9"


@pytest.fixture(scope="module")
def fit(make_module_host: MakeHost) -> Host:
    return make_module_host("fit")


def test_a_line_is_a_record(fit: Host) -> None:
    line = fit.post("fit_line", {"x": [0, 1, 2], "y": [1, 3, 5]})
    assert line == {"slope": 2.0, "intercept": 1.0, "r_squared": 1.0}


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([1], [1], "2 or more points"),
        ([1, 2], [1], "as many numbers"),
        ([1, 1], [1, 2], "differ"),
        ([1, "NaN"], [1, 2], "finite"),
        ([1e300, -1e300], [1, 2], "finite"),
    ],
)
def test_what_has_no_line_is_refused(
    fit: Host, x: list[object], y: list[object], message: str
) -> None:
    with pytest.raises(CallFailed, match=message):
        fit.post("fit_line", {"x": x, "y": y})


def test_the_table_is_csv_on_request(fit: Host) -> None:
    reply = fit.request("GET", f"/fit_table{QUERY}", headers={"Accept": "text/csv"})
    assert reply.headers["content-type"].startswith("text/csv")
    header, *rows = reply.text.split()
    assert header == "x,y,fitted,residual"
    assert [row.split(",")[:2] for row in rows] == [
        ["1.0", "2.0"],
        ["2.0", "4.0"],
        ["3.0", "6.0"],
        ["4.0", "9.0"],
    ]


def test_a_browser_sees_a_drawing_and_a_page(fit: Host) -> None:
    drawing = fit.request("GET", f"/fit_plot{QUERY}")
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert drawing.text.count("<circle") == 4
    page = fit.request("GET", f"/fit_report{QUERY}")
    assert page.headers["content-type"].startswith("text/html")
    assert drawing.text in page.text
    assert "<td>9</td>" in page.text


@pytest.mark.parametrize("query", ["?x=1,2", "?x=1,2&y=1,b"])
def test_a_query_without_numbers_is_refused(fit: Host, query: str) -> None:
    refused = fit.request("GET", f"/fit_report{query}")
    assert refused.status_code == 400
    assert "`y`" in refused.json()["result"]
