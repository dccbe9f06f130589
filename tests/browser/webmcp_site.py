"""Pages of another site that know only WebMCP, as people write them; one script tag is added to each.

They register in the ways that public pages do: one tool after another in a module or an ordinary script, a component
that registers while it is shown, forms, and the whole list of the first shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from tools.local.local_worker import ROOT

POLYFILL = ROOT / "node_modules" / "@mcp-b" / "webmcp-polyfill" / "dist" / "index.iife.js"

SHOP = """<!doctype html><html lang="en"><head><title>Tea shop</title>
<meta name="viewport" content="width=device-width">{tag}
<script type="module">
  const cart = [];
  const show = () => { document.querySelector("#cart").textContent = JSON.stringify(cart); };
  if ("modelContext" in document) {
    await document.modelContext.registerTool({
      name: "find_tea", title: "Find a tea", description: "Finds teas by a word",
      inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
      annotations: { readOnlyHint: true },
      execute: ({ word }) => ({ teas: ["Assam", "Sencha"].filter((tea) => tea.toLowerCase().includes(word)) }),
    });
    const added = new AbortController();
    await document.modelContext.registerTool({
      name: "add_to_cart", description: "Puts a tea into the cart",
      inputSchema: {
        type: "object", properties: { tea: { type: "string" }, grams: { type: "number" } }, required: ["tea"],
      },
      async execute({ tea, grams = 100 }) {
        if (tea === "coffee") throw new RangeError("There is no coffee here.");
        cart.push([tea, grams]);
        show();
        return { content: [{ type: "text", text: `${grams} g of ${tea} are in the cart.` }] };
      },
    }, { signal: added.signal });
    window.closeShop = () => added.abort();
    await document.modelContext.registerTool({
      name: "brew", description: "Brews until it is stopped",
      annotations: { readOnlyHint: true },
      execute: (_input, { signal }) => new Promise((_done, stop) => {
        window.brewing = true;
        signal.addEventListener("abort", () => { window.brewing = false; stop(signal.reason); });
      }),
    });
    await document.modelContext.registerTool({
      name: "order", description: "Orders what is in the cart",
      execute: () => new Promise(() => { sessionStorage.orders = Number(sessionStorage.orders ?? 0) + 1; }),
    });
  }
</script></head><body style="font: 16px sans-serif; margin: 2em">
<h1>Tea shop</h1><p>In the cart: <span id="cart">[]</span></p></body></html>"""

FORMS = """<!doctype html><html lang="en"><head><title>Table booking</title>{tag}</head><body>
<form id="look" toolname="find_table" tooldescription="Finds a free table" toolautosubmit>
  <label>Persons
    <input name="persons" type="number" min="1" max="8" required toolparamdescription="How many come"></label>
  <button>Find</button></form>
<form id="book" toolname="book_table" tooldescription="Books a table; the person confirms">
  <input name="name" required toolparamdescription="Under which name"><button id="confirm">Book</button></form>
<form toolname="leave" tooldescription="Opens the next page" toolautosubmit action="/shop">
  <input name="q"><button>Go</button></form>
<script>
  look.addEventListener("submit", (event) => {
    event.preventDefault();
    const persons = Number(new FormData(look).get("persons"));
    if (event.agentInvoked) event.respondWith(Promise.resolve({ table: persons + 10 }));
  });
  book.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.agentInvoked) event.respondWith(Promise.resolve(`Booked for ${new FormData(book).get("name")}`));
  });
</script></body></html>"""

COMPONENTS = """<!doctype html><html lang="en"><head><title>Board</title>{tag}
<script type="module">
  const useTool = (tool) => {
    const mounted = new AbortController();
    const context = document.modelContext ?? navigator.modelContext;
    context?.registerTool(tool, { signal: mounted.signal }).catch(() => {});
    return () => mounted.abort();
  };
  const annotations = { readOnlyHint: true };
  const board = { name: "list_cards", description: "Lists the cards", annotations, execute: () => ["one", "two"] };
  const card = { name: "read_card", description: "Reads the open card", annotations, execute: () => "Card one" };
  useTool(board);
  let unmount;
  window.mount = () => { unmount = useTool(card); };
  window.unmount = () => unmount();
</script></head><body><h1>Board</h1></body></html>"""

FORMER = """<!doctype html><html lang="en"><head><title>Notes of 2025</title>{tag}
<script type="module">
  // A small polyfill of the first shape comes with the page, after the tag.
  let tools = [];
  Object.defineProperty(navigator, "modelContext", { configurable: true, value: {
    provideContext: (context) => { tools = [...context.tools]; },
    clearContext: () => { tools = []; },
    registerTool: (tool) => { tools.push(tool); },
    unregisterTool: (name) => { tools = tools.filter((tool) => tool.name !== name); },
  } });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const annotations = { readOnlyHint: true };
  const note = (name) => ({ name, description: "Notes", inputSchema: { type: "object" }, annotations,
    async execute(_args, agent) {
      const said = await agent.requestUserInteraction(async () => "agreed");
      return { content: [{ type: "text", text: `${name}: ${said}` }] };
    } });
  navigator.modelContext.provideContext({ tools: [note("first"), note("second")] });
  window.replace = () => navigator.modelContext.provideContext({ tools: [note("third")] });
</script></head><body><h1>Notes</h1></body></html>"""

INLINE = """<!doctype html><html lang="en"><head><title>Coffee</title>{tag}</head><body><h1>Coffee</h1>
<script>
  // Not a module: it runs while the page is read.
  if (document.modelContext) {
    document.modelContext.registerTool({
      name: "list_coffee", description: "Lists the coffees", annotations: { readOnlyHint: true },
      execute({ fail }) { if (fail) throw new Error("No coffee today."); return "Arabica"; },
    });
  }
</script></body></html>"""

PAGES = {"/inline": INLINE, "/shop": SHOP, "/forms": FORMS, "/components": COMPONENTS, "/former": FORMER}


class Pages(BaseHTTPRequestHandler):
    """Serves the pages. Query: `server` of the tag, `attributes` of the tag, `early` scripts, `policy` (CSP)."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        if address.path == "/polyfill.js":
            return self._reply(POLYFILL.read_bytes(), "text/javascript", {})
        page = PAGES.get(address.path)
        if page is None:
            return self.send_error(404)
        tag = query.get("early", "")
        # What a page is at first leads to the others of its site: they have the tag as well.
        server = query.get("server") or self.server.waypost_url  # type: ignore[attr-defined]
        if "no-tag" not in query:
            kind = "" if "classic" in query else 'type="module" '
            tag += f'<script {kind}src="{server}/webmcp.js" {query.get("attributes", "")}></script>'
        headers = {"Content-Security-Policy": query["policy"]} if "policy" in query else {}
        return self._reply(page.replace("{tag}", tag).encode(), "text/html; charset=utf-8", headers)

    def _reply(self, body: bytes, kind: str, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Not into the output of the tests."""


class Site(ThreadingHTTPServer):
    """The other site; `waypost_url` is where its tags point to."""

    waypost_url = ""

    @property
    def url(self) -> str:
        """Of another site than the Worker's 127.0.0.1, and a secure context."""
        return f"http://localhost:{self.server_port}"


@contextmanager
def serve_site() -> Iterator[Site]:
    """Run the site while inside."""
    with Site(("127.0.0.1", 0), Pages) as site:
        thread = Thread(target=site.serve_forever)
        thread.start()
        yield site
        site.shutdown()
        thread.join()
