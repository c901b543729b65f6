"""`/-/docs`: the OpenAPI document in a viewer, under the console's policy and without a network."""

from __future__ import annotations

from browser import Browser
from console import Console
from host import MakeHost, eventually

SIDECAR = """
[procedures.add]
description = "Adds *two*. <img src=/answer onerror=alert(1)> <b>bold</b> ![x](/answer)"
"""


def test_the_document_is_shown_and_can_be_tried(browser: Browser, make_host: MakeHost) -> None:
    host = make_host("math", sidecars={"math": SIDECAR})
    console = Console(browser, host)
    browser.resize(1280)
    browser.open(f"{console.host.address}/-/docs")
    tags = "return document.querySelectorAll('.opblock-tag').length"
    assert eventually(lambda: browser.run(tags)) > 1
    browser.run("document.querySelectorAll('.opblock-tag').forEach((tag) => tag.click())")
    script = """
        const blocks = [...document.querySelectorAll(".opblock-post")];
        const add = blocks.find((one) => one.querySelector("[data-path='/add']"));
        if (!add) return false;
        add.querySelector(".opblock-summary-control").click();
        return true;
    """
    assert eventually(lambda: browser.run(script))
    shown = ".opblock-post.is-open"
    console.says("Adds two.", shown)
    console.says("<b>bold</b>", shown)
    within = f"return document.querySelectorAll('{shown} .renderedMarkdown :is(img, b)').length"
    assert browser.run(within) == 0
    assert browser.text(f"{shown} .renderedMarkdown em") == "two"
    browser.click(f"{shown} .try-out__btn")
    browser.click(f"{shown} .execute")
    console.says('"status": "success"', f"{shown} .live-responses-table")
    assert browser.complaints() == []
    loaded = "return performance.getEntriesByType('resource').map(({name}) => name)"
    assert all(name.startswith(console.host.address) for name in browser.run(loaded))


def test_the_console_leads_there(browser: Browser, make_host: MakeHost) -> None:
    console = Console(browser, make_host("math"))
    console.open()
    browser.click('main a[href="/-/docs"]')
    eventually(lambda: browser.run("return document.querySelector('.swagger-ui .info') !== null"))
    browser.click('.docs-top a[href="../"]')
    browser.find("main h1")
