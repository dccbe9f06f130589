"""What browsers are told about every reply, whatever is in it. For the static files `src/site/_headers` says it."""

BROWSER_HEADERS = {
    # Take it for what it says it is: https://fetch.spec.whatwg.org/#x-content-type-options-header
    "X-Content-Type-Options": "nosniff",
    # Two years of HTTPS only, which browsers heed when they got it over HTTPS: RFC 6797, section 6.1
    "Strict-Transport-Security": "max-age=63072000",
    # An address may hold a code, or a token where nothing else is possible; no other site is to learn it.
    "Referrer-Policy": "no-referrer",
    # Opened as a document, a reply does nothing and is in nobody's frame. A page of a session has a policy of its own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # What is read across origins is read with CORS, never as somebody's script or picture.
    "Cross-Origin-Resource-Policy": "same-origin",
}
