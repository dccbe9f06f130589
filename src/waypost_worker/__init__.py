"""Waypost: sessions, message queues, streams, chats with memory, and MCP, on one Workers KV namespace.

An import goes down this list or stays in its package, never up or sideways (held by tests/whole/test_layers.py):

    cloudflare                    the runtime: the only package that knows JavaScript, with src/entry.py
    app                           composition root and route table
    handlers, mcp                 REST routes: decode, call, encode; the MCP server
    context                       one request's context: who calls, the isolate's shared state, the domain's factories
    chat, queues                  questions to models and their answers; requests and answers of a session
    settings, sessions            what a deployment sets; sessions, presence, single-use codes,
                                  MCP addresses
    models                        the model port and its providers
    conversations, documents, polling, http
                                  messages, journal, threads, exports; documents and pages with ETags;
                                  poll schedules and budgets; HTTP messages, routing, bodies, cross-origin checks
    security, kv, telemetry       tokens and rate limits; the KV port, its implementations, keys and cursors; what an
                                  operator sees of requests
    sse, base64url, surrogates, clock, ids, bounded_cache, loop_failure
                                  codecs, the clock port, grammars of ids, the container of every cache, broken loops
    random                        the randomness port
    errors, limits, version       tables
"""
