"""axe-core on a page: https://github.com/dequelabs/axe-core."""

from functools import cache

from playwright.sync_api import Page

from tools.local.local_worker import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

FINDINGS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}"""


@cache
def _source() -> str:
    return AXE.read_text()


def findings(page: Page) -> list[str]:
    """What axe finds, best practices too; empty is good."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_source())
    return list(page.evaluate(FINDINGS))
