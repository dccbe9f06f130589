"""A phone's screenshot: from a canvas in Chromium to the official TypeScript SDK, byte for byte."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import OpenConsole
from tests.support.node_tests import NODE

CLIENT = Path(__file__).parent / "large_result_client.mjs"
PATIENCE_SECONDS = 120

PHONE = """async () => {
    const { createSession, Host } = await import("/waypost.js");
    // Noise, as a photo has: a PNG of it has four bytes a pixel or so.
    const canvas = Object.assign(document.createElement("canvas"), { width: 390, height: 1040 });
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let at = 0; at < image.data.length; at += 4) {
        crypto.getRandomValues(image.data.subarray(at, at + 3));
        image.data[at + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    const png = await new Promise((done) => canvas.toBlob(done, "image/png"));
    const bytes = new Uint8Array(await png.arrayBuffer());
    const sha = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const host = new Host(await createSession());
    host.tool({ name: "screenshot", inputSchema: { type: "object" } }, () => png);
    host.tool({ name: "canvas", inputSchema: { type: "object" } }, () => canvas);
    host.tool({ name: "beside", inputSchema: { type: "object" } }, () => ({
        content: [{ type: "text", text: "The page" }, png],
    }));
    host.tool({ name: "element", inputSchema: { type: "object" } }, () => ({ at: document.body }));
    await host.connect();
    const hex = Array.from(sha, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { code: host.session.code, size: bytes.length, sha: hex };
}"""
"""Makes the page a tab whose tools return a canvas' PNG. Says how large it is, and its hash."""


@pytest.mark.parametrize("generation", ["SDK 1", "SDK 2, auto"])
def test_a_phones_screenshot_reaches_the_official_client_byte_for_byte(
    open_console: OpenConsole, generation: str
) -> None:
    tab = open_console(viewport={"width": 390, "height": 844}, device_scale_factor=3, is_mobile=True, has_touch=True)
    shot = tab.page.evaluate(PHONE)
    assert 1_200_000 < shot["size"] < 2_000_000
    ran = subprocess.run(
        [NODE, CLIENT, f"{tab.url}/mcp/{shot['code']}", generation],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    results = json.loads(ran.stdout)
    [image] = results["screenshot"]["content"]
    content = base64.b64decode(image["data"], validate=True)
    assert (image["type"], image["mimeType"], len(content)) == ("image", "image/png", shot["size"])
    assert hashlib.sha256(content).hexdigest() == shot["sha"]
    assert [block["type"] for block in results["beside"]["content"]] == ["text", "image"]
    assert results["beside"]["content"][1] == image
    assert results["canvas"]["isError"] is True
    assert "is a HTMLCanvasElement. Return await new Promise((done) => canvas.toBlob(done))." in told(results["canvas"])
    assert results["element"]["isError"] is True
    assert "the result.at is a HTMLBodyElement. Return its textContent or outerHTML." in told(results["element"])


def told(result: dict[str, list[dict[str, str]]]) -> str:
    """What the model reads."""
    return result["content"][0]["text"]
