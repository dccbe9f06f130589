"""The tests: units under CPython, the Worker in workerd (worker/), the page in Chromium (browser/)."""
