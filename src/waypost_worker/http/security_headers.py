"""Headers of every response that tell browsers how to treat it. For static files they are in `src/site/_headers`."""

BROWSER_HEADERS = {
    # Do not guess another type: https://fetch.spec.whatwg.org/#x-content-type-options-header
    "X-Content-Type-Options": "nosniff",
    # Two years of HTTPS only; browsers honour it when they got it over HTTPS: RFC 6797, section 6.1
    "Strict-Transport-Security": "max-age=63072000",
    # A URL may contain a code, or the token of an EventSource; no other site must learn it.
    "Referrer-Policy": "no-referrer",
    # Opened as a document, a response runs nothing and can't be framed. Generated pages have a policy of their own.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # Other origins read responses with CORS only, never as a script or an image.
    "Cross-Origin-Resource-Policy": "same-origin",
}
