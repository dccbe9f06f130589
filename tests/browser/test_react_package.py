"""The component of the package's manual, as it is printed, on a page of its own in a browser, under StrictMode."""

import re
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenConsole
from tests.support.docs import page as text_of
from tests.support.npm_project import MODULES, packed_package, project_with
from tools.local.harness.worker import LocalWorker

INSTALLED = ("react", "react-dom", "scheduler")
MAIN = """
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Cart } from "./cart.jsx";
createRoot(document.querySelector("main")).render(createElement(StrictMode, null, createElement(Cart)));
"""
HEAD = '<!doctype html><html lang="en"><title>A shop</title><link rel="icon" href="data:,">'


def bundled(folder: Path, url: str) -> str:
    """The page's script: the manual's component with the packed package and React, as developers see it."""
    [component] = re.findall(r"<!-- runs: react -->\n```jsx\n(.*?)```", text_of("docs/javascript.md"), re.DOTALL)
    project = project_with(packed_package(folder), folder / "project", {name: name for name in INSTALLED})
    (project / "cart.jsx").write_text(component.replace("https://your-worker.example", url))
    (project / "main.js").write_text(MAIN)
    command = [MODULES / ".bin" / "esbuild", "main.js", "--bundle", "--jsx=automatic", "--format=iife"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout


def code_of(page: Page) -> str:
    expect(page.locator("main")).to_contain_text("Code: ")
    [code] = re.findall(r"Code: (\w+)", page.locator("main").inner_text())
    return code


def test_an_agent_uses_a_component_which_keeps_its_session(
    open_console: OpenConsole, worker: LocalWorker, tmp_path: Path
) -> None:
    shop, agent = open_console("docs/").page, open_console("docs/").page
    script = bundled(tmp_path, worker.url).replace("</script", "<\\/script")
    html = f"{HEAD}<main></main><script>{script}</script>"
    shop.route(f"{worker.url}/shop", lambda route: route.fulfill(body=html, content_type="text/html"))
    opened: list[str] = []
    shop.on("request", lambda request: opened.append(request.url) if request.method == "POST" else None)
    shop.goto(f"{worker.url}/shop")
    code = code_of(shop)
    add = """async ([code, item]) => {
        const { joinSession } = await import("/waypost.js");
        return (await joinSession(code)).call("add_item", { item });
    }"""
    assert agent.evaluate(add, [code, "milk"]) == {"count": 1}
    assert agent.evaluate(add, [code, "tea"]) == {"count": 2}
    expect(shop.locator("main")).to_contain_text("In the cart: milk, tea")
    shop.reload()
    assert code_of(shop) == code
    assert opened.count(f"{worker.url}/api/sessions") == 1
