"""The grammar of ALLOWED_ORIGINS: what each pattern allows, and what merely looks as if it were allowed."""

import pytest

from waypost_worker.http.origins import fault_of, is_allowed_origin, is_origin

FITTING = {
    "https://app.example": ["https://app.example"],
    "https://app.example:8443": ["https://app.example:8443"],
    "https://[::1]:8443": ["https://[::1]:8443"],
    "app://obsidian.md": ["app://obsidian.md"],
    "https://*.app.example": [
        "https://a.app.example",
        "https://a.b.app.example",
        "https://pr-7_x.app.example",
        "https://xn--mnchen-3ya.app.example",
    ],
    "https://*.app.example:8443": ["https://a.app.example:8443"],
    "http://*.localhost:*": ["http://a.localhost", "http://a.localhost:3000"],
    "https://*.app.example:*": ["https://a.app.example", "https://a.app.example:1", "https://a.b.app.example:65535"],
    "http://localhost:*": ["http://localhost", "http://localhost:1", "http://localhost:6274", "http://localhost:65535"],
    "http://[::1]:*": ["http://[::1]", "http://[::1]:5173"],
    "http://127.0.0.1:*": ["http://127.0.0.1:6274"],
    "moz-extension://*": ["moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc"],
    "vscode-webview://*": ["vscode-webview://1bav9pcnl0e3ktdp6ikpejkgb1jhmbomhkt3dsfq1iv"],
    "capacitor://*": ["capacitor://localhost"],
    "null": ["null"],
    "file://": ["file://"],
    "*": ["https://evil.example", "null", "file://", "moz-extension://a-b", "http://[::1]:1"],
}

BYPASSES = {
    "https://app.example": [
        "http://app.example",
        "https://app.example:443",
        "https://app.example:8443",
        "https://app.example.",
        "https://app.example/",
        "https://APP.example",
        "HTTPS://app.example",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://evil.example/https://app.example",
        "https://app.example@evil.example",
        "https://app\u2024example",
        "null",
        "",
    ],
    "https://*.app.example": [
        "https://app.example",
        "https://.app.example",
        "https://evil-app.example",
        "https://evilapp.example",
        "https://a.app.example.evil.example",
        "https://app.example.evil.example",
        "https://a.app.example.",
        "https://a.app.example:8443",
        "https://a.app.example:443",
        "http://a.app.example",
        "https://A.app.example",
        "https://a.APP.example",
        "https://m\u00fcnchen.app.example",
        "https://\uff41.app.example",
        "https://a.app\u3002example",
        "https://evil.example/a.app.example",
        "https://evil.example?.app.example",
        "https://evil.example#.app.example",
        "https://user@a.app.example",
        "https://evil.example:1.app.example",
        "https://evil.example\\.app.example",
        "https://a..app.example",
        "https://a.appXexample",
        "https://a.app.example\n",
        "https://evil.example\nhttps://a.app.example",
        "https://*.app.example",
        "moz-extension://a.app.example",
        "null",
    ],
    "http://localhost:*": [
        "https://localhost:3000",
        "http://localhost:",
        "http://localhost:0",
        "http://localhost:080",
        "http://localhost:123456",
        "http://localhost:3000:1",
        "http://localhost:3000.evil.example",
        "http://localhost.evil.example:3000",
        "http://localhost:3000@evil.example",
        "http://a.localhost:3000",
        "http://evil-localhost:3000",
        "http://127.0.0.1:3000",
        "http://localhost:*",
        "http://LOCALHOST:3000",
    ],
    "moz-extension://*": [
        "chrome-extension://abcdef",
        "moz-extension:",
        "moz-extension://",
        "https://moz-extension",
        "xmoz-extension://a",
        "moz-extension://a/b",
        "moz-extension://a\r\nb",
        "moz-extension://" + "a" * 256,
    ],
    "null": ["NULL", "nul", "null ", "https://null", "file://", "https://evil.example"],
    "file://": ["file:///etc/passwd", "file:", "null"],
    "*": ["", "evil", "a\r\nb: c", "https://evil.example/", "https://evil example", "https://" + "a" * 256],
}

FAULTS = {
    "app.example": "has no scheme",
    "localhost:3000": "has no scheme",
    "*.app.example": "has no scheme",
    "//app.example": "has no scheme",
    "**": "has no scheme",
    "NULL": "has no scheme",
    "HTTPS://app.example": "schemes are in lower case",
    "*://app.example": "schemes are in lower case",
    "https://*": "write *",
    "http://*": "write *",
    "https://app.example/": "without a slash",
    "https://app.example/x": "without a slash",
    "https://app.example?x": "without a slash",
    "https://app.example#x": "without a slash",
    "https://me@app.example": "without a slash",
    "file:///home": "without a slash",
    "https://app.example:443": "default port",
    "http://app.example:80": "default port",
    "https://*.app.example:443": "default port",
    "https://app.example:0": "from 1 to 65535",
    "https://app.example:65536": "from 1 to 65535",
    "https://app.example:080": "from 1 to 65535",
    "https://app.example:80*": "from 1 to 65535",
    "https://app.example:": "from 1 to 65535",
    "https://app.example:8080:1": "from 1 to 65535",
    "https://APP.example": "lower case",
    "https://*.APP.example": "lower case",
    "https://m\u00fcnchen.example": "xn--",
    "https://*.m\u00fcnchen.example": "xn--",
    "https://*.com": "top-level domain",
    "https://*.example": "top-level domain",
    "https://app.*.example": "where none can be",
    "https://app-*.example.com": "where none can be",
    "https://*app.example": "where none can be",
    "https://**.app.example": "where none can be",
    "https://*.*.example": "where none can be",
    "https://*:*": "where none can be",
    "https://*:8443": "where none can be",
    "moz-extension://*.app.example": "where none can be",
    "http://192.168.0.*": "where none can be",
    "http://*.168.0.1": "no browser sends",
    "https://*..example.com": "no browser sends",
    "https://*.app.example.": "no browser sends",
    "https://": "no browser sends",
    "https://app example": "no browser sends",
    "https://[::1": "no browser sends",
    "https://[::g]": "no browser sends",
    "https://[::1]x": "no browser sends",
    "https://[1:2]": "no browser sends",
    "https://[::1%25eth0]": "no browser sends",
}


@pytest.mark.parametrize(("entry", "origin"), [(entry, origin) for entry in FITTING for origin in FITTING[entry]])
def test_an_origin_that_fits_is_allowed(entry: str, origin: str):
    assert fault_of(entry) is None
    assert is_allowed_origin(origin, frozenset({entry}))
    assert is_allowed_origin(origin, frozenset({"https://other.example", entry, "https://*.other.example"}))
    assert is_origin(origin)


@pytest.mark.parametrize(("entry", "origin"), [(entry, origin) for entry in BYPASSES for origin in BYPASSES[entry]])
def test_an_origin_that_merely_looks_like_it_is_not(entry: str, origin: str):
    assert not is_allowed_origin(origin, frozenset({entry}))
    assert not is_allowed_origin(origin, frozenset({"https://other.example", entry}))


def test_without_an_origin_or_an_entry_nothing_is_allowed():
    assert not is_allowed_origin(None, frozenset({"*", "null"}))
    assert not is_allowed_origin("https://app.example", frozenset())
    assert not is_allowed_origin("null", frozenset())


@pytest.mark.parametrize(("entry", "why"), FAULTS.items())
def test_what_is_no_origin_and_no_pattern_is_told_why(entry: str, why: str):
    fault = fault_of(entry)
    assert fault is not None
    assert why in fault
    assert entry not in fault or entry == "**"
