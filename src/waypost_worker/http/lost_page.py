"""What a browser shows at a path where nothing is served: a page with a way home. Programs get a problem document."""

from waypost_worker.errors import RouteNotFound
from waypost_worker.http.messages import Request, Response

OF_PROGRAMS = ("/api", "/mcp")
"""Paths that belong to programs: a person who opens one of them wants to see what a program would."""

PAGE = b"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Nothing is here \xc2\xb7 Waypost</title>
  <link rel="icon" href="/console/icon.svg" type="image/svg+xml">
  <script src="/console/theme.js"></script>
  <link rel="stylesheet" href="/console/console.css">
</head>
<body>
  <main class="lost">
    <section class="card">
      <h1>Nothing is here</h1>
      <p>This address leads nowhere: it may be cut off, or what it led to is gone.</p>
      <p><a href="/">Open Waypost</a> or read <a href="/docs/">how its API works</a>.</p>
    </section>
  </main>
</body>
</html>
"""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; frame-ancestors 'none'"
)


def wants_page(request: Request) -> bool:
    """Whether a person in a browser has opened the path: such a request says that it accepts HTML."""
    if request.method not in ("GET", "HEAD") or request.path.startswith(OF_PROGRAMS):
        return False
    return "text/html" in (request.headers.get("accept") or "").lower()


def lost_page() -> Response:
    """The page, with 404."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
    }
    return Response(404, PAGE, headers, code=RouteNotFound.code)
